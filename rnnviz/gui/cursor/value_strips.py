"""The values behind one row as heat strips, one a model, with the same levels for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.cursor.value_row import Colors
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets import marked_text

_TITLE = 28  # pixels
_EACH = 44
_STRIP = 16
_PAD = 8


@dataclass(frozen=True)
class Strip:
    """One model's vector; `marked` is the place of the cursor in a vector over time, −1 if there is none; `note` is
    said below it instead of the usual facts."""

    name: str
    color: QColor
    values: Array  # (H,) or (T,)
    marked: int = -1
    note: str = ""


class ValueStrips(QWidget):
    """Title, then for each model its strip and under it smallest, mean and largest value."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.title, self._symbol = "", ""
        self.strips: tuple[Strip, ...] = ()
        self._images: tuple[QImage, ...] = ()
        self._theme: Theme | None = None
        self._models = 2

    def set_models(self, count: int) -> None:
        """Keeps room for this many strips, so that the panel does not jump from row to row."""
        if count != self._models:
            self._models = count
            self.updateGeometry()

    def set_content(
        self, words: str, symbol: str, strips: Sequence[Strip], colors: Colors, gate: str, theme: Theme
    ) -> None:
        """Shows the vectors in `strips` in the colours of their kind; `gate` is the family of a gate."""
        self.title, self._symbol, self.strips, self._theme = words, symbol, tuple(strips), theme
        self._images = tuple(strip_image(strip.values, levels(colors, strips), colors, gate, theme) for strip in strips)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(296, _TITLE + _EACH * max(1, self._models))

    def minimumSizeHint(self) -> QSize:
        return QSize(160, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        painter = QPainter(self)
        text, muted = self._theme.color("text"), self._theme.color("muted")
        after = _PAD + marked_text.width(self.title, fonts.BODY) + 5
        marked_text.draw(painter, _PAD, 17, self.title, fonts.BODY, text)
        marked_text.draw(painter, after, 17, self._symbol, fonts.BODY, muted)
        for number, (strip, image) in enumerate(zip(self.strips, self._images, strict=True)):
            self._paint_strip(painter, strip, image, _TITLE + number * _EACH, muted)

    def _paint_strip(self, painter: QPainter, strip: Strip, image: QImage, top: int, muted: QColor) -> None:
        assert self._theme is not None
        box = QRectF(_PAD + 3, top, self.width() - 2 * _PAD - 3, _STRIP)
        painter.fillRect(QRectF(_PAD - 2, top, 3, _STRIP), strip.color)
        painter.drawImage(box, image)
        painter.setPen(QPen(self._theme.color("line"), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRect(box.adjusted(-0.5, -0.5, 0.5, 0.5))
        if strip.marked >= 0:
            x = box.left() + (strip.marked + 0.5) * box.width() / max(1, len(strip.values))
            painter.setPen(QPen(self._theme.color("cursor"), 2))
            painter.drawLine(QPointF(x, top - 2), QPointF(x, top + _STRIP + 2))
        font = fonts.text(fonts.SMALL)
        painter.setFont(font)
        base = top + _STRIP + 14
        painter.setPen(strip.color)
        painter.drawText(QPointF(box.left(), base), strip.name)
        painter.setPen(muted)
        room = box.width() - QFontMetricsF(font).horizontalAdvance(strip.name) - 10
        facts = strip.note or describe(strip.values)
        facts = QFontMetricsF(font).elidedText(facts, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(box.right() - QFontMetricsF(font).horizontalAdvance(facts), base), facts)


def describe(values: Array) -> str:
    """Shape, smallest, mean and largest of the finite values, and how many are not finite."""
    finite = values[np.isfinite(values)]
    parts = [f"({len(values)})"]
    if len(finite):
        low, high = float(finite.min()), float(finite.max())
        parts.append(f"{short(low)} … {short(high)}, mean {short(float(finite.mean(dtype=np.float64)))}")
    if len(finite) < len(values):
        parts.append(f"{len(values) - len(finite)} not finite")
    return "  ".join(parts)


def levels(colors: Colors, strips: Sequence[Strip]) -> tuple[float, float]:
    """The values at the two ends of the colour map, one pair for all models (log₁₀ for magnitudes)."""
    if colors == "signed unit":
        return (-1.0, 1.0)
    if colors == "unit":
        return (0.0, 1.0)
    together = np.concatenate([np.abs(np.asarray(strip.values, np.float64)) for strip in strips] or [np.zeros(1)])
    together = together[np.isfinite(together)]
    if colors == "magnitude":
        together = np.log10(together[together > 0])
        if not len(together):
            return (-1.0, 0.0)
        return (float(together.min()), max(float(together.max()), float(together.min()) + 1.0))
    largest = float(together.max()) if len(together) else 0.0
    return (-largest or -1.0, largest or 1.0)


def strip_image(values: Array, ends: tuple[float, float], colors: Colors, gate: str, theme: Theme) -> QImage:
    """One pixel a value, (1, H); what is not finite stands out, a zero magnitude has the lowest colour."""
    return map_image(np.asarray(values).reshape(1, -1), ends, colors, gate, theme)


def map_image(values: Array, ends: tuple[float, float], colors: Colors, gate: str, theme: Theme) -> QImage:
    """The same of a matrix (R, C)."""
    low, high = ends
    numbers = np.asarray(values, np.float64)
    finite = np.isfinite(numbers)
    if colors == "magnitude":
        numbers = np.log10(np.where(finite & (numbers > 0), numbers, 10.0**low))
    table = (
        theme.magnitude_map()
        if colors == "magnitude"
        else theme.gate_map(gate)
        if colors == "unit"
        else theme.signed_map()
    )
    place = np.clip((np.where(finite, numbers, low) - low) / (high - low), 0.0, 1.0)
    pixels = table[np.rint(place * (len(table) - 1)).astype(np.intp)]  # (R, C, 3)
    missing = theme.color("not_finite")
    pixels = np.where(finite[..., None], pixels, np.array([missing.red(), missing.green(), missing.blue()], np.uint8))
    if not pixels.size:
        pixels = np.zeros((1, 1, 3), np.uint8)
    data = np.ascontiguousarray(pixels, np.uint8)
    rows, columns = data.shape[:2]
    return QImage(data.tobytes(), columns, rows, 3 * columns, QImage.Format.Format_RGB888).copy()
