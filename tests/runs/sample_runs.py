"""Small runs made of random numbers, for the tests of the run file and for the processes they kill."""

from pathlib import Path
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.runs.file.records import Probe, RunModel
from rnnviz.runs.writing.writer import RunWriter

T, N, INPUTS, V = 7, 2, 8, 4

TASK = TaskInfo(
    name="temporal order",
    input_kind="symbols",
    input_labels=tuple("ABCDEFXY"),
    output_kind="classes",
    output_labels=("XX", "XY", "YX", "YY"),
    loss="cross entropy",
    metrics=("loss", "accuracy"),
    baselines=(Baseline("accuracy", 0.25, "chance"),),
)


def models(hidden_size: int = 5) -> tuple[RunModel, ...]:
    structures = (Structure("vanilla", INPUTS, hidden_size), Structure("lstm", INPUTS, hidden_size))
    return tuple(
        RunModel(number, name, structure, 100)
        for number, (name, structure) in enumerate(zip(("Vanilla", "LSTM"), structures, strict=True))
    )


def probe() -> Probe:
    random = np.random.default_rng(0)
    inputs = random.normal(size=(T, N, INPUTS)).astype(np.float32)
    return Probe(inputs, None, random.integers(0, V, (T, N)), np.full((T, N), 1 / (T * N), np.float32))


def capture(structure: Structure, seed: int, of: Probe | None = None) -> Capture:
    """Random numbers in the shapes of a capture; the same for the same seed."""
    random = np.random.default_rng(seed)
    of = of or probe()

    def numbers(*shape: int) -> Array:
        return random.normal(size=shape).astype(np.float32)

    hidden = structure.hidden_size
    weights = {name: numbers(*shape) for name, shape in structure.parameter_shapes().items()}
    return Capture.of_one(
        weights,
        structure=structure,
        inputs=of.inputs,
        lengths=of.lengths,
        initial={state: numbers(1, N, structure.units(state)) for state in structure.equations.states},
        grad_output=numbers(T, N, hidden),
        output=numbers(T, N, hidden),
        grads={name: numbers(*array.shape) for name, array in weights.items()},
        head=Head(numbers(V, hidden), numbers(V), "cross entropy", of.targets, of.loss_weight),
        notes=("a note",),
    )


def writer(path: Path, hidden_size: int = 5, **options: Any) -> RunWriter:
    return RunWriter(path, Trained(first_lesson()), TASK, models(hidden_size), probe(), **options)


def record(
    run: RunWriter, training_step: int, *, captured: bool = True, hidden_size: int = 5, keep: bool = False
) -> None:
    """Both models' metrics (their loss is a known function of the training step), and their captures."""
    for model in models(hidden_size):
        run.metrics(training_step, model.number, {"loss": loss(training_step, model.number), "accuracy": 0.5})
        if captured:
            run.capture(
                training_step, model.number, capture(model.structure, training_step + 10**6 * model.number), keep
            )


def loss(training_step: int, model: int) -> float:
    return 1.0 / (training_step + 1) + model


def same(one: Capture, other: Capture) -> bool:
    """Whether two captures are equal to the last bit."""
    return _bits(one) == _bits(other)


def _bits(capture: Capture) -> dict[str, object]:
    head = capture.head
    arrays = {"inputs": capture.inputs, "grad_output": capture.grad_output}
    arrays |= {f"{state}0": array for state, array in capture.initial.items()}
    arrays |= {"output": capture.output, "lengths": capture.lengths}
    arrays |= {f"w.{name}": array for name, array in capture.weights.items()}
    arrays |= {f"g.{name}": array for name, array in capture.grads.items()}
    if head is not None:
        arrays |= {"w": head.weight, "b": head.bias, "t": head.targets, "l": head.loss_weight}
    bits: dict[str, object] = {
        name: None if array is None else (array.dtype.str, array.shape, array.tobytes())
        for name, array in arrays.items()
    }
    return bits | {
        "structure": capture.structure,
        "notes": capture.notes,
        "head": (head.kind, head.reduction) if head else None,
    }
