"""Every network: each cell with each head that applies, trained, stepped through, saved and reopened, all small."""

from collections.abc import Iterator
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from rnnviz.core.cells import CELLS
from rnnviz.core.experiment.heads import choices
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OPTIMISERS
from rnnviz.core.setting import settings_of
from rnnviz.core.sweeps.capture import Pooling
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks import Adding, Parity, TaskSettings, TemporalOrder
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import Walkable, begun
from rnnviz.debugger.walking import StepCommand, Walk, step
from rnnviz.engine.training.serve import run_training
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.runs.reading.reader import Run, open_run

TRAINING_STEPS = 3
TASKS: dict[str, TaskSettings] = {  # what follows "at the end" in the name of a head
    "": TemporalOrder(length=(6, 7), first_mark=(1, 2), second_mark=(3, 4)),
    ", of values": Adding(length=5),
    "each time step": Parity(length=(4, 4), test_length=6),
}
POOLINGS: dict[Pooling, str] = {"last": "at the end", "mean": "mean over time", "max": "maximum over time"}


@dataclass(frozen=True)
class Tried:
    """What became of one network with one head."""

    network: str
    head: str
    loss: str
    verdict: str
    difference: float  # the largest relative one to torch's numbers
    operations: int  # points stepped over, forward and back


def experiments(cell: str) -> Iterator[Experiment]:
    """One for each task and loss, with a model for each head: flat, deep and, where the cell can, both ways.

    Optimisers take turns, and the mean over time with the sum.
    """
    number, optimisers = list(CELLS).index(cell), list(OPTIMISERS)
    for where, task in TASKS.items():
        applying = choices(task)
        poolings = [one for one in POOLINGS if one in applying["pooling"]]
        heads = {POOLINGS[one] + where if len(poolings) > 1 else where: one for one in poolings}
        for loss in task.losses:
            number += 1
            training = TrainingSettings(
                optimiser=optimisers[number % len(optimisers)],
                learning_rate=0.03,
                batch_size=3,
                training_steps=TRAINING_STEPS,
                loss=loss,
                reduction=tuple(applying["reduction"])[number % len(applying["reduction"])],
            )
            models = tuple(_model(cell, name, heads[name], place) for place, name in enumerate(heads))
            yield Experiment(loss, task, models, training, seed=5)


def _model(cell: str, name: str, pooling: Pooling, place: int) -> ModelSettings:
    kind = CELLS[cell]
    both, deep = place == 2 and not kind.one_direction, place == 1 and not kind.one_layer
    model = ModelSettings(name, cell, 3 + place, 1 + deep, both, pooling=pooling)
    model = replace(model, residual=True, dropout=0.3) if deep else model
    return model.with_own("window", 2 + place) if "window" in settings_of(kind.settings) else model


def try_networks(experiment: Experiment, folder: Path) -> Iterator[Tried]:
    """Trains all models of the experiment and gives what became of each; AssertionError where one fails."""
    path, copied = folder / "run.rnnviz", folder / "copied.rnnviz"
    assert run_training(experiment, path) == 0
    with open_run(path) as run:
        run.save_copy(copied)
        with open_run(copied) as copy:
            for number in range(len(experiment.models)):
                yield _tried(run, copy, number)


def _tried(run: Run, copy: Run, number: int) -> Tried:
    captured = [int(one) for one in run.captured()]
    assert captured[0] == 0
    assert captured[-1] == run.last_training_step == TRAINING_STEPS
    assert list(copy.captured()) == captured
    ends = captured[0], captured[-1]
    for training_step in ends:
        assert same(run.capture(training_step, number), copy.capture(training_step, number))
    trace, again = (one.trace(captured[-1], number) for one in (run, copy))
    assert same(trace.layers, again.layers)
    assert same(trace.head, again.head)
    model = run.experiment.models[number]
    head = trace.head
    assert head is not None
    assert all(rebuild(run.capture(step, number)).verdict.right for step in ends), trace.verdict.words
    return Tried(
        CELLS[model.cell].words,
        model.name,
        head.loss,
        trace.verdict.kind,
        trace.verdict.difference,
        walked(run, trace, number, captured[-1]),
    )


def walked(run: Run, trace: Trace, number: int, training_step: int) -> int:
    """Steps through every operation of a training step, forward and back; how many points there are."""
    rule = run.experiment.training.rule
    walkable = Walkable.of([trace.network], [trace], (training_step,), rule)
    place = replace(begun(training_step), sample=1)
    program = walkable.program(place)
    walk, seen = Walk(place.cursor), [place.cursor]
    while (walk := step(program, walk, StepCommand.INTO)).moved:
        seen.append(walk.cursor)
    assert len(seen) == len(set(seen)) == program.fine_length
    assert seen[-1].phase is Phase.UPDATE
    for cursor in seen[-2::-1]:
        walk = step(program, walk, StepCommand.INTO, -1)
        assert walk.cursor == cursor
    middle, looked_at = program.time_steps // 2 + 1, trace.sample(1)
    for cursor in seen:
        if cursor.time_step == middle or not cursor.phase.swept:
            at = replace(place, cursor=cursor)
            assert not cursor.operation or walkable.operation(at) is not None, cursor
            assert equation_lines(looked_at, cursor, 1, rule), cursor
    return len(seen)


def same(one: object, other: object) -> bool:
    """Whether two values made of records, arrays, mappings and numbers are the same to the last bit."""
    if isinstance(one, np.ndarray):
        return isinstance(other, np.ndarray) and one.dtype == other.dtype and np.array_equal(one, other, equal_nan=True)
    if isinstance(one, tuple | list):
        return isinstance(other, tuple | list) and len(one) == len(other) and all(map(same, one, other))
    if hasattr(one, "items"):
        return set(one) == set(other) and all(same(value, other[key]) for key, value in one.items())  # type: ignore
    if hasattr(one, "__dataclass_fields__"):
        return type(one) is type(other) and all(same(getattr(one, f.name), getattr(other, f.name)) for f in fields(one))  # type: ignore
    return one == other
