"""A watch at one moment: its value in each model, and the line it makes over the sequence or over training steps."""

from dataclasses import dataclass, field

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import Expression, Value, shown
from rnnviz.core.expressions.shapes import TIME
from rnnviz.core.numbers import short
from rnnviz.core.stopping.conditions import Look, along_time, look
from rnnviz.gui.state.scopes import curves_of, metric_scope, scope_at_cursor, trace_scope
from rnnviz.gui.state.state import State

_POINTS = 120  # of a line over training steps: more than a sparkline has pixels


@dataclass(frozen=True)
class WatchLine:
    """x ascending; `marked` is the x of the cursor. Over time steps counted from 1, or over training steps."""

    x: Array = field(default_factory=lambda: np.zeros(0))
    values: Array = field(default_factory=lambda: np.zeros(0))  # float64, NaN where there is none
    marked: float = float("nan")
    over: str = ""  # "time steps", "training steps", "" without a line


def value_words(value: Value) -> str:
    """A value as a watch shows it: 5.3·10⁻⁸, yes, −0.98 … 0.97 of an array."""
    if isinstance(value, np.ndarray) and value.dtype != bool and (value.ndim > 1 or value.size > 2):
        finite = value[np.isfinite(value)]
        return f"{short(float(finite.min()))} … {short(float(finite.max()))}" if finite.size else "none finite"
    if isinstance(value, float) and not value.is_integer():
        return short(value)
    return shown(value)


def same_value(one: Look, two: Look) -> bool:
    """Whether both show the same; NaN is the same as NaN."""
    if one.value is None or two.value is None:
        return one.value is two.value
    return bool(np.array_equal(np.asarray(one.value, np.float64), np.asarray(two.value, np.float64), equal_nan=True))


def look_at(state: State, expression: Expression, model: int) -> Look:
    """The value in the model at this place, or the sentence that says why there is none."""
    return look(expression, scope_at_cursor(state, model))


def line_of(state: State, expression: Expression, model: int, seen: "Seen") -> WatchLine:
    """The line of a watch: over the sequence if it follows it, else over the training steps."""
    over_time = _over_time(state, expression, model)
    if over_time is not None:
        x = np.arange(1.0, len(over_time) + 1)
        return WatchLine(x, over_time, float(min(state.place.cursor.time_step, len(over_time))), "time steps")
    if not expression.form.single:
        return WatchLine()
    if expression.needs_trace:
        x, values = seen.points(expression, model)
    else:
        x, values = _over_metrics(state, expression, model)
    return WatchLine(x, values, float(state.place.cursor.training_step), "training steps")


def _over_time(state: State, expression: Expression, model: int) -> Array | None:
    scope = trace_scope(state, model)
    axes = expression.form.axes
    if scope is not None and not axes and expression.follows_cursor:
        return along_time(expression, scope)
    if scope is not None and len(axes) == 1 and axes[0].label == TIME:
        value = look(expression, scope).value
        whole = isinstance(value, np.ndarray) and len(value) == scope.time_steps
        return np.asarray(value, np.float64) if whole else None
    return None


def _over_metrics(state: State, expression: Expression, model: int) -> tuple[Array, Array]:
    curves = [curve for curve in curves_of(state, model).values() if len(curve.training_steps)]
    if not curves:
        return np.zeros(0), np.zeros(0)
    steps = max((curve.training_steps for curve in curves), key=len)
    steps = np.unique(steps[np.linspace(0, len(steps) - 1, min(_POINTS, len(steps))).astype(np.int64)])
    found = [look(expression, metric_scope(state, model, int(step))).value for step in steps]
    return steps.astype(np.float64), np.array([np.nan if value is None else float(value) for value in found])


class Seen:
    """The values that watches had at the training steps that were shown: a line that grows while one looks."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, int], dict[int, float]] = {}

    def clear(self) -> None:
        """Forgets another run's values."""
        self._values.clear()

    def add(self, expression: Expression, model: int, training_step: int, value: Value | None) -> None:
        """One more point, of an expression that is one number."""
        if value is not None and expression.form.single:
            self._values.setdefault((expression.text, model), {})[training_step] = float(value)

    def points(self, expression: Expression, model: int) -> tuple[Array, Array]:
        """Training steps, ascending, and the values at them."""
        found = sorted(self._values.get((expression.text, model), {}).items())
        return np.array([step for step, _ in found], np.float64), np.array([value for _, value in found])
