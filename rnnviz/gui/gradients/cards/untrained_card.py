"""Untrained network: states and gradients of all models as their settings begin them, redrawn while a slider moves."""

import math
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtWidgets import QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.untrained import SEEDS, Band, continued, untrained
from rnnviz.core.magnitude import l2, log10
from rnnviz.core.numbers import whole
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.canvas.lanes.value_axes import logarithmic, magnitude_words
from rnnviz.gui.gradients.card import Card, Found, Partial, Sight, Spot, Table
from rnnviz.gui.gradients.cards.untrained_controls import UntrainedControls
from rnnviz.gui.gradients.plots.marks import Area
from rnnviz.gui.gradients.plots.plot import Plot, draw_names, magnitude_axis, time_axis
from rnnviz.gui.network.drawing import Drawing
from rnnviz.gui.state.laboratory import Laboratory
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

_LINE, _BETWEEN = 16.0, 12.0
_BAND = 0.2  # opacity
_MULTIPLY_ADDS = 60_000_000  # of the seeds that are swept at once


@dataclass(frozen=True, eq=False)
class Begun:
    """One model before any training, over all seeds."""

    gradients: Array  # (T, K) ‖∂L/∂h_t‖
    states: Array  # (T, K) ‖h_t‖

    @cached_property
    def gradient_band(self) -> Band:
        return Band.of(self.gradients)

    @cached_property
    def state_band(self) -> Band:
        return Band.of(self.states)

    @cached_property
    def gradient(self) -> Band:
        """In log₁₀."""
        return Band(*(log10(part) for part in self.gradient_band))

    @cached_property
    def state(self) -> Band:
        """In log₁₀."""
        return Band(*(log10(part) for part in self.state_band))

    @property
    def reach(self) -> float:
        """Median over seeds of ‖∂L/∂h₁‖ / ‖∂L/∂h_T‖."""
        with np.errstate(all="ignore"):
            return float(np.median(self.gradients[0] / self.gradients[-1]))


class UntrainedCard(Card):
    """The median over 20 seeds with the 10–90 % band; L is uᵀh_T, so that no head and no task is needed."""

    key = "untrained"
    of_operations = True
    columns = 2
    controls_beside = 236

    def given(self, state: State) -> Mapping[str, Any]:
        experiment = state.run.experiment
        return {"models": experiment.models if experiment is not None else ()}

    def hangs_on(self, laboratory: Laboratory, options: Mapping[str, Any]) -> Hashable:
        return tuple(sorted((name, value) for name, value in options.items() if name != "models")), options.get(
            "models"
        )

    def lacks(self, model: ShownModel) -> str:
        return (
            f"{model.name} has an encoder and a decoder, which are not drawn untrained."
            if model.network.several
            else ""
        )

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        assert model.sequence is not None  # it has a trace
        settings = changed_settings(settings_of_model(model, options), options)
        inputs = model.sequence.layers[0].x[: model.time_steps, 0]
        inputs = continued(inputs, int(options.get("time_steps", len(inputs))))
        output, parts = model.structure.equations.output, list[tuple[Array, Array]]()
        groups = _groups(settings, inputs)
        for number, seeds in enumerate(groups):
            found = untrained(
                settings,
                inputs,
                seeds=seeds,
                scale=float(options.get("scale", 1.0)),
                clip=float(options.get("clip", 0.0)),
                outputs=model.structure.output_size,
            )
            layer = next((one for one in found.layers if one.name == model.layer_name), found.layers[0])
            parts.append((layer.gradients, l2(layer.states[output])))
            if seeds is not groups[-1]:
                yield Partial(None, (number + 1) / len(groups))
        yield Partial(Begun(*(np.concatenate(part, axis=1) for part in zip(*parts, strict=True))))

    def aside(self, sight: Sight) -> str:
        return f"L = uᵀh_{{T}}, median and 10–90 % of {len(SEEDS)} seeds"

    def draw(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        for number, (plot, y_words) in enumerate(self._plots(sight, area)):
            part, odd = Drawing(), sight.theme.color("not_finite")
            plot.draw_frame(part, sight.theme, "time step t", y_words)
            for found in sight.known:
                begun: Begun = found.value
                band, color = (begun.state, begun.gradient)[number], found.model.color
                times, key = np.arange(1, len(band.median) + 1), f"{number} {found.model.number}"
                shade = type(color)(color)
                shade.setAlphaF(_BAND)
                lower, upper = (_within(plot, part_) for part_ in (band.low, band.high))
                part.add(Area(f"{key} band", plot.xs(times), lower, upper, shade))
                plot.draw_magnitudes(part, key, times, band.median, color, found.model.dash, odd=odd)
            for mark in part.marks:
                mark.key = f"{number} {mark.key}" if not mark.key.startswith(f"{number} ") else mark.key
            drawing.add(*part.marks)
        lines = [(f"{found.model.name}: {_words(found)}", found.model.color) for found in sight.known]
        draw_names(drawing, QRectF(area.left() + 4, area.bottom() - len(lines) * _LINE, area.width() - 8, 0), lines)
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        for number, (plot, _) in enumerate(self._plots(sight, area)):
            if not plot.frame.contains(point):
                continue
            t = plot.time_step_at(point.x())
            lines = [f"t = {whole(t)}, before any training"]
            for found in sight.known:
                begun: Begun = found.value
                low, median, high = ((begun.state, begun.gradient)[number][part][t - 1] for part in range(3))
                what = "‖∂L/∂hₜ‖" if number else "‖hₜ‖"
                words = f"{magnitude_words(median)} ({magnitude_words(low)} to {magnitude_words(high)})"
                lines.append(f"{found.model.name}: {what} {words}")
            return Spot("\n".join(lines))
        return None

    def table(self, sight: Sight) -> Table:
        columns: dict[str, Array] = {}
        for found in sight.known:
            begun: Begun = found.value
            for name, band in (("state", begun.state_band), ("gradient", begun.gradient_band)):
                for part, values in zip(("10 %", "median", "90 %"), band, strict=True):
                    columns[f"{found.model.name} {name} {part}"] = values
        return Table(columns)

    def controls(self, store: Store, change: Callable[[Mapping[str, Any]], None]) -> QWidget | None:
        return UntrainedControls(store, change)

    @staticmethod
    def _plots(sight: Sight, area: QRectF) -> list[tuple[Plot, str]]:
        """States on the left, gradients on the right."""
        lines = len(sight.known) * _LINE
        half = (area.width() - _BETWEEN) / 2
        left = QRectF(area.left(), area.top(), half, area.height() - lines)
        states = [part for value in sight.values for part in value.state]
        gradients = [part for value in sight.values for part in value.gradient]
        longest = max((len(value.gradients) for value in sight.values), default=1)
        found = [(left, magnitude_axis(states), "‖hₜ‖, log₁₀")]
        found += [(left.translated(half + _BETWEEN, 0), logarithmic(gradients, decades=4), "‖∂L/∂hₜ‖, log₁₀")]
        return [(Plot.within(box, time_axis(longest), y), words) for box, y, words in found]


def _groups(settings: ModelSettings, inputs: Array) -> list[tuple[int, ...]]:
    """The seeds that are swept at once: all, but for a large network as many as keep memory and waiting small."""
    structure = settings.structure(int(inputs.shape[1]), 1)
    rows = structure.hidden_size * len(structure.equations.blocks) * structure.num_layers * structure.directions
    count = int(max(1, min(_MULTIPLY_ADDS // (len(inputs) * rows * structure.hidden_size), len(SEEDS))))
    return [SEEDS[first : first + count] for first in range(0, len(SEEDS), count)]


def _within(plot: Plot, logs: Array) -> Array:
    """Pixels of an edge of a band: zeros at the floor, what is not finite otherwise at the ceiling."""
    ys = plot.ys(np.where(np.isfinite(logs), logs, plot.y.high))
    return np.asarray(plot.held(np.where(np.isneginf(logs), plot.frame.bottom(), ys)))


def _words(found: Found) -> str:
    """How much of the gradient reaches the beginning."""
    reach: float = found.value.reach
    if math.isnan(reach):
        return "not finite"
    with np.errstate(divide="ignore"):
        return f"‖∂L/∂h_{{1}}‖ / ‖∂L/∂h_{{T}}‖ = {magnitude_words(float(np.log10(reach)))}"


def settings_of_model(model: ShownModel, options: Mapping[str, Any]) -> ModelSettings:
    """Those of the experiment, or what is known of a model that was loaded."""
    settings: tuple[ModelSettings, ...] = options.get("models", ())
    if model.number < len(settings) and settings[model.number].cell == model.structure.cell:
        return settings[model.number]
    known = model.structure
    return ModelSettings(model.name, known.cell, known.hidden_size, known.num_layers, known.directions > 1)


def changed_settings(settings: ModelSettings, options: Mapping[str, Any]) -> ModelSettings:
    """What the sliders make of a model: each setting where its cell has it."""
    having = {field.name for field in fields(settings.own)} if settings.own is not None else set()
    own = {name: options[name] for name in ("activation", "forget_bias", "spectral_radius") if name in options}
    own = {name: value for name, value in own.items() if name in having}
    if "spectral_radius" in own:
        own["initialisation"] = "spectral radius"
    if "forget_bias" in own and "chrono" in having:
        own["chrono"] = 0
    found = replace(settings, hidden_size=int(options.get("hidden_size", settings.hidden_size)))
    return replace(found, own=replace(settings.own, **own)) if own else found
