"""Node: one elementary operation of a cell, what it reads, and what stands in its place in an equation.

The operations are closed: a matrix or a diagonal times a value, a sum with biases, a difference, a product, both parts
of a complex product, σ, tanh, ReLU, exp, softplus, a convex mix, a complement, a share, and what follows from weights
alone. Each knows its value, its derivative by each value it reads and each weight it uses, and how it is written. They
work on any `Numbers`: numpy arrays here, tensors in the engine. Leading axes are free, the last one is units.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np

from rnnviz.core.arrays import Array

Role = Literal["pre-activation", "gate", "state", "inner"]
# G stacked rows, H hidden units, P units of h (H without projection); or, of a user's own cell, so many
UnitsWord = Literal["rows", "hidden", "output"]
Units = UnitsWord | int


class Numbers(Protocol):
    """The few functions that arrays and tensors spell differently."""

    def sigmoid(self, a: Any) -> Any: ...
    def tanh(self, a: Any) -> Any: ...
    def relu(self, a: Any) -> Any: ...
    def exp(self, a: Any) -> Any: ...
    def cos(self, a: Any) -> Any: ...
    def sin(self, a: Any) -> Any: ...
    def softplus(self, a: Any) -> Any:
        """ln(1 + e^a)."""

    def times(self, value: Any, weight: Any) -> Any:
        """value (…, C) times weightᵀ (C, R)."""


@dataclass(frozen=True)
class Value:
    """What a node reads: "x" or another node, of this time step or of the one before, whole or one block of it."""

    name: str
    before: bool = False
    block: str = ""


@dataclass(frozen=True)
class Weight:
    """A parameter a node uses: a matrix or a diagonal whole, a bias whole or the rows of one block."""

    name: str
    block: str = ""


class Operation(Protocol):
    """One of the closed list of operations."""

    @property
    def values(self) -> tuple[Value, ...]:
        """What it reads, in the order in which it is written."""

    @property
    def weights(self) -> tuple[Weight, ...]:
        """The parameters it uses."""

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        """What it reads and uses, in the order in which it is written."""

    @property
    def template(self) -> str:
        """How it is written: {0}, {1}, … for its parts."""

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        """Its value."""

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        """The derivative by the value at `place` where it is element by element; None where it is 1."""

    def weight_slope(self, place: int, values: Sequence[Array], weights: Sequence[Array]) -> Array | None:
        """The derivative by the weight at `place` where it is element by element; None where it is 1."""


class Adding:
    """Of an operation that adds its weights, if it uses any."""

    def weight_slope(self, place: int, values: Sequence[Array], weights: Sequence[Array]) -> Array | None:
        return None


@dataclass(frozen=True)
class Matrix:
    """W v: the rows of a weight times a value."""

    weight: Weight
    value: Value
    template: str = "{0} {1}"

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.weight, self.value

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (self.weight,)

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.times(values[0], weights[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        raise TypeError("a matrix passes a gradient on as a product, not element by element")

    def weight_slope(self, place: int, values: Sequence[Array], weights: Sequence[Array]) -> Array | None:
        raise TypeError("a matrix gets its gradient as an outer product, not element by element")


@dataclass(frozen=True)
class Diagonal:
    """p ⊙ v: a weight for each unit alone (a peephole)."""

    weight: Weight
    value: Value
    template: str = "{0} ⊙ {1}"

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.weight, self.value

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def weights(self) -> tuple[Weight, ...]:
        return (self.weight,)

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return values[0] * weights[0]

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return weights[0]

    def weight_slope(self, place: int, values: Sequence[Array], weights: Sequence[Array]) -> Array | None:
        return values[0]


@dataclass(frozen=True)
class Sum(Adding):
    """u + v + b + …: values and biases as they are written."""

    parts: tuple[Value | Weight, ...]

    @property
    def values(self) -> tuple[Value, ...]:
        return tuple(part for part in self.parts if isinstance(part, Value))

    @property
    def weights(self) -> tuple[Weight, ...]:
        return tuple(part for part in self.parts if isinstance(part, Weight))

    @property
    def template(self) -> str:
        return " + ".join(f"{{{place}}}" for place in range(len(self.parts)))

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        parts = (*values, *weights)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return None


@dataclass(frozen=True)
class Product(Adding):
    """u ⊙ v."""

    left: Value
    right: Value
    template: str = "{0} ⊙ {1}"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return self.left, self.right

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return values[0] * values[1]

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return values[1 - place]


@dataclass(frozen=True)
class Difference(Adding):
    """u − v."""

    left: Value
    right: Value
    template: str = "{0} − {1}"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return self.left, self.right

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return values[0] - values[1]

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return np.asarray(-1, result.dtype) if place else None


@dataclass(frozen=True)
class RealPart(Adding):
    """a ⊙ u − b ⊙ v: the real part of the complex product (a + ib)(u + iv)."""

    values: tuple[Value, Value, Value, Value]  # a, u, b, v
    template: str = "{0} ⊙ {1} − {2} ⊙ {3}"
    weights: tuple[Weight, ...] = ()

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        a, u, b, v = values
        return a * u - b * v

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        a, u, b, v = values
        return (u, a, -v, -b)[place]


@dataclass(frozen=True)
class ImaginaryPart(Adding):
    """a ⊙ v + b ⊙ u: the imaginary part of the same."""

    values: tuple[Value, Value, Value, Value]  # a, v, b, u
    template: str = "{0} ⊙ {1} + {2} ⊙ {3}"
    weights: tuple[Weight, ...] = ()

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        a, v, b, u = values
        return a * v + b * u

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        a, v, b, u = values
        return (v, a, u, b)[place]


@dataclass(frozen=True)
class OfOne(Adding):
    """A function of one value."""

    value: Value
    weights: ClassVar[tuple[Weight, ...]] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return (self.value,)

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values


@dataclass(frozen=True)
class Sigmoid(OfOne):
    """σ(v)."""

    template: ClassVar[str] = "σ({0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.sigmoid(values[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return np.asarray(result * (1 - result))


@dataclass(frozen=True)
class Tanh(OfOne):
    """tanh(v)."""

    template: ClassVar[str] = "tanh({0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.tanh(values[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return np.asarray(1 - result * result)


@dataclass(frozen=True)
class Relu(OfOne):
    """max(0, v); its derivative at 0 is 0, as torch's."""

    template: ClassVar[str] = "max(0, {0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.relu(values[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return np.asarray((result > 0).astype(result.dtype))


@dataclass(frozen=True)
class Exp(OfOne):
    """e^v."""

    template: ClassVar[str] = "exp({0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.exp(values[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return result


@dataclass(frozen=True)
class Softplus(OfOne):
    """ln(1 + e^v): above 0, and for a large v nearly v."""

    template: ClassVar[str] = "softplus({0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return numbers.softplus(values[0])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return sigmoid(values[0])


@dataclass(frozen=True)
class Share(Adding):
    """u / (u + v): how much of two positive values the first is."""

    one: Value
    other: Value
    template: str = "{0} / ({0} + {1})"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return self.one, self.other

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return values[0] / (values[0] + values[1])

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        total = values[0] + values[1]  # its square may be 0 where it is not
        total = np.where(total == 0, total.dtype.type(1), total)  # beyond a sequence's end both are 0
        return np.asarray(-result / total if place else values[1] / total / total)


@dataclass(frozen=True)
class Form:
    """A formula of weights alone, element by element: how it is written, with {0}, {1}, … for them, and computed."""

    template: str
    compute: Callable[[Numbers, Sequence[Any]], Any]


@dataclass(frozen=True)
class FromWeights:
    """What follows from weights alone and is the same at every time step."""

    weights: tuple[Weight, ...]
    form: Form
    slopes: tuple[Form, ...]  # the derivative by each weight
    values: ClassVar[tuple[Value, ...]] = ()

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.weights

    @property
    def template(self) -> str:
        return self.form.template

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return self.form.compute(numbers, weights)

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        raise TypeError("it reads no value")

    def weight_slope(self, place: int, values: Sequence[Array], weights: Sequence[Array]) -> Array | None:
        return np.asarray(self.slopes[place].compute(ArrayNumbers(), weights))


@dataclass(frozen=True)
class Mix(Adding):
    """(1 − z) ⊙ u + z ⊙ v: a convex mix by a gate."""

    gate: Value
    one: Value
    other: Value
    template: str = "(1 − {0}) ⊙ {1} + {0} ⊙ {2}"
    weights: tuple[Weight, ...] = ()

    @property
    def values(self) -> tuple[Value, ...]:
        return self.gate, self.one, self.other

    @property
    def parts(self) -> tuple[Value | Weight, ...]:
        return self.values

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        gate, one, other = values
        return one + gate * (other - one)

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        gate, one, other = values
        return np.asarray((other - one, 1 - gate, gate)[place])


@dataclass(frozen=True)
class Complement(OfOne):
    """1 − v."""

    template: ClassVar[str] = "(1 − {0})"

    def compute(self, numbers: Numbers, values: Sequence[Any], weights: Sequence[Any]) -> Any:
        return 1 - values[0]

    def slope(self, place: int, values: Sequence[Array], result: Array, weights: Sequence[Array]) -> Array | None:
        return np.asarray(-1, result.dtype)


@dataclass(frozen=True)
class Node:
    """A named value of a cell at every time step, and the operation that makes it.

    Nodes that share a `key` are one operation to step over, and one of them has a symbol. A node without one is written
    out where it is used.
    """

    name: str  # unique in its cell, an identifier
    operation: Operation
    key: str = ""  # of the operation a person steps over; "": its name
    symbol: str = ""  # markup: "f_t"
    words: str = ""  # "forget gate"; "" for what has no words of its own
    explained: str = ""  # what it is for, behind a colon: "how much is kept"
    units: Units = "hidden"
    limits: tuple[float, float] | None = None  # what tanh or σ holds it in
    role: Role = "inner"
    family: str = ""  # of its colour: "state", "cell", or of a gate "forget", "input", "output", "candidate"
    settable: bool = False  # whether a person may set it by hand
    gradient: str = ""  # the symbol of its gradient where it is not "∂L/∂" and its own
    path: str = ""  # how a gradient goes along it, before " t = 9": "along the cell state, f ⊙ ∂L/∂c at"

    @property
    def step(self) -> str:
        """The key of the operation it belongs to."""
        return self.key or self.name

    @property
    def short_words(self) -> str:
        """What stands before "gradient": "hidden" of the hidden state and of hidden units, "cell" of the cell state."""
        return self.words.removesuffix(" state").removesuffix(" units")


class Named(Protocol):
    """A node or a parameter."""

    @property
    def name(self) -> str: ...


Found = TypeVar("Found", bound=Named)


def first_named(found: Iterable[Found]) -> dict[str, Found]:
    """By name the first of each: what several cells have is called as in the first of them."""
    first: dict[str, Found] = {}
    for one in found:
        first.setdefault(one.name, one)
    return first


class ArrayNumbers:
    """`Numbers` of numpy."""

    def sigmoid(self, a: Array) -> Array:
        return sigmoid(a)

    def tanh(self, a: Array) -> Array:
        return np.tanh(a)

    def relu(self, a: Array) -> Array:
        return np.maximum(a, 0)

    def exp(self, a: Array) -> Array:
        return np.exp(a)

    def cos(self, a: Array) -> Array:
        return np.cos(a)

    def sin(self, a: Array) -> Array:
        return np.sin(a)

    def softplus(self, a: Array) -> Array:
        return np.logaddexp(a, np.zeros((), a.dtype))

    def times(self, value: Array, weight: Array) -> Array:
        if weight.ndim > 2:
            return times_each(value, weight)
        result = np.dot(value.reshape(-1, value.shape[-1]), weight.T)
        return np.asarray(result.reshape(*value.shape[:-1], len(weight)))


def times_each(value: Array, weight: Array) -> Array:
    """value (…, K, C) times weightᵀ of K weight sets (K, R, C), each with its own."""
    if value.ndim == 2:
        return np.asarray(np.matmul(value[:, None], weight.swapaxes(1, 2))[:, 0])
    rows = np.moveaxis(value, -2, 0)
    result = np.matmul(rows.reshape(len(weight), -1, value.shape[-1]), weight.swapaxes(1, 2))
    return np.ascontiguousarray(np.moveaxis(result.reshape(*rows.shape[:-1], -1), 0, -2))


def sigmoid(a: Array, out: Array | None = None) -> Array:
    """1 / (1 + e^−a), exact to the last bits also where it is tiny; a below −88 (float32) gives 0, not an error."""
    out = np.negative(a, out=out)
    np.exp(out, out=out)
    out += 1
    return np.reciprocal(out, out=out)
