"""Heat maps: every value has its colour, and what is not finite has one no map contains."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items.heat_map import HeatMap, indices, packed, shrunk
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look.theme import theme

NAN, PLUS, MINUS = 256, 257, 258


def painted(values: Array, width: int, height: int) -> QImage:
    """The map drawn on `width` × `height` pixels with levels ±1."""
    item = HeatMap(theme("dark"))
    area = QRectF(0, 0, width, height)
    item.place(area, TimeAxis.whole(0.0, width, len(values)))
    item.set_values(values, -1.0, 1.0, theme("dark").signed_map())
    image = QImage(width, height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    item.draw(painter)
    painter.end()
    return image


def test_a_marked_row_is_pointed_at_from_the_margin_and_the_others_step_back(qtbot: QtBot) -> None:
    look, values = theme("light"), np.full((6, 5), 0.8)
    item = HeatMap(look)
    item.place(QRectF(20, 0, 60, 50), TimeAxis.whole(20.0, 60.0, 6))
    item.set_values(values, -1.0, 1.0, look.signed_map())
    item.mark_row(3)
    image = QImage(80, 50, QImage.Format.Format_RGB32)
    image.fill(QColor(look.background))
    painter = QPainter(image)
    item.draw(painter)
    painter.end()
    red = QColor(*map(int, look.signed_map()[round(255 * 0.9)]))
    row = [image.pixelColor(50, y) for y in range(30, 40)]
    assert row == [red] * 10  # nothing lies over it
    for y in (5, 15, 25, 45):
        assert red.blue() + 60 < image.pixelColor(50, y).blue() < 255  # paler, and not gone
    margin = [(x, y) for x in range(19) for y in range(50) if image.pixelColor(x, y) == QColor(look.text)]
    assert margin
    assert {y // 10 for _, y in margin} == {3}
    assert item.boundingRect().left() <= min(x for x, _ in margin)


def test_a_row_thinner_than_a_pixel_is_still_seen(qtbot: QtBot) -> None:
    item = HeatMap(theme("dark"))
    item.place(QRectF(20, 0, 60, 50), TimeAxis.whole(20.0, 60.0, 6))
    item.set_values(np.full((6, 512), -0.9), -1.0, 1.0, theme("dark").signed_map())
    item.mark_row(300)
    image = QImage(80, 50, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    item.draw(painter)
    painter.end()
    blue = QColor(*map(int, theme("dark").signed_map()[round(255 * 0.05)]))
    assert [y for y in range(1, 49) if image.pixelColor(50, y) == blue] in ([28, 29], [29], [29, 30], [28, 29, 30])


def test_levels_have_the_ends_of_the_table_and_zero_its_middle() -> None:
    assert indices(np.array([[-1.0, 0.0, 1.0, -9.0, 9.0]]), -1.0, 1.0).tolist() == [[0, 128, 255, 0, 255]]


def test_what_is_not_finite_is_never_clipped_into_the_map() -> None:
    values = np.array([[np.nan, np.inf, -np.inf, 0.5]])
    found = indices(values, -1.0, 1.0)[0]
    assert found[:3].tolist() == [NAN, PLUS, MINUS]
    colors = packed(theme("dark").signed_map(), theme("dark"))
    assert len(set(colors[[NAN, PLUS, MINUS]]) - set(colors[:256])) == 3


def test_a_unit_is_a_row_and_a_time_step_a_column(qtbot: QtBot) -> None:
    values = np.zeros((4, 2))  # (T, U)
    values[3, 0], values[0, 1] = 1.0, -1.0
    image = painted(values, 40, 20)
    table = theme("dark").signed_map()
    assert image.pixelColor(35, 5) == QColor(*map(int, table[255]))  # last time step, first unit: at the top right
    assert {image.pixelColor(x, 15).rgb() for x in range(1, 10)} == {QColor(*map(int, table[0])).rgb()}
    assert image.pixelColor(15, 5) == QColor(*map(int, table[128]))


def test_one_large_value_among_a_thousand_time_steps_stays_visible(qtbot: QtBot) -> None:
    values = np.zeros((1000, 64))
    values[501, 40] = 1.0
    image = painted(values, 100, 30)
    red = QColor(*map(int, theme("dark").signed_map()[255]))
    assert any(image.pixelColor(x, y) == red for x in range(100) for y in range(30))


def test_shrinking_keeps_extremes_of_signed_values_and_means_of_gates() -> None:
    values = np.array([[0.1], [-0.9], [0.3], [0.2]])
    assert shrunk(values, 2, 0, signed=True).ravel().tolist() == [-0.9, 0.3]
    assert np.allclose(shrunk(np.abs(values), 2, 0, signed=False).ravel(), [0.5, 0.25])
    assert np.isnan(shrunk(np.array([[np.nan], [1.0]]), 1, 0, signed=True)).all()


def test_the_tip_says_time_step_unit_and_value(qtbot: QtBot) -> None:
    item = HeatMap(theme("dark"), "h")
    item.place(QRectF(0, 0, 40, 20), TimeAxis.whole(0.0, 40.0, 4))
    item.set_values(np.array([[0.0, 0.0], [0.0, 5.3e-8], [0, 0], [0, 0]]), -1, 1, theme("dark").signed_map())
    assert item.tip(15.0, 15.0) == "t = 2, unit 2: h = 5.3·10⁻⁸"


@pytest.mark.parametrize(("length", "bins"), [(11, 4), (13, 12), (100, 7)])
@pytest.mark.parametrize("axis", [0, 1])
def test_of_uneven_bins_each_shows_its_value_farthest_from_zero(length: int, bins: int, axis: int) -> None:
    values = np.random.default_rng(5).standard_normal((length, 3)).astype(np.float32)
    edges = [*(k * length // bins for k in range(bins)), length]
    parts = [values[start:stop] for start, stop in pairwise(edges)]
    wanted = np.stack([np.take_along_axis(part, abs(part).argmax(axis=0)[None], 0)[0] for part in parts])
    found = shrunk(values if axis == 0 else values.T, bins, axis, signed=True)
    np.testing.assert_array_equal(found if axis == 0 else found.T, wanted)
