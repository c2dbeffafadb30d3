"""Painting of a widget, for its paintEvent: whatever happens in it, the painter is ended and the program lives on.

A painter that is still active when its widget has been painted ends the program, and an exception that leaves a
paintEvent lives on in it. Nor may one travel up through the events around it, each of which would be given up.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QWidget


@contextmanager
def painting(widget: QWidget, scale: float = 1.0) -> Iterator[QPainter]:
    """A painter on `widget`, in pixels `scale` times as large; what goes wrong is told as anything nobody foresaw."""
    painter = QPainter(widget)
    try:
        if scale != 1.0:
            painter.scale(scale, scale)
        yield painter
    except Exception as error:  # told once everything is painted: what shows it changes the window
        QTimer.singleShot(0, partial(_tell, error))
    finally:
        painter.end()


def _tell(error: Exception) -> None:
    sys.excepthook(type(error), error, error.__traceback__)
