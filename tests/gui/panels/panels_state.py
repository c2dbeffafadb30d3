"""A state with two traces of a temporal-order sequence, made without torch: what the panels draw."""

from types import MappingProxyType

import numpy as np
from flat_state import flat_state

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import SetValue
from rnnviz.core.tasks.info import Baseline, TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.state.run import History, MetricCurve
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.trial import Recomputed
from rnnviz.runs.file.records import EngineStatus, RunModel

TIME_STEPS, HIDDEN, CLASSES = 64, 12, 4
SYMBOLS = ("X", "Y", "a", "b", "c", "d", "B", "E")


def make_capture(structure: Structure, seed: int, forget_bias: float = 0.0, time_steps: int = TIME_STEPS) -> Capture:
    """A capture of one random sequence; the loss stands at the last time step."""
    random = np.random.default_rng(seed)
    bound = structure.hidden_size**-0.5
    weights = {
        name: random.uniform(-bound, bound, shape).astype(np.float32)
        for name, shape in structure.parameter_shapes().items()
    }
    for name in structure.layer_names:
        if structure.cell == "lstm" and structure.bias:
            weights[f"bias_ih_{name}"][structure.hidden_size : 2 * structure.hidden_size] += forget_bias
    inputs = np.eye(structure.input_size, dtype=np.float32)[random.integers(2, structure.input_size, (time_steps, 1))]
    inputs[[10, 50], 0] = np.eye(structure.input_size, dtype=np.float32)[0]
    width = structure.hidden_size * structure.directions
    head = Head(
        weight=random.normal(0, 0.3, (CLASSES, width)).astype(np.float32),
        bias=np.zeros(CLASSES, np.float32),
        loss="cross entropy",
        targets=np.zeros((time_steps, 1), np.int64),
        loss_weight=np.eye(time_steps, dtype=np.float32)[-1][:, None],
    )
    grad_output = np.zeros((time_steps, 1, width), np.float32)
    grad_output[-1, 0] = random.normal(0, 0.3, width)
    shape = (structure.num_layers * structure.directions, 1, structure.hidden_size)
    initial = dict.fromkeys(structure.equations.states, np.zeros(shape, np.float32))
    return Capture.of_one(
        weights, structure=structure, inputs=inputs, initial=initial, grad_output=grad_output, head=head
    )


def make_task() -> TaskInfo:
    return TaskInfo(
        name="temporal order",
        input_kind="symbols",
        input_labels=SYMBOLS,
        output_kind="classes",
        output_labels=("XX", "XY", "YX", "YY"),
        loss="cross entropy",
        metrics=("loss", "accuracy", "grad_norm"),
        baselines=(Baseline("loss", 1.386, "chance"), Baseline("accuracy", 0.25, "chance")),
        marked_symbols=("X", "Y"),
    )


def make_history(last: int = 1000) -> History:
    """Curves of a vanilla network that stays at chance and of an LSTM that learns at about 200."""
    steps = np.arange(1, last + 1)
    noise = np.random.default_rng(3).normal(0, 0.02, (2, last))
    learned = 1.0 / (1.0 + np.exp((steps - 0.22 * last) / (0.05 * last)))
    bump = 0.4 * np.exp(-(((steps - 0.27 * last) / (0.01 * last)) ** 2))
    loss = (1.386 + noise[0], 1.386 * learned + bump + 0.05 * np.abs(1 + noise[1]))
    accuracy = (np.clip(0.26 + noise[0], 0, 1), np.clip(1 - 0.75 * learned, 0, 1))
    curves: dict[tuple[int, str], MetricCurve] = {}
    for model in range(2):
        curves[model, "loss"] = MetricCurve(steps, loss[model])
        curves[model, "accuracy"] = MetricCurve(steps, accuracy[model])
        curves[model, "grad_norm"] = MetricCurve(steps, np.abs(noise[model]))
    return History(MappingProxyType(curves), np.arange(0, last + 1, 7), last)


def make_structures() -> tuple[Structure, Structure]:
    return Structure("vanilla", len(SYMBOLS), HIDDEN), Structure("lstm", len(SYMBOLS), HIDDEN)


def make_state(**changes: object) -> State:
    structures = make_structures()
    models = tuple(RunModel(n, name, structures[n], 300) for n, name in enumerate(("Vanilla", "LSTM")))
    traces = (rebuild(make_capture(structures[0], 1)), rebuild(make_capture(structures[1], 2, forget_bias=2.0)))
    state = flat_state(
        task=make_task(),
        models=models,
        traces=traces,
        cursor=Cursor(742, Phase.BACKWARD, 41),
        following=False,
        history=make_history(),
        status=EngineStatus("running", 1000, 148.0, 1, 0.0),
    )
    return flat_state(state, **changes)


def try_by_hand(store: Store, model: int = 1, time_step: int = 39, value: float = 3.0) -> Trace:
    """Sets every unit of the LSTM's cell state by hand; the trace that this makes of the sequence."""
    set_by_hand = SetValue("l0", "c", time_step, value)
    original = store.state.recorded.traces[model]
    assert original is not None
    changed = rebuild_changed(make_capture(original.structure, 2, forget_bias=2.0), (set_by_hand,), 0)
    place = store.state.place
    whatif = WhatIf(place.cursor.training_step, model, sample=place.sample, interventions=(set_by_hand,))
    recomputed = Recomputed(whatif, store.state.run.path, "", original.sample(0), changed)
    store.change(trial=setting(whatif=whatif, recomputed=recomputed))
    return changed
