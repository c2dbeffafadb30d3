"""A selective state space, one number of state for each unit (Mamba's recurrence; Gu & Dao 2023).

u = W_u x   Δ = softplus(W_Δ x + b_Δ)   B = W_B x   C = W_C x   Ā = exp(A ⊙ Δ), A = −exp(A_log)
s = Ā ⊙ s_{t−1} + Δ ⊙ B ⊙ u   h = C ⊙ s + D ⊙ u

Its step Jacobian is the diagonal of Ā_t, which the input chooses through Δ. In Mamba all channels share B and C and
each has several numbers of state; the convolution and the gate around it are not part of the recurrence.
"""

from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.cell import Cell, CellKind, Options, Parameter, from_input
from rnnviz.core.cells.node import (
    Diagonal,
    Exp,
    Form,
    FromWeights,
    Node,
    Product,
    Softplus,
    Sum,
    Value,
    Weight,
)
from rnnviz.core.cells.units import summed_units
from rnnviz.core.setting import RealNumber, setting

_RATE = Form("−exp({0})", lambda n, w: -n.exp(w[0]))
_RATE_BY = Form("(−exp({0}))", _RATE.compute)


def _make(options: Options) -> Cell:
    """Input u, what is written B and shown C, step Δ, decay Ā."""
    bias = (Parameter("bias_delta", "b_Δ", "hidden", ""),) if options.bias else ()
    return Cell(
        "ssm",
        "selective SSM",
        ("u", "write", "show", "delta"),
        (
            Parameter("weight_ih", "W_{ih}", "rows", "input"),
            *bias,
            Parameter("a_log", "A_{log}", "hidden", ""),
            Parameter("weight_d", "D", "hidden", ""),
        ),
        (
            from_input(),
            _gate("u", "u_t", "candidate", "what is read", "candidate"),
            _gate("write", "B_t", "input matrix", "how much of u is written", "input"),
            _gate("show", "C_t", "output matrix", "how much of s is shown", "output"),
            *_step(tuple(Weight(one.name) for one in bias)),
            *_decay(),
            Node("kept", Product(Value("keep"), Value("s", before=True)), "s", path="along Ā ⊙ s at"),
            Node("scaled", Product(Value("delta"), Value("write")), "s"),
            Node("written", Product(Value("scaled"), Value("u")), "s"),
            Node(
                "s", Sum((Value("kept"), Value("written"))), "", "s_t", "inner state", role="state", family="cell",
                settable=True,
            ),
            Node("shown", Product(Value("show"), Value("s")), "h"),
            Node("through", Diagonal(Weight("weight_d"), Value("u")), "h"),
            summed_units("shown", "through"),
        ),
        states=("s",),
    )  # fmt: skip


def _step(bias: tuple[Weight, ...]) -> tuple[Node, ...]:
    """Δ and its pre-activation."""
    total = Sum((Value("wx", block="delta"), *bias))
    return (
        Node("a_delta", total, "", "a_{Δ,t}", "pre-activation of the step", role="pre-activation"),
        Node(
            "delta", Softplus(Value("a_delta")), "", "Δ_t", "step", "how far this time step goes", role="gate",
            family="input", settable=True,
        ),
    )  # fmt: skip


def _decay() -> tuple[Node, ...]:
    """Ā = exp(A ⊙ Δ), and A."""
    rate = FromWeights((Weight("a_log"),), _RATE, (_RATE_BY,))
    return (
        Node("rate", rate, "", "A_t", "rate of decay", settable=True),
        Node("exponent", Product(Value("rate"), Value("delta")), "keep"),
        Node(
            "keep", Exp(Value("exponent")), "keep", "Ā_t", "decay", "how much is kept", limits=(0.0, 1.0), role="gate",
            family="forget", settable=True,
        ),
    )  # fmt: skip


def _gate(name: str, symbol: str, words: str, explained: str, family: str) -> Node:
    """A block of W_ih x as it is."""
    operation = Sum((Value("wx", block=name),))
    return Node(name, operation, "", symbol, words, explained, role="gate", family=family, settable=True)


@dataclass(frozen=True)
class SsmSettings:
    """How far the time steps of a selective SSM go at the beginning (Gu & Dao 2023)."""

    step_min: float = field(
        default=0.001,
        metadata=setting(
            "Step from",
            RealNumber(1e-6, 100.0),
            "The smallest Δ before training, where x is 0: a small one keeps the state; needs a restart",
            short="step from",
            begins=True,
        ),
    )
    step_max: float = field(
        default=0.1,
        metadata=setting(
            "Step to",
            RealNumber(1e-6, 100.0),
            "The largest Δ before training, where x is 0: a large one forgets; needs a restart",
            short="step to",
            begins=True,
        ),
    )


def begin_steps(settings: SsmSettings, drawn: Drawn) -> dict[str, Array]:
    """b_Δ so that softplus(b_Δ) is log-uniform between the two steps, A uniform in −16…−1, D = 1 (as in Mamba 2)."""
    low, high = sorted((settings.step_min, settings.step_max))
    step = np.exp(drawn.random.uniform(np.log(low), np.log(high), drawn.hidden))
    found = {"a_log": np.log(drawn.random.uniform(1, 16, drawn.hidden)), "weight_d": np.ones(drawn.hidden)}
    if "bias_delta" in drawn.weights:
        found["bias_delta"] = step + np.log(-np.expm1(-step))  # softplus backwards
    return found


SSM = CellKind(
    "ssm",
    "selective SSM",
    _make,
    hue=2,
    settings=SsmSettings,
    begin=begin_steps,
    note="A linear recurrence: ∂s_T/∂s_t is the product of Ā = exp(A ⊙ Δ), and nothing vanishes where Δ is near 0. The "
    "input chooses Δ, what is written and what is shown, but Ā is positive and does not see s: it cannot tell parity.",
)
