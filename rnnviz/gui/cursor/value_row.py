"""Value row: the record of one quantity of "At the cursor", and of the place in a trace it is read from."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from rnnviz.core.arrays import Array
from rnnviz.core.optimising.clipping import Clipping
from rnnviz.core.sweeps.trace import CallTrace, Layer, Trace
from rnnviz.core.tasks.info import TaskInfo

Group = Literal["state", "gates", "prediction", "loss", "gradient", "weights"]
Colors = Literal["signed unit", "signed", "unit", "magnitude", "plain"]  # how the strip of a row is coloured


@dataclass(frozen=True)
class ValueSource:
    """One sequence (N = 1) at one time step of one layer; `layer` is None where the model has none so called, and where
    it does not exist at the time step."""

    trace: Trace
    layer: Layer | None
    time_step: int  # 1-based, within the sequence
    task: TaskInfo | None
    clipping: Clipping | None = None  # of the update

    @property
    def row(self) -> int:
        return self.time_step - 1

    @cached_property
    def reading(self) -> CallTrace:
        """The call that reads an input at the time step."""
        calls = self.trace.calls
        return next((call for call in calls if self.row in call.layers[0].times()), calls[0])

    @property
    def labels(self) -> tuple[str, ...]:
        """Of the columns of that input, or of its symbols."""
        if self.task is None:
            return ()
        return self.task.decoder_labels if self.reading is not self.trace.calls[0] else self.task.input_labels

    @property
    def lost(self) -> bool:
        """Whether float32 has lost the gradient here, so that the numbers are of the float64 rebuild."""
        return self.backward is not self.layer

    @cached_property
    def backward(self) -> Layer | None:
        """The layer whose gradients are shown."""
        if self.layer is None:
            return None
        return self.trace.holding(self.layer.name, self.row).layer(self.layer.name)


@dataclass(frozen=True)
class ValueRow:
    """One quantity. `symbol` is marked text with "t" already replaced; `vector` gives what lies behind the number.

    `number` returns text as shown, None where the cell has no such quantity. Vectors are (H,), or (T,) for shares.
    """

    key: str
    words: str
    symbol: str
    group: Group
    number: Callable[[ValueSource], str | None]
    vector: Callable[[ValueSource], Array | None]
    colors: Colors
    part: bool = False  # a part of the row above it: drawn muted
    over_time: bool = False  # the vector runs over time steps
    family: str = ""  # of a gate: its colours
    note: Callable[[ValueSource], str] = lambda source: ""  # one more sentence for the tooltip


def shown_symbol(label: str) -> str:
    """A symbol that can be seen: a space as ␣, a line end as ↵, a tabulator as ⇥."""
    return {" ": "␣", "\n": "↵", "\t": "⇥", "\r": "↵"}.get(label, label)
