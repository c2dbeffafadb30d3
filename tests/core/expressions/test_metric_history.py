"""Looking back on metrics gives the same while a model trains and from the run it left."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.expressions import NoValueError
from rnnviz.core.expressions.metric_history import GrowingMetrics, RecordedMetrics
from rnnviz.core.expressions.scope import MetricScope
from rnnviz.core.stopping.conditions import condition

_VALUES = st.one_of(st.floats(0, 100), st.sampled_from([math.nan, math.inf, -math.inf, 0.0]))
_STEPS = st.lists(st.dictionaries(st.sampled_from(["loss", "grad_norm", "test_loss"]), _VALUES), max_size=60)
_CONDITIONS = [
    "grad_norm > 10 * median(grad_norm, 5)",
    "loss < 0.05",
    "isnan(loss)",
    "k % 7 == 0",
    "min(loss, 3) < mean(test_loss, 2) or max(grad_norm, 1) > 50",
]


def _curves(steps):
    names = {name for values in steps for name in values}
    curves = {}
    for name in names:
        at = [number for number, values in enumerate(steps) if name in values]
        curves[name] = np.array(at), np.array([steps[number][name] for number in at])
    return curves


@given(_STEPS, st.integers(5, 9))
def test_live_and_recorded_conditions_hit_at_the_same_training_steps(steps, window):
    questions = [condition(text) for text in _CONDITIONS]
    growing, recorded = GrowingMetrics(window), RecordedMetrics(_curves(steps))
    live, past = [], []
    for number, values in enumerate(steps):
        growing.add(values)
        live.append([question.ask(MetricScope(growing, number)).hit for question in questions])
    for number in range(len(steps)):
        recorded.look_at(number)
        past.append([question.ask(MetricScope(recorded, number)).hit for question in questions])
    assert live == past


@given(st.lists(st.floats(-10, 10), min_size=1, max_size=80), st.integers(1, 12))
def test_a_window_holds_the_last_values_oldest_first(values, window):
    growing = GrowingMetrics(window)
    for place, value in enumerate(values):
        growing.add({"loss": value})
        wanted = values[max(place + 1 - window, 0) : place + 1]
        np.testing.assert_array_equal(growing.metric_window("loss", window), wanted)
        assert not growing.metric_window("loss", window).flags.writeable


def test_a_training_step_without_the_metric_has_no_value():
    recorded = RecordedMetrics({"test_loss": (np.array([10, 20]), np.array([0.5, 0.25]))})
    growing = GrowingMetrics()
    growing.add({"test_loss": 0.5})
    growing.add({"loss": 1.0})
    recorded.look_at(15)
    for source in (recorded, growing):
        with pytest.raises(NoValueError, match="test_loss was not recorded at this training step"):
            source.metric("test_loss")
        with pytest.raises(NoValueError, match="accuracy was not recorded"):
            source.metric_window("accuracy", 5)
    recorded.look_at(20)
    assert recorded.metric("test_loss") == 0.25
    np.testing.assert_array_equal(recorded.metric_window("test_loss", 50), [0.5, 0.25])


def test_a_metric_scope_has_no_trace():
    scope = MetricScope(GrowingMetrics(), 7, "LSTM", 2, "lstm")
    assert scope.number("k") == 7.0
    with pytest.raises(NoValueError, match="T has no value at training step 7"):
        scope.number("T")
    with pytest.raises(NoValueError, match="dh has no value at training step 7"):
        scope.quantity("dh", "")
