"""Attention in the unrolled network: all outputs of the encoder in one strip, and what the decoder takes of each."""

from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.row_reader import RowReader

MEMORY = 50.0  # height of strip and lines
_CELL = 17.0
_MOST_WIDE = 30.0
_LETTER = 9.0  # pixels of a place from which it has its symbol
_SMALL = 11
_FAINT = 0.02  # of the largest weight: below it no line is drawn


def draw_memory(drawing: Drawing, row: RowReader, area: QRectF, top: float) -> None:
    """A place for each time step of the encoder; from each a line to the prediction at the cursor, as strong as its
    weight."""
    look, found = row.look, row.model.looking_back
    assert found is not None  # the caller looked
    count, key = len(found.earlier), f"{row.number} memory"
    room = area.width() - LABEL_COLUMN - SCALE_COLUMN
    wide = min(room / count, _MOST_WIDE)
    t = look.time_step
    weights = found.at(t)
    end = QPointF(row.steps.x(t), top + MEMORY - 3)
    left = min(max(row.steps.x(t) - wide * count / 2, LABEL_COLUMN), LABEL_COLUMN + room - wide * count)
    left = LABEL_COLUMN + (room - wide * count) / 2 if weights is None else left
    drawing.add(Text(f"{key} words", 16, top + 12, "encoder outputs", _SMALL, look.color("muted")))
    letters = look.shown.letters[row.number]
    largest = float(weights.max()) if weights is not None else 1.0
    for place, s in enumerate(found.earlier):
        box = QRectF(left + place * wide + 0.5, top, wide - 1, _CELL)
        weight = float(weights[place]) if weights is not None else 0.0
        share = weight / largest if largest > 0 else 0.0
        here = s + 1 == t
        fill = _faded(row.model.color, 0.06 + 0.74 * share)
        drawing.add(Box(f"{key} {s + 1}", box, look.color("cursor") if here else None, 1.6, fill, 3))
        symbol = readable(letters.symbols[s]) if letters is not None and letters.symbols[s] else ""
        if symbol and wide >= _LETTER:
            ink = look.theme.text_on(look.theme.mixed(row.model.color, 0.06 + 0.74 * share))
            drawing.add(Text(f"{key} {s + 1} symbol", box.center().x(), top + 13, symbol, _SMALL, ink, 0.5))
        words = f"output of the encoder at t = {s + 1}{f' ({symbol})' if symbol else ''}"
        if weights is not None:
            words += f"; attention weight from t = {t}: α = {short(weight)}"
            if share > _FAINT:
                start = QPointF(box.center().x(), box.bottom() + 1)
                color = _faded(row.model.color, 0.12 + 0.88 * share)
                drawing.add(Line(f"{key} line {s + 1}", (start, end), color, 0.7 + 3.3 * share))
        drawing.place(box, Target(model=row.number, time_step=s + 1), f"{words}; press to go there")


def _faded(color: QColor, opacity: float) -> QColor:
    found = QColor(color)
    found.setAlphaF(min(max(opacity, 0.0), 1.0))
    return found
