"""Every named tensor of a trace: symbol, words, range, colour family, and which cells have it."""

from enum import Enum

from rnnviz.core.structure import CellName

_ALL: tuple[CellName, ...] = ("vanilla", "lstm", "gru")
_SIGNED, _UNIT = (-1.0, 1.0), (0.0, 1.0)


class Quantity(Enum):
    """A tensor (T, N, ·) of one layer, to be asked of `Layer.quantity`.

    `range` is where tanh and sigmoid hold the values, None where nothing does (a ReLU's h_t exceeds it too).
    `family` chooses the colours: "input", "state", "cell", "gate:f", …, "pre-activation" or "gradient".
    """

    symbol: str
    words: str
    range: tuple[float, float] | None
    family: str
    cells: tuple[CellName, ...]

    def __init__(
        self, symbol: str, words: str, limits: tuple[float, float] | None, family: str, cells: tuple[CellName, ...]
    ) -> None:
        self.symbol = symbol
        self.words = words
        self.range = limits
        self.family = family
        self.cells = cells

    INPUT = "x_t", "input", None, "input", _ALL
    HIDDEN = "h_t", "hidden state", _SIGNED, "state", _ALL
    CELL = "c_t", "cell state", None, "cell", ("lstm",)
    INPUT_GATE = "i_t", "input gate", _UNIT, "gate:i", ("lstm",)
    FORGET_GATE = "f_t", "forget gate", _UNIT, "gate:f", ("lstm",)
    CANDIDATE = "g_t", "candidate", _SIGNED, "gate:g", ("lstm",)
    OUTPUT_GATE = "o_t", "output gate", _UNIT, "gate:o", ("lstm",)
    RESET_GATE = "r_t", "reset gate", _UNIT, "gate:r", ("gru",)
    UPDATE_GATE = "z_t", "update gate", _UNIT, "gate:z", ("gru",)
    NEW = "n_t", "new state", _SIGNED, "gate:n", ("gru",)
    PRE_ACTIVATION = "a_t", "pre-activation", None, "pre-activation", ("vanilla",)
    HIDDEN_GRAD = "∂L/∂h_t", "hidden gradient", None, "gradient", _ALL
    DIRECT_GRAD = "∂L_t/∂h_t", "direct gradient", None, "gradient", _ALL
    CARRIED_GRAD = "(∂h_{t+1}/∂h_t)ᵀ ∂L/∂h_{t+1}", "carried gradient", None, "gradient", _ALL
    CELL_GRAD = "∂L/∂c_t", "cell gradient", None, "gradient", ("lstm",)
    INPUT_GRAD = "∂L/∂x_t", "input gradient", None, "gradient", _ALL

    @property
    def gate(self) -> str | None:
        """The gate's letter, None for what is not a gate."""
        return self.family.removeprefix("gate:") if self.family.startswith("gate:") else None


BY_LETTER = {  # what a cell computes on the way to h, by the letters of its equations
    "h": Quantity.HIDDEN,
    "c": Quantity.CELL,
    "i": Quantity.INPUT_GATE,
    "f": Quantity.FORGET_GATE,
    "g": Quantity.CANDIDATE,
    "o": Quantity.OUTPUT_GATE,
    "r": Quantity.RESET_GATE,
    "z": Quantity.UPDATE_GATE,
    "n": Quantity.NEW,
    "a": Quantity.PRE_ACTIVATION,
}
