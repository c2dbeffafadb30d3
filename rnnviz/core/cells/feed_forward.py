"""The feed-forward cells: h_t = φ(W_ih x_t + b_ih), φ one of tanh, ReLU, sigmoid, and nothing is carried in time.

MLP: each time step alone. TDNN (Waibel et al. 1989): its first layer reads a window, the last k inputs side by side,
which a front end stacks (`sweeps.steps.window`); so no loss reaches further back than k − 1 time steps. They are what
recurrence is compared with.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from rnnviz.core.cells.cell import Activation, Cell, CellKind, Options, from_input, parameters
from rnnviz.core.cells.units import pre_activation, squashed_units
from rnnviz.core.cells.vanilla import ACTIVATIONS
from rnnviz.core.setting import OneOf, WholeNumber, setting

MOST_WINDOW = 200  # time steps


def _maker(name: str, words: str, input_symbol: str) -> Callable[[Options], Cell]:
    def make(options: Options) -> Cell:
        """One pre-activation a, no state."""
        a = pre_activation(("wx",), ("ih",) if options.bias else ())
        return Cell(
            name,
            words,
            ("a",),
            parameters(options.bias, recurrent=False),
            (from_input(), a, squashed_units(options.activation)),
            states=(),
            input_symbol=input_symbol,
        )

    return make


_WORDS = "φ of h_t = φ(W_ih x_t + b); needs a restart"


@dataclass(frozen=True)
class MlpSettings:
    """What an MLP lets a person choose."""

    activation: Activation = field(default="tanh", metadata=setting("Activation", OneOf(ACTIVATIONS), _WORDS))


@dataclass(frozen=True)
class TdnnSettings:
    """What a TDNN lets a person choose."""

    window: int = field(
        default=5,
        metadata=setting(
            "Window",
            WholeNumber(1, MOST_WINDOW),
            "How many inputs are read at each time step, the newest and those before it; needs a restart",
            short="window",
            step=1,
        ),
    )
    activation: Activation = field(default="tanh", metadata=setting("Activation", OneOf(ACTIVATIONS), _WORDS))


_NO_STATE = "which has no state to carry"

MLP = CellKind(
    "mlp",
    "MLP",
    _maker("mlp", "MLP", "x_t"),
    hue=5,
    activations=tuple(ACTIVATIONS),
    settings=MlpSettings,
    one_direction=_NO_STATE,
    note="No recurrence: each time step is answered from its own input alone, and no loss reaches an earlier one.",
)
TDNN = CellKind(
    "tdnn",
    "TDNN",
    _maker("tdnn", "TDNN", "X_t"),
    hue=5,
    activations=tuple(ACTIVATIONS),
    settings=TdnnSettings,
    one_direction=_NO_STATE,
    note="No recurrence: a feed-forward network over the last k inputs. Its memory ends with the window.",
)
