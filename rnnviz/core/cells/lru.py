"""The linear recurrent unit (Orvieto et al. 2023, "Resurrecting recurrent neural networks for long sequences").

Λ = exp(−e^ν + i e^θ)   s = Λ ⊙ s_{t−1} + γ ⊙ (B x)   h = Re(C s) + D x   γ = e^{γ_log}

s is complex, its real and imaginary part s′ and s″ are two states; B and C are complex too, each as two matrices.
∂s_T/∂s_t is Λ^{T−t}: the same whatever is read. |Λ| < 1 whatever the weights are.
"""

from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.cell import Cell, CellKind, Options, Parameter
from rnnviz.core.cells.node import (
    Difference,
    Form,
    FromWeights,
    ImaginaryPart,
    Matrix,
    Node,
    Product,
    RealPart,
    Sum,
    Value,
    Weight,
)
from rnnviz.core.cells.units import summed_units
from rnnviz.core.setting import RealNumber, setting

# of ν and θ: the modulus is exp(−e^ν), the angle e^θ
_REAL = Form("exp(−exp({0})) ⊙ cos(exp({1}))", lambda n, w: n.exp(-n.exp(w[0])) * n.cos(n.exp(w[1])))
_REAL_BY = (
    Form(
        "(−exp({0})) ⊙ exp(−exp({0})) ⊙ cos(exp({1}))",
        lambda n, w: -n.exp(w[0]) * n.exp(-n.exp(w[0])) * n.cos(n.exp(w[1])),
    ),
    Form(
        "(−exp({1})) ⊙ exp(−exp({0})) ⊙ sin(exp({1}))",
        lambda n, w: -n.exp(w[1]) * n.exp(-n.exp(w[0])) * n.sin(n.exp(w[1])),
    ),
)
_IMAGINARY = Form("exp(−exp({0})) ⊙ sin(exp({1}))", lambda n, w: n.exp(-n.exp(w[0])) * n.sin(n.exp(w[1])))
_IMAGINARY_BY = (
    Form(
        "(−exp({0})) ⊙ exp(−exp({0})) ⊙ sin(exp({1}))",
        lambda n, w: -n.exp(w[0]) * n.exp(-n.exp(w[0])) * n.sin(n.exp(w[1])),
    ),
    Form(
        "exp({1}) ⊙ exp(−exp({0})) ⊙ cos(exp({1}))",
        lambda n, w: n.exp(w[1]) * n.exp(-n.exp(w[0])) * n.cos(n.exp(w[1])),
    ),
)
_EXP = Form("exp({0})", lambda n, w: n.exp(w[0]))


_MARKS = {"re": "′", "im": "″"}  # s = s′ + i s″


def _make(options: Options) -> Cell:
    """The eigenvalue of each unit as its two parts; the paper's recurrence has no bias."""
    re, im = Value("re", before=True), Value("im", before=True)
    lam_re, lam_im, gamma = Value("lam_re"), Value("lam_im"), Value("gamma")
    eigenvalue = Weight("nu_log"), Weight("theta_log")
    return Cell(
        "lru",
        "LRU",
        ("re", "im"),
        (
            Parameter("weight_ih", "B", "rows", "input"),
            Parameter("nu_log", "ν", "hidden", ""),
            Parameter("theta_log", "θ", "hidden", ""),
            Parameter("gamma_log", "γ_{log}", "hidden", ""),
            Parameter("weight_cre", "C′", "output", "hidden"),
            Parameter("weight_cim", "C″", "output", "hidden"),
            Parameter("weight_d", "D", "output", "input"),
        ),
        (
            Node("wx", Matrix(Weight("weight_ih"), Value("x")), "B x", "u_t", "input of both parts", units="rows"),
            _eigenvalue("lam_re", FromWeights(eigenvalue, _REAL, _REAL_BY), "λ′_t", "Re Λ"),
            _eigenvalue("lam_im", FromWeights(eigenvalue, _IMAGINARY, _IMAGINARY_BY), "λ″_t", "Im Λ"),
            Node(
                "gamma",
                FromWeights((Weight("gamma_log"),), _EXP, (_EXP,)),
                symbol="γ_t",
                words="scale of the input",
                settable=True,
            ),
            _kept("re", RealPart((lam_re, re, lam_im, im))),
            Node("in_re", Product(gamma, Value("wx", block="re")), "re"),
            _state("re", "Re s"),
            _kept("im", ImaginaryPart((lam_re, im, lam_im, re))),
            Node("in_im", Product(gamma, Value("wx", block="im")), "im"),
            _state("im", "Im s"),
            Node("seen_re", Matrix(Weight("weight_cre"), Value("re")), "C s", "y′_t", "", units="output"),
            Node("seen_im", Matrix(Weight("weight_cim"), Value("im")), "C s", "y″_t", "", units="output"),
            Node("through", Matrix(Weight("weight_d"), Value("x")), "D x", "d_t", "input let through", units="output"),
            Node("seen", Difference(Value("seen_re"), Value("seen_im")), "h"),
            summed_units("seen", "through"),
        ),
        states=("re", "im"),
    )


def _eigenvalue(name: str, operation: FromWeights, symbol: str, words: str) -> Node:
    return Node(
        name, operation, "", symbol, words, "what of s is kept", limits=(-1.0, 1.0), role="gate", family="forget",
        settable=True,
    )  # fmt: skip


def _kept(name: str, operation: RealPart | ImaginaryPart) -> Node:
    return Node(f"kept_{name}", operation, name, f"k{_MARKS[name]}_t", "what of s is kept", path="along Λ ⊙ s at")


def _state(name: str, words: str) -> Node:
    operation = Sum((Value(f"kept_{name}"), Value(f"in_{name}")))
    return Node(name, operation, name, f"s{_MARKS[name]}_t", words, role="state", family="cell", settable=True)


@dataclass(frozen=True)
class LruSettings:
    """Where the eigenvalues of an LRU begin: in a ring (Orvieto 2023, lemma 3.2)."""

    r_min: float = field(
        default=0.9,
        metadata=setting(
            "Ring from",
            RealNumber(0.0, 1.0, high_excluded=True),
            "The smallest |λ| before training; needs a restart",
            short="ring from",
            begins=True,
        ),
    )
    r_max: float = field(
        default=0.999,
        metadata=setting(
            "Ring to",
            RealNumber(0.0, 1.0, low_excluded=True, high_excluded=True),
            "The largest |λ| before training: near 1 remembers for long; needs a restart",
            short="ring to",
            begins=True,
        ),
    )
    phase: float = field(
        default=6.28,
        metadata=setting(
            "Phase up to",
            RealNumber(0.0, 6.2832, low_excluded=True),
            "The largest angle of λ before training, in radians: a small one for slow memories; needs a restart",
            short="largest phase",
            begins=True,
        ),
    )


def begin_ring(settings: LruSettings, drawn: Drawn) -> dict[str, Array]:
    """ν and θ of eigenvalues uniform in the ring, γ = sqrt(1 − |λ|²), and B, C and D as in the paper's code."""
    random, hidden = drawn.random, drawn.hidden
    low, high = sorted((settings.r_min, settings.r_max))
    modulus = np.sqrt(random.uniform(low**2, high**2, hidden))
    modulus = np.maximum(modulus, 1e-6)  # of exactly 0 there is no ν
    angle = np.maximum(random.uniform(0, settings.phase, hidden), 1e-6)
    inputs = drawn.weights["weight_ih"].shape[-1]
    scales = {"weight_ih": 2 * inputs, "weight_cre": hidden, "weight_cim": hidden, "weight_d": inputs}
    return {
        "nu_log": np.log(-np.log(modulus)),
        "theta_log": np.log(angle),
        "gamma_log": np.log(1 - modulus**2) / 2,
        **{name: random.standard_normal(drawn.weights[name].shape) / np.sqrt(n) for name, n in scales.items()},
    }


LRU = CellKind(
    "lru",
    "LRU",
    _make,
    hue=5,
    settings=LruSettings,
    begin=begin_ring,
    note="A linear recurrence: ∂s_T/∂s_t is Λ^{T−t}, and nothing vanishes where |Λ| is near 1. Its Λ does not see the "
    "input: it keeps or forgets the same of everything it reads, so it can neither select nor tell parity.",
)
