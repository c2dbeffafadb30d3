"""Gradients of a Cell as a person has them: the direct part of each time step, or the totals that h_t.grad holds."""

import warnings
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import rnnviz

CELLS = [nn.RNNCell, nn.GRUCell, nn.LSTMCell]
T, N, H = 11, 3, 6
torch.manual_seed(17)
HEAD, TARGETS = torch.randn(H, 2, dtype=torch.float64), torch.randn(T, N, 2, dtype=torch.float64)
Loss = Callable[[list[Tensor]], Tensor]
LOSSES: dict[str, Loss] = {
    "the norm of the last": lambda states: states[-1].norm(),
    "a head at every time step": lambda states: sum(
        ((h.double() @ HEAD - target) ** 2).mean() for h, target in zip(states, TARGETS, strict=True)
    ),
    "the sum at every third": lambda states: sum(h.sum() for h in states[1::3]),
}


def stepped(cell: nn.Module, inputs: Tensor, state: object, loss: Loss) -> list[Tensor]:
    """The hidden states of a loop as people write it, after loss.backward()."""
    states, carried = [], state
    for x in inputs:
        carried = cell(x, carried)
        states.append(carried[0] if isinstance(carried, tuple) else carried)
        states[-1].retain_grad()
    loss(states).backward()
    return states


def direct_parts(states: list[Tensor], loss: Loss) -> Tensor:
    """∂L_t/∂h_t: of the loss alone, with no recurrence."""
    leaves = [h.detach().requires_grad_() for h in states]
    grads = torch.autograd.grad(loss(leaves), leaves, allow_unused=True)
    return torch.stack([torch.zeros_like(h) if grad is None else grad for h, grad in zip(leaves, grads, strict=True)])


def of(kind: type[nn.Module], dtype: torch.dtype, batched: bool = True) -> tuple[nn.Module, Tensor, object]:
    torch.manual_seed(29)
    cell = kind(2, H, dtype=dtype)
    with torch.no_grad():
        cell.weight_hh.mul_(2)
    rows = (N,) if batched else ()
    first = torch.randn(*rows, H, dtype=dtype)
    state = (first, torch.randn(*rows, H, dtype=dtype)) if kind is nn.LSTMCell else first
    return cell, torch.randn(T, *rows, 2, dtype=dtype), state


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("kind", CELLS)
def test_the_totals_a_loop_leaves_give_its_direct_parts(kind: type[nn.Module], dtype: torch.dtype, loss: Loss) -> None:
    cell, inputs, state = of(kind, dtype)
    states = stepped(cell, inputs, state, loss)
    totals, direct = [h.grad for h in states], direct_parts(states, loss).numpy()
    whole = torch.stack([torch.zeros(N, H, dtype=dtype) if one is None else one for one in totals])
    near = 1e-11 if dtype is torch.float64 else 2e-5
    for given in (totals, whole, whole.numpy()):
        layer = rnnviz.trace(cell, inputs, state, hidden_grad=given).layers[0]
        size = float(whole.abs().max())
        assert np.abs(layer.hidden_grad - whole.numpy()).max() <= near * size
        assert np.abs(layer.direct_grad - direct).max() <= near * size
        assert not layer.direct_grad[(direct == 0).all(-1)].any()  # and not what rounding left of two equal numbers
        for name, grad in layer.weight_grads.items():
            theirs = getattr(cell, name).grad
            assert np.abs(grad - theirs.numpy()).max() <= near * float(theirs.abs().max())


@pytest.mark.parametrize("kind", CELLS)
def test_direct_parts_found_in_totals_agree_with_finite_differences(kind: type[nn.Module]) -> None:
    loss = LOSSES["a head at every time step"]
    cell, inputs, state = of(kind, torch.float64)
    states = stepped(cell, inputs, state, loss)
    layer = rnnviz.trace(cell, inputs, state, hidden_grad=[h.grad for h in states], sequences=[2, 1]).layers[0]
    leaves = [h.detach() for h in states]
    for t, n, unit in ((0, 2, 3), (5, 1, 0), (T - 1, 2, 5)):
        leaves[t][n, unit] += 1e-6
        above = loss(leaves)
        leaves[t][n, unit] -= 2e-6
        slope = float(above - loss(leaves)) / 2e-6
        leaves[t][n, unit] += 1e-6
        assert layer.direct_grad[t, [2, 1].index(n), unit] == pytest.approx(slope, abs=1e-8)


@pytest.mark.parametrize("loss", LOSSES.values(), ids=LOSSES)
@pytest.mark.parametrize("batched", [True, False])
@pytest.mark.parametrize("kind", CELLS)
def test_totals_given_as_direct_parts_are_noticed(kind: type[nn.Module], batched: bool, loss: Loss) -> None:
    cell, inputs, state = of(kind, torch.float32, batched)
    states = stepped(cell, inputs, state, loss)
    totals = torch.stack([torch.zeros_like(h) if h.grad is None else h.grad for h in states])
    with pytest.warns(UserWarning, match="hidden_grad=") as warned:
        found = rnnviz.trace(cell, inputs, state, totals)
    assert warned[0].filename == __file__
    assert any("looks like the total" in note and "hidden_grad=" in note for note in found.notes)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for direct in (direct_parts(states, loss), torch.randn_like(totals)):
            assert rnnviz.trace(cell, inputs, state, direct).notes == ()
        assert rnnviz.trace(cell, inputs, state, hidden_grad=totals).notes == ()
        assert rnnviz.trace(cell, inputs, state).notes == ()
