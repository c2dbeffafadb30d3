"""Follows a run file at the frame rate and puts what it says into the store, at most once a frame."""

import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.debugger.places import Place, Walkable, arrived, asked, begun, by_samples, followed
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.live.batch_words import RECORD, no_batches, not_kept
from rnnviz.gui.live.engine_word import EngineWord
from rnnviz.gui.live.history import HistoryReader
from rnnviz.gui.live.rebuilding import Rebuilding, Rebuilt
from rnnviz.gui.state.clipping import clip_changes, rate_changes
from rnnviz.gui.state.marks import MOST_EVENTS, marked_events
from rnnviz.gui.state.preferences import TRACE_MEMORY
from rnnviz.gui.state.run import Recorded, ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace
    from rnnviz.gui.live.engine import Heard

FRAME = 33  # milliseconds between two looks at the file
_SLOWEST_FRAME = 100  # still 10 Hz when drawing is slow
_LATE = 12  # milliseconds: a tick that comes so late says that the window has no time left
_BETWEEN_LIFE_SIGNS = 0.5  # seconds between two checks of engine and file while nothing is written
_PAGE = 2 * MOST_EVENTS  # of events, read in one frame
_SLOW = 150  # milliseconds after which it is said that traces are being rebuilt
_WAIT_FOR_CAPTURE = 2.0  # seconds a newly found run may take to its first capture before it is shown without
GONE = (
    "was deleted, moved, or replaced by another file: what was read of it stays on the screen, and its training can no "
    "longer be followed."
)


@dataclass(frozen=True)
class _Shown:
    """An open run with the reader of its history; found at the monotonic time `since`."""

    run: Run
    history: HistoryReader
    kept: bool
    since: float
    file: os.stat_result  # which file it was


class Following(QObject):
    """Shows runs. `appeared(path)` when one is on the screen; `died()` when an engine that is not ours ended without
    a word."""

    appeared = Signal(object)
    died = Signal()

    def __init__(
        self,
        store: Store,
        ours: Callable[[Path], bool],
        heard: "Callable[[Path], Heard | None]",
        parent: QObject | None = None,
        trace_memory: int = TRACE_MEMORY,
    ) -> None:
        super().__init__(parent)
        self._store = store
        self._ours = ours  # whether the run at a path is written by this window's own engine, which is alive
        self._word = EngineWord(store, ours, heard, lambda: QTimer.singleShot(0, self.died.emit))
        self._lost = False  # the file shown can be read no longer, or is another one now
        self._slow = QTimer(self)
        self._slow.setSingleShot(True)
        self._slow.setInterval(_SLOW)
        self._slow.timeout.connect(self._say_slow)
        self._busy = ""  # what was said of a rebuild that takes long
        self._rebuilding = Rebuilding(self, trace_memory << 20, self._traces_held)
        self._rebuilding.finished.connect(self._rebuilt)
        self._rebuilding.failed.connect(self._not_rebuilt)
        store.changed.connect(self._count_what_if)
        self._shown: _Shown | None = None
        self._next: _Shown | None = None  # found, but its first trace is not rebuilt yet: shown together with it
        self._awaited: Path | None = None
        self._asked = -1  # training step last asked for
        self.kind: CaptureKind = "probe"  # whose sequences are asked for: the probe's or the training batch's
        self._sample: int | None = None  # the sequence that is on its way to the screen
        self._answer: Rebuilt | None = None
        self._trouble = ""  # why the first trace of the next run cannot be rebuilt
        self._last_event = 0  # its number
        self._more_events = False  # that came since and are read with the next frames
        self._not_kept: Message | None = None  # that another training step is shown than was asked for
        self._looked_at = 0.0
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self._due = 0.0

    @property
    def run(self) -> Run | None:
        """The run shown, for reading in the GUI thread only."""
        return self._shown.run if self._shown is not None else None

    def make_room_for(self, wanted: int, kept: "Sequence[Trace]") -> None:
        """Makes room, in any thread, for a trace of so many bytes beside those `kept`."""
        self._rebuilding.make_room_for(wanted, kept)

    def _traces_held(self) -> "tuple[list[Trace], list[Trace]]":
        """The traces on the screen, and those behind a what-if; asked in a worker's thread."""
        state = self._store.state
        recorded, tried = [one for one in state.recorded.traces if one is not None], state.trial.recomputed
        if tried is None:
            return recorded, []
        return [one for one in (tried.original, tried.changed) if one is not None], recorded

    @Slot(object, object)
    def _count_what_if(self, old: State, new: State) -> None:
        if self._shown is None:
            return
        if new.trial.recomputed is not old.trial.recomputed:
            self._rebuilding.make_room()
        if old.trial.whatif.active and not new.trial.whatif.active:
            self._restore()

    def _restore(self) -> None:
        """Has the float64 rebuilds of what is on the screen made again, where they had to give way."""
        state = self._store.state
        if any(trace is not None and trace.without_exact for trace in state.recorded.traces):
            self._rebuilding.ask(self._asked, state.place.sample, self.kind)

    def set_trace_memory(self, mebibytes: int) -> None:
        self._rebuilding.set_most_bytes(mebibytes << 20)

    @property
    def awaiting(self) -> bool:
        """Whether another run than the one shown is on its way to the screen."""
        return self._awaited is not None or self._next is not None

    def await_run(self, path: Path) -> None:
        """Shows the run at `path` as soon as an engine has written it and its first trace is rebuilt."""
        self._drop_next()
        self._awaited = path
        self._start()

    def stop_waiting(self) -> None:
        self._awaited = None
        self._drop_next()
        self._no_longer_slow()

    def cancel(self) -> None:
        """Gives up a rebuild that takes long: what is on the screen stays, if anything is."""
        if not self._busy or self._shown is None:
            return
        self.stop_waiting()
        self._rebuilding.show_run(self._shown.run.path)
        self._asked, self.kind = self._store.state.place.cursor.training_step, self._store.state.place.kind
        self._store.go(asked, self._asked)
        self._restore()

    def open_run(self, path: Path) -> None:
        """Shows the run at `path`, kept where the person keeps it; RnnvizError if it is not a run."""
        self._take(Run(path), kept=True)
        self._slow.start()
        self._start()

    def look(self) -> None:
        """Takes over what the file says right now, without waiting for the next frame."""
        if self._shown is not None:
            self._looked_at = 0.0
            self._store.change(recorded=setting(history=self._shown.history.read()))

    def show_training_step(
        self, training_step: int, why: Message | None = None, kind: CaptureKind | None = None
    ) -> None:
        """Shows the capture nearest to `training_step`, which is said where it is another one, and no longer follows
        the newest. `why`: what to say of it. `kind`: of the probe or the training batch; None: as it is."""
        kind = kind or self.kind
        nearest = self._store.state.recorded.history.nearest_captured(training_step, kind)
        if self._shown is None or self._next is not None:
            return
        if nearest is None:
            if kind == "batch":
                self._store.say(no_batches(self._store.state))
            return
        if self._store.state.place.following or kind != self.kind:
            self._forget_asked()  # what was asked for live is stale now
        self._store.go(asked, training_step)
        self.kind, self._asked = kind, nearest
        self._say_where(why, training_step, nearest)
        self._rebuilding.ask(nearest, self._wanted_sample, kind)
        self._slow.start()

    def show_kind(self, kind: CaptureKind) -> None:
        """Shows the probe or the training batch, live of the newest training step that has it, else of the one shown or
        the nearest."""
        state = self._store.state
        if self._shown is None or self._next is not None or kind == self.kind:
            return
        status, step = state.recorded.status, state.place.training_step
        running = status is not None and status.state == "running"
        if state.place.following and (running or step in state.recorded.history.having(kind)):
            self._forget_asked()
            self.kind, self._asked = kind, -1
            self._ask_newest(state)
        else:
            self.show_training_step(step, None, kind)

    def _forget_asked(self) -> None:
        """Drops what is on its way to the screen."""
        if self._shown is not None:
            self._rebuilding.show_run(self._shown.run.path)
        self._answer = None

    def show_sequence(self, by: int) -> None:
        """Shows the sequence that is `by` further: at once where its arrays are there, else when they are rebuilt."""
        state = self._store.state
        place = by_samples(state.place, state.walkable, self._wanted_sample - state.place.sample + by)
        self._sample = None
        if _all_hold(state.recorded.traces, place.sample):
            self._store.go(by_samples, state.walkable, place.sample - state.place.sample)
        elif self._shown is not None and self._next is None:
            self._sample = place.sample
            self._rebuilding.ask(self._asked, place.sample, self.kind)
            self._slow.start()

    @property
    def _wanted_sample(self) -> int:
        """The sequence that is meant: asked for or, where none was, looked at."""
        return self._store.state.place.sample if self._sample is None else self._sample

    def back_to_live(self) -> None:
        """Follows the newest capture again."""
        if self._shown is not None and self._next is None and not self._store.state.place.following:
            self._rebuilding.show_run(self._shown.run.path)
            self._store.go(followed)
            self._say_where(None, 0, 0)
            self._ask_newest(self._store.state)

    def stop(self) -> bool:
        """Lets go of all files and ends the worker; False if the worker did not end in time."""
        self._timer.stop()
        self.stop_waiting()
        ended = self._rebuilding.stop()
        if self._shown is not None:
            self._shown.run.close()
            self._shown = None
        return ended

    def _say_where(self, why: Message | None, wanted: int, nearest: int) -> None:
        """Says why a training step is shown, and that it is another one than was asked for; what was said of that
        before is taken back."""
        message = self._store.state.notices.message
        if message is not None and message is self._not_kept:
            message = None
        self._not_kept = None
        if wanted != nearest:
            remedy = self.kind == "batch" and self._store.state.recorded.engine_lives
            said = why or Message("info", "", RECORD if remedy else ())
            sentence = f"{said.sentence} {not_kept(wanted, nearest, self.kind)}".strip()
            message = self._not_kept = replace(said, sentence=sentence)
        elif why is not None:
            message = why
        if message is not self._store.state.notices.message:
            self._store.say(message)

    def _start(self) -> None:
        if not self._timer.isActive():
            self._due = time.monotonic() + FRAME / 1000
            self._timer.start(FRAME)

    @Slot()
    def _tick(self) -> None:
        self._adapt()
        try:
            if self._awaited is not None and self._awaited.exists():
                self._find(self._awaited)
            if self._next is not None:
                self._prepare_or_say_why_not(self._next)
            if self._shown is not None and not self._lost:
                self._look(self._shown)
            elif self._shown is not None:
                self._look_at_engine(self._shown.run)
        except RnnvizError as error:
            if not self.awaiting:  # else it is about a run that is closed right now, to make room for the next
                self._lose(Message("error", str(error)))

    def _adapt(self) -> None:
        """Looks less often while the window is late, down to 10 Hz, so that keys and mouse always come first."""
        late = (time.monotonic() - self._due) * 1000
        interval = self._timer.interval()
        interval = min(int(interval * 1.25), _SLOWEST_FRAME) if late > _LATE else max(interval - 2, FRAME)
        if interval != self._timer.interval():
            self._timer.setInterval(interval)
        self._due = time.monotonic() + interval / 1000

    def _find(self, path: Path) -> None:
        try:
            run = Run(path)
        except RnnvizError:
            return  # the engine is still writing its first page; if it dies there, it says so itself
        self._awaited = None
        self._take(run, kept=False)

    def _take(self, run: Run, kept: bool) -> None:
        self._awaited = None
        self._drop_next()
        self._next = _Shown(run, HistoryReader(run), kept, time.monotonic(), os.stat(run.path))
        self._rebuilding.show_run(run.path)
        self._asked, self._answer, self._trouble = -1, None, ""

    def _prepare_or_say_why_not(self, found: _Shown) -> None:
        """As `_prepare`; a run whose history cannot be read is not shown."""
        try:
            self._prepare(found)
        except RnnvizError as error:
            self.stop_waiting()
            self._store.say(Message("error", str(error)), busy="")

    def _prepare(self, found: _Shown) -> None:
        history = found.history.read()
        if len(history.captured) and self._asked < 0:
            self._asked = int(history.captured[-1])
            self.kind = self.kind if self._asked in history.having(self.kind) else "probe"
            self._rebuilding.ask(self._asked, 0, self.kind)
        patience = _WAIT_FOR_CAPTURE if found.run.engine_alive or self._asked >= 0 else 0.0
        if self._answer is not None or self._trouble or time.monotonic() - found.since > patience:
            self._switch(found)

    def _switch(self, found: _Shown) -> None:
        """The store goes from the run before to this one in one update, the first traces included."""
        self._next = None
        self._slow.stop()
        self._busy, self._sample = "", None
        run, answer, self._answer = found.run, self._answer, None
        status = self._word.status(run, self.run, self.awaiting)
        before, self._shown, self._lost = self._shown, found, False
        message = self._word.begin(run, status)
        if run.incomplete:
            message = Message("warning", run.incomplete)
        if self._trouble:
            message = Message("warning", self._trouble)
        said = self._store.state.notices.message
        if message is None and before is None and said is not None and said.level == "error":
            message = said  # of the file the program was started with, in whose place this run is shown
        traces = answer.traces if answer is not None else (None,) * len(run.models)
        layer = run.models[0].network.layer_names[0] if run.models else "l0"
        self.kind = answer.kind if answer is not None else "probe"
        place = begun(answer.training_step if answer is not None else 0, layer, kind=self.kind)
        marks, events = run.marks(), run.events(run.last_event - _PAGE)
        self._last_event, self._more_events = events[-1].number if events else 0, False
        shown = ShownRun(run.source, None, run.path, run.origin, found.kept, run.task, run.models, run.name)
        recorded = Recorded(
            run.bytes,
            status,
            found.history.read(),
            marked_events((), events),
            traces,
            answer.gathered if answer is not None else (),
            clip_changes(events),
            rate_changes(events),
        )
        watches = self._store.state.debugging.with_run(watch.expression for watch in marks.watches)
        self._store.change(
            run=lambda _: shown,
            recorded=lambda _: recorded,
            place=lambda _: place,
            trial=setting(whatif=WhatIf(), recomputed=None, against=""),
            debugging=setting(marks=marks, **watches),
            notices=setting(message=message, busy=""),
        )
        if before is not None:
            before.run.close()
        self.appeared.emit(run.path)

    def _look(self, shown: _Shown) -> None:
        """One frame: what the file says anew and the traces that were rebuilt meanwhile, in one update."""
        recorded: dict[str, Any] = {}
        said: dict[str, Any] = {}
        place = None
        changed, now = shown.run.changed(), time.monotonic()
        state = self._store.state
        if (
            changed
            or self._word.behind(state.recorded.status, shown.run)
            or now - self._looked_at > _BETWEEN_LIFE_SIGNS
        ):
            status = self._word.status(shown.run, shown.run, self.awaiting)
            if status != state.recorded.status:
                recorded["status"] = status
                said = self._word.news(shown.run, status)
            if now - self._looked_at > _BETWEEN_LIFE_SIGNS:
                self._looked_at = now
                if not _same_file(shown) and status is not None and not self._ours(shown.run.path):
                    self._lose(Message("warning", f"{shown.run.path} {GONE}"))
                    return
                if shown.run.bytes != state.recorded.bytes:
                    recorded["bytes"] = shown.run.bytes
        if changed and (history := shown.history.read()) is not state.recorded.history:
            recorded["history"] = history
        if (changed or self._more_events) and (came := shown.run.events(self._last_event, _PAGE)):
            self._last_event, self._more_events = came[-1].number, len(came) == _PAGE
            recorded["events"] = marked_events(state.recorded.events, came)
            if changes := clip_changes(came):
                recorded["clip_changes"] = (*state.recorded.clip_changes, *changes)
            if changes := rate_changes(came):
                recorded["rate_changes"] = (*state.recorded.rate_changes, *changes)
        if self._answer is not None and self._next is None:
            recorded |= {"traces": self._answer.traces, "gathered": self._answer.gathered}
            place = _arrival(self._answer)
            self._answer = None
        self._store.change(recorded=setting(**recorded), place=place, notices=setting(**said))
        if self._store.state.place.following and self._next is None:
            self._ask_newest(self._store.state)

    def _look_at_engine(self, run: Run) -> None:
        """One frame of a run whose file is lost: our own engine is heard all the same."""
        heard = self._word.heard(run)
        before, status = self._store.state.recorded.status, heard.status if heard is not None else None
        if status != before and not (before is not None and before.state == "failed"):
            said = self._word.news(run, status) if status is not None else {}
            self._store.change(recorded=setting(status=status), notices=setting(**said))

    def _lose(self, message: Message) -> None:
        """The file shown is lost: what was read of it stays on the screen."""
        self._lost = True
        self._store.say(message)
        if self._shown is not None:
            self._look_at_engine(self._shown.run)

    def _ask_newest(self, state: State) -> None:
        captured = state.recorded.history.having(self.kind)
        if len(captured) and int(captured[-1]) != self._asked:
            self._asked = int(captured[-1])
            self._rebuilding.ask(self._asked, self._wanted_sample, self.kind)

    def _drop_next(self) -> None:
        if self._next is not None:
            self._next.run.close()
            self._next = None
            self.kind = self._store.state.place.kind

    @Slot()
    def _say_slow(self) -> None:
        if self._store.state.notices.busy:
            return  # something else is said to go on
        if self._next is not None:
            self._busy = f"Opening {self._next.run.path.name}: its traces are rebuilt …"
        elif self._sample is not None:
            self._busy = f"Rebuilding the traces of sequence {self._sample + 1} …"
        else:
            self._busy = f"Rebuilding the traces of training step {self._asked} …"
        self._store.say(busy=self._busy)

    def _no_longer_slow(self) -> None:
        self._slow.stop()
        self._sample = None
        said, self._busy = self._busy, ""
        if said and self._store.state.notices.busy == said:
            self._store.say(busy="")

    @Slot(object)
    def _rebuilt(self, rebuilt: Rebuilt) -> None:
        if self._next is None and self._sample in (None, rebuilt.sample):
            self._no_longer_slow()
        if self._next is not None or self._store.state.place.following:
            self._answer = rebuilt  # taken with the next frame
        else:
            there = setting(traces=rebuilt.traces, gathered=rebuilt.gathered)
            self._store.change(recorded=there, place=_arrival(rebuilt))

    @Slot(int, str)
    def _not_rebuilt(self, training_step: int, sentence: str) -> None:
        if self._next is not None:
            self._trouble = sentence
        else:
            self._no_longer_slow()
        if self._shown is None or self.awaiting:
            return
        self._shown.history.forget_captured()
        # Else thinning was faster than we: the next one will do.
        if training_step in self._shown.run.captured(kind=self.kind):
            self._store.say(Message("warning", sentence))


def _same_file(shown: _Shown) -> bool:
    """Whether the file at the run's path is the one that is read."""
    try:
        return os.path.samestat(os.stat(shown.run.path), shown.file)
    except OSError:
        return False


def _arrival(rebuilt: Rebuilt) -> Callable[[Place], Place]:
    """How the place changes once these traces are shown: large ones hold the sequence that was asked for alone."""
    walkable = Walkable.of((), rebuilt.traces)

    def shown(place: Place) -> Place:
        looked_at = place.sample if _all_hold(rebuilt.traces, place.sample) else rebuilt.sample
        return arrived(place, walkable, rebuilt.training_step, looked_at, rebuilt.kind)

    return shown


def _all_hold(traces: "Sequence[Trace | None]", sample: int) -> bool:
    """Whether a sequence, or the last one where there are not as many, is in all traces without a rebuild."""
    return all(trace is None or trace.holds(min(sample, trace.sequences - 1)) for trace in traces)
