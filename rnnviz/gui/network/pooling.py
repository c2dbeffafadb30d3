"""The pooling of a head in the network's pictures: a node between the cell and its prediction, which gathers the
outputs of all time steps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.heads.pooling import POOLINGS, PoolingKind
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.reading import Look, written

BUS = 30.0  # height of what is drawn between the cells and their predictions
_NODE = 16.0  # height of the node
_SMALL = 11
_PAD = 7.0
_WORDS = 90.0  # pixels from one time step to the next from which the node is called by all its words


def pooling_of(model: ShownModel) -> PoolingKind | None:
    """What a model's head reads its outputs through; None: each time step's alone, or it has no head."""
    kind = None if model.head is None else POOLINGS[model.head.kind.pooling]
    return kind if kind is not None and kind.mark else None


def draw_node(
    drawing: Drawing, look: Look, key: str, center: QPointF, pooling: PoolingKind, target: Target, words: str = ""
) -> None:
    """The node itself, with its words or shorter ones; a press goes to its operation in the loss."""
    text = Text(
        f"{key} pooling words", center.x(), center.y() + 4, words or pooling.words, _SMALL, look.color("text"), 0.5
    )
    half = text.width / 2 + _PAD
    rect = QRectF(center.x() - half, center.y() - _NODE / 2, 2 * half, _NODE)
    drawing.add(Box(f"{key} pooling", rect, look.color("border"), 1.4, look.color("raised"), _NODE / 2), text)
    drawing.place(rect, target, f"{pooling.words} of the outputs up to here: press to go to it in the loss")


def draw_bus(
    drawing: Drawing, look: Look, number: int, model: ShownModel, columns: Sequence[tuple[int, float]], bottom: float
) -> None:
    """Above the cells, whose tops are at `bottom`: from each of the (time step, x) in `columns` up to a line, along
    which the outputs come to the node of each time step that is asked. Backward what each gets of it, in its colour."""
    pooling, head = pooling_of(model), model.head
    assert pooling is not None  # the caller looked
    assert head is not None
    y, asked = bottom - BUS + _NODE / 2 + 2, np.flatnonzero(look.shown.asked) + 1
    last = int(asked[-1]) if asked.size else 0
    seen = [(t, x) for t, x in columns if t <= last]
    if not seen:
        return
    pitch = (columns[-1][1] - columns[0][1]) / max(len(columns) - 1, 1)
    beyond = columns[-1][0] < last
    start = seen[0][1] - (pitch / 2 if seen[0][0] > 1 else 0)
    end = seen[-1][1] + (pitch / 2 if beyond else 0)
    drawing.add(Line(f"{number} pooling line", (QPointF(start, y), QPointF(end, y)), look.color("muted"), 1.4))
    if beyond:
        mark = Text(f"{number} pooling", end, y - 5, pooling.mark, _SMALL, look.color("muted"), 1.0, spare=True)
        drawing.add(replace(mark, spots=((end + 5 + mark.width, y + 4),)))  # beside the end stands the loss
    got = l2(head.output_grad[:, 0])
    for t, x in seen:
        words = _shared(head, t)
        color, width, told = look.color("muted"), 1.4, ""
        if look.backward:
            size = float(got[t - 1])
            color, width = look.gradient_color(size), 1.4 + 2.0 * look.size_of(size)
            told = f"; ‖∂L/∂h_{{{t}}}‖ of it alone {written(size)}"
        points = QPointF(x, bottom - 2), QPointF(x, y)
        drawing.add(Line(f"{number} pooling {t}", points[::-1] if look.backward else points, color, width, head=5.0))
        place = QRectF(x - 8, y, 16, bottom - y)
        drawing.place(place, Target(model=number, time_step=t), f"t = {t} {words}{told}")
    for t, x in seen:
        if t in asked:
            target = Target(model=number, time_step=t, phase="loss", operation="pooling")
            words = pooling.words if pitch >= _WORDS else pooling.mark
            draw_node(drawing, look, f"{number} {t}", QPointF(x, y), pooling, target, words)


def _shared(head: HeadTrace, t: int) -> str:
    """What the output of a time step is to the last prediction that is asked."""
    last = int(np.flatnonzero(head.loss_weight[:, 0])[-1])
    held = head.pooled_grads.holders
    if held is None:
        return f"is {short(1 / (last + 1))} of the mean"
    return f"holds the maximum of {int((held[last, 0] == t - 1).sum())} of {held.shape[-1]} units"
