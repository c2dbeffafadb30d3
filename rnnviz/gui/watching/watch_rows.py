"""The rows of a watch, painted: a model's name, its line, and its value at the cursor."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import shown
from rnnviz.core.stopping.conditions import Look
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.watching.watch_values import WatchLine, value_words
from rnnviz.gui.widgets.live_tip import LiveTip

ROW = 26  # pixels
_PAD = 10
_NAME = 74
_SPARK = 84
_DECADES = 3.0  # a line of positive values that spans more is drawn over their logarithm


@dataclass(frozen=True)
class WatchRow:
    """One model of a watch; `before` is the value at the stop before this one where it was another, else "".

    `which` says whether history or a what-if is looked at, "" while nothing is set by hand.
    """

    model: str
    color: QColor
    look: Look
    line: WatchLine = field(default_factory=WatchLine)
    before: str = ""
    which: str = ""
    dash: Dash = ()

    @property
    def words(self) -> str:
        """The value as it stands at the right, "–" where there is none."""
        return "–" if self.look.value is None else value_words(self.look.value)

    @property
    def title(self) -> str:
        """The model's name and which of its traces it is."""
        return f"{self.model}, {self.which}" if self.which else self.model

    @property
    def tooltip(self) -> str:
        value = self.look.sentence if self.look.value is None else shown(self.look.value)
        lines = [f"{self.title}: {value}"]
        if self.before:
            lines.append(f"before: {self.before}")
        if self.line.over:
            log = ", log₁₀" if log_wanted(self.line.values) else ""
            lines.append(f"line over {self.line.over}{log}")
        return "\n".join(lines)


def log_wanted(values: Array) -> bool:
    """Whether a line can only be read as a logarithm: positive, over more than three powers of ten."""
    finite = values[np.isfinite(values)]
    positive = finite[finite > 0]
    if not len(positive) or finite.min() < 0:
        return False
    return bool(np.log10(positive.max()) - np.log10(positive.min()) > _DECADES)


class WatchRows(QWidget):
    """Rows of equal height; a value that is another than at the last stop is yellow."""

    def __init__(self) -> None:
        super().__init__()
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.rows: tuple[WatchRow, ...] = ()
        self._theme: Theme | None = None
        self._tip = LiveTip(self, self._words_at)

    def set_content(self, rows: Sequence[WatchRow], theme: Theme) -> None:
        if len(rows) != len(self.rows):
            scale.fit(self, height=ROW * len(rows))
        self.rows, self._theme = tuple(rows), theme
        self.setAccessibleDescription("; ".join(f"{row.title} {row.words}" for row in rows))
        self.update()
        self._tip.refresh()

    def sizeHint(self) -> QSize:
        return scale.size(240, ROW * len(self.rows))

    def _words_at(self, place: QPoint) -> str:
        number = place.y() // scale.px(ROW)
        return self.rows[number].tooltip if number < len(self.rows) else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            for number, row in enumerate(self.rows):
                self._paint_row(painter, row, number * ROW, self._theme)

    def _paint_row(self, painter: QPainter, row: WatchRow, top: int, look: Theme) -> None:
        base = top + ROW / 2 + 4.5
        names = QFontMetricsF(fonts.text(fonts.SMALL + 1))
        painter.setFont(fonts.text(fonts.SMALL + 1))
        painter.setPen(row.color)
        name = names.elidedText(row.model, Qt.TextElideMode.ElideRight, _NAME - 6)
        painter.drawText(QPointF(_PAD, base - (6 if row.which else 0)), name)
        if row.which:
            painter.setFont(fonts.text(fonts.SMALL - 1))
            painter.setPen(look.color("muted"))
            painter.drawText(QPointF(_PAD, base + 6), row.which)
        font = fonts.semibold()
        metrics = QFontMetricsF(font)
        spark = QRectF(_PAD + _NAME, top + 5, _SPARK, ROW - 10)
        has_line = int(np.isfinite(row.line.values).sum()) > 1
        left = spark.right() + 8 if has_line else spark.left()
        words = metrics.elidedText(row.words, Qt.TextElideMode.ElideRight, scale.width(self) - _PAD - left)
        painter.setFont(font)
        painter.setPen(look.text_color("muted" if row.look.value is None else "cursor" if row.before else "text"))
        painter.drawText(QPointF(scale.width(self) - _PAD - metrics.horizontalAdvance(words), base), words)
        if has_line:
            _paint_line(painter, row.line, spark, _line_pen(row), look)


def _line_pen(row: WatchRow) -> QPen:
    pen = QPen(row.color, 1.4)
    if row.dash:
        pen.setDashPattern(row.dash)
    return pen


def _paint_line(painter: QPainter, line: WatchLine, box: QRectF, pen: QPen, look: Theme) -> None:
    values = np.asarray(line.values, np.float64)
    if log_wanted(values):
        with np.errstate(divide="ignore", invalid="ignore"):
            values = np.log10(values)
    finite = np.isfinite(values)
    low, high = float(values[finite].min()), float(values[finite].max())
    first, last = float(line.x[0]), float(line.x[-1])
    across = np.clip((line.x - first) / max(last - first, 1.0), 0, 1) * box.width() + box.left()
    share = (values - low) / (high - low) if high - low > 0 else np.where(finite, 0.5, np.nan)
    down = box.bottom() - share * box.height()
    if first <= line.marked <= last:
        x = (line.marked - first) / max(last - first, 1.0) * box.width() + box.left()
        painter.setPen(QPen(look.color("cursor", 0.7), 1))
        painter.drawLine(QPointF(x, box.top() - 2), QPointF(x, box.bottom() + 2))
    painter.setPen(pen)
    ends = np.flatnonzero(np.diff(np.concatenate([[0], finite.astype(np.int8), [0]])))
    for start, stop in zip(ends[::2], ends[1::2], strict=True):
        points = [QPointF(x, y) for x, y in zip(across[start:stop].tolist(), down[start:stop].tolist(), strict=True)]
        if len(points) == 1:
            painter.drawPoint(points[0])
        else:
            painter.drawPolyline(QPolygonF(points))
