"""Metrics over training steps, as conditions look back on them: growing while a model trains, or read from a run."""

from collections.abc import Mapping

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.expressions.functions import MAX_WINDOW
from rnnviz.core.expressions.scope import not_recorded

_SPARE = 4  # the buffer moves its values once every (_SPARE − 1) · window additions


class GrowingMetrics:
    """The metrics of a model that is training: `add` after each training step, then ask.

    Keeps the last `window` values of each metric: the longest window of the expressions in use (`Expression.metrics`).
    """

    def __init__(self, window: int = MAX_WINDOW) -> None:
        self._window = max(window, 1)
        self._now: dict[str, float] = {}
        self._buffers: dict[str, Array] = {}
        self._ends: dict[str, int] = {}

    def add(self, values: Mapping[str, float]) -> None:
        """The metrics of the next training step; one that is left out has no value at it."""
        self._now = {name: float(value) for name, value in values.items()}
        for name, value in self._now.items():
            self._append(name, value)

    def _append(self, name: str, value: float) -> None:
        buffer = self._buffers.setdefault(name, np.empty(self._window * _SPARE))
        end = self._ends.get(name, 0)
        if end == len(buffer):
            kept = self._window - 1
            buffer[:kept] = buffer[end - kept : end]
            end = kept
        buffer[end] = value
        self._ends[name] = end + 1

    def metric(self, name: str) -> float:
        if name not in self._now:
            raise not_recorded(name)
        return self._now[name]

    def metric_window(self, name: str, count: int) -> Array:
        self.metric(name)
        end = self._ends[name]
        return frozen(self._buffers[name][max(end - min(count, self._window), 0) : end])


class RecordedMetrics:
    """The metrics of a whole run: `look_at` a training step, then ask. Gives what GrowingMetrics gave at the time."""

    def __init__(self, curves: Mapping[str, tuple[Array, Array]]) -> None:
        """`curves`: for each metric its training steps (K,), ascending, and values (K,)."""
        self._places: dict[str, dict[int, int]] = {
            name: dict(zip(np.asarray(steps).tolist(), range(len(steps)), strict=True))
            for name, (steps, _) in curves.items()
        }
        self._values = {name: frozen(np.asarray(values, np.float64)) for name, (_, values) in curves.items()}
        self._numbers: dict[str, dict[int, float]] = {  # by training step
            name: dict(zip(places, self._values[name].tolist(), strict=True)) for name, places in self._places.items()
        }
        self._step = 0

    def look_at(self, training_step: int) -> None:
        self._step = training_step

    def metric(self, name: str) -> float:
        try:
            return self._numbers[name][self._step]
        except KeyError:
            raise not_recorded(name) from None

    def metric_window(self, name: str, count: int) -> Array:
        try:
            end = self._places[name][self._step] + 1
        except KeyError:
            raise not_recorded(name) from None
        return self._values[name][max(end - count, 0) : end]
