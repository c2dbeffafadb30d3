"""Started by soak.py: random keys and mouse at a window that trains two models; nothing is said, nothing grows.

Memory is measured twice in the same state: what the keys have set and opened is put away, and a new run has begun.
Every command was used once before, for what is made when it is first looked at (pages, menus, dialogs, modules,
letters of a size) is no growth; where a person would come to all of it is chance.
"""

import ctypes
import gc
import os
import random
import sys
import tempfile
import time
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import QPoint, Qt, QTimer, QtMsgType, qInstallMessageHandler
from PySide6.QtGui import QDrag
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QDialog, QMenu, QWidget

WARM_UP = 0.25  # share of the time after which memory is measured, and may grow no more than
MOST_GROWTH = 0.05
PATIENCE = 30.0  # seconds for a new run to be shown
LONGEST_ACT = 3000  # milliseconds after which what an act waits for is ended: a menu or a drag that Qt runs by itself
MOST_POPUPS = 50  # closed one after another; one that stays is a mistake
MODIFIERS = [Qt.KeyboardModifier.NoModifier] * 8 + [
    Qt.KeyboardModifier.ShiftModifier,
    Qt.KeyboardModifier.ControlModifier,
]
LETTERS = [Qt.Key(code) for code in range(int(Qt.Key.Key_A), int(Qt.Key.Key_Z) + 1)]
KEYS = [
    Qt.Key.Key_Space, Qt.Key.Key_Period, Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down,
    Qt.Key.Key_Home, Qt.Key.Key_End, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown, Qt.Key.Key_Tab, Qt.Key.Key_Return,
    Qt.Key.Key_Escape, Qt.Key.Key_F5, Qt.Key.Key_F9, Qt.Key.Key_F10, Qt.Key.Key_F11, Qt.Key.Key_5, *LETTERS,
]  # fmt: skip
NEVER = {"quit", "open", "save_run", "save_experiment", "export", "about"}  # they end it, or wait for a person's answer


class Monkey:
    """One window and what went wrong at it."""

    def __init__(self, folder: Path, seed: int) -> None:
        from soak import SMALL

        from rnnviz.core.experiment.file import write_experiment
        from rnnviz.gui.shell.app import App

        os.environ["RNNVIZ_DATA_DIR"], os.environ["RNNVIZ_CONFIG_DIR"] = str(folder / "data"), str(folder / "config")
        self.chance, self.wrong, self.count = random.Random(seed), [], 0
        qInstallMessageHandler(self._hear)
        self.application = QApplication([])
        write_experiment(SMALL, folder / "soak.toml")
        self.app = App(self.application, folder / "soak.toml")
        self.app.window.resize(1280, 800)
        self.app.window.show()
        for name, action in self.app.actions.commands.items():
            if name in NEVER or name.startswith("save_"):
                self.app.actions[name].setDisabled(True)
                self.app.actions[name].changed.connect(lambda action=self.app.actions[name]: action.setDisabled(True))
        self.log = folder / "data" / "rnnviz.log"
        self._seen = -1  # acts when was last looked
        self._watch = QTimer(self.application)
        self._watch.timeout.connect(self._close_what_waits)
        self._watch.start(LONGEST_ACT)

    def _hear(self, kind: QtMsgType, context: object, message: str) -> None:
        ours = ("This plugin does not support", "Unimplemented code")  # offscreen; the second is `QDrag.cancel`
        if kind is not QtMsgType.QtDebugMsg and not any(words in message for words in ours):
            self.wrong.append(f"Qt: {message}")

    def act(self) -> None:
        """One key or one movement of the mouse."""
        chance = self.chance
        popup = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        target: QWidget = popup or self.app.window.focusWidget() or self.app.window
        if isinstance(popup, QDialog) and chance.random() < 0.3:
            popup.reject()
        elif isinstance(popup, QMenu) and chance.random() < 0.3:
            popup.close()
        elif chance.random() < 0.6:
            QTest.keyClick(target, chance.choice(KEYS), chance.choice(MODIFIERS))
        else:
            widget = self.app.window.childAt(self._somewhere(self.app.window)) or self.app.window
            button = chance.choice([Qt.MouseButton.LeftButton] * 5 + [Qt.MouseButton.RightButton])
            press = chance.choice([QTest.mouseClick, QTest.mouseClick, QTest.mouseDClick])
            press(widget, button, Qt.KeyboardModifier.NoModifier, self._somewhere(widget))
        self.count += 1

    def _close_what_waits(self) -> None:
        if self.count == self._seen and not self._close_popup():
            QDrag.cancel()
        self._seen = self.count

    def _close_popup(self) -> bool:
        """Closes what lies on top; False where nothing does."""
        popup = QApplication.activePopupWidget() or QApplication.activeModalWidget()
        if popup is not None:
            popup.close()
        return popup is not None

    def _close_popups(self) -> None:
        for _ in range(MOST_POPUPS):
            if not self._close_popup():
                return
            QTest.qWait(10)
        self.wrong.append("a window on top does not close")

    def use_every_command(self) -> None:
        """Each that is offered, once, and what it opens closed again."""
        self._wait_for_traces()
        for name in self.app.actions.commands:
            action = self.app.actions[name]
            if name not in NEVER and action.isEnabled():
                action.trigger()
                QTest.qWait(30)
                self._close_popups()

    def _wait_for_traces(self) -> None:
        """Until a run that has just begun is shown."""
        recorded, end = lambda: self.app.store.state.recorded, time.monotonic() + PATIENCE
        while time.monotonic() < end and (
            recorded().history.last_training_step or None in (recorded().traces or (None,))
        ):
            QTest.qWait(20)

    def _somewhere(self, widget: QWidget) -> QPoint:
        return QPoint(self.chance.randrange(max(1, widget.width())), self.chance.randrange(max(1, widget.height())))

    def settled_memory(self) -> int:
        """Resident pages without what the keys have added, when the experiment has just begun anew."""
        from soak import SMALL

        from rnnviz.core.stopping.marks import Marks
        from rnnviz.gui.state.store import setting
        from rnnviz.gui.state.trial import Trial

        self._close_popups()
        store = self.app.store
        store.change(
            debugging=setting(marks=Marks(), watches=(), found=None),
            trial=lambda _: Trial(),
            look=setting(page="cursor"),
        )
        self.app.session.restart(SMALL)
        self._wait_for_traces()
        QTest.qWait(500)  # what was put off is done
        gc.collect()
        if sys.platform == "linux":
            ctypes.CDLL("libc.so.6").malloc_trim(0)  # what is free is no growth
        return memory()

    def run(self, minutes: float) -> int:
        """How many things went wrong in so many minutes."""
        self.use_every_command()
        started, warm = time.monotonic(), 0
        end = started + 60 * minutes
        while (now := time.monotonic()) < end:
            if not warm and now - started > WARM_UP * 60 * minutes:
                warm = self.settled_memory()
            self.act()
            QTest.qWait(self.chance.choice((0, 1, 5, 20)))
        grown = self.settled_memory() / max(1, warm) - 1
        self.app.window.close()
        if self.log.exists():
            self.wrong.append(f"exceptions: {self.log.read_text()[-2000:]}")
        if grown > MOST_GROWTH:
            self.wrong.append(f"memory grew by {100 * grown:.1f} % after the warm-up")
        for sentence in dict.fromkeys(self.wrong):
            print(f"  {sentence}", flush=True)
        print(f"monkey: {self.count} actions, {len(self.wrong)} wrong, memory {100 * grown:+.1f} %", flush=True)
        return len(self.wrong)


def memory() -> int:
    """Resident bytes of this process, in pages."""
    return int(Path("/proc/self/statm").read_text().split()[1])


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="rnnviz-monkey-") as name:
        went_wrong = Monkey(Path(name), int(sys.argv[2])).run(float(sys.argv[1]))
    sys.stdout.flush()
    os._exit(went_wrong > 0)
