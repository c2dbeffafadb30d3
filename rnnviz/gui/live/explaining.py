"""Finds what a gradient value is made of, off the event loop; the newest question wins."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.provenance import GradientPlace, provenance
from rnnviz.gui.live.background import Background


@dataclass(frozen=True, eq=False)
class OriginQuestion:
    """Whose value is asked for: `place` in sequence `sample` (0-based) of `trace`."""

    trace: Trace
    place: GradientPlace
    sample: int

    def same(self, other: "OriginQuestion | None") -> bool:
        return (
            other is not None and other.trace is self.trace and (other.place, other.sample) == (self.place, self.sample)
        )


class Explaining(QObject):
    """`explained(Provenance)` or `refused(sentence)` for the newest question; at most one waits."""

    explained = Signal(object)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._background = Background("explaining", self)
        self._background.answered.connect(self._answered)
        self._background.failed.connect(self._failed)
        self._asked: OriginQuestion | None = None
        self._at_work: OriginQuestion | None = None

    def ask(self, question: OriginQuestion) -> None:
        """Asks, unless the very same was asked last."""
        if question.same(self._asked):
            return
        self._asked = question
        if self._at_work is None:
            self._send(question)

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        return self._background.stop()

    def _send(self, question: OriginQuestion) -> None:
        self._at_work = question
        self._background.ask(lambda: provenance(question.trace, question.place, question.sample))

    def _overtaken(self) -> bool:
        """Whether something else was asked meanwhile, which is sent now."""
        done, self._at_work = self._at_work, None
        if self._asked is None or self._asked is done:
            return False
        self._send(self._asked)
        return True

    @Slot(int, object)
    def _answered(self, _ticket: int, found: object) -> None:
        if not self._overtaken():
            self.explained.emit(found)

    @Slot(int, object)
    def _failed(self, _ticket: int, error: object) -> None:
        if not self._overtaken():
            self.refused.emit(str(error))
