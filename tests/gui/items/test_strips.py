"""Symbols, ruler and top choices: what is written at which time step."""

import numpy as np
import pytest
from drawn_by_items import drawn_by
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QImage, QPainter
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.canvas.items.ruler import Ruler, nice_step
from rnnviz.gui.canvas.items.symbols import Symbols, readable
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.items.top_choices import TopChoices
from rnnviz.gui.look.theme import theme

DARK = theme("dark")


def painted(item: CanvasItem, width: int, height: int, steps: int) -> QImage:
    item.place(QRectF(0, 0, width, height), TimeAxis.whole(0.0, width, steps))
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor(DARK.background))
    painter = QPainter(image)
    item._exposed = item.boundingRect()
    item.draw(painter)
    painter.end()
    return image


def test_marked_symbols_have_a_box_and_the_cursor_its_colour(qtbot: QtBot) -> None:
    symbols = Symbols(DARK, ("X",))
    symbols.set_symbols("abXa")
    symbols.set_cursor(4)
    image = painted(symbols, 80, 24, 4)
    ground = QColor(DARK.background)
    assert image.pixelColor(10, 3) == ground
    assert image.pixelColor(45, 3) != ground
    assert image.pixelColor(65, 3) == QColor(DARK.cursor)


def test_letters_that_do_not_fit_become_ticks_the_marked_ones_tall(qtbot: QtBot) -> None:
    symbols = Symbols(DARK, ("X",))
    symbols.set_symbols("a" * 60 + "X" + "a" * 139)
    image = painted(symbols, 400, 24, 200)
    ground = QColor(DARK.background)
    assert image.pixelColor(121, 22) == QColor(DARK.cursor)
    assert all(image.pixelColor(x, 22) == ground for x in range(110))


@pytest.mark.parametrize(
    ("symbol", "sign"), [("a", "a"), (" ", "␣"), ("\n", "¶"), ("\t", "→"), ("\x00", "·"), ("é", "é")]
)
def test_invisible_symbols_have_a_sign(symbol: str, sign: str) -> None:
    assert readable(symbol) == sign


@pytest.mark.parametrize(("least", "step"), [(0.3, 1), (1.0, 1), (1.1, 2), (4.0, 5), (5.1, 10), (170.0, 200)])
def test_ruler_steps_are_round(least: float, step: int) -> None:
    assert nice_step(least) == step


def test_years_get_round_years_and_other_names_round_places(qtbot: QtBot) -> None:
    ruler = Ruler(DARK)
    ruler.place(QRectF(0, 0, 700, 16), TimeAxis.whole(0.0, 700.0, 100))
    assert ruler._ticks()[:3] == [1, 10, 20]
    ruler.set_names([str(1755 + n) for n in range(100)])
    assert [ruler._name(t) for t in ruler._ticks()][:3] == ["1760", "1770", "1780"]
    ruler.set_names(["January", *["month"] * 99])
    assert ruler._ticks()[:2] == [1, 10]


def test_the_first_row_says_whether_the_best_guess_was_right(qtbot: QtBot) -> None:
    choices = TopChoices(DARK, QColor(DARK.models[1]), ("a", "b", "c", "d"))
    chances = np.array([[0.7, 0.1, 0.15, 0.05], [0.7, 0.1, 0.15, 0.05]])
    choices.set_probabilities(chances, np.array([0, 1]), np.array([True, True]))
    image = painted(choices, 4, 40, 2)  # too narrow for letters: slivers
    choices_row = [image.pixelColor(x, 3) for x in (1, 2)]
    assert choices_row == [QColor(DARK.good), QColor(DARK.bad)]
    assert choices.tip(1.0, 5.0) == "t = 1: a 0.70, c 0.15, b 0.10; target a 0.70"


def test_predicted_values_may_lie_beyond_what_probabilities_can(qtbot: QtBot) -> None:
    choices = TopChoices(DARK, QColor(DARK.models[1]), ("a", "b", "c"))
    values = np.array([[-2.5, 1.3, -0.1], [-2.5, 1.3, -0.1]])
    choices.set_probabilities(values, np.array([1, 0]), np.array([True, True]))
    assert choices.tip(1.0, 5.0) == "t = 1: b 1.30, c −0.10, a −2.50; target b 1.30"
    painted(choices, 300, 60, 2)  # with letters: no colour is asked for beyond what there is
    image = painted(choices, 4, 40, 2)  # slivers: the target's is full, and of one below 0 there is none
    assert image.pixelColor(1, 8) == QColor(DARK.models[1])
    assert image.pixelColor(3, 38) != QColor(DARK.models[1])


def test_a_target_that_is_not_asked_may_be_anything(qtbot: QtBot) -> None:
    choices = TopChoices(DARK, QColor(DARK.models[1]), ("a", "b"))
    choices.set_probabilities(np.array([[0.6, 0.4]]), np.array([-100]), np.array([False]))
    assert choices.tip(1.0, 5.0) == "t = 1: a 0.60, b 0.40"
    painted(choices, 60, 40, 1)


@pytest.mark.parametrize(
    ("labels", "best", "words"),
    [
        ("ab", 0.97, "a .97"),
        ("20", 0.97, "2 0.97"),  # else it read as 2.97
        ("ab", 1.0, "a 1.00"),
        ("ab", 10.3, "a 10.30"),
        ("ab", -0.25, "b −.25"),
    ],
)
def test_a_chance_makes_no_other_number_of_itself_and_its_label(
    qtbot: QtBot, labels: str, best: float, words: str
) -> None:
    choices = TopChoices(DARK, QColor(DARK.models[1]), tuple(labels))
    values = {labels[0]: best, labels[1]: -0.5} if best > 0 else {labels[0]: -0.5, labels[1]: best}
    choices.set_probabilities(np.array([[values[label] for label in labels]]), np.array([0]), np.array([True]))
    choices.place(QRectF(0, 0, 60, 40), TimeAxis.whole(0.0, 60.0, 1))
    assert words in [text.words for text in drawn_by(choices).texts]


@pytest.mark.parametrize(("height", "lines"), [(26, 2), (60, 3)])
def test_a_low_logarithmic_bar_says_so_beside_its_upper_number(qtbot: QtBot, height: int, lines: int) -> None:
    bar = ColorBar(DARK, DARK.signed_map())
    bar.place(QRectF(0, 0, 80, height), TimeAxis.whole(0.0, 80.0, 1))
    bar.set_range(-20.0, 20.0, log=True)
    texts = drawn_by(bar).texts
    assert {text.words for text in texts} == {"20", "log", "−20"}
    assert len({text.y for text in texts}) == lines
