"""The window of runs: found, sorted, opened, renamed, pinned, deleted and brought back, by keyboard as by mouse."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import file_size
from rnnviz.gui.library import deeds, reading, words
from rnnviz.gui.library.library_window import LibraryWindow
from rnnviz.gui.library.run_table import DATE, ENTRY, NAME, SIZE, STANDING, STEP
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.gui.state.run import ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting
from rnnviz.gui.state.window import Appearance
from rnnviz.runs.library.cache import SummaryCache
from rnnviz.runs.library.summary import read_summary

Put = Callable[..., Path]
OpenLibrary = Callable[..., LibraryWindow]

KEY = Qt.Key
CONTROL = Qt.KeyboardModifier.ControlModifier


def rows(library: LibraryWindow, column: int = NAME) -> list[str]:
    """What stands in a column, from the top."""
    return [library.filter.index(row, column).data() for row in range(library.filter.rowCount())]


def chosen(library: LibraryWindow) -> list[str]:
    return [Path(run.path).stem for run in library.chosen]


def test_runs_are_listed_with_the_newest_first_and_sorted_by_any_column(open_library: OpenLibrary, put: Put) -> None:
    put("old", 50)
    put("large", 3, "Beta")
    put("newest", 0, "alpha")
    with (data_folder() / "runs/large.rnnviz").open("ab") as file:
        file.write(bytes(4096))
    os.utime(data_folder() / "runs/large.rnnviz", (1, 1))
    library = open_library()
    assert rows(library) == ["alpha", "Small", "Beta"]
    assert rows(library, STEP) == ["40"] * 3
    assert rows(library, DATE)[0].startswith("Today ")
    assert library.count.text().startswith("3 runs, ")
    head = library.view.horizontalHeader()
    for column, wanted in ((NAME, ["alpha", "Beta", "Small"]), (SIZE, ["Beta"])):
        library.view.sortByColumn(
            column, Qt.SortOrder.AscendingOrder if column == NAME else Qt.SortOrder.DescendingOrder
        )
        assert rows(library)[: len(wanted)] == wanted
    assert head.isSortIndicatorShown()


def test_the_search_looks_at_names_models_and_files(open_library: OpenLibrary, put: Put, qtbot: QtBot) -> None:
    put("small-20261101-090000", 1)
    put("other", 2, "The wide one")
    library = open_library()
    assert library.view.hasFocus()
    QTest.keyClicks(library.view, "wi")  # typed into the table
    assert library.search.text() == "wi"
    assert rows(library) == ["The wide one"]
    assert library.count.text().startswith("1 of 2 runs")
    for text, found in (("lstm (5) wide", 1), ("20261101", 1), ("SMALL", 2), ("nothing like it", 0)):
        library.search.setText(text)
        assert len(rows(library)) == found
    assert not library.view.isVisible()
    assert library.empty.text() == "No run is called “nothing like it”."
    QTest.keyClick(library.search, KEY.Key_Escape)
    assert len(rows(library)) == 2
    assert library.isVisible()
    QTest.keyClick(library.view, KEY.Key_Escape)
    assert not library.isVisible()


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_rows_that_are_chosen_stand_out_over_their_whole_width(
    open_library: OpenLibrary, put: Put, name: str
) -> None:
    for number in range(3):
        put(f"run-{number}", number)
    library, look = open_library(State(look=Appearance(theme=name))), theme(name)  # type: ignore[arg-type]
    library.view.selectRow(1)
    image = library.view.viewport().grab().toImage()
    for row in range(3):
        for column in (NAME, STEP, SIZE, DATE):
            box = library.view.visualRect(library.filter.index(row, column))
            ground = image.pixelColor(box.left() + 6, box.top() + 3).name()
            assert ground == (look.raised if row == 1 else look.panel), (row, column)


def test_enter_opens_the_run_that_is_chosen(open_library: OpenLibrary, put: Put, qtbot: QtBot) -> None:
    put("first", 1)
    second = put("second", 2)
    library = open_library()
    wanted: list[Path] = []
    library.open_wanted.connect(wanted.append)
    QTest.keyClick(library.view, KEY.Key_Down)
    QTest.keyClick(library.view, KEY.Key_Return)
    assert wanted == [second]
    assert not library.isVisible()


def test_a_run_is_renamed_in_its_row_and_back(open_library: OpenLibrary, put: Put, qtbot: QtBot) -> None:
    path = put("one", 9)
    library = open_library(State(run=ShownRun(path=path)))
    QTest.keyClick(library.view, KEY.Key_F2)
    field = library.view.viewport().findChild(QLineEdit)
    field.selectAll()
    QTest.keyClicks(field, "  Wide   and deep ")
    library.table.take([replace(library.table.entries[0], live=True)])  # its file was written meanwhile
    QTest.keyClick(field, KEY.Key_Return)
    qtbot.waitUntil(lambda: read_summary(path).name == "Wide and deep")
    assert library._store.state.run.name == "Wide and deep"  # the window's title says it
    qtbot.waitUntil(lambda: rows(library) == ["Wide and deep"])
    assert rows(library, DATE) == [words.when(time.time() - 9 * 86_400)]
    QTest.keyClick(library.view, KEY.Key_Z, CONTROL)
    qtbot.waitUntil(lambda: rows(library) == ["Small"])
    assert library.said.text() == "The run is called “Small” again."
    assert read_summary(path).name == ""


def test_a_run_goes_to_the_trash_and_comes_back(
    open_library: OpenLibrary, put: Put, qtbot: QtBot, own_trash: Path
) -> None:
    shown = put("shown", 0)
    gone, stays = put("gone", 1, "Gone"), put("stays", 2)
    content = gone.read_bytes()
    library = open_library(State(run=ShownRun(path=shown)))
    QTest.keyClick(library.view, KEY.Key_Down)
    QTest.keyClick(library.view, KEY.Key_Delete)
    assert not gone.exists()
    assert len(list(own_trash.iterdir())) == 1
    assert (library.said.text(), chosen(library)) == ("“Gone” moved to the trash.", ["stays"])
    QTest.mouseClick(library.undo_button, Qt.MouseButton.LeftButton)
    assert gone.read_bytes() == content
    assert not list(own_trash.iterdir())
    assert not list((own_trash.parent / "info").iterdir())
    qtbot.waitUntil(lambda: len(rows(library)) == 3)
    library.view.selectAll()
    QTest.keyClick(library.view, KEY.Key_Delete)
    assert (shown.exists(), gone.exists(), stays.exists()) == (True, False, False)
    assert "“Small” stays: it is shown in the window." in library.said.text()
    QTest.keyClick(library.view, KEY.Key_Z, CONTROL)
    assert stays.exists()
    assert gone.exists()
    assert not library.deeds.can_undo


def test_beside_a_deed_that_failed_there_is_no_undo_of_another(
    open_library: OpenLibrary, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put("one", 0, "One")
    library = open_library()
    QTest.keyClick(library.view, KEY.Key_P, CONTROL)
    assert library.undo_button.isVisible()

    def refuse(path: Path) -> None:
        raise RnnvizError(f"{path} cannot be moved to the trash.")

    monkeypatch.setattr(deeds, "to_trash", refuse)
    QTest.keyClick(library.view, KEY.Key_Delete)
    assert "cannot be moved to the trash" in library.said.text()
    assert not library.undo_button.isVisible()
    QTest.keyClick(library.view, KEY.Key_Z, CONTROL)
    assert library.said.text() == "The pins are as before."
    library.close()
    shown = put("shown", 0)
    library = open_library(State(run=ShownRun(path=shown)))
    QTest.keyClick(library.view, KEY.Key_Delete)
    assert "stays" in library.said.text()
    assert not library.undo_button.isVisible()


def test_what_is_in_the_way_of_coming_back_is_said(open_library: OpenLibrary, put: Put) -> None:
    path = put("one")
    library = open_library()
    QTest.keyClick(library.view, KEY.Key_Delete)
    path.write_text("another")
    library.undo_button.click()
    assert library.said.text() == f"{path} cannot be put back: another file of that name is there now."
    assert library.undo_button.isVisible()
    assert path.read_text() == "another"


def test_runs_elsewhere_are_listed_and_forgotten_once_they_are_gone(
    open_library: OpenLibrary, put: Put, tmp_path: Path, qtbot: QtBot
) -> None:
    path = put("theirs", 0, "Theirs", tmp_path / "else")
    library = open_library()
    assert not library.view.isVisible()
    assert library.empty.text().startswith("No runs yet.")
    library.deeds._memory.change(lambda known: known.with_run(path))
    library.reading.look()
    qtbot.waitUntil(lambda: rows(library) == ["Theirs"])
    path.unlink()
    library.reading.look()
    qtbot.waitUntil(lambda: library.table.runs[0].kind == "broken")
    assert library.filter.index(0, NAME).data(STANDING) == "It is not there any more."
    assert not library.buttons["open"].isEnabled()
    QTest.keyClick(library.view, KEY.Key_Delete)
    qtbot.waitUntil(lambda: not rows(library))
    assert library.deeds.remembered.elsewhere == ()


def test_broken_and_foreign_files_and_live_runs_say_so(
    open_library: OpenLibrary, put: Put, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    from rnnviz.runs.library.summary import RunSummary

    put("training", 1)
    (put("broken").parent / "broken.rnnviz").write_text("no run at all")
    live: list[bool] = [True]
    monkeypatch.setattr(RunSummary, "live", property(lambda run: live[0] and "training" in run.path))
    monkeypatch.setattr(RunSummary, "training_now", property(lambda run: live[0] and "training" in run.path))
    library = open_library()
    said = {Path(entry.run.path).stem: words.standing(entry.run) for entry in library.table.entries}
    assert said == {"training": "training now", "broken": "It is plain text; wanted an rnnviz run."}
    library._select(rows(library).index("Small"))
    QTest.keyClick(library.view, KEY.Key_Delete)
    assert "it is open in another window, or being trained" in library.said.text()
    assert (data_folder() / "runs/training.rnnviz").exists()


def test_pinned_runs_are_never_tidied_away_and_what_goes_is_said_before(
    open_library: OpenLibrary, put: Put, qtbot: QtBot
) -> None:
    pinned, old, older = put("pinned", 60), put("old", 40), put("older", 50)
    named, new = put("named", 70, "Mine"), put("new", 5)
    library = open_library()
    paths = [library.filter.index(row, NAME).data(ENTRY).run.path for row in range(5)]
    library._select(paths.index(str(pinned)))
    QTest.keyClick(library.view, KEY.Key_P, CONTROL)
    assert library.deeds.remembered.pinned == (str(pinned),)
    assert library.buttons["pin"].text() == "Unpin"
    library.tidy_button.click()
    tidy = library.tidy
    assert tidy is not None
    assert [Path(run.path) for run in tidy.to_go] == [older, old]
    size = old.stat().st_size * 2
    assert tidy.total.text() == f"2 runs, {file_size(size)} go to the trash."
    tidy.days.setValue(45)
    assert [Path(run.path) for run in tidy.to_go] == [older]
    tidy.large.setChecked(True)
    assert tidy.total.text() == "Nothing goes: no run is all of this."
    assert not tidy.accept_button.isEnabled()
    tidy.large.setChecked(False)
    tidy.old.setChecked(False)
    assert {Path(run.path) for run in tidy.to_go} == {older, old, new}
    first = tidy.list.topLevelItem(0)
    first.setCheckState(0, Qt.CheckState.Unchecked)
    assert {Path(run.path) for run in tidy.to_go} == {old, new}
    assert all(path.exists() for path in (pinned, old, older, named, new))
    tidy.accept_button.click()
    assert [path.exists() for path in (pinned, old, older, named, new)] == [True, False, True, True, False]
    assert library.said.text().endswith("moved to the trash.")
    library.undo_button.click()
    assert all(path.exists() for path in (pinned, old, older, named, new))


def test_files_are_read_and_drawn_off_the_event_loop_a_few_at_a_time_and_pictures_kept(
    open_library: OpenLibrary, put: Put, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(12):
        put(f"run-{number}", number)
    threads, batches, forgotten = set(), [], []
    entry = reading._entry

    def watched(*arguments: object) -> object:
        threads.add(threading.get_ident())
        return entry(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(reading, "_entry", watched)
    forget = SummaryCache.forget_others

    def watched_too(*arguments: object) -> None:
        threads.add(threading.get_ident())
        forgotten.append(arguments)
        forget(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(SummaryCache, "forget_others", watched_too)
    library = open_library()
    library.reading.came.connect(lambda came: batches.append(len(came)))
    assert threading.get_ident() not in threads
    assert len(rows(library)) == 12
    kept = sorted((data_folder() / "library").glob("*-dark.png"))
    assert len(kept) == 12
    library._store.change(look=setting(theme="light"))
    qtbot.waitUntil(lambda: len(list((data_folder() / "library").glob("*-light.png"))) == 12)
    qtbot.waitUntil(lambda: not library.reading.busy)
    assert len(forgotten) == 1
    assert threading.get_ident() not in threads
    assert batches
    assert max(batches) <= 8


@pytest.mark.parametrize("name", ["dark", "light"])
def test_a_picture_has_the_curves_in_the_colours_of_the_models(open_library: OpenLibrary, put: Put, name: str) -> None:
    put("one")
    library = open_library(State(look=Appearance(theme=name)))  # type: ignore[arg-type]
    picture = library.table.entries[0].picture
    seen = {picture.pixelColor(x, y).name() for x in range(picture.width()) for y in range(picture.height())}
    assert {color.name() for color in theme(name).model_colors(["vanilla", "lstm"])} <= seen  # type: ignore[arg-type]
