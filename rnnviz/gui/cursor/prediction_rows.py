"""Prediction rows of "At the cursor": what each model predicts, what was wanted, and how far apart they are."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.tasks.info import Scale, TaskInfo
from rnnviz.gui.cursor.value_row import ValueRow, ValueSource, shown_symbol

_FEW_OUTPUTS = 2  # columns whose values are written out; of more the norm
_MOST_NAMED = 8  # columns, or classes, in a tooltip


def prediction_rows(traces: Sequence[Trace], time_step: int, task: TaskInfo | None) -> list[ValueRow]:
    """Prediction, target and its probability, of numbers the error; no rows where no model has a head."""
    heads = [trace.head for trace in traces if trace.head is not None]
    if task is None or task.output_kind == "none" or not heads:
        return []
    row = min(max(time_step, 1), len(heads[0].loss_weight)) - 1
    asked = _asked_row(heads[0], row)
    t = str(time_step)
    at = t if asked in (None, row) else str(asked + 1)
    target = "target" if at == t else f"target, at t = {at}"
    if task.output_kind == "values":
        rows = _of_values(task, t, at, target)
    else:
        rows = _of_classes(task, t, at, target, any(head.probabilities is not None for head in heads))
    return [replace(one, note=_with_origin(one.note)) if one.key == "prediction" else one for one in rows]


def _with_origin(note: Callable[[ValueSource], str]) -> Callable[[ValueSource], str]:
    """A prediction's note, and where it comes from if the head does not compute it."""

    def found(source: ValueSource) -> str:
        head = source.trace.head
        return "; ".join(filter(None, (note(source), head.kind.note if head is not None else "")))

    return found


def _of_classes(task: TaskInfo, t: str, at: str, target: str, likely_ones: bool) -> list[ValueRow]:
    """`likely_ones`: whether what is predicted of the classes are probabilities."""
    labels = task.output_labels

    def chances(source: ValueSource) -> Array | None:
        head = _answering(source)
        return None if head is None else np.asarray(head.scores[source.row, 0])

    def predicted(source: ValueSource) -> str | None:
        values = chances(source)
        if values is None or not np.isfinite(values).all():
            return None
        return label_of(labels, int(np.argmax(values)))

    def wanted(source: ValueSource) -> int | None:
        head = source.trace.head
        row = _asked_row(head, source.row) if head is not None else None
        return None if head is None or row is None or head.classes is None else int(head.classes[row, 0])

    def target_label(source: ValueSource) -> str | None:
        number = wanted(source)
        return None if number is None else label_of(labels, number)

    def over_time(source: ValueSource) -> Array | None:
        number, head = wanted(source), source.trace.head
        return None if number is None or head is None else np.asarray(head.scores[:, 0, number])

    def probability(source: ValueSource) -> str | None:
        values = over_time(source) if _answering(source) is not None else None
        return None if values is None else short(float(values[source.row]))

    def likely(source: ValueSource) -> str:
        values = chances(source)
        if values is None:
            return ""
        best = np.argsort(-np.nan_to_num(values, nan=-np.inf), kind="stable")[:_MOST_NAMED]
        more = " …" if len(values) > _MOST_NAMED else ""
        return ", ".join(f"{label_of(labels, int(k))} {short(float(values[k]))}" for k in best) + more

    return [
        ValueRow("prediction", "prediction", f"ŷ_{{{t}}}", "prediction", predicted, chances, "unit", note=likely),
        ValueRow("target", target, f"y_{{{at}}}", "prediction", target_label, lambda _: None, "plain"),
        ValueRow(
            "target_probability", "its probability" if likely_ones else "its value",
            f"p(y_{{{at}}})" if likely_ones else f"ŷ_{{{t}}}[y_{{{at}}}]", "prediction", probability, over_time, "unit",
            part=True, over_time=True,
        ),
    ]  # fmt: skip


def _of_values(task: TaskInfo, t: str, at: str, target: str) -> list[ValueRow]:
    norms = len(task.output_labels) > _FEW_OUTPUTS

    def predicted(source: ValueSource) -> Array | None:
        head = _answering(source)
        return None if head is None else np.asarray(head.prediction[source.row, 0])

    def wanted(source: ValueSource) -> Array | None:
        head = source.trace.head
        row = _asked_row(head, source.row) if head is not None else None
        return None if head is None or row is None else np.asarray(head.targets[row, 0])

    def error(source: ValueSource) -> Array | None:
        first, second = predicted(source), wanted(source)
        with np.errstate(invalid="ignore", over="ignore"):
            return None if first is None or second is None else np.asarray(first - second)

    def row(key: str, words: str, symbol: str, vector: Callable[[ValueSource], Array | None], offset: bool) -> ValueRow:
        def number(source: ValueSource) -> str | None:
            values = vector(source)
            return None if values is None else _written(values, task, offset)

        def note(source: ValueSource) -> str:
            values = vector(source)
            return "" if values is None else _named(values, task, offset)

        symbol = f"‖{symbol}‖" if norms else symbol
        return ValueRow(key, words, symbol, "prediction", number, vector, "signed", key == "error", note=note)

    return [
        row("prediction", "prediction", f"ŷ_{{{t}}}", predicted, True),
        row("target", target, f"y_{{{at}}}", wanted, True),
        row("error", "error", f"ŷ_{{{t}}} − y_{{{at}}}", error, False),
    ]


def _answering(source: ValueSource) -> HeadTrace | None:
    """The head, where it answers at the time step: an encoder has none."""
    head = source.trace.head
    return head if head is not None and head.start <= source.row < head.stop else None


def _asked_row(head: HeadTrace, row: int) -> int | None:
    """Where the target of a time step stands: there, or at the one time step at which anything is asked at all."""
    asked = np.flatnonzero(head.loss_weight[:, 0])
    if row in asked:
        return row
    return int(asked[0]) if len(asked) == 1 else None


def _written(values: Array, task: TaskInfo, offset: bool) -> str:
    """The columns in the units of the data, or the norm of many as the network has them."""
    if len(values) > _FEW_OUTPUTS:
        return short(float(np.linalg.norm(values.astype(np.float64))))
    return ", ".join(short(undone(values, task, k, offset)) for k in range(len(values)))


def _named(values: Array, task: TaskInfo, offset: bool) -> str:
    """Every column with its name, in the units of the data."""
    names = task.output_labels
    if len(values) == 1:
        return names[0] if names else ""
    named = [
        f"{names[k] if k < len(names) else k + 1} {short(undone(values, task, k, offset))}" for k in range(len(values))
    ]
    return ", ".join(named[:_MOST_NAMED]) + (" …" if len(named) > _MOST_NAMED else "")


def undone(values: Array, task: TaskInfo, column: int, offset: bool) -> float:
    """One column in the units of the data; of a difference without the offset."""
    scale = task.output_scales[column] if column < len(task.output_scales) else Scale()
    return (scale.offset if offset else 0.0) + scale.factor * float(values[column])


def label_of(labels: Sequence[str], number: int) -> str:
    return shown_symbol(labels[number]) if number < len(labels) else str(number + 1)
