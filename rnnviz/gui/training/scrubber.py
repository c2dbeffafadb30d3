"""The training-step scrubber: a track with a tick for each capture and a handle that stays where a person left it."""

import numpy as np
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QFontMetricsF, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import whole
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.focus_ring import paint_ring
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.training.curve_ranges import nearest, round_steps

_TRACK = 13  # pixels from the top to the middle of the track
_RADIUS = 6.5
_TICKS = 23
_NUMBERS = 38
_JUMP = 10  # captures a page key goes
KEYS = frozenset(
    {Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_End}
)


class Scrubber(QWidget):
    """`chosen(int)`: each recorded training step the handle comes to; `held(bool)`: the mouse holds it."""

    chosen = Signal(int)
    held = Signal(bool)

    def __init__(self) -> None:
        super().__init__()
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        scale.fit(self, height=_NUMBERS + 6)
        self.setAccessibleName("Training step")
        self.setToolTip("Recorded training steps: drag, or ← → from capture to capture, Page up and down by ten")
        self.captured: Array = np.zeros(0, np.int64)
        self.training_step = 0
        self._range = (0.0, 1.0)
        self._theme: Theme | None = None
        self._holding = False

    @property
    def holding(self) -> bool:
        """Whether the mouse holds the handle."""
        return self._holding

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_range(self, low: float, high: float) -> None:
        """The training steps at the left and right end of the track."""
        if (low, high) != self._range:
            self._range = (low, high)
            self.update()

    def set_captured(self, captured: Array) -> None:
        """The training steps that can be chosen, ascending."""
        self.captured = captured
        self.update()

    def set_training_step(self, training_step: int) -> None:
        """Moves the handle, unless the mouse holds it."""
        if not self._holding and training_step != self.training_step:
            self.training_step = training_step
            self.update()

    def sizeHint(self) -> QSize:
        return scale.size(400, _NUMBERS + 6)

    def x_of(self, training_step: float) -> float:
        """Where a training step lies, in pixels of the design."""
        low, high = self._range
        return (training_step - low) / (high - low or 1.0) * scale.width(self)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if plain and Qt.Key(event.key()) in KEYS:
                event.accept()  # with the focus here these keys are the scrubber's own
                return True
        return super().event(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and len(self.captured):
            self._holding = True
            self.held.emit(True)
            self._choose_at(scale.to_design(event.position().x()))

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._holding:
            self._choose_at(scale.to_design(event.position().x()))

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._holding:
            self._holding = False
            self.held.emit(False)
            self.update()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, last = Qt.Key(event.key()), len(self.captured) - 1
        if key not in KEYS or last < 0:
            super().keyPressEvent(event)
            return
        before = int(np.searchsorted(self.captured, self.training_step, side="left")) - 1
        after = int(np.searchsorted(self.captured, self.training_step, side="right"))
        places = {
            Qt.Key.Key_Left: before,
            Qt.Key.Key_Right: after,
            Qt.Key.Key_PageDown: before - _JUMP + 1,
            Qt.Key.Key_PageUp: after + _JUMP - 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        self._choose(int(self.captured[min(max(places[key], 0), last)]))

    def focusInEvent(self, event: QEvent) -> None:
        self.update()

    def focusOutEvent(self, event: QEvent) -> None:
        self.update()

    def _choose_at(self, x: float) -> None:
        low, high = self._range
        self._choose(nearest(self.captured, low + x / max(1, scale.width(self)) * (high - low)))

    def _choose(self, training_step: int) -> None:
        if training_step != self.training_step:
            self.training_step = training_step
            self.update()
            self.chosen.emit(training_step)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            accent, line, muted = (self._theme.color(token) for token in ("accent", "border", "muted"))
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(line)
            painter.drawRoundedRect(QRectF(0, _TRACK - 2, scale.width(self), 4), 2, 2)
            handle = self.x_of(self.training_step)
            painter.setBrush(accent)
            painter.drawRoundedRect(QRectF(0, _TRACK - 2, min(max(handle, 0.0), scale.width(self)), 4), 2, 2)
            self._paint_ticks(painter)
            if -1 <= handle <= scale.width(self) + 1:
                self._paint_handle(painter, min(max(handle, _RADIUS), scale.width(self) - _RADIUS))
            painter.setFont(fonts.text(fonts.SMALL))
            painter.setPen(muted)
            self._paint_numbers(painter)
            if self.hasFocus():
                paint_ring(painter, QRectF(scale.rect(self)), self._theme)

    def _paint_handle(self, painter: QPainter, x: float) -> None:
        assert self._theme is not None
        painter.setPen(QPen(self._theme.color("accent"), 1))
        painter.drawLine(QPointF(x, 0), QPointF(x, _TRACK))
        painter.setBrush(self._theme.color("accent"))
        ring = self._theme.color("focus" if self.hasFocus() or self._holding else "panel")
        painter.setPen(QPen(ring, 2))
        painter.drawEllipse(QPointF(x, _TRACK), _RADIUS, _RADIUS)

    def _paint_ticks(self, painter: QPainter) -> None:
        """One tick for each pixel that holds a capture, however many captures there are."""
        assert self._theme is not None
        low, high = self._range
        pixels = (self.captured - low) / (high - low or 1.0) * (scale.width(self) - 1)
        pixels = np.unique(np.rint(pixels[(pixels >= 0) & (pixels < scale.width(self))]).astype(np.int64) // 2 * 2)
        painter.setPen(QPen(self._theme.color("muted"), 1))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        for x in pixels.tolist():
            painter.drawLine(x, _TICKS, x, _TICKS + 2)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)

    def _paint_numbers(self, painter: QPainter) -> None:
        metrics = QFontMetricsF(painter.font())
        for training_step in round_steps(*self._range, scale.width(self)):
            text = whole(training_step)
            width = metrics.horizontalAdvance(text)
            x = min(max(self.x_of(training_step) - width / 2, 0.0), scale.width(self) - width)
            painter.drawText(QPointF(x, _NUMBERS), text)
