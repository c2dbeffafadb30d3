"""A training that another program has started is let go by the window that has paused it, and by no other."""

from pathlib import Path

import pytest
from flat_state import flat_state
from PySide6.QtWidgets import QApplication

from rnnviz.gui.live.session import Session
from rnnviz.gui.state.store import Store
from rnnviz.runs.file.engine_commands import EngineCommand, Leave, Pause, Set, Step, Train
from rnnviz.runs.file.process import own_process
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.writing.commands import CommandInbox


@pytest.mark.parametrize(
    ("commands", "leaves"),
    [
        ([Pause()], True),
        ([Pause(), Step(3)], True),
        ([Pause(), Set(learning_rate=0.07)], True),
        ([Pause(), Train()], False),
        ([Pause(), Train(), Pause()], True),
        ([Train()], False),
        ([Step(2)], False),
    ],
)
def test_what_was_paused_here_goes_on_when_the_window_closes(
    qapp: QApplication, run_file: Path, commands: list[EngineCommand], leaves: bool
) -> None:
    store = Store(flat_state(path=run_file, status=EngineStatus("running", 17, 250.0, 1, 0.0)))
    session, inbox = Session(store), CommandInbox(run_file)
    for command in commands:
        session.send(command)
    assert session.close()
    own = own_process()
    named = [Pause(own.number, own.started, own.host) if one == Pause() else one for one in commands]
    last = [Leave(own.number, own.started, own.host)] if leaves else []
    assert [taken.command for taken in inbox.take()] == named + last
    inbox.close()
    session.deleteLater()
