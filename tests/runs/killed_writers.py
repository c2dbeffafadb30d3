"""Started by test_writer_killed: forks writers of runs, kills each at a random moment, and looks at what is left.

A process of its own, because it forks: nothing but numpy and sqlite is loaded here, and no thread runs.
"""

import os
import random
import signal
import sqlite3
import sys
import time
from contextlib import closing
from pathlib import Path

from sample_runs import capture, loss, models, record, same, writer

from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.claim import claimed
from rnnviz.runs.writing.commands import CommandInbox, CommandSender

SMALL_BUDGET = 60_000  # bytes: the writer thins all the time


def write_for_ever(path: Path, acknowledged: int) -> None:
    run = writer(path, budget_bytes=SMALL_BUDGET)
    step = 0
    while True:
        record(run, step)
        if step % 7 == 0:
            run.flush()
            os.write(acknowledged, step.to_bytes(4, "little"))
        step += 1


def check(path: Path, acknowledged: int) -> None:
    """Everything acknowledged is there and right, everything else is whole."""
    if not path.exists():
        assert acknowledged < 0, "a run vanished"
        return
    with Run(path) as run:
        assert not run.engine_alive
        for model in models():
            steps, values = run.curve("loss", model.number)
            assert len(steps) > acknowledged, f"{len(steps)} metrics, acknowledged up to {acknowledged}"
            assert list(values) == [loss(int(step), model.number) for step in steps]
            for step in run.captured():
                wanted = capture(model.structure, int(step) + 10**6 * model.number)
                assert same(run.capture(int(step), model.number), wanted)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    CommandSender(path).close()
    CommandInbox(path).close()
    with claimed(path, replace=True), writer(path) as again:  # the dead writer's run can be replaced
        record(again, 0)


def kill_one(path: Path, wait: float) -> int:
    """Kills a writer after `wait` seconds; the last training step it had acknowledged, -1 for none."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        write_for_ever(path, writing)
    os.close(writing)
    time.sleep(wait)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    with os.fdopen(reading, "rb") as pipe:
        said = pipe.read()
    return int.from_bytes(said[len(said) // 4 * 4 - 4 :][:4], "little") if len(said) >= 4 else -1


def main(folder: Path, kills: int, seed: int) -> None:
    randomly = random.Random(seed)
    most = -1
    for number in range(kills):
        path = folder / f"{number}.rnnviz"
        acknowledged = kill_one(path, randomly.choice((0.02, 0.1, 0.3)) * randomly.random())
        check(path, acknowledged)
        most = max(most, acknowledged)
    left = [name for name in os.listdir(folder) if name.endswith("-journal") and ".new" not in name]
    assert not left, left
    print(f"{kills} kills, up to training step {most}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]))
