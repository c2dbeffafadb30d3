"""Letters: which symbol is read at each time step, and whether a decoder was told it or had written it itself."""

from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.trace import CallTrace, Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.canvas.lanes.row import stretches


@dataclass(frozen=True)
class Letters:
    """What is read at each of the T time steps; time steps count from 1."""

    symbols: tuple[str, ...]  # "" where it is no symbol
    own: frozenset[int]  # the time steps at which a decoder reads what it wrote at the one before
    wrong: frozenset[int]  # those of them at which that was not the right answer
    words: tuple[str, ...]  # what a tooltip says of each beside the symbol

    def __len__(self) -> int:
        return len(self.symbols)


def letters_of(trace: Trace, task: TaskInfo) -> Letters:
    """Of the calls of a trace of one sequence; the first reads the task's input symbols, a decoder its own."""
    count = len(trace.layers[0].x)
    symbols, words, own, wrong = [""] * count, [""] * count, set[int](), set[int]()
    for number, there in stretches(trace):
        call = trace.calls[number]
        labels = task.decoder_labels if number and task.decoder_labels else task.input_labels
        for t, picked in zip(there, picked_symbols(call, there), strict=True):
            symbols[t] = "" if picked < 0 else labels[picked] if picked < len(labels) else "?"
        for t in there[1:] if number and task.decoder_labels else ():
            right = _right(trace, task, t - 1)
            if call.call.told is None or bool(call.call.told[t - there.start, 0]):
                words[t] = ", told: the right answer of the time step before"
                continue
            own.add(t + 1)
            words[t] = ", its own output of the time step before"
            if right and right != symbols[t]:
                wrong.add(t + 1)
                words[t] += f"; right was {readable(right)}"
    return Letters(tuple(symbols), frozenset(own), frozenset(wrong), tuple(words))


def picked_symbols(call: CallTrace, there: range) -> list[int]:
    """The numbers of the symbols a call reads, −1 for none."""
    if call.call.embedding is not None:
        return [int(symbol) for symbol in call.call.embedding.symbols[:, 0]]
    columns: Array = call.layers[0].x[there.start : there.stop, 0]
    return [int(k) if row[k] else -1 for row, k in zip(columns, np.argmax(columns, axis=1), strict=True)]


def _right(trace: Trace, task: TaskInfo, t: int) -> str:
    """The answer asked for at a time step, from 0; "" where none is known."""
    classes = None if trace.head is None else trace.head.classes
    if classes is None or not 0 <= int(classes[t, 0]) < len(task.output_labels):
        return ""
    return task.output_labels[int(classes[t, 0])]
