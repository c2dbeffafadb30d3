"""Step Jacobians: the largest singular value and the largest |eigenvalue| of each, over the time steps."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.jacobians import Spectra, spectra
from rnnviz.core.magnitude import log10
from rnnviz.core.numbers import short, whole
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.core.sweeps.verdicts.underflow import SURE
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.gradients.card import Found, Partial, Sight, Spot, Table, carries_nothing, rest_words, seldom
from rnnviz.gui.gradients.over_time import OverTime
from rnnviz.gui.gradients.plots.plot import Plot, above_legend, magnitude_axis, time_axis
from rnnviz.gui.network.drawing import Drawing, Line
from rnnviz.gui.state.laboratory import Laboratory

_RADIUS_DASH = (3.5, 2.5)


@dataclass(frozen=True, eq=False)
class JacobianNumbers:
    """Of the time steps known by now, those of radii fewer than those of norms."""

    norms: Array  # (n,) float64
    radii: Array  # (m,) float64
    lost: Array  # (n,) bool: where a norm is of the float64 rebuild, because float32 has lost it
    start: int = 0  # the time step before the first one

    @property
    def logs(self) -> tuple[Array, Array]:
        """log₁₀ of both."""
        return log10(self.norms), log10(self.radii)


class JacobiansCard(OverTime):
    """All models in one plot."""

    key = "jacobians"
    of_jacobians = True
    symbol = "norm —, ρ - -"

    def lacks(self, model: ShownModel) -> str:
        return carries_nothing(model)

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        return seldom(_parts(model))

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing, look = Drawing(), sight.theme
        plot, said = self._plot(sight, area)
        drawing.add(*said.marks)
        plot.draw_frame(drawing, look, "time step t", "size of ∂h_{t}/∂h_{t−1}")
        ends = QPointF(plot.frame.left(), plot.y_pixel(0)), QPointF(plot.frame.right(), plot.y_pixel(0))
        drawing.add(Line("one", ends, look.color("muted"), 1.2, dashed=True))
        for place, found in enumerate(sight.known):
            model, (norms, radii) = found.model, found.value.logs
            steps = found.value.start + np.arange(1, len(norms) + 1)
            odd, cut, lost = look.color("not_finite"), _cut_before(model, sight), found.value.lost
            key, away = f"norm {place}", np.isin(steps, cut)
            plot.draw_magnitudes(drawing, key, steps, norms, model.color, model.dash, lost, odd, cut=away)
            color, steps, away = look.mixed(model.color, 0.75), steps[: len(radii)], away[: len(radii)]
            key, dash = f"radius {place}", _RADIUS_DASH
            plot.draw_magnitudes(drawing, key, steps, radii, color, dash, odd=odd, width=1.1, cut=away)
        return drawing

    def cuts(self, sight: Sight) -> Cuts:
        """At its edges alone: a step Jacobian is there at every time step."""
        return replace(sight.shown.cuts, beyond=0)

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        t = time_step
        words = [f"t = {whole(t)}"]
        for found in sight.known:
            numbers: JacobianNumbers = found.value
            if t in _cut_before(found.model, sight):
                words.append(f"{found.model.name}: cut (truncated), no gradient passes")
            elif 0 <= (place := t - 1 - numbers.start) < len(numbers.norms):
                radius = f", radius {short(numbers.radii[place])}" if place < len(numbers.radii) else ""
                words.append(f"{found.model.name}: norm {short(numbers.norms[place])}{radius}")
            elif rest := rest_words(found.model, t, alone=True):
                words.append(f"{found.model.name}: {rest}")
        return Spot("\n".join(words), t)

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {"t": np.arange(1, sight.shown.time_steps + 1)}
        for found in sight.known:
            before = np.full(found.value.start, np.nan)
            columns[f"{found.model.name} norm"] = np.concatenate([before, found.value.norms])
            columns[f"{found.model.name} radius"] = np.concatenate([before, found.value.radii])
        return Table(columns)

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        return self._plot(sight, area)[0]

    @staticmethod
    def _plot(sight: Sight, area: QRectF) -> tuple[Plot, Drawing]:
        def make() -> tuple[Plot, Drawing]:
            lines = [(_words(found), found.model.color) for found in sight.known]
            axis = magnitude_axis([logs for numbers in sight.values for logs in numbers.logs], include=0.0)
            return above_legend(area, lines, time_axis(sight.shown.time_steps), axis)

        return sight.once(area.getRect(), make)


def _parts(model: ShownModel) -> Iterator[Partial]:
    """Norms first; where float32 has no digits of one, all of the float64 rebuild."""
    assert model.layer is not None  # it has a trace
    assert model.sequence is not None
    for found in spectra(model.layer):
        small = bool((found.norms[found.start : found.norms_known] < SURE).any())
        if small and not model.sequence.without_exact:
            break
        yield _part(found)
    else:
        return
    for found in spectra(model.sequence.exact.layer(model.layer_name)):
        yield _part(found, model.layer.output.dtype == np.float32)


def _part(found: Spectra, exact: bool = False) -> Partial:
    norms, length = found.norms[found.start : found.norms_known], max(found.stop - found.start, 1)
    lost = (norms > 0) & (norms < float(np.finfo(np.float32).tiny)) & exact
    radii = found.radii[found.start : found.radii_known]
    numbers = JacobianNumbers(norms, radii, lost, found.start)
    return Partial(numbers, 1.0 if found.whole else 0.5 * (len(norms) + len(radii)) / length)


def _words(found: Found) -> str:
    """What is usual of a model."""
    numbers: JacobianNumbers = found.value
    norm, radius = _middle(numbers.norms), _middle(numbers.radii)
    return f"{found.model.name}: median {norm}" + (f", ρ {radius}" if len(numbers.radii) else "")


def _middle(sizes: Array) -> str:
    known = sizes[~np.isnan(sizes)]
    return short(float(np.median(known))) if len(known) else "NaN"


def _cut_before(model: ShownModel, sight: Sight) -> list[int]:
    """The time steps, from 1, through whose step Jacobians truncation lets nothing."""
    reverse = model.layer is not None and model.layer.reverse
    return [edge + (not reverse) for edge in sight.shown.cuts.edges]
