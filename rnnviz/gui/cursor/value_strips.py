"""The values behind one row as heat strips, one a model, with the same levels for all."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short, tick
from rnnviz.gui.cursor.value_row import Colors
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.color_maps import bent, beyond_one, knee_at_one
from rnnviz.gui.look.model_bar import paint_model_bar
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.widgets import marked_text

_TITLE = 28  # pixels
_EACH = 44
_STRIP = 16
_PAD = 8
_FAR = 30.0  # times the calmest model's largest value: beyond, linear colours show that model as nothing


@dataclass(frozen=True)
class Strip:
    """One model's vector; `marked` is the place of the cursor in a vector over time, −1 if there is none; `note` is
    said below it instead of the usual facts."""

    name: str
    color: QColor
    values: Array  # (H,) or (T,)
    marked: int = -1
    note: str = ""
    dash: Dash = ()  # of the model's curves


class ValueStrips(QWidget):
    """Title, then for each model its strip and under it smallest, mean and largest value."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.title, self._symbol = "", ""
        self.knee = 0.0  # the colours are logarithmic beyond it; 0: they are linear
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
        ends, self.knee = levels(colors, strips), knee(colors, strips)
        self._images = tuple(strip_image(one.values, ends, colors, gate, theme, self.knee) for one in strips)
        self.update()

    def sizeHint(self) -> QSize:
        return scale.size(296, _TITLE + _EACH * max(1, self._models))

    def minimumSizeHint(self) -> QSize:
        return QSize(scale.px(160), self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with scale.painting(self) as painter:
            text, muted = self._theme.color("text"), self._theme.color("muted")
            after = _PAD + marked_text.width(self.title, fonts.BODY) + 5
            marked_text.draw(painter, _PAD, 17, self.title, fonts.BODY, text)
            bent = f"  log beyond ±{tick(self.knee)}" if self.knee else ""
            marked_text.draw(painter, after, 17, f"{self._symbol}{bent}", fonts.BODY, muted)
            for number, (strip, image) in enumerate(zip(self.strips, self._images, strict=True)):
                self._paint_strip(painter, strip, image, _TITLE + number * _EACH, muted)

    def _paint_strip(self, painter: QPainter, strip: Strip, image: QImage, top: int, muted: QColor) -> None:
        assert self._theme is not None
        box = QRectF(_PAD + 3, top, scale.width(self) - 2 * _PAD - 3, _STRIP)
        paint_model_bar(painter, QRectF(_PAD - 2, top, 3, _STRIP), strip.color, strip.dash)
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
    if _held(colors, strips):
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


def knee(colors: Colors, strips: Sequence[Strip]) -> float:
    """Beyond it signed colours are logarithmic: the largest value of the calmest model, 1 at least, where that of
    another is so far away that the calm one would have no colour; ±1 of what should stay within; 0: linear."""
    finite = [np.abs(np.asarray(strip.values)[np.isfinite(strip.values)]) for strip in strips]
    largest = [float(part.max()) for part in finite if part.size]
    calm = max(min(largest, default=1.0), 1.0)
    if colors == "signed unit":
        return knee_at_one(max(largest, default=0.0))
    return float(f"{calm:.1g}") if colors == "signed" and max(largest, default=0.0) > _FAR * calm else 0.0


def _held(colors: Colors, strips: Sequence[Strip]) -> bool:
    """Whether the values stay within ±1, as tanh and σ hold them; a ReLU does not, nor a GRU whose first state was
    beyond it."""
    return colors == "signed unit" and not any(beyond_one(strip.values) for strip in strips)


def strip_image(
    values: Array, ends: tuple[float, float], colors: Colors, gate: str, theme: Theme, knee: float = 0.0
) -> QImage:
    """One pixel a value, (1, H); what is not finite stands out, a zero magnitude has the lowest colour."""
    return map_image(np.asarray(values).reshape(1, -1), ends, colors, gate, theme, knee)


def map_image(
    values: Array, ends: tuple[float, float], colors: Colors, gate: str, theme: Theme, knee: float = 0.0
) -> QImage:
    """The same of a matrix (R, C)."""
    low, high = ends
    numbers = np.asarray(values, np.float64)
    finite = np.isfinite(numbers)
    if colors == "magnitude":
        numbers = np.log10(np.where(finite & (numbers > 0), numbers, 10.0**low))
    if knee:
        numbers, low, high = bent(numbers, high, knee), -1.0, 1.0
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
