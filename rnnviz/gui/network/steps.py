"""Steps: which time steps the unrolled network shows, and where their columns are."""

from dataclasses import dataclass

from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN

LEAST_PITCH, MOST_PITCH, USUAL_PITCH = 40.0, 190.0, 108.0  # pixels from one time step to the next
_NUMBERS = 42.0  # pixels between two cells below which their arrow has no number


@dataclass(frozen=True)
class Steps:
    """The time steps that are seen: from `first`, one every `pitch` pixels from `left` on."""

    first: int
    count: int
    left: float
    pitch: float

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)

    def x(self, time_step: int) -> float:
        """The middle of a column."""
        return self.left + (time_step - self.first + 0.5) * self.pitch

    @property
    def cell(self) -> float:
        """The width of a cell: what its arrows leave."""
        return min(max(0.55 * self.pitch, self.pitch - 56.0), 96.0)

    def gap(self, t: int) -> tuple[float, float]:
        """What lies between the cells of t and t + 1, whose ends may be out of sight."""
        half, reach = self.cell / 2, self.pitch / 2
        start = self.x(t) + half + 2 if t in self.numbers else self.x(t + 1) - reach
        return start, self.x(t + 1) - half - 2 if t + 1 in self.numbers else self.x(t) + reach

    @property
    def roomy(self) -> bool:
        """Whether numbers fit onto the arrows."""
        return self.pitch - self.cell >= _NUMBERS

    @staticmethod
    def around(time_step: int, first: int, time_steps: int, width: float, pitch: float) -> "Steps":
        """As many as fit into `width`; they stay where they are as long as the cursor and its neighbours are seen."""
        room = max(width - LABEL_COLUMN - SCALE_COLUMN, pitch)
        count = min(max(int(room / pitch), 1), time_steps)
        edge = 1 if count > 2 else 0
        first = max(min(first, time_step - edge), time_step + edge - count + 1)
        first = min(max(first, 1), time_steps - count + 1)
        spread = min(room / count, max(pitch, min(1.25 * pitch, MOST_PITCH)))
        return Steps(first, count, LABEL_COLUMN + (room - spread * count) / 2 * (count == time_steps), spread)
