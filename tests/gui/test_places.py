"""Where unsaved runs lie: names nobody else uses, and a folder that cannot be written."""

import os
from pathlib import Path

import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import write_whole
from rnnviz.gui.state.program_folders import new_run_path, remove_leftovers


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


def test_what_killed_processes_left_is_removed_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = tmp_path / "data" / "runs"
    runs.mkdir(parents=True)
    monkeypatch.setattr("rnnviz.gui.state.program_folders.process_exists", lambda number: number == 4712)
    gone = (".a.rnnviz.x1y2.new", ".a.rnnviz.x1y2.new-wal", ".b.rnnviz.claim", "a.4711.toml", "a.4711.safetensors")
    stay = (".c.rnnviz.x1y2.new", "a.4712.toml", "a.rnnviz", "a.rnnviz-wal", "mine.toml", "mine.v2.toml")
    for name in (*gone, *stay):
        (runs / name).write_text("x")
        if name != ".c.rnnviz.x1y2.new":  # somebody may be writing it
            os.utime(runs / name, (1.9e9, 1.9e9))
    monkeypatch.setattr("time.time", lambda: 1.9e9 + 3601)
    os.utime(runs / ".c.rnnviz.x1y2.new", (1.9e9 + 3000, 1.9e9 + 3000))
    remove_leftovers()
    assert sorted(path.name for path in runs.iterdir()) == sorted(stay)


def test_a_file_that_is_written_anew_takes_abandoned_halves_of_it_away(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in (".a.txt.x1y2.new", ".b.txt.x1y2.new"):
        (tmp_path / name).write_text("half")
    monkeypatch.setattr("time.time", lambda: (tmp_path / ".a.txt.x1y2.new").stat().st_mtime + 3601)
    write_whole(tmp_path / "a.txt", b"whole")
    assert sorted(path.name for path in tmp_path.iterdir()) == [".b.txt.x1y2.new", "a.txt"]
