"""States with real traces of random weights, for tests that draw: no engine, no run file."""

from typing import Any

import numpy as np
from flat_state import flat_state

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks.info import Scale, TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import RunModel

CHARACTERS = tuple("abcdefg \n")
TASKS = {
    "symbols": TaskInfo(
        "temporal order", "symbols", tuple("abcdXYEB"), "classes", ("XX", "XY", "YX", "YY"), "cross entropy",
        ("accuracy", "loss"), marked_symbols=("X", "Y"),
    ),
    "characters": TaskInfo(
        "next character", "symbols", CHARACTERS, "classes", CHARACTERS, "cross entropy", ("loss", "accuracy")
    ),
    "values": TaskInfo(
        "next value", "values", ("sunspots",), "values", ("sunspots",), "mean squared error", ("loss",),
        input_scales=(Scale(50.0, 40.0),), output_scales=(Scale(50.0, 40.0),),
        time_labels=tuple(str(1700 + year) for year in range(3000)),
    ),
    "table": TaskInfo(
        "next value", "values", ("temperature", "pressure", "humidity"), "values",
        ("temperature", "pressure", "humidity"), "mean squared error", ("loss",),
        input_scales=(Scale(12.0, 9.0), Scale(1013.0, 8.0), Scale(60.0, 20.0)),
        output_scales=(Scale(12.0, 9.0), Scale(1013.0, 8.0), Scale(60.0, 20.0)),
    ),
    "many": TaskInfo(
        "given input", "values", ("p", "q", "r", "s", "t", "u"), "none", (), None, ()
    ),
    "adding": TaskInfo(
        "adding", "values", ("value", "marker"), "values", ("sum",), "mean squared error", ("loss",)
    ),
    "none": TaskInfo("given input", "values", ("a", "b"), "none", (), None, ()),
}  # fmt: skip


def fake_state(
    kind: str = "symbols",
    time_steps: int = 20,
    hidden: int = 6,
    structures: tuple[Structure, ...] = (),
    poison: float | None = None,
    **changes: Any,
) -> State:
    """A vanilla RNN and an LSTM (or `structures`) on one random sequence; `poison` is put into the middle input."""
    rng = np.random.default_rng(1)
    task = TASKS[kind]
    inputs, targets, asked = _problem(task, time_steps, rng)
    if poison is not None:
        inputs[time_steps // 2, 0, 0] = poison
    size = inputs.shape[2]
    structures = structures or (Structure("vanilla", size, hidden), Structure("lstm", size, hidden))
    traces = tuple(_trace(structure, task, inputs, targets, asked, rng) for structure in structures)
    models = tuple(RunModel(n, f"model {n + 1}", structure, 100) for n, structure in enumerate(structures))
    cursor = Cursor(7, Phase.BACKWARD, max(time_steps // 2, 1))
    return flat_state(task=task, models=models, traces=traces, cursor=cursor, **changes)


def _problem(task: TaskInfo, time_steps: int, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Inputs (T, 1, I), targets (T, 1) or (T, 1, V), and where a loss is asked (T, 1)."""
    columns = len(task.input_labels)
    everywhere = np.ones((time_steps, 1), bool)
    at_the_end = everywhere & (np.arange(time_steps) == time_steps - 1)[:, None]
    if task.input_kind == "symbols":
        symbols = rng.integers(0, columns, time_steps)
        inputs = np.eye(columns, dtype=np.float32)[symbols][:, None, :]
        if task.name == "temporal order":
            return inputs, np.zeros((time_steps, 1), np.int64), at_the_end
        return inputs, np.roll(symbols, -1)[:, None], everywhere
    inputs = rng.normal(size=(time_steps, 1, columns)).astype(np.float32)
    if task.name == "adding":
        inputs[..., 1] = (np.arange(time_steps) % 7 == 3)[:, None]
        return inputs, np.ones((time_steps, 1, 1), np.float32), at_the_end
    outputs = max(len(task.output_labels), 1)
    return inputs, rng.normal(size=(time_steps, 1, outputs)).astype(np.float32), everywhere


def _trace(
    structure: Structure, task: TaskInfo, inputs: Array, targets: Array, asked: Array, rng: np.random.Generator
) -> Trace:
    bound = 1 / np.sqrt(structure.hidden_size)
    weights = {
        name: rng.uniform(-bound, bound, shape).astype(np.float32)
        for name, shape in structure.parameter_shapes().items()
    }
    steps, width = len(inputs), structure.output_size * structure.directions
    layers = structure.num_layers * structure.directions
    head = None
    if task.loss is not None:
        outputs = len(task.output_labels)
        head = Head(
            rng.normal(size=(outputs, width)).astype(np.float32),
            np.zeros(outputs, np.float32),
            task.loss,
            targets,
            (asked / asked.sum()).astype(np.float32),
        )
    gradient = np.where(asked[..., None], rng.normal(size=(steps, 1, width)), 0).astype(np.float32)
    cell = structure.equations
    initial = {state: np.zeros((layers, 1, structure.units(state)), np.float32) for state in cell.states}
    return rebuild(
        Capture.of_one(weights, structure=structure, inputs=inputs, initial=initial, grad_output=gradient, head=head)
    )
