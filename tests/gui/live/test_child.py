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


def program(text: str, monkeypatch: pytest.MonkeyPatch, name: str = sys.executable) -> None:
    """Every child runs this program, with its own arguments, instead of rnnviz."""

    def process(arguments: list[str], parent: QObject) -> QProcess:
        made = QProcess(parent)
        made.setProgram(name)
        made.setArguments(["-c", text, *arguments])
        return made

    monkeypatch.setattr(child, "rnnviz_process", process)


def ended(qtbot: QtBot, made: child.Child) -> child.Ending:
    endings: list[child.Ending] = []
    made.ended.connect(endings.append)
    made.start()
    qtbot.waitUntil(lambda: bool(endings))
    qtbot.wait(50)
    assert len(endings) == 1
    return endings[0]


def test_what_goes_in_comes_out(qapp: object, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    program("import sys; print(sys.argv[1] + sys.stdin.read())", monkeypatch)
    owner = QObject()
    ending = ended(qtbot, child.Child(["é"], owner, '{"a": "ü"}'))
    assert (ending.status, ending.output.decode().strip()) == (0, 'é{"a": "ü"}')


def test_lines_come_as_they_are_printed(qapp: object, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    program("import sys\nfor line in sys.stdin: print(line.strip() * 2, flush=True)", monkeypatch)
    owner = QObject()
    made = child.Child([], owner, "a\nb\n", "lines")
    lines: list[bytes] = []
    made.lines.connect(lines.extend)
    assert ended(qtbot, made).status == 0
    assert [bytes(line).strip() for line in lines] == [b"aa", b"bb"]


@pytest.mark.parametrize(
    ("text", "status", "sentence"),
    [
        ("import sys; sys.exit('rnnviz: no such file.')", 1, "no such file."),
        ("import sys; sys.exit(3)", 3, "The process that read the file ended unexpectedly (exit status 3)."),
        (
            "import os; os.kill(os.getpid(), 9)",
            None,
            "The process that read the file ended unexpectedly (killed by signal 9).",
        ),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="no signals there")
def test_a_child_that_fails_is_a_sentence(
    qapp: object, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, text: str, status: int | None, sentence: str
) -> None:
    program(text, monkeypatch)
    owner = QObject()
    ending = ended(qtbot, child.Child([], owner))
    assert (ending.status, ending.sentence) == (status, sentence)


def test_a_child_that_cannot_be_started_is_a_sentence(
    qapp: object, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    program("", monkeypatch, name="/nowhere/python")
    owner = QObject()
    ending = ended(qtbot, child.Child([], owner, "something to read"))
    assert (ending.status, ending.how) == (None, "not started")
    assert ending.sentence.startswith("/nowhere/python cannot be started: ")
