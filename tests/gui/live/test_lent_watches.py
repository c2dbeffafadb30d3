"""Watches that came with a run or lesson go with it; those of the person stay, and alone are remembered."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot

from rnnviz.core.stopping.marks import Marks, Watch
from rnnviz.gui.live.session import Session
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import Preferences
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.watching.watches import Watches
from rnnviz.runs.writing.commands import save_marks

MINE, LESSON, OTHER = "norm(h[t])", ("max(h[3])", "loss"), ("grad_norm", "max(h[3])")


@pytest.fixture
def session(qtbot: QtBot) -> Iterator[Session]:
    made = Session(Store(State(debugging=Debugging(watches=(MINE,)))))
    yield made
    assert made.close()
    made.deleteLater()


def with_watches(trained_run: Path, path: Path, watches: tuple[str, ...]) -> Path:
    shutil.copy(trained_run, path)
    save_marks(path, Marks(watches=tuple(map(Watch, watches))))
    return path


def test_the_watches_of_a_run_go_with_it_and_the_persons_own_stay(
    session: Session, qtbot: QtBot, trained_run: Path, tmp_path: Path
) -> None:
    store: Store = session._store
    saver = PreferenceSaver(store, Preferences(), tmp_path / "settings.toml")
    panel = Watches(store)
    qtbot.addWidget(panel)

    def shown(path: Path) -> tuple[str, ...]:
        session.files.open_path(path)
        qtbot.waitUntil(lambda: store.state.run.path == path)
        return store.state.debugging.watches

    lesson = with_watches(trained_run, tmp_path / "lesson.rnnviz", LESSON)
    other = with_watches(trained_run, tmp_path / "other.rnnviz", OTHER)
    plain = with_watches(trained_run, tmp_path / "plain.rnnviz", ())
    assert shown(lesson) == (*LESSON, MINE)
    QTest.keyClicks(panel.add, "accuracy")
    QTest.keyClick(panel.add, Qt.Key.Key_Return)
    assert saver.preferences.watches == (MINE, "accuracy")
    assert shown(other) == (*OTHER, MINE, "accuracy")
    panel.cards[0].changed.emit("")  # taken away, and typed again: the person's own from now on
    QTest.keyClicks(panel.add, "grad_norm")
    QTest.keyClick(panel.add, Qt.Key.Key_Return)
    assert shown(plain) == (MINE, "accuracy", "grad_norm")
    assert saver.preferences.watches == (MINE, "accuracy", "grad_norm")
