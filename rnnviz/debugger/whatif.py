"""What if: the interventions of a person as a value, with undo, redo and named variants."""

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING, Any, TypeAlias

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import closest
from rnnviz.core.sweeps.capture import CaptureKind

if TYPE_CHECKING:
    from rnnviz.core.sweeps.capture import Capture
    from rnnviz.core.sweeps.trace import Trace
    from rnnviz.core.sweeps.what_if.interventions import Intervention

UNDO_LIMIT = 200  # how many changes can be taken back
LONGEST_NAME = 60

Interventions: TypeAlias = "tuple[Intervention, ...]"


@dataclass(frozen=True)
class Variant:
    """Interventions kept under a name."""

    name: str
    interventions: Interventions


@dataclass(frozen=True)
class WhatIf:
    """What is set by hand in one sequence of one model at one training step; every transition is a new value."""

    training_step: int = 0
    model: int = 0  # its number, 0-based
    kind: CaptureKind = "probe"  # of the probe or the training batch
    sample: int = 0  # which of its sequences, 0-based
    interventions: Interventions = ()  # none: this is history
    variants: tuple[Variant, ...] = ()
    past: tuple[Interventions, ...] = ()  # what undo goes back to, the last one first to return
    future: tuple[Interventions, ...] = ()  # what redo goes to, the first one next

    @property
    def active(self) -> bool:
        """Whether what is shown is not history."""
        return bool(self.interventions)

    @property
    def words(self) -> str:
        """All interventions in one line, "" for history."""
        return " · ".join(one.words for one in self.interventions)

    def add(self, intervention: "Intervention", continuing: bool = False) -> "WhatIf":
        """With one more; an earlier one of the very same place gives way. `continuing`: the same drag of a slider
        goes on, so that one undo takes all of it back."""
        place = _place(intervention)
        others = tuple(one for one in self.interventions if _place(one) != place)
        if continuing and len(others) < len(self.interventions):
            return replace(self, interventions=(*others, intervention), future=())
        return self._changed((*others, intervention))

    def add_all(self, interventions: Interventions) -> "WhatIf":
        """With several more, which one undo takes back together."""
        found = self
        for one in interventions:
            found = found.add(one)
        return self._changed(found.interventions)

    def remove(self, number: int) -> "WhatIf":
        """Without the intervention at this place of `interventions`, 0-based."""
        return self._changed(self.interventions[:number] + self.interventions[number + 1 :])

    def discard(self) -> "WhatIf":
        """Back to history; undo brings the interventions back."""
        return self._changed(())

    def undo(self) -> "WhatIf":
        """As before the last change; the same value where there was none."""
        if not self.past:
            return self
        return replace(
            self, interventions=self.past[-1], past=self.past[:-1], future=(self.interventions, *self.future)
        )

    def redo(self) -> "WhatIf":
        """The change last taken back, again; the same value where there is none."""
        if not self.future:
            return self
        return replace(
            self, interventions=self.future[0], past=(*self.past, self.interventions), future=self.future[1:]
        )

    def keep(self, name: str) -> "WhatIf":
        """With the present interventions kept as a variant; one of the same name is replaced in its place."""
        name = name.strip()
        if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable():
            raise RnnvizError(f"A variant's name must have 1 to {LONGEST_NAME} printable characters, not {len(name)}.")
        kept = Variant(name, self.interventions)
        if any(variant.name == name for variant in self.variants):
            return replace(self, variants=tuple(kept if one.name == name else one for one in self.variants))
        return replace(self, variants=(*self.variants, kept))

    def open(self, name: str) -> "WhatIf":
        """With the interventions of the variant `name`; undo returns to the present ones."""
        return self._changed(self.variant(name).interventions)

    def forget(self, name: str) -> "WhatIf":
        """Without the variant `name`."""
        gone = self.variant(name)
        return replace(self, variants=tuple(one for one in self.variants if one is not gone))

    def variant(self, name: str) -> Variant:
        """The variant `name`; RnnvizError naming close ones if there is none."""
        for variant in self.variants:
            if variant.name == name:
                return variant
        names = [variant.name for variant in self.variants]
        raise RnnvizError(f"There is no variant {name!r}; {closest(name, names) if names else 'none is kept.'}")

    def check(self, capture: "Capture", intervention: "Intervention") -> None:
        """RnnvizError unless `intervention` fits the capture, so that a refused one never enters the state."""
        from rnnviz.core.sweeps.what_if.changed_capture import changed_capture  # late: the sweeps come after the window

        changed_capture(capture, (intervention,), self.sample)

    def trace(self, capture: "Capture", variant: str | None = None) -> "Trace":
        """The sequence's trace (N = 1) with the present interventions, or with those of a variant. RnnvizError where
        they do not fit the capture."""
        from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed  # late: the sweeps come after the window

        return rebuild_changed(capture, self._chosen(variant), self.sample)

    def original(self, capture: "Capture") -> "Trace":
        """The sequence's trace without interventions, computed the way a changed one is: to compare it with."""
        from rnnviz.core.sweeps.what_if.changed_trace import recompute  # late: the sweeps come after the window

        return recompute(capture, (), self.sample)

    def weights(self, capture: "Capture", variant: str | None = None) -> dict[str, Array]:
        """All parameters as `changed_weights` has them, to train on from."""
        from rnnviz.core.sweeps.what_if.changed_capture import changed_weights  # late: the sweeps come after the window

        return changed_weights(capture, self._chosen(variant))

    def _chosen(self, variant: str | None) -> Interventions:
        return self.interventions if variant is None else self.variant(variant).interventions

    def _changed(self, interventions: Interventions) -> "WhatIf":
        if interventions == self.interventions:
            return self
        past = (*self.past, self.interventions)[-UNDO_LIMIT:]
        return replace(self, interventions=interventions, past=past, future=())


def _place(intervention: "Intervention") -> "Intervention":
    """The intervention without its values: two of the same place differ in nothing else."""
    empty: dict[str, Any] = {"value": 0.0, "values": ()}
    return replace(intervention, **{each.name: empty[each.name] for each in fields(intervention) if each.name in empty})
