"""Pictures of what the window shows: exact at every scale, written whole or not at all."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PySide6.QtCore import QIODevice, QPoint, QSaveFile, QSize
from PySide6.QtGui import QImage, QImageWriter, QPainter, QPen
from PySide6.QtWidgets import QGraphicsView, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.figures.formats import Measures, figure_format

_DOTS_PER_METRE = 96 / 0.0254  # of a picture at 1×; more pixels keep its size in a text document


def window_image(widget: QWidget, measures: Measures | None = None) -> QImage:
    """What `widget` shows now, as large as `measures` say; text and lines are drawn anew at that size, not enlarged."""
    measures = measures or Measures((widget.width(), widget.height()))
    scale = measures.scale * measures.font_scale
    image = QImage(QSize(*measures.size) * measures.scale, QImage.Format.Format_RGB32)
    image.setDevicePixelRatio(scale)
    dots = round(_DOTS_PER_METRE * measures.scale)
    image.setDotsPerMeterX(dots)
    image.setDotsPerMeterY(dots)
    image.fill(widget.palette().window().color())
    with _exact(widget, scale), QPainter(image) as painter:
        widget.render(painter, QPoint())
    return image


def save_picture(image: QImage, path: Path) -> None:
    """Writes `image` whole or not at all, as its ending says; RnnvizError for another ending or if the folder does not
    take it."""
    writer = figure_format(path).writer.encode()
    file = QSaveFile(str(path))
    if not (file.open(QIODevice.OpenModeFlag.WriteOnly) and QImageWriter(file, writer).write(image) and file.commit()):
        raise RnnvizError(f"{path}: wanted to write a picture there, got: {file.errorString()}.")


@contextmanager
def _exact(widget: QWidget, scale: float) -> Iterator[None]:
    """Cached pictures are left out, and cosmetic pens, which stay one device pixel, are widened while drawing."""
    stacks = list(widget.findChildren(LaneStack))
    if isinstance(widget, LaneStack):
        stacks.append(widget)
    for stack in stacks:
        stack.set_cached(False)
    restore = [_widen(item, scale) for view in widget.findChildren(QGraphicsView) for item in view.items()]
    try:
        yield
    finally:
        for undo in restore:
            undo()
        for stack in stacks:
            stack.set_cached(True)


def _widen(item: Any, scale: float) -> Callable[[], None]:
    """Widens the pen of a pyqtgraph curve or line; the answer sets it back."""
    from pyqtgraph import InfiniteLine, PlotCurveItem

    if isinstance(item, PlotCurveItem) and isinstance(item.opts["pen"], QPen):
        before = item.opts["pen"]
        item.opts["pen"] = _wider(before, scale)

        def undo_curve() -> None:
            item.opts["pen"] = before

        return undo_curve
    if isinstance(item, InfiniteLine):
        line = item.currentPen
        item.currentPen = _wider(line, scale)

        def undo_line() -> None:
            item.currentPen = line

        return undo_line
    return lambda: None


def _wider(pen: QPen, scale: float) -> QPen:
    wide = QPen(pen)
    if pen.isCosmetic():
        wide.setWidthF(max(pen.widthF(), 1.0) * scale)
    return wide
