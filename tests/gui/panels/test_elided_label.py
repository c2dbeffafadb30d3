"""An elided label: whole in the room it asks for, and in less ended by …, its second text first."""

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rnnviz.gui.look import fonts
from rnnviz.gui.widgets.elided_label import ElidedLabel

FIRST, SECOND = QColor("#ff0000"), QColor("#0000ff")


@pytest.fixture
def label(qtbot: QtBot, qapp: QApplication) -> ElidedLabel:
    made = ElidedLabel(fonts.semibold(17), fonts.text(11))
    qtbot.addWidget(made)
    made.set_colors(FIRST, SECOND)
    made.setStyleSheet("background: white")
    return made


def written(label: ElidedLabel, width: int) -> tuple[QImage, set[str]]:
    """The left end of the label in that width, and which texts are in it."""
    label.resize(width, label.sizeHint().height())
    image = label.grab().toImage()
    colors = [image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height())]
    inks = {
        name
        for name in ("red", "blue")
        if any(getattr(color, name)() > 200 and min(color.red(), color.blue()) < 100 for color in colors)
    }
    return image.copy(0, 0, label.sizeHint().width() - 2, image.height()), inks


@pytest.mark.parametrize("texts", [("Who remembers?", "one.rnnviz · LSTM"), ("a", ""), ("", "only the second")])
def test_it_is_whole_in_the_room_it_asks_for(label: ElidedLabel, texts: tuple[str, str]) -> None:
    label.set_texts(*texts)
    hint = label.sizeHint()
    wide, inks = written(label, hint.width() + 80)
    exact, _ = written(label, hint.width())
    assert exact == wide
    assert inks == {name for name, text in zip(("red", "blue"), texts, strict=True) if text}
    assert label.text == label.toolTip() == label.accessibleName() == " ".join(texts).strip()


def test_in_less_room_the_second_text_goes_first(label: ElidedLabel) -> None:
    label.set_texts("Who remembers?", "one.rnnviz, trained on from another run")
    whole, _ = written(label, label.sizeHint().width())
    shorter, inks = written(label, label.sizeHint().width() - 30)
    assert (shorter != whole, inks) == (True, {"red", "blue"})
    first = ElidedLabel(fonts.semibold(17), fonts.text(11))
    first.set_texts("Who remembers?", "")
    _, inks = written(label, first.sizeHint().width() + 10)
    assert inks == {"red"}
    first.deleteLater()
