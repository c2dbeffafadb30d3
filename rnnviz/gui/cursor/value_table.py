"""The table of "At the cursor", painted in one go: a row a quantity, a column a model."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QAccessible,
    QColor,
    QFontMetrics,
    QFontMetricsF,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
)
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.focus_ring import paint_ring
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.spoken import Part, announce, teach_screen_readers

ROW = 23  # pixels
_HEADER = 30
_WHICH = 13  # more, for a word under each name
_GAP = 6  # between two groups
_PAD = 8
_WIDE = 52  # of a column, at least
_KEYS = frozenset({Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_Home, Qt.Key.Key_End})
_ENTER = frozenset({Qt.Key.Key_Return, Qt.Key.Key_Enter})


@dataclass(frozen=True)
class TableRow:
    """What one row shows; `cells` has one text for each model, None where the cell has no such quantity."""

    words: str
    symbol: str
    cells: tuple[str | None, ...]
    part: bool  # of the row above: the words are muted
    active: bool  # belongs to the phase the cursor is in
    starts_group: bool


class ValueTable(QWidget):
    """`row_shown(int)`: the row of the pointer or keyboard, −1 when neither is on one; `row_pressed(int)`: by a click
    or Enter; `copy_wanted()`: Ctrl+C."""

    row_shown = Signal(int)
    row_pressed = Signal(int)
    copy_wanted = Signal()
    spoken_role = QAccessible.Role.Table

    def __init__(self) -> None:
        super().__init__()
        teach_screen_readers()
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName("Numbers at the cursor")
        self.setAccessibleDescription("↑ ↓ Home End choose a row, whose values are shown below; Ctrl+C copies it")
        self.rows: tuple[TableRow, ...] = ()
        self.which: tuple[str, ...] = ()
        self._tops: tuple[int, ...] = ()
        self._columns: tuple[tuple[str, QColor], ...] = ()
        self._theme: Theme | None = None
        self._hovered, self._current = -1, 1  # the keyboard begins at the hidden state

    @property
    def shown_row(self) -> int:
        """The row under the pointer, else the one the keyboard is on while the table has the focus, else −1."""
        if self._hovered >= 0:
            return self._hovered
        return min(self._current, len(self.rows) - 1) if self.hasFocus() else -1

    def set_content(
        self, rows: Sequence[TableRow], columns: Sequence[tuple[str, QColor]], theme: Theme, which: Sequence[str] = ()
    ) -> None:
        """Shows `rows` under the names of `columns`, each with its word of `which` below it where there are any."""
        self.rows, self._columns, self._theme, self.which = tuple(rows), tuple(columns), theme, tuple(which)
        tops, top = [], self._head()
        for number, row in enumerate(self.rows):
            top += _GAP if row.starts_group and number else 0
            tops.append(top)
            top += ROW
        if tuple(tops) != self._tops:
            self._tops = tuple(tops)
            scale.fit(self, height=top + _PAD)
        self.update()

    def spoken_parts(self) -> list[Part]:
        """The names of the columns, then of each row its words and its numbers."""
        roles, edges = QAccessible.Role, [round(edge) for edge in self._column_edges()]
        boxes = [(0, edges[0] - _WIDE), *((edge - _WIDE, edge) for edge in edges)]
        names = [name for name, _ in self._columns]
        parts = [
            Part(name, _on_screen(left, 0, right - left, _HEADER), roles.ColumnHeader)
            for name, (left, right) in zip(names, boxes[1:], strict=False)
        ]
        for row, top in zip(self.rows, self._tops, strict=True):
            words = marked_text.plain(f"{row.words} {row.symbol}".strip())
            rects = [_on_screen(left, top, right - left, ROW) for left, right in boxes]
            parts.append(Part(words, rects[0], roles.RowHeader))
            for cell, name, rect in zip(row.cells, names, rects[1:], strict=False):
                parts.append(Part(cell or "none", rect, roles.Cell, f"{words}, {name}"))
        return parts

    def sizeHint(self) -> QSize:
        return scale.size(296, (self._tops[-1] if self._tops else _HEADER) + ROW + _PAD)

    def row_at(self, y: int) -> int:
        """The number of the row at pixel `y`, −1 between and beside rows, and where the names of the models stand."""
        y = int(scale.to_design(y))
        if y < self._top() + self._head():
            return -1
        return next((number for number, top in enumerate(self._tops) if top <= y < top + ROW), -1)

    def row_center(self, number: int) -> QPoint:
        return QPoint(self.width() // 3, scale.px(self._tops[number] + ROW // 2))

    def _head(self) -> int:
        """Pixels of the names of the models and the words below them."""
        return _HEADER + (_WHICH if any(self.which) else 0)

    def _top(self) -> int:
        """The highest pixel that can be seen: there stand the names of the models, however far it is scrolled."""
        return max(int(scale.to_design(self.visibleRegion().boundingRect().top())), 0)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self.hover(self.row_at(round(event.position().y())))

    def mousePressEvent(self, event: QMouseEvent) -> None:
        row = self.row_at(round(event.position().y()))
        if row >= 0:
            self._current = row
            self._show()
            if event.button() == Qt.MouseButton.LeftButton:
                self.row_pressed.emit(row)

    def leaveEvent(self, event: QEvent) -> None:
        self.hover(-1)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            plain = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
            if event.matches(QKeySequence.StandardKey.Copy) or (plain and Qt.Key(event.key()) in _KEYS | _ENTER):
                event.accept()  # with the focus here these keys are the table's own
                return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy_wanted.emit()
            return
        if event.key() in _ENTER and self.shown_row >= 0:
            self.row_pressed.emit(self.shown_row)
            return
        last = len(self.rows) - 1
        places = {
            Qt.Key.Key_Up: self._current - 1,
            Qt.Key.Key_Down: self._current + 1,
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: last,
        }
        place = places.get(Qt.Key(event.key()))
        if place is None or event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier:
            super().keyPressEvent(event)
            return
        self._current, self._hovered = min(max(place, 0), last), -1
        self._show()
        row = self.rows[self._current]
        numbers = [f"{name} {cell or 'none'}" for (name, _), cell in zip(self._columns, row.cells, strict=False)]
        announce(self, ", ".join([marked_text.plain(row.words), *numbers]))

    def focusInEvent(self, event: QEvent) -> None:
        self._show()

    def focusOutEvent(self, event: QEvent) -> None:
        self._show()

    def hover(self, row: int) -> None:
        """Points at a row, −1 at none."""
        if row != self._hovered:
            self._hovered = row
            self._show()

    def _show(self) -> None:
        self.update()
        self.row_shown.emit(self.shown_row)

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            text, muted = self._theme.color("text"), self._theme.color("muted")
            edges = self._column_edges()
            shown = self.shown_row
            striped = 0
            first, last = scale.to_design(event.rect().top()) - ROW, scale.to_design(event.rect().bottom())
            font = fonts.text(fonts.BODY)
            metrics = QFontMetrics(font)
            for number, (row, top) in enumerate(zip(self.rows, self._tops, strict=True)):
                striped = 0 if row.starts_group else striped + 1
                if not first <= top <= last:
                    continue
                box = QRectF(0.5, top + 0.5, scale.width(self) - 1, ROW - 1)
                if striped % 2 == 0:
                    painter.setPen(Qt.PenStyle.NoPen)
                    painter.setBrush(self._theme.color("raised"))
                    painter.drawRoundedRect(box, 4, 4)
                if number == shown:
                    focused = self.hasFocus()
                    painter.setPen(QPen(self._theme.color("focus" if focused else "muted"), 2 if focused else 1))
                    painter.setBrush(Qt.BrushStyle.NoBrush)
                    painter.drawRoundedRect(box, 4, 4)
                painter.setFont(font)
                self._paint_row(painter, metrics, row, top, edges, text if row.active else muted, muted)
            above = self._top()
            if above:  # rows pass below the names
                painter.fillRect(QRectF(0, above, scale.width(self), self._head() - 2), self._theme.color("panel"))
            painter.save()
            painter.translate(0, above)
            self._paint_header(painter, edges, muted)
            painter.restore()
            if self.hasFocus():
                paint_ring(painter, scale.seen(self), self._theme)

    def _column_edges(self) -> list[float]:
        """Right edge of each column; all as wide as they may be."""
        count = max(1, len(self._columns))
        each = min(76.0, max(float(_WIDE), (scale.width(self) - 130) / count))
        return [scale.width(self) - _PAD - each * (count - 1 - number) for number in range(count)]

    def _paint_header(self, painter: QPainter, edges: list[float], muted: QColor) -> None:
        font = fonts.semibold(fonts.BODY - 1)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        painter.setPen(muted)
        each = edges[1] - edges[0] - 8 if len(edges) > 1 else 90.0
        names = [metrics.elidedText(name, Qt.TextElideMode.ElideRight, each) for name, _ in self._columns]
        room = edges[0] - max((metrics.horizontalAdvance(name) for name in names[:1]), default=0.0) - 10 - _PAD
        title = metrics.elidedText("At the cursor", Qt.TextElideMode.ElideRight, room)
        painter.drawText(QPointF(_PAD, 19), title)
        for edge, shown, (_, color) in zip(edges, names, self._columns, strict=False):
            painter.setPen(color)
            painter.drawText(QPointF(edge - metrics.horizontalAdvance(shown), 19), shown)
        small = fonts.text(fonts.SMALL)
        painter.setFont(small)
        painter.setPen(muted)
        for edge, word in zip(edges, self.which, strict=False):
            painter.drawText(QPointF(edge - QFontMetricsF(small).horizontalAdvance(word), 19 + _WHICH), word)

    def _paint_row(
        self,
        painter: QPainter,
        metrics: QFontMetrics,
        row: TableRow,
        top: int,
        edges: list[float],
        number_color: QColor,
        muted: QColor,
    ) -> None:
        base = top + 16.0
        size = fonts.BODY
        widest = 0.0
        for index, (edge, cell) in enumerate(zip(edges, row.cells, strict=False)):
            shown = "–" if cell is None else cell
            taken = metrics.horizontalAdvance(shown)
            widest = taken if index == 0 else widest
            painter.setPen(muted if cell is None else number_color)
            painter.drawText(QPointF(edge - taken, base), shown)
        room = edges[0] - widest - 10 - _PAD
        words_color = muted if row.part or not row.active else number_color
        words, symbol = row_name(row.words, row.symbol, room)
        marked_text.draw(painter, _PAD, base, words, size, words_color)
        if symbol:
            marked_text.draw(painter, _PAD + marked_text.width(words, size) + 5, base, symbol, size, muted)


def row_name(words: str, symbol: str, room: float) -> tuple[str, str]:
    """What a row is called in so many pixels: words and symbol, words alone, or the symbol where those are too long."""
    size = fonts.BODY
    if marked_text.width(words, size) <= room:
        return words, symbol if marked_text.width(words, size) + 5 + marked_text.width(symbol, size) <= room else ""
    if symbol and marked_text.width(symbol, size) <= room:
        return symbol, ""
    return marked_text.shortened(words, size, room), ""


def _on_screen(left: int, top: int, width: int, height: int) -> QRect:
    return QRect(scale.px(left), scale.px(top), scale.px(width), scale.px(height))
