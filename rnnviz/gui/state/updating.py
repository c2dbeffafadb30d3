"""Update at the cursor: what the gradient shown would make of the weights, as far as the run says what is needed."""

import weakref
from typing import TYPE_CHECKING, Any

from rnnviz.core.errors import RnnvizError
from rnnviz.core.optimising.clipping import setting_at
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State

if TYPE_CHECKING:
    from collections.abc import Mapping

    from rnnviz.core.optimising.optimisers import Optimiser
    from rnnviz.core.optimising.update import State as OptimiserState
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
    trace, optimiser = looked_at(state, model).sequence, optimiser_at(state)
    if trace is None or optimiser is None or state.run.training is None:
        return None
    completed = state.place.cursor.training_step + 1
    clip_norm = setting_at(completed, state.recorded.clip_changes, state.run.training.clip_norm)
    known = state.recorded.gathered[model] if model < len(state.recorded.gathered) else ""
    asked = optimiser, clip_norm, known if isinstance(known, str) else id(known), _began(state)
    if model in _made and _made[model][0]() is trace and _made[model][1] == asked:
        return _made[model][2]
    try:
        found = update_shown(trace, optimiser, clip_norm, *_gathered(state, known))
    except RnnvizError as error:  # what is recorded does not fit the parameters
        found = update_shown(trace, optimiser, clip_norm, None, f"{error}.")
    _made[model] = weakref.ref(trace, _forget), asked, found
    return found


def _forget(trace: "weakref.ref[Any]") -> None:
    """The arrays of an update go with its trace."""
    for model in [model for model, (made_of, *_) in _made.items() if made_of is trace]:
        del _made[model]


def optimiser_at(state: State) -> "Optimiser | None":
    """The optimiser with its learning rate in the update that follows the weights shown; None: not trained here."""
    from rnnviz.core.optimising.optimisers import optimiser

    training = state.run.training
    if training is None:
        return None
    completed = state.place.cursor.training_step + 1
    return optimiser(training.optimiser, setting_at(completed, state.recorded.rate_changes, training.learning_rate))


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
