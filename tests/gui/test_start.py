"""The window's start: what comes before its first picture loads nothing that only comes after it."""

import subprocess
import sys
from functools import partial

import pytest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from rnnviz.gui.look.theme import ThemeName, theme
from rnnviz.gui.shell.main_window import MainWindow
from rnnviz.gui.shell.placeholder import Placeholder
from rnnviz.gui.state.preferences import Preferences

AFTER_IT = (  # each of them is a large part of a start
    "numpy.random",
    "rnnviz.core.expressions.language",
    "rnnviz.core.sweeps.trace",
    "rnnviz.gui.canvas.lane_stack",
    "rnnviz.gui.live.engine",
    "rnnviz.runs.reading.format_1",
    "rnnviz.runs.writing.tables",
)
SCRIPT = """
import sys
from pathlib import Path
from PySide6.QtWidgets import QApplication
application = QApplication([])
from rnnviz.gui.shell.app import App
app = App(application, None, Path(sys.argv[1]))
app.window.show()
print(*sorted(sys.modules.keys() & set(sys.argv[2:])))
app.close()
"""


def test_what_only_comes_after_the_first_picture_is_not_loaded_before_it(tmp_path):
    command = [sys.executable, "-c", SCRIPT, str(tmp_path / "settings.toml"), *AFTER_IT]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout.split()) == (0, []), done.stderr


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_first_picture_keeps_the_places_of_lanes_and_panels(qtbot: QtBot, name: ThemeName) -> None:
    before = MainWindow(partial(theme, name))
    qtbot.addWidget(before)
    before.resize(1300, 800)
    remembered = before.layout_preferences()
    window = MainWindow(partial(theme, name))
    qtbot.addWidget(window)
    window.restore(Preferences(**remembered))  # as at a second start
    window.show()
    qtbot.waitUntil(lambda: len(placeholders(window)) == 4)
    for place in placeholders(window):
        picture = place.grab().toImage()
        column = {picture.pixel(picture.width() // 2, y) for y in range(picture.height())}
        assert len(column) > 1
    window.add_to_centre(QWidget(), 1)
    for panel in ("experiment", "values", "training"):
        window.fill_dock(panel, QWidget())
    assert placeholders(window) == []


def placeholders(window: MainWindow) -> list[Placeholder]:
    return [one for one in window.findChildren(Placeholder) if one.isVisible()]
