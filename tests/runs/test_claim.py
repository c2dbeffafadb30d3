"""The name of a run is claimed at once: whoever comes second is told, and no run is lost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sample_runs import record, writer

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.claim import claimed

CLAIM = """
import sys
from pathlib import Path
from rnnviz.runs.writing.claim import claimed
with claimed(Path(sys.argv[1])):
    print("claimed", flush=True)
    sys.stdin.read()
"""


@contextmanager
def another_process_claims(path: Path) -> Iterator[subprocess.Popen[str]]:
    arguments = [sys.executable, "-c", CLAIM, str(path)]
    with subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "claimed\n"
        yield other
        other.kill()


def test_a_name_that_is_claimed_is_refused_before_anything_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.rnnviz"
    monkeypatch.chdir(tmp_path)
    write_experiment(first_lesson(), tmp_path / "a.toml")
    monkeypatch.setitem(sys.modules, "rnnviz.headless", None)  # importing it would be an error
    with another_process_claims(path):
        for words in ([], ["--replace"], ["--live"]):
            assert main(["train", "a.toml", "--run", "a.rnnviz", *words]) == 2
            assert "Another rnnviz is just creating the run a.rnnviz; wanted" in capsys.readouterr().err
        assert main(["branch", "b.rnnviz", "--run", "a.rnnviz"]) == 2
        assert "just creating the run a.rnnviz" in capsys.readouterr().err
        assert main(["trace", "a.pt", "--run", "a.rnnviz"]) == 2
        assert "just creating the run a.rnnviz" in capsys.readouterr().err
        with pytest.raises(RnnvizError, match="just creating"):
            writer(path)
        with claimed(path, another=True) as claim:
            assert claim.path == tmp_path / "a-2.rnnviz"
        assert not path.exists()


def test_the_name_a_killed_process_had_claimed_is_free(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    with another_process_claims(path) as other:
        other.kill()
        other.wait()
        with writer(path) as run:
            record(run, 3)
    assert [one.name for one in tmp_path.iterdir()] == ["a.rnnviz"]


def test_a_run_that_came_since_the_name_was_claimed_is_not_lost(tmp_path: Path) -> None:
    path, other = tmp_path / "a.rnnviz", tmp_path / "b.rnnviz"
    with writer(other) as run:
        record(run, 7)
    with claimed(path):
        other.rename(path)  # by a program that claims nothing
        with pytest.raises(RnnvizError, match=r"a\.rnnviz exists already"):
            writer(path)
    with Run(path) as reader:
        assert list(reader.training_steps) == [7]
    assert [one.name for one in tmp_path.iterdir()] == ["a.rnnviz"]


def test_a_claim_is_used_up_by_the_run_that_begins(tmp_path: Path) -> None:
    path = tmp_path / "a.rnnviz"
    with claimed(path):
        assert len(list(tmp_path.iterdir())) == 1
        with writer(path) as run:
            record(run, 2)
            assert not list(tmp_path.glob("*.claim"))
        with pytest.raises(RnnvizError, match="exists already"):
            writer(path)
    with Run(path) as reader:
        assert list(reader.training_steps) == [2]
