"""The optimisers as torch computes them with the defaults that the training uses, and how each is written.

In their symbols s is the training step; t stays the time step.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.formula import Equation, Operation, Term

OptimiserName = Literal["adam", "sgd", "rmsprop"]  # as in an experiment and in a run


class Optimiser(Protocol):
    """One optimiser. Its fields are its settings, which its equations name."""

    @property
    def learning_rate(self) -> float: ...

    @property
    def words(self) -> str: ...

    @property
    def source(self) -> str:
        """Where it was published."""

    @property
    def gathered(self) -> tuple[str, ...]:
        """The names of what it keeps of each parameter between training steps, torch's own."""

    def compute(self, clipped: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        """What it gathered after this training step, what it made of it, and "delta", by name."""

    def operations(self, symbol: str) -> tuple[Operation, ...]:
        """From the clipped gradient to ΔW of a parameter written `symbol`."""


_CLIPPED = Term("g̃_s", "clipped", "clipped gradient")
_RATE, _EPSILON = Term("η", "learning_rate", "learning rate"), Term("ε", "epsilon", "keeps the root from 0")


def _delta(symbol: str, template: str, *terms: Term) -> tuple[Term, str, tuple[Term, ...]]:
    return Term(f"Δ{symbol}", "delta", "what is added to the weights"), template, terms


def _change(symbol: str, equation: Equation) -> Operation:
    return Operation("delta", f"Δ{symbol}", "change: what is added to the weights", (equation,))


def _mean(old: Array, new: Array, decay: float) -> Array:
    """decay · old + (1 − decay) · new: a mean of all gradients, the recent ones counting most."""
    return np.asarray(decay * old + (1 - decay) * new)


def _averaged(symbol: str, name: str, words: str, decay: Term, square: bool) -> Equation:
    """m_s = β m_{s−1} + (1 − β) g̃_s, or of the square."""
    return Equation(
        Term(f"{symbol}_s", name, words),
        "{} {} + (1 − {}) {}²" if square else "{} {} + (1 − {}) {}",
        (decay, Term(f"{symbol}_{{s−1}}", f"{name}_before", f"{words} before"), decay, _CLIPPED),
        lambda decay, old, again, g: _mean(old, g * g if square else g, float(decay)),
    )


@dataclass(frozen=True)
class Sgd:
    """Gradient descent without momentum: ΔW = −η g̃."""

    learning_rate: float
    words: ClassVar[str] = "gradient descent (SGD)"
    short: ClassVar[str] = "SGD"  # where there is little room
    formula: ClassVar[str] = "W ← W − η g̃"  # in one line
    source: ClassVar[str] = "Robbins & Monro 1951"
    gathered: ClassVar[tuple[str, ...]] = ()

    def compute(self, clipped: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        return {"delta": np.asarray(-self.learning_rate * clipped)}

    def operations(self, symbol: str) -> tuple[Operation, ...]:
        change = Equation(*_delta(symbol, "−{} {}", _RATE, _CLIPPED), lambda rate, g: -float(rate) * g)
        return (_change(symbol, change),)


@dataclass(frozen=True)
class Adam:
    """Means of the gradient and of its square, freed of their beginning at 0: ΔW = −η m̂ / (√v̂ + ε)."""

    learning_rate: float
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8
    words: ClassVar[str] = "Adam"
    short: ClassVar[str] = "Adam"  # where there is little room
    formula: ClassVar[str] = "W ← W − η m / (√v + ε)"  # in one line
    source: ClassVar[str] = "Kingma & Ba 2015, algorithm 1"
    gathered: ClassVar[tuple[str, ...]] = ("step", "exp_avg", "exp_avg_sq")

    def compute(self, clipped: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        step = before["step"] + 1
        m = _mean(before["exp_avg"], clipped, self.beta1)
        v = _mean(before["exp_avg_sq"], clipped * clipped, self.beta2)
        shrunk1, shrunk2 = (np.asarray(1 - beta ** float(step)) for beta in (self.beta1, self.beta2))
        m_hat, v_hat = _corrected(m, shrunk1), _corrected(v, shrunk2)
        return {
            "step": np.asarray(step),
            "exp_avg": m,
            "exp_avg_sq": v,
            "shrunk1": shrunk1,
            "shrunk2": shrunk2,
            "m_hat": m_hat,
            "v_hat": v_hat,
            "delta": np.asarray(-self.learning_rate * m_hat / (np.sqrt(v_hat) + self.epsilon)),
        }

    def operations(self, symbol: str) -> tuple[Operation, ...]:
        beta1, beta2 = Term("β_1", "beta1", "decay of the mean"), Term("β_2", "beta2", "decay of the mean square")
        m = _averaged("m", "exp_avg", "mean of the gradient", beta1, square=False)
        v = _averaged("v", "exp_avg_sq", "mean of the squared gradient", beta2, square=True)
        m_hat = Term("m̂_s", "m_hat", "mean of the gradient, corrected for its beginning at 0")
        v_hat = Term("v̂_s", "v_hat", "mean of the squared gradient, corrected for its beginning at 0")
        change = Equation(
            *_delta(symbol, "−{} {} / (√{} + {})", _RATE, m_hat, v_hat, _EPSILON),
            lambda rate, m, v, epsilon: -float(rate) * m / (np.sqrt(v) + float(epsilon)),
        )
        return (
            Operation("mean", "m_s", m.result.words, (m,)),
            Operation("mean square", "v_s", v.result.words, (v,)),
            Operation(
                "correction",
                "m̂_s, v̂_s",
                "correction: both means, freed of their beginning at 0",
                (
                    Equation(m_hat, "{} / ({})", (m.result, Term("1 − β_1^{s}", "shrunk1")), _corrected),
                    Equation(v_hat, "{} / ({})", (v.result, Term("1 − β_2^{s}", "shrunk2")), _corrected),
                ),
            ),
            _change(symbol, change),
        )


def _corrected(mean: Array, shrunk: Array) -> Array:
    return np.asarray(mean / float(shrunk))


@dataclass(frozen=True)
class RmsProp:
    """The gradient over the root of its mean square: ΔW = −η g̃ / (√v + ε)."""

    learning_rate: float
    decay: float = 0.99
    epsilon: float = 1e-8
    words: ClassVar[str] = "RMSprop"
    short: ClassVar[str] = "RMSprop"  # where there is little room
    formula: ClassVar[str] = "W ← W − η g̃ / (√v + ε)"  # in one line
    source: ClassVar[str] = "Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6.5"
    gathered: ClassVar[tuple[str, ...]] = ("square_avg",)

    def compute(self, clipped: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        v = _mean(before["square_avg"], clipped * clipped, self.decay)
        return {
            "square_avg": v,
            "delta": np.asarray(-self.learning_rate * clipped / (np.sqrt(v) + self.epsilon)),
        }

    def operations(self, symbol: str) -> tuple[Operation, ...]:
        decay = Term("α", "decay", "decay of the mean square")
        v = _averaged("v", "square_avg", "mean of the squared gradient", decay, square=True)
        change = Equation(
            *_delta(symbol, "−{} {} / (√{} + {})", _RATE, _CLIPPED, v.result, _EPSILON),
            lambda rate, g, v, epsilon: -float(rate) * g / (np.sqrt(v) + float(epsilon)),
        )
        return Operation("mean square", "v_s", v.result.words, (v,)), _change(symbol, change)


OPTIMISERS: Mapping[OptimiserName, type[Sgd] | type[Adam] | type[RmsProp]] = {
    "adam": Adam,
    "sgd": Sgd,
    "rmsprop": RmsProp,
}


def optimiser(name: str, learning_rate: float) -> Optimiser:
    """The optimiser an experiment calls `name`, as the training makes it; RnnvizError for another name."""
    kind = next((kind for known, kind in OPTIMISERS.items() if known == name), None)
    if kind is None:
        raise RnnvizError(f"optimiser: wanted one of {', '.join(OPTIMISERS)}, got {name!r}")
    return kind(learning_rate)
