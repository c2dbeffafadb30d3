"""The gradient flow of one sequence against one autograd backward for each loss over the unrolled cells."""

from collections.abc import Iterator

import numpy as np
import torch
from measure_rebuild import MODULES, ratio
from ratios import Row

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.tracing.capture import capture_module

CELLS = {"vanilla": torch.nn.RNNCell, "LSTM": torch.nn.LSTMCell, "GRU": torch.nn.GRUCell}
HIDDEN, LENGTH, INPUTS = 128, 100, 16
FLOW = 20.0


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    for name in ("LSTM", "GRU", "vanilla"):
        torch.manual_seed(0)
        module, inputs = MODULES[name](INPUTS, HIDDEN), torch.randn(LENGTH, 1, INPUTS)
        upstream = torch.randn(LENGTH, 1, HIDDEN)
        layer = rebuild(capture_module(module, inputs, grad_output=upstream)).layers[0]
        states = _unrolled(name, module, inputs)
        found = _by_autograd(states, upstream)
        assert np.allclose(flow_of(layer).values, found, rtol=1e-3, atol=1e-6 * found.max())
        value = ratio(
            lambda states=states, upstream=upstream: _by_autograd(states, upstream),
            lambda layer=layer: _swept(layer),
            8,
        )
        words = f"gradient flow, {name}, H={HIDDEN}, T={LENGTH}: one autograd backward per loss, of it"
        yield Row(words, value, FLOW, at_least=True)


def _swept(layer: Layer) -> None:
    layer.forget()  # so that the derivatives are computed, too
    flow_of(layer)


def _unrolled(name: str, module: torch.nn.Module, inputs: torch.Tensor) -> list[torch.Tensor]:
    """h of every time step, by the same weights."""
    cell = CELLS[name](INPUTS, HIDDEN)
    cell.load_state_dict({key.removesuffix("_l0"): value for key, value in module.state_dict().items()})
    zeros = torch.zeros(1, HIDDEN)
    state, found = (zeros, zeros) if name == "LSTM" else zeros, []
    for x in inputs:
        state = cell(x, state)
        found.append(state[0] if name == "LSTM" else state)
    return found


def _by_autograd(states: list[torch.Tensor], upstream: torch.Tensor) -> Array:
    """(T, T) F[k, t], by one backward for each k."""
    found = np.zeros((LENGTH, LENGTH))
    for k, last in enumerate(states):
        grads = torch.autograd.grad(last, states[: k + 1], upstream[k], retain_graph=True)
        found[k, : k + 1] = torch.stack(grads).norm(dim=-1)[:, 0].numpy()
    return found
