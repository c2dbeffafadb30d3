"""The named functions: what each wants, what it gives, and how it is computed in float64."""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.shapes import NUMBER, YES_NO, Form
from rnnviz.core.expressions.values import Operation, steadied
from rnnviz.core.magnitude import l2

MAX_WINDOW = 10_000  # recorded values a metric's window may reach back

_ONE_THREAD = 8192

Kind = Literal["reduces", "each", "tests each", "answers"]


@dataclass(frozen=True)
class Function:
    """One named function.

    Kinds: "reduces" many numbers to one, "each" gives a number for every number, "tests each" a yes-or-no for every
    number, "answers" one yes-or-no for many.
    """

    name: str
    kind: Kind
    words: str
    array: Operation  # of a float64 array (bool for "answers")
    number: Operation | None  # of one float; None where one number is probably a mistake
    arguments: tuple[str, ...] = ("values",)
    window: Callable[[Array], float] | None = None  # of a metric's last values, oldest first

    @property
    def call(self) -> str:
        """ "clip(values, low, high)"."""
        return f"{self.name}({', '.join(self.arguments)})"

    @property
    def gives(self) -> str:
        """What comes out, in words."""
        return {
            "reduces": "one number",
            "each": "as many numbers",
            "tests each": "as many yes-or-no values",
            "answers": "yes or no",
        }[self.kind]

    def of(self, form: Form) -> tuple[Form, Operation]:
        """What comes out of a first argument of this form, and how; ExpressionError where it is not for such values."""
        if self.kind == "answers" and not form.yes_no:
            raise ExpressionError(f"{self.name} asks about a comparison, for example {self.name}(f > 0.99).")
        if self.name == "argmax" and len(form.axes) != 1:
            raise ExpressionError(
                f"argmax wants one row, argmax(h[t]), or one column, argmax(h[:, 7]), not {form.words}."
            )
        if form.single:
            if self.number is None:
                raise ExpressionError(f"{self.name} wants several values, not {form.words}{self._window_hint}.")
            return self._result(form), self.number
        return self._result(form), self.array

    def _result(self, form: Form) -> Form:
        if self.kind == "reduces":
            return NUMBER
        if self.kind == "answers":
            return YES_NO
        return replace(form, yes_no=self.kind == "tests each")

    @property
    def _window_hint(self) -> str:
        return f"; {self.name}(loss, 50) looks at a metric's last 50 values" if self.window else ""


def norm(values: Array) -> float:
    """The L2 norm in float64, scaled where squares would overflow or vanish."""
    flat = values.ravel()
    # above this size BLAS starts threads, and then the last bits depend on how many there are
    square = float(flat.dot(flat)) if flat.size <= _ONE_THREAD else float(np.square(flat).sum())
    if 1e-280 < square < 1e280:
        return math.sqrt(square)
    return float(l2(flat))


def median(values: Array) -> float:
    """The middle value, the mean of the two middle ones of an even number; NaN if there is a NaN or nothing at all."""
    ordered = np.sort(values, axis=None)  # NaN last
    count = ordered.size
    if not count or ordered[-1] != ordered[-1]:
        return math.nan
    middle = count // 2
    if count % 2:
        return float(ordered[middle])
    return (float(ordered[middle - 1]) + float(ordered[middle])) / 2


def _mean(values: Array) -> float:
    return float(values.sum()) / values.size if values.size else math.nan


@np.errstate(all="ignore")
def _window_mean(values: Array) -> float:
    return _mean(values)


def _min(values: Array) -> float:
    return float(values.min()) if values.size else math.nan


def _max(values: Array) -> float:
    return float(values.max()) if values.size else math.nan


def _argmax(values: Array) -> float:
    return float(values.argmax()) + 1 if values.size else math.nan


def _clip_number(value: float, low: float, high: float) -> float:
    if low != low or high != high:
        return math.nan
    raised = low if value < low else value
    return high if raised > high else raised


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("norm", "reduces", "L2 norm √Σv²", norm, abs),
        Function("sum", "reduces", "sum; of a comparison: how many", lambda values: float(values.sum()), None),
        Function("mean", "reduces", "mean; of a comparison: which share", _mean, None, window=_window_mean),
        Function("median", "reduces", "median", median, None, window=median),
        Function("min", "reduces", "smallest value", _min, None, window=_min),
        Function("max", "reduces", "largest value", _max, None, window=_max),
        Function("argmax", "reduces", "unit or time step of the largest value, counted from 1", _argmax, None),
        Function("abs", "each", "absolute value", np.abs, abs),
        Function("log10", "each", "log₁₀; −∞ at 0", np.log10, steadied(math.log10, np.log10)),
        Function("sqrt", "each", "square root; NaN below 0", np.sqrt, steadied(math.sqrt, np.sqrt)),
        Function("exp", "each", "eᵛ", np.exp, steadied(math.exp, np.exp)),
        Function(
            "clip", "each", "held between low and high", np.clip, _clip_number, arguments=("values", "low", "high")
        ),
        Function("isnan", "tests each", "not a number?", np.isnan, math.isnan),
        Function("isfinite", "tests each", "neither NaN nor ±∞?", np.isfinite, math.isfinite),
        Function("any", "answers", "yes for at least one?", lambda values: bool(values.any()), bool),
        Function("all", "answers", "yes for every one?", lambda values: bool(values.all()), bool),
    )
}
