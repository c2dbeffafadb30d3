"""Keys of the training curves: those of the scrubber below them, and + − 0 to zoom."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from rnnviz.gui.training.scrubber import KEYS, Scrubber

WORDS = "← → go from capture to capture, Page up and down by ten, + − 0 zoom"
_ZOOM = 1.5
_FACTORS = {Qt.Key.Key_Plus: 1 / _ZOOM, Qt.Key.Key_Minus: _ZOOM, Qt.Key.Key_0: 0.0}


class PlotKeys(QObject):
    """`zoom(factor)` by how much wider the range becomes, 0: all training steps."""

    def __init__(self, plot: QWidget, scrubber: Scrubber, zoom: Callable[[float], None]) -> None:
        super().__init__(plot)
        self._scrubber, self._zoom = scrubber, zoom
        plot.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if not isinstance(event, QKeyEvent) or event.type() == QEvent.Type.KeyRelease:
            return False
        key = Qt.Key(event.key())
        if key in KEYS:
            event.ignore()
            self._scrubber.event(event)
            return event.isAccepted()
        if key not in _FACTORS or event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            return False
        if event.type() == QEvent.Type.KeyPress:
            self._zoom(_FACTORS[key])
        event.accept()
        return True
