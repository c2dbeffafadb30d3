"""Rebuilds the traces of the training step shown, off the event loop: the newest request wins, stale answers drop."""

from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.gui.live.newest_wish import NewestWish
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace

_REMEMBERED = 24  # training steps whose traces are kept while a person scrubs to and fro


@dataclass(frozen=True)
class Rebuilt:
    """The traces of all models of a run at one training step."""

    run_path: Path
    training_step: int
    traces: "tuple[Trace, ...]"


def prepare(trace: "Trace") -> None:
    """Asks, in a worker and not in the event loop, for what a trace only finds when it is first asked for."""
    _found = trace.verdict, trace.exact if trace.underflows else None


class _TraceReader:
    """Reads captures and rebuilds them. Lives in the worker thread only: SQLite's connections do not travel."""

    def __init__(self) -> None:
        self._run: Run | None = None
        self._file = (0, 0)  # device and inode of the file that is open: another one may get its name
        self._known: OrderedDict[int, Rebuilt] = OrderedDict()

    def read(self, path: Path, training_step: int) -> Rebuilt:
        file = _identity(path)
        if self._run is None or self._run.path != path or self._file != file:
            self.close()
            self._run, self._file = Run(path), file
        if training_step in self._known:
            self._known.move_to_end(training_step)
            return self._known[training_step]
        traces = tuple(self._run.trace(training_step, model.number) for model in self._run.models)
        for trace in traces:
            prepare(trace)
        rebuilt = self._known[training_step] = Rebuilt(path, training_step, traces)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return rebuilt

    def close(self) -> None:
        self._known.clear()
        if self._run is not None:
            self._run.close()
            self._run = None


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

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._reader = _TraceReader()
        reader = self._reader
        self._wishes = NewestWish("rebuilding", lambda wish: reader.read(*wish), self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._path: Path | None = None

    def show_run(self, path: Path | None) -> None:
        """From now on requests are about this run; answers about another are dropped."""
        self._wishes.forget()
        self._path = path

    def ask(self, training_step: int) -> None:
        if self._path is not None:
            self._wishes.ask((self._path, training_step))

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        return self._wishes.stop(self._reader.close if self._path is not None else None)

    @Slot(object, object)
    def _answered(self, _wish: tuple[Path, int], rebuilt: Rebuilt) -> None:
        self.finished.emit(rebuilt)

    @Slot(object, object)
    def _failed(self, wish: tuple[Path, int], error: object) -> None:
        self.failed.emit(wish[1], str(error))
