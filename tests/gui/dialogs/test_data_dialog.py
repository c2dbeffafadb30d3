"""Choosing from a data file: columns, length and the trained share become a task."""

from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from rnnviz.core.tasks import NextCharacter, NextValue
from rnnviz.gui.opening.data_dialog import DataDialog

TABLE: dict[str, Any] = {
    "kind": "csv",
    "path": "/data/weather.csv",
    "rows": 200,
    "time_column": "year",
    "columns": [
        {"name": "year", "numeric": True, "count": 200},
        {"name": "low", "numeric": True, "count": 200},
        {"name": "high", "numeric": True, "count": 200},
        {"name": "note", "numeric": False, "count": 200},
    ],
}


def open_dialog(inspection: dict[str, Any], qtbot: QtBot) -> DataDialog:
    dialog = DataDialog(inspection, "dark")
    qtbot.addWidget(dialog)
    dialog.show()
    return dialog


def test_numeric_columns_are_chosen_but_time_and_text(qtbot: QtBot) -> None:
    dialog = open_dialog(TABLE, qtbot)
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("low", "high"))
    assert not dialog.columns.item(3).flags() & Qt.ItemFlag.ItemIsEnabled


def test_without_a_column_there_is_nothing_to_learn(qtbot: QtBot) -> None:
    dialog = open_dialog(TABLE, qtbot)
    for row in (1, 2):
        dialog.columns.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert dialog.problem.text() == "Choose at least one column with numbers."
    assert not dialog.accept_button.isEnabled()
    dialog.columns.item(0).setCheckState(Qt.CheckState.Checked)
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("year",))
    assert dialog.accept_button.isEnabled()


def test_a_window_must_fit_into_the_trained_part(qtbot: QtBot) -> None:
    dialog = open_dialog(TABLE, qtbot)
    dialog.length.setText("160")
    assert dialog.problem.text() == "With this train share the length can be at most 159 time steps."
    dialog.train_share.setText("0.9")
    assert dialog.problem.text() == ""
    dialog.train_share.setText("2")
    assert "Train share must be a number" in dialog.problem.text()


def test_the_length_is_one_that_a_short_file_has_room_for(qtbot: QtBot) -> None:
    dialog = open_dialog({**TABLE, "rows": 20}, qtbot)
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("low", "high"), length=15)
    assert dialog.accept_button.isEnabled()
    text = {"kind": "text", "path": "/data/poem.txt", "characters": 100, "alphabet": "abc"}
    dialog = open_dialog(text, qtbot)
    assert dialog.accept_button.isEnabled()
    rest = 100 - int(100 * NextCharacter().train_share)
    assert dialog.length.text() == str(rest - 1)  # the part for testing holds a window too
    dialog.length.setText(str(rest))
    assert not dialog.accept_button.isEnabled()


@pytest.mark.parametrize("rows", [0, 1, 2])
def test_a_file_with_next_to_nothing_in_it_says_so(rows: int, qtbot: QtBot) -> None:
    dialog = open_dialog({**TABLE, "rows": rows}, qtbot)
    assert dialog.problem.text() == "There is too little in this file to learn from it."
    assert not dialog.accept_button.isEnabled()


def test_a_text_becomes_next_character(qtbot: QtBot) -> None:
    dialog = open_dialog({"kind": "text", "path": "/data/poem.txt", "characters": 5000, "alphabet": "abc"}, qtbot)
    assert not dialog.columns.isVisible()
    dialog.length.setText("30")
    qtbot.keyClick(dialog, Qt.Key.Key_Return)
    assert dialog.result() == DataDialog.DialogCode.Accepted
    assert dialog.task == NextCharacter(file="/data/poem.txt", length=30)


def test_numbers_are_read_as_everywhere_in_a_form(qtbot: QtBot) -> None:
    dialog = open_dialog({**TABLE, "rows": 9000}, qtbot)
    dialog.length.setText("1,200")
    dialog.train_share.setText("0,75")
    assert dialog.problem.text() == ""
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("low", "high"), length=1200, train_share=0.75)
