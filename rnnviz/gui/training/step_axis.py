"""Step axis: the training steps below the curves of a picture, which has no scrubber, and their title."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.numbers import whole
from rnnviz.gui.look import fonts
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.training.curve_ranges import round_steps

TITLE = "training step"
_MARK, _BASE, _HEIGHT = 5, 17, 24  # pixels from the top: end of a mark, foot of the numbers, all of it
_MARGIN = 14  # as in the lanes


class StepAxis(QWidget):
    """As wide as the curves with both columns beside them; the training step that is shown stands in a tag."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._range, self._shown = (0.0, 1.0), 0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_range(self, low: float, high: float) -> None:
        """The training steps at the left and right end of the curves."""
        self._range = (low, high)
        self.update()

    def set_training_step(self, training_step: int) -> None:
        """The one whose trace is shown."""
        self._shown = training_step
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(400, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setFont(fonts.text(12))
            painter.setPen(self._theme.color("muted"))
            painter.drawText(QPointF(_MARGIN, _BASE), TITLE)
            tag = self._tag()
            painter.setFont(fonts.text(fonts.SMALL))
            metrics = QFontMetricsF(painter.font())
            painter.drawLine(QPointF(LABEL_COLUMN, 0.5), QPointF(LABEL_COLUMN + self._width(), 0.5))
            for training_step in round_steps(*self._range, self._width()):
                x, text = self._x(training_step), whole(training_step)
                painter.drawLine(QPointF(x, 0), QPointF(x, _MARK))
                half = metrics.horizontalAdvance(text) / 2
                if not QRectF(x - half, 0, 2 * half, _HEIGHT).intersects(tag.adjusted(-3, 0, 3, 0)):
                    painter.drawText(QPointF(x - half, _BASE), text)
            if not self._range[0] <= self._shown <= self._range[1]:
                return
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._theme.color("accent"))
            painter.drawRoundedRect(tag, 3, 3)
            painter.setFont(fonts.semibold(fonts.SMALL))
            painter.setPen(self._theme.color("on_accent"))
            painter.drawText(tag, Qt.AlignmentFlag.AlignCenter, whole(self._shown))

    def _width(self) -> float:
        return self.width() - LABEL_COLUMN - SCALE_COLUMN

    def _x(self, training_step: float) -> float:
        low, high = self._range
        return LABEL_COLUMN + (training_step - low) / (high - low or 1.0) * self._width()

    def _tag(self) -> QRectF:
        width = QFontMetricsF(fonts.semibold(fonts.SMALL)).horizontalAdvance(whole(self._shown)) + 8
        return QRectF(self._x(self._shown) - width / 2, _MARK, width, 15)
