"""Garbage is collected in the GUI thread only: a cycle with a Qt object in it, freed by a worker thread, segfaults."""

import gc

from PySide6.QtCore import QObject, QTimer, Slot

_MILLISECONDS = 500


class GarbageCollector(QObject):
    """While it lives, Python's own collector is off and a timer of the GUI thread does its work."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._thresholds = gc.get_threshold()
        gc.disable()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self.collect)
        self._timer.start(_MILLISECONDS)

    @Slot()
    def collect(self) -> None:
        """What the collector would do now: the oldest generation that is due, or nothing."""
        counts = gc.get_count()
        for generation in (2, 1, 0):
            if counts[generation] > self._thresholds[generation] > 0:
                gc.collect(generation)
                return

    def stop(self) -> None:
        """Gives the collecting back to Python."""
        self._timer.stop()
        gc.enable()
