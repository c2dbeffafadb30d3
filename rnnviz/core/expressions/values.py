"""Operations on float64 numbers and arrays: sizes and exponents are checked before anything is computed.

One number is a Python float, one yes-or-no a bool; arrays are float64 or bool. Division by zero, overflow and roots of
negative numbers give ±inf and NaN as numpy does, never an exception.
"""

import math
import operator
from collections.abc import Callable

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions.problems import ExpressionError

Value = float | bool | Array
Operation = Callable[..., Value]

MAX_VALUES = 2**20  # of one intermediate result: T = 1,000 with H = 1,000
MAX_EXPONENT = 1000.0
MAX_WORK = 10_000_000  # of one evaluation, in additions of two values: below 50 ms at the very worst
# in additions, measured where each is slowest: 1e308 % 5e-324, h ** 1000
WEIGHTS = {"%": 350, "//": 350, "**": 150, "median": 20, "exp": 4, "log10": 4}
WEIGHT_OF_SMALL_POWER = 20  # h ** 2


def steadied(fast: Callable[..., float], exact: Callable[..., Array]) -> Callable[..., float]:
    """`fast` on floats; where Python raises or turns complex, what numpy's `exact` gives instead."""

    def run(*numbers: float) -> float:
        try:
            result = fast(*numbers)
            if type(result) is float:
                return result
        except (ArithmeticError, ValueError):
            pass  # numpy has the IEEE answer
        with np.errstate(all="ignore"):
            return float(exact(*(np.float64(number) for number in numbers)))

    return run


def paired(ufunc: Callable[[Value, Value], Array]) -> Callable[[Value, Value], Array]:
    """`ufunc` on two values of which one is an array at least, their shapes checked first."""

    def run(left: Value, right: Value) -> Array:
        check_pair(left, right)
        return ufunc(left, right)

    return run


def check_pair(left: Value, right: Value) -> None:
    """Equal shapes, one row against every row, or one number against all; ExpressionError otherwise."""
    one, two = np.shape(left), np.shape(right)
    if one and two and one != two and one != two[1:] and two != one[1:]:
        raise ExpressionError(f"{_times(one)} and {_times(two)} values cannot be combined one by one.")
    check_size(max(math.prod(one), math.prod(two)))


def check_size(count: int) -> None:
    """ExpressionError where a result would have more than MAX_VALUES values."""
    if count > MAX_VALUES:
        raise ExpressionError(
            f"A result has at most {MAX_VALUES:,} values, this one would have {count:,}; ask for less."
        )


def check_work(count: int, additions: int) -> None:
    """ExpressionError where an array of `count` values goes through operations worth so many additions each."""
    check_size(count)
    if count * additions > MAX_WORK:
        raise ExpressionError(
            f"Too much to compute of {count:,} values at once; ask for a part of them, h[t] or h[:, 7]."
        )


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(str(size) for size in shape)


def _power(base: float, exponent: float) -> float:
    if abs(exponent) > MAX_EXPONENT:
        raise _large_exponent(exponent)
    return _plain_power(base, exponent)


def _array_power(base: Value, exponent: Value) -> Array:
    largest = float(np.max(np.abs(exponent), initial=0.0))
    if largest > MAX_EXPONENT:
        raise _large_exponent(largest)
    return np.asarray(np.power(base, exponent))


def _large_exponent(exponent: float) -> ExpressionError:
    return ExpressionError(f"An exponent is at most {MAX_EXPONENT:g} (or −{MAX_EXPONENT:g}), not {exponent:g}.")


_plain_power = steadied(operator.pow, np.power)

# sign → (for two numbers, for arrays)
ARITHMETIC: dict[str, tuple[Callable[[float, float], float], Callable[[Value, Value], Array]]] = {
    "+": (operator.add, paired(np.add)),
    "-": (operator.sub, paired(np.subtract)),
    "*": (operator.mul, paired(np.multiply)),
    "/": (steadied(operator.truediv, np.divide), paired(np.divide)),
    "//": (steadied(operator.floordiv, np.floor_divide), paired(np.floor_divide)),
    "%": (steadied(operator.mod, np.mod), paired(np.mod)),
    "**": (_power, paired(_array_power)),
}

COMPARISON: dict[str, tuple[Callable[[float, float], bool], Callable[[Value, Value], Array]]] = {
    "<": (operator.lt, paired(np.less)),
    "<=": (operator.le, paired(np.less_equal)),
    "==": (operator.eq, paired(np.equal)),
    "!=": (operator.ne, paired(np.not_equal)),
    ">=": (operator.ge, paired(np.greater_equal)),
    ">": (operator.gt, paired(np.greater)),
}

BOTH = paired(np.logical_and)
EITHER = paired(np.logical_or)


def shown(value: Value) -> str:
    """`value` in plain text: "0.004", "yes", "NaN", "[0.1, 0.2]" or "1,200 values from −1 to 1"."""
    if isinstance(value, np.ndarray):
        return _shown_array(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else "+∞" if value > 0 else "−∞"
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value)).replace("-", "−")
    return f"{value:.4g}".replace("-", "−")


def _shown_array(values: Array) -> str:
    if values.ndim == 1 and values.size <= 8:
        return "[" + ", ".join(shown(value) for value in values.tolist()) + "]"
    if values.dtype == bool:
        return f"yes for {int(values.sum()):,} of {values.size:,} values"
    finite = values[np.isfinite(values)]
    if not finite.size:
        return f"{values.size:,} values, none finite"
    others = values.size - finite.size
    more = f", {others:,} not finite" if others else ""
    return f"{values.size:,} values from {shown(float(finite.min()))} to {shown(float(finite.max()))}{more}"
