"""Model bar: the upright stroke in a model's colour beside its name; in pieces where its curves are dashed."""

from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QPainter

from rnnviz.gui.look.theme import Dash

_UNIT = 1.6  # pixels that a width of the curve's line is in the bar


def paint_model_bar(painter: QPainter, bar: QRectF, color: QColor, dash: Dash) -> None:
    """Fills `bar` from its top with strokes and gaps of `dash`."""
    if not dash:
        painter.fillRect(bar, color)
        return
    top, number = bar.top(), 0
    while top < bar.bottom():
        high = dash[number % len(dash)] * _UNIT
        if number % 2 == 0:
            painter.fillRect(QRectF(bar.left(), top, bar.width(), min(high, bar.bottom() - top)), color)
        top += high
        number += 1
