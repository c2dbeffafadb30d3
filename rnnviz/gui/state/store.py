"""Store: the window's whole state, and the one signal that says it changed."""

import sys
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from types import EllipsisType, FrameType
from typing import Any, Concatenate, ParamSpec, TypeVar

from PySide6.QtCore import QObject, Signal

from rnnviz.debugger.places import Place
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.run import Recorded, ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.trial import Trial
from rnnviz.gui.state.window import Appearance, Message, Notices

MOST_CHAINED = 100  # updates that listeners may make while one update is told

Group = TypeVar("Group")
Arguments = ParamSpec("Arguments")


def setting(**changes: Any) -> Callable[[Group], Group]:
    """The transition that replaces these fields of a group, whatever its others are by then."""
    return lambda group: replace(group, **changes)  # type: ignore[type-var]  # every group is a dataclass


class Store(QObject):
    """Holds the state. `changed(old, new)` is emitted once for each `change` that changes something.

    The state advances at once; what listeners are told of it goes out first in, first out. So a change that a listener
    makes is told to all of them when the one they are being told of is done: everyone sees every change, once and in
    order. A listener uses the `new` it is given, which the state may have left behind already.
    """

    changed = Signal(object, object)

    def __init__(self, state: State | None = None) -> None:
        super().__init__()
        self._state = state or State()
        self._thread = threading.get_ident()
        self._untold: deque[tuple[State, State]] = deque()
        self._changing: list[str] | None = (
            None  # listeners that made a change since `_tell` began; None: nobody is told
        )

    @property
    def state(self) -> State:
        return self._state

    def change(
        self,
        *,
        run: Callable[[ShownRun], ShownRun] | None = None,
        recorded: Callable[[Recorded], Recorded] | None = None,
        place: Callable[[Place], Place] | None = None,
        look: Callable[[Appearance], Appearance] | None = None,
        debugging: Callable[[Debugging], Debugging] | None = None,
        trial: Callable[[Trial], Trial] | None = None,
        notices: Callable[[Notices], Notices] | None = None,
    ) -> None:
        """Applies a transition to each group that is given one; RuntimeError where listeners go round in a circle."""
        assert threading.get_ident() == self._thread, "the store belongs to the thread of the window"
        old = new = self._state
        if run is not None:
            new = replace(new, run=_changed(old.run, run))
        if recorded is not None:
            new = replace(new, recorded=_changed(old.recorded, recorded))
        if place is not None:
            new = replace(new, place=_changed(old.place, place))
        if look is not None:
            new = replace(new, look=_changed(old.look, look))
        if debugging is not None:
            new = replace(new, debugging=_changed(old.debugging, debugging))
        if trial is not None:
            new = replace(new, trial=_changed(old.trial, trial))
        if notices is not None:
            new = replace(new, notices=_changed(old.notices, notices))
        if _same(old, new):
            return
        if self._changing is not None:
            self._changing.append(_listener())
            if len(self._changing) > MOST_CHAINED:
                raise RuntimeError(_circle(self._changing))
        self._state = new
        self._untold.append((old, new))
        if self._changing is None:
            self._tell()

    def go(
        self,
        transition: Callable[Concatenate[Place, Arguments], Place],
        *args: Arguments.args,
        **kwargs: Arguments.kwargs,
    ) -> None:
        """Changes the place by one of the functions of `rnnviz.debugger.places`: `store.go(to_unit, 3)`."""
        self.change(place=lambda place: transition(place, *args, **kwargs))

    def say(self, message: Message | EllipsisType | None = ..., *, busy: str | None = None) -> None:
        """Shows a message, or with None puts it away; `busy` as long as something slow goes on, "" once it is done."""
        said = {} if isinstance(message, EllipsisType) else {"message": message}
        self.change(notices=setting(**said, **({} if busy is None else {"busy": busy})))

    def _tell(self) -> None:
        """Tells the listeners what they have not been told yet, and what they change meanwhile."""
        self._changing = []
        try:
            while self._untold:
                self.changed.emit(*self._untold.popleft())
        finally:
            changing, self._changing = self._changing, None
        if len(changing) > MOST_CHAINED:
            raise RuntimeError(_circle(changing))


def _changed(group: Group, transition: Callable[[Group], Group]) -> Group:
    """The group after the transition; the very same one where nothing in it changed."""
    new = transition(group)
    return group if _same(group, new) else new


def _same(one: Any, other: Any) -> bool:
    return one is other or all(getattr(one, each.name) is getattr(other, each.name) for each in fields(one))


def _listener() -> str:
    """The name of the listener that is being told right now: the outermost function below `_tell`."""
    frame: FrameType | None = sys._getframe(1)
    inner = None
    while frame is not None and frame.f_code is not Store._tell.__code__:
        frame, inner = frame.f_back, frame
    return inner.f_code.co_qualname if inner is not None else "an unknown listener"


def _circle(names: Sequence[str]) -> str:
    return f"Listeners that change the state without end: {', '.join(dict.fromkeys(names))}."
