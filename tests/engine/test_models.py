"""Models: initialised from their seed alone, with torch's names, and a sigmoid RNN that torch lacks."""

import math

import every_cell
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from rnnviz.core.cells import CELLS
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.structure import Structure
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.networks import build, parameter_count, plain_module, structure_of

torch.set_num_threads(1)


def beginning_otherwise(settings: ModelSettings) -> set[str]:
    """The parameters of which the cell says that they begin otherwise than uniform in ±1/√H."""
    kind, structure = CELLS[settings.cell], settings.structure(3, 2)
    if kind.begin is None:
        return set()
    cell, size = structure.equations, structure.hidden_size
    shapes = structure.parameter_shapes()
    weights = {one.name: np.full(shapes[f"{one.name}_l0"], 0.1) for one in cell.parameters}
    rows = {block: cell.block_rows(block, size) for block in cell.blocks}
    found = kind.begin(settings.own, Drawn(size, rows, weights, np.random.default_rng(1)))
    return {f"recurrent.{name}_{layer}" for name in found for layer in structure.layer_names}


@pytest.mark.parametrize("cell", list(CELLS))
def test_the_seed_alone_decides_the_initial_weights(cell: str) -> None:
    settings = ModelSettings("A", cell, 5, num_layers=2, bidirectional=True)
    begun, generator = beginning_otherwise(settings), torch.get_rng_state()
    first = build(settings, 3, 2, seed=4)
    torch.manual_seed(99)
    second, third = build(settings, 3, 2, seed=4), build(settings, 3, 2, seed=5)
    torch.set_rng_state(generator)
    build(settings, 3, 2, seed=4)
    assert torch.equal(torch.get_rng_state(), generator)
    for name, value in first.state_dict().items():
        assert torch.equal(value, second.state_dict()[name])
        constant = name in begun and bool((value == value.flatten()[0]).all())
        assert constant is torch.equal(value, third.state_dict()[name])
        bound = 1 / math.sqrt(10 if name.startswith("head") else 5)
        assert name in begun or float(value.abs().max()) <= bound
    drawn = [
        value.flatten() for name, value in first.recurrent.state_dict(prefix="recurrent.").items() if name not in begun
    ]
    assert not drawn or float(torch.cat(drawn).std()) == pytest.approx(1 / math.sqrt(5) / math.sqrt(3), rel=0.2)


def test_a_state_dict_loads_into_plain_torch() -> None:
    model = build(ModelSettings("A", "lstm", 5, num_layers=2), 3, 2, seed=1)
    plain = nn.LSTM(3, 5, num_layers=2)
    plain.load_state_dict({n.removeprefix("recurrent."): v for n, v in model.state_dict().items() if "recurrent" in n})
    x = torch.randn(6, 2, 3)
    assert torch.equal(plain(x)[0], model.states(x))
    assert {"head.weight", "head.bias"} < set(model.state_dict())
    assert parameter_count(model) == sum(p.numel() for p in plain.parameters()) + 5 * 2 + 2


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize(
    "structure",
    [
        Structure("vanilla", 3, 4, 2, True, activation="relu"),
        Structure("vanilla", 3, 4, bias=False),
        Structure("lstm", 3, 4, 2, True),
        Structure("lstm", 3, 4, 2, True, False, proj_size=2),
        Structure("gru", 3, 4, 2, True),
        Structure("gru", 3, 4, 1, False, False),
    ],
)
def test_the_module_of_any_cell_computes_what_torchs_own_does(structure: Structure, packed: bool) -> None:
    torch.manual_seed(3)
    theirs, ours = plain_module(structure, torch.float64), CellModule(structure, torch.float64)
    assert not isinstance(theirs, CellModule)
    with torch.no_grad():
        for parameter in theirs.parameters():
            parameter.normal_()
    ours.load_state_dict(theirs.state_dict())
    x = torch.randn(6, 3, 3, dtype=torch.float64)
    first = [
        torch.randn(len(structure.layer_names), 3, structure.units(state), dtype=torch.float64)
        for state in structure.equations.states
    ]
    given = pack_padded_sequence(x, torch.tensor([4, 6, 1]), enforce_sorted=False) if packed else x
    state = first[0] if len(first) == 1 else tuple(first)
    results = []
    for module in (theirs, ours):
        output, last = module(given, state)
        output = pad_packed_sequence(output)[0] if packed else output
        lasts = (last,) if isinstance(last, torch.Tensor) else last
        loss = output.square().sum() + sum(one.sin().sum() for one in lasts)
        grads = torch.autograd.grad(loss, list(module.parameters()))
        results.append([output, *lasts, *grads])
    for one, other in zip(*results, strict=True):
        assert one.shape == other.shape
        assert torch.allclose(one, other, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("both", [False, True])
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bias", [False, True])
def test_the_sigmoid_rnn_is_a_tanh_rnn_in_other_coordinates(both: bool, layers: int, bias: bool) -> None:
    """σ(a) = (1 + tanh(a/2))/2, so a tanh RNN with halved weights and moved biases has the states 2h − 1."""
    torch.manual_seed(1)
    ours = CellModule(Structure("vanilla", 3, 4, layers, both, bias, "sigmoid"), torch.float64)
    theirs = nn.RNN(3, 4, layers, bidirectional=both, dtype=torch.float64)
    with torch.no_grad():
        for parameter in ours.parameters():
            parameter.copy_(torch.randn_like(parameter))
        for name in ours.structure.layer_names:
            w_ih, w_hh = ours.get_parameter(f"weight_ih_{name}"), ours.get_parameter(f"weight_hh_{name}")
            b = ours.get_parameter(f"bias_ih_{name}") + ours.get_parameter(f"bias_hh_{name}") if bias else 0
            below = name.startswith("l0")  # a lower layer's states arrive in the other coordinates too
            theirs.get_parameter(f"weight_ih_{name}").copy_(w_ih / (2 if below else 4))
            theirs.get_parameter(f"weight_hh_{name}").copy_(w_hh / 4)
            theirs.get_parameter(f"bias_ih_{name}").copy_((b + w_hh.sum(1) / 2 + (0 if below else w_ih.sum(1) / 2)) / 2)
            theirs.get_parameter(f"bias_hh_{name}").zero_()
    x = torch.randn(5, 2, 3, dtype=torch.float64)
    state = torch.rand(layers * (1 + both), 2, 4, dtype=torch.float64)
    output, last = ours(x, state)
    expected, expected_last = theirs(x, 2 * state - 1)
    assert torch.allclose(2 * output - 1, expected, atol=1e-12)
    assert torch.allclose(2 * last - 1, expected_last, atol=1e-12)
    assert torch.equal(ours(x)[0], ours(x, torch.zeros_like(state))[0])


@pytest.mark.parametrize(
    "structure",
    [
        Structure("vanilla", 3, 4, 2, True, False, "relu"),
        Structure("vanilla", 3, 4, 1, False, True, "sigmoid"),
        Structure("lstm", 3, 4, 2, True, True, proj_size=2),
        Structure("gru", 3, 4, 3, False, False),
        Structure("peephole_lstm", 3, 4, 2, True, True, proj_size=2),
        Structure("mingru", 3, 4, 2, True, False),
        *every_cell.STRUCTURES.values(),
    ],
)
def test_a_structure_makes_a_module_of_that_structure(structure: Structure) -> None:
    module = plain_module(structure, torch.float64)
    assert structure_of(module) == structure
    shapes = {name: tuple(parameter.shape) for name, parameter in module.named_parameters()}
    assert shapes == structure.parameter_shapes()
    assert all(parameter.dtype == torch.float64 for parameter in module.parameters())


def test_cells_have_a_structure_of_one_layer() -> None:
    assert structure_of(nn.RNNCell(3, 4, nonlinearity="relu")) == Structure("vanilla", 3, 4, activation="relu")
    assert structure_of(nn.GRUCell(3, 4, bias=False)) == Structure("gru", 3, 4, bias=False)


def test_predictions_are_finite_and_of_the_right_shape() -> None:
    model = build(ModelSettings("A", "vanilla", 4, own=VanillaSettings("sigmoid")), 3, 2, seed=1)
    prediction = model(torch.randn(7, 5, 3))
    assert prediction.shape == (7, 5, 2)
    assert np.isfinite(prediction.detach().numpy()).all()
