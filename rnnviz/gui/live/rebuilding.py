"""Rebuilds the traces of the training step shown, off the event loop: the newest request wins, stale answers drop."""

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.memory import array_bytes, give_back
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.gui.state.preferences import TRACE_MEMORY
from rnnviz.gui.state.run import Gathered
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

_LARGE = 100_000  # numbers of one quantity of a sequence, T · H
_RELEASED = 2500  # milliseconds
_PART = 8  # a trace that takes more than this part of the bound keeps the arrays of one sequence
_REMEMBERED = 24  # training steps whose traces are kept while a person scrubs to and fro, where memory allows it


@dataclass(frozen=True)
class Rebuilt:
    """The traces of all models of a run at one training step."""

    run_path: Path
    training_step: int
    traces: "tuple[Trace, ...]"
    sample: int  # the sequence that was asked for, 0-based; of large traces the only one that is there
    gathered: tuple[Gathered, ...] = ()  # by each model's optimiser


def prepare(trace: "Trace", sample: int = 0) -> None:
    """Asks, in a worker and not in the event loop, for what a trace only finds when it is first asked for.

    `sample`: the sequence looked at, 0-based, whose sums along time take seconds where it is long and wide. Only it is
    rebuilt in float64.
    """
    _known = trace.verdict, trace.underflows
    own = trace.sample(min(sample, trace.sequences - 1))
    for one in (own, own.exact) if own.underflows else (own,):
        for layer in one.layers:
            if layer.h.shape[0] * layer.h.shape[2] >= _LARGE:
                _sums = layer.weight_grad_shares, layer.weight_grad_so_far


class _TraceReader:
    """Reads captures and rebuilds them. Lives in the worker thread only: SQLite's connections do not travel."""

    def __init__(self, most_bytes: int) -> None:
        self.most_bytes = most_bytes  # of the traces kept; the newest is, whatever it takes
        self._run: Run | None = None
        self._file = (0, 0)  # device and inode of the file that is open: another one may get its name
        self._known: OrderedDict[int, Rebuilt] = OrderedDict()

    def read(self, path: Path, training_step: int, sample: int = 0) -> Rebuilt:
        file = _identity(path)
        if self._run is None or self._run.path != path or self._file != file:
            self.close()
            self._run, self._file = Run(path), file
        if training_step in self._known:
            rebuilt = replace(self._known[training_step], sample=sample)
            rebuilt = replace(rebuilt, traces=tuple(self._prepared(trace, sample) for trace in rebuilt.traces))
        else:
            read = [partial(self._run.trace, training_step, model.number) for model in self._run.models]
            traces = tuple(self._made(one, sample) for one in read)
            rebuilt = Rebuilt(path, training_step, traces, sample, _gathered(self._run, training_step))
        self._known[training_step] = rebuilt
        self._known.move_to_end(training_step)
        self._make_room()
        return rebuilt

    def _made(self, read: "Callable[[], Trace]", sample: int) -> "Trace":
        """What `read` gives, prepared; only here, so that of a large one no more is kept."""
        return self._prepared(read(), sample)

    def _prepared(self, trace: "Trace", sample: int) -> "Trace":
        """The trace with all that is asked of it at once; a large one is of the sequence looked at alone."""
        sample = min(sample, trace.sequences - 1)
        if not trace.holds(sample) or (not trace.whole_lengths and trace.bytes > self.most_bytes // _PART):
            trace = trace.alone(sample)
            give_back()
        prepare(trace, sample)
        return trace

    def _make_room(self) -> None:
        """Of what is not looked at goes what is found again soonest: what was found out of a trace, then old traces."""
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        if self._bytes() <= self.most_bytes:
            return
        for rebuilt in self._known.values():
            for trace in rebuilt.traces:
                trace.forget()
        while len(self._known) > 1 and self._bytes() > self.most_bytes:
            self._known.popitem(last=False)
        give_back()

    def _bytes(self) -> int:
        return array_bytes((rebuilt.traces, rebuilt.gathered) for rebuilt in self._known.values())

    def close(self) -> None:
        self._known.clear()
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

    def __init__(self, parent: QObject | None = None, most_bytes: int = TRACE_MEMORY << 20) -> None:
        """`most_bytes`: what the traces that are not looked at may take in memory, with the one that is."""
        super().__init__(parent)
        self._reader = _TraceReader(most_bytes)
        reader = self._reader
        self._wishes = NewestWish("rebuilding", lambda wish: reader.read(*wish), self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._path: Path | None = None
        self._memory = Background("memory", self)
        self._released = QTimer(self)  # when what was shown before a large trace has been let go by everyone
        self._released.setSingleShot(True)
        self._released.setInterval(_RELEASED)
        self._released.timeout.connect(lambda: self._memory.ask(give_back))

    def set_most_bytes(self, most_bytes: int) -> None:
        """Another bound, from the next trace on."""
        self._reader.most_bytes = most_bytes

    def show_run(self, path: Path | None) -> None:
        """From now on requests are about this run; answers about another are dropped."""
        self._wishes.forget()
        self._path = path

    def ask(self, training_step: int, sample: int = 0) -> None:
        """`sample`: the sequence that will be looked at."""
        if self._path is not None:
            self._wishes.ask((self._path, training_step, sample))

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        self._released.stop()
        ended = self._memory.stop()
        return self._wishes.stop(self._reader.close if self._path is not None else None) and ended

    @Slot(object, object)
    def _answered(self, _wish: tuple[Path, int, int], rebuilt: Rebuilt) -> None:
        self.finished.emit(rebuilt)
        if any(trace.whole_lengths for trace in rebuilt.traces):
            self._released.start()

    @Slot(object, object)
    def _failed(self, wish: tuple[Path, int, int], error: object) -> None:
        self.failed.emit(wish[1], str(error))
