"""Dropped units: which outputs of a layer went no further in the training step of a batch, crossed in its strip."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QLineF, QRectF
from PySide6.QtGui import QColor, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.gui.canvas.items.canvas_item import pen
from rnnviz.gui.network.drawing import Drawing, Target
from rnnviz.gui.network.row_reader import RowReader

_LEAST = 4.0  # pixels of a unit from which its cross can be seen; below it is blank


@dataclass(eq=False, slots=True)
class Crossed:
    """The dropped units of a strip: blank, with a cross where there is room for it."""

    key: str
    rect: QRectF
    dropped: Array  # (U,) bool
    ground: QColor
    ink: QColor

    def paint(self, painter: QPainter) -> None:
        wide = self.rect.width() / len(self.dropped)
        for unit in np.flatnonzero(self.dropped):
            box = QRectF(self.rect.left() + unit * wide, self.rect.top(), wide, self.rect.height())
            painter.fillRect(box, self.ground)
            if wide >= _LEAST:
                painter.setPen(pen(self.ink, 1.0))
                inner = box.adjusted(1, 1, -1, -1)
                side = min(inner.width(), inner.height(), 7.0) / 2
                x, y = inner.center().x(), inner.center().y()
                painter.drawLines([QLineF(x - side, y - side, x + side, y + side),
                                   QLineF(x - side, y + side, x + side, y - side)])  # fmt: skip


def dropped_units(trace: Trace, layer: Layer) -> Array | None:
    """(T, U) bool of the layer's own stretch of one sequence: True where its output was multiplied by 0 on its way up;
    None where nothing was."""
    call = next((one for one in trace.calls if any(own is layer for own in one.layers)), None)
    if call is None or call.call.masks is None or layer.id.depth >= len(call.call.masks):
        return None
    units = layer.structure.output_size
    mask = call.call.masks[layer.id.depth][:, 0, units * layer.reverse : units * (1 + layer.reverse)]
    return np.asarray(mask == 0)


def draw_dropped(drawing: Drawing, row: RowReader, layer: Layer, t: int, rect: QRectF) -> None:
    """Over the strip of a layer's output at a time step."""
    key = (row.number, layer.name, "dropped")
    found = row.look.once(key, lambda: dropped_units(row.trace, layer))
    place = t - 1 - layer.start
    if found is None or not 0 <= place < len(found) or not found[place].any():
        return
    dropped, look = found[place], row.look
    if len(dropped) <= rect.width():
        mark = Crossed(
            f"{row.number} {layer.name} dropped {t}", rect, dropped, look.color("panel"), look.color("muted")
        )
        drawing.add(mark)
    target = Target(model=row.number, layer=layer.name, time_step=t, node=layer.equations.output)
    count = f"{int(dropped.sum()):,} of {len(dropped):,} units"
    words = f"{count} dropped in this training step: what the layer above reads of them at t = {t} is 0"
    drawing.place(rect.adjusted(0, -1, 0, 1), target, words)
