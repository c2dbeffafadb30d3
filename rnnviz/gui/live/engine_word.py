"""Engine's word: what the engine of a run says of itself, in its file and, where that is late, to the window."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import STOP_COMMANDS, Message
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.gui.live.engine import Heard

_FILE_BEHIND = 0.4  # seconds after which what the engine says counts more than what its file says


class EngineWord:
    """Reads it, and makes of it what the bar says."""

    def __init__(
        self,
        store: Store,
        ours: Callable[[Path], bool],
        heard: "Callable[[Path], Heard | None]",
        died: Callable[[], object],
    ) -> None:
        """`ours`: whether the run at a path is written by this window's own engine, which is alive; `heard`: what that
        engine said of it. `died` is told of another one that ended without a word."""
        self._store = store
        self._ours = ours
        self._all_heard = heard
        self._died = died
        self._said = ""  # the engine's sentence that was last shown

    def heard(self, run: Run) -> "Heard | None":
        """What our own engine said of the run; None of an engine of somebody else's."""
        return self._all_heard(run.path) if self._ours(run.path) else None

    def begin(self, run: Run, status: EngineStatus | None) -> Message | None:
        """What to say of a run that comes to the screen."""
        self._said = status.sentence if status is not None else ""
        return self._message(run, status) if status is not None and status.sentence else None

    def status(self, run: Run, shown: Run | None, awaiting: bool) -> EngineStatus | None:
        """What the engine says of itself; as "failed" or not at all once it is gone. `awaiting`: another run is on its
        way to the screen, where `shown` is."""
        status = run.status
        if self._ours(run.path):
            return self._truest(run, status)
        if status is None or run.engine_alive:
            return status
        if awaiting:  # about to make room for another run: it stays as it was shown
            return self._store.state.recorded.status
        status = run.status or status  # its last word may have come in between
        before = self._store.state.recorded.status if run is shown else None
        if before is None or status.state in ("stopped", "finished", "failed"):
            return None  # looking back at what ended well, or long ago
        if before.state != "failed":
            self._died()
        return replace(status, state="failed")

    def behind(self, status: EngineStatus | None, run: Run) -> bool:
        """Whether our own engine has been saying something else for so long that its file must be late."""
        heard = self.heard(run)
        from rnnviz.gui.live.engine import stands  # late: an engine comes after the window

        late = heard is not None and time.monotonic() - heard.since > _FILE_BEHIND
        return late and heard is not None and (status is None or stands(status) != stands(heard.status))

    def news(self, run: Run, status: EngineStatus | None) -> dict[str, Any]:
        """The changes of the bar that follow from what is said now."""
        shown = self._store.state.recorded.status
        if status is None and shown is not None and shown.state != "failed":
            return {"message": _message_of_end(run, shown)}
        sentence = status.sentence if status is not None else ""
        if sentence == self._said:
            return {}
        before, self._said = self._said, sentence
        if status is not None and sentence:
            return {"message": self._message(run, status)}
        message = self._store.state.notices.message
        return {"message": None} if message is not None and message.sentence == before else {}

    def _truest(self, run: Run, status: EngineStatus | None) -> EngineStatus | None:
        """The status in the file, which comes after what it names; the engine's own word where the file is late."""
        heard = self.heard(run)
        return heard.status if heard is not None and self.behind(status, run) else status

    def _message(self, run: Run, status: EngineStatus) -> Message | None:
        """What the engine says of itself, as serious as it is; the planned end is nothing for the bar."""
        if status.state == "failed":
            return Message("error", status.sentence)
        heard = self.heard(run)
        if heard is not None and heard.status.sentence == status.sentence:
            kinds = {heard.kind}
        else:
            recent = [event for event in run.events(run.last_event - 4) if event.sentence]
            kinds = {event.kind for event in recent if status.sentence.startswith(event.sentence)}
        if "hit" in kinds:
            return Message("warning", status.sentence, STOP_COMMANDS)
        if "early stop" in kinds:
            return Message("info", status.sentence)
        planned = "paused" in kinds and "not finite" not in kinds
        return None if planned else Message("warning", status.sentence)


def _message_of_end(run: Run, before: EngineStatus) -> Message:
    """A training that somebody else had started is over."""
    status = run.status or before
    if status.state == "failed" and status.sentence:
        return Message("error", status.sentence)
    return Message("info", f"The training of {run.path.name} has ended at training step {status.training_step:,}.")
