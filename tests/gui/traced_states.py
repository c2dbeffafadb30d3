"""Traced states: two models on two sequences of unequal length, as the window has them, and what-ifs of them."""

from dataclasses import dataclass, replace

import numpy as np
from fake_states import TASKS
from flat_state import flat_state

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.optimising.optimisers import OptimiserName
from rnnviz.core.source import Trained
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head, LossName, Pooling
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import recompute
from rnnviz.core.sweeps.what_if.interventions import Clamp, Intervention, SetValue
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.state.state import State
from rnnviz.gui.state.trial import Recomputed
from rnnviz.runs.file.records import RunModel

LENGTHS = (13, 19)  # time steps of the two sequences
TRAINING_STEP = 42
GAINS = (0.6, 3.5)  # of the models' weights: far apart, so that levels of one model alone are not those of both


@dataclass(frozen=True)
class Traced:
    """A state and the captures its traces come from."""

    state: State
    captures: tuple[Capture, ...]

    def what_if(self, model: int, sample: int, difference: bool) -> State:
        """The state with values of `model` set by hand, as the window shows it once they are recomputed."""
        capture, layer = self.captures[model], self.captures[model].structure.layer_names[0]
        set_by_hand: tuple[Intervention, ...] = (
            SetValue(layer, "h", 4, 0.85, 2),
            Clamp(layer, "h", -0.4, 9, 11, 1),
        )
        whatif = WhatIf(TRAINING_STEP, model, sample=sample, interventions=set_by_hand)
        traces = recompute(capture, (), sample), recompute(capture, set_by_hand, sample)
        found = Recomputed(whatif, None, "", *traces)
        return flat_state(self.state, sample=sample, whatif=whatif, recomputed=found, difference=difference)


def traced_state(
    kind: str,
    structures: tuple[Structure, ...],
    layer: str = "l0",
    seed: int = 23,
    gains: tuple[float, ...] = GAINS,
) -> Traced:
    """Models of `structures` (their input size does not matter) at the first sequence of a task of `kind`."""
    rng = np.random.default_rng(seed)
    task = TASKS[kind]
    structures = tuple(replace(structure, input_size=len(task.input_labels)) for structure in structures)
    inputs, targets, asked = _problem(task, rng)
    captures = tuple(
        _capture(structure, gain, task, inputs, targets, asked, rng)
        for structure, gain in zip(structures, gains, strict=True)
    )
    models = tuple(RunModel(n, f"net {n + 1}", structure, 100) for n, structure in enumerate(structures))
    cursor = Cursor(TRAINING_STEP, Phase.BACKWARD, 5, layer=layer)
    traces = tuple(rebuild(capture) for capture in captures)
    return Traced(flat_state(task=task, models=models, traces=traces, cursor=cursor), captures)


def with_heads(traced: Traced, loss: LossName, pooling: Pooling = "last", weighs: bool = True) -> Traced:
    """The same models of classes with heads of another loss, of one-hot targets where it is one of values, that pool
    over time, or without weights."""
    captures = []
    for capture in traced.captures:
        head, width = capture.head, capture.grad_output.shape[-1]
        assert head is not None
        assert head.bias is not None
        outputs = len(head.bias) if weighs else width
        targets = head.targets if loss == "cross entropy" else np.eye(outputs, dtype=np.float32)[head.targets]
        head = replace(head, loss=loss, pooling=pooling, targets=targets)
        capture = capture.with_call(head=head if weighs else replace(head, weight=None, bias=None))
        trace = rebuild(capture)
        assert trace.head is not None
        captures.append(capture.with_call(grad_output=trace.head.output_grad))
    recorded = replace(traced.state.recorded, traces=tuple(map(rebuild, captures)))
    return Traced(replace(traced.state, recorded=recorded), tuple(captures))


def _problem(task: TaskInfo, rng: np.random.Generator) -> tuple[Array, Array, Array]:
    """Inputs (T, 2, I), targets (T, 2) or (T, 2, V), and where a loss is asked (T, 2): never everywhere."""
    shape = max(LENGTHS), len(LENGTHS)
    time_steps, columns = np.arange(shape[0])[:, None], len(task.input_labels)
    last = time_steps == np.array(LENGTHS) - 1
    often = (rng.random(shape) < 0.6) & (time_steps < np.array(LENGTHS)) | last
    if task.input_kind == "symbols":
        inputs = np.eye(columns, dtype=np.float32)[rng.integers(0, columns, shape)]
    else:
        inputs = (1.7 * rng.normal(size=(*shape, columns))).astype(np.float32)
    if task.name == "adding":
        inputs[..., 1] = rng.random(shape) < 0.3
    if task.output_kind == "classes":
        targets = rng.integers(0, len(task.output_labels), shape)
    else:
        targets = rng.normal(size=(*shape, max(len(task.output_labels), 1))).astype(np.float32)
    return inputs, targets, last if task.name in ("adding", "temporal order") else often


def _capture(
    structure: Structure,
    gain: float,
    task: TaskInfo,
    inputs: Array,
    targets: Array,
    asked: Array,
    rng: np.random.Generator,
) -> Capture:
    bound = gain / np.sqrt(structure.hidden_size)
    weights = {
        name: rng.uniform(-bound, bound, shape).astype(np.float32)
        for name, shape in structure.parameter_shapes().items()
    }
    for name in structure.layer_names:
        if structure.cell == "lstm":  # open forget gates: cell states beyond 1
            weights[f"bias_ih_{name}"][structure.hidden_size : 2 * structure.hidden_size] += gain
    layers, width = len(structure.layer_names), structure.output_size * structure.directions
    head = None
    if task.loss is not None:
        outputs = len(task.output_labels)
        head = Head(
            rng.normal(size=(outputs, width)).astype(np.float32),
            rng.normal(size=outputs).astype(np.float32),
            task.loss,
            targets,
            (asked / asked.sum()).astype(np.float32),
        )
    gradient = np.where(asked[..., None], gain**2 * rng.normal(size=(*asked.shape, width)), 0).astype(np.float32)
    initial = {
        state: rng.uniform(-0.5, 0.5, (layers, len(LENGTHS), structure.units(state))).astype(np.float32)
        for state in structure.equations.states
    }
    return Capture.of_one(
        weights,
        structure=structure,
        inputs=inputs,
        lengths=np.array(LENGTHS),
        initial=initial,
        grad_output=gradient,
        head=head,
    )


def trained_by(state: State, optimiser: OptimiserName, step: int) -> State:
    """The state as if it came from a training."""
    experiment = first_lesson()
    training = replace(experiment.training, optimiser=optimiser, learning_rate=0.02, clip_norm=0.1)
    return replace(
        state,
        run=replace(state.run, source=Trained(replace(experiment, training=training))),
        recorded=replace(state.recorded, gathered=("", "")),
    )
