"""Palette rows: how a command looks in the list that was found: its name and key, and what it does below."""

from dataclasses import dataclass

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPainter
from PySide6.QtWidgets import QListView, QStyledItemDelegate, QStyleOptionViewItem

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import Theme

ENTRY = Qt.ItemDataRole.UserRole
HEIGHT = 44  # pixels of a row
_PAD = 10
_LINE = 18


@dataclass(frozen=True)
class Entry:
    """A command as it is listed; `letters`: places in `words` of what was typed; `why_not`: "" if it can be given."""

    key: str
    words: str
    letters: frozenset[int]
    keys: str
    about: str
    place: str
    why_not: str
    checked: bool

    @property
    def spoken(self) -> str:
        """All of it, as a screen reader says it."""
        state = f"not now: {self.why_not}" if self.why_not else "on" if self.checked else ""
        return ", ".join(part for part in (self.words, self.keys, state, self.about) if part)


class PaletteRows(QStyledItemDelegate):
    """Two lines a row: name with the letters found, key at the right; what it does, or why not, and its menu."""

    def __init__(self, listed: QListView) -> None:
        super().__init__(listed)
        self._list = listed
        self.theme: Theme | None = None

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return scale.size(100, HEIGHT)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        if self.theme is None:
            return
        entry: Entry = index.data(ENTRY)
        painter.save()
        box = scale.row_box(painter, option.rect)
        if self._list.currentIndex() == index:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(self.theme.color("accent"))
            painter.setBrush(self.theme.color("raised"))
            painter.drawRoundedRect(box.adjusted(1, 1, -1, -1), 5, 5)
        first = QRect(box.left() + _PAD, box.top() + 4, box.width() - 2 * _PAD, _LINE)
        second = first.translated(0, _LINE)
        quiet = "muted" if entry.why_not else "text"
        left = self._name(painter, entry, first, quiet)
        if entry.checked:
            self._text(painter, "✓", first.adjusted(left - first.left() + 6, 0, 0, 0), "accent")
        self._text(painter, entry.keys, first, quiet, right=True)
        used = self._text(painter, entry.place, second, "muted", right=True, small=True)
        about = f"Not now: {entry.why_not}" if entry.why_not else entry.about
        self._text(painter, about, second.adjusted(0, 0, -used - 2 * _PAD, 0), "muted", small=True)
        painter.restore()

    def _name(self, painter: QPainter, entry: Entry, room: QRect, token: str) -> int:
        """The name, what was typed of it in the accent; returns where it ends."""
        assert self.theme is not None
        font = fonts.semibold()
        metrics, left = QFontMetrics(font), room.left()
        painter.setFont(font)
        for at, letter in enumerate(entry.words):
            painter.setPen(self.theme.color("accent" if at in entry.letters and not entry.why_not else token))
            painter.drawText(left, room.top() + metrics.ascent(), letter)
            left = room.left() + metrics.horizontalAdvance(entry.words[: at + 1])
        return left

    def _text(
        self, painter: QPainter, text: str, room: QRect, token: str, *, right: bool = False, small: bool = False
    ) -> int:
        """One line, ended by … where there is no room; returns how wide it is."""
        assert self.theme is not None
        font = fonts.text(fonts.SMALL + 1 if small else fonts.BODY)
        metrics = QFontMetrics(font)
        shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, room.width())
        painter.setFont(font)
        painter.setPen(self.theme.color(token))
        side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
        painter.drawText(room, side | Qt.AlignmentFlag.AlignTop, shown)
        return metrics.horizontalAdvance(shown)
