"""The window: throughput beside it, delay of its event loop, cursor to painted frame, and start to first picture."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from statistics import median

import numpy as np
from ratios import Row

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding

HERE = Path(__file__).parent
LIVE_SECONDS, WALK_SECONDS = 20, 60

EMPTY_WINDOW = """
import os, pyqtgraph
from PySide6.QtWidgets import QApplication, QMainWindow
class Window(QMainWindow):
    def paintEvent(self, event):
        super().paintEvent(event)
        os._exit(0)
app = QApplication([])
window = Window(); window.resize(1440, 900); window.show(); app.exec()
"""

OUR_WINDOW = """
import os
from PySide6.QtWidgets import QApplication
app = QApplication([])
from rnnviz.gui.shell.app import App
wired = App(app, None)
wired.window.painted.disconnect()
wired.window.painted.connect(lambda: os._exit(0))
wired.window.show(); app.exec()
"""


def run(code: str, home: str) -> float:
    environment = {
        **os.environ, "QT_QPA_PLATFORM": "offscreen", "RNNVIZ_CONFIG_DIR": home, "RNNVIZ_DATA_DIR": home,
        "PYTHONPYCACHEPREFIX": home, "PYTHONDONTWRITEBYTECODE": "",  # compiled once, as on a person's machine
    }  # fmt: skip
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", code], env=environment, check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


def start_ratio(home: str) -> float:
    for code in (EMPTY_WINDOW, OUR_WINDOW):
        run(code, home)
    return median(run(OUR_WINDOW, home) / run(EMPTY_WINDOW, home) for _ in range(7))


def bare_rate() -> float:
    """Training steps a second of the bare loop, in a process of its own, as the engine is."""
    code = (
        "import time, torch; torch.set_num_threads(1)\n"
        "from rnnviz.engine.training.trainer import Training\n"
        "from rnnviz.core.experiment.settings import first_lesson\n"
        "training = Training(first_lesson())\n"
        "for _ in range(50): training.advance()\n"
        "start = time.perf_counter()\n"
        "for _ in range(600): training.advance()\n"
        "print(600 / (time.perf_counter() - start))\n"
    )
    return float(subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout)


class Window:
    """The whole program, offscreen, with its own settings."""

    def __init__(self, home: str, path: Path | None = None) -> None:
        from PySide6.QtWidgets import QApplication

        from rnnviz.gui.shell.app import App

        os.environ.update(QT_QPA_PLATFORM="offscreen", RNNVIZ_CONFIG_DIR=home, RNNVIZ_DATA_DIR=home)
        application = QApplication.instance() or QApplication([])
        assert isinstance(application, QApplication)
        self.application = application
        self.app = App(application, path)
        self.app.window.resize(1440, 900)
        self.app.window.show()

    def wait(self, done: Callable[[], bool], seconds: float) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                raise TimeoutError("the window did not get there")
            self.application.processEvents()
            time.sleep(0.002)

    def traced(self) -> bool:
        traces = self.app.store.state.recorded.traces
        return bool(traces) and all(trace is not None for trace in traces)


def live(home: str) -> tuple[float, float]:
    """(training steps a second, 99th percentile of the event loop's delay in ms) while both models train."""
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest

    endless = replace(first_lesson(), training=replace(first_lesson().training, training_steps=10**6))
    write_experiment(endless, Path(home) / "endless.toml")
    window = Window(home, Path(home) / "endless.toml")
    window.wait(window.traced, 60)
    QTest.keyClick(window.app.window, Qt.Key.Key_Space)
    window.wait(lambda: window.app.store.state.recorded.history.last_training_step > 50, 30)
    delays: list[float] = []
    due = time.perf_counter() + 0.005

    def tick() -> None:
        nonlocal due
        now = time.perf_counter()
        delays.append(1000 * max(0.0, now - due))
        due = now + 0.005

    timer = QTimer()
    timer.setTimerType(Qt.TimerType.PreciseTimer)
    timer.timeout.connect(tick)
    timer.start(5)
    state, start = window.app.store.state, time.perf_counter()
    first = state.recorded.history.last_training_step
    QTimer.singleShot(LIVE_SECONDS * 1000, window.application.quit)
    window.application.exec()
    rate = (window.app.store.state.recorded.history.last_training_step - first) / (time.perf_counter() - start)
    timer.stop()
    window.app.window.close()
    return rate, float(np.percentile(delays, 99))


def large_window(home: str) -> Window:
    """On a run of T = 200, H = 128, vanilla and LSTM."""
    from PySide6.QtTest import QTest

    from rnnviz.engine.training.serve import run_training

    models = (ModelSettings("Vanilla", "vanilla", hidden_size=128), ModelSettings("LSTM", "lstm", hidden_size=128))
    experiment = Experiment("large", Adding(length=200), models, TrainingSettings(training_steps=1))
    path = Path(home) / "large.rnnviz"
    run_training(experiment, path)
    window = Window(home, path)
    window.wait(window.traced, 60)
    QTest.qWait(500)
    return window


def cursor_frames(window: Window) -> dict[str, np.ndarray]:
    """By view (M,) ms from a key press to the painted frame; the usual cards of the Gradients view are six here."""
    from PySide6.QtCore import Qt
    from PySide6.QtTest import QTest

    from rnnviz.gui.state.views import VIEWS

    times: dict[str, list[float]] = {view.key: [] for view in VIEWS}
    for block in ([Qt.Key.Key_Right] * 125, [Qt.Key.Key_Left] * 50) * 2:
        for number, found in enumerate(times.values(), 1):  # in turns, so that all meet the same machine
            QTest.keyClick(window.app.window, Qt.Key(Qt.Key.Key_0 + number))
            QTest.qWait(300)
            gradients = window.app.contents.centre.gradients if window.app.contents is not None else None
            window.wait(lambda: gradients is None or not gradients.waiting, 60)  # noqa: B023  # called right here
            for key in block:
                start = time.perf_counter()
                QTest.keyClick(window.app.window, key)
                window.application.processEvents()
                found.append(1000 * (time.perf_counter() - start))
    return {view: np.array(found) for view, found in times.items()}


def slow_walk_frames(window: Window, seconds: float = WALK_SECONDS) -> np.ndarray:
    """(M,) ms of every painting of the network view at 1920 × 1080 while the cursor walks by itself."""
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QPainter
    from PySide6.QtTest import QTest

    from rnnviz.gui.network.network_view import NetworkView
    from rnnviz.gui.state.store import setting

    window.app.window.resize(1920, 1080)
    QTest.keyClick(window.app.window, Qt.Key.Key_2)
    QTest.keyClick(window.app.window, Qt.Key.Key_Home, Qt.KeyboardModifier.ControlModifier)
    QTest.qWait(500)
    painted, times = NetworkView.paint, list[float]()

    def timed(view: NetworkView, painter: QPainter) -> None:
        start = time.perf_counter()
        painted(view, painter)
        times.append(1000 * (time.perf_counter() - start))

    NetworkView.paint = timed  # type: ignore[method-assign]
    window.app.store.change(look=setting(walk_speed=4.0, walking=1))
    QTest.qWait(round(1000 * seconds))
    NetworkView.paint = painted  # type: ignore[method-assign]
    window.app.store.change(look=setting(walking=0))
    return np.array(times)


def rows() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as home:
        yield Row("start to first painted window, of pyqtgraph and an empty one", start_ratio(home), 1.5)
        window = large_window(home)
        by_view = cursor_frames(window)
        frames = by_view["lanes"]
        yield Row("cursor move to painted frame, T=200, H=128, two models: median", float(np.median(frames)), 16, "ms")
        yield Row("the same, 99th percentile", float(np.percentile(frames, 99)), 50, "ms")
        for view, words in (("network", "the unrolled network"), ("gradients", "the Gradients view with six cards")):
            ratio = float(np.median(by_view[view]) / np.median(frames))
            yield Row(f"the same in {words}: median, of that of the lanes", ratio, 1.5)
        walk = slow_walk_frames(window)
        window.app.window.close()
        yield Row("a frame of a slow walk, 1920 × 1080: median", float(np.median(walk)), 16, "ms")
        yield Row("the slowest of the frames of 60 s, of the median", float(walk.max() / np.median(walk)), 3)
        before = bare_rate()
        rate, delay = live(home)
        bare = (before + bare_rate()) / 2
        yield Row(
            "training throughput with the window drawing live, of the bare loop", rate / bare, 0.85, at_least=True
        )
        yield Row("delay of the event loop while both models train, 99th percentile", delay, 33, "ms")
