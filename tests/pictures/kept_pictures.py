"""The pictures of one kept run: what a person types and presses to see each, and how they are drawn.

`python kept_pictures.py FOLDER [NAME …]` draws them, one after the other, in a process of its own. The outlines of Qt's
glyphs depend on which texts of which sizes were drawn before them: the halos of a curve's name by a few grey levels.
"""

import json
import lzma
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

os.environ["QT_QPA_PLATFORM"] = "offscreen"
sys.path.insert(0, str(Path(__file__).parents[1] / "gui"))

import numpy as np
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from whole_program import close, press

from rnnviz.command_line import main as command
from rnnviz.core.arrays import Array
from rnnviz.gui.figures.pictures import window_image
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.laboratory import CARDS, DEFAULT_CARDS
from rnnviz.gui.state.store import setting

FOLDER = Path(__file__).parents[1] / "data" / "pictures"
KEPT = FOLDER / "pictures.xz"  # the pixels of all, one after the other
SIZES = FOLDER / "pictures.json"  # name → height and width, in the order of KEPT, and the version of Qt
RUN = FOLDER / "kept.rnnviz"  # vanilla and LSTM of 8 units learn temporal order over 28 to 32 time steps
WRITTEN = FOLDER / "written.rnnviz"  # GRUs of 8 units with and without attention, one step into learning date formats
CONTROL = Qt.KeyboardModifier.ControlModifier
PAGES = {"cursor": Qt.Key.Key_1, "variables": Qt.Key.Key_2, "watches": Qt.Key.Key_3, "what-if": Qt.Key.Key_4}
PAGES["origin"] = Qt.Key.Key_5
PATIENCE = 30.0  # seconds for the window to come up and to answer
FAINT, MOST_FAINT = 4, 300  # grey levels, and how many pixels of a picture may differ by as much
LATE = 6.0  # seconds in which a picture may become what is kept of it
PAUSE = 80  # milliseconds between two looks: drawing costs more than waiting
SETTLED = 1.5  # seconds without a change, where nothing is kept of it


class Person:
    """Sits in front of the window; the only part of these tests that knows its insides."""

    def __init__(self, app: App) -> None:
        self.app = app

    def go(self, place: str, training_step: int | None = None) -> None:
        """What is typed into the field of T: "k=120 b t=9 f"; `training_step` is the one waited for."""
        self.app.walker.go_to(place)
        if training_step is not None:
            wait(lambda: self.app.store.state.place.cursor.training_step == training_step)

    def press(self, key: Qt.Key, times: int = 1) -> None:
        press(self.app, key, times)

    def page(self, name: str) -> None:
        press(self.app, PAGES[name], modifier=CONTROL)

    def look_at_unit(self, number: int) -> None:
        self.app.store.change(place=setting(unit=number - 1))

    def hold(self, quantity: str, unit: str, value: str) -> None:
        """Fills in the form of the what-if page: from the cursor's time step on a unit is held at a value."""
        assert self.app.contents is not None
        editor = self.app.contents.what_if.editor
        editor.kind.setCurrentIndex(1)
        editor.kind.activated.emit(1)
        editor.quantity.setCurrentIndex(editor.quantity.findData(quantity))
        for field, text in ((editor.unit, unit), (editor.value, value)):
            field.setText(text)
            field.editingFinished.emit()
        editor.button.click()
        wait(lambda: self.app.store.state.what_if is not None)
        self.app.window.setFocus()

    def trigger(self, key: str) -> None:
        self.app.actions[key].trigger()


@dataclass(frozen=True)
class WindowPicture:
    """The whole window; `settings` is its settings file."""

    act: Callable[[Person], object]
    theme: str = "dark"
    size: tuple[int, int] = (1280, 800)
    lanes: tuple[str, ...] = ()  # "+key" on, "key" off
    run: Path = RUN

    @property
    def settings(self) -> str:
        lanes = ", ".join(repr(lane) for lane in self.lanes)
        return f'theme = "{self.theme}"\nhidden_lanes = [{lanes}]\nanimated = false\n'


SMALL, LARGE = (1280, 800), (1920, 1080)
ALL_GATES = ("+gates: i", "+gates: g", "+gates: o", "+gradients: h", "+gradients: c", "+share", "+loss", "+prediction")


def _inside_the_cell(person: Person) -> None:
    person.press(Qt.Key.Key_M)
    person.go("f t=12 c")
    person.look_at_unit(3)


def _difference(person: Person) -> None:
    person.press(Qt.Key.Key_M)
    person.go("f t=9")
    person.page("what-if")
    person.hold("f", "2", "0.25")
    person.hold("h", "1", "0")
    person.trigger("what_if_difference")
    person.go("b t=8")
    person.page("origin")


def _lstm_page(page: str, place: str) -> Callable[[Person], None]:
    def act(person: Person) -> None:
        person.press(Qt.Key.Key_M)
        person.go(place)
        person.page(page)

    return act


def _network(level: str, place: str) -> Callable[[Person], None]:
    def act(person: Person) -> None:
        person.press(Qt.Key.Key_M)
        person.trigger("view_network")
        person.go(place)
        person.trigger(f"network_{level}")

    return act


def _cards(*keys: str) -> Callable[[Person], None]:
    """These cards, at time step 9 of the backward sweep, with all their numbers."""

    def act(person: Person) -> None:
        store = person.app.store
        store.change(look=lambda look: replace(look, laboratory=look.laboratory.arranged(keys)))
        person.trigger("view_gradients")
        person.go("b t=9")
        assert person.app.contents is not None
        view = person.app.contents.centre.gradients
        assert view is not None
        wait(lambda: not view.waiting)

    return act


def _another_sequence(person: Person) -> None:
    person.press(Qt.Key.Key_BracketRight, 2)
    person.go("b t=7")


WINDOWS = {
    "opened": WindowPicture(lambda person: None),
    "forward": WindowPicture(lambda person: person.go("f t=12"), "light"),
    "inside-the-cell": WindowPicture(_inside_the_cell, "light"),
    "loss": WindowPicture(lambda person: person.go("l"), "dark"),
    "backward": WindowPicture(lambda person: person.go("b t=20"), "light", LARGE),
    "backward-operation": WindowPicture(_lstm_page("cursor", "b t=6 f"), "dark", LARGE),
    "accumulate": WindowPicture(lambda person: person.go("a"), "dark"),
    "update": WindowPicture(lambda person: person.go("u"), "light"),
    "variables": WindowPicture(_lstm_page("variables", "f t=5"), "dark", LARGE),
    "watches": WindowPicture(_lstm_page("watches", "b t=17"), "light"),
    "what-if": WindowPicture(_lstm_page("what-if", "f t=9"), "dark"),
    "what-if-difference": WindowPicture(_difference, "light", LARGE),
    "origin": WindowPicture(_lstm_page("origin", "b t=11"), "dark"),
    "another-sequence": WindowPicture(_another_sequence, "light"),
    "earlier-in-training": WindowPicture(lambda person: person.go("k=120 b t=3", 120), "dark"),
    "all-lanes": WindowPicture(lambda person: person.go("f t=20"), "light", LARGE, ALL_GATES),
    "network": WindowPicture(_network("unrolled", "b t=9"), "light"),
    "network-folded": WindowPicture(_network("folded", "b t=9"), "dark"),
    "network-inside": WindowPicture(_network("inside", "b t=6 f"), "dark", LARGE),
    "gradients": WindowPicture(_cards(*DEFAULT_CARDS), "dark"),
    "gradients-all": WindowPicture(_cards(*(card.key for card in CARDS)), "light", LARGE),
    "written": WindowPicture(lambda person: person.go("b t=14"), "dark", run=WRITTEN),
    "written-network": WindowPicture(_network("unrolled", "f t=12"), "light", run=WRITTEN),
    "written-folded": WindowPicture(_network("folded", "b t=9"), "dark", run=WRITTEN),
    "few-lanes": WindowPicture(lambda p: p.go("b t=9"), "dark", SMALL, ("chain", "hidden", "prediction", "+share")),
}
FIGURES = {
    "figure-overview": "--lanes overview --theme light --training-step 180 --time-step 14 --size 1200x800",
    "figure-gradients-2x": "--lanes gradients --theme dark --time-step 9 --size 700x500 --scale 2",
    "figure-cards": "--view gradients --cards flow,walk --theme light --time-step 20 --size 900x320",
    "figure-loss": "--lanes loss --theme light --size 900x600",
}


NAMES = (*FIGURES, *WINDOWS)


def main(folder: Path, names: list[str]) -> None:
    """Draws the pictures called `names`, or all, into `folder`."""
    kept = references() if os.environ.get("RNNVIZ_REPLACE_PICTURES") != "1" else {}
    application = QApplication([])
    application.setCursorFlashTime(0)
    for name in names or NAMES:
        with tempfile.TemporaryDirectory() as home:
            os.environ.update(RNNVIZ_CONFIG_DIR=home, RNNVIZ_DATA_DIR=home)
            image = (
                figure(name, Path(home)) if name in FIGURES else window(application, name, Path(home), kept.get(name))
            )
        assert image.save(str(folder / f"{name}.png"), "PNG", 80), folder


def figure(name: str, home: Path) -> QImage:
    out = home / "figure.png"
    assert command(["render", str(RUN), *FIGURES[name].split(), "-o", str(out)]) == 0
    return QImage(str(out))


def window(application: QApplication, name: str, home: Path, wanted: Array | None) -> QImage:
    """The window as its own command saves it, once it is what is `wanted`, or as it is when nothing moves any more."""
    picture = WINDOWS[name]
    (home / "settings.toml").write_text(picture.settings, encoding="utf-8")
    app = App(application, Path(shutil.copy(picture.run, home / picture.run.name)))
    app.window.resize(*picture.size)
    app.window.show()
    wait(lambda: ready(app) and app.window.isActiveWindow())
    picture.act(Person(app))
    image = settled(lambda: window_image(app.window), wanted)
    close(app)
    app.window.deleteLater()
    app.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    return image


def ready(app: App) -> bool:
    """Whether the window is filled and shows the run with its traces."""
    traces = app.store.state.recorded.traces
    return app.contents is not None and bool(traces) and None not in traces


def settled(draw: Callable[[], QImage], wanted: Array | None) -> QImage:
    """Draws again and again, until the picture is what is `wanted`, or has not changed for a while."""
    began = since = time.monotonic()
    image = draw()
    while time.monotonic() - since < SETTLED if wanted is None else not alike(pixels(image), wanted):
        if time.monotonic() - began > LATE:
            break
        QTest.qWait(PAUSE)
        before, image = image, draw()
        if image != before:
            since = time.monotonic()
    return image


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not done():
        assert time.monotonic() < end, "the window did not get there"
        QTest.qWait(10)


def pixels(image: QImage) -> Array:
    """(height, width, 3) blue, green, red."""
    assert not image.isNull()
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.bytesPerLine())
    return rows[:, : image.width() * 4].reshape(image.height(), image.width(), 4)[..., :3].copy()


def alike(one: Array, other: Array) -> bool:
    """Whether two pictures are equal but for the halos of a few letters."""
    if one.shape != other.shape:
        return False
    coarse = slice(None, None, 7)  # most that are not alike differ there already, which is seen much sooner
    if _apart(one[coarse, coarse], other[coarse, coarse]).max() > FAINT:
        return False
    levels = _apart(one, other).max(axis=2)
    return bool(levels.max() <= FAINT and np.count_nonzero(levels) <= MOST_FAINT)


def _apart(one: Array, other: Array) -> Array:
    return np.maximum(one, other) - np.minimum(one, other)


def references() -> dict[str, Array]:
    """The pictures that are kept, (height, width, 3)."""
    whole, sizes = np.frombuffer(lzma.decompress(KEPT.read_bytes()), np.uint8), json.loads(SIZES.read_text())["sizes"]
    ends = np.cumsum([height * width * 3 for height, width in sizes.values()])
    parts = np.split(whole, ends[:-1])
    return {name: part.reshape(*size, 3) for (name, size), part in zip(sizes.items(), parts, strict=True)}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
