"""Pictures that a network reads, one at each time step that has one; feature maps beside each other."""

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.gui.canvas.items.canvas_item import CanvasItem, pen
from rnnviz.gui.canvas.items.heat_map import indices, packed
from rnnviz.gui.look import color_maps
from rnnviz.gui.look.theme import Theme

_AIR = 3.0  # pixels between two pictures


class Tiles:
    """The inputs (T, I) as pictures: one of `picture` rows and columns each, or C maps of half as many, where a
    convolution has halved them."""

    def __init__(self, inputs: Array, picture: tuple[int, int]) -> None:
        rows, columns = picture
        whole = inputs.shape[1] == rows * columns
        self.rows, self.columns = (rows, columns) if whole else (max(rows // 2, 1), max(columns // 2, 1))
        self.count = inputs.shape[1] // (self.rows * self.columns)
        self.values = inputs  # (T, I)
        self.there = np.asarray(np.any(inputs != 0, axis=1))  # (T,) bool
        finite = inputs[np.isfinite(inputs)]
        self.low, self.high = float(finite.min(initial=0.0)), float(finite.max(initial=1.0))

    def image(self, t: int, theme: Theme) -> QImage:
        """That of a time step, from 0, the maps of a convolution beside each other."""
        tiles = self.values[t, : self.count * self.rows * self.columns].reshape(self.count, self.rows, self.columns)
        table = packed(color_maps.between(theme.panel, theme.text), theme)
        pixels = np.ascontiguousarray(table[indices(np.concatenate(list(tiles), axis=1), self.low, self.high)])
        high, wide = pixels.shape
        return QImage(pixels.data, wide, high, 4 * wide, QImage.Format.Format_RGB32).copy()

    def fitting(self, room: QRectF) -> QRectF:
        """Where a picture lies in a room: as large as its whole shape allows."""
        wide = self.columns * self.count
        side = min(room.width() / wide, room.height() / self.rows)
        size = wide * side, self.rows * side
        return QRectF(room.center().x() - size[0] / 2, room.center().y() - size[1] / 2, *size)


class Pictures(CanvasItem):
    """The picture of each time step below its number."""

    def __init__(self, theme: Theme) -> None:
        super().__init__(theme)
        self.tiles: Tiles | None = None

    def set_tiles(self, tiles: Tiles | None) -> None:
        self.tiles = tiles
        self.update()

    def draw(self, painter: QPainter) -> None:
        if self.tiles is None:
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
        for t in self.exposed_steps():
            if t <= len(self.tiles.there) and self.tiles.there[t - 1]:
                box = self.box(t)
                painter.drawImage(box, self.tiles.image(t - 1, self.theme))
                painter.setPen(pen(self.theme.color("line")))
                for n in range(self.tiles.count):
                    wide = box.width() / self.tiles.count
                    painter.drawRect(QRectF(box.left() + n * wide, box.top(), wide, box.height()))

    def box(self, t: int) -> QRectF:
        """Where the picture of a time step, from 1, lies."""
        assert self.tiles is not None
        left, right = self.axis.x(t - 0.5) + _AIR, self.axis.x(t + 0.5) - _AIR
        return self.tiles.fitting(QRectF(left, self.rect.top() + 0.5, max(right - left, 1.0), self.rect.height() - 1))

    def tip(self, x: float, y: float) -> str:
        t = self.axis.time_step_at(x)
        tiles = self.tiles
        if tiles is None or t > len(tiles.there) or not tiles.there[t - 1]:
            return f"t = {t}: nothing is read"
        box = self.box(t)
        whole = f"t = {t}: a picture of {tiles.rows} × {tiles.columns}"
        if tiles.count > 1:
            whole = f"t = {t}: {tiles.count} feature maps of {tiles.rows} × {tiles.columns}, what a convolution found"
        if not box.contains(x, y):
            return whole
        column = min(int((x - box.left()) / box.width() * tiles.columns * tiles.count), tiles.columns * tiles.count - 1)
        row = min(int((y - box.top()) / box.height() * tiles.rows), tiles.rows - 1)
        number, column = divmod(column, tiles.columns)
        value = float(tiles.values[t - 1, (number * tiles.rows + row) * tiles.columns + column])
        of = f"map {number + 1}, " if tiles.count > 1 else ""
        return f"{whole}\n{of}row {row + 1}, column {column + 1}: {short(value)}"
