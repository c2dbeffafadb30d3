"""The unrolled network: the time steps around the cursor, one column for all models, forward and back."""

from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import pen
from rnnviz.gui.canvas.items.pictures import Tiles
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.network.drawing import Box, Drawing, Target, Text
from rnnviz.gui.network.model_row import ModelRow
from rnnviz.gui.network.reading import Look
from rnnviz.gui.network.steps import Steps

HEADER = 50.0  # height of the row of inputs
_LEFT = 14.0
_SMALL, _BODY, _TITLE = 11, 12, 15


def draw_unrolled(look: Look, area: QRectF, steps: Steps, only: int | None = None) -> Drawing:
    """The models below each other, or one `only`, below the row of their inputs."""
    drawing = Drawing()
    _draw_inputs(drawing, look, area, steps)
    top, room = area.top() + HEADER, area.height() - HEADER
    rows = _rows(look, steps, only)
    detail = next((d for d in (2, 1, 0) if sum(row.height(d) for row in rows) <= room), 0)
    needed = sum(row.height(detail) for row in rows)
    grow = min(max((room - needed) / max(len(rows), 1), 0.0), 60.0)
    for row in rows:
        height = row.height(detail) + grow
        row.draw(drawing, QRectF(area.left(), top, area.width(), height), detail)
        top += height
    return drawing


def height_of(look: Look, steps: Steps) -> float:
    """Pixels for all models in full."""
    return HEADER + sum(row.height(2) for row in _rows(look, steps))


def _rows(look: Look, steps: Steps, only: int | None = None) -> list[ModelRow]:
    return [
        ModelRow(look, number, model, steps)
        for number, model in enumerate(look.shown.models)
        if model.layer is not None and (only is None or number == only)
    ]


def _draw_inputs(drawing: Drawing, look: Look, area: QRectF, steps: Steps) -> None:
    """x_t of every time step, with the number of the time step below."""
    shown, task = look.shown, look.shown.task
    letters = _letters(look)
    symbols = letters is not None
    reads = "x_t, embedded" if look.shown.embeds else "x_t, one-hot"
    drawing.add(
        Text("input", _LEFT, area.top() + 20, "Input", _TITLE - 1, look.color("text"), bold=True),
        Text("input words", _LEFT, area.top() + 36, reads if symbols else "x_t", _SMALL, look.color("muted")),
    )
    seen = [
        one.words for one in shown.stages if one.first in steps.numbers or steps.first in range(one.first, one.last)
    ]
    if seen:
        stages = Text("input stages", _LEFT, area.top() + 49, " → ".join(seen), _SMALL, look.color("text"))
        drawing.add(stages)
    for t in steps.numbers:
        x, here = steps.x(t), t == look.time_step
        if shown.pictures is not None:
            _draw_picture(drawing, look, shown.pictures, t, x, area.top())
            continue
        text = letters[t - 1] if letters is not None else _input_text(shown.inputs[t - 1])
        wide = max(24.0, min(steps.pitch - 6, 14 + 7.0 * len(text)))
        box = QRectF(x - wide / 2, area.top() + 5, wide, 23)
        ground = look.color("cursor") if here else look.color("raised")
        ink = look.color("on_cursor") if here else look.color("text")
        if task is not None and not here and symbols and text in task.marked_symbols:
            ink = look.color("positive")
        drawing.add(
            Box(f"input {t}", box, None, fill=ground, radius=4),
            Text(f"x {t}", x, area.top() + 21, text, _BODY + 1, ink, 0.5, bold=here),
            Text(
                f"t {t}", x, area.top() + 43, f"{t:,}", _SMALL,
                look.theme.text_color("cursor") if here else look.color("muted"), 0.5, bold=here,
            ),
        )  # fmt: skip
        column = QRectF(x - steps.pitch / 2, area.top(), steps.pitch, HEADER)
        drawing.place(column, Target(time_step=t), f"t = {t}: go there")


def _draw_picture(drawing: Drawing, look: Look, tiles: Tiles, t: int, x: float, top: float) -> None:
    """What is read at a time step in place of its letter, beside its number."""
    here = t == look.time_step
    ink = look.theme.text_color("cursor") if here else look.color("muted")
    if not tiles.there[t - 1]:
        drawing.add(Text(f"x {t}", x, top + 21, "–", _BODY + 1, look.color("muted"), 0.5))
    else:
        box = tiles.fitting(QRectF(x - 45, top + 2, 90, 28))
        drawing.add(
            Picture(f"picture {t}", box, tiles.image(t - 1, look.theme), look.color("cursor" if here else "line"))
        )
    drawing.add(Text(f"t {t}", x, top + 43, f"{t:,}", _SMALL, ink, 0.5, bold=here))
    drawing.place(QRectF(x - 45, top, 90, HEADER), Target(time_step=t), f"t = {t}: go there")


@dataclass(eq=False, slots=True)
class Picture:
    """A picture in a frame."""

    key: str
    rect: QRectF
    image: QImage
    frame: QColor

    def paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        painter.drawImage(self.rect, self.image)
        painter.setPen(pen(self.frame, 1.4))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(self.rect)


def _letters(look: Look) -> list[str] | None:
    """What is read at each time step, "·" where the models read unlike symbols; None where it is no symbol."""
    having = [one for one in look.shown.letters if one is not None]
    if not having:
        return None
    together = zip(*(one.symbols for one in having), strict=True)
    return [("·" if len({*each}) > 1 else readable(each[-1]) if each[-1] else "–") for each in together]


def _input_text(values: Array) -> str:
    if len(values) == 1:
        return short(float(values[0]))
    return f"‖x‖ {short(float(np.linalg.norm(values.astype(np.float64))))}"
