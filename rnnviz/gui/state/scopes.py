"""The moment on the screen as expressions see it: one scope a model, the same one until another trace is shown."""

from collections.abc import Mapping

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import Scope, Vocabulary
from rnnviz.core.expressions.scope import MetricScope, not_recorded
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.expressions.vocabulary import METRICS
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.run import MetricCurve
from rnnviz.gui.state.state import State


class CurveMetrics:
    """The metrics of one model at a training step, looked up in the recorded curves."""

    def __init__(self, curves: Mapping[str, MetricCurve], training_step: int) -> None:
        self._curves = curves
        self._training_step = training_step

    def metric(self, name: str) -> float:
        place = self._place(name)  # first: without a curve it was not recorded
        return float(self._curves[name].values[place])

    def metric_window(self, name: str, count: int) -> Array:
        place = self._place(name)
        return self._curves[name].values[max(place + 1 - count, 0) : place + 1]

    def _place(self, name: str) -> int:
        steps = self._curves[name].training_steps if name in self._curves else np.zeros(0, np.int64)
        index = int(np.searchsorted(steps, self._training_step))
        if index == len(steps) or steps[index] != self._training_step:
            raise not_recorded(name)
        return index


def curves_of(state: State, model: int) -> dict[str, MetricCurve]:
    """The recorded metrics of the model at this place, by name."""
    return {name: curve for (number, name), curve in state.recorded.history.curves.items() if number == model}


def vocabulary_of(state: State) -> Vocabulary:
    """What is known of the run that is shown."""
    recorded = {name for _, name in state.recorded.history.curves}
    return Vocabulary(
        tuple(model.network for model in state.run.models),
        tuple(model.name for model in state.run.models),
        tuple(sorted(recorded | set(METRICS))),
    )


def metric_scope(state: State, model: int, training_step: int) -> MetricScope:
    """A model at a training step without its trace."""
    run_model = state.run.models[model]
    metrics = CurveMetrics(curves_of(state, model), training_step)
    return MetricScope(metrics, training_step, run_model.name, model + 1, run_model.structure.cell)


def trace_scope(state: State, model: int) -> TraceScope | None:
    """The trace looked at of a model, at the cursor; None while there is none, and where no such layer is."""
    looked = looked_at(state, model)
    trace = looked.trace
    if trace is None or trace.find_layer(state.place.cursor.layer) is None:
        return None
    return TraceScope(
        trace,
        sample=looked.sample,
        layer=state.place.cursor.layer,
        time_step=min(state.place.cursor.time_step, trace.sequence_length(looked.sample)),
        training_step=state.place.cursor.training_step,
        metrics=CurveMetrics(curves_of(state, model), state.place.cursor.training_step),
        model=state.run.models[model].name,
        model_number=model + 1,
    )


def scope_at_cursor(state: State, model: int) -> Scope:
    """The trace's scope where there is one, else that of the metrics alone."""
    return trace_scope(state, model) or metric_scope(state, model, state.place.cursor.training_step)
