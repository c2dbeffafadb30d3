"""The last run: offered at the start, opened only when that is wanted; runs opened elsewhere are remembered."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.stopping.marks import Marks
from rnnviz.gui.library.library import Library
from rnnviz.gui.live.session import Session
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message
from rnnviz.runs.library.remembered import Memory

Put = Callable[..., Path]


class Start:
    """One start of the program as far as the library knows it: no window, no engine."""

    def __init__(self) -> None:
        self.window, self.store, self.opened = QWidget(), Store(), list[Path]()
        self.session = Session(self.store)
        self.library = Library(self.store, self.session, self.opened.append, self.window)

    @property
    def offered(self) -> str:
        message = self.store.state.notices.message
        return message.sentence if message is not None and message.commands == ("continue_last",) else ""

    def show(self, path: Path, kept: bool = False) -> None:
        """A run comes to the screen, as `Following` puts it there."""
        self.store.change(run=setting(path=path, kept=kept), notices=setting(message=None))

    def end(self) -> None:
        assert self.library.stop()
        assert self.session.close()
        self.window.deleteLater()
        self.session.deleteLater()


@pytest.fixture
def start(qtbot: QtBot) -> Iterator[Start]:
    made = Start()
    yield made
    made.end()


def test_the_last_run_is_offered_once_something_is_on_the_screen(
    start: Start, qtbot: QtBot, put: Put, tmp_path: Path
) -> None:
    put("older", 3, "Older")
    wanted = put("newer", 1, "Newer")
    (wanted.parent / "newest.rnnviz").write_text("no run")
    start.library.look_for_last()
    qtbot.waitUntil(lambda: start.library.last == wanted)
    assert not start.offered
    start.show(tmp_path / "first-lesson.rnnviz")
    qtbot.waitUntil(lambda: bool(start.offered))
    assert start.offered.startswith("Last time: “Newer”, training step 40 (yesterday ")
    assert not start.opened
    start.library.continue_last()
    assert start.opened == [wanted]
    assert not start.offered


@pytest.mark.parametrize(
    "begins", ["steps", "opens", "edits", "a page", "the theme", "a breakpoint", "dismissed by another message"]
)
def test_the_offer_goes_when_the_person_begins(
    start: Start, qtbot: QtBot, put: Put, tmp_path: Path, begins: str
) -> None:
    put("one", 1)
    start.show(tmp_path / "first-lesson.rnnviz")
    start.library.look_for_last()
    qtbot.waitUntil(lambda: bool(start.offered))
    other = Message("warning", "Something else.")
    if begins == "steps":
        start.store.change(place=lambda place: replace(place, cursor=replace(place.cursor, time_step=7)))
    elif begins == "edits":
        start.store.change(run=setting(draft=first_lesson()))
    elif begins == "a page":
        start.store.change(look=setting(page="watches"))
    elif begins == "the theme":
        start.store.change(look=setting(theme="light"))
    elif begins == "a breakpoint":
        start.store.change(debugging=setting(marks=Marks(watches=())))
    elif begins == "opens":
        start.store.change(run=setting(path=tmp_path / "another.rnnviz"))
    else:
        start.store.say(other)
        start.store.change(run=setting(path=tmp_path / "another.rnnviz"))
        assert start.store.state.notices.message is other
    assert not start.offered


def test_a_run_that_was_looked_at_later_counts_more_than_one_written_later(
    start: Start, qtbot: QtBot, put: Put, tmp_path: Path
) -> None:
    put("newer", 0.01)
    theirs = put("theirs", 400, "Theirs", tmp_path / "else")
    start.session.files.used.emit(theirs)
    start.show(theirs, kept=True)
    assert start.library.stop()
    known = Memory(data_folder()).read()
    assert (known.last, known.elsewhere) == (str(theirs), (str(theirs),))
    start.show(tmp_path / "first-lesson.rnnviz")
    start.library.look_for_last()
    qtbot.waitUntil(lambda: start.offered.startswith("Last time: “Theirs”"))


def test_only_runs_elsewhere_are_remembered(start: Start, put: Put, tmp_path: Path) -> None:
    table = tmp_path / "table.csv"
    table.write_text("a,b\n1,2\n")
    for path in (put("ours"), table):
        start.session.files.used.emit(path)
    assert Memory(data_folder()).read().elsewhere == ()


def test_from_the_menu_to_a_renamed_run_in_the_window(open_app: OpenApp, qtbot: QtBot, put: Put) -> None:
    shown = put("shown", 2, "Shown")
    app = open_app(shown)
    qtbot.waitUntil(lambda: app.store.state.run.path == shown)
    assert app.window.windowTitle().startswith("Shown · shown.rnnviz")
    app.actions["library"].trigger()
    library = app.library.window
    assert library is not None
    qtbot.waitUntil(lambda: not library.reading.busy)
    library.deeds.rename(library.table.runs[0], "Renamed")
    assert app.window.windowTitle().startswith("Renamed · shown.rnnviz")
    close(app)
    assert Memory(data_folder()).read().last == str(shown)


def test_a_run_that_is_chosen_among_all_opens_in_the_window(open_app: OpenApp, qtbot: QtBot, put: Put) -> None:
    shown, other = put("shown", 2), put("other", 3)
    app = open_app(shown)
    qtbot.waitUntil(lambda: app.store.state.run.path == shown)
    app.actions["library"].trigger()
    library = app.library.window
    assert library is not None
    qtbot.waitUntil(lambda: not library.reading.busy)
    library.view.selectRow([Path(run.path) for run in library.table.runs].index(other))
    qtbot.keyClick(library.view, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: app.store.state.run.path == other)


def test_the_offer_goes_when_all_runs_are_looked_at(start: Start, qtbot: QtBot, put: Put, tmp_path: Path) -> None:
    put("one", 1)
    start.show(tmp_path / "first-lesson.rnnviz")
    start.library.look_for_last()
    qtbot.waitUntil(lambda: bool(start.offered))
    start.library.show()
    assert not start.offered
