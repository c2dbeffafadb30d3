"""A user's own cell against the same cell of ours, against autograd, and what is said of one that does not fit."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from cells import LEAKY, LSTM, allow, experiment, own, plain_cell

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment, read_experiment, write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.gradients.jacobians import spectra
from rnnviz.core.gradients.losses import unit_vector
from rnnviz.core.gradients.products import product_spectra
from rnnviz.core.sweeps.capture import NOT_APART
from rnnviz.core.sweeps.recorded import RecordedLayer
from rnnviz.core.sweeps.scans.asked import Asked, NotAskedError
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.engine.own_cell.asking import jacobians
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.engine.passes import Conditions
from rnnviz.engine.tracing.capture import captured, weighted_loss
from rnnviz.engine.training.trainer import Training
from rnnviz.gui.cursor.value_row import ValueSource
from rnnviz.gui.cursor.value_rows import value_rows
from rnnviz.runs.file.capture_payload import from_payload, to_payload
from rnnviz.runs.file.records import Probe, RunModel

torch.set_num_threads(1)
NAMES = {"w": "weight_ih", "u": "weight_hh", "b": "bias_ih", "d": "bias_hh"}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Training]:
    """An LSTM written by hand beside ours with the same weights, and the example, after three training steps."""
    folder = tmp_path_factory.mktemp("own")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RNNVIZ_CONFIG_DIR", str(folder / "config"))
        file = folder / "mine.py"
        file.write_text(LSTM)
        allow(file)
        allow(LEAKY)
        training = Training(experiment(own(file), ModelSettings("LSTM", "lstm", 3), own(LEAKY, 4, "Leaky")))
        mine, ours, _ = training.models
        with torch.no_grad():
            for name, theirs in NAMES.items():
                ours.recurrent.get_parameter(f"{theirs}_l0").copy_(mine.recurrent.get_parameter(f"{name}_l0"))
            ours.head.load_state_dict(mine.head.state_dict())
        for _ in range(3):
            training.advance()
        yield training


def close(a: object, b: object, limit: float = 1e-6) -> bool:
    ours, theirs = np.asarray(a), np.asarray(b)
    assert ours.shape == theirs.shape
    return bool(np.abs(ours - theirs).max() <= limit * np.abs(theirs).max())


def answered(training: Training, number: int, trace: Trace, sample: int) -> RecordedLayer:
    """The layer of one sequence with what the engine tells of its step Jacobians."""
    module, layer = training.models[number].recurrent, trace.sample(sample).layers[0]
    assert isinstance(module, OwnCellModule)
    assert isinstance(layer, RecordedLayer)
    *shares, asked = jacobians(module, trace.check.capture.sample(sample))
    assert isinstance(asked, Asked)
    assert shares == sorted(shares)
    layer.answer(asked)
    return layer


@pytest.mark.parametrize("sample", [None, 2])
def test_an_lstm_written_by_hand_is_ours(trained: Training, sample: int | None) -> None:
    mine, ours = (rebuild(trained.capture(number)) for number in (0, 1))
    assert mine.verdict.right
    assert mine.verdict.words.startswith("checked against each time step run once more: ")
    if sample is not None:
        mine, ours = mine.sample(sample), ours.sample(sample)
    one, other = mine.layers[0], ours.layers[0]
    assert one.equations.states == ("h", "c")
    for state in ("h", "c"):
        for ask in ("value", "grad", "direct", "carried"):
            assert close(getattr(one, ask)(state), getattr(other, ask)(state)), (ask, state)
        assert close(one.arriving[state], other.arriving[state])
        assert close(one.initial_grads[state], other.initial_grads[state])
    assert close(one.input_grad, other.input_grad)
    for name, theirs in NAMES.items():
        for ask in ("weight_grads", "weight_grad_shares", "weight_grad_so_far"):
            assert close(getattr(one, ask)[name], getattr(other, ask)[theirs]), (ask, name)


def test_what_is_asked_of_the_engine_is_that_of_ours(trained: Training) -> None:
    mine, ours = (rebuild(trained.capture(number)) for number in (0, 1))
    other = ours.sample(1).layers[0]
    with pytest.raises(NotAskedError):
        mine.sample(1).layers[0].gradient_flow()
    layer = answered(trained, 0, mine, 1)
    assert close(layer.gradient_flow(), other.gradient_flow())
    assert close(layer.input_flow(), other.input_flow())
    assert close(flow_of(layer, unit=True).states["c"], flow_of(other, unit=True).states["c"])
    *_, found = spectra(layer)
    *_, wanted = spectra(other)
    assert close(found.norms, wanted.norms)
    assert close(found.radii, wanted.radii)
    *_, last = product_spectra(layer)
    *_, known = product_spectra(other)
    assert close(last.log10_values, known.log10_values, 1e-5)


def test_flow_against_one_autograd_call_per_loss(trained: Training) -> None:
    """Of the example, whose h is made from its m of the same time step; a loss at every time step."""
    module, trace = trained.models[2].recurrent, rebuild(trained.capture(2))
    layer = answered(trained, 2, trace, 0)
    x = torch.from_numpy(layer.x.copy())
    assert isinstance(module, OwnCellModule)
    with module.recording() as kept:
        output, _ = module(x)
    unit = torch.from_numpy(unit_vector(layer).astype(np.float32))
    found = flow_of(layer, unit=True)
    hs, ms = ([states[place] for states in kept.after] for place in (0, 1))
    for k in range(len(x)):
        grads = torch.autograd.grad(output[k, 0] @ unit, [*hs, *ms], retain_graph=True, allow_unused=True)
        norms = np.array([0.0 if grad is None else grad.double().norm().item() for grad in grads])
        assert close(found.values[k], norms[: len(x)], 1e-5)
        assert close(found.states["m"][k], norms[len(x) :], 1e-5)


def test_a_capture_comes_back_from_a_file_and_its_gradients_are_autograds(trained: Training) -> None:
    capture, probe = trained.capture(2), trained.probe
    model = RunModel(2, "Leaky", capture.structure, 1)
    known = Probe(probe.inputs, probe.lengths, probe.targets, probe.loss_weight)
    back = from_payload(to_payload(capture, known, 3, 2), 3, model, known)
    layer = rebuild(back).layers[0]
    wanted = trained.models[2]
    loss = weighted_loss(wanted(torch.from_numpy(probe.inputs)), probe, "cross entropy")
    parameters = dict(wanted.recurrent.named_parameters())
    for name, grad in zip(parameters, torch.autograd.grad(loss, list(parameters.values())), strict=True):
        assert close(layer.weight_grads[name.removesuffix("_l0")], grad, 1e-5)
    assert layer.weights.keys() == {"read_weight", "read_bias", "back_weight", "leak"}
    wrong = replace(back.calls[0], recorded=None)
    with pytest.raises(RnnvizError, match="recorded: wanted it of a user's own cell, got nothing"):
        rebuild(replace(back, calls=(wrong,)))


def test_a_cut_ends_what_is_carried_as_in_ours(trained: Training) -> None:
    cut = torch.zeros(len(trained.probe.inputs), dtype=torch.bool)
    cut[[1, 4]] = True
    of_cut = Conditions(cut={"": cut})
    traces = [rebuild(captured(trained.models[k], trained.probe, trained.source.info, of_cut)) for k in (0, 1)]
    mine, ours = (trace.layers[0] for trace in traces)
    assert traces[0].verdict.right
    assert close(mine.hidden_grad, ours.hidden_grad)
    assert close(mine.weight_grads["u"], ours.weight_grads["weight_hh"])
    assert not mine.carried("h")[1].any()
    layer = answered(trained, 0, traces[0], 1)
    assert close(layer.gradient_flow(), traces[1].sample(1).layers[0].gradient_flow())


def test_its_file_lies_beside_the_experiment(tmp_path: Path) -> None:
    (tmp_path / "cells").mkdir()
    wanted = experiment(own(tmp_path / "cells" / "mine.py"))
    write_experiment(wanted, tmp_path / "one.toml")
    assert 'file = "cells/mine.py"' in (tmp_path / "one.toml").read_text()
    assert read_experiment(tmp_path / "one.toml") == wanted
    with pytest.raises(RnnvizError, match=r"models\[0\].num_layers must be 1 for the cell own"):
        parse_experiment(experiment_toml(experiment(replace(own(LEAKY), num_layers=2))), "x")
    with pytest.raises(RnnvizError, match=r"models\[0\].file must be the path of a Python file"):
        parse_experiment(experiment_toml(experiment(ModelSettings("Mine", "own"))), "x")


MISFITS = {
    "forward": (plain_cell(forward="return self.missing(x)"), r"line 12: AttributeError: .*missing"),
    "constructor": (plain_cell("1 / 0"), r"line 9: making Mine\(\d+, 3\), ZeroDivisionError: division by zero"),
    "syntax": ("def f(:\n", r"line 1: SyntaxError: "),
    "import": ("import no_such_thing\n", r"line 1: ModuleNotFoundError: "),
    "leaves": ("import sys; sys.exit(3)\n", r"line 1: SystemExit: 3"),
    "no class": ("x = 1\n", "has no class that is an nn.Module"),
    "two classes": (plain_cell() + "class Other(nn.Module): pass\n", r"several classes .*Mine and Other.*call the one"),
    "shape": (plain_cell(forward="return self.lin(torch.cat([x, state], -1))[:, :2]"), "must stay float32"),
    "no tensor": (plain_cell(forward="return 3"), "forward must give the new state alone, a tensor or a tuple"),
    "NaN": (plain_cell(forward="return state / 0"), "gives NaN or ∞ for random inputs and a state of zeros"),
    "random": (
        plain_cell(forward="return torch.tanh(self.lin(torch.cat([x, state], -1))) + torch.rand(1)"),
        "called again",
    ),
    "in place": (
        plain_cell(forward="state += self.lin(torch.cat([x, state], -1)); return state"),
        "writes into x_t or",
    ),
    "mixes": (
        plain_cell(forward="a = self.lin(torch.cat([x, state], -1)); return torch.tanh(a - a.mean(0))"),
        "mixes the sequences of a batch",
    ),
    "backward": (
        plain_cell(forward="a = self.lin(torch.cat([x, state], -1)).exp(); b = a[:, :1]; b += 1; return a.tanh() - 1"),
        r"line 12: going back, RuntimeError: one of the variables needed for gradient",
    ),
    "no parameters": (plain_cell("del self.lin", "return state"), "has no parameters"),
    "names": (
        plain_cell(
            'self.states = ("dh", "h")',
            "h, m = state; h = self.lin(torch.cat([x, h], -1)).tanh(); return h, h + m",
        ),
        "two meanings of dh",
    ),
}


@pytest.mark.parametrize("name", MISFITS)
def test_one_sentence_with_file_and_line(name: str, tmp_path: Path) -> None:
    text, wanted = MISFITS[name]
    file = tmp_path / "mine.py"
    file.write_text(text)
    allow(file)
    with pytest.raises(RnnvizError, match=wanted) as told:
        OwnCellModule(own(file).structure(2, 2), str(file), 5)
    assert str(told.value).startswith(str(file))
    assert "\n" not in str(told.value)


def test_what_it_prints_is_kept_and_its_numbers_come_from_the_seed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(plain_cell(forward='print("here"); return torch.tanh(self.lin(torch.cat([x, state], -1)))'))
    allow(file)
    before = torch.get_rng_state()
    first, again, other = (OwnCellModule(own(file).structure(2, 2), str(file), seed) for seed in (5, 5, 6))
    assert torch.equal(before, torch.get_rng_state())
    assert torch.equal(first.lin_weight_l0, again.lin_weight_l0)  # type: ignore[arg-type]
    assert not torch.equal(first.lin_weight_l0, other.lin_weight_l0)  # type: ignore[arg-type]
    assert first.note == f"{file}, line 12 prints; what it prints is not shown here."
    assert capsys.readouterr().out == ""


def test_what_of_single_sequences_is_not_known_says_so(trained: Training) -> None:
    capture = trained.capture(0)
    told = capture.calls[0].recorded
    assert told is not None
    assert not capture.remarks
    together = {name: getattr(told, name).items() for name in ("weight_grads", "shares", "so_far")}
    cut = {
        name: {key: one[:1] if name == "weight_grads" else one[:, :1] for key, one in arrays}
        for name, arrays in together.items()
    }
    trace = rebuild(capture.with_call(recorded=replace(told, **cut)))
    assert trace.check.capture.remarks == (NOT_APART,)
    for sample, known in ((trace.sample(1), False), (rebuild(capture).sample(1), True)):
        rows = [row for row in value_rows([sample], "l0", 4) if row.key in ("share:u", "so_far:u")]
        source = ValueSource(sample, sample.layers[0], 4, None)
        assert [row.number(source) == "–" for row in rows] == [not known] * 2
        assert [row.note(source) == NOT_APART for row in rows] == [not known] * 2
