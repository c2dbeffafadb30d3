"""What changed: one plain sentence for the difference between two traces, or between two time steps of one.

Every fact is measured in decades, so that they can be compared: log₁₀ of a ratio, and for what lies between 0 and 1
of the ratio of its odds. The largest of each kind are told.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Parameter
from rnnviz.core.cells.node import Node
from rnnviz.core.magnitude import l2, saturation
from rnnviz.core.numbers import power, short
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.tasks.info import EXACT

NO_METRICS: Mapping[str, float] = MappingProxyType({})
SHARES = ("accuracy", "test_accuracy", EXACT)  # metrics between 0 and 1
TOLD = 2  # facts in a sentence
WORTH_TELLING = 0.04  # decades: a change of 10 %
ODDS_LIMIT = 0.01  # a gate is no more open at 1 − 10⁻⁶ than at 0.99
NOT_FINITE = 1e3  # decades; nothing is more telling than a NaN
MANY_TIMES = 3.0  # from this ratio on it is told how many times, below from where to where

Kind = Literal["gradient", "gate", "state", "loss", "weight", "saturation", "prediction"]


@dataclass(frozen=True)
class Fact:
    """One thing that changed: the sentence's part and its size in decades."""

    kind: Kind
    words: str
    size: float


def what_changed(
    before: Trace | None,
    after: Trace | None,
    metrics_before: Mapping[str, float] = NO_METRICS,
    metrics_after: Mapping[str, float] = NO_METRICS,
    sample: int = 0,
) -> str:
    """The most telling differences of two training steps, or of history and a what-if, as one sentence.

    Values of units are means over the time steps of sequence `sample` (0-based). Either trace may be missing; traces
    of different structures are compared by their metrics only. A what-if holds one sequence: compare it with
    `original.sample(n)`, sample 0.
    """
    return _sentence(list(facts(before, after, metrics_before, metrics_after, sample)))


def what_changed_in_time(layer: Layer, before: int, after: int, backward: bool, sample: int = 0) -> str:
    """The same for two time steps (from 1) of one layer: its states and gates, in the backward sweep its gradients."""
    first, second, found = before - 1, after - 1, list[Fact]()
    if backward:
        norms = l2(layer.followed_grad[:, sample])
        found += _ratio("gradient", _gradient_name(layer, after), float(norms[first]), float(norms[second]))
        if layer.cell_grad is not None:
            norms = l2(layer.cell_grad[:, sample])
            found += _ratio("state", f"∂L/∂c{_small(after)}", float(norms[first]), float(norms[second]))
    else:
        norms = l2(layer.h[:, sample])
        found += _ratio("state", "‖h‖", float(norms[first]), float(norms[second]))
    for node in layer.equations.gates:
        if not (backward and node.limits != (0.0, 1.0)):  # what a gradient meets on its way back are the gates
            values = layer.gates[node.name]
            found += _unit("gate", node, "", values[first, sample], values[second, sample])
    sentence = _sentence(found)
    return f"From t = {before} to {after}: {sentence[0].lower()}{sentence[1:]}"


@np.errstate(all="ignore")
def facts(
    before: Trace | None,
    after: Trace | None,
    metrics_before: Mapping[str, float],
    metrics_after: Mapping[str, float],
    sample: int,
) -> Iterator[Fact]:
    """Everything that could be told, in no order."""
    for name in metrics_before.keys() & metrics_after.keys():
        yield from _metric(name, float(metrics_before[name]), float(metrics_after[name]))
    if before is None or after is None or before.structure != after.structure:
        return
    if sample >= min(before.sequences, after.sequences):
        return
    old, new = before.sample(sample), after.sample(sample)
    if not metrics_before and old.head is not None and new.head is not None:
        yield from _ratio("loss", "loss of the sequence", float(old.head.losses.sum()), float(new.head.losses.sum()))
    yield from _predictions(old, new)
    for layer_before, layer_after in zip(old.layers, new.layers, strict=True):
        yield from _layer(layer_before, layer_after, "" if len(old.layers) == 1 else f" of {layer_before.name}")


def _layer(before: Layer, after: Layer, where: str) -> Iterator[Fact]:
    own = before.times()
    first = own[-1] if before.reverse else own[0]
    steps = slice(own.start, own.stop)
    grads = [float(l2(layer.followed_grad[first, 0])) for layer in (before, after)]
    yield from _ratio("gradient", _gradient_name(before, first + 1) + where, *grads)
    for node in before.equations.gates:
        values, new = (one.gates[node.name][steps] for one in (before, after))
        yield from _unit("gate", node, where, values[:, 0].mean(0), new[:, 0].mean(0))
        if node.limits == (0.0, 1.0):
            shares = float(saturation(values)), float(saturation(new))
            yield from _between("saturation", f"saturated share of the {node.words}{where}", *shares)
    hidden = before.equations.node(before.equations.hidden)
    yield from _unit("state", hidden, where, before.h[steps, 0].mean(0), after.h[steps, 0].mean(0))
    for parameter in before.equations.parameters:
        if parameter.columns and _is_recurrent(before.equations, parameter):
            norms = [float(l2(layer.weights[parameter.name].ravel())) for layer in (before, after)]
            symbol = parameter.symbol.replace("{", "").replace("}", "")
            yield from _ratio("weight", f"‖{symbol}‖{where}", *norms)


def _is_recurrent(cell: Cell, parameter: Parameter) -> bool:
    """Whether any use of a parameter has to do with the time step before."""
    return any(node.name in cell.recurrent for node, _ in cell.weight_uses(parameter.name))


def _predictions(before: Trace, after: Trace) -> Iterator[Fact]:
    """How many of the asked time steps became right or wrong, where classes are predicted."""
    old, new = before.head, after.head
    if old is None or new is None or old.classes is None or new.classes is None:
        return
    asked = old.loss_weight[:, 0] != 0
    right = [
        (each.prediction[:, 0].argmax(axis=-1) == wanted[:, 0])[asked]
        for each, wanted in ((old, old.classes), (new, new.classes))
    ]
    for gained, word in ((~right[0] & right[1], "right"), (right[0] & ~right[1], "wrong")):
        count = int(gained.sum())
        if count:
            t = int(np.flatnonzero(asked)[np.flatnonzero(gained)[0]]) + 1
            words = f"the prediction at t = {t} became {word}" if count == 1 else f"{count} predictions became {word}"
            yield Fact("prediction", words, count / len(gained))


def _metric(name: str, before: float, after: float) -> Iterator[Fact]:
    if name in SHARES:
        yield from _between("loss", name.replace("_", " "), before, after)
    else:
        yield from _ratio("gradient" if name == "grad_norm" else "loss", name.replace("_", " "), before, after)


def _unit(kind: Kind, node: Node, where: str, before: Array, after: Array) -> Iterator[Fact]:
    """The unit whose value changed most, by its odds within the limits it has."""
    low, high = node.limits or (-1.0, 1.0)
    odds = [_odds((each - low) / (high - low)) for each in (before, after)]
    size = np.abs(odds[1] - odds[0])
    if node.limits is None:
        size = np.abs(after - before) / np.maximum(np.abs(before), 1.0)
    if np.isnan(size).all():
        return
    unit = int(np.nanargmax(size))
    old, new = float(before[unit]), float(after[unit])
    words = f"{node.words} of unit {unit + 1}{where} {'rose' if new > old else 'fell'} {short(old)} → {short(new)}"
    yield Fact(kind, words, float(size[unit]))


def _odds(values: Array) -> Array:
    """log₁₀ of the odds of values in (0, 1), held where more makes no difference."""
    held = np.clip(values.astype(np.float64), ODDS_LIMIT, 1 - ODDS_LIMIT)
    return np.log10(held / (1 - held))


def _between(kind: Kind, what: str, before: float, after: float) -> Iterator[Fact]:
    """A share between 0 and 1, told in per cent."""
    if not (math.isfinite(before) and math.isfinite(after)):
        yield from _ratio(kind, what, before, after)
        return
    old, new = _odds(np.array([before, after]))
    first, second = (f"{share:.0%}".replace("%", " %") for share in (before, after))
    if first != second:
        word = "rose" if after > before else "fell"
        yield Fact(kind, f"{what} {word} {first} → {second}", abs(float(new - old)))


def _ratio(kind: Kind, what: str, before: float, after: float) -> Iterator[Fact]:
    """Something that is positive, or became NaN, ∞ or 0."""
    if not math.isfinite(after):
        if math.isfinite(before):
            yield Fact(kind, f"{what} became {short(after)}", NOT_FINITE)
    elif not math.isfinite(before):
        yield Fact(kind, f"{what} is finite again, {short(after)}", NOT_FINITE)
    elif before == 0 or after == 0:
        if before != after:
            words = f"{what} became 0" if after == 0 else f"{what} is no longer 0 but {short(after)}"
            yield Fact(kind, words, NOT_FINITE / 10)
    elif before > 0 and after > 0:
        size = abs(math.log10(after) - math.log10(before))
        word = ("grew" if after > before else "shrank") if size >= math.log10(MANY_TIMES) else ""
        if word:
            words = f"{what} {word} {_times(size)} times"
        else:
            words = f"{what} {'rose' if after > before else 'fell'} {short(before)} → {short(after)}"
        yield Fact(kind, words, size)


def _times(decades: float) -> str:
    """1,000 and more as a power of ten."""
    if decades >= 3:
        return power(round(decades))
    factor = 10**decades
    return f"{factor:.1f}" if factor < 10 else f"{factor:.0f}"


def _sentence(found: list[Fact]) -> str:
    """The largest fact of each of the most telling kinds."""
    best = dict[str, Fact]()
    for fact in sorted(found, key=lambda fact: (-fact.size, fact.words)):
        best.setdefault(fact.kind, fact)
    told = [fact for fact in best.values() if fact.size >= WORTH_TELLING][:TOLD]
    if not told:
        loss = best.get("loss")
        return "Hardly anything changed." if loss is None else f"Hardly anything changed; {loss.words}."
    words = "; ".join(fact.words for fact in told) + "."
    return words[0].upper() + words[1:]


def _gradient_name(layer: Layer, time_step: int) -> str:
    return f"∂L/∂{layer.equations.followed_symbol}{_small(time_step)}"


def _small(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
