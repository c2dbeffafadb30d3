"""The gradient of every unit of a state: where in the layer it lives on, not only how large it is in all."""

import numpy as np

from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.shown import Shown

WORDS = {"h": "hidden gradient", "c": "cell gradient"}
_MOST_DECADES = 20.0  # below the largest gradient; what is smaller has the colour of the smallest


class GradientUnitsLane(HeatLane):
    """log₁₀ |∂L/∂h_t| or |∂L/∂c_t|, one row a unit; a gradient of exactly zero is −∞, counted in the label."""

    def __init__(self, shown: Shown, model: int, letter: str) -> None:
        key = f"gradients: {letter}"
        super().__init__(shown, key, WORDS[letter], f"∂L/∂{letter}", model, shown.theme.magnitude_map())
        self.letter = letter

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        plain = [each.gradient(self.letter) for each in shown.models if each.base is None]  # a difference has its own
        finite = [values[np.isfinite(values)] for values in plain]
        high = np.ceil(max((float(values.max()) for values in finite if values.size), default=0.0))
        low = np.floor(min((float(values.min()) for values in finite if values.size), default=-1.0))
        low = max(min(low, high - 1.0), high - _MOST_DECADES)
        self.set_units(model, model.gradient(self.letter), low, high, f"log₁₀ |∂L/∂{self.letter}|")
