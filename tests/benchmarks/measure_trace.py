"""One call of `rnnviz.trace`, the fused pass it makes included, against one fused sweep of the same torch module."""

from collections.abc import Iterator

import torch
from measure_rebuild import MODULES, ratio
from ratios import Row

import rnnviz

BATCH = {"vanilla": 1.5, "LSTM": 2.5, "GRU": 1.5}  # goals of T = 100, N = 32, H = 128
SINGLE = 2.5  # of an LSTM, T = 50, N = 1, H = 64
FEW = 0.5  # 4 of 32 sequences, of all 32


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    for name, goal in BATCH.items():
        yield _row(name, 100, 32, 128, goal)
    yield _row("LSTM", 50, 1, 64, SINGLE)
    module, inputs, upstream = _given("LSTM", 100, 32, 128)
    value = ratio(
        lambda: rnnviz.trace(module, inputs, None, upstream, sequences=range(4)),
        lambda: rnnviz.trace(module, inputs, None, upstream),
        12,
    )
    yield Row("rnnviz.trace, LSTM, 4 of 32 sequences, of all", value, FEW)


def _row(name: str, length: int, sequences: int, hidden: int, goal: float) -> Row:
    module, inputs, upstream = _given(name, length, sequences, hidden)

    def fused() -> None:
        module.zero_grad()
        output, _ = module(inputs)
        output.backward(upstream)

    value = ratio(lambda: rnnviz.trace(module, inputs, None, upstream), fused, 60 if sequences == 1 else 12)
    return Row(f"rnnviz.trace, {name}, H={hidden}, T={length}, N={sequences}, of one fused sweep", value, goal)


def _given(name: str, length: int, sequences: int, hidden: int) -> tuple[torch.nn.Module, torch.Tensor, torch.Tensor]:
    torch.manual_seed(0)
    shape = length, sequences, hidden
    return MODULES[name](hidden, hidden), torch.randn(shape), torch.randn(shape) / length
