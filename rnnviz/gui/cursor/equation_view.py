"""Sets equations: symbols in their colours, lines broken before an operator, what is active on a ground of its own."""

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.gui.cursor.equation_words import EquationLine, Ink, Word
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets import marked_text

_PAD, _HANG, _GAP = 12, 28, 6  # pixels: at the sides, of a line that goes on, between equations
_AIR = 5  # pixels beside what is active
_SUMS = frozenset("+−")
_HIGH = {False: 24, True: 19}  # pixels from line to line; small ones
_SIZE = {False: fonts.TITLE, True: fonts.BODY}


@dataclass(frozen=True)
class _Placed:
    word: Word
    x: float
    baseline: float
    size: int


class EquationView(QWidget):
    """As high as its lines are, in the width it has."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[EquationLine, ...] = ()
        self._theme: Theme | None = None
        self._placed: list[_Placed] = []
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set_lines(self, lines: Sequence[EquationLine], theme: Theme) -> None:
        """Shows these lines."""
        if tuple(lines) != self.lines or theme is not self._theme:
            self.lines, self._theme = tuple(lines), theme
            self._lay_out()
            self.update()

    @property
    def text(self) -> str:
        """All lines as they are read aloud, without markup."""
        return "\n".join(
            marked_text.plain("".join((" " if word.spaced else "") + word.markup for word in line.words))
            for line in self.lines
        )

    def sizeHint(self) -> QSize:
        return QSize(scale.px(260), self.minimumHeight())

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:  # another scale of the text: other lines fit
            self._lay_out()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for placed in self._placed:
                if placed.word.active:
                    width = marked_text.width(placed.word.markup, placed.size)
                    painter.setPen(QPen(self._theme.color("border"), 1))
                    painter.setBrush(self._theme.color("panel"))
                    painter.drawRoundedRect(QRectF(placed.x - 5, placed.baseline - 17, width + 10, 24), 4, 4)
                color = ink_color(self._theme, placed.word.ink)
                marked_text.draw(painter, placed.x, placed.baseline, placed.word.markup, placed.size, color)

    def _lay_out(self) -> None:
        self._placed = []
        top = float(_PAD - 4)
        for number, line in enumerate(self.lines):
            if number and not line.small:
                top += _GAP
            top = self._set(line, top)
        scale.fit(self, height=round(top) + _PAD - 4)

    def _chunks(self, line: EquationLine, size: int) -> list[tuple[Word, ...]]:
        """Parts of a sum stay together where they fit into one line; norms are parted wherever they may be."""
        found = []
        for chunk in _cut(line.words, _SUMS) if any(word.markup == "=" for word in line.words) else _cut(line.words):
            wide = sum(marked_text.width(word.markup + " ", size) for word in chunk)
            found += [chunk] if wide <= scale.width(self) - _PAD - _HANG else _cut(chunk)
        return found

    def _set(self, line: EquationLine, top: float) -> float:
        """Places the words of a line from `top`; returns where the next line begins."""
        size, high = _SIZE[line.small], _HIGH[line.small]
        space = marked_text.width("\u00a0", size)
        x, baseline = float(_PAD), top + high - 7
        for chunk in self._chunks(line, size):
            wide = sum(marked_text.width(word.markup, size) + (space if word.spaced else 0) for word in chunk)
            if x > _PAD and x + wide > scale.width(self) - _PAD:
                x, baseline = float(_HANG), baseline + high
                chunk = (_unspaced(chunk[0]), *chunk[1:])
            for word in chunk:
                x += space if word.spaced else 0
                self._placed.append(_Placed(word, x, baseline, size))
                x += marked_text.width(word.markup, size) + (_AIR if word.active else 0)
        return baseline + 7


def _cut(words: Sequence[Word], tokens: frozenset[str] | None = None) -> list[tuple[Word, ...]]:
    """What stays together: a new line may begin where a word allows it, with `tokens` only where it is one of them."""
    chunks: list[list[Word]] = []
    for word in words:
        if not chunks or (word.breaks and (tokens is None or word.markup in tokens)):
            chunks.append([])
        chunks[-1].append(word)
    return [tuple(chunk) for chunk in chunks]


def _unspaced(word: Word) -> Word:
    return Word(word.markup, word.ink, word.active)


def ink_color(theme: Theme, ink: Ink) -> QColor:
    """The colour of a word."""
    if ink.startswith("gate:"):
        return theme.gate_color(ink.removeprefix("gate:"))
    return theme.text_color("cursor") if ink == "gradient" else theme.color("muted" if ink == "muted" else "text")
