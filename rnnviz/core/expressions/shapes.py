"""How many values an expression has, known before it is computed: its axes, and whether they are numbers or yes/no."""

from dataclasses import dataclass, replace
from typing import NamedTuple

TIME = "T"


class Axis(NamedTuple):
    """One axis: T over time steps, H, P, I or V over units; `size` None where only the trace knows it."""

    label: str
    size: int | None = None

    def fits(self, other: "Axis") -> bool:
        """Whether the two may be combined one by one. Time never fits units, even where the sizes happen to agree."""
        if (self.label == TIME) != (other.label == TIME):
            return False
        return self.size is None or other.size is None or self.size == other.size

    @property
    def words(self) -> str:
        return self.label if self.size is None else str(self.size)


@dataclass(frozen=True)
class Form:
    """No axes: one value. One or two axes: an array of float64, or of yes-or-no values."""

    axes: tuple[Axis, ...] = ()
    yes_no: bool = False

    @property
    def single(self) -> bool:
        return not self.axes

    @property
    def words(self) -> str:
        """ "one number", "T × H numbers", "yes or no"."""
        if not self.axes:
            return "yes or no" if self.yes_no else "one number"
        size = " × ".join(axis.words for axis in self.axes)
        return f"{size} yes-or-no values" if self.yes_no else f"{size} numbers"

    def combined(self, other: "Form") -> "Form | None":
        """The form of this and `other` taken one by one, None where they do not fit; a row fits every row of T × H."""
        longer, shorter = (self, other) if len(self.axes) >= len(other.axes) else (other, self)
        if not shorter.axes:
            return longer
        tail = longer.axes[-len(shorter.axes) :]
        if not all(one.fits(two) for one, two in zip(tail, shorter.axes, strict=True)):
            return None
        known = tuple(one if one.size is not None else two for one, two in zip(tail, shorter.axes, strict=True))
        return replace(longer, axes=longer.axes[: -len(shorter.axes)] + known)


NUMBER = Form()
YES_NO = Form(yes_no=True)
