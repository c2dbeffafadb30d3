"""The rows of "At the cursor": which numbers there are, what they are called and how they are read from a trace."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.cell import Parameter
from rnnviz.core.cells.node import Node, first_named
from rnnviz.core.equations.places import cut_words
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short, tick
from rnnviz.core.optimising.clipping import Clipping
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import NOT_APART
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.core.sweeps.trace import Layer, Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.cursor.prediction_rows import label_of, prediction_rows
from rnnviz.gui.cursor.value_row import Colors, Group, ValueRow, ValueSource
from rnnviz.gui.widgets.marked_text import plain

FOLD = "fold"  # the key of the row that folds the parameters but the leading one
_SHARE = "share in ∂L/∂"
_LOST = " *"  # behind a number that float32 has lost
_FEW_INPUTS = 2  # columns whose values are written out; of more the norm
_MOST_NAMED = 8  # columns in a tooltip


def value_rows(
    traces: Sequence[Trace | None], layer: str, time_step: int, task: TaskInfo | None = None
) -> list[ValueRow]:
    """The rows for these models at `time_step`, in the order of the computation."""
    layers = [found for trace in traces if trace is not None and (found := trace.find_layer(layer)) is not None]
    t = str(time_step)
    later = str(time_step - 1 if LayerId.read(layer).reverse else time_step + 1)
    rows = [
        ValueRow(
            "input",
            "input",
            f"‖x_{{{t}}}‖" if _is_norm(traces, task) else f"x_{{{t}}}",
            "state",
            _input_text,
            _input,
            "plain",
            note=_input_note,
        ),
        _states("hidden", _hidden_words(layers), f"‖h_{{{t}}}‖", "state", lambda layer: layer.h, "signed unit"),
    ]
    others = first_named(state for found in layers for state in other_states(found))
    rows += [_other_state(state, t) for state in others.values()]
    gates = first_named(gate for found in layers for gate in found.equations.gates)
    rows += [_gate(gate, t) for gate in gates.values()]
    rows += prediction_rows([trace for trace in traces if trace is not None], time_step, task)
    rows += [_loss(traces, t), _own_loss()]
    rows += [
        _states("hidden_grad", "hidden gradient", f"‖∂L/∂h_{{{t}}}‖", "gradient", lambda layer: layer.hidden_grad),
        _direct(layers, t, _beside_loss(traces)),
        *_carried(
            layers, f"from t = {later}" if not _at_hand_over(traces, layer, time_step) else "through the hand-over"
        ),
    ]
    rows += [_other_gradient(state, t) for state in others.values()]
    parameters = first_named(parameter for found in layers for parameter in found.equations.parameters)
    rows += [row for parameter in parameters.values() for row in _weight(parameter)]
    return [_cut(row) if _is_gradient(row) else row for row in rows] + _clipped_rows()


def _is_gradient(row: ValueRow) -> bool:
    """Whether it is 0 where nothing comes from any loss."""
    return row.group == "gradient" or row.key.startswith("share:")


def _cut(row: ValueRow) -> ValueRow:
    """The same, but where truncation has cut it a 0 is called that."""
    read, note = row.number, row.note
    carried = row.key == "carried_grad"

    def number(source: ValueSource) -> str | None:
        text = read(source)
        return "cut" if text == "0" and _cut_words(source, carried) else text

    def more(source: ValueSource) -> str:
        return "; ".join(filter(None, (note(source), _cut_words(source, carried))))

    return replace(row, number=number, note=more)


def _cut_words(source: ValueSource, carried: bool) -> str:
    """Why no gradient is here, or `carried` here; "" where one may be."""
    layer = source.layer
    if layer is None:
        return ""
    if words := source.trace.cuts(0).words(source.time_step):
        return words
    return cut_words(layer, source.row) if carried else ""


def folded_rows(rows: Sequence[ValueRow], layers: Sequence[Layer], unfolded: bool) -> list[ValueRow]:
    """Of the parameters the leading one alone, W_hh, and a row that says which are folded; `unfolded`: the others
    follow that row."""
    leading = {layer.equations.leading_matrix.name for layer in layers}
    others = [row for row in rows if row.group == "weights" and ":" in row.key and _parameter(row) not in leading]
    others = [row for row in others if not row.key.startswith("clip:")]
    if not others:
        return list(rows)
    kept = [row for row in rows if row not in others]
    symbols = dict.fromkeys(row.words.removeprefix(_SHARE) for row in others if row.key.startswith("share:"))
    words = f"{'▾' if unfolded else '▸'} shares in {', '.join(symbols)}"
    fold = ValueRow(FOLD, words, "", "weights", lambda _: "", lambda _: None, "plain", part=True)
    place = max(number for number, row in enumerate(kept) if row.key.startswith("so_far:")) + 1
    return [*kept[:place], fold, *(others if unfolded else ()), *kept[place:]]


def _parameter(row: ValueRow) -> str:
    return row.key.partition(":")[2]


def _hidden_words(layers: Sequence[Layer]) -> str:
    """What the hidden units are called, in the words of the first model."""
    return next((layer.equations.node(layer.equations.hidden).words for layer in layers), "hidden state")


def other_states(layer: Layer) -> list[Node]:
    """What there is beside the hidden units: the cell state of an LSTM, the output of a Jordan network."""
    cell = layer.equations
    return [cell.node(name) for name in cell.hidden_nodes if name != cell.hidden]


def _beside_loss(traces: Sequence[Trace | None]) -> dict[str, str]:
    """Where ∂L/∂ the outputs of a stage without a head comes from, by its top layers: attention, or "" for nowhere."""
    found: dict[str, str] = {}
    for trace in traces:
        attention = None if trace is None or trace.head is None else trace.head.attention
        for number, call in enumerate(trace.calls if trace is not None and len(trace.calls) > 1 else ()):
            source = "attention" if attention is not None and attention.over == number else ""
            tops = [layer.name for layer in call.layers if not layer.above and call.head is None]
            found |= {name: source or found.get(name, "") for name in tops}
    return found


def _direct(layers: Sequence[Layer], t: str, beside: Mapping[str, str]) -> ValueRow:
    """What does not come from the neighbouring time step, called by where it comes from in these models; `beside`: that
    of layers of a stage without a head."""

    def came_from(layer: Layer) -> str:
        return beside[layer.name] if layer.name in beside else _came_from(layer, t)

    sources = filter(None, dict.fromkeys(map(came_from, layers)) or (f"L_{{{t}}}",))
    words = ", from ".join(filter(None, ("direct", " or ".join(sources))))

    def note(source: ValueSource) -> str:
        if source.layer is None:
            return ""
        words = came_from(source.layer)
        return f"from {plain(words)}" if words else "nothing: only the final state is handed over"

    row = _states("direct_grad", words, "", "gradient", _direct_part, part=True)
    return replace(row, note=note)


def _direct_part(layer: Layer) -> Array:
    return layer.direct(layer.equations.hidden)


def _at_hand_over(traces: Sequence[Trace | None], name: str, time_step: int) -> bool:
    """Whether a later call of one of these models begins with the states of this layer at this time step."""
    for trace in traces:
        for number, call in enumerate(trace.calls if trace is not None else ()):
            layer = next((one for one in call.layers if one.name == name), None)
            if layer is not None and trace is not None and any(one.call.follows == number for one in trace.calls):
                return time_step - 1 == layer.times()[0 if layer.reverse else -1]
    return False


def _carried(layers: Sequence[Layer], later: str) -> Iterator[ValueRow]:
    """What comes from the neighbouring time step, or whatever `later` says; nothing is said of a cell that carries
    nothing, and no row is there where none of the models carries anything."""
    if layers and not any(map(_carries, layers)):
        return

    def note(source: ValueSource) -> str:
        if source.layer is None or _carries(source.layer):
            return row.note(source)
        states = " and ".join(plain(node.symbol.removesuffix("_t")) for node in other_states(source.layer))
        return f"carried to {states} alone" if states else "nothing is carried from one time step to the next"

    words = f"carried, {later}"
    row = _states(
        "carried_grad", words, "", "gradient", lambda one: one.carried_grad if _carries(one) else None, part=True
    )
    yield replace(row, note=note)


def _carries(layer: Layer) -> bool:
    return layer.equations.hidden in layer.equations.carried_to


def _came_from(layer: Layer, t: str) -> str:
    if layer.pooled is not None:
        return f"L_k {POOLINGS[layer.pooled.pooling].through}"
    loss, given = f"L_{{{t}}}", f"the given ∂L/∂output_{{{t}}}"
    return {"loss": loss, "given": given, "above": f"layer {layer.id.depth + 1}"}[layer.direct_from]


def _other_state(state: Node, t: str) -> ValueRow:
    symbol = f"‖{state.symbol.replace('_t', f'_{{{t}}}')}‖"
    return _states(state.short_words, state.words, symbol, "state", lambda layer: _of_state(layer, state.name, False))


def _other_gradient(state: Node, t: str) -> ValueRow:
    symbol = f"‖∂L/∂{state.symbol.replace('_t', f'_{{{t}}}')}‖"
    words = f"{state.short_words} gradient"
    return _states(
        f"{state.short_words}_grad", words, symbol, "gradient", lambda layer: _of_state(layer, state.name, True)
    )


def _of_state(layer: Layer, state: str, gradient: bool) -> Array | None:
    if state not in layer.equations.hidden_nodes:
        return None
    return layer.grad(state) if gradient else layer.value(state)


def _is_norm(traces: Sequence[Trace | None], task: TaskInfo | None) -> bool:
    """Whether the input has too many columns to write them out."""
    if task is not None and task.input_kind == "symbols":
        return False
    return any(trace is not None and trace.layers[0].x.shape[-1] > _FEW_INPUTS for trace in traces)


def _states(
    key: str,
    words: str,
    symbol: str,
    group: Group,
    array: Callable[[Layer], Array | None],
    colors: Colors = "signed",
    part: bool = False,
) -> ValueRow:
    def vector(source: ValueSource) -> Array | None:
        layer = source.backward if group == "gradient" else source.layer
        values = array(layer) if layer is not None else None
        return None if values is None else np.asarray(values[source.row, 0])

    def number(source: ValueSource) -> str | None:
        values = vector(source)
        return None if values is None else _marked(float(l2(values)), is_lost(source))

    def note(source: ValueSource) -> str:
        return "lost in float32, so this is of the float64 rebuild" if is_lost(source) else ""

    def is_lost(source: ValueSource) -> bool:
        return group == "gradient" and source.lost

    return ValueRow(key, words, symbol, group, number, vector, colors, part, note=note)


def _gate(gate: Node, t: str) -> ValueRow:
    def vector(source: ValueSource) -> Array | None:
        values = source.layer.gates.get(gate.name) if source.layer is not None else None
        return None if values is None else np.asarray(values[source.row, 0])

    def number(source: ValueSource) -> str | None:
        values = vector(source)
        return None if values is None else short(float(np.mean(values, dtype=np.float64)))

    colors: Colors = "unit" if gate.limits == (0.0, 1.0) else "signed unit" if gate.limits else "signed"
    symbol = f"mean {gate.symbol.replace('_t', f'_{{{t}}}')}"
    return ValueRow(f"gate:{gate.name}", gate.words, symbol, "gates", number, vector, colors, family=gate.family)


def _weight(parameter: Parameter) -> tuple[ValueRow, ValueRow]:
    name, symbol = parameter.name, parameter.symbol

    def share(source: ValueSource) -> Array | None:
        return source.backward.weight_grad_shares.get(name) if source.backward is not None else None

    def so_far(source: ValueSource) -> Array | None:
        return source.layer.weight_grad_so_far.get(name) if source.layer is not None else None

    def norm(source: ValueSource) -> str | None:
        values = share(source)
        if _not_apart(source):
            return "–"
        return None if values is None else _marked(float(values[source.row]), source.lost)

    def fraction(source: ValueSource) -> str | None:
        values = so_far(source)
        if values is None or _not_apart(source):
            return None if values is None else "–"
        total = _total(source, values)
        return short(float(values[source.row]) / total) if total else "0"

    def note(source: ValueSource) -> str:
        values = so_far(source)
        if values is None or _not_apart(source):
            return "" if values is None else NOT_APART
        now, end = short(float(values[source.row])), short(_total(source, values))
        return f"norm {now} so far, {end} in the end, before clipping; the number is their ratio"

    first = f"{_SHARE}{symbol}"
    return (
        ValueRow(
            f"share:{name}",
            first,
            "",
            "weights",
            norm,
            share,
            "magnitude",
            over_time=True,
            note=lambda one: NOT_APART if _not_apart(one) else "",
        ),
        ValueRow(f"so_far:{name}", "added so far", "", "weights", fraction, so_far, "magnitude", True, True, note=note),
    )


def _not_apart(source: ValueSource) -> bool:
    """Whether what this sequence adds to the weight gradients is not known."""
    recorded = source.trace.calls[0].call.recorded
    return recorded is not None and not recorded.apart


def _marked(value: float, lost: bool) -> str:
    """A magnitude, marked where it is of the float64 rebuild because float32 has lost it."""
    return short(value) + (_LOST if lost and value > 0 else "")


def _clipped_rows() -> list[ValueRow]:
    """What the clip norm made of the update: both norms and the factor between them."""
    read: dict[str, tuple[str, str, Callable[[Clipping], float]]] = {
        "clip:norm": ("all gradients of the batch", "‖g‖", lambda clipping: clipping.norm),
        "clip:factor": ("times, for the clip norm", "", lambda clipping: clipping.factor),
        "clip:clipped": ("after clipping", "‖g̃‖", lambda clipping: clipping.clipped),
    }

    def note(source: ValueSource) -> str:
        clipping = source.clipping
        return "" if clipping is None else f"training step {clipping.training_step:,}, its batch: {clipping.words}"

    def row(key: str, words: str, symbol: str, of: Callable[[Clipping], float]) -> ValueRow:
        def number(source: ValueSource) -> str | None:
            return None if source.clipping is None else short(of(source.clipping))

        return ValueRow(key, words, symbol, "weights", number, lambda _: None, "plain", key != "clip:norm", note=note)

    return [row(key, *rest) for key, rest in read.items()]


def _total(source: ValueSource, so_far: Array) -> float:
    """What has been added when the backward sweep is through: the norm of the whole weight gradient."""
    return float(so_far[-1 if source.layer is not None and source.layer.reverse else 0])


def _input(source: ValueSource) -> Array | None:
    return np.asarray(source.reading.layers[0].x[source.row, 0])


def _symbol(source: ValueSource) -> int | None:
    """The symbol that an input is, one-hot or as a row of a table, −1 for none; None where inputs are no symbols."""
    embedding = source.reading.call.embedding
    if embedding is not None:
        return int(embedding.symbols[source.row - source.reading.layers[0].start, 0])
    values, task = _input(source), source.task
    if values is None or task is None or task.input_kind != "symbols" or len(source.labels) != len(values):
        return None
    return int(np.argmax(values)) if np.any(values) else -1


def _input_text(source: ValueSource) -> str | None:
    values, task, symbol = _input(source), source.task, _symbol(source)
    if values is None or not len(values):
        return None
    if symbol is not None:
        return label_of(source.labels, symbol) if symbol >= 0 else "–"
    if len(values) <= _FEW_INPUTS:
        return ", ".join(_undone(values, task, column) for column in range(len(values)))
    return short(float(l2(values)))


def _input_note(source: ValueSource) -> str:
    """Every column with its name, in the units of the data; a symbol with its source in the alphabet."""
    values, task = _input(source), source.task
    if values is None or not len(values):
        return ""
    labels, symbol = source.labels, _symbol(source)
    if symbol is not None:
        if symbol < 0:
            return "no symbol: all numbers are 0"
        table = source.reading.call.embedding is not None
        of = f"row {symbol + 1} of the embedding" if table else f"one-hot: column {symbol + 1} of {len(values)}"
        return f"{of} is {label_of(labels, symbol)}"
    if len(values) == 1:
        return f"{labels[0]}, {short(float(values[0]))} as the network reads it" if labels else ""
    names = [labels[k] if k < len(labels) else f"x{k + 1}" for k in range(min(len(values), _MOST_NAMED))]
    words = ", ".join(f"{name} {_undone(values, task, k)}" for k, name in enumerate(names))
    return words + (" …" if len(values) > _MOST_NAMED else "")


def _undone(values: Array, task: TaskInfo | None, column: int) -> str:
    scales = task.input_scales if task is not None else ()
    value = float(values[column])
    if column < len(scales):
        return short(scales[column].offset + scales[column].factor * value)
    return tick(value) if value.is_integer() else short(value)  # a marker is 0 or 1, not 0 or 1.00


def _loss(traces: Sequence[Trace | None], t: str) -> ValueRow:
    """L_t as it goes into L, and the mean of the sequence alone, which is what a training curve shows of a batch."""
    heads = [trace.head for trace in traces if trace is not None and trace.head is not None]
    divided = next((words for head in heads if (words := head.divided_by())), "")
    words = f"loss, ÷ {divided}" if divided else "loss"
    return ValueRow("loss", words, f"L_{{{t}}}", "loss", _loss_text, lambda source: None, "plain", note=_reduction)


def _reduction(source: ValueSource) -> str:
    """How L is made of the losses of the batch."""
    head = source.trace.head
    words = "" if head is None else head.reduction_words()
    return f"L is the {words} of the batch" if words else ""


def _own_loss() -> ValueRow:
    return ValueRow(
        "own_loss", "of this sequence alone", "", "loss", _own_text, lambda source: None, "plain", part=True
    )


def _own_text(source: ValueSource) -> str | None:
    head = source.trace.head
    return short(head.own_loss()) if head is not None and head.loss_weight.any() else None


def _loss_text(source: ValueSource) -> str | None:
    """None where nothing is asked."""
    head = source.trace.head
    asked = head is not None and bool(head.loss_weight[source.row, 0])
    return short(float(head.losses[source.row, 0])) if head is not None and asked else None
