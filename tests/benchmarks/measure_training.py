"""Training with recording against the same torch loop without, in turns of few training steps, in one process."""

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median

import torch
from ratios import Row

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.engine.training.recording import Recording
from rnnviz.engine.training.serve import HEADLESS_CAPTURES, HEADLESS_SHARE
from rnnviz.engine.training.trainer import Training

TURN = 40  # training steps
TURNS = 40


def seconds(advance: Callable[[], object]) -> float:
    start = time.perf_counter()
    for _ in range(TURN):
        advance()
    return time.perf_counter() - start


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    bare = Training(first_lesson())
    with tempfile.TemporaryDirectory() as folder:
        recording = Recording(first_lesson(), Path(folder) / "run.rnnviz", HEADLESS_CAPTURES, HEADLESS_SHARE)
        seconds(bare.advance)
        seconds(recording.advance)
        ratios = [seconds(bare.advance) / seconds(recording.advance) for _ in range(TURNS)]
        recording.writer.close()
    yield Row(
        "training throughput of the first lesson, recorded, of the bare loop", median(ratios), 0.95, at_least=True
    )
