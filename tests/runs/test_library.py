"""The run library: what a run is at a glance, what is kept of it, and which may be tidied away."""

import math
import os
import sqlite3
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from sample_runs import loss, record, writer

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.library.cache import SummaryCache
from rnnviz.runs.library.remembered import Memory, Remembered
from rnnviz.runs.library.summary import MOST_POINTS, RunSummary, Stamp, read_summary
from rnnviz.runs.library.tidying import DAY, Wish, to_tidy
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import save_name

OLD_RUN = Path(__file__).parents[1] / "data/format1/bidirectional.rnnviz"


def made(path: Path, steps: int = 30) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    run = writer(path)
    for step in range(1, steps + 1):
        record(run, step, captured=step == 3)
    run.close()
    return path


def test_a_run_at_a_glance(tmp_path: Path) -> None:
    path = made(tmp_path / "one.rnnviz")
    run = read_summary(path)
    assert (run.kind, run.name, run.training_step, run.problem) == ("trained", "", 30, "")
    assert run.title == run.words == "Who remembers? vanilla against LSTM"
    assert [(model.name, model.cell, model.hidden_size) for model in run.models] == [
        ("Vanilla", "vanilla", 5),
        ("LSTM", "lstm", 5),
    ]
    for number, model in enumerate(run.models):
        assert model.steps == tuple(range(1, 31))
        assert model.losses == tuple(loss(step, number) for step in model.steps)
    assert run.bytes == path.stat().st_size
    assert not run.live
    assert [file.name for file in tmp_path.iterdir()] == ["one.rnnviz"]


def test_a_long_run_is_read_in_part_with_both_of_its_ends(tmp_path: Path) -> None:
    path, steps = tmp_path / "long.rnnviz", 40 * 256
    run = writer(path)
    for step in range(steps):
        run.metrics(step, 0, {"loss": math.inf if step == 5 else 1.0 / (step + 1)})
    run.close()
    model = read_summary(path).models[0]
    assert len(model.steps) <= MOST_POINTS
    assert (model.steps[0], model.steps[-1]) == (0, steps - 1)
    assert all(value == 1.0 / (step + 1) for step, value in zip(model.steps, model.losses, strict=True))


def test_a_run_that_is_written_is_live_and_says_whether_it_trains(tmp_path: Path) -> None:
    from rnnviz.runs.file.records import EngineStatus

    run = writer(tmp_path / "live.rnnviz")
    record(run, 4)
    for state, training in (("running", True), ("paused", False)):
        run.status(EngineStatus(state, 4, 10.0, os.getpid(), time.time()))  # type: ignore[arg-type]
        run.flush()
        seen = read_summary(tmp_path / "live.rnnviz")
        assert (seen.live, seen.training_now, seen.training_step) == (True, training, 4)
    run.close()
    assert not read_summary(tmp_path / "live.rnnviz").live


def test_what_is_no_run_is_listed_with_its_sentence(tmp_path: Path) -> None:
    text, cut, other, newer = (tmp_path / f"{name}.rnnviz" for name in ("text", "cut", "other", "newer"))
    text.write_text("once upon a time")
    cut.write_bytes(made(tmp_path / "whole.rnnviz").read_bytes()[:5000])
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("CREATE TABLE things (a)")
    newer.write_bytes((tmp_path / "whole.rnnviz").read_bytes())
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version = 99")
    said = {path.stem: read_summary(path) for path in (text, cut, other, newer, tmp_path / "gone.rnnviz")}
    assert {run.kind for run in said.values()} == {"broken"}
    for name, words in {
        "text": "It is plain text; wanted an rnnviz run.",
        "cut": "It is cut short",
        "other": "It is an SQLite file of another program",
        "newer": "It was written by a newer rnnviz",
        "gone": "It is not there any more.",
    }.items():
        assert said[name].problem.startswith(words), said[name].problem
        assert said[name].words == name


def test_a_run_of_format_1_is_listed_and_not_touched(tmp_path: Path) -> None:
    path = tmp_path / "old.rnnviz"
    path.write_bytes(OLD_RUN.read_bytes())
    run = read_summary(path)
    assert run.kind == "trained"
    assert run.training_step > 0
    assert len(run.models[0].losses) > 1
    assert path.read_bytes() == OLD_RUN.read_bytes()
    with pytest.raises(RnnvizError, match=r"older rnnviz .* accepts no name"):
        save_name(path, "mine")


def test_a_name_is_kept_in_the_run_and_its_date_stays(tmp_path: Path) -> None:
    path = made(tmp_path / "one.rnnviz")
    os.utime(path, (1_700_000_000, 1_700_000_000))
    save_name(path, "The wide one")
    assert read_summary(path).words == "The wide one"
    assert path.stat().st_mtime == 1_700_000_000
    with Run(path) as run:
        assert run.name == "The wide one"
        run.save_copy(tmp_path / "copy.rnnviz")
    assert read_summary(tmp_path / "copy.rnnviz").name == "The wide one"
    with pytest.raises(RnnvizError, match="at most 200 characters"):
        save_name(path, "x" * 201)
    save_name(path, "")
    assert read_summary(path).name == ""


def test_a_name_can_be_given_while_the_run_is_written(tmp_path: Path) -> None:
    path = tmp_path / "live.rnnviz"
    run = writer(path)
    record(run, 1)
    run.flush()
    save_name(path, "On its way")
    record(run, 2)
    run.close()
    seen = read_summary(path)
    assert (seen.name, seen.training_step) == ("On its way", 2)


@pytest.mark.parametrize("name", ["a\0b", "turned\u202eround", "half \ud800", "x" * 201])
def test_a_name_that_cannot_be_read_is_refused(tmp_path: Path, name: str) -> None:
    path = made(tmp_path / "a.rnnviz")
    save_name(path, "mine")
    with pytest.raises(RnnvizError, match="wanted, not one"):
        save_name(path, name)
    assert read_summary(path).name == "mine"


def test_a_name_that_was_changed_by_chance_is_none(tmp_path: Path) -> None:
    path = made(tmp_path / "one.rnnviz")
    save_name(path, "Right")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("UPDATE about SET value = replace(value, 'Right', 'Wrong') WHERE key = 'name'")
        connection.commit()
    assert read_summary(path).name == ""


def test_a_summary_is_kept_until_the_file_is_written_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, cache = made(tmp_path / "one.rnnviz"), SummaryCache(tmp_path / "kept")
    first = cache.summary(Stamp.of(path))
    monkeypatch.setattr("rnnviz.runs.library.cache.read_summary", lambda path: pytest.fail("read again"))
    assert cache.summary(Stamp.of(path)) == first
    monkeypatch.undo()
    save_name(path, "Other")  # neither size nor date differ
    assert cache.summary(Stamp.of(path)).name == "Other"
    cache.forget_others([Stamp.of(path)])
    assert [file.stem for file in (tmp_path / "kept").iterdir()] == [cache.key(Stamp.of(path))]
    (tmp_path / "kept" / f"{cache.key(Stamp.of(path))}.json").write_text('{"path": 7}')
    assert cache.summary(Stamp.of(path)).name == "Other"


def test_runs_of_the_folder_and_those_elsewhere_are_listed_once(tmp_path: Path) -> None:
    memory = Memory(tmp_path / "data")
    ours, theirs = made(tmp_path / "data/runs/ours.rnnviz"), made(tmp_path / "else/theirs.rnnviz")
    (tmp_path / "data/runs/.half.rnnviz.1.new").write_text("")
    os.utime(theirs, (1, 1))
    for path in (theirs, ours, theirs):
        memory.change(lambda known, path=path: known.with_run(path))  # type: ignore[misc]
    assert [stamp.path for stamp in memory.stamps()] == [str(ours), str(theirs)]
    assert memory.ours(ours)
    assert not memory.ours(theirs)
    memory.path.write_text(f'elsewhere = ["\\u0000", "", "{theirs}"]')
    assert [stamp.path for stamp in memory.stamps() if stamp.exists][:2] == [str(ours), str(theirs)]
    memory.path.write_text("pinned = 3")
    assert memory.read() == Remembered()
    assert (tmp_path / "data/library.broken.toml").read_text() == "pinned = 3"


def test_the_folder_of_the_library_is_made_with_those_above_it(tmp_path: Path) -> None:
    memory, path = Memory(tmp_path / "not" / "yet" / "there"), made(tmp_path / "a.rnnviz")
    assert memory.change(lambda known: known.with_run(path)) == memory.read()
    assert [stamp.path for stamp in memory.stamps()] == [str(path)]


def test_what_may_be_tidied_away() -> None:
    now = 1_000 * DAY
    old = RunSummary("/old", "trained", 2_000_000, now - 45 * DAY, title="T", training_step=9)
    runs = [
        replace(old, path="/new", changed=now - 2 * DAY),
        old,
        replace(old, path="/older", changed=now - 90 * DAY),
        replace(old, path="/named", name="Mine"),
        replace(old, path="/large", bytes=80_000_000),
        replace(old, path="/pinned"),
        replace(old, path="/shown"),
        replace(old, path="/broken", kind="broken"),
        replace(old, path="/live", writer=(os.getpid(), _own_start(), _own_host()), heartbeat=now),
    ]

    def gone(wish: Wish) -> list[str]:
        return [run.path for run in to_tidy(runs, {"/pinned"}, "/shown", wish, now)]

    assert gone(Wish(untitled=True, older_than_days=30)) == ["/older", "/old", "/large"]
    assert gone(Wish(untitled=True, older_than_days=None)) == ["/older", "/old", "/large", "/new"]
    assert gone(Wish(untitled=False, older_than_days=45)) == ["/older", "/old", "/named", "/large"]
    assert gone(Wish(untitled=False, older_than_days=None, larger_than_bytes=50_000_000)) == ["/large"]
    assert gone(Wish(untitled=False, older_than_days=None)) == []


def _own_start() -> int:
    from rnnviz.runs.file.process import own_process

    return own_process().started


def _own_host() -> str:
    from rnnviz.runs.file.process import own_process

    return own_process().host
