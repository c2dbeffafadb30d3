"""The history of a run while it grows: reads only what is new, into buffers that double; views are never copies."""

import time
from types import MappingProxyType
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.gui.state.run import History, MetricCurve
from rnnviz.runs.reading.reader import Run

_WHOLE_LIST_SECONDS = 5.0  # thinning removes captures here and there: that often the whole list is read again
_KINDS: tuple[CaptureKind, ...] = ("probe", "batch")


class GrowingArray:
    """A one-dimensional array that is appended to in amortised constant time. Views taken earlier stay as they were."""

    def __init__(self, dtype: Any) -> None:
        self._buffer: Array = np.empty(1024, dtype)
        self._length = 0

    def append(self, values: Array) -> None:
        wanted = self._length + len(values)
        if wanted > len(self._buffer):
            larger = np.empty(max(wanted, 2 * len(self._buffer)), self._buffer.dtype)
            larger[: self._length] = self._buffer[: self._length]
            self._buffer = larger
        self._buffer[self._length : wanted] = values
        self._length = wanted

    def view(self) -> Array:
        """What has been appended so far, (K,), read-only."""
        return frozen(self._buffer[: self._length])


class SharedSteps:
    """The training steps of many curves: those that begin alike are kept once."""

    def __init__(self) -> None:
        self._kept: list[GrowingArray] = []

    def continued(self, steps: GrowingArray | None, length: int, new: Array) -> GrowingArray:
        """An array that begins with the first `length` of a curve's `steps`, and goes on with the `new` ones."""
        for array in self._kept if steps is None else [steps]:
            known = array.view()[length : length + len(new)]
            if np.array_equal(known, new[: len(known)]):
                array.append(new[len(known) :])
                return array
        own = GrowingArray(np.int64)
        if steps is not None:
            own.append(steps.view()[:length])
        own.append(new)
        self._kept.append(own)
        return own


class HistoryReader:
    """Follows one run: `read` gives the history up to now, the same object when nothing came."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._shared = SharedSteps()
        self._steps: dict[tuple[int, str], GrowingArray] = {}
        self._values: dict[tuple[int, str], GrowingArray] = {}
        self._captured: dict[CaptureKind, Array] = dict.fromkeys(_KINDS, np.zeros(0, np.int64))
        self._whole_list_at = 0.0
        self._history = History()

    def read(self) -> History:
        """Reads what is new; RnnvizError if the file has become unreadable."""
        grown = self._read_curves()
        if grown | self._read_captured():
            curves = {key: self._curve(key) for key in self._steps}
            last = max(
                (int(curve.training_steps[-1]) for curve in curves.values() if len(curve.training_steps)), default=0
            )
            captured, batches = (self._captured[kind] for kind in _KINDS)
            last = max(last, int(captured[-1]) if len(captured) else 0)
            self._history = History(MappingProxyType(curves), captured, last, batches)
        return self._history

    def forget_captured(self) -> None:
        """The next `read` asks for the whole list of captures: one that was listed is no longer there."""
        self._whole_list_at = 0.0

    def _read_curves(self) -> bool:
        grown = False
        for name in self._run.metric_names():
            for model in self._run.models:
                key = (model.number, name)
                known = self._history.curves.get(key)
                after = int(known.training_steps[-1]) if known is not None and len(known.training_steps) else -1
                steps, values = self._run.curve(name, model.number, after)
                if len(steps) or key not in self._steps:
                    numbers = self._values.setdefault(key, GrowingArray(np.float64))
                    self._steps[key] = self._shared.continued(self._steps.get(key), len(numbers.view()), steps)
                    numbers.append(values)
                    grown = True
        return grown

    def _curve(self, key: tuple[int, str]) -> MetricCurve:
        values = self._values[key].view()
        return MetricCurve(self._steps[key].view()[: len(values)], values)

    def _read_captured(self) -> bool:
        now, changed = time.monotonic(), False
        newest = max((int(known[-1]) for known in self._captured.values() if len(known)), default=0)
        whole = now - self._whole_list_at > _WHOLE_LIST_SECONDS
        if whole:
            self._whole_list_at = now
        for kind, known in self._captured.items():
            # A list is checked row by row from its beginning: not again and again where there are none of a kind yet.
            last = int(known[-1]) if len(known) else newest - 1
            found = self._run.captured(-1 if whole else last, kind)
            if not whole:
                found = np.concatenate([known, found]) if len(found) else known
            if not np.array_equal(found, known):
                self._captured[kind] = frozen(found)
                changed = True
        return changed
