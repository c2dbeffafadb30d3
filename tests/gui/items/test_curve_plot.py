"""Curves: names stand clear of all curves, and zero, NaN and ±inf are drawn as what they are."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items import curve_plot
from rnnviz.gui.canvas.items.curve_names import CurveNames, Name
from rnnviz.gui.canvas.items.curve_plot import Curve, CurvePlot, ValueAxis
from rnnviz.gui.canvas.items.label_places import place_labels
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import theme

COLOR = QColor("#f2a154")
FRAME = QRectF(0, 10, 400, 100)
SCALE = ValueAxis(-10.0, 0.0, ((-5.0, "10⁻⁵"),), logarithmic=True)


def plotted(values: Array, present: Array | None = None) -> tuple[CurvePlot, QImage]:
    plot = CurvePlot(theme("dark"))
    plot.place(FRAME, TimeAxis.whole(0.0, 400.0, len(values)))
    plot.set_curves([Curve(values, COLOR, present=present)], SCALE)
    image = QImage(480, 120, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    plot.draw(painter)
    painter.end()
    return plot, image


def test_a_value_lies_at_its_height(qtbot: QtBot) -> None:
    plot, image = plotted(np.full(10, -2.5))
    assert plot.y_of(-2.5) == 35.0
    assert abs(image.pixelColor(200, 35).red() - COLOR.red()) < 40  # the line's edges are smoothed
    assert image.pixelColor(200, 40) == QColor(theme("dark").panel)
    assert plot.dots(3) == [(35.0, COLOR)]


def test_zeros_lie_on_the_floor_and_infinities_on_the_ceiling(qtbot: QtBot) -> None:
    values = np.full(10, -2.0)
    values[2], values[7] = -np.inf, np.inf
    plot, image = plotted(values)
    assert image.pixelColor(100, 107) == COLOR
    assert image.pixelColor(300, 12) == COLOR
    assert image.pixelColor(200, 107) != COLOR
    assert [plot.dots(t)[0][0] for t in (3, 8)] == [110.0, 10.0]


def test_nan_colours_its_columns_and_gets_no_dot(qtbot: QtBot) -> None:
    values = np.full(10, -2.0)
    values[4] = np.nan
    plot, image = plotted(values)
    assert image.pixelColor(165, 90) != image.pixelColor(65, 90)
    assert plot.dots(5) == []


def test_a_time_step_without_a_value_is_not_a_nan(qtbot: QtBot) -> None:
    values, present = np.full(10, np.nan), np.zeros(10, bool)
    present[9], values[9] = True, -3.0
    plot, image = plotted(values, present)
    assert image.pixelColor(60, 60) == QColor(theme("dark").line)  # the grid line at 10⁻⁵ and nothing on it
    assert plot.dots(2) == []
    assert len(plot.dots(10)) == 1


def test_the_highest_of_many_time_steps_is_drawn(qtbot: QtBot) -> None:
    values = np.full(5000, -8.0)
    values[2501] = -1.0
    _, image = plotted(values)
    top = [image.pixelColor(x, 22).red() for x in range(190, 210)]
    assert max(top) > 150


@pytest.mark.parametrize("seed", range(5))
def test_names_stand_clear_of_all_curves(qtbot: QtBot, seed: int) -> None:
    rng = np.random.default_rng(seed)
    x = np.linspace(0, 400, 80)
    slope = np.linspace(100, 20, 80)
    shapes = [("falling", x, slope), ("flat", x, np.full(80, 30.0) + rng.normal(size=80))]
    places = place_labels(shapes, QRectF(0, 0, 400, 120), fonts.semibold(), {})
    assert set(places) == {"falling", "flat"}
    for box in places.values():
        for _, xs, ys in shapes:
            inside = (xs >= box.left()) & (xs <= box.right()) & (ys >= box.top()) & (ys <= box.bottom())
            assert not inside.any()
    assert not places["falling"].intersects(places["flat"])


def test_names_do_not_jump_while_they_are_clear(qtbot: QtBot) -> None:
    x = np.linspace(0, 400, 80)
    frame, font = QRectF(0, 0, 400, 120), fonts.semibold()
    first = place_labels([("curve", x, np.full(80, 60.0))], frame, font, {})
    moved = place_labels([("curve", x, np.full(80, 61.0) + 2 * np.sin(x / 40))], frame, font, first)
    assert moved == first


@pytest.mark.parametrize(("hatched", "left"), [(0, 0.0), (7, 140.0), (19, 200.0)])
def test_the_words_of_the_zone_stand_behind_what_is_cut(qtbot: QtBot, hatched: int, left: float) -> None:
    plot = CurvePlot(theme("dark"))
    plot.place(QRectF(0, 10, 400, 100), TimeAxis.whole(0.0, 400.0, 20))
    axis = ValueAxis(-10.0, 0.0, (), -8.0, "vanished", hatched=hatched)
    plot.set_curves([Curve(np.full(20, -2.0), COLOR, "curve")], axis)
    (words,) = [name for name in plot.names.names if name.text == "vanished"]
    assert plot.rect.contains(words.box)
    assert left < words.box.left() < left + 150.0


@pytest.mark.parametrize("height", [40, 60, 100, 240])
def test_the_words_of_the_zone_stay_inside_the_frame(qtbot: QtBot, height: int) -> None:
    plot = CurvePlot(theme("dark"))
    plot.place(QRectF(0, 10, 400, height), TimeAxis.whole(0.0, 400.0, 20))
    plot.set_curves([Curve(np.full(20, -2.0), COLOR, "curve")], ValueAxis(-10.0, 0.0, (), -8.0, "vanished: below 10⁻⁸"))
    (words,) = [name for name in plot.names.names if name.text.startswith("vanished")]
    assert plot.rect.contains(words.box)
    assert plot.names.above_cursor


def test_names_have_a_halo_that_ends_the_lines_behind_them(qtbot: QtBot) -> None:
    names = CurveNames(theme("dark"))
    names.place(FRAME, TimeAxis.whole(0.0, 400.0, 10))
    names.set_names([Name(QRectF(100, 40, 80, 18), "curve", COLOR, fonts.semibold())])
    image = QImage(480, 120, QImage.Format.Format_RGB32)
    image.fill(QColor("yellow"))
    painter = QPainter(image)
    names.draw(painter)
    painter.end()
    text = [image.pixelColor(x, y) for x in range(118, 162) for y in range(42, 58)]
    assert sum(color == QColor(theme("dark").panel) for color in text) > 100
    assert COLOR in text  # the letters themselves
    assert image.pixelColor(60, 49) == QColor("yellow")


def test_ticks_that_would_touch_are_left_out(qtbot: QtBot) -> None:
    def written(height: int) -> int:
        plot = CurvePlot(theme("dark"))
        plot.place(QRectF(0, 10, 400, height), TimeAxis.whole(0.0, 400.0, 10))
        plot.set_curves([], ValueAxis(0.0, 4.0, tuple((float(n), "8") for n in range(1, 4))))
        image = QImage(480, height + 20, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        plot.draw(painter)
        painter.end()
        rows = [any(image.pixelColor(x, y).red() > 60 for x in range(407, 420)) for y in range(image.height())]
        return sum(now and not before for before, now in zip([False, *rows], rows, strict=False))

    assert written(100) == 3
    assert written(40) == 2


def test_the_dot_of_the_last_time_step_is_whole(qtbot: QtBot) -> None:
    plot = CurvePlot(theme("dark"))
    plot.place(FRAME, TimeAxis.whole(0.0, 400.0, 400))
    plot.set_curves([Curve(np.full(400, -5.0), COLOR, dots=np.arange(400) == 399)], SCALE)
    image = QImage(480, 120, QImage.Format.Format_RGB32)
    image.fill(0)
    painter = QPainter(image)
    plot.draw(painter)
    painter.end()
    assert image.pixelColor(401, 60) == QColor(theme("dark").cursor)


@pytest.mark.parametrize("dash", [(), (6.0, 3.0)])
def test_a_long_line_drawn_in_pieces_looks_like_one(
    qtbot: QtBot, dash: tuple[float, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = np.arange(1000)
    curve = Curve(-5 + 3 * np.sin(steps / 40) + np.sin(steps / 3), COLOR, dash=dash)
    pictures = []
    for longest in (10**6, curve_plot._LONG):
        monkeypatch.setattr(curve_plot, "_LONG", longest)
        plot = CurvePlot(theme("dark"))
        plot.place(FRAME, TimeAxis.whole(0.0, 400.0, len(steps)))
        plot.set_curves([curve], SCALE)
        image = QImage(480, 120, QImage.Format.Format_RGB32)
        image.fill(0)
        painter = QPainter(image)
        plot.draw(painter)
        painter.end()
        pictures.append(np.frombuffer(image.constBits(), np.uint8).reshape(120, 480, 4)[..., 2].astype(float))
    whole, pieces = pictures
    drawn = whole > 120  # red is the line alone
    assert drawn.sum() > 2000
    assert np.abs(whole - pieces)[drawn].mean() < 12
