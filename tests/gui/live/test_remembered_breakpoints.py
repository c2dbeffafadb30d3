"""Breakpoints outlive the window: in the run they were set in, and in the next run of the same experiment."""

from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close, small_experiment

from rnnviz.core.source import Trained
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.core.structure import Structure
from rnnviz.gui.live.remembered_breakpoints import RememberedBreakpoints
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import Preferences, read_preferences
from rnnviz.gui.state.run import History
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.runs.file.records import RunModel

MINE = (Breakpoint("condition", "loss < 0.007", every=3), Breakpoint("condition", "accuracy > 0.9", model="LSTM"))
SMALL = Structure("lstm", 2, 3)


def has_run(app: App) -> bool:
    return app.store.state.run.path is not None and len(app.store.state.recorded.traces) > 0


def test_marks_set_in_a_finished_run_are_there_after_a_restart(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    marks = Marks(MINE, bookmarks=(Bookmark(7, note="here"),))
    app = open_app(run_file)
    qtbot.waitUntil(lambda: has_run(app))
    app.store.change(debugging=setting(marks=marks))
    close(app)
    again = open_app(run_file)
    qtbot.waitUntil(lambda: has_run(again))
    assert again.store.state.debugging.marks == marks


def test_a_new_run_of_an_experiment_begins_with_the_breakpoints_it_had(qapp: object, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"

    def window() -> tuple[Store, QObject]:
        """A window that has just begun, as far as breakpoints go."""
        owner, store = QObject(), Store(State())
        saver = PreferenceSaver(store, read_preferences(settings)[0], settings, owner)
        RememberedBreakpoints(store, saver, owner)
        return store, owner

    def show(store: Store, path: str, title: str, *own: Breakpoint, last: int = 0, kept: bool = False) -> object:
        source = Trained(small_experiment(name=title))
        models = tuple(RunModel(number, name, SMALL, 1) for number, name in enumerate(("Vanilla", "LSTM")))
        store.change(
            run=setting(source=source, path=Path(path), models=models, kept=kept),
            recorded=setting(history=History(last_training_step=last)),
            debugging=setting(marks=Marks(own)),
        )
        return store.state.debugging.marks.breakpoints

    store, owner = window()
    assert show(store, "a.rnnviz", "First") == ()
    store.change(debugging=setting(marks=Marks((*MINE, Breakpoint("condition", "loss < 0", model="LSTM")))))
    store.change(debugging=setting(marks=Marks(MINE)))
    owner.deleteLater()

    store, owner = window()
    assert show(store, "b.rnnviz", "Another") == ()
    assert show(store, "c.rnnviz", "First") == MINE
    assert show(store, "d.rnnviz", "First", MINE[1]) == (MINE[1],)  # it brings its own
    assert show(store, "e.rnnviz", "First", last=3) == ()  # trained already
    assert show(store, "f.rnnviz", "First", kept=True) == ()  # opened by a person
    assert show(store, "g.rnnviz", "First") == MINE
    store.change(debugging=setting(marks=Marks()))
    assert show(store, "h.rnnviz", "First") == ()
    owner.deleteLater()


def test_breakpoints_are_remembered_for_so_many_experiments_and_nonsense_is_none() -> None:
    preferences = Preferences()
    for number in range(25):
        preferences = replace(preferences, breakpoints=preferences.with_breakpoints(f"run {number}", MINE))
    assert list(preferences.breakpoints) == [f"run {number}" for number in range(5, 25)]
    assert preferences.breakpoints_of("run 24") == MINE
    assert preferences.breakpoints_of("run 0") == ()
    assert replace(preferences, breakpoints={"a": "nonsense ="}).breakpoints_of("a") == ()
