"""`make screenshots`: the pictures of README.md, made by the program itself, offscreen, in a folder of its own."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication

from rnnviz.gui.figures.pictures import save_picture, window_image
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.laboratory import DEFAULT_CARDS
from rnnviz.gui.state.store import setting

RESOURCES = Path(__file__).parents[2] / "resources"
OUT, EXPERIMENTS = RESOURCES / "screenshots", RESOURCES / "experiments"
SIZE = (1440, 900)
NONE, CONTROL = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier


class Person:
    """Presses keys in a real window and waits for what they do."""

    def __init__(self, application: QApplication, path: Path | None = None) -> None:
        self.app = App(application, path)
        self.app.window.resize(*SIZE)
        self.app.window.show()
        self.wait(
            lambda: bool(self.app.store.state.recorded.traces) and None not in self.app.store.state.recorded.traces
        )

    def wait(self, done: Callable[[], bool], seconds: float = 120) -> None:
        end = time.monotonic() + seconds
        while not done():
            if time.monotonic() > end:
                sys.exit("The window did not get there.")
            QApplication.processEvents()
            time.sleep(0.01)  # in which threads have their turn

    def press(self, key: Qt.Key, times: int = 1, modifier: Qt.KeyboardModifier = NONE) -> None:
        for _ in range(times):
            QTest.keyClick(self.app.window, key, modifier)
        QTest.qWait(300)

    def take(self, name: str, theme: str) -> None:
        self.app.store.change(look=setting(theme=theme))
        QTest.qWait(500)
        save_picture(window_image(self.app.window), OUT / f"{name}-{theme}.png")
        print(f"drawn: {name}-{theme}.png")

    def last_training_step(self) -> int:
        return self.app.store.state.recorded.history.last_training_step

    def paused(self) -> bool:
        status = self.app.store.state.recorded.status
        return status is not None and status.state == "paused"


def main() -> None:
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as home:
        os.environ.update(RNNVIZ_CONFIG_DIR=home, RNNVIZ_DATA_DIR=home)
        application = QApplication([])
        first_lesson_pictures(Person(application))
        gate_pictures(Person(application, EXPERIMENTS / "the-gate-opens.toml"))
        dates_picture(Person(application, EXPERIMENTS / "date-formats.toml"))


def first_lesson_pictures(person: Person) -> None:
    person.take("untrained", "light")
    person.press(Qt.Key.Key_Space)
    person.wait(lambda: person.last_training_step() > 450)
    person.take("training", "light")
    person.wait(lambda: person.last_training_step() >= 1000 and person.paused())
    why_it_forgets(person)
    person.press(Qt.Key.Key_1, modifier=CONTROL)
    person.press(Qt.Key.Key_Home, modifier=CONTROL)
    person.press(Qt.Key.Key_End)  # forward to its end
    person.press(Qt.Key.Key_Right, 26)  # over the loss and 25 time steps back
    person.take("backward", "dark")
    person.take("backward", "light")
    network_pictures(person)
    cards_picture(person, "gradients", "dark", DEFAULT_CARDS)
    person.app.window.close()


def network_pictures(person: Person) -> None:
    person.app.store.change(look=setting(animated=False))
    person.press(Qt.Key.Key_2)
    person.press(Qt.Key.Key_M)  # the LSTM
    person.take("network", "dark")
    person.press(Qt.Key.Key_I)
    person.take("network-inside", "dark")
    person.press(Qt.Key.Key_O)
    person.press(Qt.Key.Key_1)


def cards_picture(person: Person, name: str, theme: str, cards: tuple[str, ...]) -> None:
    """The Gradients view with these cards and all their numbers."""
    person.app.store.change(look=lambda look: replace(look, laboratory=look.laboratory.arranged(cards)))
    person.app.actions["view_gradients"].trigger()  # 3 would be typed where a field has the keyboard
    assert person.app.contents is not None
    view = person.app.contents.centre.gradients
    assert view is not None
    person.wait(lambda: not view.waiting)
    person.take(name, theme)
    person.app.actions["view_lanes"].trigger()


def why_it_forgets(person: Person) -> None:
    """The key presses of README after the first one, which trained."""
    person.press(Qt.Key.Key_End, 3)  # the end of the forward sweep, the loss, the end of the backward sweep
    person.take("why-it-forgets-1", "dark")
    person.press(Qt.Key.Key_I, 2)  # the operations of the cell
    person.take("why-it-forgets-2", "dark")
    person.press(Qt.Key.Key_5, modifier=CONTROL)  # what the gradient is made of
    person.press(Qt.Key.Key_M)  # the same of the LSTM
    person.take("why-it-forgets-3", "dark")
    person.press(Qt.Key.Key_M)


def gate_pictures(person: Person) -> None:
    person.press(Qt.Key.Key_Space)
    person.wait(lambda: person.last_training_step() > 0 and person.paused())
    person.press(Qt.Key.Key_3, modifier=CONTROL)
    person.take("the-gate-opens", "dark")
    person.app.store.say(None)
    cards_picture(person, "gradients-gate", "light", ("horizon", "halflife", "gates", "flow", "walk", "bars"))
    person.app.window.close()


def dates_picture(person: Person) -> None:
    """The unrolled network where the decoder writes the first digit of the month."""
    person.press(Qt.Key.Key_Space)
    person.wait(lambda: person.last_training_step() >= 400 and person.paused(), 600)
    person.app.store.change(look=setting(animated=False))
    person.press(Qt.Key.Key_End)
    person.press(Qt.Key.Key_Left, 4)
    person.press(Qt.Key.Key_1, modifier=CONTROL)
    person.press(Qt.Key.Key_2)
    person.take("dates", "light")
    person.app.window.close()


if __name__ == "__main__":
    main()
