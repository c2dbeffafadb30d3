"""The window's start: what comes before its first picture loads nothing that only comes after it."""

import subprocess
import sys

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
