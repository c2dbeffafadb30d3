"""Finds what a gradient value is made of, off the event loop; the newest question wins."""

from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.head_provenance import HeadPlace, head_provenance
from rnnviz.debugger.provenance import GradientPlace, Provenance, provenance
from rnnviz.gui.live.newest_wish import NewestWish


@dataclass(frozen=True, eq=False)
class OriginQuestion:
    """Whose value is asked for: `place` in the only sequence of `trace`."""

    trace: Trace
    place: GradientPlace | HeadPlace

    def same(self, other: "OriginQuestion | None") -> bool:
        return other is not None and other.trace is self.trace and other.place == self.place


class Explaining(QObject):
    """`explained(Provenance)` or `refused(sentence)` for the newest question; at most one waits."""

    explained = Signal(object)
    refused = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._wishes = NewestWish("explaining", _explained, self)
        self._wishes.answered.connect(self._answered)
        self._wishes.failed.connect(self._failed)
        self._asked: OriginQuestion | None = None

    def ask(self, question: OriginQuestion) -> None:
        """Asks, unless the very same was asked last."""
        if not question.same(self._asked):
            self._asked = question
            self._wishes.ask(question)

    def stop(self) -> bool:
        """Ends the worker; False if it did not end in time."""
        return self._wishes.stop()

    @Slot(object, object)
    def _answered(self, question: OriginQuestion, found: object) -> None:
        if question is self._asked:
            self.explained.emit(found)

    @Slot(object, object)
    def _failed(self, question: OriginQuestion, error: object) -> None:
        if question is self._asked:
            self.refused.emit(str(error))


def _explained(asked: OriginQuestion) -> Provenance:
    if isinstance(asked.place, HeadPlace):
        return head_provenance(asked.trace, asked.place)
    return provenance(asked.trace, asked.place)
