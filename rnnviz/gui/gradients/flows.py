"""Flows of the cards: F[k, t] of one model with its extremes marked, found once for all cards that draw it."""

import weakref
from collections import OrderedDict
from collections.abc import Generator, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.extremes import Mark, flow_seen, unsure
from rnnviz.core.gradients.flow_of import Flow, is_sampled, row_flow_steps, rows_of
from rnnviz.core.gradients.horizon import Horizon, horizon
from rnnviz.core.gradients.losses import asked, few, loss_times
from rnnviz.core.numbers import whole
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.gui.canvas.lanes.row import row_of
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Card, Partial, Sight
from rnnviz.gui.gradients.plots.log_colors import DENORMAL, INFINITE, LOST, NAN, ZERO, odd_places, standing
from rnnviz.gui.state.laboratory import Laboratory

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer
    from rnnviz.core.sweeps.trace import Trace

TOLD = 0.08  # seconds between two words on how far the work is
_KEPT_BYTES = 128 * 2**20
Told = TypeVar("Told")
_PLACES = np.zeros(len(Mark), np.int16)
_PLACES[[Mark.ZERO, Mark.DENORMAL, Mark.UNDERFLOW, Mark.NAN, Mark.INFINITE]] = ZERO, DENORMAL, LOST, NAN, INFINITE


@dataclass(frozen=True, eq=False)
class FlowNumbers:
    """F[k, t] of one model as it is drawn."""

    flow: Flow  # its values are those of float64 where float32 has lost them
    marks: Array  # (K, T) places of `log_colors` of what lies on no scale; else 0

    @property
    def unit(self) -> bool:
        """Whether it is of unit losses uᵀh_k."""
        return self.flow.seed == "unit"

    @cached_property
    def reached(self) -> Array:
        """(K, T) bool: where loss k can reach h_t at all."""
        if self.flow.cut is not None or self.flow.crosses or not self.flow.inside[: self.flow.length].all():
            found = self.flow.values != 0
            for row, k in enumerate(self.flow.rows):
                found[row, self.flow.way(int(k))] = True
            return np.asarray(found)
        times, rows = np.arange(self.flow.time_steps), self.flow.rows[:, None]
        way = (times >= rows) if self.flow.reverse else (times <= rows)
        return np.asarray((way & (times < self.flow.length)) | (self.flow.values != 0))

    @cached_property
    def standing(self) -> Array:
        """(K, T) float32 by which cells stand out, and colours are given."""
        with np.errstate(all="ignore"):
            return standing(np.log10(self.flow.values), self.marks, self.reached)

    @cached_property
    def ends(self) -> tuple[float, float] | None:
        """log₁₀ of the smallest and the largest magnitude that lies on the scale; None without any."""
        known = self.standing[self.reached & (self.marks == 0)]
        return (float(known.min()), float(known.max())) if known.size else None

    @cached_property
    def odd(self) -> tuple[int, ...]:
        """Which marks occur."""
        return odd_places([self.marks[self.reached]])

    def row_near(self, loss: int) -> int:
        """The row nearest to the loss of time step `loss`, from 1."""
        return int(np.abs(self.flow.rows - (loss - 1)).argmin())

    def steps(self, laboratory: Laboratory) -> tuple[Array, Array]:
        """(K,) time steps back until each gradient falls below the threshold, and whether it has not fallen."""
        found = self.horizon(laboratory)
        return found.steps, found.censored

    def horizon(self, laboratory: Laboratory) -> Horizon:
        """How far back each of its losses reaches."""
        key = laboratory.threshold, laboratory.relative
        if key not in self._horizons:
            self._horizons.clear()
            self._horizons[key] = horizon(self.flow, *key)
        return self._horizons[key]

    def cut_words(self, row: int, t: int) -> str:
        """That a cut keeps the loss of a row from time step `t`, from 1; "" where none does."""
        flow = self.flow
        if flow.cut is None or self.reached[row, t - 1]:
            return ""
        way = flow.way(int(flow.rows[row]))
        beyond = way.size and t - 1 in replace(flow, cut=None).way(int(way[-1]))
        return f"cut at t = {whole(int(way[-1]) + 1)} (truncated)" if beyond else ""

    @cached_property
    def cut_cells(self) -> Sequence[tuple[int, int, int, int]]:
        """Where a cut keeps losses from states, as rectangles: first and last row, first and last time step from 1."""
        if self.flow.cut is None:
            return ()
        uncut, found = replace(self.flow, cut=None), list[tuple[int, int, int, int]]()
        for row, k in enumerate(self.flow.rows):
            beyond = np.sort([t for t in uncut.way(int(k)) if not self.reached[row, t]]).astype(int)
            for run in np.split(beyond, np.flatnonzero(np.diff(beyond) > 1) + 1) if beyond.size else ():
                first, last = int(run[0]) + 1, int(run[-1]) + 1
                if found and found[-1][1:] == (row - 1, first, last):
                    found[-1] = found[-1][0], row, first, last
                else:
                    found.append((row, row, first, last))
        return found

    @cached_property
    def _horizons(self) -> dict[tuple[float, bool], Horizon]:
        return {}

    def of_row(self, row: int) -> "FlowNumbers":
        """The same of one loss alone."""
        part = slice(row, row + 1)
        flow = replace(self.flow, values=self.flow.values[part], rows=self.flow.rows[part], states={}, attention=None)
        return FlowNumbers(flow, self.marks[part])

    def joined(self, other: "FlowNumbers") -> "FlowNumbers":
        """The rows of both."""
        flow = self.flow.joined(other.flow)
        places = np.searchsorted(flow.rows, self.flow.rows)
        marks = np.zeros(flow.values.shape, self.marks.dtype)
        marks[places] = self.marks
        marks[np.searchsorted(flow.rows, other.flow.rows)] = other.marks
        return FlowNumbers(flow, marks)

    @property
    def sampled_words(self) -> str:
        """What is said where not every loss was carried; else ""."""
        every = self.flow.length if self.flow.losses is None else len(self.flow.losses)
        return f"{whole(len(self.flow.rows))} of {whole(every)} losses" if self.flow.sampled else ""


_chosen = weakref.WeakKeyDictionary[Any, Array | None]()  # by layer the losses carried; None: all


class FlowBased(Card):
    """The base of the cards that draw a flow."""

    of_jacobians = True

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return laboratory.losses

    def cuts(self, sight: Sight) -> Cuts:
        """Unit losses come in everywhere: each is cut at its own edge."""
        unit = any(found.value.unit for found in sight.known)
        return replace(sight.shown.cuts, beyond=0) if unit else sight.shown.cuts

    def hangs_on_loss(self, model: ShownModel, laboratory: Laboratory) -> int:
        layer = model.layer
        assert layer is not None  # it has a trace
        if layer not in _chosen:
            _chosen[layer] = rows_of(layer) if is_sampled(layer) else None
        rows = _chosen[layer]
        return 0 if rows is None or laboratory.loss - 1 in rows else laboratory.loss


def takes_unit_losses(sequence: "Trace", layer: "Layer", laboratory: Laboratory) -> bool:
    """Whether unit losses are looked at: by choice, or since the task asks at few time steps."""
    if laboratory.losses:
        return laboratory.losses == "unit"
    return few(asked(sequence, layer), len(loss_times(layer)))


def elsewhere(model: ShownModel, therefore: str) -> str:
    """Said where all losses that reach the layer of a model lie in a later stage and no layer of it goes on with this
    one, as with one that reads backwards; else ""."""
    layer = model.layer
    if layer is None or len(model.row) > 1 or loss_times(layer).start < layer.stop:
        return ""
    return f"{model.name}: the losses lie after the {model.network.words(layer.name)}, {therefore}."


_known = OrderedDict[Hashable, tuple["weakref.ref[Any]", FlowNumbers]]()  # the last ones


def flow_numbers(
    model: ShownModel, laboratory: Laboratory, up_to: float = 1.0, *, cursor: bool = True
) -> Generator[Partial, None, FlowNumbers]:
    """The flow of a model, with `cursor` the loss that is looked at among its rows; `up_to`: which share of the work it
    is."""
    trace, layer = model.sequence, model.layer
    assert trace is not None  # the callers looked
    assert layer is not None
    unit = takes_unit_losses(trace, layer, laboratory)
    key = id(trace), model.layer_name, unit
    numbers = _kept(key, trace)
    if numbers is None:
        numbers = yield from told(found_flow(trace, layer, unit), up_to)
        _keep(key, trace, numbers)
    loss = laboratory.loss - 1
    flow = numbers.flow
    if cursor and flow.row_of(loss) is None and loss in (flow.losses or range(flow.length)):
        return numbers.joined((yield from told(found_flow(trace, layer, unit, np.array([loss])), up_to)))
    return numbers


def _kept(key: Hashable, trace: "Trace") -> FlowNumbers | None:
    of, numbers = _known.get(key, (None, None))
    return numbers if of is not None and of() is trace else None


def _keep(key: Hashable, trace: "Trace", numbers: FlowNumbers) -> None:
    _known[key] = weakref.ref(trace), numbers
    for old in [old for old, (of, _) in list(_known.items()) if of() is None]:
        _known.pop(old, None)
    while len(_known) > 1 and sum(one.flow.values.nbytes for _, one in list(_known.values())) > _KEPT_BYTES:
        _known.popitem(last=False)


def found_flow(
    trace: "Trace", layer: "Layer", unit: bool, rows: Array | None = None
) -> Generator[float, None, FlowNumbers]:
    """The shares done, and the flow; what float32 has lost of it is found a second time, in float64."""
    narrow = layer.output.dtype == np.float32
    steps = row_flow_steps(row_of(trace, layer.name), unit=unit, rows=rows)
    flow = yield from _scaled(steps, 0.0, 0.5 if narrow else 1.0)
    exact, lost = None, unsure(flow)
    if lost and not trace.without_exact:
        steps = row_flow_steps(row_of(trace.exact, layer.name), unit=unit, rows=flow.rows)
        exact = yield from _scaled(steps, 0.5, 1.0)
    seen = flow_seen(flow, exact)
    marks = _PLACES[seen.marks]
    numbers = FlowNumbers(replace(flow, values=seen.values), marks)
    if lost and exact is None:  # nobody knows which of its zeros are
        marks[numbers.reached & (marks == ZERO) & (flow.values > 0).any(axis=1, keepdims=True)] = LOST
    _ = numbers.ends, numbers.odd  # here, not while it is drawn
    return numbers


def _scaled(steps: Generator[float, None, Flow], first: float, last: float) -> Generator[float, None, Flow]:
    while True:
        try:
            yield first + (last - first) * next(steps)
        except StopIteration as end:
            found: Flow = end.value
            return found


def told(steps: Generator[float, None, Told], up_to: float = 1.0) -> Generator[Partial, None, Told]:
    """Tells now and then which share of the work is done; it has no numbers as yet."""
    last = perf_counter()
    while True:
        try:
            share = next(steps)
        except StopIteration as end:
            found: Told = end.value
            return found
        if perf_counter() - last > TOLD:
            last = perf_counter()
            yield Partial(None, min(share * up_to, 0.99))


def whole_flow(model: ShownModel, laboratory: Laboratory) -> Iterator[Partial]:
    """The flow as all that a card needs."""
    yield Partial((yield from flow_numbers(model, laboratory)))
