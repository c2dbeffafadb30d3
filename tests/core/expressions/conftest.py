"""Traces and a scope of small known numbers for the tests of the expression language."""

from collections.abc import Callable

import numpy as np
import pytest

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import NoValueError
from rnnviz.core.network import Stretch
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.trace import Trace, rebuild


class TableScope:
    """T = 5, H = 3: h is 11 12 13 / 21 22 23 / …, f its share of 100, c nothing but NaN; everything float32."""

    def __init__(self) -> None:
        self.model, self.model_number, self.cell = "LSTM, forget bias 3", 2, "lstm"
        h = np.arange(1, 6)[:, None] * 10 + np.arange(1, 4)
        self.arrays = {"h": h.astype(np.float32), "f": (h / 100).astype(np.float32), "losses": np.arange(5.0)}
        self.arrays["c"] = np.full((5, 3), np.nan, np.float32)
        self.arrays["dh"] = (h * 1e-30).astype(np.float32)
        self.arrays["h_l1"] = -self.arrays["h"]
        self.numbers = {"k": 100.0, "t": 2.0, "T": 5.0, "H": 3.0, "N": 4.0}
        self.metrics = {"loss": [3.0, 1.0, 2.0, 0.5], "grad_norm": [1.0, 2.0, 3.0, 100.0], "accuracy": [np.nan]}

    def number(self, name: str) -> float:
        return self.numbers[name]

    def metric(self, name: str) -> float:
        if name not in self.metrics:
            raise NoValueError(f"no {name}")
        return self.metrics[name][-1]

    def metric_window(self, name: str, count: int) -> Array:
        return np.array(self.metrics[name][-count:])

    def own(self, name: str, layer: str) -> Stretch | None:
        return None

    def quantity(self, name: str, layer: str) -> Array:
        key = f"{name}_{layer}" if layer else name
        if key not in self.arrays:
            raise NoValueError(f"no {key}")
        return self.arrays[key]


@pytest.fixture
def scope() -> TableScope:
    return TableScope()


@pytest.fixture
def make_trace() -> Callable[..., Trace]:
    """A trace of random weights with a head of two classes."""

    def make(cell: str, *, layers: int = 1, bidirectional: bool = False, with_head: bool = True) -> Trace:
        time_steps, hidden = 6, 4
        draw = np.random.default_rng(3)
        structure = Structure(cell, 3, hidden, layers, bidirectional)
        shapes = structure.parameter_shapes().items()
        weights = {name: draw.normal(0, 0.5, shape).astype(np.float32) for name, shape in shapes}
        inputs = draw.normal(0, 1, (time_steps, 2, 3)).astype(np.float32)
        state = np.zeros((layers * structure.directions, 2, hidden), np.float32)
        initial = dict.fromkeys(structure.equations.states, state)
        width = hidden * structure.directions
        grad = draw.normal(0, 1, (time_steps, 2, width)).astype(np.float32)
        head = Head(
            weight=draw.normal(0, 1, (2, width)).astype(np.float32),
            bias=np.zeros(2, np.float32),
            loss="cross entropy",
            targets=np.zeros((time_steps, 2), np.int64),
            loss_weight=np.ones((time_steps, 2), np.float32),
        )
        lengths = np.array([time_steps, time_steps - 2])
        shown = head if with_head else None
        return rebuild(
            Capture.of_one(
                weights,
                structure=structure,
                inputs=inputs,
                initial=initial,
                grad_output=grad,
                lengths=lengths,
                head=shown,
            )
        )

    return make
