"""What the reader asks of a run file, whatever its format."""

from typing import Protocol

from rnnviz.core.arrays import Array
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.capture import Capture, CaptureKind
from rnnviz.runs.file.header import Header
from rnnviz.runs.file.records import EngineStatus, Event, OptimiserSnapshot, Probe, RunModel


class RunFormat(Protocol):
    """One format's way to its tables. Every method may raise RnnvizError for a damaged file."""

    def header(self) -> Header: ...

    def probe(self) -> Probe | None: ...

    def status(self) -> EngineStatus | None: ...

    def events(self, after: int, most: int = -1) -> list[Event]:
        """Those numbered above `after`, at most `most` of them; −1: all."""
        ...

    def metric_names(self) -> list[tuple[int, str]]:
        """Number and name of each metric, in the order they appeared."""
        ...

    def marks(self, header: Header) -> Marks: ...

    def curve(self, model: int, number: int, name: str, after: int) -> tuple[Array, Array]:
        """(K,) int64 and (K,) float64: a metric, `number` and `name` in the table of names, after a training step."""
        ...

    def newest_metric(self, model: int, number: int, name: str) -> int:
        """The last training step that has the metric; 0 without one."""
        ...

    def newest_capture(self) -> int:
        """The last training step that has a capture of any model and kind; 0 without one."""
        ...

    def captured(self, after: int, models: int, kind: CaptureKind) -> Array:
        """(C,) int64, ascending: training steps with a capture of that kind of all `models`."""
        ...

    def capture(
        self, training_step: int, model: RunModel, probe: Probe | None, kind: CaptureKind
    ) -> Capture | None: ...

    def optimiser(self, training_step: int, model: RunModel) -> OptimiserSnapshot | None: ...
