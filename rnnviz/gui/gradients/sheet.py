"""Sheet: where the cards of the Gradients view lie, in rows as full as can be."""

from PySide6.QtCore import QEvent, QRectF, Qt
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QScrollArea, QWidget

from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store

_LEAST_WIDTH, _LEAST_HEIGHT, _USUAL_HEIGHT = 216.0, 196.0, 266.0  # of a card, in pixels of the design
_LOWEST = 150.0  # where the page is lower than a card, so that one is seen whole
_GAP, _EDGE = 8.0, 12.0
_MOST_COLUMNS = 5


class Sheet(QWidget):
    """Where the cards lie, in as many columns as have room."""

    def __init__(self, store: Store, area: QScrollArea) -> None:
        """`area`: in which it is scrolled."""
        super().__init__()
        self._store, self._area = store, area
        self._frames: list[CardFrame] = []

    def place(self, frames: list[CardFrame]) -> None:
        """Lays these cards out, in their order."""
        self._frames = frames
        self._lay_out()

    def usual_height(self, width: int) -> int:
        """Pixels of a picture that is as high as is good for it."""
        return self._height_for(width, scale.px(_USUAL_HEIGHT))

    def lowest_height(self, width: int) -> int:
        """Pixels below which a picture would not hold everything."""
        return self._height_for(width, scale.px(_LEAST_HEIGHT))

    def _columns(self, width: int) -> int:
        room = (width - 2 * scale.px(_EDGE) + scale.px(_GAP)) // scale.px(_LEAST_WIDTH + _GAP)
        wanted = sum(frame.card.columns for frame in self._frames)
        most = max(1, min(room, _MOST_COLUMNS, wanted))
        return next(  # the rows are as full as can be: six cards stand three by three, not five and one
            columns for columns in range(1, most + 1) if self._rows(columns) == self._rows(most)
        )

    def _rows(self, columns: int) -> int:
        return max([row + 1 for row, _, _ in self._places(columns)], default=0)

    def _places(self, columns: int) -> list[tuple[int, int, int]]:
        """Of each card its row, its first column, and how many of these it takes."""
        found, row, column = list[tuple[int, int, int]](), 0, 0
        for frame in self._frames:
            span = min(frame.card.columns, columns)
            if column + span > columns:
                row, column = row + 1, 0
            found.append((row, column, span))
            column += span
        return found

    def _height_for(self, width: int, row: int) -> int:
        """Pixels that cards of that height take."""
        return sum(high + scale.px(_GAP) for high in self._heights(self._columns(width), row)) + scale.px(_EDGE)

    def _heights(self, columns: int, usual: int) -> list[int]:
        """Pixels of each row: the usual ones, unless a card in it needs more."""
        rows = dict[int, int]()
        for frame, (row, _, _) in zip(self._frames, self._places(columns), strict=True):
            rows[row] = max(rows.get(row, usual), scale.px(frame.least_height))
        return list(rows.values())

    def _lay_out(self) -> None:
        width = self.width()
        seen = self._area.viewport().height()
        columns = self._columns(width)
        rows = max(self._rows(columns), 1)
        edge, gap = scale.px(_EDGE), scale.px(_GAP)
        fitting = (seen - edge) // rows - gap
        least = min(scale.px(_LEAST_HEIGHT), max(seen - edge - gap, scale.px(_LOWEST)))
        heights = self._heights(columns, max(fitting, least))
        self.setMinimumHeight(sum(heights) + len(heights) * gap + (edge if fitting >= least else 0))
        each = (width - 2 * edge - (columns - 1) * gap) / columns
        for frame, (row, column, span) in zip(self._frames, self._places(columns), strict=True):
            left = edge + round(column * (each + gap))
            right = edge + round((column + span - 1) * (each + gap) + each)
            above = sum(heights[:row]) + row * gap
            frame.setGeometry(left, above + gap // 2, right - left, heights[row])

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.LayoutRequest:
            self._lay_out()
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            look = theme(self._store.state.look.theme)
            painter.fillRect(scale.rect(self), look.color("background"))
            if not self._frames:
                painter.setFont(fonts.text(fonts.TITLE))
                painter.setPen(look.color("muted"))
                words = "No card is chosen. “Cards” above offers them, and brings the usual ones back."
                flags = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
                painter.drawText(QRectF(scale.rect(self)), flags, words)
