"""`make networks`: every network with every head, and which of them learn parity, written into RESULTS.md."""

import os
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program's own processes
sys.path.insert(0, str(Path(__file__).parents[1]))

import every_network
import torch

from rnnviz.core.cells import CELLS
from rnnviz.core.experiment.file import read_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.sizes import parameter_count
from rnnviz.core.numbers import short
from rnnviz.core.resources import resource
from rnnviz.core.tasks import Parity, scores
from rnnviz.engine.training.trainer import Training

RESULTS = Path(__file__).parent / "RESULTS.md"
SEEDS = (1, 2, 3)
LOOKED_EVERY = 10  # training steps


@dataclass(frozen=True)
class Learnt:
    """How well one model knows parity after its training; `first`: the training step at which it was always right at
    the test length, as far as was looked."""

    first: int | None
    within: float  # accuracy at the longest length trained on
    beyond: float  # at the test length


def main() -> None:
    torch.set_num_threads(1)
    parity = read_experiment(resource("experiments/parity.toml"))
    RESULTS.write_text("\n".join([*_matrix(), "", *_parity(parity), ""]), encoding="utf-8")
    print(f"written: {RESULTS}")


def _matrix() -> Iterator[str]:
    yield "# Every network with every head"
    yield ""
    yield (
        f"Each was trained for {every_network.TRAINING_STEPS} training steps into a run file, its trace rebuilt and "
        "compared with autograd, stepped through to the end of the training step and back, saved and reopened with "
        "equal captures and an equal trace (`tests/engine/test_matrix.py`). The difference is the largest relative one."
    )
    yield ""
    yield "| network | head | loss | trace | difference | operations stepped |"
    yield "|---|---|---|---|---|---|"
    for cell in CELLS:
        for experiment in every_network.experiments(cell):
            with tempfile.TemporaryDirectory() as folder:
                for one in every_network.try_networks(experiment, Path(folder)):
                    yield (
                        f"| {one.network} | {one.head} | {one.loss} | {one.verdict} | {short(one.difference)} | "
                        f"{one.operations} |"
                    )
        print(f"tried: {cell}", flush=True)


def _parity(shipped: Experiment) -> Iterator[str]:
    task, training = shipped.task, shipped.training
    assert isinstance(task, Parity)
    size = shipped.models[0].hidden_size
    yield "# Parity of bits, asked at every time step"
    yield ""
    yield (
        f"Trained on sequences of {task.length[0]} to {task.length[1]} bits, tested on {task.test_length}: {size} "
        f"hidden units, Adam, learning rate {training.learning_rate:g}, batch {training.batch_size}, "
        f"{training.training_steps} training steps, seeds {', '.join(map(str, SEEDS))}. “Always right at” is the first "
        f"training step, of every {LOOKED_EVERY}th, at which all answers to the test sequences were right. "
        "Chance: 0.50."
    )
    yield ""
    yield (
        f"| network | parameters | always right at | accuracy at {task.length[1]} bits | at {task.test_length} bits |"
    )
    yield "|---|---|---|---|---|"
    for cell in CELLS:
        model = ModelSettings(CELLS[cell].words, cell, size)
        found = [_learnt(replace(shipped, models=(model,), seed=seed)) for seed in SEEDS]
        cells = (
            CELLS[cell].words,
            f"{parameter_count(model, 2, 2):,}",
            ", ".join("never" if one.first is None else str(one.first) for one in found),
            ", ".join(f"{one.within:.2f}" for one in found),
            ", ".join(f"{one.beyond:.2f}" for one in found),
        )
        yield f"| {' | '.join(cells)} |"
        print(f"parity: {cells}", flush=True)


def _learnt(experiment: Experiment) -> Learnt:
    training, task = Training(experiment), experiment.task
    assert isinstance(task, Parity)
    first = None
    for _ in range(experiment.training.training_steps):
        training.advance()
        if first is None and training.training_step % LOOKED_EVERY == 0:
            first = training.training_step if training.test_metrics()[0]["test_accuracy"] == 1 else None
    within = replace(task, test_length=task.length[1]).open(experiment.seed).test()
    assert within is not None
    with torch.no_grad():
        prediction = training.models[0](torch.from_numpy(within.inputs)).numpy()
    return Learnt(first, scores.accuracy(prediction, within), training.test_metrics()[0]["test_accuracy"])


if __name__ == "__main__":
    main()
