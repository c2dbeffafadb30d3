"""One gate of an LSTM or GRU."""

from rnnviz.gui.canvas.lanes.heat_lane import HeatLane
from rnnviz.gui.canvas.lanes.shown import Shown

_SIGNED = ("g", "n")  # candidates: tanh, between −1 and 1


class GateLane(HeatLane):
    """A gate between 0 and 1 in its own hue; a candidate between −1 and 1 in the colours of the states."""

    def __init__(self, shown: Shown, model: int, letter: str, words: str) -> None:
        table = shown.theme.signed_map() if letter in _SIGNED else shown.theme.gate_map(letter)
        super().__init__(shown, f"gates: {letter}", words, letter, model, table)
        self.letter = letter

    def show(self, shown: Shown) -> None:
        low = -1.0 if self.letter in _SIGNED else 0.0
        model = self.shown_model(shown)
        self.set_units(model, model.gate(self.letter), low, 1.0, self.letter)
