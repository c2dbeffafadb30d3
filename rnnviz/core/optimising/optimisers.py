"""The optimisers as torch computes them, with its defaults, and how each is written.

In their symbols s is the training step; t stays the time step. Each takes the gradient as the clips and the noise have
left it (`update`), and the weights, for a decay.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal, Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.formula import Equation, Operation, Term
from rnnviz.core.setting import RealNumber, Setting, setting

OptimiserName = Literal["adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop"]  # as in an experiment and in a run
Operations = tuple[Operation, ...]

GIVEN = Term("g̃_s", "clipped", "clipped gradient")


class Optimiser(Protocol):
    """One optimiser. Its fields are its settings, which its equations name; `settings_of` gives those of the form."""

    @property
    def learning_rate(self) -> float: ...

    @property
    def words(self) -> str: ...

    @property
    def short(self) -> str:
        """The same where there is little room."""

    @property
    def formula(self) -> str:
        """What it does, in one line."""

    @property
    def source(self) -> str:
        """Where it was published."""

    @property
    def gathered(self) -> tuple[str, ...]:
        """The names of what it keeps of each parameter between training steps, torch's own."""

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        """What it gathered after this training step, what it made of it, and "delta", by name."""

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        """From the gradient it is given to ΔW of a parameter written `symbol`."""


_RATE, _EPSILON = Term("η", "learning_rate", "learning rate"), Term("ε", "epsilon", "keeps the root from 0")
_DECAY, _MOMENTUM = Term("λ", "weight_decay", "weight decay"), Term("μ", "momentum", "momentum")


def at_step(symbol: str, training_step: str) -> str:
    """W_{hh,s−1} of W_{hh}."""
    if symbol.endswith("}"):
        return f"{symbol[:-1]},{training_step}}}"
    return f"{symbol}_{{{training_step}}}"


def weights_before(symbol: str) -> Term:
    """W_{s−1} of a parameter."""
    return Term(at_step(symbol, "s−1"), "weights_before", "weights before the update")


def _delta(symbol: str, template: str, *terms: Term) -> tuple[Term, str, tuple[Term, ...]]:
    return Term(f"Δ{symbol}", "delta", "what is added to the weights"), template, terms


def _change(symbol: str, equation: Equation) -> Operation:
    return Operation("delta", f"Δ{symbol}", "change: what is added to the weights", (equation,))


def _mean(old: Array, new: Array, decay: float) -> Array:
    """decay · old + (1 − decay) · new: a mean of all gradients, the recent ones counting most."""
    return np.asarray(decay * old + (1 - decay) * new)


def _averaged(symbol: str, name: str, words: str, decay: Term, given: Term, square: bool) -> Equation:
    """m_s = β m_{s−1} + (1 − β) g̃_s, or of the square."""
    return Equation(
        Term(f"{symbol}_s", name, words),
        "{} {} + (1 − {}) {}²" if square else "{} {} + (1 − {}) {}",
        (decay, Term(f"{symbol}_{{s−1}}", f"{name}_before", f"{words} before"), decay, given),
        lambda decay, old, again, g: _mean(old, g * g if square else g, float(decay)),
    )


def _with_decay(given: Array, weights: Array, decay: float) -> dict[str, Array]:
    """The gradient with that of ½ λ ‖W‖² added, where there is a decay."""
    return {"decayed": np.asarray(given + decay * weights)} if decay else {}


def _decay_operations(symbol: str, given: Term, decay: float) -> tuple[Operations, Term]:
    """The operation that adds the decay, where there is one, and what the optimiser goes on with."""
    if not decay:
        return (), given
    decayed = Term("d_s", "decayed", "gradient with the weight decay")
    equation = Equation(
        decayed, "{} + {} {}", (given, _DECAY, weights_before(symbol)), lambda g, decay, w: g + float(decay) * w
    )
    words = "weight decay: λ times the weights is added to the gradient (an L2 penalty)"
    return (Operation("decay", decayed.symbol, words, (equation,)),), decayed


def _decay_setting(tooltip: str) -> Mapping[str, Setting]:
    return setting(
        "Weight decay",
        RealNumber(0.0),
        f"λ: {tooltip}, “off” for none; needs a restart",
        form=RealNumber(0.0, 1e3),
        short="weight decay",
        zero="off",
        step="1-2-5",
    )


def _penalty() -> Mapping[str, Setting]:
    return _decay_setting("λ times the weights is added to their gradient, an L2 penalty")


def _share(label: str, words: str, tooltip: str) -> Mapping[str, Setting]:
    """The metadata of a share from 0 to 1, which itself is excluded."""
    form = RealNumber(0.0, 0.99999)
    return setting(
        label, RealNumber(0.0, 1.0, high_excluded=True), f"{tooltip}; needs a restart", form=form, short=words
    )


def _epsilon() -> Mapping[str, Setting]:
    return setting(
        "ε",
        RealNumber(0.0),
        "ε: keeps the root that is divided by from 0; needs a restart",
        form=RealNumber(0.0, 1e3),
        short="ε",
        step="1-2-5",
    )


@dataclass(frozen=True)
class Sgd:
    """Gradient descent without momentum: ΔW = −η g̃."""

    learning_rate: float
    weight_decay: float = field(default=0.0, metadata=_penalty())
    words: ClassVar[str] = "gradient descent (SGD)"
    short: ClassVar[str] = "SGD"
    source: ClassVar[str] = "Robbins & Monro 1951"
    gathered: ClassVar[tuple[str, ...]] = ()

    @property
    def formula(self) -> str:
        return f"W ← W − η {_gradient(self.weight_decay)}"

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        found = _with_decay(given, weights, self.weight_decay)
        return found | {"delta": np.asarray(-self.learning_rate * found.get("decayed", given))}

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        decay, given = _decay_operations(symbol, given, self.weight_decay)
        change = Equation(*_delta(symbol, "−{} {}", _RATE, given), lambda rate, g: -float(rate) * g)
        return *decay, _change(symbol, change)


@dataclass(frozen=True)
class Momentum:
    """Gradient descent with momentum, as torch has it: b = μ b + g̃, ΔW = −η b."""

    learning_rate: float
    momentum: float = field(
        default=0.9,
        metadata=_share("Momentum", "momentum", "μ: the share of the last change that goes on"),
    )
    weight_decay: float = field(default=0.0, metadata=_penalty())
    words: ClassVar[str] = "gradient descent with momentum"
    short: ClassVar[str] = "Momentum"
    source: ClassVar[str] = "Polyak 1964, in the form of Sutskever et al. 2013"
    gathered: ClassVar[tuple[str, ...]] = ("momentum_buffer",)

    @property
    def formula(self) -> str:
        return f"b ← μ b + {_gradient(self.weight_decay)}, W ← W − η b"

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        found = _with_decay(given, weights, self.weight_decay)
        given = found.get("decayed", given)
        found["momentum_buffer"] = np.asarray(self.momentum * before["momentum_buffer"] + given)
        return found | self._ahead(given, found["momentum_buffer"])

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        decay, given = _decay_operations(symbol, given, self.weight_decay)
        before = Term("b_{s−1}", "momentum_buffer_before", "momentum before")
        gathered = Term("b_s", "momentum_buffer", "momentum: the gradients gathered")
        equation = Equation(
            gathered, "{} {} + {}", (_MOMENTUM, before, given), lambda momentum, b, g: float(momentum) * b + g
        )
        made = Operation("momentum", gathered.symbol, gathered.words, (equation,))
        return *decay, made, *self._last(symbol, given, gathered)

    def _ahead(self, given: Array, gathered: Array) -> dict[str, Array]:
        return {"delta": np.asarray(-self.learning_rate * gathered)}

    def _last(self, symbol: str, given: Term, gathered: Term) -> Operations:
        change = Equation(*_delta(symbol, "−{} {}", _RATE, gathered), lambda rate, b: -float(rate) * b)
        return (_change(symbol, change),)


@dataclass(frozen=True)
class Nesterov(Momentum):
    """Momentum that looks ahead, as torch has it: b = μ b + g̃, ΔW = −η (g̃ + μ b)."""

    words: ClassVar[str] = "gradient descent with Nesterov momentum"
    short: ClassVar[str] = "Nesterov"
    source: ClassVar[str] = "Nesterov 1983, in the form of Sutskever et al. 2013"
    momentum: float = field(
        default=0.9,
        metadata=setting(
            "Momentum",
            RealNumber(0.0, 1.0, low_excluded=True, high_excluded=True),
            "μ: the share of the last change that goes on; needs a restart",
            form=RealNumber(0.0, 0.99999, low_excluded=True),
            short="momentum",
        ),
    )

    @property
    def formula(self) -> str:
        gradient = _gradient(self.weight_decay)
        return f"b ← μ b + {gradient}, W ← W − η ({gradient} + μ b)"

    def _ahead(self, given: Array, gathered: Array) -> dict[str, Array]:
        ahead = np.asarray(given + self.momentum * gathered)
        return {"ahead": ahead, "delta": np.asarray(-self.learning_rate * ahead)}

    def _last(self, symbol: str, given: Term, gathered: Term) -> Operations:
        ahead = Term("n_s", "ahead", "gradient with the momentum ahead")
        equation = Equation(
            ahead, "{} + {} {}", (given, _MOMENTUM, gathered), lambda g, momentum, b: g + float(momentum) * b
        )
        words = "look ahead: the gradient and the momentum of the next training step"
        return Operation("ahead", ahead.symbol, words, (equation,)), *super()._last(symbol, given, ahead)


@dataclass(frozen=True)
class Adam:
    """Means of the gradient and of its square, freed of their beginning at 0: ΔW = −η m̂ / (√v̂ + ε)."""

    learning_rate: float
    beta1: float = field(default=0.9, metadata=_share("β₁", "β₁", "β₁: decay of the mean of the gradient"))
    beta2: float = field(default=0.999, metadata=_share("β₂", "β₂", "β₂: decay of the mean of its square"))
    epsilon: float = field(default=1e-8, metadata=_epsilon())
    weight_decay: float = field(default=0.0, metadata=_penalty())
    words: ClassVar[str] = "Adam"
    short: ClassVar[str] = "Adam"
    source: ClassVar[str] = "Kingma & Ba 2015, algorithm 1"
    gathered: ClassVar[tuple[str, ...]] = ("step", "exp_avg", "exp_avg_sq")

    @property
    def formula(self) -> str:
        of = f", of {_gradient(self.weight_decay)}" if self.weight_decay else ""
        return f"W ← W − η m / (√v + ε){of}"

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        found = _with_decay(given, weights, self.weight_decay)
        return found | self._moved(found.get("decayed", given), before)

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        decay, given = _decay_operations(symbol, given, self.weight_decay)
        means, terms = self._means(given)
        return *decay, *means, _change(symbol, Equation(*_delta(symbol, "−{} {} / (√{} + {})", *terms), _adam_change))

    def _moved(self, given: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        step = before["step"] + 1
        m = _mean(before["exp_avg"], given, self.beta1)
        v = _mean(before["exp_avg_sq"], given * given, self.beta2)
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

    def _means(self, given: Term) -> tuple[Operations, tuple[Term, ...]]:
        """The operations that make both means, and the terms of the change: η, m̂, v̂, ε."""
        beta1, beta2 = Term("β_1", "beta1", "decay of the mean"), Term("β_2", "beta2", "decay of the mean square")
        m = _averaged("m", "exp_avg", "mean of the gradient", beta1, given, square=False)
        v = _averaged("v", "exp_avg_sq", "mean of the squared gradient", beta2, given, square=True)
        m_hat = Term("m̂_s", "m_hat", "mean of the gradient, corrected for its beginning at 0")
        v_hat = Term("v̂_s", "v_hat", "mean of the squared gradient, corrected for its beginning at 0")
        made = (
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
        )
        return made, (_RATE, m_hat, v_hat, _EPSILON)


@dataclass(frozen=True)
class AdamW(Adam):
    """Adam whose decay shrinks the weights themselves: ΔW = −η m̂ / (√v̂ + ε) − η λ W."""

    weight_decay: float = field(default=0.01, metadata=_decay_setting("the weights shrink by η λ of themselves"))
    words: ClassVar[str] = "AdamW"
    short: ClassVar[str] = "AdamW"
    source: ClassVar[str] = "Loshchilov & Hutter 2019, algorithm 2"

    @property
    def formula(self) -> str:
        return "W ← W − η m / (√v + ε)" + " − η λ W" * bool(self.weight_decay)

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        found = self._moved(given, before)
        if self.weight_decay:
            found["delta"] = found["delta"] - self.learning_rate * self.weight_decay * weights
        return found

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        if not self.weight_decay:
            return super().operations(symbol, given)
        means, terms = self._means(given)
        more = _RATE, _DECAY, weights_before(symbol)
        change = Equation(
            *_delta(symbol, "−{} {} / (√{} + {}) − {} {} {}", *terms, *more),
            lambda rate, m, v, epsilon, again, decay, w: (
                _adam_change(rate, m, v, epsilon) - float(rate) * float(decay) * w
            ),
        )
        return *means, _change(symbol, change)


def _corrected(mean: Array, shrunk: Array) -> Array:
    return np.asarray(mean / float(shrunk))


def _adam_change(rate: Array, m: Array, v: Array, epsilon: Array) -> Array:
    return np.asarray(-float(rate) * m / (np.sqrt(v) + float(epsilon)))


def _gradient(weight_decay: float) -> str:
    return "(g̃ + λ W)" if weight_decay else "g̃"


@dataclass(frozen=True)
class RmsProp:
    """The gradient over the root of its mean square: ΔW = −η g̃ / (√v + ε)."""

    learning_rate: float
    alpha: float = field(default=0.99, metadata=_share("α", "α", "α: decay of the mean of the squared gradient"))
    epsilon: float = field(default=1e-8, metadata=_epsilon())
    weight_decay: float = field(default=0.0, metadata=_penalty())
    words: ClassVar[str] = "RMSprop"
    short: ClassVar[str] = "RMSprop"
    source: ClassVar[str] = "Tieleman & Hinton 2012, Neural Networks for Machine Learning, lecture 6.5"
    gathered: ClassVar[tuple[str, ...]] = ("square_avg",)

    @property
    def formula(self) -> str:
        return f"W ← W − η {_gradient(self.weight_decay)} / (√v + ε)"

    def compute(self, given: Array, weights: Array, before: Mapping[str, Array]) -> dict[str, Array]:
        found = _with_decay(given, weights, self.weight_decay)
        given = found.get("decayed", given)
        v = _mean(before["square_avg"], given * given, self.alpha)
        delta = np.asarray(-self.learning_rate * given / (np.sqrt(v) + self.epsilon))
        return found | {"square_avg": v, "delta": delta}

    def operations(self, symbol: str, given: Term = GIVEN) -> Operations:
        decay, given = _decay_operations(symbol, given, self.weight_decay)
        alpha = Term("α", "alpha", "decay of the mean square")
        v = _averaged("v", "square_avg", "mean of the squared gradient", alpha, given, square=True)
        change = Equation(*_delta(symbol, "−{} {} / (√{} + {})", _RATE, given, v.result, _EPSILON), _adam_change)
        return *decay, Operation("mean square", "v_s", v.result.words, (v,)), _change(symbol, change)


OPTIMISERS: Mapping[OptimiserName, type[Sgd] | type[Momentum] | type[Adam] | type[RmsProp]] = {
    "adam": Adam,
    "adamw": AdamW,
    "sgd": Sgd,
    "momentum": Momentum,
    "nesterov": Nesterov,
    "rmsprop": RmsProp,
}


def optimiser_kind(name: str) -> type[Sgd] | type[Momentum] | type[Adam] | type[RmsProp]:
    """The optimiser an experiment calls `name`; RnnvizError for another name."""
    kind = next((kind for known, kind in OPTIMISERS.items() if known == name), None)
    if kind is None:
        raise RnnvizError(f"optimiser: wanted one of {', '.join(OPTIMISERS)}, got {name!r}")
    return kind


def optimiser(name: str, learning_rate: float) -> Optimiser:
    """The optimiser an experiment calls `name` with its usual settings; RnnvizError for another name."""
    return optimiser_kind(name)(learning_rate)
