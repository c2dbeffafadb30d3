"""Stages: what each stretch of the time axis is called, and the hand-over between two of them."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QLineF, QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPen, QPolygonF

from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_INSET = 4.0  # pixels that a bracket leaves to the next one
_MARK = 5.0  # half of the hand-over's mark
_TICK = 3.5


@dataclass(frozen=True)
class StageStretch:
    """The time steps `first`…`last` of one stage."""

    words: str
    first: int
    last: int
    begun: str = ""  # how it begins with what the stage before it left; "": it does not


class StageNames(CanvasItem):
    """A bracket with its name over each stage, a mark where one hands over to the next."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._stages: Sequence[StageStretch] = ()

    def set_stages(self, stages: Sequence[StageStretch]) -> None:
        if tuple(stages) != tuple(self._stages):
            self._stages = tuple(stages)
            self.update()

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(fonts.text(fonts.SMALL))
        metrics = QFontMetricsF(fonts.text(fonts.SMALL))
        y = round(self.rect.center().y()) + 0.5
        for stage in self._stages:
            left, right = self.axis.x(stage.first - 0.5), self.axis.x(stage.last + 0.5)
            left, right = max(left, self.axis.left) + _INSET, min(right, self.axis.right) - _INSET
            if right <= left:
                continue
            painter.setPen(pen(self.theme.color("border"), 1.2))
            painter.drawLines([QLineF(left, y, right, y), QLineF(left, y - _TICK, left, y + _TICK),
                               QLineF(right, y - _TICK, right, y + _TICK)])  # fmt: skip
            words = metrics.elidedText(stage.words, Qt.TextElideMode.ElideRight, right - left - 12)
            wide = metrics.horizontalAdvance(words) + 12
            box = QRectF((left + right - wide) / 2, self.rect.top(), wide, self.rect.height())
            painter.fillRect(box, self.theme.color("background"))
            painter.setPen(self.theme.color("text"))
            painter.drawText(box, Qt.AlignmentFlag.AlignCenter, words)
        for stage in self._stages:
            x = self.axis.x(stage.first - 0.5)
            if stage.begun and self.axis.left <= x <= self.axis.right:
                painter.setPen(Qt.PenStyle.NoPen)
                painter.setBrush(self.theme.color("text"))
                painter.drawPolygon(QPolygonF([QPointF(x - _MARK + 1, y - _MARK), QPointF(x + _MARK, y),
                                               QPointF(x - _MARK + 1, y + _MARK)]))  # fmt: skip

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        for stage in self._stages:
            if stage.begun and abs(x - self.axis.x(stage.first - 0.5)) < _MARK + 2:
                return stage.begun
        own = next((stage for stage in self._stages if stage.first <= t <= stage.last), None)
        return f"{own.words}: time steps {own.first:,} to {own.last:,}" if own is not None else ""


class Borders(CanvasItem):
    """Vertical lines through all lanes where stages begin."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme, cached=False)
        self._lines: Sequence[float] = ()

    def set_lines(self, lines: Sequence[float], top: float, bottom: float) -> None:
        """At pixels x."""
        self.prepareGeometryChange()
        self._lines = tuple(lines)
        left, right = min(self._lines, default=0.0), max(self._lines, default=0.0)
        self.rect = QRectF(left - 1, top, right - left + 2, bottom - top) if self._lines else QRectF()
        self.update()

    def draw(self, painter: QPainter) -> None:
        line = QPen(self.theme.color("muted"), 1.0, Qt.PenStyle.DashLine)
        painter.setPen(line)
        for x in self._lines:
            painter.drawLine(QPointF(x, self.rect.top()), QPointF(x, self.rect.bottom()))
