"""System libraries that are lacking: one sentence that names the packages, and no word of Qt's own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from rnnviz.gui import system_libraries
from rnnviz.gui.system_libraries import OFFSCREEN, WINDOW, lacking

ROOT = Path(__file__).parents[2]
linux_only = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere Qt brings all of them along")


def start(tmp_path: Path, before: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`main.py` after some lines of Python."""
    script = f"{before}\nimport sys, runpy; sys.argv = ['main.py']; runpy.run_path('main.py', run_name='__main__')"
    settings = {"RNNVIZ_CONFIG_DIR": str(tmp_path), "RNNVIZ_DATA_DIR": str(tmp_path)}
    return subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, **settings, **environment}, capture_output=True,
        text=True, timeout=120,
    )  # fmt: skip


LACKING = (
    "import ctypes; known = ctypes.CDLL\n"
    "def load(name, *rest, **more):\n"
    "    if name and {missing!r} in str(name): raise OSError(name)\n"
    "    return known(name, *rest, **more)\n"
    "ctypes.CDLL = load\n"
)


@linux_only
def test_a_library_without_which_qt_does_not_load_is_named_with_its_package(tmp_path):
    refuse = (
        LACKING.format(missing="libEGL") + "import sys\n"
        "class Refuse:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name == 'PySide6.QtGui':\n"
        "            raise ImportError('libEGL.so.1: cannot open shared object file: No such file or directory')\n"
        "sys.meta_path.insert(0, Refuse())"
    )
    done = start(tmp_path, refuse)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "libEGL.so.1, which this computer lacks" in done.stderr
    assert "apt-get install" in done.stderr
    assert "libegl1" in done.stderr


@linux_only
def test_a_library_without_which_qt_ends_the_process_is_named_before_that(tmp_path):
    done = start(tmp_path, LACKING.format(missing="xcb-cursor"), DISPLAY=":99", QT_QPA_PLATFORM="xcb")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1), done.stderr
    assert "libxcb-cursor.so.0" in done.stderr
    assert "libxcb-cursor0" in done.stderr


@linux_only
def test_all_that_are_lacking_are_said_at_once_and_none_where_none_is(monkeypatch):
    monkeypatch.setattr(system_libraries, "_is_there", lambda name: "xcb" not in name)
    assert "libraries libxcb-cursor.so.0, libxcb-icccm.so.4" in lacking(WINDOW)
    assert lacking(OFFSCREEN) == ""


def test_the_packages_are_those_the_build_installs():
    script = (ROOT / ".ci" / "system-libraries").read_text()
    for name, libraries in (("offscreen", OFFSCREEN), ("window", WINDOW)):
        (listed,) = re.findall(f'^{name}="(.*)"$', script, re.MULTILINE)
        assert listed.split() == list(libraries.values())
