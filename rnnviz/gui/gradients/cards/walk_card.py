"""One loss walking back: ‖∂L_k/∂h_t‖ of one loss in every model, its geometric rate, its horizon and its bound."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.jacobians import joint_units, spectra
from rnnviz.core.gradients.walk import Walk, bound, walk
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import bound as digits
from rnnviz.core.numbers import short, whole
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.core.sweeps.scans.flow import geometric_rate
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.canvas.lanes.value_axes import logarithmic
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table
from rnnviz.gui.gradients.flows import TOLD, FlowBased, FlowNumbers, elsewhere, flow_numbers
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.plots.log_colors import LOST, WORDS
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.gradients.plots.plot import Plot, draw_names, time_axis
from rnnviz.gui.look import fonts
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer

_X = "time step t"
_TOO_MUCH = 1_500_000_000  # operations of singular values above which there is no bound from every Jacobian
_KEPT = 64  # ways that are remembered
_ABOVE = 2.0  # decades above the curves that the axis holds of the bounds
_LINE = fonts.SMALL + 5.0


@dataclass(frozen=True, eq=False)
class WalkNumbers:
    """The flow that holds every loss, and what bounds it."""

    numbers: FlowNumbers
    norms: Array | float | None = None  # (T,) of the step Jacobians, or one γ for all; None: none is known
    no_bound: str = ""  # why there never will be
    ways: "dict[tuple[int, float, bool], _Way]" = field(default_factory=dict)  # found by now


@dataclass(frozen=True, eq=False)
class _Way:
    """The gradient of the loss that is looked at, of one model."""

    one: Walk
    logs: Array  # (n,) log₁₀, in shares of what it begins with where the threshold is one
    bound: Array  # (n,) the same of what it cannot exceed; (0,) without
    lost: Array  # (n,) bool: too small for float32
    horizon: str  # in words


class WalkCard(FlowBased, OverTime):
    """A curve for each model over the time steps, from the loss back."""

    key = "walk"
    of_row = True
    has_loss = draws_loss = True

    def lacks(self, model: ShownModel) -> str:
        if not model.carries:
            return f"{model.name}: nothing is carried from one time step to the next."
        return elsewhere(model, "so no loss walks back from its own time step there")

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        numbers = yield from flow_numbers(model, laboratory, 0.5)
        layer, make = model.layer, partial(WalkNumbers, numbers)
        assert layer is not None  # else there was no flow
        pooled = layer.pooled is not None and not numbers.unit
        if numbers.flow.crosses:
            yield Partial(make(no_bound="there is no step Jacobian from one stage to the next"))
        elif layer.above or pooled:
            yield Partial(make(no_bound="the loss comes in at several time steps"))
        elif numbers.flow.length * joint_units(layer.structure) ** 3 <= _TOO_MUCH:
            unbound = make()
            yield Partial(unbound, 0.5)
            yield from _with_norms(layer, unbound)
        elif layer.equations.slope_limit is not None:
            yield Partial(make(geometric_rate(layer)))
        else:
            yield Partial(make(no_bound="its step Jacobians are too large"))

    def aside(self, sight: Sight) -> str:
        unit = any(found.value.numbers.unit for found in sight.known)
        return f"{'unit loss ' if unit else ''}{self.short_aside(sight)}"

    def short_aside(self, sight: Sight) -> str:
        if not sight.known:
            return ""
        numbers: FlowNumbers = sight.known[0].value.numbers
        k = whole(int(numbers.flow.rows[numbers.row_near(sight.loss)]) + 1)
        return f"uᵀh_{{{k}}}" if numbers.unit else f"k = {k}"

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, ways = Drawing(), _ways(sight)
        plot = self._plot(sight, area, ways)
        numbers = sight.known[0].value.numbers
        loss, symbol = "uᵀh" if numbers.unit else "L", numbers.flow.symbol
        words = f"share of ‖∂{loss}_{{k}}/∂{symbol}_{{k}}‖" if sight.laboratory.relative else None
        plot.draw_frame(drawing, sight.theme, _X, words or f"‖∂{loss}_{{k}}/∂{symbol}_{{t}}‖")
        for found, way in zip(sight.known, ways, strict=True):
            key, color, times = str(found.model.number), found.model.color, way.one.times + 1
            if way.bound.size:
                inside = np.where(way.bound <= plot.y.high, way.bound, np.nan)
                ys = plot.held(plot.ys(inside))
                drawing.add(Curve(f"bound {key}", plot.xs(times), ys, color, 0.9, (4.0, 4.0), way.bound))
            odd = sight.theme.color("not_finite")
            plot.draw_magnitudes(drawing, key, times, way.logs, color, found.model.dash, way.lost, odd)
        lines = [(_caption(found, way), found.model.color) for found, way in zip(sight.known, ways, strict=True)]
        top = area.bottom() - len(lines) * _LINE + 2
        draw_names(drawing, QRectF(area.left() + 2, top, area.width() - 2, len(lines) * _LINE), lines)
        return drawing

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        lines = [f"time step {whole(time_step)}"]
        lines += [_told(found, way, time_step) for found, way in zip(sight.known, _ways(sight), strict=True)]
        return Spot("\n".join(lines), time_step)

    def cuts(self, sight: Sight) -> Cuts:
        """Where the loss that is looked at is cut; of one that several models carry otherwise the farthest."""
        found = sight.shown.cuts
        if any(one.value.numbers.flow.reverse for one in sight.known):
            return replace(found, beyond=0)
        ks = [one.value.numbers.flow.rows[one.value.numbers.row_near(sight.loss)] + 1 for one in sight.known]
        return replace(found, beyond=min((found.before(int(k)) for k in ks), default=found.beyond))

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        return self._plot(sight, area, _ways(sight))

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found, way in zip(sight.known, _ways(sight), strict=True):
            name = found.model.name
            columns[f"{name} t"] = way.one.times + 1
            columns[f"{name} k={way.one.k + 1}"] = way.one.values
            if way.bound.size:
                columns[f"{name} bound"] = bound(way.one, found.value.norms)
        return Table(columns)

    @staticmethod
    def _plot(sight: Sight, area: QRectF, ways: list[_Way]) -> Plot:
        laboratory = sight.laboratory
        limit = float(np.log10(laboratory.threshold))
        axis = logarithmic([way.logs for way in ways], zone=limit, words=f"below {digits(laboratory.threshold)}")
        beyond = max((float(np.nanmax(way.bound)) for way in ways if np.isfinite(way.bound).any()), default=-np.inf)
        if beyond > axis.high:
            axis = replace(axis, high=axis.high + min(_ABOVE, beyond - axis.high))
        room = area.adjusted(0, 0, 0, -len(sight.known) * _LINE)
        return Plot.within(room, time_axis(sight.shown.time_steps), axis, x_words=_X)


def _with_norms(layer: "Layer", numbers: WalkNumbers) -> Iterator[Partial]:
    """The bound once the norms of all time steps are known; until then what is drawn stays the same."""
    length, last = layer.stop, perf_counter()
    for found in spectra(layer):
        if found.norms_known >= found.stop:
            yield Partial(WalkNumbers(numbers.numbers, found.norms))
            return
        if perf_counter() - last > TOLD:
            last = perf_counter()
            yield Partial(numbers, 0.5 + 0.5 * found.norms_known / length)
    yield Partial(numbers)


def _ways(sight: Sight) -> list[_Way]:
    """Of each model with numbers."""
    return [_way(found.value, sight.loss, sight.laboratory) for found in sight.known]


def _way(value: WalkNumbers, loss: int, laboratory: Laboratory) -> _Way:
    key = value.numbers.row_near(loss), laboratory.threshold, laboratory.relative
    if key not in value.ways:
        if len(value.ways) > _KEPT:
            value.ways.clear()
        value.ways[key] = _found_way(value, key[0], laboratory)
    return value.ways[key]


@np.errstate(all="ignore")
def _found_way(value: WalkNumbers, row: int, laboratory: Laboratory) -> _Way:
    own = value.numbers.of_row(row)
    one = walk(own.flow, 0)
    begin = one.values[0] if laboratory.relative and one.values.size and one.values[0] != 0 else 1.0  # 0/0: no NaN
    above = np.zeros(0) if value.norms is None else log10(bound(one, value.norms) / begin)
    found = own.horizon(laboratory)
    words = "no horizon"
    if np.isfinite(found.steps[0]):
        words = f"horizon {'≥ ' if found.censored[0] else ''}{whole(int(found.steps[0]))}"
        words += ", cut there" if found.cut[0] else ""
    return _Way(one, log10(one.values / begin), above, own.marks[0, one.times] == LOST, words)


def _caption(found: Found, way: _Way) -> str:
    """What stands below the plot."""
    name, values = found.model.name, way.one.values
    if not (values > 0).any() and not np.isnan(values).any():
        return f"{name}: no loss at this time step"
    if np.isnan(values).any():
        return f"{name}: NaN, {way.horizon}"
    rate = way.one.fit.rate
    where = f" in the {_stage_of(found.model)}" if found.value.numbers.flow.crosses else ""
    factor = f" ×{short(rate)} a time step{where} ·" if np.isfinite(rate) else ":"
    return f"{name}{factor} {way.horizon}"


def _stage_of(model: ShownModel) -> str:
    """What the stage is called in which the losses lie."""
    return model.network.stage(model.row[-1].name if model.row else model.layer_name).words


def _told(found: Found, way: _Way, t: int) -> str:
    """What is told of a time step."""
    name, at = found.model.name, np.flatnonzero(way.one.times == t - 1)
    if not at.size and (cut := found.value.numbers.cut_words(found.value.numbers.row_near(way.one.k + 1), t)):
        return f"{name}: {cut}"
    if not at.size:
        return f"{name}: the loss at k = {whole(way.one.k + 1)} does not reach it"
    place = int(at[0])
    words = f"{name}: {short(way.one.values[place])}"
    if way.lost[place]:
        words += f" ({WORDS[LOST]})"
    if found.value.norms is not None:
        words += f", bound {short(bound(way.one, found.value.norms)[place])}"
    elif found.value.no_bound:
        words += f", no bound: {found.value.no_bound}"
    fit = way.one.fit
    if np.isfinite(fit.rate):
        words += f"; ×{short(fit.rate)} a time step, R² {fit.quality:.2f} of {whole(fit.points)} time steps"
    return words
