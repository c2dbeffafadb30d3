"""Opening a model: the answer is complete, and what cannot be traced says why."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from rnnviz.core.source import Given, GivenInput
from rnnviz.gui.opening.model_dialog import OpenModelDialog

LEFT = Qt.MouseButton.LeftButton


def module(prefix: str, cell: str, inputs: int, **more: object) -> dict[str, Any]:
    sizes = {"input_size": inputs, "hidden_size": 16, "num_layers": 1, "bidirectional": False, "notes": []}
    return {"prefix": prefix, "title": prefix.rstrip("."), "cell": cell, **sizes, **more}


INSPECTION: dict[str, Any] = {
    "kind": "state dict",
    "path": "/models/speech.pt",
    "notes": [],
    "modules": [module("encoder.", "lstm", 4, bidirectional=True), module("decoder.", "gru", 2)],
}


@pytest.fixture
def dialog(qtbot: QtBot) -> OpenModelDialog:
    made = OpenModelDialog(INSPECTION)
    qtbot.addWidget(made)
    made.show()
    return made


def test_random_input_is_ready_at_once(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    assert dialog.accept_button.isEnabled()
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == OpenModelDialog.DialogCode.Accepted
    assert dialog.given == Given("/models/speech.pt", GivenInput(length=50), "encoder.")


def test_modules_are_listed_and_chosen(dialog: OpenModelDialog) -> None:
    row = [dialog.modules.item(0, column).text() for column in range(6)]
    assert row == ["encoder", "LSTM", "4", "16", "1", "both"]
    dialog.modules.selectRow(1)
    assert dialog.prefix == "decoder."


def test_typed_text_brings_its_alphabet(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.sources.button(0), LEFT)
    assert dialog.problem.text() == "Type a text of at least one character."
    qtbot.keyClicks(dialog.text, "hello")
    assert dialog.alphabet.text() == "ehlo"
    assert dialog.accept_button.isEnabled()
    assert dialog.given.input == GivenInput("text", text="hello", alphabet="ehlo")
    dialog.modules.selectRow(1)
    assert dialog.problem.text() == (
        "This module reads 2 inputs, one for each character of the alphabet, which has 4 characters."
    )
    assert not dialog.accept_button.isEnabled()


def test_a_typed_alphabet_is_kept(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.sources.button(0), LEFT)
    qtbot.keyClicks(dialog.alphabet, "abcd")
    qtbot.keyClicks(dialog.text, "abe")
    assert dialog.alphabet.text() == "abcd"
    assert dialog.problem.text() == "The text has “e”, which is not in the alphabet."
    dialog.alphabet.setText("abea")
    assert dialog.problem.text() == "The alphabet names a character twice."


def test_columns_must_be_as_many_as_the_inputs(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.mouseClick(dialog.sources.button(1), LEFT)
    assert dialog.problem.text() == "Choose a CSV file."
    dialog.file.setText("/data/a.csv")
    assert dialog.accept_button.isEnabled()
    dialog.columns.setText("u, v")
    assert dialog.problem.text() == "This module reads 4 inputs: name 4 columns, not 2."
    dialog.columns.setText("u, v, w, v")
    assert dialog.problem.text() == "A column is named twice."
    dialog.columns.setText("u, v, w, x")
    assert dialog.given.input.columns == ("u", "v", "w", "x")
    assert dialog.given.input.file == "/data/a.csv"


def test_the_loss_stands_within_the_sequence(dialog: OpenModelDialog) -> None:
    assert dialog.loss_at.text() == "last"
    assert dialog.given.input.loss_time_step == 0
    dialog.length.setText("20")
    dialog.loss_at.setText("0")
    assert "The time step must be a whole number from 1" in dialog.problem.text()
    dialog.loss_at.setText("21")
    assert dialog.problem.text() == "The sequence has 20 time steps: the loss cannot stand at 21."
    dialog.loss_at.setText("20")
    assert dialog.given.input.loss_time_step == 20
    dialog.loss_at.setText("Last")
    assert dialog.given.input.loss_time_step == 0
    dialog.length.setText("many")
    assert "whole number" in dialog.problem.text()


def test_names_from_a_file_are_shown_as_text(qtbot: QtBot) -> None:
    hostile = {**INSPECTION, "path": "/x/<b>bold</b>.pt", "modules": [module("<img src=x>", "gru", 1)]}
    dialog = OpenModelDialog(hostile)
    qtbot.addWidget(dialog)
    dialog.show()
    dialog.grab()
    assert dialog.modules.item(0, 0).text() == "<img src=x>"
    assert dialog.title.textFormat() == Qt.TextFormat.PlainText


def test_escape_leaves_everything_as_it_is(dialog: OpenModelDialog, qtbot: QtBot) -> None:
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert dialog.result() == OpenModelDialog.DialogCode.Rejected


def vanilla(guess: str = "", hint: str = "", activation: str = "tanh") -> dict[str, Any]:
    """As `rnnviz inspect` describes an nn.RNN."""
    said: dict[str, Any] = {
        "activations": ["tanh", "relu", "sigmoid"],
        "activation": activation,
        "guess": guess,
        "hint": hint,
    }
    said["notes"] = ["Said of it.", "And more."]
    return INSPECTION | {"modules": [module("speech.", "vanilla", 3, **said), *INSPECTION["modules"]]}


def asked(qtbot: QtBot, inspection: dict[str, Any]) -> OpenModelDialog:
    made = OpenModelDialog(inspection)
    qtbot.addWidget(made)
    made.show()
    return made


def test_the_activation_of_a_vanilla_rnn_is_asked(qtbot: QtBot) -> None:
    dialog = asked(qtbot, vanilla("tanh is a guess"))
    choice = dialog.activation
    assert choice.isVisible()
    assert [button.text() for button in choice.buttons.values()] == ["tanh", "ReLU", "I do not know"]
    assert dialog.said.text() == "Said of it.\nAnd more."
    assert dialog.given.activation is None
    qtbot.mouseClick(choice.buttons["relu"], LEFT)
    assert dialog.given == Given("/models/speech.pt", GivenInput(length=50), "speech.", "relu")
    qtbot.mouseClick(choice.buttons["tanh"], LEFT)
    assert dialog.given.activation == "tanh"
    dialog.modules.selectRow(1)  # an LSTM
    assert not choice.isVisible()
    assert not dialog.said.isVisible()
    assert dialog.given.activation is None


@pytest.mark.parametrize("guess", ["", "ReLU is a guess"])
def test_the_activation_is_preset_by_what_the_file_says(qtbot: QtBot, guess: str) -> None:
    dialog = asked(qtbot, vanilla(guess, "config.act", "relu"))
    assert dialog.given.activation == "relu"
    qtbot.mouseClick(dialog.activation.buttons[None], LEFT)
    assert dialog.given.activation is None


def test_an_activation_that_torch_lacks_is_offered_where_the_file_says_it(qtbot: QtBot) -> None:
    dialog = asked(qtbot, vanilla(activation="sigmoid"))
    assert [button.text() for button in dialog.activation.buttons.values()] == [
        "tanh",
        "ReLU",
        "sigmoid",
        "I do not know",
    ]
    assert dialog.given.activation == "sigmoid"


def test_what_is_not_used_and_what_the_loss_is_stands_in_the_dialog(qtbot: QtBot) -> None:
    notes = ["Not used: emb.weight (9 × 4, by its shape an embedding before encoder).", "encoder is given 4 numbers."]
    made = OpenModelDialog({**INSPECTION, "notes": notes})
    qtbot.addWidget(made)
    made.show()
    labels = [label.text() for label in made.findChildren(QLabel) if label.isVisible()]
    assert any(all(note in text for note in notes) for text in labels)
    assert any("L = ‖h‖" in text and "there is no target" in text and "zero" in text for text in labels)
