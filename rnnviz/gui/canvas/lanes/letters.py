"""Letters: which symbol is read at each time step, and whether a decoder was told it or had written it itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.trace import CallTrace, Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.canvas.lanes.row import stretches

Whose = Literal["", "told", "own", "either"]  # "": of what is given; "either": the model had written what it was told
WHOSE: dict[Whose, str] = {
    "": "",
    "told": ", told: the right answer of the time step before",
    "own": ", its own output of the time step before",
    "either": ", the right answer of the time step before, which is its own output as well",
}


@dataclass(frozen=True)
class Letters:
    """(T,) what is read at each time step, "" where it is no symbol, and from whom."""

    symbols: tuple[str, ...]
    whose: tuple[Whose, ...]

    @property
    def own(self) -> frozenset[int]:
        """The time steps, from 1, at which the model reads what it wrote and the answer was another."""
        return frozenset(t for t, whose in enumerate(self.whose, 1) if whose == "own")


def letters_of(trace: Trace, task: TaskInfo) -> Letters:
    """Of the calls of a trace of one sequence; the first reads the task's input symbols, a decoder its own."""
    count = len(trace.layers[0].x)
    symbols, whose = [""] * count, list[Whose]([""] * count)
    for number, own in stretches(trace):
        labels = task.decoder_labels if number and task.decoder_labels else task.input_labels
        picked = picked_symbols(trace.calls[number], own)
        for t, symbol in zip(own, picked, strict=True):
            symbols[t] = "" if symbol < 0 else labels[symbol] if symbol < len(labels) else "?"
        if number and task.decoder_labels:
            _say_whose(trace, own, picked, whose)
    return Letters(tuple(symbols), tuple(whose))


def picked_symbols(call: CallTrace, own: range) -> list[int]:
    """The numbers of the symbols a call reads, −1 for none."""
    if call.call.embedding is not None:
        return [int(symbol) for symbol in call.call.embedding.symbols[:, 0]]
    columns: Array = call.layers[0].x[own.start : own.stop, 0]
    return [int(k) if row[k] else -1 for row, k in zip(columns, np.argmax(columns, axis=1), strict=True)]


def _say_whose(trace: Trace, own: range, picked: Sequence[int], whose: list[Whose]) -> None:
    """From the second time step on, by what was right and what was written at the one before."""
    head = trace.head
    if head is None or head.classes is None:
        return
    for t, symbol in zip(own[1:], picked[1:], strict=True):
        right, written = int(head.classes[t - 1, 0]) == symbol, int(np.argmax(head.prediction[t - 1, 0])) == symbol
        whose[t] = "either" if right and written else "told" if right else "own"
