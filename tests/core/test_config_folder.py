"""Where settings and what is remembered are kept: as each system does it, and where a person moves it."""

import sys
from pathlib import Path

import pytest

from rnnviz.core.files.allowed import config_folder

PLACES = {
    "darwin": ({}, "Library/Preferences/rnnviz"),
    "win32": ({}, "AppData/Local/rnnviz"),
    "win32, moved": ({"LOCALAPPDATA": "elsewhere"}, "elsewhere/rnnviz"),
    "linux": ({}, ".config/rnnviz"),
    "linux, moved": ({"XDG_CONFIG_HOME": "elsewhere"}, "elsewhere/rnnviz"),
    "darwin, of rnnviz alone": ({"RNNVIZ_CONFIG_DIR": "its own"}, "its own"),
}


@pytest.mark.parametrize("system", PLACES)
def test_the_folder_is_where_the_system_keeps_such_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, system: str
) -> None:
    given, place = PLACES[system]
    for name in ("RNNVIZ_CONFIG_DIR", "XDG_CONFIG_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, folder in given.items():
        monkeypatch.setenv(name, str(tmp_path / folder))
    monkeypatch.setattr(sys, "platform", system.partition(",")[0])
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    assert config_folder() == tmp_path / place
