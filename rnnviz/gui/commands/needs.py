"""Need: a condition on the state that a command has, and what a person is told while it does not hold."""

from collections.abc import Callable
from dataclasses import dataclass

from rnnviz.gui.state.state import State

Condition = Callable[[State], bool]


@dataclass(frozen=True)
class Need:
    """Conditions in the order in which they are told; called with a state, whether all of them hold."""

    conditions: tuple[tuple[Condition, str], ...]

    def __call__(self, state: State) -> bool:
        return all(holds(state) for holds, _ in self.conditions)

    def __and__(self, other: "Need") -> "Need":
        return Need((*self.conditions, *other.conditions))

    def missing(self, state: State, held: dict[Condition, bool] | None = None) -> str | None:
        """The first thing that `state` lacks, as half a sentence: "no model has a second layer"; None if nothing.
        `held`: which conditions are known to hold in this state, or not to."""
        held = {} if held is None else held
        for holds, words in self.conditions:
            known = held.get(holds)
            if known is None:
                known = held[holds] = holds(state)
            if not known:
                return words
        return None


def need(holds: Callable[[State], bool], missing: str) -> Need:
    """One condition; `missing` says what is the matter while it does not hold."""
    return Need(((holds, missing),))


has_run = need(lambda state: state.run.path is not None, "no run is open")
has_trace = need(
    lambda state: any(trace is not None for trace in state.recorded.traces),
    "there is no trace yet: train, or open a run",
)
