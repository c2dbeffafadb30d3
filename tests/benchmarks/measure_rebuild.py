"""Rebuilding a whole trace from its capture against one fused forward and backward sweep of the same torch module."""

import gc
import time
from collections.abc import Callable, Iterator
from statistics import median

import torch
from ratios import Row

from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.tracing.capture import capture_module

SIZES = ((64, 50, 1.0), (128, 100, 1.0), (256, 200, 1.0), (64, 1000, 4.0))  # H, T, goal
MODULES = {"vanilla": torch.nn.RNN, "LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}


def seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ratio(first: Callable[[], object], second: Callable[[], object], rounds: int) -> float:
    """Median time of `first` over median time of `second`, measured in turns so that both see the same machine."""
    for work in (first, second, first, second):
        work()
    gc.disable()
    times = [(seconds(first), seconds(second)) for _ in range(rounds)]
    gc.enable()
    return median(a for a, _ in times) / median(b for _, b in times)


def sweeps(capture: Capture) -> None:
    """Both sweeps: states, gates, and their gradients at every time step."""
    for layer in rebuild(capture).layers:
        assert layer.hidden_grad is not None


def whole_trace(capture: Capture) -> None:
    """Everything the window shows of a trace, the lazy parts too: weight gradients, shares, and the check."""
    trace = rebuild(capture)
    assert trace.fidelity < 1e-4
    for layer in trace.layers:
        assert layer.hidden_grad is not None
        assert layer.gate_grads
        assert layer.weight_grads
        assert layer.weight_grad_shares


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    for name, kind in MODULES.items():
        for hidden, length, goal in SIZES:
            torch.manual_seed(0)
            module = kind(hidden, hidden)
            inputs = torch.randn(length, 1, hidden)
            upstream = torch.randn(length, 1, hidden) / length
            capture = capture_module(module, inputs, grad_output=upstream)

            def fused(module=module, inputs=inputs, upstream=upstream) -> None:
                module.zero_grad()
                output, _ = module(inputs)
                output.backward(upstream)

            rounds = 60 if length < 500 else 12
            value = ratio(lambda capture=capture: sweeps(capture), fused, rounds)
            yield Row(f"rebuild both sweeps, {name}, H={hidden}, T={length}, of one fused sweep", value, goal)
            value = ratio(lambda capture=capture: whole_trace(capture), fused, rounds)
            yield Row("  with weight gradients, shares and the check", value, goal)
