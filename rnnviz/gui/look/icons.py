"""Icons: SVG files drawn for rnnviz, in any colour and size, sharp on every screen."""

from functools import cache

from PySide6.QtCore import QByteArray, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer

from rnnviz.core.resources import resource

_SCALES = (1, 2, 3)  # device pixels per pixel that are drawn ahead
_DISABLED_OPACITY = 0.35


@cache
def _source(name: str) -> str:
    return resource(f"icons/{name}.svg").read_text(encoding="utf-8")


def pixmap(name: str, color: str, size: int = 20, scale: float = 1.0, opacity: float = 1.0) -> QPixmap:
    """The icon `name` in `color` ("#rrggbb"), `size` pixels wide and high on a screen of `scale` device pixels."""
    svg = _source(name).replace("currentColor", color)
    side = max(1, round(size * scale))
    picture = QPixmap(QSize(side, side))
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setOpacity(opacity)
        QSvgRenderer(QByteArray(svg.encode())).render(painter, QRectF(0, 0, side, side))
    picture.setDevicePixelRatio(scale)
    return picture


@cache
def icon(name: str, color: str = "#8d96a5", size: int = 20, disabled: str = "") -> QIcon:
    """The icon `name`, for example "play" or "step-forward"; RnnvizError if there is no such drawing.

    Where nothing can be pressed it is faint, in the colour `disabled` if that is given.
    """
    result = QIcon()
    for scale in _SCALES:
        result.addPixmap(pixmap(name, color, size, scale), QIcon.Mode.Normal)
        result.addPixmap(pixmap(name, disabled or color, size, scale, _DISABLED_OPACITY), QIcon.Mode.Disabled)
    return result


@cache
def application_icon() -> QIcon:
    """The program's own icon in the sizes that desktops ask for."""
    result = QIcon()
    for size in (16, 24, 32, 48, 64, 128, 256):
        result.addPixmap(pixmap("application", "#000000", size))
    return result
