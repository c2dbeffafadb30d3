"""Branches: a new run that trains on from a training step, with the same or other weights."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from live_engine import SMALL, Window, live, losses, opens, until
from safetensors.numpy import save_file

from rnnviz.command_line import main
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OptimiserName
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.file.engine_commands import BranchOff, Quit, Set, Step, TakeCapture, Train
from rnnviz.runs.file.records import Origin
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.commands import save_marks


def test_a_branch_from_here_is_the_training_going_on(tmp_path: Path) -> None:
    run_training(SMALL, tmp_path / "a.rnnviz")
    with live(tmp_path / "b.rnnviz") as window:
        window.send(Step(15))
        until(lambda: window.state() == ("paused", 15))
        assert window.send(BranchOff(str(tmp_path / "c.rnnviz"))) == ""
        until(lambda: opens(tmp_path / "c.rnnviz"))
        second = Window(tmp_path / "c.rnnviz")
        assert second.state() == ("paused", 15)
        assert window.state() == ("stopped", 15)
        assert second.run.origin == Origin(str(tmp_path / "b.rnnviz"), 15)
        assert window.run.origin is None
        second.send(Train())
        until(lambda: second.state() == ("paused", 40))
        with open_run(tmp_path / "a.rnnviz") as straight:
            assert list(second.run.training_steps) == list(range(16, 41))
            assert np.array_equal(losses(straight)[:, 15:], losses(second.run))
        second.send(Quit())
        second.close()


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
def test_a_branch_of_a_closed_run_goes_on_exactly(tmp_path: Path, optimiser: str) -> None:
    training = TrainingSettings(optimiser, 0.03, clip_norm=0.4, batch_size=5, training_steps=12)  # type: ignore[arg-type]
    short = replace(SMALL, training=training, seed=6)
    run_training(short, tmp_path / "a.rnnviz")
    run_training(replace(short, training=replace(training, training_steps=24)), tmp_path / "b.rnnviz")
    before = (tmp_path / "a.rnnviz").read_bytes()
    assert main(["branch", str(tmp_path / "a.rnnviz"), "--run", str(tmp_path / "c.rnnviz")]) == 0
    assert (tmp_path / "a.rnnviz").read_bytes() == before
    with open_run(tmp_path / "b.rnnviz") as straight, open_run(tmp_path / "c.rnnviz") as branch:
        assert list(branch.training_steps) == list(range(13, 25))
        assert np.array_equal(losses(straight)[:, 12:], losses(branch))
        assert branch.origin == Origin(str(tmp_path / "a.rnnviz"), 12)
        assert "with the optimisers as they were" in branch.events()[0].sentence
        snapshots = [run.optimiser(24, 1) for run in (straight, branch)]
        assert all(np.array_equal(value, snapshots[1].state[name]) for name, value in snapshots[0].state.items())


def test_a_branch_of_a_file_has_the_rate_and_clip_norm_that_held_there(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz") as window:
        window.send(Step(4))
        until(lambda: window.state() == ("paused", 4))
        window.send(TakeCapture())
        window.send(Set(learning_rate=0.07, clip_norm=0.2))
        window.send(Step(5))
        until(lambda: window.state() == ("paused", 9))
        window.send(TakeCapture())
        window.send(Step(6))
        until(lambda: window.state() == ("paused", 15))
    for step, rate, norm in ((9, 0.07, 0.2), (4, 0.07, 0.2), (0, 0.01, 1.0)):
        path = tmp_path / f"{step}.rnnviz"
        arguments = ["branch", str(tmp_path / "a.rnnviz"), "--training-step", str(step), "--run", str(path)]
        assert main(arguments) == 0
        with open_run(tmp_path / "a.rnnviz") as parent, open_run(path) as branch:
            training = branch.experiment.training
            assert (training.learning_rate, training.clip_norm) == (rate, norm)
            same = np.array_equal(losses(parent)[:, step:15], losses(branch)[:, : 15 - step])
            assert same == (step > 0)


def test_a_branch_from_where_no_optimiser_is_recorded_says_so(tmp_path: Path) -> None:
    with live(tmp_path / "a.rnnviz") as window:
        window.send(Step(7))  # pauses there with a capture, and without what the optimisers have gathered
        until(lambda: window.state() == ("paused", 7))
        window.send(Step(2))
        until(lambda: window.state() == ("paused", 9))
    path = tmp_path / "b.rnnviz"
    assert main(["branch", str(tmp_path / "a.rnnviz"), "--training-step", "7", "--run", str(path)]) == 0
    with open_run(path) as run:
        assert run.origin == Origin(str(tmp_path / "a.rnnviz"), 7, anew=True)
        assert "not recorded there" in run.events()[0].sentence


@pytest.mark.parametrize("optimiser", ["adam", "rmsprop"])
def test_a_branch_keeps_the_rate_the_clip_and_what_was_gathered(tmp_path: Path, optimiser: OptimiserName) -> None:
    experiment = replace(SMALL, training=replace(SMALL.training, optimiser=optimiser, learning_rate=0.004), seed=7)
    found = []
    for name in ("a", "b"):
        with live(tmp_path / f"{name}.rnnviz", experiment) as window:
            window.send(Step(5))
            until(lambda window=window: window.state() == ("paused", 5))
            window.send(Set(learning_rate=0.03, clip_norm=0.06))
            if name == "a":
                window.send(Step(4))
                until(lambda window=window: window.state() == ("paused", 9))
                found.append(losses(window.run)[:, 5:])
                continue
            window.send(BranchOff(str(tmp_path / "c.rnnviz")))
            until(lambda: opens(tmp_path / "c.rnnviz"))
            branch = Window(tmp_path / "c.rnnviz")
            branch.send(Step(4))
            until(lambda branch=branch: branch.state() == ("paused", 9))
            assert branch.run.experiment.training.learning_rate == 0.03
            assert branch.run.experiment.training.clip_norm == 0.06
            found.append(losses(branch.run))
            branch.send(Quit())
            branch.close()
    assert np.array_equal(*found)


def test_a_branch_has_the_settings_that_were_set_meanwhile_or_that_it_is_given(tmp_path: Path) -> None:
    with live(tmp_path / "b.rnnviz") as window:
        window.send(Set(learning_rate=0.004, clip_norm=0.7, training_steps=17))
        window.send(Step(3))
        until(lambda: window.state() == ("paused", 3))
        assert window.send(BranchOff(str(tmp_path / "c.rnnviz"))) == ""
        until(lambda: opens(tmp_path / "c.rnnviz"))
        second = Window(tmp_path / "c.rnnviz")
        training = second.run.experiment.training
        assert (training.learning_rate, training.clip_norm, training.training_steps) == (0.004, 0.7, 17)
        second.send(Train())
        until(lambda: second.state() == ("paused", 17))
        assert re.search("wanted|must be", str(second.send_row("branch", path="e.rnnviz", training_steps=-4)))
        second.send(BranchOff(str(tmp_path / "d.rnnviz"), learning_rate=0.02, training_steps=19))
        until(lambda: opens(tmp_path / "d.rnnviz"))
        third = Window(tmp_path / "d.rnnviz")
        third.send(Train())
        until(lambda: third.state() == ("paused", 19))
        assert third.run.experiment.training.clip_norm == 0.7
        third.send(TakeCapture())
        until(lambda: third.run.optimiser(19, 0) is not None)
        assert third.run.optimiser(19, 0).settings["lr"] == 0.02  # not the one its means were gathered with
        third.send(Quit())
        second.close()
        third.close()


def test_a_branch_from_the_past_with_changed_weights(tmp_path: Path) -> None:
    with live(tmp_path / "b.rnnviz") as window:
        window.send(TakeCapture())
        window.send(Step(5))
        until(lambda: window.state() == ("paused", 5))
        old = window.run.capture(0, 1)
        changed = {"weight_hh_l0": 2 * old.weights["weight_hh_l0"], "head.bias": old.head.bias + 1}
        save_file(changed, tmp_path / "w.safetensors")
        path, weights = str(tmp_path / "c.rnnviz"), str(tmp_path / "w.safetensors")
        assert window.send(BranchOff(path, 0, "LSTM", weights)) == ""
        until(lambda: opens(tmp_path / "c.rnnviz"))
        second = Window(tmp_path / "c.rnnviz")
        new = second.run.capture(0, 1)
        assert np.array_equal(new.weights["weight_hh_l0"], changed["weight_hh_l0"])
        assert np.array_equal(new.head.bias, changed["head.bias"])
        assert np.array_equal(new.weights["weight_ih_l0"], old.weights["weight_ih_l0"])
        same = second.run.capture(0, 0).weights
        assert all(np.array_equal(value, same[name]) for name, value in window.run.capture(0, 0).weights.items())
        assert second.run.origin == Origin(str(tmp_path / "b.rnnviz"), 0, "LSTM")
        assert "with changed weights of LSTM" in second.run.events()[0].sentence
        second.send(Quit())
        second.close()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "branch.path is missing"),
        ({"path": "c.rnnviz", "model": "LSTM"}, "both or none"),
        ({"path": "c.rnnviz", "training_step": 3}, "no capture .*nearest"),
        ({"path": "c.rnnviz", "model": "GRU", "weights": "w.safetensors"}, "no model GRU"),
        ({"path": "c.rnnviz", "model": "LSTM", "weights": "none.safetensors"}, "not a weights file"),
        ({"path": "c.rnnviz", "model": "LSTM", "weights": "text"}, "not a safetensors file"),
        ({"path": "c.rnnviz", "model": "LSTM", "weights": "name"}, "no weight bogus"),
        ({"path": "c.rnnviz", "model": "LSTM", "weights": "shape"}, r"wanted numbers \(4,\), got"),
        ({"path": "c.rnnviz", "model": "LSTM", "weights": "nan"}, "finite numbers"),
    ],
)
def test_a_senseless_branch_is_answered_and_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: dict[str, object], words: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "text").write_text("no tensors at all")
    save_file({"bogus": np.zeros(3, np.float32)}, "name")
    save_file({"head.bias": np.zeros(3, np.float32)}, "shape")
    save_file({"head.bias": np.full(4, np.nan, np.float32)}, "nan")
    save_file({"head.bias": np.zeros(4, np.float32)}, "w.safetensors")
    with live(tmp_path / "b.rnnviz") as window:
        assert re.search(words, str(window.send_row("branch", **arguments)))
        assert window.state() == ("paused", 0)
        assert not (tmp_path / "c.rnnviz").exists()


def test_from_the_command_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    parent, path = str(tmp_path / "a.rnnviz"), str(tmp_path / "b.rnnviz")
    run_training(SMALL, parent)
    save_marks(parent, Marks((Breakpoint("condition", "k == 41", model="LSTM"),), bookmarks=(Bookmark(40),)))
    assert main(["branch", parent, "--training-step", "0", "--run", path]) == 0
    with open_run(parent) as old, open_run(path) as new:
        assert new.marks() == old.marks()
        assert new.origin == Origin(parent, 0)
        assert np.array_equal(losses(old), losses(new))  # nothing was gathered yet at training step 0
    assert main(["branch", parent, "--run", path]) == 2
    assert main(["branch", parent, "--run", path, "--replace", "--model", "LSTM"]) == 2
    assert main(["branch", parent, "--training-step", "7777", "--run", str(tmp_path / "c")]) == 2
    said = capsys.readouterr().err
    assert "exists already" in said
    assert "must be given together" in said
    assert "has no capture" in said
    before = Path(parent).read_bytes()
    (tmp_path / "link.rnnviz").symlink_to(parent)
    for new in (parent, str(tmp_path / "link.rnnviz")):  # what is gone on from is never written on
        assert main(["branch", parent, "--run", new, "--replace"]) == 2
        assert f"{new} is the run itself; wanted another file" in capsys.readouterr().err
    assert Path(parent).read_bytes() == before
    for end in ("3", "7"):
        other = str(tmp_path / f"{end}.rnnviz")
        assert main(["branch", parent, "--training-step", "7", "--training-steps", end, "--run", other]) == 2
        said = capsys.readouterr().err
        assert f"training would end at training step {end}, but continues from 7; wanted a later end" in said
        assert not Path(other).exists()
