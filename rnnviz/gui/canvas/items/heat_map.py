"""A heat map along the time axis: one row for each unit, one column for each time step."""

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.look.color_maps import bent
from rnnviz.gui.look.theme import Theme

_POINTER = 7.0  # pixels of the pointer in the margin
_THINNEST = 2.0  # pixels of a marked row
_VEIL = 0.55  # opacity over the rows that step back
_NAN, _PLUS, _MINUS = 256, 257, 258  # places behind the 256 colours of the table


class HeatMap(CanvasItem):
    """Values (T, U) between fixed levels. NaN and ±inf have colours of their own, which no colour map contains.

    A marked row has a pointer before it. `dims`: the others step back behind it.
    """

    def __init__(self, theme: Theme, symbol: str = "h", row_names: tuple[str, ...] = (), *, dims: bool = True) -> None:
        super().__init__(theme)
        self.symbol = symbol
        self.row_names = row_names  # for the tooltip: units are numbered where it is empty
        self.marked_row: int | None = None
        self._dims = dims
        self._values: Array = np.zeros((0, 0))
        self._low, self._high, self._knee = -1.0, 1.0, 0.0
        self._table: Array = np.zeros(259, np.uint32)
        self._image: QImage | None = None
        self._pixels: Array | None = None  # what the image shows; Qt does not copy it
        self._drawn_steps = range(0)
        self._scale = 1.0

    def set_values(self, values: Array, low: float, high: float, table: Array, knee: float = 0.0) -> None:
        """`values` (T, U), coloured by `table` (256, 3) between `low` and `high`; beyond lies the end's colour.

        With a `knee` the range is −high…high, and its colours are logarithmic beyond ±knee and linear within.
        """
        self._values, self._low, self._high, self._knee = values, low, high, knee
        self._table = packed(table, self.theme)
        self._image = None
        self.update()

    def mark_row(self, row: int | None) -> None:
        """Points at a row, or at none."""
        if row != self.marked_row:
            self.marked_row = row
            self.update()

    def placed(self) -> None:
        self._image = None

    def draw(self, painter: QPainter) -> None:
        painter.fillRect(self.rect, self.theme.color("panel"))
        if self._values.shape[0] >= self.axis.visible().start and self._values.size:
            self._draw_values(painter)
        marked = self._marked_box()
        if marked is not None and self._dims:
            self._dim_others(painter, marked)
        painter.setPen(pen(self.theme.color("line")))
        painter.drawRect(self.rect.adjusted(0.5, 0.5, -0.5, -0.5))
        if marked is not None:
            self._draw_pointer(painter, marked.center().y())

    def _draw_values(self, painter: QPainter) -> None:
        image = self._rendered(painter.deviceTransform().m11())
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        left, right = self.axis.x(self._drawn_steps[0] - 0.5), self.axis.x(self._drawn_steps[-1] + 0.5)
        painter.save()
        painter.setClipRect(self.rect)
        painter.drawImage(QRectF(left, self.rect.top(), right - left, self.rect.height()), image)
        painter.restore()

    def boundingRect(self) -> QRectF:
        return self.rect.adjusted(-_POINTER - 1, -_POINTER / 2, 0, _POINTER / 2)

    def _marked_box(self) -> QRectF | None:
        """The row that is pointed at, never thinner than can be seen."""
        if self.marked_row is None or not self._values.size or self.marked_row >= self._values.shape[1]:
            return None
        height = self.rect.height() / self._values.shape[1]
        box = QRectF(self.rect.left(), self.rect.top() + self.marked_row * height, self.rect.width(), height)
        more = max(_THINNEST - height, 0.0) / 2
        return box.adjusted(0, -more, 0, more).intersected(self.rect)

    def _dim_others(self, painter: QPainter, marked: QRectF) -> None:
        veil = self.theme.color("panel", _VEIL)
        above, below = QRectF(self.rect), QRectF(self.rect)
        above.setBottom(marked.top())
        below.setTop(marked.bottom())
        for part in (above, below):
            painter.fillRect(part, veil)

    def _draw_pointer(self, painter: QPainter, y: float) -> None:
        """In the margin, where it hides nothing."""
        tip = self.rect.left() - 1
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(self.theme.color("text"))
        half = _POINTER / 2
        corners = [QPointF(tip, y), QPointF(tip - _POINTER, y - half), QPointF(tip - _POINTER, y + half)]
        painter.drawPolygon(QPolygonF(corners))

    def tip(self, x: float, y: float) -> str:
        if not self._values.size:
            return ""
        time_steps = self._values.shape[0]
        t = min(self.axis.time_step_at(x), time_steps)
        row = self.row_at(y)
        name = self.row_names[row] if row < len(self.row_names) else f"unit {row + 1}"
        return f"t = {t}, {name}: {self.symbol} = {short(float(self._values[t - 1, row]))}"

    def row_at(self, y: float) -> int:
        """The row at pixel `y`, held inside the map."""
        units = int(self._values.shape[1])
        return min(max(int((y - self.rect.top()) / self.rect.height() * units), 0), units - 1)

    def _rendered(self, scale: float) -> QImage:
        """The image of the visible time steps, not finer than the device's pixels: `scale` of them to one of ours."""
        if self._image is not None and self._scale == scale:
            return self._image
        steps = self.axis.visible()
        steps = range(steps[0], min(steps[-1], self._values.shape[0]) + 1)
        values = self._values[steps[0] - 1 : steps[-1]]
        signed = self._low < 0
        values = shrunk(values, max(int(self.rect.width() * scale), 1), 0, signed)
        values = shrunk(values, max(int(self.rect.height() * scale), 1), 1, signed)
        if self._knee:
            places = indices(bent(values, self._high, self._knee), -1.0, 1.0)
        else:
            places = indices(values, self._low, self._high)
        pixels = np.ascontiguousarray(self._table[places].T)  # (U, T) row-major
        rows, columns = pixels.shape
        self._pixels, self._drawn_steps, self._scale = pixels, steps, scale
        self._image = QImage(pixels.data, columns, rows, columns * 4, QImage.Format.Format_RGB32)
        return self._image


def packed(table: Array, theme: Theme) -> Array:
    """(259,) uint32 0xffRRGGBB: the table's 256 colours, then NaN, +inf, −inf."""
    odd = QColor(theme.not_finite)
    extra = np.array(
        [[c.red(), c.green(), c.blue()] for c in (odd, odd.lighter(135), odd.darker(170))],
        dtype=np.uint8,
    )
    colors = np.concatenate([table, extra]).astype(np.uint32)
    return np.asarray(0xFF000000 | colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2], dtype=np.uint32)


def indices(values: Array, low: float, high: float) -> Array:
    """Places in the packed table, same shape as `values`."""
    with np.errstate(invalid="ignore", over="ignore"):
        place = (values - low) * (255.0 / (high - low))
        finite = np.isfinite(values)
        result = np.clip(np.where(finite, np.rint(place), 0), 0, 255).astype(np.int32)
    if not finite.all():
        result[np.isnan(values)] = _NAN
        result[np.isposinf(values)] = _PLUS
        result[np.isneginf(values)] = _MINUS
    return result


def shrunk(values: Array, bins: int, axis: int, signed: bool) -> Array:
    """At most `bins` entries along `axis`: of each bin the value farthest from zero if `signed`, else the mean.

    A picture that drops columns would hide the one time step that matters. NaN wins its bin.
    """
    length = values.shape[axis]
    if length <= bins:
        return values
    edges = np.arange(bins) * length // bins
    with np.errstate(invalid="ignore"):
        if signed:
            highest, lowest = _extremes(values, edges, axis)
            return np.where(highest >= -lowest, highest, lowest)
        counts = np.diff(np.append(edges, length))
        total = np.add.reduceat(values, edges, axis=axis)
        return np.asarray(total / (counts[:, None] if axis == 0 else counts))


def _extremes(values: Array, edges: Array, axis: int) -> tuple[Array, Array]:
    """The highest and the lowest of each bin, which begin at `edges`: the first of all bins, then the second, …; four
    times as fast as numpy's `reduceat`, whose bins are short here."""
    lasts = np.append(edges[1:], values.shape[axis]) - 1
    highest = values.take(edges, axis)
    lowest = highest.copy()
    for place in range(1, int((lasts - edges).max()) + 1):
        part = values.take(np.minimum(edges + place, lasts), axis)
        np.maximum(highest, part, out=highest)
        np.minimum(lowest, part, out=lowest)
    return highest, lowest
