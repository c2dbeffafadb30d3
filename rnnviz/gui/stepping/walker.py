"""Takes steps through the program: what a debugger's keys do to the cursor in the store."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from rnnviz.debugger import goto
from rnnviz.debugger.breakpoints import next_stop
from rnnviz.debugger.cursor import Cursor
from rnnviz.debugger.places import run_target, walked
from rnnviz.debugger.walking import StepCommand, Walk, step
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message


class Walker:
    """Moves the cursor by the commands of the debugger; `show_training_step` brings the traces of another one."""

    def __init__(self, store: Store, show_training_step: Callable[[int], None]) -> None:
        self._store = store
        self._show_training_step = show_training_step
        self._said: Message | None = None

    def step(
        self, command: StepCommand, direction: int = 1, *, across: bool = False, target: Cursor | None = None
    ) -> bool:
        """One command, forward or reversed; whether it went anywhere, else a message says why not.

        Only `across` it goes on into another training step.
        """
        state = self._store.state
        program = state.program if across else replace(state.program, training_steps=())
        walk = step(program, state.place.walk, command, direction, target=target)
        if walk.moved:
            self._stand(walk)
        elif across or command in (StepCommand.PHASE_END, StepCommand.RESTART_PHASE, StepCommand.RUN_TO):
            self._say(walk.reason)
        return walk.moved

    def phase_edge(self, command: StepCommand) -> None:
        """To the end of the phase or back to its start; from there on to that of the phase beside."""
        state = self._store.state
        walk = step(state.program, state.place.walk, command)
        if walk.moved:
            self._stand(walk)
            return
        move = state.program.phase_end if command is StepCommand.PHASE_END else state.program.phase_start
        self.jump(move(state.place.cursor))

    def run_to(self, time_step: int, direction: int) -> None:
        """On to the next point at `time_step` in this layer, or back to the last one."""
        state = self._store.state
        target = run_target(state.place, state.walkable, time_step, direction)
        if target is not None:
            self.step(StepCommand.RUN_TO, direction, target=target)

    def go_on(self, direction: int) -> None:
        """On to the next stop of this training step, or back to the one before; the message says what for."""
        from rnnviz.gui.stepping.stops import stop_words, trace_stops  # late: expressions come after the window

        state = self._store.state
        stop = next_stop(trace_stops(state), state.program, state.place.cursor, direction < 0)
        if stop is None:
            side = "after" if direction > 0 else "before"
            self._say(f"No breakpoint or bookmark {side} {goto.words(state.place.cursor)} in this training step.")
            return
        self.jump(stop.cursor)
        self._say(f"Stopped at {goto.words(stop.cursor)}: {stop_words(stop)}.")

    def go_to(self, text: str) -> None:
        """To the place typed: "k=1200 b t=17 l1 o", or a bare time step. RnnvizError says what was wanted."""
        state = self._store.state
        typed = " ".join(f"t={word}" if word.isascii() and word.isdigit() else word for word in text.split())
        self.jump(goto.go_to(typed, state.program, state.place.cursor))

    def jump(self, cursor: Cursor) -> None:
        """The cursor goes anywhere, and a new walk begins there."""
        if cursor != self._store.state.place.cursor:
            self._stand(Walk(cursor))

    def _say(self, sentence: str) -> None:
        self._said = Message("info", sentence)
        self._store.say(self._said)

    def _stand(self, walk: Walk) -> None:
        state = self._store.state
        here, wanted = state.place.cursor.training_step, walk.cursor.training_step
        done = self._said is not None and state.notices.message is self._said and wanted == here
        if done:
            self._said = None
        self._store.change(place=partial(walked, walk=walk), notices=setting(message=None) if done else None)
        if wanted != here:
            self._show_training_step(wanted)
