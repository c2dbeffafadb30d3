"""Need: a condition on the state that a command has, and what a person is told while it does not hold."""

from collections.abc import Callable
from dataclasses import dataclass

from rnnviz.gui.state.state import State


@dataclass(frozen=True)
class Need:
    """Conditions in the order in which they are told; called with a state, whether all of them hold."""

    conditions: tuple[tuple[Callable[[State], bool], str], ...]

    def __call__(self, state: State) -> bool:
        return all(holds(state) for holds, _ in self.conditions)

    def __and__(self, other: "Need") -> "Need":
        return Need((*self.conditions, *other.conditions))

    def missing(self, state: State) -> str:
        """The first thing that `state` lacks, as half a sentence: "no model has a second layer"; "" if nothing."""
        return next((words for holds, words in self.conditions if not holds(state)), "")


def need(holds: Callable[[State], bool], missing: str) -> Need:
    """One condition; `missing` says what is the matter while it does not hold."""
    return Need(((holds, missing),))


has_run = need(lambda state: state.run.path is not None, "no run is open")
has_trace = need(
    lambda state: any(trace is not None for trace in state.recorded.traces),
    "there is no trace yet: train, or open a run",
)
