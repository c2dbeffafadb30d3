"""Nothing of a person's file is run before the person has said so, and each change of it is asked about again."""

from pathlib import Path

import pytest
from cells import allow, experiment, own, plain_cell

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.files.allowed import remember
from rnnviz.core.files.code import to_ask_about
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.runs.reading.reader import open_run


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A cell whose file leaves a mark as soon as it is run."""
    found = tmp_path / "mine.py"
    found.write_text(f"import os\nos.system('touch {tmp_path / 'ran'}')\n{plain_cell()}")
    return found


def test_headless_training_refuses_until_it_is_told(
    file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ran, asked, run = tmp_path / "ran", tmp_path / "one.toml", tmp_path / "one.rnnviz"
    write_experiment(experiment(own(file)), asked)
    assert main(["train", str(asked), "--run", str(run)]) == 2
    said = capsys.readouterr().err
    assert str(file) in said
    assert "can do whatever you can; --run-code runs it, until it changes." in said
    assert not ran.exists()
    assert not run.exists()

    assert main(["train", str(asked), "--run", str(run), "--run-code"]) == 0
    assert ran.exists()
    assert main(["check", str(run)]) == 0  # finite differences too, in float64
    assert "All 5 gradients are right" in capsys.readouterr().out
    ran.unlink()
    file.write_text(file.read_text() + "\n")
    with open_run(run) as opened:  # a run file runs nothing: its traces are in its captures
        trace = opened.trace(3)
    assert trace.verdict.right
    assert trace.layers[0].equations.states == ("h",)
    for command in (["check", str(run)], ["jacobians", str(run), "--model", "Mine", "--training-step", "3", "-o", "x"]):
        assert main(command) == 2
        assert "--run-code" in capsys.readouterr().err
    assert not ran.exists()
    jacobians = [
        "jacobians",
        str(run),
        "--model",
        "Mine",
        "--training-step",
        "3",
        "-o",
        str(tmp_path / "j.safetensors"),
    ]
    assert main([*jacobians, "--run-code"]) == 2
    assert "has changed since this run was trained; wanted it as it was." in capsys.readouterr().err


def test_what_was_allowed_is_the_file_as_it_was(file: Path, tmp_path: Path) -> None:
    structure = own(file).structure(2, 2)
    remember([str(file)])  # as a data file, which may be read
    with pytest.raises(RnnvizError, match="--run-code"):
        OwnCellModule(structure, str(file), 1)
    allow(file)
    assert not to_ask_about([str(file)])
    OwnCellModule(structure, str(file), 1)
    file.write_text(file.read_text().replace("tanh", "sigmoid"))
    (tmp_path / "ran").unlink()
    with pytest.raises(RnnvizError, match="--run-code"):
        OwnCellModule(structure, str(file), 1)
    assert not (tmp_path / "ran").exists()
