"""The ruler of the time axis: tick numbers, or the names of the time steps, and a tag at the cursor."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QFontMetricsF, QPainter

from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_ROOM = 60.0  # pixels between two numbers
_BAND = 2.5  # pixels of a band below them
_PARTS = (
    "the window's older part: read again with today's weights, no loss counts",
    "the window's new part: its loss counts",
)


class Ruler(CanvasItem):
    """Numbers every 1, 2, 5, 10, … time steps; `names` (years, for example) take their place where given."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self._names: Sequence[str] = ()
        self._cursor = 1
        self._window = range(0), range(0)

    def set_names(self, names: Sequence[str]) -> None:
        if tuple(names) != tuple(self._names):
            self._names = tuple(names)
            self.update()

    @property
    def named(self) -> bool:
        """Whether the time steps have names."""
        return bool(self._names)

    def set_window(self, older: range, new: range) -> None:
        """The parts of a training window: a thin band below their numbers, the new one in colour."""
        if (older, new) != self._window:
            self._window = older, new
            self.update()

    def set_cursor(self, time_step: int) -> None:
        """Moves the tag; only its old and new place are painted."""
        old, self._cursor = self._cursor, time_step
        if old != time_step:
            for t in (old, time_step):
                self.update(self._tag(t).adjusted(-30, 0, 30, 0).intersected(self.boundingRect()))

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-24, 0, 24, 0)

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(fonts.text(fonts.SMALL))
        painter.setPen(self.theme.color("muted"))
        tag = self._tag(self._cursor)
        self._draw_window(painter)
        painter.setPen(self.theme.color("muted"))
        for t in filter(self.axis.holds, self._ticks()):
            box = self._tag(t)
            if not box.intersects(tag.adjusted(-2, 0, 2, 0)):
                painter.drawText(box.adjusted(-10, 0, 10, 0), Qt.AlignmentFlag.AlignCenter, self._name(t))
        if self.axis.holds(self._cursor):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("cursor"))
            painter.drawRoundedRect(tag, 3, 3)
            painter.setFont(fonts.semibold(fonts.SMALL))
            painter.setPen(self.theme.color("on_cursor"))
            painter.drawText(tag.adjusted(-4, 0, 4, 0), Qt.AlignmentFlag.AlignCenter, self._name(self._cursor))

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        words = f"t = {t}" if not self._names else f"t = {t}: {self._name(t)}"
        for part, said in zip(self._window, _PARTS, strict=True):
            if t in part:
                words += f"\n{said}"
        return words

    def _draw_window(self, painter: QPainter) -> None:
        painter.setPen(Qt.PenStyle.NoPen)
        for part, color in zip(self._window, (self.theme.color("muted", 0.5), self.theme.color("accent")), strict=True):
            left = max(self.axis.x(part.start - 0.5), self.rect.left())
            right = min(self.axis.x(part.stop - 0.5), self.rect.right())
            if part and right > left:
                painter.fillRect(QRectF(left, self.rect.bottom() - _BAND, right - left, _BAND), color)

    def _ticks(self) -> list[int]:
        step = nice_step(_ROOM / self.axis.pitch)
        visible = self.axis.visible()
        if self._names and all(name.lstrip("-").isdigit() for name in (self._names[0], self._names[-1])):
            # years and the like: round numbers of theirs, not of ours
            return [t for t in visible if self._name(t).lstrip("-").isdigit() and int(self._name(t)) % step == 0]
        ticks = [t for t in range(step, visible[-1] + 1, step) if t in visible]
        if 1 in visible and (not ticks or step > 1):
            ticks.insert(0, 1)
        return ticks

    def _name(self, t: int) -> str:
        return self._names[t - 1] if t <= len(self._names) else str(t)

    def _tag(self, t: int) -> QRectF:
        width = QFontMetricsF(fonts.semibold(fonts.SMALL)).horizontalAdvance(self._name(t)) + 8
        return QRectF(
            QPointF(self.axis.x(t) - width / 2, self.rect.top()),
            QPointF(self.axis.x(t) + width / 2, self.rect.top() + 14),
        )


def nice_step(at_least: float) -> int:
    """The smallest of 1, 2, 5, 10, 20, 50, … that is not below `at_least`."""
    size = 1
    while True:
        for factor in (1, 2, 5):
            if factor * size >= at_least:
                return factor * size
        size *= 10
