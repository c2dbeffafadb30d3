"""Takes steps through the program: what a debugger's keys do to the cursor in the store."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks_file import shortened
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.debugger import goto
from rnnviz.debugger.breakpoints import next_stop
from rnnviz.debugger.cursor import Cursor
from rnnviz.debugger.places import run_target, to_model, walked
from rnnviz.debugger.walking import StepCommand, Walk, step
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message, Stopped


class Walker:
    """Moves the cursor by the commands of the debugger; `show_training_step` brings the traces of another one."""

    def __init__(
        self,
        store: Store,
        show_training_step: Callable[[int], None],
        show_sequence: Callable[[int], None],
        show_kind: Callable[[CaptureKind], None] = lambda kind: None,
    ) -> None:
        """`show_sequence` goes so many sequences further; `show_kind` shows the probe or the training batch."""
        self._store = store
        self._show_training_step = show_training_step
        self.show_sequence = show_sequence
        self._show_kind = show_kind
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
            self._say(f"No breakpoint or bookmark {side} {goto.place_words(state.place.cursor)} in this training step.")
            return
        self.jump(stop.cursor)
        further = "continue_trace" if direction > 0 else "continue_trace_back"
        told = None if stop.breakpoint is None else shortened(stop.breakpoint)
        commands = (further,) if told is None else (further, "disable_stop")
        where = Stopped(stop.cursor.training_step, "", stop.cursor.time_step, told)
        self._say(f"Stopped at {goto.place_words(stop.cursor)}: {stop_words(stop)}.", commands, where)

    def go_to(self, text: str) -> None:
        """To the place typed: "step 500 t 17 backward", or a bare time step. RnnvizError says what was wanted."""
        state = self._store.state
        wanted = goto.target(text, state.program, state.place.cursor, tuple(one.name for one in state.run.models))
        model = state.place.model if wanted.model is None else wanted.model
        if wanted.unit is not None:
            units = state.run.models[model].structure.hidden_size if model < len(state.run.models) else 0
            if wanted.unit > units:
                raise RnnvizError(
                    f'go to: wanted a unit from 1 to {units}, for example "unit {units}"; got {wanted.unit}'
                )
        if wanted.sequence is not None:
            count = len(state.walkable.lengths)
            if wanted.sequence > count:
                raise RnnvizError(f"go to: wanted a sequence from 1 to {count}, got {wanted.sequence}")
            self.show_sequence(wanted.sequence - 1 - state.place.sample)
        if wanted.kind not in (None, state.place.kind):
            self._show_kind(wanted.kind)
        if model != state.place.model or wanted.unit is not None:
            self._store.go(to_model, model, state.place.unit if wanted.unit is None else wanted.unit - 1)
        self.jump(wanted.cursor)

    def jump(self, cursor: Cursor) -> None:
        """The cursor goes anywhere, and a new walk begins there."""
        if cursor != self._store.state.place.cursor:
            self._stand(Walk(cursor))

    def _say(self, sentence: str, commands: tuple[str, ...] = (), stop: Stopped | None = None) -> None:
        self._said = Message("info", sentence, commands, stop)
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
