"""The commands as a person types them: exit status, what is printed, and one sentence for every mistake."""

import inspect
import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain
from rnnviz.core.source import Given, GivenInput
from rnnviz.gui.figures.formats import Measures
from rnnviz.runs.reading.reader import Run, open_run

EXPERIMENT = """rnnviz = 1
name = "small"
task = {name = "adding", length = 6}
training = {batch_size = 2, training_steps = 5}
models = [{name = "A", cell = "vanilla", hidden_size = 3}, {name = "B", cell = "gru", hidden_size = 3}]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the experiment small.toml, in which the commands are typed."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.toml").write_text(EXPERIMENT)
    return tmp_path


def rnnviz_process(*arguments: str, **options: Any) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "rnnviz", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)


def loaded_by(program: str) -> set[str]:
    """The top-level names of the modules a fresh Python has loaded after `program`."""
    program += "; import sys; print(' '.join({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_version_help_and_the_package_are_light() -> None:
    loaded = loaded_by(
        "from rnnviz.command_line import main\ntry: main(['--version'])\nexcept SystemExit: pass\nprint()"
    )
    assert not loaded & {"numpy", "torch", "PySide6", "tqdm", "safetensors"}
    assert not loaded_by("import rnnviz; rnnviz.open_run") & {"torch", "PySide6"}
    assert not loaded_by("import rnnviz; rnnviz.__version__") & {"numpy", "torch", "PySide6"}


def test_version_and_help(capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["--version"], ["--help"], ["train", "--help"]):
        with pytest.raises(SystemExit) as caught:
            main(words)
        assert caught.value.code == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"rnnviz {rnnviz.__version__}\n")
    assert "rnnviz train lesson.toml --run my.rnnviz" in printed
    assert "--training-steps K" in printed


def test_the_public_names() -> None:
    assert rnnviz.__all__ == ["__version__", "open_run", "trace"]
    assert set(rnnviz.__all__) <= set(dir(rnnviz))
    first, *optional = inspect.signature(rnnviz.trace).parameters
    assert rnnviz.__doc__ is not None
    assert f"trace({first}, {optional[0]}, …)" in rnnviz.__doc__
    assert all(f"\n    {name}= " in rnnviz.__doc__ for name in optional[1:])
    with pytest.raises(AttributeError, match="no attribute 'record'"):
        rnnviz.record  # noqa: B018


WRONG = {
    "mistyped command": (["trian", "small.toml"], "trian is neither a file nor a command; did you mean train?"),
    "missing file": (["my.rnnviz"], "my.rnnviz is neither a file nor a command"),
    "no experiment": (["train"], "rnnviz train: the following arguments are required: EXPERIMENT"),
    "unknown option": (["train", "small.toml", "--fast"], "rnnviz: unrecognized arguments: --fast"),
    "missing experiment": (["train", "no.toml", "--run", "a.rnnviz"], "no.toml does not exist"),
    "too many training steps": (
        ["train", "small.toml", "--run", "a.rnnviz", "--training-steps", "9999999999999"],
        "--training-steps: training.training_steps must be a whole number from 0",
    ),
    "existing run": (["train", "small.toml", "--run", "small.toml"], "small.toml exists already; wanted a new file"),
    "not a run": (
        ["train", "small.toml", "--run", "small.toml", "--replace"],
        "small.toml is plain text; wanted an rnnviz",
    ),
    "missing folder": (["train", "small.toml", "--run", "no/a.rnnviz"], "a.rnnviz cannot be written"),
    "input": (["trace", "a.pt", "--input", "csv:", "--run", "a.rnnviz"], "--input must be text:…, csv:FILE or random"),
    "columns of no table": (
        ["trace", "a.pt", "--columns", "u,v", "--run", "a.rnnviz"],
        "--columns is for --input csv:FILE, not for random",
    ),
    "alphabet of no text": (
        ["trace", "a.pt", "--input", "csv:x.csv", "--alphabet", "ab", "--run", "a.rnnviz"],
        "--alphabet is for --input text:…, not for csv:x.csv",
    ),
    "size": (["render", "a.rnnviz", "--size", "wide", "-o", "a.png"], "wanted a size like 1440x900, not wide"),
    "huge size": (
        ["render", "a.rnnviz", "--size", "9x99999", "-o", "a.png"],
        "wanted 200 to 8,192 pixels each way, got 9x99999",
    ),
    "font scale": (["render", "a.rnnviz", "--font-scale", "5", "-o", "a.png"], "font scale: wanted 0.8 to 3, got 5"),
    "view": (["render", "a.rnnviz", "--view", "all", "-o", "a.png"], "invalid choice: 'all'"),
    "nothing to render": (["render", "-o", "a.png"], "one of the arguments RUN --first-lesson is required"),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_mistake_is_one_sentence_and_status_2(
    folder: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    words, sentence = WRONG[name]
    assert main(words) == 2
    printed = capsys.readouterr()
    assert sentence in printed.err
    assert printed.err.count("\n") == 1
    assert printed.out == ""
    assert (folder / "small.toml").read_text() == EXPERIMENT


def test_debug_shows_where(folder: Path) -> None:
    with pytest.raises(RnnvizError, match=r"no\.toml does not exist"):
        main(["--debug", "train", "no.toml"])


def test_a_fault_of_ours_is_a_sentence_too(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("two\nlines")

    monkeypatch.setattr("rnnviz.core.experiment.file.read_experiment", fail)
    assert main(["train", "small.toml"]) == 2
    assert capsys.readouterr().err == "rnnviz failed (ZeroDivisionError: two lines); --debug shows where.\n"
    with pytest.raises(ZeroDivisionError):
        main(["train", "small.toml", "--debug"])


def test_a_package_that_is_missing_is_named(folder: Path) -> None:
    program = (
        "import sys; sys.modules['torch'] = None\n"
        "from rnnviz.command_line import main; sys.exit(main(['train', 'small.toml', '--run', 'a.rnnviz']))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "rnnviz needs torch, which is not installed here: pip install torch.\n"
    assert [path.name for path in folder.iterdir()] == ["small.toml"]


def test_ctrl_c_is_quiet(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("rnnviz.core.experiment.file.read_experiment", interrupt)
    assert main(["train", "small.toml"]) == 130
    assert capsys.readouterr().err == ""


def test_training_without_a_window(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "small.toml", "--run", "a.rnnviz", "--training-steps", "3"]) == 0
    printed = capsys.readouterr()
    assert "3/3" in printed.err
    assert "A: loss " in printed.err
    assert "B: loss " in printed.err
    assert "after training step 3" in printed.err
    assert printed.out == ""
    with Run("a.rnnviz") as run:
        assert run.last_training_step == 3
        assert run.experiment.training.training_steps == 3
        assert not run.engine_alive
    assert main(["train", "small.toml", "--run", "a.rnnviz", "--replace"]) == 0
    with Run("a.rnnviz") as run:
        assert run.last_training_step == 5


def test_without_a_name_the_run_gets_a_free_one(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert [main(["train", "small.toml"]) for _ in range(2)] == [0, 0]
    assert "The run is small-2.rnnviz" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["small-2.rnnviz", "small.rnnviz", "small.toml"]


def test_what_takes_a_lot_is_trained_only_when_allowed(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RNNVIZ_CONFIG_DIR", str(folder / "config"))
    monkeypatch.setattr("rnnviz.core.experiment.estimate.ASKED_BYTES", 1e3)  # what a test can train
    assert main(["train", "small.toml", "--run", "a.rnnviz"]) == 2
    said = capsys.readouterr().err
    assert "small.toml takes about 0.0 MB of memory and under 1 s for each training step; --large" in said
    assert not Path("a.rnnviz").exists()
    assert main(["train", "small.toml", "--run", "a.rnnviz", "--large"]) == 0
    assert main(["branch", "a.rnnviz", "--run", "b.rnnviz"]) == 0  # remembered
    from dataclasses import replace

    from rnnviz.core.experiment.file import write_experiment

    with open_run("a.rnnviz") as run:
        larger = replace(run.experiment, training=replace(run.experiment.training, batch_size=5))
    write_experiment(larger, "larger.toml")
    assert main(["train", "larger.toml", "--run", "c.rnnviz"]) == 2  # another one, which nobody allowed


def test_a_signal_ends_training_with_a_whole_run(folder: Path) -> None:
    (folder / "small.toml").write_text(EXPERIMENT.replace("training_steps = 5", "training_steps = 100000000"))
    with rnnviz_process("train", "small.toml", "--run", "a.rnnviz", cwd=folder) as process:
        until = time.monotonic() + 60
        while time.monotonic() < until and not _has_metrics(folder / "a.rnnviz"):
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert "Traceback" not in said
    with Run(folder / "a.rnnviz") as run:
        assert run.last_training_step > 0
        assert run.status is not None
        assert run.status.state == "stopped"
        assert run.captured()[-1] == run.last_training_step
    assert sorted(path.name for path in folder.iterdir()) == ["a.rnnviz", "small.toml"]


def _has_metrics(path: Path) -> bool:
    if not path.exists():
        return False
    with Run(path) as run:
        return run.training_steps.size > 0


_RENDER = ["render", "a.rnnviz", "-o", "a.png"]


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ([*_RENDER, "--font-scale", "1,5"], "--font-scale: wanted a decimal point, 1.5, not “1,5”"),
        ([*_RENDER, "--font-scale", "large"], "--font-scale: wanted a number such as 0.5, not “large”"),
        ([*_RENDER, "--font-scale", "-inf"], "--font-scale: wanted a number such as 0.5, not “-inf”"),
        ([*_RENDER, "--scale", "1.5"], "--scale: wanted a whole number from 1 on, not “1.5”"),
        ([*_RENDER, "--time-step", "0"], "--time-step: wanted a whole number from 1 on, not “0”"),
        ([*_RENDER, "--training-step", "-3"], "--training-step: wanted a whole number from 0 on, not “-3”"),
        ([*_RENDER, "--size", "-5"], "--size: wanted a size like 1440x900, not -5"),
        (["train", "small.toml", "--training-steps", "1e3"], "--training-steps: wanted a whole number from 0 on"),
        (
            ["branch", "a.rnnviz", "--run", "b.rnnviz", "--learning-rate", "nan"],
            "--learning-rate: wanted a number such",
        ),
        (["branch", "a.rnnviz", "--run", "b.rnnviz", "--clip-norm", "0,5"], "wanted a decimal point, 0.5, not “0,5”"),
        (
            ["sweep", "a.toml", "--first-seed", "9" * 19],
            f"--first-seed: wanted a whole number from 0 on of at most 18 digits, not “{'9' * 19}”",
        ),
        (["trace", "a.pt", "--run", "b.rnnviz", "--length", "many"], "--length: wanted a whole number from 1 on"),
        (["trace", "a.pt", "--run", "b.rnnviz", "--loss-time-step", "-1"], "wanted a whole number from 0 on, not “-1”"),
        (["trace", "a.pt", "--run", "b.rnnviz", "--seed", "9" * 5000], "--seed: wanted a whole number from 0 on"),
        (["search", "a.rnnviz", "--number", "loss", "--crosses", "0,1"], "wanted a decimal point, 0.1, not “0,1”"),
        (["search", "a.rnnviz", "--number", "loss", "--factor", "inf"], "--factor: wanted a number such as 0.5"),
        (["search", "a.rnnviz", "--every", "0"], "--every: wanted a whole number from 1 on, not “0”"),
        (["search", "a.rnnviz", "--most", ""], "--most: wanted a whole number from 1 on, not nothing"),
        (["check", "a.rnnviz", "--training-step", "last"], "--training-step: wanted a whole number from 0 on"),
    ],
)
def test_a_number_that_is_none_is_said_in_plain_words(words, sentence, capsys):
    assert main(words) == 2
    said = capsys.readouterr().err
    assert sentence in said
    assert "invalid" not in said
    assert len(said.splitlines()) == 1


def test_numbers_with_a_dash_or_an_exponent_are_taken(monkeypatch):
    asked = []
    monkeypatch.setattr("rnnviz.debugging_commands.run_search", lambda options: asked.append(options.crosses) or 0)
    assert main(["search", "a.rnnviz", "--number", "loss", "--crosses", "-1e-3"]) == 0
    assert main(["search", "a.rnnviz", "--number", "loss", "--crosses", "−2"]) == 0
    assert asked == [-1e-3, -2.0]


def test_check_says_in_its_help_what_it_returns(capsys):
    with pytest.raises(SystemExit):
        main(["check", "--help"])
    said = " ".join(capsys.readouterr().out.split())
    assert "0 where every gradient is right, also of a trace that is not your own pass, which is said; 1 where" in said


def test_inspect_says_the_same_to_programs_and_to_people(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import torch

    torch.save(torch.nn.RNN(2, 3).state_dict(), folder / "a.pt")
    rows = "\n".join(f"{day},1,{'' if day == 3 else day}" for day in range(9))
    (folder / "a.csv").write_text(f"day,same,gap\n{rows}\n")
    for name in ("a.pt", "a.csv"):
        assert main(["inspect", name]) == 0
        people = [line for line in capsys.readouterr().out.splitlines() if line.startswith("note: ")]
        assert main(["inspect", name, "--json"]) == 0
        told = json.loads(capsys.readouterr().out)
        notes = [*told["notes"], *(note for module in told.get("modules", ()) for note in module["notes"])]
        assert len(people) == len(notes) > 2
        assert all(line.endswith(note) for line, note in zip(people, notes, strict=True))


def test_a_run_is_inspected_and_exported(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "small.toml", "--run", "a.rnnviz"]) == 0
    capsys.readouterr()
    assert main(["inspect", "a.rnnviz", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["kind"] == "run"
    assert main(["inspect", "a.rnnviz"]) == 0
    assert "gru" in capsys.readouterr().out
    assert main(["export", "a.rnnviz", "--model", "B", "-o", "b.safetensors"]) == 0
    assert main(["inspect", "b.safetensors", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["modules"][0]["cell"] == "gru"
    assert main(["export", "a.rnnviz", "--model", "C", "-o", "c.pt"]) == 2
    assert not (folder / "c.pt").exists()


@pytest.mark.parametrize(
    ("words", "task"),
    [
        ([], GivenInput(source="random", length=50)),
        (["--length", "7", "--loss-time-step", "3"], GivenInput(source="random", length=7, loss_time_step=3)),
        (
            ["--input", "text:--b:a", "--alphabet", "-ba:"],
            GivenInput(source="text", text="--b:a", alphabet="-ba:"),
        ),
        (["--input", "csv:x.csv", "--columns", 'a,"b,c"'], GivenInput(source="csv", columns=("a", "b,c"))),
    ],
)
def test_what_is_asked_of_trace(
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    task: GivenInput,
) -> None:
    from dataclasses import replace

    asked: list[Any] = []

    def record(given: Given, run_path: Path) -> Given:
        asked.append((given, run_path))
        return given

    monkeypatch.setattr("rnnviz.engine.tracing.given_input.record_given", record)
    monkeypatch.setattr("rnnviz.command_line._verdict", lambda path: f"of {path.name} is right")
    asking = ["--module", "-p", "--run", "o.rnnviz", "--activation", "relu", "--seed", "7"]
    assert main(["trace", "m.pt", *words, *asking]) == 0
    assert capsys.readouterr().out == "Trace of o.rnnviz is right.\n"
    wanted = replace(task, file=str(folder / "x.csv") if task.source == "csv" else "")
    given = Given(str(folder / "m.pt"), wanted, "-p", "relu", 7)
    assert asked == [(given, Path("o.rnnviz"))]
    # and as one record, from a program
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(plain(given)).encode())))
    assert main(["trace", "--given", "--run", "p.rnnviz"]) == 0
    assert capsys.readouterr().out == ""
    assert asked[1:] == [(given, Path("p.rnnviz"))]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no json", "wanted JSON on standard input"),
        ("[]", "given must be a table"),
        ('{"checkpoint": "m.pt", "input": {"source": "radio"}}', "given.input.source must be one of"),
        ('{"checkpoint": "m.pt", "input": {"length": 0}}', "given.input.length must be a whole number from 1"),
        ('{"checkpoint": "m\\u0000.pt"}', "given.checkpoint must be a path without a zero"),
    ],
)
def test_what_no_program_should_ask_of_trace(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))
    assert main(["trace", "--given", "--run", "p.rnnviz"]) == 2
    assert words in capsys.readouterr().err


def test_what_is_asked_of_the_window(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Path | None] = []

    def show(path: Path | None) -> int:
        asked.append(path)
        return 0

    monkeypatch.setattr("rnnviz.gui.shell.app.run_window", show)
    assert [main([]), main(["small.toml"]), main(["window"])] == [0, 0, 0]
    assert asked == [None, Path("small.toml"), None]


def test_what_is_asked_of_render(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from rnnviz.gui.figures.run_figures import Wanted

    asked: list[Any] = []
    monkeypatch.setattr("rnnviz.gui.figures.run_figures.render_view", lambda *a, **k: asked.append((a, k)))
    words = "render a.rnnviz --lanes loss --training-step 3 --time-step 2 --theme dark --size 800x600 --scale 2"
    words += " --font-scale 1.5 -o a.png"
    assert main(words.split()) == 0
    assert main(["render", "--first-lesson", "-o", "b.png"]) == 0
    words = "render a.rnnviz --view network --level inside --sweep forward -o c.png"
    assert main(words.split()) == 0
    assert main([*["render", "a.rnnviz", "--view", "gradients", "--cards"], "walk, flow", "-o", "d.png"]) == 0
    loss, large = Wanted(lanes="loss"), Measures((800, 600), 2, 1.5)
    assert asked[0] == ((Path("a.rnnviz"), loss, 3, 2, large, "dark", Path("a.png")), {})
    assert asked[1][0][1:] == (Wanted(), None, None, Measures((1440, 900)), "light", Path("b.png"))
    assert asked[2][0][1] == Wanted("network", level="inside", sweep="forward")
    assert asked[3][0][1] == Wanted("gradients", cards=("walk", "flow"))
    assert asked[1][0][0].name == "first-lesson.rnnviz"


def test_output_nobody_reads_is_no_error(folder: Path) -> None:
    with rnnviz_process("inspect", "small.toml", cwd=folder) as process:
        assert process.stdout is not None
        process.stdout.close()
        process.wait(60)
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.returncode == 0


def trained(folder: Path) -> Path:
    assert main(["train", "small.toml", "--run", "a.rnnviz", "--training-steps", "30"]) == 0
    return folder / "a.rnnviz"


def test_search_prints_hits_for_people_and_programs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(folder)
    capsys.readouterr()
    asked = ["search", "a.rnnviz", "--condition", "k % 10 == 0", "--model", "B"]
    assert main(asked) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == [f"Training step {step}: in B, k % 10 == 0 (k % 10 is 0)." for step in (10, 20, 30)]
    assert said.err == "3 hits.\n"
    assert main([*asked, "--json-lines", "--backwards", "--most", "1"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert lines[0]["hit"]["training_step"] == 30
    assert lines[0]["hit"]["model"] == "B"
    assert lines[0]["hit"]["values"] == [["k % 10", "0"]]
    assert [line["finished"] for line in lines if "finished" in line] == [1]
    (folder / "marks.toml").write_text('[[breakpoints]]\nkind = "data"\nexpression = "k"\ncrosses = 7\nmodel = "A"\n')
    assert main(["search", "a.rnnviz", "--marks", "marks.toml"]) == 0
    assert capsys.readouterr().out == "Training step 7: in A, k reached 7 (6 → 7).\n"
    assert main(["search", "a.rnnviz", "--number", "-k", "--crosses", "-7", "--direction", "down", "--model", "A"]) == 0
    assert capsys.readouterr().out.startswith("Training step 8: in A, -k fell below −7 (−7 → −8)")  # falls below
    for options, steps in (
        (["--first", "11"], [20, 30]),
        (["--last", "29"], [10, 20]),
        (["--every", "2"], [20]),
        (["--most", "2"], [10, 20]),
        (["--first", "11", "--last", "29", "--backwards"], [20]),
    ):
        assert main([*asked, *options]) == 0
        assert [int(line.split()[2][:-1]) for line in capsys.readouterr().out.splitlines()] == steps
    assert main(["search", "a.rnnviz"]) == 0  # the run's own: nothing became NaN
    assert capsys.readouterr().err == "0 hits.\n"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--condition", "los < 1"], 'There is no los here. Did you mean "loss < 1"?'),
        (["--condition", "gradient norm > 5"], 'Did you mean "grad_norm > 5"?'),
        (["--number", "norm(h[t, 99])", "--crosses", "1"], "There is no unit 99: there are"),
        (["--number", "loss"], "either crosses or factor"),
        (["--condition", "k == 1", "--model", "C"], 'model is "C"'),
        (["--marks", "none.toml"], "none.toml cannot be read"),
    ],
)
def test_a_wrong_search_is_one_sentence(
    folder: Path, capsys: pytest.CaptureFixture[str], options: list[str], words: str
) -> None:
    trained(folder)
    capsys.readouterr()
    assert main(["search", "a.rnnviz", *options]) == 2
    assert words in capsys.readouterr().err


def test_check_finds_what_was_tampered_with(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from rnnviz.runs.reading.reader import open_run
    from rnnviz.runs.writing.writer import RunWriter

    trained(folder)
    with open_run(folder / "a.rnnviz") as run:
        for wrong in (0, 1):
            path = folder / f"{wrong}.rnnviz"
            with RunWriter(path, run.source, run.task, run.models, run.probe) as other:
                for model in run.models:
                    capture = run.capture(30, model.number)
                    if model.number == wrong:  # what came to the output is 5 % more than its loss gives
                        capture = capture.with_call(grad_output=capture.grad_output * np.float32(1.05))
                    other.capture(30, model.number, capture)
            capsys.readouterr()
            assert main(["check", str(path)]) == 1
            verdicts = capsys.readouterr().out.split("\n\n")
            assert ["are wrong: " in verdict for verdict in verdicts] == [wrong == 0, wrong == 1]
            assert main(["check", str(path), "--model", "AB"[1 - wrong]]) == 0
            assert main(["check", str(path), "--model", "AB"[wrong], "--json"]) == 1


def test_check_gives_a_verdict(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    trained(folder)
    capsys.readouterr()
    assert main(["check", "a.rnnviz"]) == 0
    said = capsys.readouterr().out
    assert said.count("gradients are right: ") == 2
    assert "weight_hh_l0" in said
    assert main(["check", "a.rnnviz", "--model", "B", "--training-step", "0", "--json"]) == 0
    (report,) = json.loads(capsys.readouterr().out)
    assert (report["model"], report["training_step"], report["right"]) == ("B", 0, True)
    assert {"name", "autograd", "differences", "rounding", "right"} == set(report["gradients"][0])
    assert main(["check", "a.rnnviz", "--training-step", "31"]) == 2


TABLE_EXPERIMENT = """rnnviz = 1
name = "From elsewhere"
seed = 5
task = {name = "next value", file = "FILE", length = 4}
training = {batch_size = 3, training_steps = 6}
models = [{name = "A", cell = "vanilla", hidden_size = 3}]
"""


@pytest.fixture
def elsewhere(folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A table outside the folder, which elsewhere.toml names."""
    monkeypatch.setenv("RNNVIZ_CONFIG_DIR", str(folder / "config"))
    data = tmp_path_factory.mktemp("else where") / "secret.csv"
    data.write_text("a\n" + "".join(f"{n * n % 13}\n" for n in range(40)))
    (folder / "elsewhere.toml").write_text(TABLE_EXPERIMENT.replace("FILE", str(data)))
    return data


def test_a_file_outside_the_experiments_folder_is_read_only_when_it_is_allowed(
    folder: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["train", "elsewhere.toml", "--run", "a.rnnviz"]) == 2
    said = capsys.readouterr().err
    assert f"elsewhere.toml reads {elsewhere}, which lies outside its folder" in said
    assert f"--allow-file '{elsewhere}' allows it." in said
    assert not (folder / "a.rnnviz").exists()
    assert main(["train", "elsewhere.toml", "--run", "a.rnnviz", "--allow-file", str(elsewhere)]) == 0
    assert main(["train", "elsewhere.toml", "--run", "b.rnnviz"]) == 0  # remembered
    assert main(["branch", "a.rnnviz", "--run", "c.rnnviz"]) == 0
    elsewhere.write_text(elsewhere.read_text() + "3\n")
    assert main(["train", "elsewhere.toml", "--run", "d.rnnviz"]) == 2
    assert main(["branch", "a.rnnviz", "--run", "d.rnnviz"]) == 2  # a run may be a stranger's, too
    assert "a.rnnviz reads" in capsys.readouterr().err
    assert (folder / "config" / "allowed-files.json").stat().st_mode & 0o777 == 0o600


def test_a_link_in_the_folder_to_a_file_outside_is_a_file_outside(folder: Path, elsewhere: Path) -> None:
    (folder / "inside.csv").symlink_to(elsewhere)
    (folder / "link.toml").write_text(TABLE_EXPERIMENT.replace("FILE", "inside.csv"))
    (folder / "up.toml").write_text(TABLE_EXPERIMENT.replace("FILE", os.path.relpath(elsewhere, folder)))
    assert main(["train", "link.toml"]) == main(["train", "up.toml"]) == 2
    (folder / "data").mkdir()
    (folder / "data" / "own.csv").write_bytes(elsewhere.read_bytes())
    (folder / "own.toml").write_text(TABLE_EXPERIMENT.replace("FILE", "data/own.csv"))
    assert main(["train", "own.toml"]) == 0


def test_a_run_is_read_by_its_person_alone(folder: Path) -> None:
    (folder / "old.rnnviz").touch()
    (folder / "old.rnnviz").chmod(0o644)
    assert main(["train", "small.toml", "--run", "small.rnnviz", "--training-steps", "3"]) == 0
    assert main(["train", "small.toml", "--run", "old.rnnviz", "--training-steps", "3", "--replace"]) == 0
    assert main(["train", "small.toml", "--run", "old.rnnviz", "--training-steps", "4", "--replace"]) == 0
    with rnnviz.open_run(folder / "small.rnnviz") as run:
        run.save_copy(folder / "copy.rnnviz")
    for name in ("small", "old", "copy"):
        assert (folder / f"{name}.rnnviz").stat().st_mode & 0o777 == 0o600
