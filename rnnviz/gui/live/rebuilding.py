"""Rebuilds the traces of the training step shown, off the event loop: the newest request wins, stale answers drop."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.memory import array_bytes, give_back, return_large_blocks
from rnnviz.core.sweeps.capture import Capture, CaptureKind
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.state.preferences import TRACE_MEMORY
from rnnviz.gui.state.run import Gathered
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

    Beside = tuple[Iterable[Trace], Iterable[Trace]]  # traces that others hold: on the screen, and behind a what-if

_LARGE = 100_000  # numbers of one quantity of a sequence, T · H
_PART = 8  # a trace that would take more than this part of the bound is of one sequence
WITH_EXACT = 3  # times what a float32 trace takes, where the float64 rebuild of it is kept too
_LAZY = 8  # times what the sweeps of a trace take: the most with its float64 rebuild and what is found out of it later
_OTHERS = 8  # traces beside those remembered: on the screen, and behind a what-if
_REMEMBERED = 24  # training steps whose traces are kept while a person scrubs to and fro, where memory allows it


@dataclass(frozen=True)
class Rebuilt:
    """The traces of all models of a run at one training step."""

    run_path: Path
    training_step: int
    traces: "tuple[Trace, ...]"
    sample: int  # the sequence that was asked for, 0-based; of large traces the only one that is there
    kind: CaptureKind = "probe"  # of whose sequences they are
    gathered: tuple[Gathered, ...] = ()  # by each model's optimiser


def prepare(trace: "Trace", sample: int = 0) -> None:
    """Asks, in a worker and not in the event loop, for what a trace only finds when it is first asked for.

    `sample`: the sequence looked at, 0-based, whose sums along time take seconds where it is long and wide. Only it is
    rebuilt in float64.
    """
    _known = trace.verdict, trace.underflows
    own = trace.sample(min(sample, trace.sequences - 1))
    trace.allow_exact()
    wider = own.wider
    for one in (own, wider) if wider is not None else (own,):
        for layer in one.layers:
            if layer.output.shape[0] * layer.output.shape[2] >= _LARGE:
                _sums = layer.weight_grad_shares, layer.weight_grad_so_far
                layer.forget()  # what they were found from


class _TraceReader:
    """Reads captures and rebuilds them. Lives in the worker thread only: SQLite's connections do not travel."""

    def __init__(self, most_bytes: int, beside: "Callable[[], Beside]" = lambda: ((), ())) -> None:
        self.most_bytes = most_bytes  # of all traces there are; what is looked at is, whatever it takes
        self._beside = beside
        self._run: Run | None = None
        self._file = (0, 0)  # device and inode of the file that is open: another one may get its name
        self._known: OrderedDict[tuple[int, CaptureKind], Rebuilt] = OrderedDict()
        self._reading = threading.Lock()
        self._largest = 0  # bytes that the sweeps of a trace of this run take

    def read(self, path: Path, training_step: int, sample: int = 0, kind: CaptureKind = "probe") -> Rebuilt:
        with self._reading:
            file = _identity(path)
            if self._run is None or self._run.path != path or self._file != file:
                self.close()
                self._run, self._file = Run(path), file
            known = self._known.pop((training_step, kind), None)
            traces = [] if known is None else list(known.traces)
            gathered = _gathered(self._run, training_step) if known is None else known.gathered
            known = None  # what is replaced below can go at once
            for number in range(len(self._run.models)):
                if number < len(traces):
                    traces[number] = self._of_sequence(traces[number], traces[:number], sample)
                else:
                    capture = self._run.capture(training_step, number, kind)
                    traces.append(self._rebuilt(capture, sample, traces))
                prepare(traces[number], sample)
            rebuilt = Rebuilt(path, training_step, tuple(traces), sample, kind, gathered)
            self._known[training_step, kind] = rebuilt
            self._make_room()
            return rebuilt

    def _of_sequence(self, trace: "Trace", made: "list[Trace]", sample: int) -> "Trace":
        """A trace that is known, with a sequence of it that may not be there."""
        sample = min(sample, trace.sequences - 1)
        if trace.holds(sample):
            return trace
        self._make_room(trace.bytes, made)
        return trace.alone(sample)

    def _rebuilt(self, capture: Capture, sample: int, made: "list[Trace]") -> "Trace":
        """A model's trace; a large one is of the sequence looked at alone, and no other is ever there beside it."""
        from rnnviz.core.sweeps.one_by_one import rebuild_one, trace_bytes  # late: the sweeps come after the window
        from rnnviz.core.sweeps.trace import rebuild

        takes, sequences = trace_bytes(capture), capture.inputs.shape[1]
        self._largest = max(self._largest, takes)
        if takes <= self.most_bytes // _PART:
            self._make_room(takes, made)
            return rebuild(capture)
        self._make_room(WITH_EXACT * takes // sequences, made)
        return rebuild_one(capture, min(sample, sequences - 1))

    def make_room(self, wanted: int = 0, made: "Iterable[Trace]" = ()) -> None:
        """As `_make_room`, in any thread; a rebuild under way makes room itself when it ends."""
        if self._reading.acquire(blocking=False):
            try:
                self._make_room(wanted, made)
            finally:
                self._reading.release()

    def _make_room(self, wanted: int = 0, made: "Iterable[Trace]" = ()) -> None:
        """Of what is not looked at goes what is found again soonest: what was found out of a trace, then old traces.

        `wanted`: bytes of a trace that is made next, beside those `made`. For it the float64 rebuilds on the screen
        give way too: what replaces them brings its own.
        """
        if wanted > self.most_bytes // _PART:
            return_large_blocks()
        most = self.most_bytes - wanted
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if self._surely_fit(wanted) or self._bytes(made) <= most:
            return
        looked_at, behind = self._beside()
        for trace in (*looked_at, *behind, *(trace for rebuilt in self._known.values() for trace in rebuilt.traces)):
            trace.forget()
        while len(self._known) > (not wanted) and self._bytes(made) > most:
            self._known.popitem(last=False)
        if self._bytes(made) > most:
            for trace in (*behind, *(looked_at if wanted else ())):
                if trace not in made:
                    trace.drop_exact()
        give_back()

    def _surely_fit(self, wanted: int) -> bool:
        """Whether as many traces as there may be are below the bound: counting what each has in memory takes longer
        than rebuilding a small one."""
        models = len(self._run.models) if self._run is not None else 1
        each = _LAZY * max(self._largest, wanted)
        return each * models * (_REMEMBERED + _OTHERS) <= self.most_bytes

    def _bytes(self, made: "Iterable[Trace]" = ()) -> int:
        known = ((rebuilt.traces, rebuilt.gathered) for rebuilt in self._known.values())
        return array_bytes([*made, self._beside(), *known])

    def close(self) -> None:
        self._known.clear()
        self._largest = 0
        if self._run is not None:
            self._run.close()
            self._run = None


def _gathered(run: Run, training_step: int) -> tuple[Gathered, ...]:
    """What the optimisers had gathered; damage there is told where it is asked for, and takes no trace away."""
    try:
        return tuple(run.optimiser(training_step, model.number) or "" for model in run.models)
    except RnnvizError as error:
        return (str(error),) * len(run.models)


def _identity(path: Path) -> tuple[int, int]:
    """Which file a path leads to; nothing in particular where there is none, which `Run` says better."""
    try:
        facts = path.stat()
    except OSError:
        return (0, 0)
    return (facts.st_dev, facts.st_ino)


class Rebuilding(QObject):
    """`finished(Rebuilt)` or `failed(training step, sentence)` for requests about this run; at most one waits."""

    finished = Signal(object)
    failed = Signal(int, str)

    def __init__(
        self,
        parent: QObject | None = None,
        most_bytes: int = TRACE_MEMORY << 20,
        beside: "Callable[[], Beside]" = lambda: ((), ()),
    ) -> None:
        """`most_bytes`: what the traces that are not looked at may take in memory, with those that are: `beside`
        gives these, in any thread."""
        super().__init__(parent)
        self._reader = _TraceReader(most_bytes, beside)
        reader = self._reader
        self._wishes = NewestWish("rebuilding", lambda wish: reader.read(*wish), self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._path: Path | None = None
        self._memory = Background("memory", self)

    def set_most_bytes(self, most_bytes: int) -> None:
        """Another bound, from the next trace on."""
        self._reader.most_bytes = most_bytes

    def make_room(self) -> None:
        """Lets go of what does not fit any more beside what others hold by now."""
        self._memory.ask(self._reader.make_room)

    def make_room_for(self, wanted: int, kept: "Iterable[Trace]") -> None:
        """The same, in any thread, for a trace of so many bytes that is made next beside those `kept`."""
        self._reader.make_room(wanted, kept)

    def show_run(self, path: Path | None) -> None:
        """From now on requests are about this run; answers about another are dropped."""
        self._wishes.forget()
        self._path = path

    def ask(self, training_step: int, sample: int = 0, kind: CaptureKind = "probe") -> None:
        """`sample`: the sequence that will be looked at, of the probe or the training batch."""
        if self._path is not None:
            self._wishes.ask((self._path, training_step, sample, kind))

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        ended = self._memory.stop()
        return self._wishes.stop(self._reader.close if self._path is not None else None) and ended

    @Slot(object, object)
    def _answered(self, _wish: tuple[Path, int, int, CaptureKind], rebuilt: Rebuilt) -> None:
        self.finished.emit(rebuilt)

    @Slot(object, object)
    def _failed(self, wish: tuple[Path, int, int, CaptureKind], error: object) -> None:
        self.failed.emit(wish[1], str(error))
