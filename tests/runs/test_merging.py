"""A run is two files while it is written: one as soon as nobody does, and never read without the other in silence."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sample_runs import record, writer

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Bookmark, Marks
from rnnviz.runs.reading.reader import IncompleteRunWarning, Run, open_run
from rnnviz.runs.writing.commands import CommandSender, save_marks

WRITE = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from sample_runs import writer, record
run = writer(Path(sys.argv[1]))
for step in range(23):
    record(run, step)
run.flush(); print("written", flush=True); sys.stdin.read()
"""
BEGIN = f"""
import os, sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
from sample_runs import writer
import rnnviz.runs.writing.writer as writing
writing.RunTables = lambda *_: os._exit(9)
writer(Path(sys.argv[1]))
"""
LACKS = r"a\.rnnviz lacks its newest records, which are in a\.rnnviz-wal: the run was copied without it"


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A run whose writer was killed, in a folder of its own."""
    return leave(tmp_path / "killed", lambda: None)


def leave(folder: Path, meanwhile: Callable[[], object]) -> Path:
    """Writes a run, does something `meanwhile`, and kills the writer."""
    folder.mkdir()
    path = folder / "a.rnnviz"
    arguments = [sys.executable, "-c", WRITE, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "written\n"
        meanwhile()
        other.kill()
    assert (folder / "a.rnnviz-wal").stat().st_size
    return path


def files(path: Path) -> list[str]:
    return sorted(one.name for one in path.parent.iterdir())


def last_step(path: Path) -> int:
    with Run(path) as run:
        assert run.incomplete == ""
        return run.last_training_step


def test_a_run_whose_writer_was_killed_is_whole_and_one_file_when_it_is_opened(killed: Path) -> None:
    with Run(killed) as run:
        assert run.last_training_step == 22
        assert files(killed) == ["a.rnnviz"]
    assert killed.read_bytes()[18:20] == b"\1\1"
    assert last_step(killed) == 22
    save_marks(killed, Marks(bookmarks=(Bookmark(3),)))
    assert files(killed) == ["a.rnnviz"]


def test_a_run_whose_writer_was_killed_before_its_first_record_lacks_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    assert subprocess.run([sys.executable, "-c", BEGIN, str(path)], check=False).returncode == 9
    assert path.exists()
    assert last_step(path) == 0
    CommandSender(path).close()


def test_who_reads_it_last_makes_it_one_file(tmp_path: Path) -> None:
    readers: list[Run] = []
    folder = tmp_path / "a"
    path = leave(folder, lambda: readers.extend([Run(folder / "a.rnnviz"), Run(folder / "a.rnnviz")]))
    with Run(path) as third:
        assert third.last_training_step == 22
    assert "a.rnnviz-wal" in files(path)
    readers[0].close()
    assert "a.rnnviz-wal" in files(path)
    assert readers[1].last_training_step == 22
    readers[1].close()
    assert files(path) == ["a.rnnviz"]
    assert last_step(path) == 22


def test_who_sends_commands_last_makes_it_one_file(killed: Path) -> None:
    CommandSender(killed).close()
    assert files(killed) == ["a.rnnviz"]
    assert last_step(killed) == 22


def test_a_copy_without_its_newest_records_says_so_until_they_are_beside_it(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    alone = Path(shutil.copy(killed, tmp_path / "a.rnnviz"))
    before = alone.read_bytes()
    for _ in range(2):
        with Run(alone) as run:
            assert run.last_training_step < 22
            assert not run.engine_alive
            with pytest.warns(IncompleteRunWarning, match=LACKS) as warned:
                open_run(alone).close()
            assert [one.filename for one in warned] == [__file__]
    assert main(["search", str(alone), "--condition", "k > 99"]) == 0
    assert capsys.readouterr().err.startswith("a.rnnviz lacks its newest records, which are in a.rnnviz-wal: ")
    with pytest.raises(RnnvizError, match=r"a\.rnnviz lacks its newest records, and so accepts no marks from this one"):
        save_marks(alone, Marks(bookmarks=(Bookmark(3),)))
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.rnnviz", "killed"]
    assert alone.read_bytes() == before
    shutil.copy(tmp_path / "killed" / "a.rnnviz-wal", tmp_path)
    assert last_step(alone) == 22
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.rnnviz", "killed"]


def test_a_copy_of_a_run_that_is_being_written_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "copy").mkdir()
    with writer(tmp_path / "a.rnnviz") as run:
        record(run, 7)
        run.flush()
        alone = Path(shutil.copy(run.path, tmp_path / "copy" / "a.rnnviz"))
        monkeypatch.setattr("rnnviz.runs.file.merging.FRESH_SECONDS", 0.0)  # as if it was copied a while ago
        with Run(alone) as copy, Run(run.path) as reader:
            assert copy.incomplete
            assert not copy.engine_alive
            assert reader.incomplete == ""
            assert reader.engine_alive
            assert reader.last_training_step == 7
    assert files(alone) == ["a.rnnviz"]
    assert last_step(tmp_path / "a.rnnviz") == 7


def test_a_finished_run_that_somebody_read_then_is_one_file_once_nobody_does(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    with writer(path) as run:
        record(run, 5)
        run.flush()
        reader = Run(path)
    assert files(path) != ["a.rnnviz"]
    alone = Path(shutil.copy(path, tmp_path / "b.rnnviz"))  # it holds everything by now
    assert last_step(alone) == 5
    reader.close()
    assert files(path) == ["a.rnnviz", "b.rnnviz"]
