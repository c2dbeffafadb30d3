"""Two paths of a cell with a cell state: the gradients of h and c apart, and that along c alone."""

from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.extremes import Mark, seen
from rnnviz.core.gradients.flow_of import cell_states
from rnnviz.core.gradients.paths import Paths, path_steps
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import short, whole
from rnnviz.core.sweeps.verdicts.underflow import SURE
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, resting
from rnnviz.gui.gradients.flows import takes_unit_losses, told
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.plots.legend import Entry, draw_legend, legend_height
from rnnviz.gui.gradients.plots.log_colors import LOST, WORDS
from rnnviz.gui.gradients.plots.plot import Plot, magnitude_axis, time_axis
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.fields import Choice

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer

_X = "time step t"
_ALONE = (4.0, 2.5)  # the dash of what comes along the cell state alone


@dataclass(frozen=True, eq=False)
class PathNumbers:
    """Magnitudes by path, T each; those of float64 where float32 has lost them."""

    hidden: Array  # ‖∂L/∂h_t‖ by all paths
    cell: Array  # ‖∂L/∂c_t‖ by all paths
    alone: Array  # ‖∂L/∂c_t‖ along the cell state
    lost: Array  # (3, T) bool: float32 has lost it
    k: int | None  # from 1; None: L, all losses together
    unit: bool
    cell_symbol: str

    @cached_property
    def ends(self) -> Array:
        """(2,) log₁₀ of the smallest and the largest; (0,) without any."""
        logs = log10(np.concatenate([self.hidden, self.cell, self.alone]))
        known = logs[np.isfinite(logs)]
        return np.array([known.min(), known.max()]) if known.size else known

    @property
    def curves(self) -> tuple[tuple[str, Array], ...]:
        """By the name they have in the table."""
        return ("h", self.hidden), (self.cell_symbol, self.cell), (f"{self.cell_symbol} alone", self.alone)


class PathsCard(OverTime):
    """Three curves of one model."""

    key = "paths"
    of_jacobians = True
    each_model = True
    has_loss = True

    def lacks(self, model: ShownModel) -> str:
        if cell_states(model.structure.equations):
            return ""
        return f"{model.name} has no cell state beside h: there are no two paths."

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return (laboratory.losses, laboratory.loss) if options.get("one") else ()

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        k = laboratory.loss - 1 if options.get("one") else None
        assert model.sequence is not None  # it has a trace
        assert model.layer is not None
        unit = k is not None and takes_unit_losses(model.sequence, model.layer, laboratory)
        yield Partial((yield from told(_found(model, k, unit))))

    def aside(self, sight: Sight) -> str:
        if not sight.known:
            return ""
        numbers: PathNumbers = sight.known[0].value
        if numbers.k is None:
            return "L, all losses"
        return f"unit loss uᵀh_{{{numbers.k}}}" if numbers.unit else f"k = {whole(numbers.k)}"

    def short_aside(self, sight: Sight) -> str:
        return "".join(_loss(found.value) for found in sight.known)

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, plot = Drawing(), self.plot(sight, area)
        for found in sight.known:
            numbers: PathNumbers = found.value
            plot.draw_frame(drawing, sight.theme, _X, "gradient magnitude")
            times, odd = np.arange(1, len(numbers.hidden) + 1), sight.theme.color("not_finite")
            entries = self._entries(found, sight)
            away = (times <= sight.shown.cuts.beyond) | resting(found.model, times, alone=True)
            for (name, values), entry, lost in zip(numbers.curves, entries, numbers.lost, strict=True):
                assert entry.color is not None  # a line's
                plot.draw_magnitudes(drawing, name, times, log10(values), entry.color, entry.dash, lost, odd, cut=away)
            place = QRectF(area.left() + 2, area.bottom() - self._legend(sight, area), area.width() - 2, 60)
            draw_legend(drawing, place, entries, sight.theme)
        return drawing

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        for found in sight.known:
            numbers: PathNumbers = found.value
            t = min(time_step, len(numbers.hidden))
            lines = [f"{found.model.name}, time step {whole(t)}"]
            for number, (entry, (_, values)) in enumerate(
                zip(self._entries(found, sight), numbers.curves, strict=True)
            ):
                lost = f" ({WORDS[LOST]})" if numbers.lost[number, t - 1] else ""
                lines.append(f"{marked_text.plain(entry.words)}: {short(values[t - 1])}{lost}")
            return Spot("\n".join(lines), t, None, found.model.number)
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            columns[f"{found.model.name} t"] = np.arange(1, len(found.value.hidden) + 1)
            for name, values in found.value.curves:
                columns[f"{found.model.name} {name}"] = values
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget:
        field = Choice(((False, "all losses together"), (True, "the loss looked at")), flat=True)
        field.setAccessibleName("Loss")
        field.setToolTip("The gradient of L, as training has it, or of the one loss L_k that is looked at")
        field.chosen.connect(lambda one: change({"one": one}))
        return field

    @staticmethod
    def _entries(found: Found, sight: Sight) -> list[Entry]:
        c, text = found.value.cell_symbol, sight.theme.color("text")
        return [
            Entry(f"∂{_loss(found.value)}/∂h_{{t}}", found.model.color, True),
            Entry(f"∂{_loss(found.value)}/∂{c}_{{t}}", text, True),
            Entry(f"by {c} alone", text, True, _ALONE),
        ]

    def _legend(self, sight: Sight, area: QRectF) -> float:
        entries = (self._entries(found, sight) for found in sight.known)
        return max((legend_height(one, area.width() - 2) for one in entries), default=0.0)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        axis = magnitude_axis([numbers.ends for numbers in sight.values])
        length = max((len(numbers.hidden) for numbers in sight.values), default=1)
        room = area.adjusted(0, 0, 0, -self._legend(sight, area) - 2)
        return Plot.within(room, time_axis(length), axis, x_words=_X)


def _loss(numbers: PathNumbers) -> str:
    """Its symbol."""
    if numbers.k is None:
        return "L"
    return f"{'uᵀh' if numbers.unit else 'L'}_{{{numbers.k}}}"


def _found(model: ShownModel, k: int | None, unit: bool) -> Generator[float, None, PathNumbers]:
    """Of the trace, and where float32 has lost it of the float64 rebuild."""
    trace, layer = model.sequence, model.layer
    assert trace is not None  # it has a trace
    assert layer is not None
    kept = _stacked((yield from path_steps(layer, 0, k, unit=unit)))
    exact = None
    if _unsure(layer, kept) and not trace.without_exact:
        exact = _stacked((yield from path_steps(trace.exact.layer(layer.name), 0, k, unit=unit)))
    values, marks = seen(kept, layer.output.dtype.name, exact)
    symbol = layer.equations.node(cell_states(layer.equations)[0]).symbol.removesuffix("_t")
    hidden, cell, alone = values
    lost = marks == Mark.UNDERFLOW
    return PathNumbers(hidden, cell, alone, lost, None if k is None else k + 1, unit, symbol)


def _stacked(paths: Paths) -> Array:
    return np.array([paths.hidden_all, paths.cell_all, paths.cell_alone])


def _unsure(layer: "Layer", kept: Array) -> bool:
    """Whether float32 may have lost magnitudes that are not 0."""
    turned = kept if layer.reverse else kept[:, ::-1]
    reached = np.logical_or.accumulate(turned > 0, axis=1)
    return layer.output.dtype == np.float32 and bool((reached & (turned < SURE)).any())
