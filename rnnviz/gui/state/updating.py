"""Update at the cursor: what the gradient shown would make of the weights, as far as the run says what is needed."""

import math
import weakref
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import exact
from rnnviz.core.optimising.clipping import setting_at
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnviz.core.experiment.training_settings import TrainingSettings
    from rnnviz.core.optimising.update import Noise, UpdateRule
    from rnnviz.core.optimising.update import State as OptimiserState
    from rnnviz.core.sweeps.trace import Trace
    from rnnviz.debugger.updating import UpdateShown
    from rnnviz.runs.file.records import OptimiserSnapshot

_made: "dict[int, tuple[weakref.ref[Any], tuple[object, ...], UpdateShown]]" = {}  # the newest of each model


def update_at(state: State, model: int | None = None) -> "UpdateShown | None":
    """The update that follows the weights shown, with the gradient of the sequence looked at, in a what-if of that, of
    the model at this index, else of the one that is stepped through.

    None where there is no trace, or the run is not trained here. Where what the optimiser had gathered is not kept,
    `unknown` of the answer says so, and what follows from it has no values.
    """
    from rnnviz.debugger.updating import update_shown  # late: the window starts without traces

    model = state.place.model if model is None else model
    trace, (rule, why) = looked_at(state, model).sequence, rule_at(state, model)
    if trace is None or rule is None:
        return None
    known = state.recorded.gathered[model] if model < len(state.recorded.gathered) else ""
    step = state.place.cursor.training_step
    asked = step, repr(rule), known if isinstance(known, str) else id(known), _began(state), state.run.seed
    if model in _made and _made[model][0]() is trace and _made[model][1] == asked:
        return _made[model][2]
    noise = _noise(state, trace, model) if rule.noise else None
    try:
        gathered, why_not = _gathered(state, known)
        unknown = " ".join(filter(None, (why, why_not if rule.optimiser.gathered else "")))
        found = update_shown(trace, rule, gathered, unknown, noise, _rate_words(state))
    except RnnvizError as error:  # what is recorded does not fit the parameters
        found = update_shown(trace, rule, None, f"{error}.", noise)
    _made[model] = weakref.ref(trace, _forget), asked, found
    return found


def _forget(trace: "weakref.ref[Any]") -> None:
    """The arrays of an update go with its trace."""
    for model in [model for model, (made_of, *_) in _made.items() if made_of is trace]:
        del _made[model]


def rule_at(state: State, model: int | None = None) -> "tuple[UpdateRule | None, str]":
    """How the update that follows the weights shown is made, with its learning rate, of a model (None: the one that is
    stepped through), and why that rate is not known, in which case it is NaN. None: not trained here."""
    training, completed = state.run.training, state.place.cursor.training_step + 1
    if training is None:
        return None, ""
    rate, why = _rate(state, training, state.place.model if model is None else model, completed)
    clip_norm = setting_at(completed, state.recorded.clip_changes, training.clip_norm)
    rule = training.rule
    return replace(rule, optimiser=replace(rule.optimiser, learning_rate=rate), clip_norm=clip_norm), why  # type: ignore[type-var]


def _rate(state: State, training: "TrainingSettings", model: int, completed: int) -> tuple[float, str]:
    """The learning rate of the update that completes a training step, and why it is not known."""
    base = setting_at(completed, state.recorded.rate_changes, training.learning_rate)
    if training.scheduled.of_training_step:
        return training.scheduled.rate(base, completed - 1), ""
    curve = state.recorded.history.curves.get((model, "learning_rate"))
    if curve is not None:
        place = int(np.searchsorted(curve.training_steps, completed))
        if place < len(curve.training_steps) and int(curve.training_steps[place]) == completed:
            return float(curve.values[place]), ""
    why = f"The learning rate of training step {completed:,} is not recorded: it depends on the validation loss."
    return math.nan, why


def _rate_words(state: State) -> str:
    """What makes the learning rate of that which is set; "": nothing."""
    training = state.run.training
    if training is None or training.constant:
        return ""
    step = state.place.cursor.training_step + 1
    base = setting_at(step, state.recorded.rate_changes, training.learning_rate)
    schedule = training.scheduled
    return f"η of training step {step:,}, {schedule.words}: {schedule.formula} from η = {exact(base)}"


def _noise(state: State, trace: "Trace", model: int) -> "Noise | None":
    """That of the training step, which its seed gives."""
    from rnnviz.debugger.updating import noise_of

    return noise_of(trace, state.run.seed or 0, state.place.cursor.training_step + 1, model)


def _gathered(state: State, known: "OptimiserSnapshot | str") -> "tuple[Mapping[str, OptimiserState] | None, str]":
    """What an optimiser had gathered before the update, or None and why that is not known."""
    from rnnviz.debugger.updating import gathered_in

    if _began(state):
        return {}, ""
    if isinstance(known, str) or state.run.training is None or known.name != state.run.training.optimiser:
        step = state.place.cursor.training_step
        why = known if isinstance(known, str) else ""
        return None, why or f"What the optimiser had gathered at training step {step:,} is not kept in this run."
    return gathered_in(known), ""


def _began(state: State) -> bool:
    """Whether the optimisers had gathered nothing yet: at the first training step, or where a branch made new ones."""
    origin, step = state.run.origin, state.place.cursor.training_step
    return step == 0 or (origin is not None and origin.anew and step == origin.training_step)
