"""Cells that people write and that are whole all the same: one number alone, a part without a gradient, odd errors."""

from pathlib import Path

import numpy as np
import pytest
import torch
from cells import allow, experiment, own, plain_cell

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.engine.training.trainer import Training
from rnnviz.runs.reading.reader import open_run

TANH = "torch.tanh(self.lin(torch.cat([x, state], -1)))"
BACKWARD = """
class Raising(torch.autograd.Function):
    times = 0

    @staticmethod
    def forward(ctx, x):
        return x * 1

    @staticmethod
    def backward(ctx, grad):
        Raising.times += 1
        if Raising.times > {times}:
            raise ValueError("on the way back")
        return grad
"""


def test_a_single_number_and_a_part_that_is_not_used(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Both go into a run and out of it, are checked, exported, and taken up again to the last bit."""
    file, run, whole, branch = tmp_path / "mine.py", *(tmp_path / f"{name}.rnnviz" for name in ("a", "b", "c"))
    body = "self.gain, self.unused = nn.Parameter(torch.tensor(0.9)), nn.Linear(2, 2)"
    file.write_text(plain_cell(body, f"print(x); return {TANH} * self.gain"))
    write_experiment(experiment(own(file)), tmp_path / "one.toml")
    assert main(["train", str(tmp_path / "one.toml"), "--run", str(run), "--run-code"]) == 0
    assert main(["check", str(run)]) == 0
    assert main(["inspect", str(run)]) == 0
    assert main(["export", str(run), "--model", "Mine", "-o", str(tmp_path / "mine.pt")]) == 0
    assert torch.load(tmp_path / "mine.pt")["recurrent.gain_l0"].shape == ()
    assert main(["branch", str(run), "--training-step", "3", "--training-steps", "5", "--run", str(branch)]) == 0
    assert main(["train", str(tmp_path / "one.toml"), "--training-steps", "5", "--run", str(whole)]) == 0
    with open_run(whole) as first, open_run(branch) as second:
        assert any(f"{file}, line 12 prints" in event.sentence for event in first.events())
        weights, again = (one.capture(5, "Mine").weights for one in (first, second))
        assert first.trace(5).verdict.right
    assert weights["gain_l0"].shape == ()
    assert all(np.array_equal(weights[name], again[name]) for name in weights)


@pytest.mark.parametrize("times", [0, 6])  # when the file is looked into, and while it is trained
def test_what_is_raised_going_back_is_one_sentence(times: int, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(BACKWARD.format(times=times).join(plain_cell("", f"return Raising.apply({TANH})").split("\n\n", 1)))
    allow(file)
    with pytest.raises(RnnvizError, match=r"mine.py, line 15: going back, ValueError: on the way back\.$"):
        Training(experiment(own(file))).advance()


ODD = {
    "out and state": (f"h = {TANH}; return h, h", r"one tensor and must give it so \(its first tensor is the output\)"),
    "out and states": (
        f"h, m = state; h = {TANH.replace('state', 'h')}; return h, (h, m)",
        "a tuple of Tensor and tup",
    ),
    "lazy": ("return self.made(x)", "the parameter made.weight must have its size once the cell is made, not later"),
    "no words": ("raise type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})", "line 12: Odd"),
    "not text": ("raise ValueError('\\ud800')", r"line 12: ValueError: \\ud800"),
    "no exception": ("raise GeneratorExit", "line 12: GeneratorExit"),
    "kind": ("torch.set_default_dtype(torch.float64); torch.set_grad_enabled(False); return state", "no gradient goes"),
}


@pytest.mark.parametrize("name", ODD)
def test_one_sentence_and_torch_as_it_was(name: str, tmp_path: Path) -> None:
    forward, wanted = ODD[name]
    file = tmp_path / "mine.py"
    file.write_text(plain_cell("self.made = nn.LazyLinear(hidden)" if name == "lazy" else "", forward))
    allow(file)
    with pytest.raises(RnnvizError, match=wanted) as told:
        OwnCellModule(own(file).structure(2, 2), str(file), 7)
    assert "\n" not in str(told.value).encode().decode()
    assert torch.get_default_dtype() is torch.float32
    assert torch.is_grad_enabled()
