"""A row of input symbols: letters where they fit, else coloured ticks; the marked ones stand out."""

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter

from rnnviz.core.files.texts import OTHER
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme

_LETTER_PITCH = 8.0  # pixels of one time step that a letter needs
_ROOMY_PITCH = 10.0  # below it letters are written smaller, so that they do not run into words
_VISIBLE = {"start": "▸", " ": "␣", "\n": "¶", "\t": "→", "\r": "¶", OTHER: "\N{REPLACEMENT CHARACTER}"}


def readable(symbol: str) -> str:
    """A sign for what is no one visible character: blanks, line ends, tabs, control characters and all the others."""
    if symbol in _VISIBLE:
        return _VISIBLE[symbol]
    return symbol if symbol.isprintable() else "·"


class Symbols(CanvasItem):
    """One symbol a time step, "" for none. `marked` symbols get a box, or a tall tick where letters do not fit; those
    that a model reads because it has written them a frame in its `own` colour."""

    def __init__(self, theme: Theme, marked: Sequence[str] = (), own: QColor | None = None) -> None:
        super().__init__(theme)
        self._own_color = own or theme.color("text")
        self._own: frozenset[int] = frozenset()
        self._wrong: frozenset[int] = frozenset()
        self._words: Sequence[str] = ()
        self._marked = frozenset(marked)
        self._symbols: Sequence[str] = ()
        self._cursor = 0
        self._widest = 7.0

    def set_symbols(
        self,
        symbols: Sequence[str],
        own: frozenset[int] = frozenset(),
        wrong: frozenset[int] = frozenset(),
        words: Sequence[str] = (),
    ) -> None:
        """One for each time step 1…T; which of these time steps have what a model wrote itself, and where that was
        wrong; and what the tooltip says of each beside the symbol."""
        self._words = tuple(words)
        if list(symbols) != list(self._symbols) or (own, wrong) != (self._own, self._wrong):
            self._symbols, self._own, self._wrong = tuple(symbols), own, wrong
            metrics = QFontMetricsF(fonts.text())
            self._widest = max((metrics.horizontalAdvance(readable(s)) for s in set(self._symbols)), default=7.0)
            self.update()

    def set_cursor(self, time_step: int) -> None:
        """The symbol at the cursor is drawn in the cursor's colour."""
        old, self._cursor = self._cursor, time_step
        for t in {old, time_step}:
            self.update(self._cell(t).adjusted(-2, 0, 2, 0).intersected(self.boundingRect()))

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-6, 0, 6, 0)

    def draw(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setClipRect(self.time_box(6))
        pitch = self.axis.pitch
        letters = pitch >= max(_LETTER_PITCH, self._widest)
        for t in self.exposed_steps():
            if t > len(self._symbols):
                break
            symbol = self._symbols[t - 1]
            if not symbol:
                continue
            if letters:
                self._draw_letter(painter, t, symbol)
            else:
                self._draw_tick(painter, t, symbol)
        if not letters:
            self._draw_marked_letters(painter)

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        if t > len(self._symbols) or not self._symbols[t - 1]:
            return ""
        more = self._words[t - 1] if t <= len(self._words) else ""
        return f"t = {t}: {readable(self._symbols[t - 1])}{more}"

    def _draw_letter(self, painter: QPainter, t: int, symbol: str) -> None:
        cell = self._cell(t)
        marked, at_cursor = symbol in self._marked, t == self._cursor
        if marked or at_cursor:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self.theme.color("cursor", 1.0 if at_cursor else 0.28))
            width = max(min(cell.width(), 18.0), self._widest + 2)
            painter.drawRoundedRect(QRectF(cell.center().x() - width / 2, cell.top(), width, cell.height()), 3, 3)
        if t in self._own:
            painter.setPen(pen(self._own_color, 1.4))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            width = max(min(cell.width() - 1.5, 18.0), self._widest + 1)
            painter.drawRoundedRect(
                QRectF(cell.center().x() - width / 2, cell.top() + 1, width, cell.height() - 2), 3, 3
            )
        size = fonts.BODY if self.axis.pitch >= _ROOMY_PITCH else fonts.SMALL
        painter.setFont(fonts.bold(size) if marked or at_cursor else fonts.text(size))
        color = "on_cursor" if at_cursor else "bad" if t in self._wrong else "text" if marked else "muted"
        painter.setPen(self.theme.color(color))
        painter.drawText(cell.adjusted(-4, 0, 4, 0), Qt.AlignmentFlag.AlignCenter, readable(symbol))

    def _draw_tick(self, painter: QPainter, t: int, symbol: str) -> None:
        marked = symbol in self._marked
        x, middle = self.axis.x(t), self.rect.center().y() + 2
        half = self.rect.height() / 2 - 2 if marked else self.rect.height() * 0.22
        width = max(min(self.axis.pitch * 0.6, 3.0), 2.0 if marked else 0.6)
        color = self.theme.color("cursor") if marked else self.theme.color("muted", 0.75)
        if t in self._own:
            color = self._own_color
        painter.fillRect(QRectF(x - width / 2, middle - half, width, 2 * half), color)

    def _draw_marked_letters(self, painter: QPainter) -> None:
        """Beside the tall ticks, which letter it is, unless it would stand on the one before."""
        painter.setFont(fonts.bold(fonts.SMALL))
        painter.setPen(self.theme.color("text"))
        free_from = self.rect.left()
        for t in self.axis.visible():
            if t <= len(self._symbols) and self._symbols[t - 1] in self._marked:
                x = self.axis.x(t) + 3
                if x >= free_from:
                    painter.drawText(QPointF(x, self.rect.top() + 10), readable(self._symbols[t - 1]))
                    free_from = x + 12

    def _cell(self, t: int) -> QRectF:
        left, right = self.axis.x(t - 0.5), self.axis.x(t + 0.5)
        return QRectF(left, self.rect.top(), right - left, self.rect.height())
