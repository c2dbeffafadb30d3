"""A data folder with runs of several ages, and the window of the library on them."""

import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.library.library_window import LibraryWindow
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.library.cache import SummaryCache
from rnnviz.runs.library.remembered import Memory
from rnnviz.runs.writing.commands import save_name

DAY = 86_400

Put = Callable[..., Path]
OpenLibrary = Callable[..., LibraryWindow]


@pytest.fixture(autouse=True)
def own_trash(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The desktop's trash, beside the runs."""
    (tmp_path / "desktop").mkdir()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "desktop"))
    return tmp_path / "desktop/Trash/files"


@pytest.fixture
def put(trained_run: Path) -> Put:
    """Puts a run of 40 training steps into the data folder, or elsewhere; `days` ago it was written."""

    def put_it(stem: str, days: float = 0, name: str = "", folder: Path | None = None) -> Path:
        path = (folder or data_folder() / "runs") / f"{stem}.rnnviz"
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(trained_run, path)
        if name:
            save_name(path, name)
        written = time.time() - days * DAY
        os.utime(path, (written, written))
        return path

    return put_it


@pytest.fixture
def open_library(qtbot: QtBot) -> Iterator[OpenLibrary]:
    """Opens the window of runs and waits until all of them are read."""
    opened: list[tuple[QWidget, LibraryWindow]] = []

    def open_it(state: State | None = None) -> LibraryWindow:
        parent = QWidget()
        memory = Memory(data_folder())
        library = LibraryWindow(Store(state or State()), memory, SummaryCache(data_folder() / "library"), parent)
        opened.append((parent, library))
        library.show()
        qtbot.waitUntil(lambda: not library.reading.busy)
        return library

    yield open_it
    for parent, library in opened:
        assert library.stop()
        library.close()
        parent.deleteLater()
    opened.clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
