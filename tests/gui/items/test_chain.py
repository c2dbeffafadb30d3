"""The chain: filled where the sweep has passed, arrows turned and coloured in the backward sweep."""

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.items.chain import Chain, Sweep
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.look.theme import theme

STEPS = 10
COLOR = QColor("#f2a154")


def painted(sweep: Sweep, width: int = 600, steps: int = STEPS, leftwards: bool = False) -> QImage:
    """A chain of `steps` cells with gradients from 10⁻¹² (t = 1) to 1 (t = T)."""
    item = Chain(theme("dark"), COLOR, leftwards=leftwards)
    item.place(QRectF(0, 0, width, 36), TimeAxis.whole(0.0, width, steps))
    item.set_magnitudes(np.linspace(-12, 0, steps), 0.0)
    item.set_sweep(sweep)
    image = QImage(width, 36, QImage.Format.Format_RGB32)
    image.fill(QColor(theme("dark").background))
    painter = QPainter(image)
    item._exposed = item.boundingRect()
    item.draw(painter)
    painter.end()
    return image


def middle_of(image: QImage, t: int, steps: int = STEPS) -> QColor:
    return image.pixelColor(round((t - 0.5) * image.width() / steps), 18)


@pytest.mark.parametrize("sweep", [Sweep(4, False, range(1, 4)), Sweep(10, False, range(1, 11))])
def test_cells_are_filled_where_the_sweep_has_passed(qtbot: QtBot, sweep: Sweep) -> None:
    image = painted(sweep)
    for t in range(1, STEPS + 1):
        wanted = (
            theme("dark").color("cursor")
            if t == sweep.time_step
            else COLOR
            if t in sweep.done
            else theme("dark").color("background")
        )
        assert middle_of(image, t) == wanted, t


def test_arrows_turn_round_in_the_backward_sweep(qtbot: QtBot) -> None:
    """The head is the widest part of an arrow: its pixels lie right in the forward and left in the backward sweep."""

    def head_side(image: QImage) -> float:
        left, right = 70, 170  # around the gap between cells 2 and 3 (centres at 90 and 150)
        ground = QColor(theme("dark").background)
        rows = (15, 21)  # above and below the shaft
        found = [x for x in range(left + 32, right - 32) for y in rows if image.pixelColor(x, y) != ground]
        return float(np.mean(found)) - 120

    forward = head_side(painted(Sweep(9, False, range(1, 9))))
    backward = head_side(painted(Sweep(1, True, range(2, STEPS + 1))))
    assert forward > 0 > backward


def test_backward_arrows_carry_the_size_of_the_gradient(qtbot: QtBot) -> None:
    image = painted(Sweep(1, True, range(2, STEPS + 1)))
    between = [image.pixelColor(60 * t, 18).lightnessF() for t in range(1, STEPS)]
    assert between == sorted(between)  # brighter towards the loss, on the dark theme
    assert between[-1] > between[0] + 0.3


def test_two_thousand_time_steps_become_a_strip_with_the_cursor_on_it(qtbot: QtBot) -> None:
    image = painted(Sweep(1000, False, range(1, 1000)), 600, 2000)
    assert image.pixelColor(100, 18) == COLOR
    assert image.pixelColor(500, 18) == theme("dark").color("background")
    assert middle_of(image, 1000, 2000) == theme("dark").color("cursor")


def test_the_tip_tells_zero_and_nan(qtbot: QtBot) -> None:
    item = Chain(theme("dark"), COLOR)
    item.place(QRectF(0, 0, 300, 36), TimeAxis.whole(0.0, 300.0, 3))
    item.set_magnitudes(np.array([-np.inf, np.nan, -7.28]), 0.0)
    assert [item.tip(x, 18) for x in (50, 150, 250)] == [
        "t = 1: ‖∂L/∂h‖ = 0",
        "t = 2: ‖∂L/∂h‖ = NaN",
        "t = 3: ‖∂L/∂h‖ = 5.2·10⁻⁸",
    ]


@pytest.mark.parametrize("steps", [STEPS, 50], ids=["wide", "dense"])
def test_backward_cells_are_filled_with_the_size_of_the_gradient(qtbot: QtBot, steps: int) -> None:
    image = painted(Sweep(4, True, range(5, steps + 1)), 600, steps)
    ground = QColor(theme("dark").background)
    assert [middle_of(image, t, steps) for t in (1, 3)] == [ground, ground]
    light = [middle_of(image, t, steps).lightnessF() for t in range(5, steps + 1)]
    assert light == sorted(light)
    assert light[-1] > light[0] + 0.4
    high = QColor(*map(int, theme("dark").magnitude_map()[255]))
    assert middle_of(image, steps, steps) == high
    outline = image.pixelColor(round((steps - 0.5) * 600 / steps), 18 - (9 if steps == STEPS else 5) + 1)
    assert abs(outline.hueF() - COLOR.hueF()) < 0.04


def test_a_dense_backward_chain_has_a_band_with_a_head_under_the_cursor(qtbot: QtBot) -> None:
    image = painted(Sweep(20, True, range(21, 51)), 600, 50)
    ground = QColor(theme("dark").background)
    column = [image.pixelColor(round(40.5 * 12), y) != ground for y in range(24, 36)]
    assert sum(column) >= 6  # pixels of its height
    left_of_head = image.pixelColor(round(19.5 * 12) - 12, 27)
    head = image.pixelColor(round(19.5 * 12) - 2, 27)
    assert left_of_head == ground != head


def test_zero_is_coloured_as_vanished_and_nan_as_no_number(qtbot: QtBot) -> None:
    item = Chain(theme("dark"), COLOR)
    item.place(QRectF(0, 0, 300, 36), TimeAxis.whole(0.0, 300.0, 3))
    item.set_magnitudes(np.array([-np.inf, np.nan, -1.0]), -1.0)
    table = theme("dark").magnitude_map()
    assert item._magnitude_color(1) == QColor(*map(int, table[0]))
    assert item._magnitude_color(2) == QColor(theme("dark").not_finite)
    assert item._magnitude_color(3) == QColor(*map(int, table[255]))
