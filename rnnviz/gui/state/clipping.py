"""Clipping of the update at the cursor, from what is recorded of it."""

from collections.abc import Sequence
from typing import Any, TypeGuard

import numpy as np

from rnnviz.core.optimising.clipping import Clipping, SettingChange, setting_at
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Event


def clip_changes(events: Sequence[Event]) -> tuple[SettingChange, ...]:
    """The changes of the clip norm among the events of a run."""
    return _changes(events, "clip_norm")


def rate_changes(events: Sequence[Event]) -> tuple[SettingChange, ...]:
    """The changes of the learning rate among the events of a run."""
    return _changes(events, "learning_rate")


def _changes(events: Sequence[Event], name: str) -> tuple[SettingChange, ...]:
    told = [(event.training_step, event.details.get(name)) for event in events if event.kind == "setting"]
    return tuple((step, float(change[0]), float(change[1])) for step, change in told if _is_change(change))


def clipping(state: State, model: int, training_step: int | None = None) -> Clipping | None:
    """Of the update that completes a training step; of the one that follows the weights shown, or of the one that made
    them where no other is recorded yet. None where none is."""
    curve, training = state.recorded.history.curves.get((model, "grad_norm")), state.run.training
    if curve is None or training is None or not len(curve.training_steps):
        return None
    wanted = state.place.cursor.training_step + 1 if training_step is None else training_step
    index = int(np.searchsorted(curve.training_steps, wanted, side="right")) - 1
    if index < 0 or wanted - int(curve.training_steps[index]) > (training_step is None):
        return None
    step = int(curve.training_steps[index])
    norm = setting_at(step, state.recorded.clip_changes, training.clip_norm)
    return Clipping(step, float(curve.values[index]), norm, training.clip_value)


def _is_change(change: Any) -> TypeGuard[list[float]]:
    return isinstance(change, list) and len(change) == 2 and all(isinstance(norm, int | float) for norm in change)
