"""Breakpoints in a training: the same hits live and over the recorded past, and a stop at exactly the right moment."""

import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_engine import Window, live, losses, opens, until

from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.experiment.file import experiment_toml
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.expressions import shown
from rnnviz.core.plain_records import read_record
from rnnviz.core.stopping.breakpoints import Hit
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.core.tasks import Adding
from rnnviz.debugger.search import search
from rnnviz.engine.training.recording import Recording
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.file.checksums import row_crc32
from rnnviz.runs.file.engine_commands import BranchOff, Quit, Restart, Step, Train
from rnnviz.runs.reading.reader import Run, open_run

LEARNING = Experiment(
    name="learning",
    task=Adding(length=8),
    models=(
        ModelSettings("Vanilla", "vanilla", hidden_size=4),
        ModelSettings("LSTM", "lstm", hidden_size=4, own=LstmSettings(4.4)),
    ),
    training=TrainingSettings(batch_size=8, training_steps=150, learning_rate=0.03, clip_norm=0.0),
    seed=3,
)
# goes to infinity and on to NaN, which is learnt because nothing refuses it
BREAKING = replace(
    LEARNING,
    models=(
        ModelSettings("ReLU", "vanilla", hidden_size=4, own=VanillaSettings("relu")),
        ModelSettings("LSTM", "lstm", 4),
    ),
    training=TrainingSettings("sgd", learning_rate=30.0, clip_norm=0.0, batch_size=8, training_steps=40),
)
LEARNT_ALL_THE_SAME = Breakpoint("not finite", enabled=False)

THE_SIX = {
    "norm(dh[1]) / norm(dh[T]) < 1e-6": BREAKING,
    "any(f > 0.99)": LEARNING,
    "grad_norm > 10 * median(grad_norm, 50)": BREAKING,
    "loss < 0.05": LEARNING,
    "isnan(loss)": BREAKING,
    "k % 100 == 0": LEARNING,
}
MORE = (
    Breakpoint("condition", "norm(dh[t]) < 0.001 * norm(dh[T])", model="LSTM"),
    Breakpoint("condition", "loss < 0.1 and mean(f[-1]) > 0.9", every=3, sequence=2),
    Breakpoint("data", "norm(dh[1]) / norm(dh[T])", crosses=0.01),
    Breakpoint("data", "grad_norm", factor=2.0, model="Vanilla"),
    Breakpoint("data", "abs(c[t, 1])", crosses=0.5, direction="up"),
    Breakpoint("place", phase="backward", time_step=-2, layer="l0", operation="f", every=20),
    Breakpoint("place", "norm(dh[t]) > 0.005", phase="backward", time_step=3),
    Breakpoint("condition", "loss < 0.04", message="{k}: {loss} and {norm(h[T])}"),
)


@pytest.fixture
def capture_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """A capture at every training step, however long it takes."""
    advance = Recording.advance

    def patient(self: Recording) -> None:
        advance(self)
        self.capture(keep=True)
        self.writer.flush()

    monkeypatch.setattr(Recording, "advance", patient)


def recorded(path: Path, experiment: Experiment, *breakpoints: Breakpoint) -> list[tuple[Breakpoint, int, str, int]]:
    """Trains headless; the hits the engine found, each with its breakpoint, training step, model and time step."""
    run_training(replace(experiment, marks=Marks((LEARNT_ALL_THE_SAME, *breakpoints))), path)
    with open_run(path) as run:
        events = [event for event in run.events() if event.kind in ("hit", "log")]
    return [
        (
            read_record(Breakpoint, event.details["breakpoint"], "event", ""),
            event.training_step,
            event.details["model"],
            event.details["time_step"],
        )
        for event in events
    ]


def found(run: Run, *breakpoints: Breakpoint, **options: object) -> list[Hit]:
    return [hit for progress in search(run, breakpoints, **options) for hit in progress.hits]


def keys(hits: list[Hit]) -> list[tuple[Breakpoint, int, str, int]]:
    return [(hit.breakpoint, hit.training_step, hit.model, hit.time_step) for hit in hits]


@pytest.mark.usefixtures("capture_all")
@pytest.mark.parametrize("experiment", [LEARNING, BREAKING], ids=["learning", "breaking"])
def test_the_six_conditions_and_more_hit_live_as_they_do_in_the_past(tmp_path: Path, experiment: Experiment) -> None:
    names = {model.name for model in experiment.models}
    breakpoints = [Breakpoint("condition", text) for text in THE_SIX]
    breakpoints += [one for one in MORE if one.model in ("", *names)]
    live = recorded(tmp_path / "a.rnnviz", experiment, *breakpoints)
    with open_run(tmp_path / "a.rnnviz") as run:
        assert set(range(experiment.training.training_steps + 1)) <= set(run.captured())
        past = found(run, *breakpoints)
        for text, where in THE_SIX.items():
            if where is experiment:
                of_it = [key for key in live if key[0].expression == text]
                assert of_it, text
                assert len(of_it) < experiment.training.training_steps * len(names), text
                assert keys(found(run, Breakpoint("condition", text))) == of_it
        by_step = sorted(live, key=lambda key: key[1])  # in the log, lines of logpoints come before stops
        assert sorted(map(repr, by_step)) == sorted(map(repr, keys(past)))
        assert keys(found(run, *breakpoints, backwards=True)) == keys(past)[::-1]
        plain = [one for one in breakpoints if one.every == 1]  # the others count from where they are set
        part = [key for key in keys(past) if 20 <= key[1] <= 30 and key[0] in plain]
        assert keys(found(run, *plain, first=20, last=30)) == part
    if experiment is LEARNING:
        assert {key[0] for key in live} >= set(MORE)


def test_conditions_are_what_they_say(tmp_path: Path) -> None:
    run_training(LEARNING, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        loss = run.metrics("loss", 1)
        hits = found(run, Breakpoint("condition", "loss < 0.05", model="LSTM"))
        assert [hit.training_step for hit in hits] == (np.flatnonzero(loss < 0.05) + 1).tolist()
        first, loss_there = hits[0].training_step, hits[0].values[0][1]
        assert hits[0].sentence == f"Training step {first}: in LSTM, loss < 0.05 (loss is {loss_there})."
        assert [hit.training_step for hit in found(run, Breakpoint("condition", "k % 100 == 0", every=2))] == []
        every = found(run, Breakpoint("condition", "k % 10 == 0", every=3, model="LSTM"))
        assert [hit.training_step for hit in every] == [30, 60, 90, 120, 150]
        newest = next(p for p in search(run, [Breakpoint("condition", "k % 100 == 0")], backwards=True) if p.hits)
        assert newest.hits[0].training_step == 100


ENDLESS = replace(LEARNING, training=replace(LEARNING.training, training_steps=10**6))


def hits_of(run: Run) -> list[tuple[int, str]]:
    return [(event.training_step, event.details["model"]) for event in run.events() if event.kind == "hit"]


def test_live_training_stops_at_the_very_training_step_and_goes_on(tmp_path: Path) -> None:
    run_training(LEARNING, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as straight:
        wanted = (np.flatnonzero(straight.metrics("loss", 1) < 0.06) + 1).tolist()[:3]
        assert len(wanted) == 3
        one = Breakpoint("condition", "loss < 0.06", model="LSTM")
        with live(tmp_path / "b.rnnviz", ENDLESS) as window:
            window.mark(one)
            for step in wanted:
                window.send(Train())
                until(lambda step=step: window.state() == ("paused", step))
                loss = shown(float(straight.metrics("loss", 1)[step - 1]))
                told = f"Stopped at training step {step}: in LSTM, loss < 0.06 (loss is {loss})."
                assert window.run.status.sentence == told
            assert hits_of(window.run) == [(step, "LSTM") for step in wanted]
            assert [event.kind for event in window.run.events()] == ["started", "hit", "hit", "hit"]
            assert set(wanted) <= set(window.run.captured())
            assert window.run.marks() == Marks((one,))
            window.mark()
            window.send(Train(150))
            until(lambda: window.state() == ("paused", 150))
            assert np.array_equal(losses(straight), losses(window.run))


def test_breakpoints_change_no_number_and_stepping_is_running(tmp_path: Path) -> None:
    run_training(LEARNING, tmp_path / "a.rnnviz")
    breakpoints = (
        Breakpoint("condition", "norm(dh[1]) > 1e9"),
        Breakpoint("condition", "k % 7 == 0", message="{loss} {norm(c[T])}"),
    )
    with live(tmp_path / "b.rnnviz", LEARNING) as window:
        window.mark(*breakpoints, bookmarks=(Bookmark(3, note="here"),))
        for step in range(1, 31):
            window.send(Step(1))
            until(lambda step=step: window.state() == ("paused", step))
        window.send(Train())
        until(lambda: window.state() == ("paused", 150))
        with open_run(tmp_path / "a.rnnviz") as straight:
            assert np.array_equal(losses(straight), losses(window.run))
            for model in (0, 1):
                theirs, ours = straight.capture(150, model).weights, window.run.capture(150, model).weights
                assert all(np.array_equal(theirs[name], ours[name]) for name in theirs)
        lines = [event for event in window.run.events() if event.kind == "log"]
        assert [line.training_step for line in lines] == [step for step in range(7, 151, 7) for _ in (0, 1)]
        assert {line.sentence.split()[1] for line in lines[::2]} == {"–"}  # a vanilla model has no c
        assert all(float(line.sentence.split()[1]) > 0 for line in lines[1::2])


def test_a_data_breakpoint_set_while_paused_starts_from_there(tmp_path: Path) -> None:
    one = Breakpoint("data", "k", crosses=5.0, direction="up", model="LSTM")
    two = Breakpoint("data", "norm(h[T])", factor=1.0000001, model="LSTM")
    with live(tmp_path / "b.rnnviz", ENDLESS) as window:
        window.send(Step(4))
        until(lambda: window.state() == ("paused", 4))
        window.mark(one, two)
        window.send(Train())
        until(lambda: window.state() == ("paused", 5))
        assert hits_of(window.run) == [(5, "LSTM")] * 2
        assert window.run.status.sentence.endswith("And 1 more.")
        assert "(4 → 5)" in window.run.status.sentence


@pytest.mark.parametrize(
    ("marks", "words"),
    [
        (
            '{"breakpoints": [{"kind": "condition", "expression": "los < 1"}]}',
            r"breakpoints\[0\], column 1: There is no los",
        ),
        (
            '{"breakpoints": [{"kind": "condition", "expression": "loss < 1", "model": "X"}]}',
            r'model is "X"',
        ),
        ("nonsense", "not a JSON table"),
    ],
)
def test_a_wrong_breakpoint_is_told_in_the_log_and_the_others_stay(tmp_path: Path, marks: str, words: str) -> None:
    with live(tmp_path / "b.rnnviz", ENDLESS) as window:
        window.mark(Breakpoint("condition", "k == 3", model="LSTM"))
        window.send(Step(1))
        until(lambda: window.state() == ("paused", 1))
        row = (7, marks, row_crc32(7, marks))
        window.sender._connection.execute("UPDATE marks SET revision = ?, marks = ?, crc32 = ?", row)
        window.send(Train())
        until(lambda: window.state() == ("paused", 3))
        told = [event.sentence for event in window.run.events() if event.kind == "breakpoint"]
        assert len(told) == 1
        assert re.search(words, told[0])


def test_marks_go_with_a_branch_and_a_restart(tmp_path: Path) -> None:
    one, bookmark = Breakpoint("condition", "k == 3", model="LSTM"), Bookmark(1, note="é")
    with live(tmp_path / "a.rnnviz", ENDLESS) as window:
        window.mark(one, bookmarks=(bookmark,))
        assert window.send(BranchOff(str(tmp_path / "b.rnnviz"))) == ""
        until(lambda: opens(tmp_path / "b.rnnviz"))
        branch = Window(tmp_path / "b.rnnviz")
        assert branch.run.marks() == Marks((one,), bookmarks=(bookmark,))
        branch.send(Train())
        until(lambda: branch.state() == ("paused", 3))
        again = replace(ENDLESS, marks=Marks((replace(one, expression="k == 2"),)))
        assert branch.send(Restart(experiment_toml(again), str(tmp_path / "c.rnnviz"))) == ""
        until(lambda: opens(tmp_path / "c.rnnviz"))
        restarted = Window(tmp_path / "c.rnnviz")
        assert restarted.run.marks() == again.marks
        restarted.send(Train())
        until(lambda: restarted.state() == ("paused", 2))
        restarted.send(Quit())
        until(lambda: restarted.state()[0] == "stopped")
        branch.close()
        restarted.close()


def test_nan_stops_before_it_is_learnt_unless_told_otherwise(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz", BREAKING) as window:
        window.send(Train())
        until(lambda: window.state()[0] == "paused" and window.state()[1] > 0)
        step = window.state()[1]
        assert [event.kind for event in window.run.events()][-2:] == ["not finite", "paused"]
        window.mark(LEARNT_ALL_THE_SAME, Breakpoint("condition", "isnan(loss)"))
        window.send(Train())
        until(lambda: window.state()[0] == "paused" and window.state()[1] > step)
        hit = window.run.events()[-1]
        assert hit.kind == "hit"
        assert math.isnan(window.run.metrics("loss", hit.details["model"])[-1])
        assert not np.isfinite(window.run.trace(hit.training_step, hit.details["model"]).layers[0].hidden_grad).all()


def test_a_bookmarked_capture_is_kept(tmp_path: Path) -> None:
    with live(tmp_path / "b.rnnviz", ENDLESS) as window:

        def captures(kept: int) -> set[int]:
            rows = window.run._queries.rows("captures", "SELECT training_step FROM captures WHERE keep = ?", kept)
            return {step for (step,) in rows}

        window.send(Train())
        until(lambda: captures(kept=0) or None)  # made in passing
        passed = min(captures(kept=0))
        window.mark(bookmarks=(Bookmark(passed, note="this one"),))
        until(lambda: passed in captures(kept=1))
        assert passed not in captures(kept=0)  # of any model


def test_logpoints_write_lines_and_the_others_hits(tmp_path: Path) -> None:
    short = replace(LEARNING, training=replace(LEARNING.training, training_steps=11))
    plain, line = Breakpoint("condition", "k % 4 == 0"), Breakpoint("condition", "k % 5 == 0", message="at {k}")
    run_training(replace(short, marks=Marks((plain, line))), tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        assert hits_of(run) == [(step, model) for step in (4, 8) for model in ("Vanilla", "LSTM")]
        lines = [event for event in run.events() if event.kind == "log"]
        assert [(one.training_step, one.details["model"]) for one in lines] == [
            (step, model) for step in (5, 10) for model in ("Vanilla", "LSTM")
        ]
        assert {one.sentence for one in lines} == {"at 5", "at 10"}
        assert {4, 5, 8} <= set(run.captured())
