"""Runs layer by layer: torch's own dropout from its masks, residual connections and cuts against hand-written loops."""

from itertools import product

import pytest
import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from rnnviz.core.structure import Structure
from rnnviz.engine.layered import Given, run_module
from rnnviz.engine.networks import SequenceModel, plain_module

T, N, INPUTS, H = 7, 3, 4, 5
CELLS = ("vanilla", "lstm", "gru", "peephole_lstm")


def _module(structure: Structure) -> nn.Module:
    torch.manual_seed(11)
    module = plain_module(structure, torch.float64)
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-0.6, 0.6)
    return module


def _given(structure: Structure) -> tuple[Tensor, tuple[Tensor, ...]]:
    torch.manual_seed(12)
    states = [
        torch.randn(len(structure.layer_ids), N, structure.units(state), dtype=torch.float64).requires_grad_()
        for state in structure.equations.states
    ]
    return torch.randn(T, N, INPUTS, dtype=torch.float64).requires_grad_(), tuple(states)


def _grads(output: Tensor, final: tuple[Tensor, ...], leaves: list[Tensor]) -> list[Tensor]:
    """Of a loss that asks for every output and final state."""
    torch.manual_seed(13)
    loss = (output * torch.randn_like(output)).sum()
    loss = loss + sum((state * torch.randn_like(state)).sum() for state in final)
    return list(torch.autograd.grad(loss, leaves))


@pytest.mark.parametrize("kind", ["RNN", "LSTM", "GRU"])
def test_torchs_own_dropout_is_got_from_its_masks(kind: str) -> None:
    for layers, both_ways in ((2, True), (3, False)):
        torch.manual_seed(3)
        module = getattr(nn, kind)(INPUTS, H, layers, bidirectional=both_ways, dropout=0.4)
        cell = {"RNN": "vanilla"}.get(kind, kind.lower())
        structure = Structure(cell, INPUTS, H, layers, both_ways)
        inputs = torch.randn(T, N, INPUTS)
        zero = [torch.zeros(len(structure.layer_ids), N, H) for _ in structure.equations.states]
        torch.manual_seed(77)
        wanted, _ = module(inputs)
        torch.manual_seed(77)
        ones = torch.ones(T, N, H * structure.directions)
        masks = torch.stack([F.dropout(ones, 0.4) for _ in range(layers - 1)])
        found, _ = run_module(module, structure, inputs, Given(tuple(zero), masks=masks))
        assert torch.equal(found, wanted)
        leaves = list(module.parameters())
        for ours, theirs in zip(_grads(found, (), leaves), _grads(wanted, (), leaves), strict=True):
            assert torch.equal(ours, theirs)


@pytest.mark.parametrize("cell", CELLS)
def test_every_way_of_depth_is_that_of_a_loop_over_single_sequences(cell: str) -> None:
    for layers, both_ways, lengths, cut in (
        (1, False, None, (2, 4)),
        (2, True, (7, 2, 5), (0, 2)),
        (3, True, None, (3,)),
        (3, False, (4, 6, 1), ()),
    ):
        structure = Structure(cell, INPUTS, H, layers, both_ways, residual=layers > 1)
        module, (inputs, states) = _module(structure), _given(structure)
        torch.manual_seed(14)
        masks = torch.bernoulli(torch.full((layers - 1, T, N, H * structure.directions), 0.6)).double() / 0.6
        cuts = torch.zeros(T, dtype=torch.bool)
        cuts[list(cut)] = True
        packed = None if lengths is None else torch.tensor(lengths)
        given = Given(states, packed, masks if layers > 1 else None, cuts if cut else None)
        output, final = run_module(module, structure, inputs, given)
        wanted = [_alone(module, structure, inputs, given, n) for n in range(N)]
        whole = torch.cat([F.pad(one, (0, 0, 0, 0, 0, T - len(one))) for one, _ in wanted], dim=1)
        finals = tuple(torch.cat(parts, dim=1) for parts in zip(*(last for _, last in wanted), strict=True))
        torch.testing.assert_close(output, whole, rtol=1e-12, atol=1e-14)
        leaves = [inputs, *states, *module.parameters()]
        pairs = zip(_grads(output, final, leaves), _grads(whole, finals, leaves), strict=True)
        for ours, theirs in pairs:
            torch.testing.assert_close(ours, theirs, rtol=1e-11, atol=1e-13)
        if lengths is not None:
            beyond = torch.arange(T)[:, None] >= torch.tensor(lengths)
            assert not output[beyond].any()


def _alone(
    module: nn.Module, structure: Structure, inputs: Tensor, given: Given, n: int
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Sequence `n` one time step after the other, in layers of one direction: output (T_n, 1, D·H), final states."""
    length = T if given.lengths is None else int(given.lengths[n])
    below, finals = inputs[:length, n : n + 1], list[tuple[Tensor, ...]]()
    for depth in range(structure.num_layers):
        single = Structure(structure.cell, below.shape[-1], H)
        one, made = plain_module(single, torch.float64), []
        for layer in (layer for layer in structure.layer_ids if layer.depth == depth):
            number = structure.layer_ids.index(layer)
            names = [parameter.name for parameter in structure.equations.parameters]
            weights = {f"{name}_l0": module.get_parameter(f"{name}_{layer.text}") for name in names}
            state = tuple(first[number : number + 1, n : n + 1] for first in given.initial)
            outputs: list[Tensor] = [torch.empty(0)] * length
            times = list(range(length))[:: -1 if layer.reverse else 1]
            for t in times:
                edge = t if layer.reverse else t - 1  # between it and the time step before in the layer's direction
                if t != times[0] and given.cut is not None and given.cut[edge]:
                    state = tuple(one.detach() for one in state)
                outputs[t], last = functional_call(
                    one, weights, (below[t : t + 1], state[0] if len(state) == 1 else state)
                )
                state = (last,) if isinstance(last, Tensor) else last
            made.append(torch.cat(outputs))
            finals.append(state)
        h = torch.cat(made, dim=-1)
        if given.masks is not None and depth + 1 < structure.num_layers:
            h = h * given.masks[depth, :length, n : n + 1]
        below = h + below if structure.residual and depth else h
    return below, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))


def test_without_any_of_them_torchs_module_is_called_itself() -> None:
    for cell, lengths in product(("lstm", "peephole_lstm"), (None, torch.tensor([3, 7, 1]))):
        structure = Structure(cell, INPUTS, H, 2, True)
        module, (inputs, states) = _module(structure), _given(structure)
        calls = []
        module.register_forward_hook(lambda *_, calls=calls: calls.append(1))
        run_module(module, structure, inputs, Given(states, lengths))
        run_module(module, structure, inputs, Given(states, lengths, masks=torch.ones(1, T, N, 2 * H).double()))
        assert calls == [1]


def test_a_models_states_have_its_residual_connections() -> None:
    structure = Structure("gru", INPUTS, H, 3, residual=True)
    module, (inputs, _) = _module(structure), _given(structure)
    zero = (torch.zeros(3, N, H, dtype=torch.float64),)
    model = SequenceModel(structure, module, nn.Identity())
    assert torch.equal(model.states(inputs), run_module(module, structure, inputs, Given(zero))[0])
    assert not torch.allclose(model.states(inputs), module(inputs)[0])
