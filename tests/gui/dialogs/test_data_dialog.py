"""Choosing from a data file: columns, length and the trained share become a task."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding, NextCharacter, NextValue
from rnnviz.engine.inspection import inspect_path
from rnnviz.gui.opening.column_table import HOLDS, INPUT, NAME, PREDICT, ColumnTable
from rnnviz.gui.opening.data_dialog import DataDialog
from rnnviz.gui.opening.opening import learning

TASK = NextValue(file="/data/weather.csv", columns=("low",), length=7)
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


def columns_of(dialog: DataDialog) -> ColumnTable:
    assert dialog.columns is not None
    return dialog.columns


def words(dialog: DataDialog, place: int) -> list[str]:
    columns = columns_of(dialog)
    return [columns.item(row, place).text() for row in range(columns.rowCount())]


def check(dialog: DataDialog, name: str, on: bool, *places: int) -> None:
    for place in places or (INPUT, PREDICT):
        columns_of(dialog).check(name, place, on)


def previewed(dialog: DataDialog) -> list[list[str]]:
    table = dialog.preview
    assert table is not None
    return [
        [table.verticalHeaderItem(row).text()] + [table.item(row, place).text() for place in range(table.columnCount())]
        for row in range(table.rowCount())
    ]


def test_a_table_is_learned_by_the_models_of_the_run_or_of_the_first_lesson() -> None:
    """Of a checkpoint that was opened nothing can be trained: it has no experiment."""
    shown = Experiment(
        "Shown", Adding(length=9), (ModelSettings("Gated", "gru", 5),), TrainingSettings(batch_size=3), seed=7
    )
    assert learning(shown, TASK, "weather") == replace(shown, name="weather", task=TASK)
    assert learning(None, TASK, "weather") == replace(first_lesson(), name="weather", task=TASK)


def test_numeric_columns_are_chosen_but_time_and_text(qtbot: QtBot) -> None:
    dialog = open_dialog(TABLE, qtbot)
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("low", "high"))
    assert words(dialog, HOLDS) == ["the time of each row", "numbers", "numbers", "text: cannot be used"]
    assert not columns_of(dialog).item(3, INPUT).flags() & Qt.ItemFlag.ItemIsEnabled


def test_without_a_column_there_is_nothing_to_learn(qtbot: QtBot) -> None:
    dialog = open_dialog(TABLE, qtbot)
    for name in ("low", "high"):
        check(dialog, name, False, INPUT)
    assert dialog.problem.text() == "Choose at least one column with numbers as an input."
    assert not dialog.accept_button.isEnabled()
    check(dialog, "year", True, INPUT)
    assert dialog.task == NextValue(file="/data/weather.csv", columns=("year",), targets=("low", "high"))
    assert dialog.accept_button.isEnabled()
    for name in ("low", "high"):
        check(dialog, name, False, PREDICT)
    assert dialog.problem.text() == "Choose at least one column to predict."
    assert not dialog.accept_button.isEnabled()
    check(dialog, "year", True, PREDICT)
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
    assert dialog.columns is None
    assert dialog.preview is None
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
    assert words(dialog, NAME) == ["date", "close", "volume", "seven", "kind", "huge"]
    assert words(dialog, HOLDS) == [
        "the time of each row",
        "numbers, in $, 7 gaps",
        "numbers",
        "numbers, 7 in every row: nothing to learn",
        "text: line 2: 'a' is no number",
        "its spread is beyond float64's range",
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
    check(dialog, "close", False, INPUT)
    assert dialog.choices["gaps"].isEnabled()  # it is predicted
    check(dialog, "close", False, PREDICT)
    assert not dialog.choices["gaps"].isEnabled()
    assert dialog.task == NextValue(file="/data/prices.csv", columns=("volume",), encoding="latin-1")
    assert set(open_dialog(TABLE, qtbot).choices) == {"order"}


def test_of_constant_columns_alone_there_is_nothing_to_learn(qtbot: QtBot) -> None:
    dialog = open_dialog({**GAPPY, "columns": [column("seven", constant=7.0)]}, qtbot)
    assert dialog.problem.text() == "There is nothing to learn: “seven” is 7 in every row."
    check(dialog, "seven", True)
    assert dialog.problem.text() == "There is nothing to learn: “seven” is 7 in every row."
    dialog = open_dialog(GAPPY, qtbot)
    for name in ("close", "volume"):
        check(dialog, name, False)
    assert dialog.problem.text() == "Choose at least one column with numbers as an input."
    check(dialog, "volume", True, INPUT)
    check(dialog, "seven", True, PREDICT)
    assert dialog.problem.text() == "There is nothing to learn: “seven” is 7 in every row."


def test_a_text_of_other_letters_becomes_next_character(qtbot: QtBot) -> None:
    report = {"kind": "text", "path": "/d/p.txt", "characters": 900, "alphabet": "abü", "encoding": "latin-1"}
    dialog = open_dialog(report, qtbot)
    assert dialog.task == NextCharacter(file="/d/p.txt", encoding="latin-1")
    dialog.choices["encoding"].set_value("unicode")
    assert dialog.task.encoding == "unicode"


def prices(folder: Path) -> dict[str, Any]:
    """60 rows, the newest first, whose numbers are written as people do; two prices are missing."""
    rows = [
        f"{day:02}.{month:02}.2023;{'k.A.' if (month, day) in ((1, 4), (2, 27)) else f'1.{day:03},50 €'};{day},5 %;Köln"
        for month in (1, 2)
        for day in range(1, 29)
    ]
    (folder / "kurse.csv").write_text("\n".join(["Datum;Kurs;Wechsel;Ort", *reversed(rows)]))
    return inspect_path(folder / "kurse.csv")


def test_the_rows_are_shown_as_they_are_understood(qtbot: QtBot, tmp_path: Path) -> None:
    dialog = open_dialog(prices(tmp_path), qtbot)
    assert words(dialog, HOLDS)[1:3] == [
        "numbers, in € (1.028,50 € is 1028.5), a point separates thousands (1.028,50 € is 1028.5), 2 gaps",
        "numbers, in % (28,5 % is 28.5)",
    ]
    first, *_, last = previewed(dialog)
    assert first == ["line 57", "01.01.2023", "1001.5", "1.5", "Köln"]
    assert last == ["line 2", "28.02.2023", "1028.5", "28.5", "Köln"]
    assert ["", "⋮", "⋮", "⋮", "⋮"] in previewed(dialog)
    filled = {"repeat": "1026.5", "line": "1027.5", "leave out": "k.A."}
    for gaps, value in filled.items():
        dialog.choices["gaps"].set_value(gaps)
        assert ["line 3", "27.02.2023", value, "27.5", "Köln"] in previewed(dialog)
    assert dialog.said.text() == (
        "In the order of the file, turned round. Rows with a gap are left out (2 gaps), here struck through."
    )
    assert dialog.preview is not None
    cell = dialog.preview.item(dialog.preview.rowCount() - 2, 1)
    assert cell.font().strikeOut()
    assert cell.toolTip() == "Line 3, Kurs: “k.A.” is not a value. The row is left out."
    dialog.choices["order"].set_value("as in the file")
    dialog.choices["gaps"].set_value("repeat")
    assert previewed(dialog)[:2] == [
        ["line 2", "28.02.2023", "1028.5", "28.5", "Köln"],
        ["line 3", "27.02.2023", "1028.5", "27.5", "Köln"],
    ]
    assert dialog.preview.item(1, 1).font().italic()
    assert dialog.said.text() == "In the order of the file. 2 gaps filled with the last value, here in italics."


@pytest.mark.parametrize(
    ("days", "offered"),
    [
        ((1, 2, 3, 4), ["as it stands: oldest first", "turned round: newest first"]),
        ((4, 3, 2, 1), ["turned round: oldest first", "as it stands: newest first"]),
        ((2, 1, 4, 3), ["as it stands", "turned round"]),
    ],
)
def test_the_direction_of_time_is_guessed_and_can_be_turned(
    qtbot: QtBot, tmp_path: Path, days: tuple[int, ...], offered: list[str]
) -> None:
    (tmp_path / "t.csv").write_text("date,x\n" + "".join(f"2023-01-{day:02},{day * day}\n" for day in days))
    dialog = open_dialog(inspect_path(tmp_path / "t.csv"), qtbot)
    order = dialog.choices["order"]
    assert [order.itemText(number) for number in range(order.count())] == offered
    as_read = [row[1] for row in previewed(dialog)]
    assert as_read == [f"2023-01-{day:02}" for day in (days if days[0] < 4 else reversed(days))]
    order.setCurrentIndex(1)
    assert [row[1] for row in previewed(dialog)] == as_read[::-1]
    assert isinstance(dialog.task, NextValue)
    task = dialog.task.changed(length=1, train_share=0.8)
    source = task.open(3)
    batch, scale = source.probe(), source.info.input_scales[0]
    final = as_read[0][-2:], as_read[1][-2:]  # the last two rows, one window
    assert source.info.time_labels[0][-2:] == final[1]
    assert scale.offset + scale.factor * batch.targets[0, 0, 0] == pytest.approx(int(final[0]) ** 2, rel=1e-5)


def test_columns_are_switched_by_keyboard_and_named_for_screen_readers(qtbot: QtBot) -> None:
    dialog = open_dialog(GAPPY, qtbot)
    columns = columns_of(dialog)
    assert columns.accessibleName() == "Columns of the file"
    columns.setFocus()
    assert (columns.currentRow(), columns.currentColumn()) == (1, INPUT)
    qtbot.keyClick(columns, Qt.Key.Key_Down)
    qtbot.keyClick(columns, Qt.Key.Key_Space)
    assert (columns.inputs, columns.targets) == (("close",), ("close", "volume"))
    qtbot.keyClick(columns, Qt.Key.Key_Right)
    said = columns.currentItem().data(Qt.ItemDataRole.AccessibleTextRole)
    assert said == "volume, predicted"
    qtbot.keyClick(columns, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert columns.targets == ("close", "volume", "seven")
    qtbot.keyClick(columns, Qt.Key.Key_Space, Qt.KeyboardModifier.ShiftModifier)
    assert columns.targets == ()
    place = columns.visualItemRect(columns.item(2, PREDICT))
    qtbot.mouseClick(columns.viewport(), Qt.MouseButton.LeftButton, pos=place.center())
    assert columns.targets == ("volume",)
    assert isinstance(dialog.task, NextValue)
    assert (dialog.task.columns, dialog.task.targets) == (("close",), ("volume",))
