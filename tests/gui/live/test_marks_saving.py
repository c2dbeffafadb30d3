"""Marks set in the window are kept in the run, also a finished one; where they cannot be, that is said once."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks, Watch
from rnnviz.gui.live.files import Files
from rnnviz.gui.live.marks_saving import MarksSaving
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.runs.reading.reader import Run

OLD = Path(__file__).parents[2] / "data" / "format1" / "trained.rnnviz"
SET = Marks((Breakpoint("condition", "loss < 0.05"),), bookmarks=(Bookmark(3, note="é"),))
WITH_WATCH = Marks(SET.breakpoints, (Watch("loss"),), SET.bookmarks)


@dataclass
class Window:
    """A store that shows a run, and what writes its marks and saves it."""

    store: Store
    marks: MarksSaving
    files: Files
    owner: QObject

    def show(self, path: Path) -> None:
        with Run(path) as run:
            marks = run.marks()
            self.store.change(
                run=setting(source=run.source, path=path, models=run.models),
                debugging=setting(marks=marks, watches=("grad_norm",)),
            )


@pytest.fixture
def window(qapp: object) -> Iterator[Window]:
    store, owner = Store(State()), QObject()
    marks = MarksSaving(store, owner)
    files = Files(store, marks, lambda path: None, lambda experiment: None, owner)
    yield Window(store, marks, files, owner)
    assert files.stop()


def test_marks_of_a_finished_run_are_written_and_saved_with_it(
    window: Window, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "mine.rnnviz"))
    before = path.read_bytes()
    window.show(path)
    assert path.read_bytes() == before  # looking at a run writes nothing
    window.store.change(debugging=setting(marks=SET, watches=("loss",)))
    with Run(path) as run:
        assert run.marks() == WITH_WATCH
    assert window.store.state.notices.message is None
    assert window.marks.unsaved(path) is None
    window.files.save_run(tmp_path / "copy.rnnviz")
    qtbot.waitUntil(lambda: window.store.state.notices.message is not None)
    with Run(tmp_path / "copy.rnnviz") as run:
        assert run.marks() == WITH_WATCH
    window.store.change(debugging=setting(marks=Marks(), watches=()))
    with Run(path) as run:
        assert run.marks() == Marks()


def test_a_run_of_an_older_format_keeps_them_in_the_window_says_so_once_and_saves_them(
    window: Window, qtbot: QtBot, tmp_path: Path
) -> None:
    path = Path(shutil.copy(OLD, tmp_path / "old.rnnviz"))
    before = path.read_bytes()
    window.show(path)
    window.store.change(debugging=setting(marks=Marks(bookmarks=(Bookmark(1),))))
    message = window.store.state.notices.message
    assert message is not None
    assert "older rnnviz (format 1)" in message.sentence
    assert message.sentence.endswith("stay in this window; Save run as … keeps them.")
    window.store.say(None)
    window.store.change(debugging=setting(marks=SET, watches=("loss",)))
    assert window.store.state.notices.message is None
    assert path.read_bytes() == before
    assert window.marks.unsaved(path) == WITH_WATCH
    window.files.save_run(tmp_path / "copy.rnnviz")
    qtbot.waitUntil(lambda: window.store.state.notices.message is not None)
    with Run(tmp_path / "copy.rnnviz") as run:
        assert run.version == 2
        assert run.marks() == WITH_WATCH
    window.show(tmp_path / "copy.rnnviz")
    window.store.change(debugging=setting(marks=Marks()), notices=setting(message=None))
    assert window.store.state.notices.message is None
    assert window.marks.unsaved(tmp_path / "copy.rnnviz") is None
