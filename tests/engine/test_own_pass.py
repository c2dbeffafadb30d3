"""The person's own pass: where its numbers agree the trace is right; where they cannot, no verdict claims them."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.prune import l1_unstructured
from torch.nn.utils.rnn import PackedSequence, pack_sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.tracing.capture import capture_module, trace
from rnnviz.runs.file.capture_payload import from_payload, to_payload
from rnnviz.runs.file.records import RunModel
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.trace_file import savable

Module = Callable[[], nn.Module]
OUTPUT, GRADS = "your own output", "the module's own .grad"


def hooked(module: nn.Module, register: str, hook: Callable[..., object]) -> nn.Module:
    getattr(module, register)(hook)
    return module


def with_parameter_hook(module: nn.GRU) -> nn.Module:
    module.weight_ih_l0.register_hook(lambda grad: grad.clamp(-1e-3, 1e-3))
    return module


def replaced(module: nn.GRU) -> nn.Module:
    own = module.forward
    module.forward = lambda x: tuple(3 * each for each in own(x))  # type: ignore[method-assign, assignment]
    return module


@dataclass(frozen=True)
class Pass:
    """What a person does: a forward and a backward pass of `module`, and what makes it no pass of the trace's."""

    module: Module
    reason: str = ""  # what the verdict says of it, "": nothing
    forward: bool = True  # whether the output is another too
    context: Callable[[], AbstractContextManager[object]] = nullcontext

    def run(self) -> tuple[nn.Module, Tensor, Tensor, Tensor]:
        """The module with its .grad, the input, and output and ∂L/∂output of the person's own pass."""
        torch.manual_seed(31)
        module = self.module()
        dtype = next(module.parameters()).dtype
        x = torch.randn(11, 3, 2, dtype=dtype, requires_grad=True)
        with self.context():
            output = module(x)[0]
        output.retain_grad()
        (output.float().sin() * torch.arange(11)[:, None, None]).sum().backward()
        assert output.grad is not None
        return module, x.detach(), output.detach(), output.grad


PASSES = {
    "plain": Pass(lambda: nn.LSTM(2, 5, 2, bidirectional=True)),
    "dropout that is off": Pass(lambda: nn.LSTM(2, 5, 2, dropout=0.5).eval()),
    "dropout of one layer": Pass(lambda: nn.GRU(2, 5)),
    "dropout": Pass(lambda: nn.GRU(2, 5, 3, dropout=0.4), "dropout between the layers is on"),
    "a hook": Pass(
        lambda: hooked(nn.GRU(2, 5), "register_forward_hook", lambda _, __, out: (out[0] * 1.3, out[1])),
        "a forward hook may change the output",
    ),
    "a pre-hook": Pass(
        lambda: hooked(nn.RNN(2, 5), "register_forward_pre_hook", lambda _, given: (given[0] + 0.5,)),
        "a forward pre-hook may change what the module reads",
    ),
    "a replaced forward": Pass(lambda: replaced(nn.GRU(2, 5)), "the module's forward was replaced"),
    "autocast": Pass(
        lambda: nn.GRU(2, 5), "autocast is on", context=lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    ),
    "bfloat16": Pass(lambda: nn.GRU(2, 5).bfloat16(), "the module computes in bfloat16"),
    "a hook on a parameter": Pass(
        lambda: with_parameter_hook(nn.GRU(2, 5)), "a hook on a parameter may change its gradient", forward=False
    ),
}


@pytest.mark.parametrize("own", PASSES.values(), ids=PASSES)
def test_the_verdict_is_that_of_the_persons_own_pass(own: Pass) -> None:
    module, x, output, grad = own.run()
    with own.context():
        alone = trace(module, x)
        beside_output = trace(module, x, output=output)
        beside_grads = trace(module, x, grad_output=grad)
        beside_both = trace(module, x, None, grad, output)
    if not own.reason:
        assert [found.verdict.kind for found in (alone, beside_output, beside_grads, beside_both)] == ["right"] * 4
        assert alone.verdict.agreed == ()
        assert beside_output.verdict.agreed == (OUTPUT,)
        assert beside_grads.verdict.agreed == (GRADS,)
        assert beside_both.verdict.agreed == (OUTPUT, GRADS)
        assert f"{OUTPUT} and {GRADS}" in beside_both.verdict.words
        return
    for found in (alone, beside_output, beside_grads, beside_both):
        assert found.verdict.kind == "not your own pass"
        assert own.reason in found.verdict.words
        assert found.fidelity < 1e-5  # it is its own repetition all the same
        assert not found.faithful
    assert ("your own output is off by" in beside_output.verdict.words) is own.forward
    assert "the module's own .grad is off by" in beside_grads.verdict.words


@pytest.mark.parametrize("register", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_that_changes_nothing_is_settled_by_the_persons_own_numbers(register: str) -> None:
    own = Pass(lambda: hooked(nn.LSTM(2, 4), register, lambda *_: None))
    module, x, output, grad = own.run()
    assert not trace(module, x).faithful
    assert trace(module, x, output=output).faithful
    assert trace(module, x, grad_output=grad).faithful


def test_a_backward_hook_is_settled_by_gradients_alone() -> None:
    own = Pass(lambda: hooked(nn.GRU(2, 4), "register_full_backward_hook", lambda *_: None))
    module, x, output, grad = own.run()
    assert trace(module, x, output=output).verdict.why == ("a backward hook may change the gradients",)
    assert trace(module, x, grad_output=grad).faithful


def test_gradients_are_compared_only_where_they_can_be_those_of_this_pass() -> None:
    module, x, _, grad = PASSES["plain"].run()
    for parameter in module.parameters():
        assert parameter.grad is not None
        parameter.grad *= 1.5
    assert trace(module, x).verdict.kind == "right"  # without grad_output nobody says what L is
    assert trace(module, x, grad_output=grad).verdict.kind == "not your own pass"
    module.bias_hh_l1_reverse.grad = None
    assert trace(module, x, grad_output=grad).verdict.agreed == ()
    assert trace(module, x, grad_output=grad).faithful
    module.zero_grad(set_to_none=False)
    assert trace(module, x, grad_output=grad).verdict.agreed == ()  # all 0: nothing came back yet


@pytest.mark.filterwarnings("ignore:.*weight_norm. is deprecated:FutureWarning")
def test_a_norm_of_the_weights_is_part_of_the_trace_and_no_doubt() -> None:
    pruning = partial(l1_unstructured, amount=0.4)
    for norm in (nn.utils.parametrizations.weight_norm, nn.utils.weight_norm, pruning):
        module, x, output, grad = Pass(partial(lambda norm: norm(nn.LSTM(2, 4), "weight_hh_l0"), norm)).run()
        assert trace(module, x, None, grad, output).verdict.agreed == (OUTPUT,)
        assert trace(module, x).faithful
    moving = nn.utils.parametrizations.spectral_norm(nn.LSTM(2, 4), "weight_hh_l0")
    assert "spectral norm" in trace(moving, x).verdict.words
    assert trace(moving.eval(), x).faithful


@pytest.mark.parametrize("layout", ["packed", "batch first", "unbatched", "cell"])
def test_the_persons_output_comes_in_the_modules_own_layout(layout: str) -> None:
    torch.manual_seed(32)
    if layout == "cell":
        cell, x = nn.GRUCell(2, 3), torch.randn(7, 4, 2)
        h, states = torch.zeros(4, 3), list[Tensor]()
        for x_t in x:
            h = cell(x_t, h)
            states.append(h)
        made: Tensor | PackedSequence = torch.stack(states).detach()
        wrong: Tensor | PackedSequence = torch.stack(states).detach() + 0.01
        module: nn.Module = cell
    else:
        module = nn.GRU(2, 3, batch_first=layout == "batch first")
        given = {"packed": pack_sequence([torch.randn(n, 2) for n in (6, 4)]), "batch first": torch.randn(4, 6, 2)}
        x = given.get(layout, torch.randn(6, 2))  # type: ignore[assignment]
        made = module(x)[0]
        made = made._replace(data=made.data.detach()) if isinstance(made, PackedSequence) else made.detach()
        wrong = made._replace(data=made.data + 0.01) if isinstance(made, PackedSequence) else made + 0.01
    assert trace(module, x, output=made).verdict.agreed == (OUTPUT,)
    assert trace(module, x, output=wrong).verdict.kind == "not your own pass"


def test_numbers_of_the_persons_own_that_are_not_finite_are_said_to_be_those() -> None:
    module, x, output, grad = PASSES["plain"].run()
    output[4, 1, 2] = float("nan")
    assert trace(module, x, output=output).verdict.words == "is not your own pass: your own output is not finite"
    module.bias_ih_l1.grad[3] = float("inf")
    found = trace(module, x, grad_output=grad)
    assert found.verdict.words == "is not your own pass: the module's own .grad is not finite in bias_ih_l1"
    assert found.fidelity < 1e-5


def test_an_output_of_another_shape_is_refused() -> None:
    with pytest.raises(RnnvizError, match=r"output: wanted the shape of the module's output.*\(5, 2, 4\)"):
        trace(nn.GRU(3, 4), torch.zeros(5, 2, 3), output=torch.zeros(5, 2, 3))


@pytest.mark.parametrize("name", ["plain", "dropout", "a hook"])
def test_the_verdict_is_the_same_when_it_was_written_to_a_run_and_read_back(name: str) -> None:
    module, x, output, grad = PASSES[name].run()
    for given in ({}, {"output": output}, {"output": output, "grad_output": grad}):
        capture = capture_module(module, x, **given)
        model = RunModel(0, "net", capture.structure, 1)
        back = from_payload(to_payload(capture, None, 41, 0), 41, model, None)
        assert rebuild(back).verdict == rebuild(capture).verdict


def test_one_sequence_of_it_is_saved_with_its_own_output(tmp_path: Path) -> None:
    module, x, output, grad = PASSES["plain"].run()
    savable(trace(module, x, None, grad, output).sample(2)).save(tmp_path / "one.rnnviz")
    with open_run(tmp_path / "one.rnnviz") as run:
        verdict = run.trace(0).verdict
    assert (verdict.kind, verdict.agreed) == ("right", (OUTPUT,))


def test_of_chosen_sequences_the_output_alone_is_compared() -> None:
    module, x, output, grad = PASSES["plain"].run()
    found = trace(module, x, None, grad, output, sequences=[2, 0])
    assert (found.verdict.kind, found.verdict.agreed) == ("right", (OUTPUT,))
    assert trace(module, x, None, grad, output[:, [1, 0, 2]], sequences=[2, 0]).verdict.kind == "not your own pass"


def test_a_cell_of_which_the_totals_are_known_is_compared_with_its_own_gradients() -> None:
    torch.manual_seed(34)
    cell, x = nn.LSTMCell(2, 3), torch.randn(6, 4, 2)
    state, states = (torch.zeros(4, 3), torch.zeros(4, 3)), list[Tensor]()
    for x_t in x:
        state = cell(x_t, state)
        state[0].retain_grad()
        states.append(state[0])
    (torch.stack(states) ** 2).sum().backward()
    found = trace(cell, x, hidden_grad=[h.grad for h in states], output=torch.stack(states).detach())
    assert found.verdict.agreed == (OUTPUT, GRADS)
    cell.weight_hh.grad = cell.weight_hh.grad * 1.1
    found = trace(cell, x, hidden_grad=[h.grad for h in states])
    assert found.verdict.brief == "is not your own pass: the module's own .grad is off by 0.09 in weight_hh_l0"


@pytest.mark.parametrize("kind", ["vanilla", "lstm", "gru"])
def test_an_output_that_is_not_finite_gives_gradients_that_are_not(kind: str) -> None:
    torch.manual_seed(33)
    module = {"vanilla": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}[kind](1, 2)
    with torch.no_grad():
        module.bias_ih_l0[1] = float("nan")
    x = torch.randn(3, 1, 1)
    found = trace(module, x)
    module(x)[0][-1].norm().backward()
    for name, parameter in module.named_parameters():
        assert parameter.grad is not None
        ours = found.layers[0].weight_grads[name.removesuffix("_l0")]
        assert np.array_equal(np.isnan(ours), np.isnan(parameter.grad.numpy()))
        assert np.isnan(ours).all()
    assert np.isnan(found.layers[0].direct_grad[-1]).all()
    assert found.verdict.words == "cannot be compared: first non-finite at bias_ih_l0: NaN"
    assert not found.faithful


def test_a_rounding_that_grows_over_time_is_no_difference() -> None:
    torch.manual_seed(47)
    module = nn.RNN(2, 8, 2)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter *= 8
    found = trace(module, torch.randn(60, 1, 2), grad_output=torch.randn(60, 1, 8))
    assert found.fidelity > 1e-4
    assert found.faithful, found.verdict.words
