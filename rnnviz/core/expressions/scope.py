"""What an expression is asked of: one moment of one model, seen through names."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions.problems import NoValueError
from rnnviz.core.network import Stretch


class Scope(Protocol):
    """One model at one training step and, where there is a trace, one time step of one sequence.

    What is not there (no such metric at this training step, no trace, no such gate in this cell) is a NoValueError.
    """

    @property
    def model(self) -> str:
        """The model's name, as in the experiment."""

    @property
    def model_number(self) -> int:
        """Its place in the experiment, counted from 1."""

    @property
    def cell(self) -> str: ...

    def number(self, name: str) -> float:
        """k, t, T, H or N."""

    def metric(self, name: str) -> float:
        """The metric's value of this training step."""

    def metric_window(self, name: str, count: int) -> Array:
        """(≤ count,) float64: its last recorded values up to this training step, oldest first."""

    def quantity(self, name: str, layer: str) -> Array:
        """(T, units) or (T,) of the sequence looked at; `layer` "" is the layer looked at."""

    def own(self, name: str, layer: str) -> Stretch | None:
        """Where on the time axis a quantity has values; None: at all time steps."""


class MetricSource(Protocol):
    """Where a scope has its metrics from; both raise NoValueError where there is none."""

    def metric(self, name: str) -> float: ...

    def metric_window(self, name: str, count: int) -> Array: ...


class FixedMetrics:
    """The metrics of one training step alone, without the values before it."""

    def __init__(self, values: Mapping[str, float]) -> None:
        self._values = dict(values)

    def metric(self, name: str) -> float:
        if name not in self._values:
            raise not_recorded(name)
        return self._values[name]

    def metric_window(self, name: str, count: int) -> Array:
        return np.array([self.metric(name)], np.float64)


class MetricScope:
    """A model at a training step without its trace: conditions on metrics need no more."""

    def __init__(
        self,
        metrics: MetricSource,
        training_step: int,
        model: str = "",
        model_number: int = 1,
        cell: str = "vanilla",
    ) -> None:
        self.model = model
        self.model_number = model_number
        self.cell = cell
        self.training_step = training_step
        self.metric = metrics.metric
        self.metric_window = metrics.metric_window

    def number(self, name: str) -> float:
        if name == "k":
            return float(self.training_step)
        raise NoValueError(f"{name} has no value at training step {self.training_step:,}: nothing was captured there.")

    def quantity(self, name: str, layer: str) -> Array:
        raise NoValueError(f"{name} has no value at training step {self.training_step:,}: nothing was captured there.")

    def own(self, name: str, layer: str) -> Stretch | None:
        return None


def not_recorded(name: str) -> NoValueError:
    """The metric has no value at this training step."""
    return NoValueError(f"{name} was not recorded at this training step.")
