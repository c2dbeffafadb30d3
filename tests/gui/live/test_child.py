"""A child process that is cancelled takes with it what it has started."""

import os
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QObject, QProcess
from pytestqt.qtbot import QtBot

from rnnviz.gui.live import child

STARTS_ANOTHER = """
import pathlib, subprocess, sys, time
other = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
path = pathlib.Path(sys.argv[1])
path.with_suffix(".new").write_text(str(other.pid))
path.with_suffix(".new").rename(path)
time.sleep(100)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no process groups that end together")
def test_what_the_child_started_ends_with_it(
    qapp: object, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def process(arguments: list[str], parent: QObject) -> QProcess:
        made = QProcess(parent)
        made.setProgram(sys.executable)
        made.setArguments(["-c", STARTS_ANOTHER, *arguments])
        return made

    monkeypatch.setattr(child, "rnnviz_process", process)
    number = tmp_path / "number"
    owner = QObject()
    cancelled = child.Child([str(number)], owner)
    cancelled.start()
    qtbot.waitUntil(number.exists)
    grandchild = int(number.read_text())
    cancelled.cancel()
    qtbot.waitUntil(lambda: not lives(grandchild))


def lives(number: int) -> bool:
    """Whether that process runs; one that ended and that nobody has asked about yet does not."""
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{number}/stat")
    return not stat.exists() or stat.read_text().rpartition(")")[2].split()[0] not in "ZX"
