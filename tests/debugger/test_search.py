"""Searching the past: ranges, directions, progress, cancelling, and captures that disappear meanwhile."""

from pathlib import Path

import numpy as np
import pytest
from sample_runs import record, writer

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import ExpressionError
from rnnviz.core.stopping.marks import NOT_FINITE, Breakpoint
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.debugger import search as searching
from rnnviz.debugger.search import Progress, acting, search
from rnnviz.runs.reading.reader import Run, open_run

LAST = 30
TRACED = Breakpoint("condition", "norm(h[T]) > 0", model="LSTM")
METRIC = Breakpoint("condition", "loss < 0.1", model="Vanilla")  # 1 / (k + 1): from training step 10 on


@pytest.fixture
def run(tmp_path: Path):
    with writer(tmp_path / "a.rnnviz") as made:
        for step in range(LAST + 1):
            record(made, step, captured=step % 5 == 0)
    with open_run(tmp_path / "a.rnnviz") as opened:
        yield opened


def steps(run: Run, *breakpoints: Breakpoint, **options) -> list[int]:
    return [hit.training_step for progress in search(run, breakpoints, **options) for hit in progress.hits]


def test_metrics_are_asked_of_every_training_step_and_traces_where_there_is_one(run: Run) -> None:
    assert steps(run, METRIC) == list(range(10, LAST + 1))
    assert steps(run, TRACED) == list(range(5, LAST + 1, 5))
    both = steps(run, TRACED, METRIC)
    assert both == sorted([*steps(run, METRIC), *steps(run, TRACED)])
    assert steps(run, METRIC, TRACED, backwards=True) == both[::-1]


def test_ranges(run: Run) -> None:
    assert steps(run, TRACED, METRIC, first=9, last=12) == [10, 10, 11, 12]
    assert steps(run, TRACED, first=6, last=9) == []
    assert steps(run, METRIC, first=LAST + 1) == []
    crossing = Breakpoint("data", "loss", crosses=0.1, model="Vanilla")
    assert steps(run, crossing) == [10]
    assert steps(run, crossing, first=10) == [10]  # what it starts from is training step 9
    assert steps(run, crossing, first=11) == []
    assert steps(run, crossing, backwards=True) == [10]
    assert steps(run, Breakpoint("condition", "k > 20", every=4, model="LSTM"), first=23) == [26, 30]


def test_models_are_told_apart_by_number_and_by_name(run: Run) -> None:
    for about_traces in ("", " and norm(h[T]) > 0"):
        for number, name in enumerate(("Vanilla", "LSTM"), 1):
            asked = Breakpoint("condition", f"model == {number} and k > 24{about_traces}")
            hits = [hit for progress in search(run, [asked]) for hit in progress.hits]
            assert {hit.model for hit in hits} == {name}


def test_disabled_ones_are_not_asked_and_wrong_ones_are_refused(run: Run) -> None:
    assert steps(run, Breakpoint("condition", "k > 0", enabled=False)) == []
    with pytest.raises(ExpressionError, match="no los here"):
        steps(run, Breakpoint("condition", "los < 1"))
    assert acting(run) == (NOT_FINITE,)


def test_it_tells_how_far_it_is_and_can_be_cancelled(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searching, "TELL_SECONDS", -1.0)
    told = list(search(run, [TRACED]))
    assert [progress.done for progress in told[:-1]] == list(range(1, 8))[: len(told) - 1]
    assert told[-1].done == told[-1].total
    assert all(isinstance(progress, Progress) for progress in told)
    asked: list[int] = []
    trace = Run.trace
    monkeypatch.setattr(Run, "trace", lambda self, step, model: asked.append(step) or trace(self, step, model))
    looking = search(run, [TRACED], backwards=True)
    assert [hit.training_step for hit in next(looking).hits] == [LAST]
    looking.close()
    assert asked == [LAST]


def test_a_capture_that_was_thinned_meanwhile_counts_as_never_captured(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    captured = Run.captured

    def before(self: Run, after: int = -1, kind: CaptureKind = "probe") -> Array:
        found = captured(self, after, kind)
        return np.sort(np.append(found, 7)) if after == -1 else found  # at the start there was one more

    monkeypatch.setattr(Run, "captured", before)
    assert steps(run, TRACED) == list(range(5, LAST + 1, 5))
    logs = Breakpoint("condition", "k == 7", message="h is {norm(h[T])}", model="LSTM")
    assert steps(run, TRACED, logs) == sorted([7, *range(5, LAST + 1, 5)])


def test_a_run_of_one_untrained_capture_is_looked_at_itself(tmp_path: Path) -> None:
    with writer(tmp_path / "b.rnnviz") as made:
        record(made, 0)
    with open_run(tmp_path / "b.rnnviz") as opened:
        assert steps(opened, TRACED) == [0]
