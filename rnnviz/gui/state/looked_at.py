"""Looked at: which trace of each model the person looks at, in history or as a what-if has it."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from rnnviz.gui.state.state import State
from rnnviz.gui.state.trial import Trial

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace


@dataclass(frozen=True, eq=False)
class LookedAt:
    """One model's trace and the sequence in it."""

    trace: "Trace | None"  # None until it is rebuilt
    sample: int = 0  # the sequence in `trace`, 0-based
    words: Literal["", "what-if", "history"] = ""  # which of the two; "" while nothing is set by hand

    @property
    def sequence(self) -> "Trace | None":
        """The sequence alone: a trace with N = 1."""
        return None if self.trace is None else self.trace.sample(self.sample)

    def titled(self, words: str) -> str:
        """A heading that says which of the two it stands above."""
        return f"{words}, {self.words}" if self.words else words


def looked_at(state: State, model: int | None = None) -> LookedAt:
    """What is looked at of the model at this index, else of the one that is stepped through.

    A what-if's changed trace stands in for the history of the model it was made for; the others stay history.
    """
    model = state.place.model if model is None else model
    found = state.what_if
    if found is not None and found.changed is not None and found.whatif.model == model:
        return LookedAt(found.changed, 0, "what-if")
    traces = state.recorded.traces
    trace = traces[model] if model < len(traces) else None
    sample = 0 if trace is None else min(state.place.sample, trace.sequences - 1)
    return LookedAt(trace, sample, "history" if state.trial.whatif.active else "")


def history_of(state: State) -> State:
    """The state as if nothing were set by hand."""
    return replace(state, trial=Trial())
