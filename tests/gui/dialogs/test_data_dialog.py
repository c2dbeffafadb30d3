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
    assert dialog.problem.text() == "With this training fraction the length can be at most 159 time steps."
    dialog.train_share.setText("0.9")
    assert dialog.problem.text() == ""
    dialog.train_share.setText("2")
    assert "Training fraction must be a number" in dialog.problem.text()


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
    there = f"{rows} row{'s' * (rows != 1)}"
    assert dialog.problem.text() == (
        f"There is too little in this file to learn from it: it has {there}, a length of 1 time step needs 3, one of "
        "40 needs 52."
    )
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


def column(name: str, numeric: bool = True, **facts: Any) -> dict[str, Any]:
    return {
        "name": name,
        "numeric": numeric,
        "count": 120,
        "gaps": 0,
        "constant": None,
        "problem": "",
        "words": [],
    } | facts


GAPPY: dict[str, Any] = {
    "kind": "csv",
    "path": "/data/prices.csv",
    "rows": 120,
    "time_column": "date",
    "newest_first": True,
    "encoding": "latin-1",
    "notes": ["read as Latin-1", "“date” goes backward: the newest row comes first"],
    "columns": [
        column("date", numeric=False, problem="line 2: '2023-05-01' is no number"),
        column("close", gaps=7, words=["in $"]),
        column("volume"),
        column("seven", constant=7.0),
        column("kind", numeric=False, problem="line 2: 'a' is no number"),
        column("huge", problem="its spread is beyond float64's range"),
    ],
}


def test_what_is_peculiar_in_a_file_is_said_and_its_mending_offered(qtbot: QtBot) -> None:
    dialog = open_dialog(GAPPY, qtbot)
    assert [dialog.columns.item(row).text() for row in range(6)] == [
        "date  (time)",
        "close  (7 gaps, in $)",
        "volume",
        "seven  (7 in every row: nothing to learn)",
        "kind  (text: line 2: 'a' is no number)",
        "huge  (its spread is beyond float64's range)",
    ]
    assert "Read as Latin-1.\n“date” goes backward: the newest row comes first." in dialog.about.text()
    gaps = dialog.choices["gaps"]
    offered = [gaps.itemText(number) for number in range(gaps.count())]
    assert offered == ["last value again", "straight line between", "rows left out"]
    task = NextValue(file="/data/prices.csv", columns=("close", "volume"), gaps="repeat", encoding="latin-1")
    assert dialog.task == task
    gaps.set_value("line")
    dialog.choices["order"].set_value("as in the file")
    assert dialog.task == task.changed(gaps="line", order="as in the file")


def test_gaps_are_asked_about_only_where_a_chosen_column_has_some(qtbot: QtBot) -> None:
    dialog = open_dialog(GAPPY, qtbot)
    dialog.columns.item(1).setCheckState(Qt.CheckState.Unchecked)
    assert not dialog.choices["gaps"].isEnabled()
    assert dialog.task == NextValue(file="/data/prices.csv", columns=("volume",), encoding="latin-1")
    assert not open_dialog(TABLE, qtbot).choices


def test_of_constant_columns_alone_there_is_nothing_to_learn(qtbot: QtBot) -> None:
    dialog = open_dialog({**GAPPY, "columns": [column("seven", constant=7.0)]}, qtbot)
    assert dialog.problem.text() == "There is nothing to learn: “seven” is 7 in every row."
    dialog.columns.item(0).setCheckState(Qt.CheckState.Checked)
    assert dialog.problem.text() == "There is nothing to learn: “seven” is 7 in every row."
    dialog = open_dialog(GAPPY, qtbot)
    for row in (1, 2):
        dialog.columns.item(row).setCheckState(Qt.CheckState.Unchecked)
    assert dialog.problem.text() == "Choose at least one column with numbers."


def test_a_text_of_other_letters_becomes_next_character(qtbot: QtBot) -> None:
    report = {"kind": "text", "path": "/d/p.txt", "characters": 900, "alphabet": "abü", "encoding": "latin-1"}
    dialog = open_dialog(report, qtbot)
    assert dialog.task == NextCharacter(file="/d/p.txt", encoding="latin-1")
    dialog.choices["encoding"].set_value("unicode")
    assert dialog.task.encoding == "unicode"
