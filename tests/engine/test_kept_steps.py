"""Which training steps can be asked for afterwards: round numbers, those of lessons, and hits while there is room."""

import time
from dataclasses import replace
from pathlib import Path

import pytest
from live_engine import SMALL

from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.stopping.marks import Breakpoint, Marks
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.tasks import Adding
from rnnviz.engine.training.kept_steps import is_round, spacing
from rnnviz.engine.training.serve import run_training
from rnnviz.engine.training.trainer import Training
from rnnviz.gui.lessons.lesson_file import read_lessons
from rnnviz.runs.reading.reader import open_run

SELDOM = 1e-6  # captures a second: only those that are due for another reason


def trained(path: Path, training_steps: int, *breakpoints: Breakpoint, seed: int = 11) -> list[int]:
    """The captured training steps of a training that captures nothing by the clock but its first training step."""
    training = replace(SMALL.training, training_steps=training_steps)
    experiment: Experiment = replace(
        SMALL, training=training, marks=Marks(breakpoints), seed=seed, task=Adding(length=4)
    )
    run_training(experiment, path, capture_rate=SELDOM)
    with open_run(path) as run:
        return [int(step) for step in run.captured()]


def test_round_numbers_and_the_end_are_captured(tmp_path: Path) -> None:
    captured = trained(tmp_path / "a.rnnviz", 163)
    wanted = {*range(10), *range(10, 100, 5), *range(100, 164, 5), 163}
    assert set(captured) == wanted


def test_round_numbers_do_not_eat_the_training_where_captures_are_slow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    capture = Training.capture

    def slow_capture(self: Training, number: int) -> Capture:
        began = time.thread_time()
        while time.thread_time() < began + 0.2:
            pass
        return capture(self, number)

    monkeypatch.setattr(Training, "capture", slow_capture)
    captured = trained(tmp_path / "a.rnnviz", 90)
    assert captured[:3] == [0, 1, 2]
    assert len(captured) < 10


@pytest.mark.parametrize("planned", [7, 300, 2000, 10**6])
def test_a_person_may_ask_for_round_numbers_of_any_training(planned: int) -> None:
    assert all(is_round(step, planned) for step in (1, 9, 10, 45, 50, 500, 1000, 1500, 9000, planned))
    assert not any(is_round(step, 2000) for step in (463, 501, 1420))
    assert 15 < planned / spacing(planned) <= 40 or spacing(planned) == 1
    assert sum(is_round(step, planned) for step in range(1, min(planned, 20_000) + 1)) <= 120


def test_the_training_steps_lessons_speak_of_are_captured() -> None:
    shown = [show.training_step for lesson in read_lessons() for card in lesson.cards for show in card.show]
    steps = [step for step in shown if step]
    assert steps
    assert all(is_round(step, 1500) for step in steps)


def test_hits_are_kept_up_to_a_number_and_then_only_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.engine.training.recording.MOST_HITS", 3)
    twice = Breakpoint("condition", "k > 100 and loss > -1")  # in both models: one capture, two hits
    path = tmp_path / "a.rnnviz"
    captured = trained(path, 163, twice)
    assert {101, 102, 103} <= set(captured)
    assert not {104, 106, 107, 162} & set(captured)
    with open_run(path) as run:
        events = run.events()
        assert sum(event.kind == "hit" for event in events) == 2 * 63  # all of them are told
        (told,) = (event for event in events if event.kind == "hits")
        assert (told.training_step, told.sentence) == (
            103,
            "3 training steps with hits have been kept; further hits are only counted.",
        )
        assert run.optimiser(102, 1) is not None


def test_hits_are_kept_within_a_part_of_the_budget(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.engine.training.recording.SHARE_OF_BUDGET", 1e5 / (256 << 20))
    captured = trained(tmp_path / "a.rnnviz", 163, Breakpoint("condition", "k > 20 and loss > -1", model="LSTM"))
    hits = [step for step in captured if step > 20]
    assert hits[0] == 21
    assert 1 < len(hits) < 30
