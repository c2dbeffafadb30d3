"""What every test of the window shares: no screen, fresh settings, and nothing may be left behind."""

import os

os.environ["QT_QPA_PLATFORM"] = "offscreen"

import gc
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot
from whole_program import PATIENCE, OpenApp, children, close, small_experiment

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.gui.live import background, engine, files, following, watchdog
from rnnviz.gui.seeds import seeds
from rnnviz.gui.shell.app import App


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:  # said of what a screen does and none at all does not: sizes, raising, grabbing keys
        item.add_marker(pytest.mark.qt_log_ignore("This plugin does not support"))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    if report.failed:
        item.stash[_FAILED] = True
    return report


_FAILED = pytest.StashKey[bool]()


def top_level_widgets() -> dict[int, QWidget]:
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return {id(widget): widget for widget in QApplication.topLevelWidgets()}


def harmless(widget: QWidget) -> bool:
    """Windows that Qt keeps for later, and the menu that pyqtgraph makes for every plot and gives no parent."""
    if widget.metaObject().className() in ("QTipLabel", "QComboBoxPrivateContainer"):
        return True
    above = widget
    while isinstance(above.parent(), QMenu):
        above = above.parent()
    return isinstance(above, QMenu) and above.title() == "Plot Options"


@pytest.fixture(autouse=True, scope="session")
def what_is_loaded_stays() -> None:
    """Collecting garbage looks only at what the tests make, not at every module again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True)
def fresh_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings, runs and log of each test lie in its own folder."""
    monkeypatch.setenv("RNNVIZ_CONFIG_DIR", str(tmp_path / "config"))
    monkeypatch.setenv("RNNVIZ_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def qtbot(qtbot: QtBot) -> QtBot:
    """Waits for a condition as long as a busy machine needs."""
    qtbot.waitUntil = partial(qtbot.waitUntil, timeout=PATIENCE)  # type: ignore[method-assign]
    qtbot.waitSignal = partial(qtbot.waitSignal, timeout=PATIENCE)  # type: ignore[method-assign]
    return qtbot


@pytest.fixture(autouse=True)
def patient_program(monkeypatch: pytest.MonkeyPatch) -> None:
    """What the program gives up on by the clock, it does not in a test that is not about that."""
    seconds = PATIENCE / 1000
    monkeypatch.setattr(engine, "_PATIENCE", seconds)  # until an engine is ended that does not go
    monkeypatch.setattr(following, "_WAIT_FOR_CAPTURE", seconds)
    monkeypatch.setattr(watchdog, "PATIENCE", seconds)
    monkeypatch.setattr(seeds, "_PATIENCE", seconds)
    monkeypatch.setattr(seeds, "_CANCEL_PATIENCE", seconds)
    monkeypatch.setattr(files, "_COPY_PATIENCE", PATIENCE)
    monkeypatch.setattr(background, "_PATIENCE", PATIENCE / 1000)


@pytest.fixture(autouse=True)
def nothing_left(request: pytest.FixtureRequest, qapp: QApplication) -> Iterator[None]:
    """Fails a test that leaves a window, a thread or a process behind; silent when the test failed already."""
    widgets, threads, processes = top_level_widgets(), set(threading.enumerate()), children()
    yield
    if request.node.stash.get(_FAILED, False):
        return
    left = [widget for number, widget in top_level_widgets().items() if number not in widgets and not harmless(widget)]
    assert not left, f"windows left behind: {left}"
    assert set(threading.enumerate()) <= threads
    assert children() <= processes, "processes left behind"


@pytest.fixture
def run_file(trained_run: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of 40 training steps of the test's own: marks that are set are written into it."""
    return Path(shutil.copy(trained_run, tmp_path_factory.mktemp("run") / trained_run.name))


@pytest.fixture(scope="session")
def trained_run(tmp_path_factory: pytest.TempPathFactory, warm_program: str) -> Path:
    """A run of 40 training steps, trained once for all tests without a window. Do not write into it: copy it."""
    folder = tmp_path_factory.mktemp("run")
    write_experiment(
        small_experiment(training=TrainingSettings(batch_size=4, training_steps=40)), folder / "small.toml"
    )
    arguments = ["train", str(folder / "small.toml"), "--run", str(folder / "small.rnnviz")]
    subprocess.run([warm_program, "-m", "rnnviz", *arguments], check=True, capture_output=True)
    return folder / "small.rnnviz"


@pytest.fixture
def engines_warm(request: pytest.FixtureRequest) -> None:
    """Engines need not load torch, but in tests marked `own_python`: there they start as a person's do."""
    if request.node.get_closest_marker("own_python") is None:
        request.getfixturevalue("warm")


@pytest.fixture
def open_app(qapp: QApplication, qtbot: QtBot, engines_warm: None) -> Iterator[OpenApp]:
    """Opens the whole program on a file; closes what a test leaves open."""
    opened: list[App] = []

    def open_it(path: Path | None = None) -> App:
        app = App(qapp, path)
        opened.append(app)
        app.window.resize(1280, 800)
        app.window.show()
        qtbot.waitUntil(
            lambda: app.contents is not None and (app.window.isActiveWindow() or app.seeds.window is not None)
        )
        return app

    yield open_it
    for app in opened:
        close(app)
        app.window.deleteLater()
        app.deleteLater()
    opened.clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
