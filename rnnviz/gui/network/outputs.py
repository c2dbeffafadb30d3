"""The predictions above the cells of the unrolled network, with target and loss where there is one."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.cursor.prediction_rows import label_of, undone
from rnnviz.gui.network.drawing import Drawing, Line, Target, Text
from rnnviz.gui.network.row_reader import RowReader
from rnnviz.gui.network.written import cut_to

OUTPUT = 30.0  # height above the cells
_SMALL = 11


def draw_outputs(drawing: Drawing, row: RowReader, top: float) -> None:
    """Prediction against target, and L_t, where there is a loss."""
    look, head, task, steps = row.look, row.trace.head, row.look.shown.task, row.steps
    assert head is not None  # the caller looked
    for t in steps.numbers:
        if not look.shown.asked[t - 1]:
            continue
        x, key = steps.x(t), f"{row.number} output {t}"
        first, second, right = _prediction(head.prediction[t - 1, 0], row.model, task, t)
        ink = look.color("text") if right is None else look.color("good" if right else "bad")
        loss = f"L {short(float(head.losses[t - 1, 0]))}"
        lit = look.lit == "head.weight"
        drawing.add(
            Text(f"{key} prediction", x, top + 10, cut_to(first, steps.pitch - 4, _SMALL), _SMALL, ink, 0.5, True),
            Text(f"{key} loss", x, top + 22, cut_to(f"{second}{loss}", steps.pitch - 4, _SMALL), _SMALL,
                 look.color("muted"), 0.5),
            Line(f"{key} line", (QPointF(x, top + OUTPUT), QPointF(x, top + 25)),
                 look.color("accent" if lit else "muted"), 2.6 if lit else 1.2),
        )  # fmt: skip
        place = QRectF(x - steps.pitch / 2, top, steps.pitch, OUTPUT)
        target = Target(model=row.number, time_step=t, phase="loss", parameter="head.weight")
        drawing.place(place, target, f"prediction, target and loss at t = {t}: press to go to the loss")


def _prediction(values: Array, model: ShownModel, task: TaskInfo | None, t: int) -> tuple[str, str, bool | None]:
    """What is predicted, what was wanted, and whether it is right; None for numbers."""
    assert task is not None
    assert model.sequence is not None
    assert model.sequence.head is not None
    head = model.sequence.head
    if task.output_kind == "classes" and head.classes is not None:
        chances, wanted = head.scores[t - 1, 0], int(head.classes[t - 1, 0])
        if not np.isfinite(chances).all():
            return "ŷ NaN", f"y {label_of(task.output_labels, wanted)} · ", None
        best = int(np.argmax(chances))
        first = f"ŷ {label_of(task.output_labels, best)} {short(float(chances[best]))}"
        return first, f"y {label_of(task.output_labels, wanted)} · ", best == wanted
    target = head.targets[t - 1, 0]
    if len(values) == 1:
        first, second = (short(undone(each, task, 0, True)) for each in (values, target))
        return f"ŷ {first}", f"y {second} · ", None
    return f"‖ŷ‖ {short(float(np.linalg.norm(values.astype(np.float64))))}", "", None
