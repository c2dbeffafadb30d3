"""Screens: where a window may stand, so that all of it is on one that exists."""

from collections.abc import Sequence

from PySide6.QtCore import QMargins, QRect, QSize
from PySide6.QtGui import QGuiApplication

FRAME = QMargins(0, 32, 0, 0)  # what the system draws around a window, as long as it is not shown


def there_are() -> tuple[QRect, ...]:
    """What each screen leaves for windows, the main one first."""
    main = QGuiApplication.primaryScreen()
    others = [screen for screen in QGuiApplication.screens() if screen is not main]
    return tuple(screen.availableGeometry() for screen in ([main] if main is not None else []) + others)


def fitted(wanted: QRect, screens: Sequence[QRect], frame: QMargins = FRAME) -> QRect:
    """`wanted`, a window without its frame, made to lie on the screen that shows most of it.

    It is moved before it is made smaller; one that is on no screen comes to the middle of the first.
    """
    if not screens:
        return wanted
    room = max(screens, key=lambda screen: _area(screen.intersected(wanted))) - frame
    if not room.intersects(wanted):
        return middle(wanted.size(), screens, frame)
    size = wanted.size().boundedTo(room.size())
    left = min(max(wanted.left(), room.left()), room.right() + 1 - size.width())
    top = min(max(wanted.top(), room.top()), room.bottom() + 1 - size.height())
    return QRect(left, top, size.width(), size.height())


def middle(wanted: QSize, screens: Sequence[QRect], frame: QMargins = FRAME) -> QRect:
    """A window of this size, or as large as it can be, in the middle of the first screen."""
    if not screens:
        return QRect(0, 0, wanted.width(), wanted.height())
    room = screens[0] - frame
    size = wanted.boundedTo(room.size())
    left = room.left() + (room.width() - size.width()) // 2
    top = room.top() + (room.height() - size.height()) // 2
    return QRect(left, top, size.width(), size.height())


def _area(rectangle: QRect) -> int:
    return rectangle.width() * rectangle.height() if rectangle.isValid() else 0
