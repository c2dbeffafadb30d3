"""From trace to picture: what every lane holds is what the trace says, for two models and two sequences, levels too.

What is expected is computed here from the arrays of the trace, never by the code of the lanes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pytest
from flat_state import update
from held_by_lanes import (
    axis_of,
    bar_of,
    bars_of,
    cells_of,
    choices_of,
    heat_of,
    lanes_of,
    offered,
    plot_of,
    rgb,
    ruler_names,
    symbols_of,
)
from open_lanes import Opened, open_lanes, plot_width, view_of, wheel
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot
from traced_states import GAINS, LENGTHS, TRAINING_STEP, Traced, traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import HeadTrace, Layer, Trace
from rnnviz.core.tasks.info import Scale
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.look.columns import LABEL_COLUMN
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.run import History
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.training.training_panel import TrainingPanel

LOOK = theme("dark")
VANISHED = -8.0  # log₁₀ of a gradient magnitude nothing is learned from
LADDER = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0)  # where a symmetric level may lie, times 10ⁿ
NOTHING = np.zeros((0, len(LENGTHS), 0))  # what a cell without a cell state has of it
FAMILIES = {"i": "input", "f": "forget", "o": "output", "r": "input", "z": "forget"}  # of the gates, by letter
GATES = {"vanilla": set(), "lstm": set("ifgo"), "gru": set("rzn")}
CANDIDATES = {"g", "n"}  # tanh: −1…1

SHALLOW = {
    "vanilla, lstm": (Structure("vanilla", 0, 5), Structure("lstm", 0, 7)),
    "lstm, lstm": (Structure("lstm", 0, 4), Structure("lstm", 0, 7, proj_size=3)),
    "gru, gru": (Structure("gru", 0, 5), Structure("gru", 0, 4)),
    "relu, gru": (Structure("vanilla", 0, 5, activation="relu"), Structure("gru", 0, 6)),
    "relu, relu": (Structure("vanilla", 0, 5, activation="relu"), Structure("vanilla", 0, 6, activation="relu")),
    "vanilla, relu": (Structure("vanilla", 0, 5), Structure("vanilla", 0, 6, activation="relu")),
}
DEEP = {
    "lstm, gru both ways": (Structure("lstm", 0, 5, 2), Structure("gru", 0, 4, 2, True)),
    "lstm both ways, vanilla": (Structure("lstm", 0, 4, 2, True), Structure("vanilla", 0, 6, 2)),
}
KINDS = ("symbols", "characters", "values", "table", "many", "adding", "none")
CASES = (
    [("vanilla, lstm", kind, "l0") for kind in KINDS]
    + [(models, "characters", "l0") for models in SHALLOW if models != "vanilla, lstm"]
    + [(models, kind, layer) for models in DEEP for kind, layer in (("table", "l1"), ("characters", "l0_reverse"))]
    + [("lstm both ways, vanilla", "characters", "l1_reverse")]
)


@dataclass(frozen=True, eq=False)
class Seen:
    """One model as it should be seen; with `before`, what is seen is the difference to it."""

    name: str
    color: str
    trace: Trace
    layer: Layer
    n: int
    length: int
    before: "Seen | None" = None

    def cut(self, array: Array) -> Array:
        return array[: self.length, self.n]

    def of(self, array: Callable[[Layer], Array]) -> Array:
        """(T, ·) of the sequence, less what it was before."""
        values = self.cut(array(self.layer))
        if self.before is None:
            return values
        before = self.before.of(array)
        with np.errstate(invalid="ignore"):
            return np.where(values == before, 0.0, values.astype(np.float64) - before)

    @property
    def head(self) -> HeadTrace:
        assert self.trace.head is not None
        return self.trace.head

    @property
    def chances(self) -> Array:
        """(T, V) softmax of the logits."""
        return np.asarray(np.exp(self.log_chances))

    @property
    def log_chances(self) -> Array:
        """(T, V) natural logarithms of `chances`."""
        logits = self.cut(self.head.prediction).astype(np.float64)
        return np.asarray(logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))

    @property
    def log_gradient(self) -> Array:
        """(T,) log₁₀ ‖∂L/∂h_t‖, never as a difference."""
        return logarithm(np.linalg.norm(self.cut(self.layer.hidden_grad).astype(np.float64), axis=1))

    @property
    def log_input_gradient(self) -> Array:
        """(T,) log₁₀ ‖Σ W_ihᵀ δ_t‖ of the directions of the lowest layer, never as a difference."""
        lowest = [layer for layer in self.trace.layers if layer.id.depth == 0]
        each = [self.cut(layer.grad("wx")).astype(np.float64) @ layer.weights["weight_ih"] for layer in lowest]
        return logarithm(np.linalg.norm(np.sum(each, axis=0), axis=1))

    @property
    def log_share(self) -> Array:
        """(T,) log₁₀ ‖δ_t h_{t−1}ᵀ‖_F."""
        delta, before = (
            self.cut(array).astype(np.float64) for array in (self.layer.grad("uh"), self.layer.before["h"])
        )
        return logarithm(np.linalg.norm(delta[:, :, None] * before[:, None, :], axis=(1, 2)))


@dataclass(frozen=True, eq=False)
class View:
    """All that should be seen of a state."""

    state: State
    models: tuple[Seen, ...]

    @property
    def plain(self) -> tuple[Seen, ...]:
        """The models that are seen as they are: shared levels hold all of these."""
        return tuple(seen for seen in self.models if seen.before is None)

    @property
    def asked(self) -> Array:
        seen = self.models[-1]
        return np.asarray(seen.cut(seen.head.loss_weight) > 0)

    @property
    def inputs(self) -> Array:
        seen = self.models[-1]
        return np.asarray(seen.cut(seen.trace.layers[0].x))


def history(state: State) -> View:
    """What a state without a what-if should show."""
    colors = LOOK.model_colors(model.structure.cell for model in state.run.models)
    models = []
    for model, trace, color in zip(state.run.models, state.recorded.traces, colors, strict=True):
        assert trace is not None
        layer = {layer.name: layer for layer in trace.layers}.get(state.place.cursor.layer, trace.layers[0])
        models.append(Seen(model.name, color.name(), trace, layer, state.place.sample, LENGTHS[state.place.sample]))
    return View(state, tuple(models))


def changed(state: State) -> View:
    """What a state with a what-if should show: the sequence as it was, and as it would have been."""
    found = state.trial.recomputed
    assert found is not None
    was, would_be, model = found.original, found.changed, found.whatif.model
    assert was is not None
    assert would_be is not None
    first = history(state).models[model]
    length = LENGTHS[state.place.sample]
    original = Seen(first.name, first.color, was, was.layers[0], 0, length)
    before = original if state.trial.difference else None
    name = f"{first.name}, what-if"
    return View(state, (original, Seen(name, LOOK.what_if, would_be, would_be.layers[0], 0, length, before)))


def logarithm(values: Array) -> Array:
    with np.errstate(divide="ignore"):
        return np.asarray(np.log10(values.astype(np.float64)))


def symmetric_level(arrays: list[Array]) -> float:
    """The first rung of the ladder that holds all values of all models; at least 1."""
    largest = max(1.0, *(float(np.abs(array).max()) for array in arrays if array.size))
    return round_level(largest)


def round_level(largest: float) -> float:
    return min(rung * 10.0**n for n in range(-12, 12) for rung in LADDER if rung * 10.0**n >= largest * (1 - 1e-9))


# --- what each lane should hold, by the kind of its key


def expect_units(
    view: View, lane: Lane, array: Callable[[Layer], Array], low: float, high: float, colors: Array
) -> None:
    """A heat map of `array` with these levels; a difference has its own, ± the round number above its largest."""
    assert lane.model is not None
    seen = view.models[lane.model]
    wanted = seen.of(array)
    if seen.before is not None:
        largest = round_level(float(np.abs(wanted[np.isfinite(wanted)]).max()))
        low, high, colors = -largest, largest, LOOK.signed_map()
    expect_heat(lane, wanted, low, high, colors)


def expect_heat(lane: Lane, wanted: Array, low: float, high: float, colors: Array) -> None:
    heat = heat_of(lane)
    np.testing.assert_allclose(heat.values, wanted, rtol=1e-6, atol=1e-9)
    assert heat.levels == bar_of(lane).levels == pytest.approx((low, high))
    assert [rgb(color) for color in heat.colors] == [QColor(*map(int, color)).name() for color in colors]


def limits_of(seen: Seen) -> tuple[float, float] | None:
    """What holds the hidden state of a model."""
    return seen.trace.structure.equations.node("h").limits


def expect_hidden(view: View, lane: Lane) -> None:
    free = [seen for seen in view.plain if limits_of(seen) is None]
    assert lane.model is not None
    bounded = limits_of(view.models[lane.model]) is not None
    level = 1.0 if bounded or not free else symmetric_level([seen.of(lambda layer: layer.h) for seen in free])
    if all(seen.layer.structure.activation != "relu" and not seen.trace.structure.proj_size for seen in view.models):
        assert level == 1.0
    expect_units(view, lane, lambda layer: layer.h, -level, level, LOOK.signed_map())


def cell_states(layer: Layer) -> Array:
    return NOTHING if layer.c is None else layer.c


def expect_cell(view: View, lane: Lane) -> None:
    level = symmetric_level([seen.of(cell_states) for seen in view.plain if seen.layer.c is not None])
    expect_units(view, lane, cell_states, -level, level, LOOK.signed_map())


def expect_gate(view: View, lane: Lane) -> None:
    letter = lane.key[-1]
    signed = letter in CANDIDATES
    colors = LOOK.signed_map() if signed else LOOK.gate_map(FAMILIES[letter])
    expect_units(view, lane, lambda layer: layer.gates[letter], -1.0 if signed else 0.0, 1.0, colors)


def expect_unit_gradients(view: View, lane: Lane) -> None:
    def magnitudes(layer: Layer) -> Array:
        found = {"gradients: h": layer.hidden_grad, "gradients: c": layer.cell_grad}[lane.key]
        return NOTHING if found is None else logarithm(np.abs(found))

    parts = [values[np.isfinite(values)] for values in (seen.of(magnitudes) for seen in view.plain)]
    finite = np.concatenate([part.ravel() for part in parts])
    high = np.ceil(finite.max())
    low = max(min(np.floor(finite.min()), high - 1), high - 20)
    expect_units(view, lane, magnitudes, low, high, LOOK.magnitude_map())


def expect_chain(view: View, lane: Lane) -> None:
    assert lane.model is not None
    seen, cells = view.models[lane.model], cells_of(lane)
    highest = max(each.log_gradient[np.isfinite(each.log_gradient)].max() for each in view.models)
    np.testing.assert_allclose(cells.magnitudes, seen.log_gradient, rtol=1e-6)
    assert cells.legend_top == pytest.approx(max(highest, VANISHED + 1))
    share = (np.maximum(seen.log_gradient, VANISHED) - VANISHED) / max(highest - VANISHED, 1.0)
    colors = LOOK.magnitude_map()
    wanted = [QColor(*map(int, colors[round(255 * part)])).name() for part in share]
    assert cells.colors == wanted
    assert (cells.color, cells.leftwards) == (seen.color, seen.layer.name.endswith("_reverse"))
    assert lane.label.title == seen.name


def expect_line(lane: Lane, number: int, wanted: Array, color: str, name: str = "") -> None:
    """The curve `number` of a lane, read back from its pixels; NaN: nothing is drawn there."""
    line = plot_of(lane).lines[number]
    np.testing.assert_allclose(line.time_steps, np.arange(1, len(wanted) + 1), rtol=1e-9)
    np.testing.assert_allclose(line.values, wanted, rtol=1e-5, atol=1e-6)
    assert line.at_cursor == [t + 1 for t in range(len(wanted)) if not np.isnan(wanted[t])]
    assert line.color == color
    assert line.name == name or line.name.startswith(f"{name}: ×")


def expect_linear(lane: Lane, held: list[Array]) -> None:
    """The axis has all values with 6 % of room at both ends, and no zone."""
    plot, values = plot_of(lane), np.concatenate(held)
    values = values[np.isfinite(values)]
    low, high = values.min(), values.max()
    if low == high:
        low, high = low - 0.5 * (abs(low) or 1.0), high + 0.5 * (abs(high) or 1.0)
    assert (plot.low, plot.high) == pytest.approx((low - 0.06 * (high - low), high + 0.06 * (high - low)), rel=1e-5)
    assert (plot.zone, plot.logarithmic) == (None, False)


def expect_logarithmic(lane: Lane, held: list[Array], zone: float | None, decades: int = 10) -> None:
    """The axis has whole decades, so many at least, all values, and the zone where there is one."""
    plot, values = plot_of(lane), np.concatenate(held)
    values = values[np.isfinite(values)]
    top = int(np.ceil(max(values.max() + 0.2, 0.0)))
    lowest = min(values.min() - 0.5, top - decades, top if zone is None else zone - 2)
    assert (plot.low, plot.high) == (2 * int(np.floor(lowest / 2)), top)
    assert (plot.zone, plot.logarithmic) == (zone, True)


def expect_gradient(view: View, lane: Lane) -> None:
    for number, seen in enumerate(view.models):
        expect_line(lane, number, seen.log_gradient, seen.color, seen.name)
    expect_logarithmic(lane, [seen.log_gradient for seen in view.models], VANISHED)
    assert len(plot_of(lane).lines) == len(view.models)


def expect_input_gradient(view: View, lane: Lane) -> None:
    for number, seen in enumerate(view.models):
        expect_line(lane, number, seen.log_input_gradient, seen.color, seen.name)
    expect_logarithmic(lane, [seen.log_input_gradient for seen in view.models], None)
    assert len(plot_of(lane).lines) == len(view.models)


def expect_share(view: View, lane: Lane) -> None:
    for number, seen in enumerate(view.models):
        expect_line(lane, number, seen.log_share, seen.color, seen.name)
    expect_logarithmic(lane, [seen.log_share for seen in view.models], None)
    assert len(plot_of(lane).lines) == len(view.models)


def expect_loss(view: View, lane: Lane) -> None:
    """Nothing where nothing is asked: a loss of 0 there would say that the model was right."""
    weights = view.models[0].cut(view.models[0].head.loss_weight)[view.asked]
    if weights.size and np.ptp(weights) == 0 and weights[0] < 1:
        assert lane.label.subtitle.removeprefix("log₁₀ ").startswith(f"Lₜ, ÷ {round(1 / float(weights[0]))} ")
    losses = []
    for seen in view.models:
        weight, targets = seen.cut(seen.head.loss_weight), seen.cut(seen.head.targets)
        if view.state.run.task is not None and view.state.run.task.output_kind == "classes":
            each = -seen.log_chances[np.arange(seen.length), targets]
        else:
            each = np.mean((seen.cut(seen.head.prediction) - targets) ** 2, axis=1)
        losses.append(np.where(view.asked, weight * each, np.nan))
    largest = [float(np.nanmax(loss)) for loss in losses]
    log = max(largest) > 100 * min(largest)
    assert lane.label.subtitle.startswith("log₁₀") == log
    drawn = [np.log10(loss) for loss in losses] if log else losses
    for number, (seen, loss) in enumerate(zip(view.models, drawn, strict=True)):
        expect_line(lane, number, loss, seen.color, seen.name)
    if log:
        expect_logarithmic(lane, drawn, None, decades=2)
    else:
        expect_linear(lane, [*losses, np.zeros(1)])
    assert len(plot_of(lane).lines) == len(view.models)


def expect_prediction(view: View, lane: Lane) -> None:
    assert view.state.run.task is not None
    if view.state.run.task.output_kind == "classes":
        assert lane.model is not None
        (expect_choices if view.asked.sum() > 1 else expect_class)(view.models[lane.model], view, lane)
        return
    titles = [lane.label.title, lane.label.subtitle.removesuffix(" at t + 1")]
    (column,) = [k for k, name in enumerate(view.state.run.task.output_labels) if name in titles]
    scale = in_units(view.state.run.task.output_scales, column)
    seldom = view.asked.sum() < 4
    truth = scale(np.where(view.asked, view.models[-1].cut(view.models[-1].head.targets)[:, column], np.nan))
    expect_line(lane, 0, truth, QColor(LOOK.text).name(), "true")
    predicted = [scale(seen.cut(seen.head.prediction)[:, column]) for seen in view.models]
    for number, (seen, values) in enumerate(zip(view.models, predicted, strict=True), 1):
        expect_line(lane, number, values, seen.color, seen.name)
    expect_linear(lane, [truth, *predicted])
    lines = plot_of(lane).lines
    assert len(lines) == 1 + len(view.models)
    assert [line.dashed for line in lines] == [True, *[False] * len(view.models)]
    assert lines[0].dots == (list(np.flatnonzero(view.asked) + 1) if seldom else [])


def expect_choices(seen: Seen, view: View, lane: Lane) -> None:
    held, targets = choices_of(lane), seen.cut(seen.head.targets)
    np.testing.assert_allclose(held.chances, seen.chances, rtol=1e-4, atol=1e-7)
    best = np.take_along_axis(seen.chances, held.best, axis=1)  # not the classes: of some the probability is equally 0
    np.testing.assert_allclose(best, -np.sort(-seen.chances, axis=1)[:, :3], rtol=1e-4, atol=1e-7)
    assert held.targets[view.asked].tolist() == targets[view.asked].tolist()
    assert held.asked.tolist() == view.asked.tolist()
    hits = sum(int(np.argmax(seen.chances[t])) == targets[t] for t in np.flatnonzero(view.asked))
    assert lane.label.subtitle == f"top 3, {hits} of {view.asked.sum()} right"


def expect_class(seen: Seen, view: View, lane: Lane) -> None:
    heat, (bars, framed) = heat_of(lane), bars_of(lane)
    assert view.state.run.task is not None
    target = int(seen.cut(seen.head.targets)[-1])
    np.testing.assert_allclose(heat.values, seen.chances, rtol=1e-4, atol=1e-7)
    assert heat.levels == (0.0, 1.0)
    assert (rgb(heat.colors[0]), rgb(heat.colors[255])) == (LOOK.panel, seen.color)
    np.testing.assert_allclose(bars, seen.chances[-1], rtol=1e-4)
    assert (framed, heat.marked_row) == (target, target)
    right = int(np.argmax(seen.chances[-1])) == target
    words = f"{view.state.run.task.output_labels[target]}: {short(float(seen.chances[-1, target]))}"
    said = lane.label.subtitle if right else lane.label.note
    assert said == f"{words}, {'right' if right else 'wrong'}"


def in_units(scales: tuple[Scale, ...], column: int) -> Callable[[Array], Array]:
    """From what the network reads or says to the units of the data."""
    scale = scales[column] if scales else Scale(0.0, 1.0)
    return lambda values: np.asarray(scale.offset + scale.factor * values.astype(np.float64))


def expect_input(view: View, lane: Lane) -> None:
    task, inputs = view.state.run.task, view.inputs
    assert task is not None
    if task.input_kind == "symbols":
        assert symbols_of(lane) == [task.input_labels[row.tolist().index(1.0)] for row in inputs]
        return
    if task.name == "given input" and inputs.shape[1] > 4:
        level = symmetric_level([inputs])
        expect_heat(lane, inputs, -level, level, LOOK.signed_map())
        return
    column, dots = 0, []
    if task.name == "adding":
        dots = list(np.flatnonzero(inputs[:, 1] == 1.0) + 1)
    elif len(task.input_labels) > 1:
        column = task.input_labels.index(lane.label.title)
    values = in_units(task.input_scales, column)(inputs[:, column])
    expect_line(lane, 0, values, LOOK.color("text").name())
    expect_linear(lane, [values])
    (line,) = plot_of(lane).lines
    assert line.dots == dots


def expect_ruler(view: View, lane: Lane) -> None:
    numbers = [str(t) for t in range(1, max(LENGTHS) + 1)]  # of the axis, which is that of the longest sequence
    names = view.state.run.task.time_labels if view.state.run.task is not None else ()
    # the names belong to the first sequence
    assert ruler_names(lane) == (list(names[: len(numbers)]) if names and view.state.place.sample == 0 else numbers)


EXPECTATIONS: dict[str, Callable[[View, Lane], None]] = {
    "input": expect_input,
    "ruler": expect_ruler,
    "chain": expect_chain,
    "hidden": expect_hidden,
    "cell": expect_cell,
    "gates": expect_gate,
    "gradients": expect_unit_gradients,
    "prediction": expect_prediction,
    "loss": expect_loss,
    "gradient": expect_gradient,
    "input_gradient": expect_input_gradient,
    "share": expect_share,
}


def kind_of(key: str) -> str:
    return key.split(":")[0]


def expect_all(view: View, stack: LaneStack) -> None:
    """Every lane holds what the trace says, and every lane there is to be is there."""
    for lane in lanes_of(stack):
        if kind_of(lane.key) not in EXPECTATIONS:
            pytest.fail(f"no expectation for lane {lane.key}")
        EXPECTATIONS[kind_of(lane.key)](view, lane)
    task, keys = view.state.run.task, [lane.key for lane in lanes_of(stack)]
    assert task is not None
    assert {kind_of(key) for key in offered(view.state)} | {"ruler"} == {kind_of(key) for key in keys}
    for number, seen in enumerate(view.models):
        own = {lane.key for lane in lanes_of(stack) if lane.model == number}
        wanted = {"chain", "hidden", "gradients: h", *(f"gates: {x}" for x in GATES[seen.layer.cell])}
        wanted |= {"cell", "gradients: c"} if seen.layer.cell == "lstm" else set()
        wanted |= {"prediction"} if task.output_kind == "classes" else set()
        assert own == wanted
        assert GATES[seen.layer.cell] == set(seen.layer.gates)
    if task.output_kind == "values":
        assert [kind_of(key) for key in keys].count("prediction") == len(task.output_labels)
    assert keys.count("loss") == (0 if task.output_kind == "none" else 1)


# --- the tests


@pytest.fixture
def opened(qtbot: QtBot) -> Opened:
    return partial(open_lanes, qtbot)


def case(models: str, kind: str = "characters", layer: str = "l0") -> Traced:
    return traced_state(kind, (SHALLOW | DEEP)[models], layer)


def other_traces(models: str, kind: str, layer: str) -> tuple[Trace | None, ...]:
    """Traces of the same models at another training step, at which the first has the larger weights."""
    return traced_state(kind, (SHALLOW | DEEP)[models], layer, seed=77, gains=GAINS[::-1]).state.recorded.traces


@pytest.mark.parametrize(("models", "kind", "layer"), CASES)
def test_every_lane_holds_what_the_trace_says(opened: Opened, models: str, kind: str, layer: str) -> None:
    stack, store = opened(case(models, kind, layer).state)
    expect_all(history(store.state), stack)
    update(store, sample=1)
    expect_all(history(store.state), stack)
    update(store, traces=other_traces(models, kind, layer))
    expect_all(history(store.state), stack)
    update(store, sample=0)
    expect_all(history(store.state), stack)


def test_another_layer_chosen_changes_every_lane(opened: Opened) -> None:
    stack, store = opened(case("lstm both ways, vanilla").state)
    for layer in ("l1_reverse", "l0_reverse", "l1", "l0"):
        update(store, cursor=Cursor(TRAINING_STEP, Phase.BACKWARD, 5, layer=layer))
        expect_all(history(store.state), stack)


@pytest.mark.parametrize("difference", [False, True])
@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize(
    ("models", "model"), [("vanilla, lstm", 1), ("lstm, lstm", 0), ("gru, gru", 1), ("relu, gru", 0)]
)
def test_a_what_if_holds_what_both_traces_say(
    opened: Opened, models: str, model: int, sample: int, difference: bool
) -> None:
    traced = case(models)
    stack, store = opened(traced.state)
    state = traced.what_if(model, sample, difference)
    store.change(place=setting(sample=state.place.sample), trial=lambda _: state.trial)
    expect_all(changed(store.state), stack)
    update(store, difference=not difference)
    expect_all(changed(store.state), stack)


def test_two_models_share_their_levels_and_need_them(opened: Opened) -> None:
    """The models are so far apart that the levels of either alone would not be those of both."""
    for models in ("lstm, lstm", "relu, relu"):
        stack, store = opened(case(models).state)
        view = history(store.state)
        bounded = {"hidden"} if models == "lstm, lstm" else set()  # in one of them
        keys = {lane.key for lane in lanes_of(stack) if lane.model is not None}
        for key in keys - {"chain", "prediction"} - bounded:
            assert len({heat_of(lane).levels for lane in lanes_of(stack) if lane.key == key}) == 1, key
        alone = [logarithm(np.abs(seen.of(lambda layer: layer.hidden_grad))) for seen in view.models]
        assert len({(np.floor(values.min()), np.ceil(values.max())) for values in alone}) == 2
        grown: Callable[[Layer], Array] = cell_states if models == "lstm, lstm" else lambda layer: layer.h
        assert len({symmetric_level([seen.of(grown)]) for seen in view.models}) == 2


def color_of(value: float, levels: tuple[float, float], colors: Array) -> str:
    """#rrggbb of a value by hand."""
    share = min(max((value - levels[0]) / (levels[1] - levels[0]), 0.0), 1.0)
    return QColor(*map(int, colors[round(255 * share)])).name()


def expect_pixels(stack: LaneStack, state: State, first: float, pitch: float) -> None:
    """The heat map of the second model has the colour of each value of h where the time axis has its time step."""
    image, looked_at = stack.image(), 0
    lane = next(lane for lane in lanes_of(stack) if (lane.key, lane.model) == ("hidden", 1))
    values, rect = history(state).models[1].of(lambda layer: layer.h), heat_of(lane).rect
    for t in range(1, len(values) + 1):
        for part in (-0.38, 0.38):  # left and right of the middle, where the cursor's line may be
            x = LABEL_COLUMN + (t + part - first) * pitch
            if not rect.left() + 2 < x < rect.right() - 2:
                continue
            for unit in range(values.shape[1]):
                y = rect.top() + (unit + 0.5) * rect.height() / values.shape[1]
                wanted = color_of(float(values[t - 1, unit]), (-1.0, 1.0), LOOK.signed_map())
                assert image.pixelColor(round(x), round(y)).name() == wanted, (t, unit)
                looked_at += 1
    assert looked_at > 2 * 3 * values.shape[1]


@pytest.mark.parametrize("notches", [0, 3, 5])
@pytest.mark.parametrize("at", [0.15, 0.5, 0.93])
def test_a_zoomed_heat_map_has_each_time_step_at_its_place(opened: Opened, notches: int, at: float) -> None:
    stack, store = opened(case("vanilla, lstm").state)
    update(store, sample=1)
    plot = plot_width(stack)
    wheel(view_of(stack), QPointF(LABEL_COLUMN + at * plot, 200), notches)
    span = LENGTHS[1] / 1.25**notches
    first = 0.5 + at * (LENGTHS[1] - span)
    assert axis_of(stack).pitch == pytest.approx(plot / span)
    expect_pixels(stack, store.state, first, plot / span)
    for t in (1, LENGTHS[1]):  # the view goes with the cursor; what was drawn before must not stay
        update(store, cursor=replace(store.state.place.cursor, time_step=t))
        first = max(min(first, t - 0.5), t + 0.5 - span)
        expect_pixels(stack, store.state, first, plot / span)


@pytest.mark.parametrize("notches", [0, 4])
def test_a_press_in_a_zoomed_lane_chooses_the_time_step_under_it(opened: Opened, qtbot: QtBot, notches: int) -> None:
    stack, store = opened(case("vanilla, lstm").state)
    update(store, sample=1)
    plot = plot_width(stack)
    wheel(view_of(stack), QPointF(LABEL_COLUMN + 0.7 * plot, 200), notches)
    span = LENGTHS[1] / 1.25**notches
    first = 0.5 + 0.7 * (LENGTHS[1] - span)
    chosen: list[int] = []
    stack.time_step_chosen.connect(chosen.append)
    lane = next(lane for lane in lanes_of(stack) if lane.key == "hidden")
    for t in (10, 13, 14):
        x = LABEL_COLUMN + (t + 0.3 - first) * plot / span
        viewport = view_of(stack).viewport()
        qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(round(x), round(lane.rect.center().y())))
    assert chosen == [10, 13, 14]


@pytest.mark.parametrize("model", [0, 1])
def test_a_click_in_a_what_if_looks_at_the_model_it_was_made_for(opened: Opened, qtbot: QtBot, model: int) -> None:
    """Both groups of lanes are of one model there: as it was, and as it would have been."""
    traced = case("lstm, lstm")
    stack, store = opened(traced.state)
    state = traced.what_if(model, 1, False)
    for group in (0, 1):
        store.change(place=setting(sample=1, model=model, unit=0), trial=lambda _: state.trial)
        unit = 1 + group
        lane = next(lane for lane in lanes_of(stack) if (lane.key, lane.model) == ("hidden", group))
        row = heat_of(lane).rect.height() / heat_of(lane).values.shape[1]
        place = view_of(stack).mapFromScene(QPointF(LABEL_COLUMN + 40, heat_of(lane).rect.top() + (unit + 0.5) * row))
        qtbot.mouseClick(view_of(stack).viewport(), Qt.MouseButton.LeftButton, pos=place)
        assert (store.state.place.model, store.state.place.unit) == (model, unit)


def ink(image: QImage, xs: range, ys: range) -> int:
    """How many columns have something written in them."""
    ground = QColor(LOOK.background)
    return sum(any(image.pixelColor(x, y) != ground for y in ys) for x in xs)


@pytest.mark.parametrize("key", ["hidden", "cell", "gates: f", "gradients: h"])
def test_a_colour_bar_stands_upright(opened: Opened, key: str) -> None:
    stack, _ = opened(case("vanilla, lstm").state)
    lane = next(lane for lane in lanes_of(stack) if (lane.key, lane.model) == (key, 1))
    image, bar, heat = stack.image(), bar_of(lane), heat_of(lane)
    for share in (0.06, 0.3, 0.5, 0.7, 0.94):
        y = int(bar.rect.bottom() - share * bar.rect.height())
        above = (bar.rect.bottom() - y - 0.5) / bar.rect.height()  # of the middle of the pixel
        found = image.pixelColor(int(bar.rect.left()) + 14, y)
        wanted = QColor(rgb(heat.colors[round(255 * above)]))
        for one, other in zip(found.getRgb(), wanted.getRgb(), strict=True):
            assert abs(one - other) <= 6, (share, found.name(), wanted.name())
    if heat.levels[0] == -heat.levels[1]:  # the minus makes the lower end's number the wider one
        xs = range(int(bar.rect.left()) + 22, int(bar.rect.right()))
        top, bottom = int(bar.rect.top()), int(bar.rect.bottom())
        assert ink(image, xs, range(bottom - 12, bottom)) > ink(image, xs, range(top, top + 12)) > 0


@pytest.mark.parametrize("model", [0, 1])
@pytest.mark.parametrize("place", [0, 1])
def test_a_click_in_a_what_if_looks_at_its_model(opened: Opened, qtbot: QtBot, model: int, place: int) -> None:
    """Both lanes of a what-if are of one model: the one that was changed."""
    traced = case("gru, gru")
    stack, store = opened(traced.what_if(model, 1, False))
    update(store, model=1 - model, unit=-1)
    lane = next(lane for lane in lanes_of(stack) if (lane.key, lane.model) == ("hidden", place))
    units, rect = heat_of(lane).values.shape[1], heat_of(lane).rect
    y = rect.top() + (units - 1.5) * rect.height() / units
    viewport = view_of(stack).viewport()
    qtbot.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=QPoint(round(LABEL_COLUMN) + 200, round(y)))
    assert (store.state.place.model, store.state.place.unit) == (model, units - 2)
    framed = [heat_of(lane).marked_row for lane in lanes_of(stack) if lane.key == "hidden"]
    assert framed == [units - 2, units - 2]


@pytest.mark.parametrize(("notches", "at"), [(0, 0.5), (4, 0.45), (3, 0.95)])
def test_a_zoomed_scrubber_has_each_training_step_at_its_place(qtbot: QtBot, notches: int, at: float) -> None:
    store = Store(case("vanilla, lstm").state)
    captured = np.array([3, 90, 322, 401, 409, 436, 618, 640, 880, 890, 901, 931, 990])
    update(store, history=History(captured=captured, last_training_step=1000))
    panel = TrainingPanel(store)
    qtbot.addWidget(panel)
    panel.resize(900, 168)
    panel.show()
    qtbot.waitExposed(panel)
    panel.training_step_chosen.connect(
        lambda step: update(store, cursor=replace(store.state.place.cursor, training_step=step))
    )
    width = panel.scrubber.width()
    wheel(panel.plot, QPointF(at * width, 40), notches)
    low, high = panel.plot.viewRange()[0]
    assert (high - low < 900) == (low > 20) == (notches > 0)
    inside = [int(step) for step in captured if low <= step <= high]
    assert 3 <= len(inside) < len(captured) or not notches
    for step in inside:
        x = (step - low) / (high - low) * width
        pressed = QPoint(min(max(round(x), 1), width - 2), 13)
        qtbot.mouseClick(panel.scrubber, Qt.MouseButton.LeftButton, pos=pressed)
        assert store.state.place.cursor.training_step == step
        assert tuple(panel.plot.viewRange()[0]) == (low, high)
        handle, image = round(min(max(x, 7), width - 7)), panel.scrubber.grab().toImage()
        assert image.pixelColor(handle, 13) == QColor(LOOK.accent)
        assert image.pixelColor(min(handle + 12, width - 1), 13) != QColor(LOOK.accent)
    assert panel.scrubber.x_of(low) == pytest.approx(0.0)
    assert panel.scrubber.x_of(high) == pytest.approx(width)


@pytest.mark.parametrize("sample", [0, 1])
@pytest.mark.parametrize("layer", ["l0", "l0_reverse", "l1_reverse"])
@pytest.mark.parametrize("time_step", [1, 4, 13])
def test_what_was_added_so_far_follows_the_sweep_of_the_layer(
    qtbot: QtBot, layer: str, sample: int, time_step: int
) -> None:
    """The backward sweep of a reverse layer begins at t = 1: so far is what lies at and before t."""
    store = Store(case("lstm both ways, vanilla", layer=layer).state)
    update(store, cursor=Cursor(TRAINING_STEP, Phase.BACKWARD, time_step, layer=layer), sample=sample)
    seen = history(store.state).models[0]
    delta, before = (seen.cut(array).astype(np.float64) for array in (seen.layer.grad("uh"), seen.layer.before["h"]))
    each = delta[:, :, None] * before[:, None, :]  # (T, G, H)
    backwards = layer.endswith("_reverse")
    passed = [each[: t + 1] if backwards else each[t:] for t in range(seen.length)]
    wanted = [float(np.linalg.norm(part.sum(axis=0))) for part in passed]
    panel = ValuesPanel(store)
    qtbot.addWidget(panel)
    number = [row.key for row in panel.rows].index("so_far:weight_hh")
    _, numbers, values, *_ = panel.row_text(number).split("\n")
    assert numbers.split("\t")[1] == short(wanted[time_step - 1] / np.linalg.norm(each.sum(axis=0)))
    np.testing.assert_allclose([float(value) for value in values.split("\t")[1:]], wanted, rtol=1e-4)
