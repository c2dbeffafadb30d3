"""The window of several seeds, on folders that a test writes."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.seeds.seeds_window import SeedsWindow
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

OpenSeeds = Callable[..., SeedsWindow]


@pytest.fixture
def open_seeds(qtbot: QtBot) -> Iterator[OpenSeeds]:
    """Opens the window on a folder and waits until it is read."""
    opened: list[tuple[QWidget, SeedsWindow]] = []

    def open_it(folder: Path, state: State | None = None, ours: Callable[[], bool] = lambda: False) -> SeedsWindow:
        parent = QWidget()
        window = SeedsWindow(Store(state or State()), folder, ours, parent)
        opened.append((parent, window))
        window.show()
        qtbot.waitUntil(lambda: window.shown is not None or bool(window.said.text()))
        return window

    yield open_it
    for parent, window in opened:
        window.close()
        assert window.stop()
        parent.deleteLater()
    opened.clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
