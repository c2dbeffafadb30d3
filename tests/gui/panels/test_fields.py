"""A field keeps a bad text, marks it, and takes it back when it is mended."""

from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import stepped_number, whole


def make_row(qtbot: QtBot) -> tuple[Row, Field, list[object]]:
    field = Field(whole("Batch", 1, 64), step=stepped_number)
    row = Row("Batch", field, "Sequences in one training step")
    qtbot.addWidget(row)
    entered: list[object] = []
    field.entered.connect(entered.append)
    field.set_value(32)
    row.show()
    field.setFocus()
    return row, field, entered


def type_over(qtbot: QtBot, field: Field, text: str) -> None:
    field.selectAll()
    qtbot.keyClicks(field, text)
    qtbot.keyClick(field, Qt.Key.Key_Return)


def test_a_valid_text_is_entered_once(qtbot: QtBot) -> None:
    _row, field, entered = make_row(qtbot)
    type_over(qtbot, field, "16")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert entered == [16]


def test_nothing_is_entered_while_typing(qtbot: QtBot) -> None:
    _row, field, entered = make_row(qtbot)
    field.selectAll()
    qtbot.keyClicks(field, "16")
    assert entered == []


def test_a_bad_text_stays_marked_until_it_is_mended(qtbot: QtBot) -> None:
    row, field, entered = make_row(qtbot)
    type_over(qtbot, field, "65")
    assert (field.text(), entered) == ("65", [])
    assert row.sentence.isVisible()
    assert row.sentence.text() == "Batch must be a whole number from 1 to 64, not “65”."
    field.set_value(32)  # the state is shown again, for example because a curve grew
    assert field.text() == "65"
    qtbot.keyClick(field, Qt.Key.Key_Backspace)
    assert not row.sentence.isVisible()
    qtbot.keyClick(field, Qt.Key.Key_Return)
    assert entered == [6]


def test_a_bad_text_is_drawn_in_the_colour_of_errors(qtbot: QtBot, qapp: QApplication) -> None:
    _row, field, _ = make_row(qtbot)
    type_over(qtbot, field, "65")
    assert field.property("bad") == "true"
    type_over(qtbot, field, "60")
    assert field.property("bad") == "false"


def test_escape_brings_the_last_value_back(qtbot: QtBot) -> None:
    row, field, _ = make_row(qtbot)
    type_over(qtbot, field, "many")
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert (field.text(), field.bad, row.sentence.isVisible()) == ("32", "", False)


def test_undo_takes_an_entered_value_back(qtbot: QtBot) -> None:
    _row, field, entered = make_row(qtbot)
    field.selectAll()
    qtbot.keyClicks(field, "9")
    qtbot.keyClick(field, Qt.Key.Key_Return)
    for _ in range(3):
        qtbot.keyClick(field, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert field.text() == "32"
    assert entered == [9, 32]


def test_arrow_keys_change_the_number_within_its_range(qtbot: QtBot) -> None:
    _row, field, entered = make_row(qtbot)
    qtbot.keyClick(field, Qt.Key.Key_Up)
    qtbot.keyClick(field, Qt.Key.Key_Down)
    assert entered == [33, 32]
    type_over(qtbot, field, "64")
    qtbot.keyClick(field, Qt.Key.Key_Up)
    assert (field.text(), field.bad) == ("64", "")


def test_what_is_typed_is_not_overwritten(qtbot: QtBot) -> None:
    _row, field, _ = make_row(qtbot)
    field.selectAll()
    qtbot.keyClicks(field, "4")
    field.set_value(50)
    assert field.text() == "4"


def test_a_choice_is_taken_by_keyboard_and_never_by_the_wheel(qtbot: QtBot) -> None:
    choice = Choice([("a", "first"), ("b", "second")])
    qtbot.addWidget(choice)
    chosen: list[object] = []
    choice.chosen.connect(chosen.append)
    choice.show()
    choice.set_value("a")
    position = QPointF(5, 5)
    wheel = QWheelEvent(
        position, position, QPoint(), QPoint(0, -120), Qt.MouseButton.NoButton, Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(choice, wheel)
    assert (choice.currentData(), chosen) == ("a", [])
    qtbot.keyClick(choice, Qt.Key.Key_Down)
    assert (choice.currentData(), chosen) == ("b", ["b"])
    choice.grab()
