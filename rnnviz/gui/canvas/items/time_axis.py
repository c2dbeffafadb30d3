"""The time axis all lanes share: time step t is centred at t and its cell spans [t − 0.5, t + 0.5]."""

from dataclasses import dataclass, replace

SMALLEST_VIEW = 4.0  # time steps; zooming stops there


@dataclass(frozen=True)
class TimeAxis:
    """Maps time steps 1…T to pixels of the plot column. `first`…`last` is the visible range, inside [0.5, T + 0.5]."""

    left: float  # pixels
    width: float  # pixels
    time_steps: int  # T ≥ 1
    first: float = 0.5
    last: float = 1.5

    @staticmethod
    def whole(left: float, width: float, time_steps: int) -> "TimeAxis":
        """The axis with all time steps visible."""
        return TimeAxis(left, max(width, 1.0), time_steps, 0.5, time_steps + 0.5)

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def pitch(self) -> float:
        """Pixels of one time step."""
        return self.width / (self.last - self.first)

    @property
    def zoomed(self) -> bool:
        return self.last - self.first < self.time_steps - 1e-9

    def x(self, time_step: float) -> float:
        """Pixels from the left edge of the scene."""
        return self.left + (time_step - self.first) * self.pitch

    def time_step_at(self, x: float) -> int:
        """The time step whose cell holds pixel `x`, held inside 1…T."""
        return min(max(round(self.first + (x - self.left) / self.pitch), 1), self.time_steps)

    def visible(self) -> range:
        """The time steps of which some part can be seen."""
        first = max(1, int(self.first + 0.5 + 1e-9))
        last = min(self.time_steps, int(self.last + 0.5 - 1e-9))
        return range(first, last + 1)

    def holds(self, time_step: int) -> bool:
        """Whether the middle of its cell can be seen."""
        return self.first <= time_step <= self.last

    def moved_to(self, left: float, width: float, time_steps: int) -> "TimeAxis":
        """The same view in another place; another T shows all of it."""
        if time_steps != self.time_steps:
            return TimeAxis.whole(left, width, time_steps)
        return replace(self, left=left, width=max(width, 1.0))

    def scaled(self, factor: float, x: float) -> "TimeAxis":
        """Zoomed by `factor` (> 1 shows less) with the time under pixel `x` kept where it is."""
        span = min(max((self.last - self.first) / factor, SMALLEST_VIEW), self.time_steps)
        share = min(max((x - self.left) / self.width, 0.0), 1.0)
        middle = self.first + share * (self.last - self.first)
        return self._from(middle - share * span, span)

    def panned(self, pixels: float) -> "TimeAxis":
        """Moved so that what was `pixels` further right comes into place."""
        return self._from(self.first + pixels / self.pitch, self.last - self.first)

    def showing(self, time_step: int) -> "TimeAxis":
        """Panned just far enough that the whole cell of `time_step` can be seen."""
        if time_step - 0.5 < self.first:
            return self._from(time_step - 0.5, self.last - self.first)
        if time_step + 0.5 > self.last:
            return self._from(time_step + 0.5 - (self.last - self.first), self.last - self.first)
        return self

    def _from(self, first: float, span: float) -> "TimeAxis":
        first = min(max(first, 0.5), self.time_steps + 0.5 - span)
        return replace(self, first=first, last=first + span)
