"""The matrix: every cell with every head that applies trains, traces, steps, saves and reopens, and goes through every
form of depth and time."""

from dataclasses import replace
from pathlib import Path

import every_network
import numpy as np
import pytest
import torch

from rnnviz.core.arrays import Array
from rnnviz.core.cells import CELLS
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.layered import Given
from rnnviz.engine.tracing.torch_forward import torch_forward

T, N = 5, 3
LENGTHS, CUT = np.array([3, 5, 1]), np.array([False, True, False, True, False])
FORMS: dict[str, tuple[str, ...]] = {
    "padded": ("lengths",),
    "residual": ("residual",),
    "dropout": ("masks",),
    "cut": ("cut",),
    "residual, dropout, cut and padded": ("residual", "masks", "cut", "lengths"),
}


@pytest.mark.parametrize("cell", CELLS)
def test_every_network_works_with_every_head(cell: str, tmp_path: Path) -> None:
    tried = []
    for number, experiment in enumerate(every_network.experiments(cell)):
        folder = tmp_path / str(number)
        folder.mkdir()
        tried += every_network.try_networks(experiment, folder)
    assert len({(one.head, one.loss) for one in tried}) == len(tried) == 15
    assert {one.verdict for one in tried} == {"right"}
    assert max(one.difference for one in tried) < 1e-3


def capture_of(cell: str, forms: tuple[str, ...], *, one_direction: bool) -> Capture:
    """Random numbers in float64 for three layers, or both directions of two, with torch's own output and gradients."""
    kind, draw = CELLS[cell], np.random.default_rng(23)
    layers = 1 if kind.one_layer else 3 if one_direction else 2
    structure = Structure(cell, 2, 3, layers, not (one_direction or kind.one_direction), residual="residual" in forms)
    width, window = structure.directions * structure.output_size, "window" in kind.settings.__dataclass_fields__
    structure = replace(structure, window=2) if window else structure

    def numbers(*shape: int) -> Array:
        return 0.6 * draw.normal(size=shape)

    states = structure.equations.states
    capture = Capture.of_one(
        {name: numbers(*shape) for name, shape in structure.parameter_shapes().items()},
        structure=structure,
        inputs=numbers(T, N, 2),
        initial={state: numbers(len(structure.layer_ids), N, structure.units(state)) for state in states},
        grad_output=numbers(T, N, width),
        lengths=LENGTHS if "lengths" in forms else None,
        masks=(draw.random((layers - 1, T, N, width)) < 0.7) / 0.7 if "masks" in forms and layers > 1 else None,
        cut=CUT if "cut" in forms else None,
    )
    return with_torchs_numbers(capture)


def with_torchs_numbers(capture: Capture) -> Capture:
    (call,) = capture.calls
    lengths, masks, cut = (None if one is None else torch.tensor(one) for one in (call.lengths, call.masks, call.cut))
    given = Given(
        tuple(torch.tensor(call.initial[one]) for one in call.structure.equations.states), lengths, masks, cut
    )
    weights = {name: torch.tensor(weight) for name, weight in capture.weights.items()}
    with torch.enable_grad():
        output, parameters = torch_forward(call.structure, weights, torch.tensor(call.inputs), given)
        grads = torch.autograd.grad(output, parameters, torch.tensor(call.grad_output))
    found = {name: grad.numpy() for name, grad in zip(call.structure.parameter_shapes(), grads, strict=True)}
    return replace(capture.with_call(output=output.detach().numpy()), grads=found)


@pytest.mark.parametrize("cell", CELLS)
def test_every_form_of_every_cell_is_torchs_own(cell: str) -> None:
    for number, forms in enumerate(FORMS.values()):
        for one_direction in (False, True) if len(forms) > 1 else (number % 2 == 0,):
            capture = capture_of(cell, forms, one_direction=one_direction)
            trace = rebuild(capture)
            assert trace.verdict.right, (forms, trace.verdict.words)
            assert trace.fidelity < 1e-10, forms
            again = rebuild(capture.with_call(output=None))  # no state is known beforehand
            np.testing.assert_allclose(again.calls[0].output, capture.output, rtol=1e-11, atol=1e-13)


def arrays_of(layer: Layer) -> dict[str, Array]:
    """Every value and gradient over time of a layer, (T, N, ·)."""
    found = {"x": layer.x, "∂x": layer.input_grad, "direct": layer.direct_grad}
    for node in layer.equations.by_name:
        found |= {node: layer.value(node), f"∂{node}": layer.grad(node)}
    return found | {f"carried {state}": layer.carried(state) for state in layer.equations.states}


@pytest.mark.parametrize("cell", CELLS)
def test_a_padded_batch_is_each_of_its_sequences_alone(cell: str) -> None:
    """Its states and gradients to 12 digits, of weights their sum; what is padding is exactly 0."""
    capture = capture_of(cell, FORMS["residual, dropout, cut and padded"], one_direction=False)
    whole, beyond = rebuild(capture), np.arange(T)[:, None] >= LENGTHS
    alone = [rebuild(capture.sample(n)) for n in range(N)]
    assert not whole.calls[0].output[beyond].any()
    for number, layer in enumerate(whole.layers):
        for name, array in arrays_of(layer).items():
            assert not array[beyond].any(), name
            for n, one in enumerate(alone):
                close(array[: LENGTHS[n], n], arrays_of(one.layers[number])[name][:, 0], name)
        for name, grad in layer.weight_grads.items():
            close(grad, sum(one.layers[number].weight_grads[name] for one in alone), name)
        for name, grad in layer.initial_grads.items():
            close(grad, np.concatenate([one.layers[number].initial_grads[name] for one in alone]), name)


def close(ours: Array, theirs: Array, name: str) -> None:
    assert np.abs(ours - theirs).max(initial=0) <= 1e-12 * max(np.abs(theirs).max(initial=0), 1e-3), name
