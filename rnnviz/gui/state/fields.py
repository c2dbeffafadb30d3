"""Fields: the part of the state that a listener looks at, named once."""

from operator import attrgetter

from rnnviz.gui.state.state import State


class Fields:
    """`Fields("place.cursor", "recorded.traces").changed(old, new)`; a name the state lacks is an AttributeError."""

    def __init__(self, *names: str) -> None:
        self._reads = [attrgetter(name) for name in names]
        self.changed(State(), State())

    def changed(self, old: State, new: State) -> bool:
        """Whether any of them is another value."""
        return any(read(old) is not read(new) for read in self._reads)
