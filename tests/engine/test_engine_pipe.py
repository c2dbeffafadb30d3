"""The engine's end of the pipe, in a process of its own: what a window reads, and what else is printed."""

import subprocess
import sys
from pathlib import Path

from rnnviz.runs.file.engine_commands import Pause, Train
from rnnviz.runs.file.engine_pipe import Answer, command_line, told_line

TALKS = """
import os, signal
signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which an engine that is starting gets when the window is gone
from rnnviz.engine.training.pipe import pipe_of_window
pipe = pipe_of_window()
print("somebody's words", os.read(0, 99), flush=True)  # as input() of a person's own cell would
if pipe is not None:
    while not pipe.closed or pipe.waiting:
        for taken in pipe.take():
            pipe.done(taken.number, str(taken.command))
"""
ASKED = command_line(3, Pause()) + b"nonsense\n" + command_line(8, Train(700))
WORDS = b"somebody's words b''\n"
COMMAND = [sys.executable, "-c", TALKS]


def test_a_window_reads_answers_alone_and_other_words_go_to_standard_error() -> None:
    done = subprocess.run(COMMAND, input=ASKED, capture_output=True, timeout=60)
    refused = told_line(Answer(0, "b'nonsense\\n' is not a command of this rnnviz."))
    answered = {told_line(Answer(3, str(Pause()))), told_line(Answer(8, str(Train(700))))}
    assert set(done.stdout.splitlines(keepends=True)) == answered | {refused}
    assert done.stderr == WORDS


def test_where_nobody_reads_it_is_told_to_nobody(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as out:
        done = subprocess.run(COMMAND, input=ASKED, stdout=out, stderr=subprocess.PIPE, timeout=60)
    assert (tmp_path / "out").read_bytes() == b""
    assert done.stderr == WORDS


def test_where_nobody_writes_there_is_no_pipe() -> None:
    done = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert (done.stdout, done.stderr) == (WORDS, b"")
