"""`rnnviz sweep` as a person types it: trained, interrupted, killed, resumed, refused; what it prints."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from seed_folders import accuracies, experiment, write_folder, write_run

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.runs.file.process import process_exists
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.seeds import folder as folders
from rnnviz.runs.seeds.folder import begin, seed_runs
from rnnviz.runs.seeds.index import read_index
from rnnviz.runs.seeds.reading import SeedFolder, SeedReader

PATIENCE = 120.0  # seconds anything may take on a busy machine
FOREVER = 50_000_000  # training steps


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a short experiment and one that never ends, in which the commands are typed."""
    monkeypatch.chdir(tmp_path)
    write_experiment(experiment(steps=30), tmp_path / "short.toml")
    write_experiment(experiment("Endless", steps=FOREVER), tmp_path / "endless.toml")
    return tmp_path


def sweep(*arguments: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "rnnviz", "sweep", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(condition: Callable[[], object]) -> None:
    until = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < until, "it took too long"
        time.sleep(0.05)


def read(path: str) -> SeedFolder:
    return SeedReader(Path(path)).read()


def states(path: str) -> list[tuple[str, int]]:
    return [(seed.state, seed.training_step) for seed in read(path).seeds]


def in_training(path: str, count: int) -> Callable[[], bool]:
    """Whether so many of its runs have training steps."""

    def there() -> bool:
        if not (Path(path) / "seeds.toml").exists():
            return False
        return sum(seed.state == "training" and seed.training_step > 0 for seed in read(path).seeds) >= count

    return there


def engines_of(path: str) -> set[int]:
    found = set()
    for seed in read(path).seeds:
        if seed.run.path.exists():
            with Run(seed.run.path) as run:
                if run.status is not None:
                    found.add(run.status.process)
    return found


@pytest.mark.usefixtures("warm")
def test_a_sweep_is_trained_as_each_seed_alone_would_be_and_then_kept(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with sweep(
        "short.toml", "--seeds", "3,9,4", "--solved", "loss < 0.2 over 4", "-o", "out", "--jobs", "2"
    ) as process:
        said, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, told
    assert "out: 100%" in told
    assert "3 of 3 runs" in told
    assert "Traceback" not in told
    lines = said.splitlines()
    assert lines[0].split() == [
        "setting",
        "seeds",
        "median",
        "10–90",
        "%",
        "solved",
        "at",
        "training",
        "step",
        "failed",
    ]
    assert [line.split()[:2] for line in lines[1:3]] == [["Vanilla", "3"], ["LSTM", "3"]]
    assert lines[3:] == ["solved: loss < 0.2, mean of 4 training steps", "The runs are in out"]
    assert states("out") == [("finished", 30)] * 3
    assert sorted(path.name for path in Path("out").iterdir()) == [
        "adding-seed-3.rnnviz",
        "adding-seed-4.rnnviz",
        "adding-seed-9.rnnviz",
        "seeds.toml",
    ]
    assert not read("out").trained_now
    # bit by bit what `rnnviz train` gives with that seed
    write_experiment(experiment(steps=30, seed=9), folder / "nine.toml")
    subprocess.run([sys.executable, "-m", "rnnviz", "train", "nine.toml"], check=True, capture_output=True)
    with Run("nine.rnnviz") as alone, Run("out/adding-seed-9.rnnviz") as swept:
        for model in range(2):
            np.testing.assert_array_equal(alone.metrics("loss", model), swept.metrics("loss", model))
    before = {path.name: path.stat().st_mtime_ns for path in Path("out").glob("*.rnnviz")}
    assert main(["sweep", "-o", "out", "--json"]) == 0  # nothing is left to be trained
    assert {path.name: path.stat().st_mtime_ns for path in Path("out").glob("*.rnnviz")} == before
    answer = json.loads(capsys.readouterr().out)
    assert answer["seeds"] == [3, 4, 9]
    lstm = answer["settings"][1]
    assert (lstm["setting"], lstm["criterion"], lstm["ended"]) == ("LSTM", "loss < 0.2 over 4", 3)
    assert [run["run"] for run in lstm["runs"]] == [f"adding-seed-{seed}.rnnviz" for seed in (3, 4, 9)]
    with Run("out/adding-seed-9.rnnviz") as swept:
        assert lstm["runs"][2]["final"] == pytest.approx(swept.metrics("loss", 1)[-4:].mean())


@pytest.mark.usefixtures("warm")
def test_interrupted_it_leaves_whole_runs_says_how_to_go_on_and_goes_on(folder: Path) -> None:
    with sweep("endless.toml", "short.toml", "--seeds", "1", "--first-seed", "6", "-o", "my seeds") as process:
        wait_for(in_training("my seeds", 1))
        wait_for(lambda: ("finished", 30) in states("my seeds"))
        process.send_signal(signal.SIGINT)
        said, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert "Traceback" not in told
    assert (
        told.splitlines()[-1] == "Interrupted: 1 of 2 runs are trained; to train the rest: rnnviz sweep -o 'my seeds'"
    )
    assert "so far" not in said  # each setting has one seed: none of it, or all
    (state, step), _ = states("my seeds")
    assert (state, step > 0) == ("interrupted", True)
    with Run("my seeds/endless-seed-6.rnnviz") as run:
        assert run.status is not None
        assert run.status.state == "stopped"
        assert run.captured()[-1] == run.last_training_step
    assert not [path for path in Path("my seeds").iterdir() if path.suffix not in (".rnnviz", ".toml")]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc")
def test_killed_it_takes_its_engines_along_and_is_resumed_where_it_was(folder: Path) -> None:
    index = begin(Path("out"), [experiment("Endless", steps=FOREVER)], (1, 2, 3), "loss < 0.1")
    runs = seed_runs(Path("out"), index)
    write_run(index, runs[0], [accuracies(1, 20, None)] * 2)  # which is finished
    whole = runs[0].path.read_bytes()
    with sweep("-o", "out") as process:
        wait_for(in_training("out", 2))
        engines = engines_of("out") - {os.getpid()}
        assert len(engines) == 2
        process.kill()
        process.communicate(timeout=PATIENCE)
    wait_for(lambda: not any(map(_alive, engines)))
    assert [state for state, _ in states("out")] == ["finished", "interrupted", "interrupted"]
    assert runs[0].path.read_bytes() == whole
    half = [_written_by(run.path) for run in runs]
    with sweep("-o", "out", "--jobs", "1") as process:
        wait_for(in_training("out", 1))
        assert [state for state, _ in states("out")] == ["finished", "training", "interrupted"]
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    again = [_written_by(run.path) for run in runs]
    assert [one == other for one, other in zip(again, half, strict=True)] == [True, False, True]  # begun anew


def _alive(number: int) -> bool:
    try:
        return process_exists(number) and Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def _written_by(path: Path) -> int:
    """The process of the engine that wrote it."""
    with Run(path) as run:
        assert run.status is not None
        return run.status.process


@pytest.mark.usefixtures("warm")
def test_an_engine_that_is_killed_fails_its_seed_alone(folder: Path) -> None:
    with sweep("endless.toml", "short.toml", "--seeds", "8,", "-o", "out", "--jobs", "1") as process:
        wait_for(in_training("out", 1))
        (engine,) = engines_of("out")
        os.kill(engine, signal.SIGKILL)
        said, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert told.splitlines()[-1] == (
        "1 of 2 runs failed; endless-seed-8.rnnviz: Its engine ended unexpectedly (killed by signal 9)."
    )
    assert "Endless · LSTM" in said
    assert [seed.state for seed in read("out").seeds] == ["failed", "finished"]
    assert read_index(Path("out")).refused[0].run == "endless-seed-8.rnnviz"


@pytest.mark.usefixtures("warm")
def test_a_loss_that_is_not_finite_fails_the_seed_and_is_said(folder: Path) -> None:
    training = TrainingSettings(optimiser="sgd", learning_rate=1e30, training_steps=25)
    write_experiment(experiment("Wild", training=training), folder / "wild.toml")
    with sweep("wild.toml", "--seeds", "1", "-o", "out") as process:
        _, told = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert told.splitlines()[-1].startswith("1 of 1 runs failed; wild-seed-1.rnnviz: ")
    assert "in Vanilla, the loss became infinite" in told
    (seed,) = read("out").seeds
    assert seed.state == "failed"
    assert "in Vanilla, the loss became infinite" in seed.sentence


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([], "wanted an EXPERIMENT, or -o FOLDER of seeds"),
        (["short.toml", "--seeds", "0"], "--seeds: wanted a whole number from 1 on"),
        (["short.toml", "--seeds", "3,x"], "--seeds: wanted a whole number from 0 on"),
        (["short.toml", "--seeds", "3,8,3"], "--seeds: wanted each seed once, not 3 twice"),
        (["short.toml", "--seeds", "3,,8"], "--seeds: wanted a whole number from 0 on, not nothing"),
        (["short.toml", "--seeds", "3,8,"], "--seeds: wanted a whole number from 0 on, not nothing"),
        (["short.toml", "--seeds", ",8"], "--seeds: wanted a whole number from 0 on, not nothing"),
        (["short.toml", "--seeds", ","], "--seeds: wanted a whole number from 0 on, not nothing"),
        (["short.toml", "--seeds", "3,8", "--first-seed", "2"], "--first-seed is for a number of seeds"),
        (["short.toml", "-o", "trained", "--first-seed", "2"], "--first-seed is for a number of seeds"),
        (["short.toml", "endless.toml", "short.toml"], "wanted each experiment once, not short.toml twice"),
        (["short.toml", "--seeds", "2000"], "wanted 1 to 1,000 seeds, not 2,000"),
        (["short.toml", "--jobs", "-1"], "--jobs: wanted a whole number from 1 on"),
        (["short.toml", "--jobs", "65"], "--jobs: wanted 1 to 64 engines, not 65"),
        (["short.toml", "--solved", "accuracy"], "--solved: wanted a metric, a relation and a number"),
        (["short.toml", "--solved", "speed > 1"], "has no metric speed"),
        (["none.toml"], "none.toml does not exist"),
        (["-o", "none"], "none holds no seeds.toml"),
        (["-o", "full"], "full holds no seeds.toml"),
        (["short.toml", "-o", "full"], "full holds thesis.txt and no seeds.toml"),
        (["-o", "trained", "--training-steps", "9"], "--training-steps is for a new folder"),
        (["short.toml", "-o", "trained", "--training-steps", "9"], "with other settings or models"),
    ],
)
def test_a_mistake_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], words: list[str], sentence: str
) -> None:
    Path("full").mkdir()
    Path("full/thesis.txt").write_text("years of work")
    begin(Path("trained"), [experiment(steps=30)], (1,))
    assert main(["sweep", *words]) == 2
    told = capsys.readouterr().err
    assert sentence in told
    assert told.count("\n") == 1
    assert Path("full/thesis.txt").read_text() == "years of work"
    assert not Path("short-seeds").exists()


def test_a_file_in_the_place_of_a_run_is_never_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    begin(Path("out"), [experiment(steps=30)], (1,))
    Path("out/adding-seed-1.rnnviz").write_text("a letter")
    assert main(["sweep", "-o", "out"]) == 2
    assert "lies where the run of seed 1 belongs" in capsys.readouterr().err
    assert Path("out/adding-seed-1.rnnviz").read_text() == "a letter"
    assert not read("out").trained_now


def test_seeds_of_another_version_are_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    write_folder(folder / "out", [experiment(steps=30)], (1,), lambda run, model: None)
    monkeypatch.setattr(folders, "__version__", "9.9")
    assert main(["sweep", "short.toml", "-o", "out"]) == 2
    assert "and this is 9.9; wanted another folder" in capsys.readouterr().err


def test_an_experiment_that_reads_what_lies_elsewhere_is_not_trained_unasked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "secret.csv").write_text("a\n1\n2\n")
    inside = folder / "given"
    inside.mkdir()
    (inside / "e.toml").write_text(
        'rnnviz = 1\nname = "e"\ntask = {name = "next value", file = "../secret.csv", length = 2}\n'
        'models = [{name = "A", cell = "gru"}]\n'
    )
    assert main(["sweep", str(inside / "e.toml"), "-o", "out"]) == 2
    assert "--allow-file" in capsys.readouterr().err
    assert not Path("out").exists()


def test_the_index_refuses_to_be_written_where_it_cannot() -> None:
    with pytest.raises(RnnvizError, match="cannot be made a folder"):
        begin(Path("/proc/none"), [experiment()], (1,))
