"""The gradient magnitudes ‖∂L/∂h_t‖ and ‖∂L/∂x_t‖ of all models, as log₁₀."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power, short
from rnnviz.gui.canvas.items.chain import VANISHED
from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.lane import Heights, LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel
from rnnviz.gui.canvas.lanes.value_axes import logarithmic, magnitude_words

_STRAIGHT = 0.985  # R² above which a curve is called one factor for each time step
_SHORTEST_FIT = 8  # time steps
_SMALLEST = -290.0  # log₁₀, near that of the smallest float64


class InputGradientLane(CurveLane):
    """How far a loss reaches back in the input: of a network without states no further than its window."""

    heights = Heights(70, 110, 240, compact=54, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Input gradient", "‖∂L/∂xₜ‖, log₁₀")
        self.tip_words = magnitude_words

    def show(self, shown: Shown) -> None:
        curves = list[Curve]()
        self.tips, self.present = [], {}
        for model in shown.models:
            values, lost = model.log_input_gradient, model.lost_input_gradient
            if values.size:
                curves += self.magnitudes(model, model.name, values, lost, zeros=model.carries)
        self.plot.set_curves(curves, logarithmic([curve.values for curve in curves]))

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*super().rests(shown), *shown.kept_away)


def _input_gradient(shown: Shown) -> list[Offer]:
    """On unless switched where it is all that tells how far a model reaches back."""
    on = not all(model.carries for model in shown.models)
    return [Offer("input_gradient", "Input-gradient magnitude", on, InputGradientLane)]


INPUT_GRADIENT = LaneKind(_input_gradient)


class GradientLane(CurveLane):
    """One curve for each model; a straight one is told as the factor of each step back (Bengio 1994)."""

    heights = Heights(84, 150, 420, compact=60, gap=10)

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Gradient", "‖∂L/∂hₜ‖, log₁₀")
        self.tip_words = magnitude_words

    def show(self, shown: Shown) -> None:
        curves = list[Curve]()
        self.tips, self.present = [], {}
        for model in shown.models:
            values = model.log_gradient
            if values.size:
                words = _words(_named(model), _followed(shown, model, values)) if model.carries else model.name
                curves += self.magnitudes(model, words, values, model.lost_gradient, zeros=model.carries)
        zone = None if all(np.isnan(curve.values).all() for curve in curves) else VANISHED  # NaN has not vanished
        words = f"vanished: below {power(int(VANISHED))}"
        axis = logarithmic([curve.values for curve in curves], zone=zone, words=words)
        self.plot.set_curves(curves, replace(axis, hatched=shown.cuts.beyond))  # what is cut has not vanished

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*super().rests(shown), *shown.kept_away)


GRADIENT = LaneKind(lambda _: [Offer("gradient", "Gradient magnitude", True, GradientLane)])


def _followed(shown: Shown, model: ShownModel, values: Array) -> Array:
    """What of a curve gradients come to."""
    return values[shown.cuts.beyond :][model.there[shown.cuts.beyond :]]


def _named(model: ShownModel) -> str:
    """The model's name, and whose gradient it is where it is not that of h."""
    symbol = model.structure.equations.followed_symbol
    return model.name if symbol == "h" else f"{model.name} (∂L/∂{symbol})"


def _words(name: str, log_magnitudes: Array) -> str:
    """What is written beside a model's curve: its name, and what can be said of the whole curve."""
    if not np.isfinite(log_magnitudes).any() and np.isnan(log_magnitudes).any():
        return f"{name}: not finite"
    factor = step_factor(log_magnitudes)
    return name if factor is None else f"{name}: ×{short(factor)} each step back"


def step_factor(log_magnitudes: Array) -> float | None:
    """By what a straight curve of log₁₀ magnitudes (T,) is multiplied at each step back; None where it is not straight.

    The last twentieth is left out: there the loss has only just entered. Zeros and NaN make it no straight line, but
    for zeros that are too small for float64.
    """
    part = log_magnitudes[: max(int(log_magnitudes.size * 0.95), 1)]
    zeros = np.isneginf(part)
    if zeros.any() and part[~zeros].min(initial=0.0) < _SMALLEST:
        part = part[~zeros]
    if part.size < _SHORTEST_FIT or not np.isfinite(part).all():
        return None
    t = np.arange(part.size, dtype=np.float64)
    slope, start = np.polyfit(t, part, 1)
    spread = float(((part - part.mean()) ** 2).sum())
    left = float(((part - (start + slope * t)) ** 2).sum())
    if spread <= 0 or 1 - left / spread < _STRAIGHT:
        return None
    return float(10.0**-slope)
