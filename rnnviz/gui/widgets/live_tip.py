"""Live tooltip: it stays while the pointer rests, and what it says is kept new while data streams in."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QPoint, QRect
from PySide6.QtGui import QHelpEvent, QMouseEvent
from PySide6.QtWidgets import QToolTip, QWidget

_LONG = 3_600_000  # ms: as long as the pointer rests, not Qt's ten seconds
_ENDS = frozenset({QEvent.Type.Leave, QEvent.Type.Hide, QEvent.Type.MouseButtonPress, QEvent.Type.Wheel})


class LiveTip(QObject):
    """The tooltip of `widget`: `words` says what is at a place in it, "" for nothing.

    Qt's own ends with its time, and when any widget of the window loses focus or pointer; whoever shows values that
    change calls `refresh`.
    """

    def __init__(self, widget: QWidget, words: Callable[[QPoint], str]) -> None:
        super().__init__(widget)
        self._widget, self._words = widget, words
        self._at: QPoint | None = None
        widget.setMouseTracking(True)  # else nobody says that the pointer has gone on
        widget.installEventFilter(self)

    def rest_at(self, place: QPoint) -> None:
        """The pointer is at `place`, in the pixels of the widget."""
        self._at = place
        self.refresh()

    def refresh(self) -> None:
        """Says what is now under the resting pointer."""
        if self._at is None or not self._widget.isVisible():
            return
        if words := self._words(self._at):
            QToolTip.showText(self._widget.mapToGlobal(self._at), words, self._widget, QRect(), _LONG)
        else:
            QToolTip.hideText()

    def eventFilter(self, _watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent) and event.type() == QEvent.Type.ToolTip:
            self.rest_at(event.pos())
            return True
        if self._at is not None and (event.type() in _ENDS or self._is_move_away(event)):
            self._at = None
            QToolTip.hideText()
        return False

    def _is_move_away(self, event: QEvent) -> bool:
        if not isinstance(event, QMouseEvent) or event.type() != QEvent.Type.MouseMove:
            return False
        return event.position().toPoint() != self._at
