"""Symbols: what is written with _ and ^ stands lower and higher."""

from itertools import pairwise

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter
from PySide6.QtWidgets import QApplication

from rnnviz.gui.widgets.marked_text import draw, pieces, plain, shortened, width


def test_subscripts_and_superscripts_are_found() -> None:
    assert pieces("‖∂L/∂h_{41}‖") == (("‖∂L/∂h", 0), ("41", -1), ("‖", 0))
    assert pieces("x_t^2") == (("x", 0), ("t", -1), ("2", 1))
    assert pieces("a_") == (("a_", 0),)


def test_a_subscript_takes_less_room_than_text(qapp: QApplication) -> None:
    assert width("h", 13) < width("h_{41}", 13) < width("h41", 13)


def test_a_subscript_is_drawn_lower_and_a_superscript_higher(qapp: QApplication) -> None:
    image = QImage(64, 40, QImage.Format.Format_Grayscale8)
    image.fill(QColor("white"))
    with QPainter(image) as painter:
        draw(painter, 2, 26, "–_–^–", 20, QColor("black"))
    dark = 255 - np.frombuffer(image.constBits(), np.uint8).reshape(40, 64).astype(int)
    ends = [2 + round(width(part, 20)) for part in ("", "–", "–_–", "–_–^–")]
    text, below, above = (dark[:, a:b].sum(axis=1).argmax() for a, b in pairwise(ends))
    assert above + 4 < text < below - 4


def test_words_at_the_end_give_way_where_there_is_no_room(qapp: QApplication) -> None:
    words = "share in ∂L/∂W_{hh}"
    assert shortened(words, 13, width(words, 13)) == words
    assert shortened(words, 13, width(words, 13) - 1) == "share in …"
    assert shortened(words, 13, width("share in …", 13) - 1) == shortened(words, 13, 0) == "share …"
    assert shortened("loss", 13, 0) == "loss"


def test_plain_text_has_no_braces() -> None:
    assert plain("‖h_{41}‖") == "‖h_41‖"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("a_{b", (("a_{b", 0),)),
        ("x^", (("x^", 0),)),
        ("_", (("_", 0),)),
        ("a_b_{c", (("a", 0), ("b", -1), ("_{c", 0))),
    ],
)
def test_a_sign_without_what_it_marks_is_text_as_in_a_name(name: str, found: tuple[tuple[str, int], ...]) -> None:
    assert pieces(name) == found
