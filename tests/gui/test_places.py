"""Where unsaved runs lie: names nobody else uses, and a folder that cannot be written."""

import os
from pathlib import Path

import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.state.program_folders import new_run_path


def test_a_name_that_an_engine_is_about_to_use_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.strftime", lambda form: "20300101-120000")
    runs = tmp_path / "data" / "runs"
    runs.mkdir(parents=True)
    (runs / "who-remembers-20300101-120000.4711.toml").touch()  # of another window
    (runs / "who-remembers-20300101-120000-2.rnnviz").touch()
    assert new_run_path("Who remembers?") == runs / "who-remembers-20300101-120000-3.rnnviz"
    assert new_run_path("Who remembers?") == runs / "who-remembers-20300101-120000-4.rnnviz"


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_: False)  # tests may run as root, who may write everywhere
    with pytest.raises(RnnvizError, match=f"{tmp_path}/data/runs cannot be written; RNNVIZ_DATA_DIR can name"):
        new_run_path("Mine")


def test_a_file_in_place_of_the_folder_is_named(tmp_path: Path) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(RnnvizError, match="data/runs cannot be made"):
        new_run_path("Mine")
