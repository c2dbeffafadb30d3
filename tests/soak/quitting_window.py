"""Started by soak.py: a window that trains, and after so many seconds is closed with Ctrl+Q if that is asked."""

import sys
import time
from pathlib import Path

from rnnviz.engine.training.lifetime import starting


def main(experiment: Path, seconds: float, key: bool) -> None:
    from PySide6.QtCore import Qt, QTimer
    from PySide6.QtTest import QTest
    from PySide6.QtWidgets import QApplication, QMainWindow

    from rnnviz.gui.shell.app import App, run_window

    application = QApplication(sys.argv[:1])
    before = App.fill

    def fill(self: App) -> None:
        before(self)
        self.store.changed.connect(lambda old, new: train(self) if old.recorded.status is None else None)

    def train(app: App) -> None:
        if app.store.state.recorded.status is not None:
            QTimer.singleShot(0, app.actions["train"].trigger)

    def leave() -> None:
        window = next((one for one in QApplication.topLevelWidgets() if isinstance(one, QMainWindow)), None)
        if window is None or not window.isActiveWindow():  # no key reaches it yet
            QTimer.singleShot(20, application, leave)
            return
        print(f"asked {time.time()}", flush=True)
        QTest.keyClick(window, Qt.Key.Key_Q, Qt.KeyboardModifier.ControlModifier)

    App.fill = fill  # type: ignore[method-assign]
    if key:
        QTimer.singleShot(int(1000 * seconds), application, leave)
    run_window(experiment)


if __name__ == "__main__":
    with starting(at_once=True):  # as the command does it, before the window is imported
        print("here", flush=True)
        main(Path(sys.argv[1]), float(sys.argv[2]), sys.argv[3] == "key")
