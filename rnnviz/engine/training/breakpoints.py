"""Breakpoints during training: asked after every training step, of the metrics and, where needed, of a trace."""

import time
from typing import Any

from rnnviz.core.expressions import Vocabulary
from rnnviz.core.expressions.metric_history import GrowingMetrics
from rnnviz.core.stopping.breakpoints import Guard, Hit, arm
from rnnviz.core.stopping.marks import Breakpoint, Marks, with_not_finite
from rnnviz.core.stopping.marks_file import check_marks, shortened
from rnnviz.core.stopping.moment import Moment
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.engine.training.recording import Recording

LOG_CAPTURES = 0.1  # seconds between two captures that are made for lines of the log


class Watching:
    """The marks of a recording. `marks` are those set last."""

    def __init__(self, recording: Recording) -> None:
        """Begins with the marks of the experiment. Raises RnnvizError for a wrong one."""
        self._recording = recording
        self._names = [settings.name for settings in recording.experiment.models]
        self._metrics = [GrowingMetrics() for _ in self._names]
        self._guard = Guard()
        self._told: set[tuple[Breakpoint, str]] = set()  # of which breakpoint's problems the log knows
        self._next_capture = 0.0
        self.marks = Marks()
        self.set(recording.experiment.marks)

    def set(self, marks: Marks) -> None:
        """Other marks from now on; what stays among the breakpoints keeps what it remembers.

        A new breakpoint is not asked of the training step that is passed already, but a data breakpoint looks at it.
        Bookmarked captures are kept. Raises RnnvizError for wrong marks, and then changes nothing.
        """
        check_marks(marks, self._names, "breakpoints")
        vocabulary = Vocabulary(models=tuple(self._names))
        breakpoints = [one for one in with_not_finite(marks.breakpoints) if one.enabled]
        refused = [number for number, name in enumerate(self._names) if any(_refuses(one, name) for one in breakpoints)]
        armed = [arm(one, vocabulary) for one in breakpoints]
        guard = self._guard.rearmed(armed)
        for number in range(len(self._names) if armed else 0):
            guard = guard.primed(self._moment(number))
        self._guard, self.marks = guard, marks
        self._recording.training.refused = frozenset(refused)
        for bookmark in marks.bookmarks:
            self._recording.writer.keep(bookmark.training_step)

    def examine(self) -> tuple[Hit, ...]:
        """The hits of the training step just made that stop; lines of logpoints are written."""
        found: list[Hit] = []
        for number, metrics in enumerate(self._recording.last_metrics):
            self._metrics[number].add(metrics)
            if not self._guard.armed:
                continue
            hits, self._guard = self._guard.examine(self._moment(number))
            found += hits
            self._tell_problems(self._names[number])
        for hit in found:
            if hit.breakpoint.logs:
                self._log(hit)
        return tuple(hit for hit in found if not hit.breakpoint.logs)

    def write(self, hit: Hit, stops: bool) -> None:
        """A capture of exactly this training step, while there is room, then the stop reason into the run's log."""
        self._recording.capture_hit()
        self._recording.event("hit", hit.stop_reason if stops else hit.sentence, _details(hit))

    def _log(self, hit: Hit) -> None:
        if time.monotonic() >= self._next_capture:
            self._recording.capture()
            self._next_capture = time.monotonic() + LOG_CAPTURES
        self._recording.event("log", hit.sentence, _details(hit))

    def _moment(self, number: int) -> Moment:
        recording = self._recording
        return Moment(
            self._metrics[number],
            recording.training_step,
            self._names[number],
            number + 1,
            recording.models[number].network,
            lambda: rebuild(recording.captured(number)),
        )

    def _tell_problems(self, model: str) -> None:
        for armed, problem in zip(self._guard.armed, self._guard.problems(model), strict=True):
            if problem and (armed.breakpoint, model) not in self._told:
                self._told.add((armed.breakpoint, model))
                self._recording.event("breakpoint", f"{armed.breakpoint.words}, asked of {model}: {problem}")


def _details(hit: Hit) -> dict[str, Any]:
    """What an event says beside its sentence."""
    return {
        "breakpoint": shortened(hit.breakpoint),
        "model": hit.model,
        "time_step": hit.time_step,
        "values": [list(pair) for pair in hit.values],
    }


def _refuses(one: Breakpoint, model: str) -> bool:
    """Whether it stops before a NaN is learnt, so that the last good weights are there to look at."""
    plainly = one.kind == "not finite" and not one.expression and not one.logs and one.every == 1
    return plainly and one.model in ("", model)
