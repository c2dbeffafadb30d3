"""The whole program in a test: opened, pressed, closed; what the tests of the window share."""

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QProcess, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLineEdit

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding
from rnnviz.gui.shell.app import App

PATIENCE = 60_000  # milliseconds anything may take on a busy machine

OpenApp = Callable[..., App]


def children() -> set[int]:
    """The processes this one has started and that still are, zombies included."""
    if not Path("/proc/self/task").exists():
        return set()
    found = set[int]()
    for tasks in Path("/proc/self/task").glob("*/children"):
        with contextlib.suppress(FileNotFoundError):  # a thread that ends meanwhile
            found.update(map(int, tasks.read_text().split()))
    return found


def engine_process_id(app: App) -> int:
    """Of the window's own engine; 0 while none is alive."""
    engines = [process for process in app.session.findChildren(QProcess) if "--live" in process.arguments()]
    return next((int(engine.processId()) for engine in engines if engine.processId()), 0)


def small_experiment(**changes: object) -> Experiment:
    """Two small networks that learn to add: a training step takes about a millisecond."""
    experiment = Experiment(
        name="Small",
        task=Adding(length=12),
        models=(ModelSettings("Vanilla", "vanilla", 6), ModelSettings("LSTM", "lstm", 5)),
        training=TrainingSettings(batch_size=4, training_steps=100_000),
        seed=3,
    )
    return replace(experiment, **changes)  # type: ignore[arg-type]


def close(app: App) -> float:
    """Closes the window as its person does; returns the seconds it took."""
    before = time.monotonic()
    app.window.close()
    taken = time.monotonic() - before
    assert app.ended_well
    return taken


def type_into(field: QLineEdit, text: str) -> None:
    """Replaces the text of a field and presses Return."""
    field.selectAll()
    QTest.keyClicks(field, text)
    QTest.keyClick(field, Qt.Key.Key_Return)


def press(
    app: App, key: Qt.Key, times: int = 1, modifier: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier
) -> None:
    """Presses a key where the focus is."""
    for _ in range(times):
        QTest.keyClick(app.window.focusWidget() or app.window, key, modifier)
