"""The engine's loop: commands, captures, status, determinism and ends of every kind."""

import math
import re
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from live_engine import SMALL, WAIT, Window, live, losses, opens, until

from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.capture import Capture
from rnnviz.engine.training.lifetime import Lifetime
from rnnviz.engine.training.recording import Recording
from rnnviz.engine.training.serve import LIVE_CAPTURES, LIVE_SHARE, run_training
from rnnviz.engine.training.trainer import NotFiniteError, Training
from rnnviz.runs.file.engine_commands import Leave, Pause, Quit, Restart, Set, Step, TakeCapture, Train
from rnnviz.runs.file.process import own_process, process_start
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.writer import RunWriter


def test_headless_training_ends_with_a_whole_run(tmp_path: Path) -> None:
    said: list[int] = []
    path = tmp_path / "a.rnnviz"
    assert run_training(SMALL, path, progress=lambda step, metrics: said.append(step)) == 0
    with open_run(path) as run:
        assert run.status.state == "finished"
        assert list(run.training_steps) == list(range(1, 41))
        assert {0, 40} <= set(run.captured())
        assert set(run.metric_names()) == {"loss", "accuracy", "grad_norm"}
        assert losses(run).shape == (2, 40)
        for step in (0, 40):
            for number in (0, 1):
                assert run.trace(step, number).faithful
        assert [event.kind for event in run.events()] == ["started", "finished"]
    assert said == sorted(said)
    assert said[0] == 0
    assert list(tmp_path.iterdir()) == [path]


def test_two_starts_give_the_same_bits_however_they_are_driven(tmp_path: Path) -> None:
    run_training(SMALL, tmp_path / "a.rnnviz")
    with live(tmp_path / "b.rnnviz") as window:
        window.send(Step(3))
        until(lambda: window.state() == ("paused", 3))
        window.send(TakeCapture())
        window.send(Step(1))
        until(lambda: window.state() == ("paused", 4))
        window.send(Train(20))
        until(lambda: window.state() == ("paused", 20))
        window.send(Train())
        until(lambda: window.state() == ("paused", 40))
        with open_run(tmp_path / "a.rnnviz") as straight:
            assert np.array_equal(losses(straight), losses(window.run))
            theirs, ours = straight.capture(40, 1).weights, window.run.capture(40, 1).weights
            assert all(np.array_equal(theirs[name], ours[name]) for name in theirs)
        assert {3, 4, 20, 40} <= set(window.run.captured())


def test_another_seed_gives_other_numbers(tmp_path: Path) -> None:
    run_training(SMALL, tmp_path / "a.rnnviz")
    run_training(replace(SMALL, seed=2), tmp_path / "b.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as a, open_run(tmp_path / "b.rnnviz") as b:
        assert not np.array_equal(losses(a), losses(b))


def test_live_training_pauses_at_its_end_and_goes_on_when_asked(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz", paused=False) as window:
        until(lambda: window.state() == ("paused", 40))
        assert window.run.status.sentence == "Reached training step 40."
        window.send(Train())
        until(lambda: window.state() == ("paused", 80))
        assert {40, 80} <= set(window.run.captured())  # there before the pause is said


def test_pause_shows_exactly_the_training_step_it_stopped_at(tmp_path: Path) -> None:
    endless = replace(SMALL, training=replace(SMALL.training, training_steps=10**6))
    with live(tmp_path / "a.rnnviz", endless, paused=False) as window:
        until(lambda: window.state()[1] > 10)
        window.send(Pause())
        until(lambda: window.state()[0] == "paused")
        step = window.state()[1]
        assert step in window.run.captured()  # there before the pause is said
        assert window.run.last_training_step == step
        heartbeat = window.run.status.heartbeat
        until(lambda: window.run.status.heartbeat > heartbeat)
        assert window.state() == ("paused", step)


def test_rate_and_clip_norm_are_changed_live_and_logged(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz") as window:
        assert window.send(Set(0.5, 0.0, 5)) == ""
        window.send(Train())
        until(lambda: window.state() == ("paused", 5))
        (setting,) = [event for event in window.run.events() if event.kind == "setting"]
        for words in ("training step 1", "learning rate 0.01 → 0.5", "clip norm 1 → 0", "training steps 40 → 5"):
            assert words in setting.sentence
        assert setting.details["clip_norm"] == [1.0, 0.0]
        window.send(Train())
        until(lambda: window.state() == ("paused", 10))  # as many again as were set, not as the experiment said
        window.send(Set(training_steps=10**6))
        window.send(Train())
        until(lambda: window.state()[1] > 12)
        window.send(Set(training_steps=3))  # it is past that already
        until(lambda: window.state()[0] == "paused")
        assert window.run.status.sentence == f"Reached training step {window.state()[1]:,}."


@pytest.mark.parametrize(
    ("name", "arguments", "words"),
    [
        ("set", {"learning_rate": 0}, "learning_rate: wanted a number above 0, got 0"),
        ("set", {"learning_rate": "fast"}, "learning_rate must be a number, not .fast."),
        ("set", {"clip_norm": -1}, "clip_norm.*-1"),
        ("step", {"count": 0}, "count: wanted a whole number from 1 on, got 0"),
        ("train", {"until": 0}, "until.*got 0"),
        ("restart", {"path": "x"}, "restart.experiment is missing"),
        ("restart", {"experiment": "nonsense = 1", "path": "x"}, "wanted an rnnviz experiment"),
    ],
)
def test_a_senseless_command_is_answered_and_changes_nothing(
    tmp_path: Path, name: str, arguments: dict[str, object], words: str
) -> None:
    with live(tmp_path / "a.rnnviz") as window:
        answer = window.send_row(name, **arguments)
        assert re.search(words, str(answer)), answer
        assert window.state() == ("paused", 0)


def test_restart_begins_a_new_run_in_the_same_process(tmp_path: Path) -> None:
    other = replace(SMALL, name="other", seed=7)
    with live(tmp_path / "a.rnnviz") as window:
        window.send(Step(2))
        until(lambda: window.state() == ("paused", 2))
        assert window.send(Restart(experiment_toml(other), str(tmp_path / "b.rnnviz"))) == ""
        until(lambda: window.state() == ("stopped", 2))
        until(lambda: opens(tmp_path / "b.rnnviz"))
        second = Window(tmp_path / "b.rnnviz")
        assert second.state() == ("paused", 0)
        assert second.run.experiment == other
        second.send(Train())
        until(lambda: second.state() == ("paused", 40))
        second.send(Quit())
        until(lambda: second.state()[0] == "stopped")
        second.close()
    run_training(other, tmp_path / "c.rnnviz")
    with open_run(tmp_path / "b.rnnviz") as warm, open_run(tmp_path / "c.rnnviz") as fresh:
        assert np.array_equal(losses(warm), losses(fresh))


def test_a_restart_that_fails_leaves_the_old_run_as_it_is(tmp_path: Path) -> None:
    bad = replace(SMALL, task=replace(SMALL.task, second_mark=(4, 7)))
    with live(tmp_path / "a.rnnviz") as window:
        answer = window.send(Restart(experiment_toml(bad), str(tmp_path / "b.rnnviz")))
        assert "second_mark" in str(answer)
        assert not (tmp_path / "b.rnnviz").exists()
        window.send(Step(1))
        until(lambda: window.state() == ("paused", 1))


EXPLODING = replace(
    SMALL,
    models=(
        ModelSettings("LSTM", "lstm", hidden_size=3),
        ModelSettings("ReLU", "vanilla", 3, own=VanillaSettings("relu")),
    ),
    training=TrainingSettings("sgd", learning_rate=1e12, clip_norm=0.0, batch_size=4, training_steps=400),
)


def test_a_loss_that_is_not_finite_pauses_and_keeps_the_last_good_capture(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz", EXPLODING, paused=False) as window:
        until(lambda: window.state()[0] == "paused")
        step = window.state()[1]
        sentence = window.run.status.sentence
        assert f"Stopped at training step {step + 1}: " in sentence
        assert any(f"in {name}, " in sentence for name in ("LSTM", "ReLU"))
        assert [event.kind for event in window.run.events()][-2:] == ["not finite", "paused"]
        assert np.isfinite(losses(window.run)).all()
        assert losses(window.run).shape[1] == step
        good = [k for k in window.run.captured() if np.isfinite(window.run.capture(k, 1).output).all()]
        assert good


def test_the_newest_capture_without_nan_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rnnviz.engine.training.recording.is_round", lambda step, planned: False)
    recording = Recording(SMALL, tmp_path / "a.rnnviz", capture_rate=1e-9, capture_share=1.0)
    for step in range(1, 8):
        recording.advance()
        if step in (2, 5):
            recording.capture()
    with torch.no_grad():
        recording.training.models[1].recurrent.weight_hh_l0.fill_(math.nan)
    with pytest.raises(NotFiniteError):
        recording.advance()
    recording.writer.close()
    with open_run(tmp_path / "a.rnnviz") as run:
        sql = "SELECT training_step, model, keep FROM captures WHERE kind = 'probe' ORDER BY 1, 2"
        kept = run._queries.rows("captures", sql)
        assert kept == [(1, 0, 0), (1, 1, 0), (2, 0, 0), (2, 1, 0), (5, 0, 1), (5, 1, 1), (7, 0, 0), (7, 1, 0)]
        assert np.isfinite(run.capture(5, 1).output).all()
        assert np.isnan(run.capture(7, 1).output).any()
        assert np.isnan(run.capture(7, 1, "batch").output).any()  # of which the gradient was no number


def test_headless_a_loss_that_is_not_finite_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RnnvizError, match=r"Stopped at training step .* became (NaN|infinite)"):
        run_training(EXPLODING, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        assert run.status.state == "failed"
        assert "became" in run.status.sentence


@pytest.mark.parametrize("error", [RuntimeError("can't allocate memory: 1 TB"), MemoryError()])
def test_what_torch_cannot_do_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def fail(self: Training) -> None:
        raise error

    monkeypatch.setattr(Training, "advance", fail)
    with pytest.raises(RnnvizError, match=r"Training step 1 failed: .*memory"):
        run_training(SMALL, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        assert run.status.state == "failed"
        assert list(run.captured()) == [0]


def test_training_waits_while_the_file_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    reason = [""]
    monkeypatch.setattr(RunWriter, "failure", property(lambda self: reason[0]))
    endless = replace(SMALL, training=replace(SMALL.training, training_steps=10**6))
    with live(tmp_path / "a.rnnviz", endless, paused=False) as window:
        until(lambda: window.state()[1] > 5)
        reason[0] = "The disk is full."
        until(lambda: window.state()[0] == "paused")
        assert window.run.status.sentence == "The disk is full."
        step = window.state()[1]
        time.sleep(0.2)
        assert window.state()[1] == step
        reason[0] = ""
        until(lambda: window.state()[0] == "running" and window.state()[1] > step)
    assert capsys.readouterr().err.count("The disk is full.") == 1


@pytest.mark.parametrize("seconds", [0.0, 0.2])
def test_captures_come_often_but_slow_ones_do_not_eat_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    begun: list[float] = []  # when each capture of all models began, and
    ended: list[float] = []  # when it was done

    def slow_capture(self: Training, number: int) -> Capture:
        if number == 0:
            begun.append(time.monotonic())
        time.sleep(seconds / len(self.models))
        made = capture(self, number)
        if number == len(self.models) - 1:
            ended.append(time.monotonic())
        return made

    capture = Training.capture
    monkeypatch.setattr(Training, "capture", slow_capture)
    monkeypatch.setattr("rnnviz.engine.training.recording.is_round", lambda *_: False)  # these come out of turn
    endless = replace(SMALL, training=replace(SMALL.training, training_steps=10**6))
    with live(tmp_path / "a.rnnviz", endless, paused=False) as window:
        until(lambda: len(begun) > 3)
        times = [*zip(begun[:3], ended[:3], begun[1:4], strict=True)]
        until(lambda: len(window.run.captured()) > 3)
    for first, done, following in times:
        assert following - first >= 1 / LIVE_CAPTURES
        assert following - first >= (done - first) / LIVE_SHARE


def start(path: Path, *arguments: str, stdin: int | None = subprocess.PIPE) -> subprocess.Popen[str]:
    experiment = path.with_suffix(".toml")
    write_experiment(replace(SMALL, training=replace(SMALL.training, training_steps=10**6)), experiment)
    command = [sys.executable, "-m", "rnnviz", "train", str(experiment), "--run", str(path), *arguments]
    process = subprocess.Popen(command, stdin=stdin, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    until(lambda: process.poll() is not None or (path.exists() and opens(path)))
    return process


def ended_whole(process: subprocess.Popen[str], path: Path) -> None:
    assert process.wait(WAIT) == 0, process.stderr.read()
    assert process.stderr is not None
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
    with open_run(path) as run:
        assert run.status.state == "stopped"
        assert run.last_training_step == run.status.training_step
        assert run.status.training_step in run.captured()
        assert not run.engine_alive
    assert {file.suffix for file in path.parent.iterdir()} == {".toml", ".rnnviz"}


@pytest.mark.usefixtures("warm")
def test_a_closed_standard_input_ends_a_live_engine(tmp_path: Path) -> None:
    process = start(tmp_path / "a.rnnviz", "--live")
    process.stdin.close()
    ended_whole(process, tmp_path / "a.rnnviz")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_a_headless_training_with_a_whole_run(
    request: pytest.FixtureRequest, tmp_path: Path, number: signal.Signals
) -> None:
    if number is not signal.SIGTERM:
        request.getfixturevalue("warm")
    process = start(tmp_path / "a.rnnviz", stdin=subprocess.DEVNULL)
    process.send_signal(number)
    ended_whole(process, tmp_path / "a.rnnviz")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell what a process has loaded")
@pytest.mark.parametrize("how", ["SIGTERM", "SIGHUP", "closed"])
def test_an_engine_that_is_still_loading_torch_ends_at_once_and_leaves_nothing(tmp_path: Path, how: str) -> None:
    write_experiment(SMALL, tmp_path / "a.toml")
    live = ["--live", "--remove"] if how == "closed" else []
    command = [sys.executable, "-m", "rnnviz", "train", str(tmp_path / "a.toml"), "--run", str(tmp_path / "a.rnnviz")]
    with subprocess.Popen([*command, *live], stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: "torch" in Path(f"/proc/{process.pid}/maps").read_text())
        if how == "closed":
            process.stdin.close()
        else:
            process.send_signal(signal.Signals[how])
        assert process.wait(WAIT) == 0
        assert process.stderr.read() == b""
    assert [path.name for path in tmp_path.iterdir()] == ([] if live else ["a.toml"])


def test_torch_makes_an_optimiser_before_signals_wait_for_the_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the first one it loads half of itself, for seconds in which a signal must still end the process at once."""
    order: list[str] = []
    make, enter = torch.optim.Optimizer.__init__, Lifetime.__enter__
    monkeypatch.setattr(torch.optim.Optimizer, "__init__", lambda *given: [order.append("made"), make(*given)][1])
    monkeypatch.setattr(Lifetime, "__enter__", lambda self: [order.append("signals wait"), enter(self)][1])
    run_training(SMALL, tmp_path / "a.rnnviz")
    assert order[:2] == ["made", "signals wait"]


@pytest.mark.parametrize("leaves", ["by word", "killed"])
def test_a_headless_training_goes_on_when_the_window_that_paused_it_is_gone(tmp_path: Path, leaves: str) -> None:
    endless = replace(SMALL, training=replace(SMALL.training, training_steps=10**6))
    path, told = tmp_path / "a.rnnviz", []
    thread = threading.Thread(target=run_training, args=(endless, path), kwargs={"tell": told.append})
    thread.start()
    until(lambda: path.exists() and opens(path))
    window = Window(path)
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as person:
        who = (person.pid, process_start(person.pid), own_process().host)
        window.send(Pause(*who))
        until(lambda: window.state()[0] == "paused")
        assert told[0].startswith(f"Paused by a window at training step {window.state()[1]:,}; ")
        stopped = window.state()[1]
        window.send(Step(3))
        until(lambda: window.state() == ("paused", stopped + 3))
        assert window.send(Leave(person.pid + 1, *who[1:])) == ""  # another window, which has paused nothing
        assert window.state()[0] == "paused"
        if leaves == "by word":
            window.send(Leave(*who))
        else:
            person.kill()
            person.wait()
        until(lambda: window.state()[0] == "running")
        person.kill()
    assert told[-1].startswith("The window that paused the training has closed: it continues from training step ")
    until(lambda: window.run.events()[-1].sentence == told[-1])
    window.send(Quit())
    thread.join(WAIT)
    window.close()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems tell only through standard input")
def test_a_dead_parent_ends_a_live_engine(tmp_path: Path) -> None:
    path, experiment = tmp_path / "a.rnnviz", tmp_path / "a.toml"
    write_experiment(replace(SMALL, training=replace(SMALL.training, training_steps=10**6)), experiment)
    script = (
        "import subprocess, sys, time\n"
        f"child = subprocess.Popen([sys.executable, '-m', 'rnnviz', 'train', {str(experiment)!r}, "
        f"'--run', {str(path)!r}, '--live'], stdin=subprocess.DEVNULL)\n"
        "print(child.pid, flush=True)\n"
        "time.sleep(60)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    child = int(parent.stdout.readline())
    until(lambda: path.exists() and opens(path))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    with open_run(path) as run:
        until(lambda: not run.engine_alive)
        assert run.status.state == "stopped"
    until(lambda: process_start(child) == 0)  # gone, or waiting for somebody to take note of it


def test_single_training_steps_asked_for_in_a_hurry_all_count(tmp_path):
    path = tmp_path / "a.rnnviz"
    with live(path) as window:
        for _ in range(3):
            window.sender.send(Step(2))
        assert until(lambda: window.state() == ("paused", 6) or None)


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
def test_what_the_optimisers_have_gathered_is_recorded_with_a_kept_capture(tmp_path: Path, optimiser: str) -> None:
    training = TrainingSettings(optimiser, learning_rate=0.02, batch_size=4, training_steps=6)  # type: ignore[arg-type]
    run_training(replace(SMALL, training=training), tmp_path / "a.rnnviz")
    gathered = {"adam": {"step", "exp_avg", "exp_avg_sq"}, "sgd": set(), "rmsprop": {"step", "square_avg"}}
    with open_run(tmp_path / "a.rnnviz") as run:
        assert run.optimiser(3) is None
        for model in run.models:
            snapshot = run.optimiser(6, model.number)
            assert snapshot is not None
            assert snapshot.name == optimiser
            assert snapshot.settings["lr"] == 0.02
            weights = {f"recurrent.{name}": array for name, array in run.capture(6, model.number).weights.items()}
            names = [*weights, "head.weight", "head.bias"]
            assert set(snapshot.state) == {f"{key}.{name}" for key in gathered[optimiser] for name in names}
            for name, weight in weights.items():
                for key in gathered[optimiser] - {"step"}:
                    assert snapshot.state[f"{key}.{name}"].shape == weight.shape
                    assert np.abs(snapshot.state[f"{key}.{name}"]).max() > 0
                if gathered[optimiser]:
                    assert snapshot.state[f"step.{name}"] == 6
