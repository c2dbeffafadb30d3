"""What a person marks in an experiment: breakpoints, watches and bookmarks, as frozen records."""

from dataclasses import dataclass
from typing import Literal

from rnnviz.core.numbers import bound
from rnnviz.core.sweeps.capture import CaptureKind

BreakpointKind = Literal["condition", "data", "not finite", "place"]
Direction = Literal["up", "down", "either"]
PhaseName = Literal["forward", "loss", "backward", "accumulate", "update"]


@dataclass(frozen=True)
class Breakpoint:
    """Where to stop, or with a `message` where to write a line of the log and go on.

    condition    `expression` is a yes-or-no. One with t in it is asked at every time step of the sequence
    data         `expression` is one number that `crosses` a threshold, or changes by more than a `factor`
    not finite   the loss or the gradient's norm is NaN or infinite, or any value of `expression`; the first of these is
                 on unless a breakpoint of this kind that is not enabled says otherwise
    place        a point of the program; with an `expression`, where that is yes there
    """

    kind: BreakpointKind
    expression: str = ""
    crosses: float | None = None  # data: this or `factor`
    direction: Direction = "either"  # data with `crosses`
    factor: float | None = None
    phase: PhaseName = "forward"  # place
    time_step: int = 0  # place: counted from 1, negative from the end, 0: every time step (and a phase without any)
    operation: str = ""  # place: the key of an operation of the cell, "": the whole time step
    layer: str = ""  # place: "" any layer; of an expression: the layer looked at, "" l0
    model: str = ""  # its name, "": every model
    sequence: int = 1  # which of the probe's sequences is looked at, counted from 1
    every: int = 1  # stops at every n-th hit
    enabled: bool = True
    message: str = ""  # of a logpoint, with {expression} filled in

    @property
    def logs(self) -> bool:
        """Whether it writes a line instead of stopping."""
        return bool(self.message)

    @property
    def walked(self) -> bool:
        """Whether only a walk through the program stops here: training passes a bare place at every training step."""
        return self.kind == "place" and not self.expression and not self.message and self.every == 1

    @property
    def words(self) -> str:
        """Its line in a list: "norm(dh[1]) rises above 10⁻³ (LSTM), every 10th time"."""
        said = self.plain_words
        if self.model:
            said += f" ({self.model})"
        if self.every > 1:
            said += f", every {self.every}{_ordinal(self.every)} time"
        return said

    @property
    def plain_words(self) -> str:
        """What it waits for, of whatever model."""
        match self.kind:
            case "condition":
                return self.expression
            case "data" if self.crosses is not None:
                verb = {"up": "rises above", "down": "falls below", "either": "crosses"}[self.direction]
                return f"{self.expression} {verb} {bound(self.crosses)}"
            case "data":
                return f"{self.expression} changes by a factor of {bound(self.factor or 0.0)}"
            case "not finite":
                return f"{self.expression or 'loss or gradient'} is NaN or infinite"
            case "place":
                return self._place

    @property
    def _place(self) -> str:
        said: list[str] = [self.phase]
        if self.time_step:
            said.append(f"time step {self.time_step}".replace("-", "−"))
        said += [part for part in (self.layer, self.operation) if part]
        return " ".join(said) + (f" where {self.expression}" if self.expression else "")


NOT_FINITE = Breakpoint("not finite")


@dataclass(frozen=True)
class Watch:
    """An expression whose value is shown at every stop."""

    expression: str


@dataclass(frozen=True)
class Bookmark:
    """A moment with a note, to come back to."""

    training_step: int
    phase: PhaseName = "forward"
    time_step: int = 1  # counted from 1
    layer: str = "l0"
    operation: str = ""
    note: str = ""
    kind: CaptureKind = "probe"  # whose sequences were looked at


@dataclass(frozen=True)
class Marks:
    """All of them; saved with the experiment."""

    breakpoints: tuple[Breakpoint, ...] = ()
    watches: tuple[Watch, ...] = ()
    bookmarks: tuple[Bookmark, ...] = ()


def with_not_finite(breakpoints: tuple[Breakpoint, ...]) -> tuple[Breakpoint, ...]:
    """The breakpoints as they act: NaN and infinity stop, in front of all others, unless they say it themselves."""
    if any(one.kind == "not finite" and not one.expression for one in breakpoints):
        return breakpoints
    return (NOT_FINITE, *breakpoints)


def _ordinal(number: int) -> str:
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10 if number % 100 not in (11, 12, 13) else 0, "th")
