"""Slow walk: the cursor steps by itself, forward or back, at a speed that a person sets."""

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import QObject, QTimer, Slot

from rnnviz.debugger.walking import StepCommand
from rnnviz.gui.commands.actions import Command, Face
from rnnviz.gui.commands.needs import has_trace
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.walker import Walker

MENU = "Debug"
WALK = "Slow walk"  # the entry below which it is
SPEEDS = (0.5, 1.0, 2.0, 4.0, 8.0, 16.0)  # steps a second


class SlowWalk(QObject):
    """Steps while `State.look.walking` says so; at the end of the program it stops by itself."""

    def __init__(self, store: Store, walker: Walker, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._walker = store, walker
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._step)
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.walking and not has_trace(new):
            self._store.change(look=setting(walking=0))
        elif (new.look.walking, new.look.walk_speed) != (old.look.walking, old.look.walk_speed):
            if new.look.walking:
                self._timer.start(milliseconds(new))
            else:
                self._timer.stop()

    @Slot()
    def _step(self) -> None:
        direction = self._store.state.look.walking
        if direction and not self._walker.step(StepCommand.OVER, direction):
            self._store.change(look=setting(walking=0))


def milliseconds(state: State) -> int:
    """From one step to the next."""
    return round(1000 / state.look.walk_speed)


def slow_walk_commands(store: Store) -> Sequence[Command]:
    """Walk, walk back, faster, slower."""

    def walk(direction: int) -> None:
        now = store.state.look.walking
        store.change(look=setting(walking=0 if now == direction else direction))

    def face(direction: int, words: str, state: State) -> Face:
        return Face("Stop the slow walk" if state.look.walking == direction else words, "")

    def change_speed(by: int) -> None:
        store.change(look=setting(walk_speed=stepped(store.state.look.walk_speed, by)))

    def command(key: str, words: str, tooltip: str, run: Callable[[], object], keys: tuple[str, ...],
                direction: int = 0) -> Command:  # fmt: skip
        faces = partial(face, direction, words) if direction else None
        return Command(key, words, tooltip, run, MENU, keys, "", has_trace, faces, section=1, submenu=WALK)

    return (
        command("slow_walk", "Walk forward", "from point to point by itself, as deep as the cursor stands",
                partial(walk, 1), ("W",), 1),
        command("slow_walk_back", "Walk back", "the same way in reverse", partial(walk, -1), ("Shift+W",), -1),
        command("walk_faster", "Faster", "up to 16 steps a second", partial(change_speed, 1), ("Shift+Up",)),
        command("walk_slower", "Slower", "down to one step in two seconds", partial(change_speed, -1), ("Shift+Down",)),
    )  # fmt: skip


def stepped(speed: float, by: int) -> float:
    """The speed so many faster, the last one where there is none."""
    place = min(range(len(SPEEDS)), key=lambda one: abs(SPEEDS[one] - speed))
    return SPEEDS[min(max(place + by, 0), len(SPEEDS) - 1)]
