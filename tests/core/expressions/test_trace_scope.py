"""Every quantity of a real trace by its name, for each cell, layer, direction and sequence."""

from dataclasses import replace

import numpy as np
import pytest
from several_calls import network

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.expressions import ExpressionError, NoValueError, Vocabulary, parse
from rnnviz.core.expressions.scope import FixedMetrics
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.expressions.vocabulary import named_quantities
from rnnviz.core.sweeps.trace import rebuild


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sample", [0, 1])
def test_every_quantity_has_a_value_exactly_in_the_cells_that_have_it(make_trace, cell, sample):
    trace = make_trace(cell)
    scope = TraceScope(trace, sample=sample)
    known = Vocabulary((trace.network,))
    for name, named in named_quantities().items():
        if named.cells is None or cell in named.cells:
            expression = parse(name, known)
            value = expression.evaluate(scope)
            assert value.shape[0] == trace.sequence_length(sample) == (6, 4)[sample]
            assert value.ndim == len(expression.form.axes)
            assert all(axis.size in (None, size) for axis, size in zip(expression.form.axes, value.shape, strict=True))
        else:
            with pytest.raises(ExpressionError, match=f"The {cell} cell has no {named.words}"):
                parse(name, known)
            with pytest.raises(NoValueError, match=f"The {cell} cell has no {named.words}"):
                parse(name).evaluate(scope)


def test_the_names_mean_what_they_say(make_trace):
    trace = make_trace("lstm", layers=2, bidirectional=True)
    one = trace.sample(0)  # what the trace says of the first sequence alone
    layer = one.layer("l1_reverse")
    scope = TraceScope(trace, sample=0, layer="l1_reverse", time_step=3, training_step=40)
    pairs = {
        "h": layer.h,
        "f": layer.gates["f"],
        "c": layer.c,
        "a_o": layer.pre_activations["o"],
        "dh": layer.hidden_grad,
        "dh_direct": layer.direct_grad,
        "dh_carried": layer.carried_grad,
        "dc": layer.cell_grad,
        "dc_direct": layer.direct_cell_grad,
        "dc_carried": layer.carried_cell_grad,
        "da_g": layer.gate_grads["g"],
        "dx": layer.input_grad,
        "h_l0": one.layer("l0").h,
        "dh_l0_reverse": one.layer("l0_reverse").hidden_grad,
        "prediction": trace.head.prediction,
        "probability": trace.head.probabilities,
    }
    for name, array in pairs.items():
        np.testing.assert_array_equal(parse(name).evaluate(scope), array[:, 0].astype(np.float64))
        np.testing.assert_array_equal(parse(f"{name}[t]").evaluate(scope), array[2, 0].astype(np.float64))
    np.testing.assert_array_equal(parse("losses").evaluate(scope), trace.head.losses[:, 0])
    assert parse("k == 40 and t == 3 and T == 6 and H == 4 and N == 2").evaluate(scope) is True


def test_shares_are_those_of_the_sequence_looked_at(make_trace):
    trace = make_trace("gru")
    for sample in (0, 1):
        scope = TraceScope(trace, sample=sample)
        layer = trace.sample(sample).layer("l0")
        np.testing.assert_array_equal(parse("share_hh").evaluate(scope), layer.weight_grad_shares["weight_hh"])
        np.testing.assert_array_equal(parse("so_far_ih").evaluate(scope), layer.weight_grad_so_far["weight_ih"])


def test_the_cursor_moves(make_trace):
    scope = TraceScope(make_trace("lstm"))
    changes = parse("norm(h[t] - h[t - 1])")
    with pytest.raises(NoValueError, match="There is no time step 0: there are 6"):
        changes.evaluate(scope)
    scope.move_to(2)
    assert changes.evaluate(scope) > 0
    assert scope.time_steps == 6


def test_what_a_trace_lacks_is_no_value_and_what_cannot_be_looked_at_is_an_error(make_trace):
    trace = make_trace("vanilla")
    scope = TraceScope(trace, metrics=FixedMetrics({"loss": 0.25}))
    assert parse("loss < 0.3 and median(loss, 50) == 0.25").evaluate(scope) is True
    with pytest.raises(NoValueError, match="grad_norm was not recorded"):
        parse("grad_norm").evaluate(scope)
    with pytest.raises(NoValueError, match="l3"):
        parse("h_l3").evaluate(scope)
    with pytest.raises(RnnvizError, match="l7"):
        TraceScope(trace, layer="l7")
    with pytest.raises(RnnvizError, match="sequence from 0 to 1"):
        TraceScope(trace, sample=2)


def test_a_trace_without_a_head_has_no_prediction(make_trace):
    scope = TraceScope(make_trace("vanilla", with_head=False))
    with pytest.raises(NoValueError, match="This model has no prediction"):
        parse("prediction").evaluate(scope)


def test_gradients_that_float32_has_lost_are_those_of_the_float64_rebuild(make_trace):
    capture = make_trace("vanilla", with_head=False).check.capture
    call = capture.calls[0]
    grad = np.zeros((90, 2, 4), np.float32)
    grad[-1] = 3
    inputs = np.tile(call.inputs, (15, 1, 1))
    capture = capture.with_call(inputs=inputs, grad_output=grad, output=None, lengths=None)
    small = {name: weight * np.float32(0.1) for name, weight in capture.weights.items()}
    trace = rebuild(replace(capture, weights=small, grads={}))
    assert trace.underflows
    layer, exact = trace.sample(1).layer("l0"), trace.exact.sample(1).layer("l0")
    scope = TraceScope(trace, sample=1)
    assert not layer.hidden_grad[0].any()
    assert parse("norm(dh[1])").evaluate(scope) == pytest.approx(np.linalg.norm(exact.hidden_grad[0, 0]), rel=1e-12)
    assert parse("share_hh[2]").evaluate(scope) == pytest.approx(exact.weight_grad_shares["weight_hh"][1], rel=1e-12)
    assert parse("norm(dh[T])").evaluate(scope) == pytest.approx(6, rel=1e-6)  # float32 is sure of this one
    np.testing.assert_array_equal(parse("h").evaluate(scope), layer.h[:, 0])
    assert parse("min(abs(dh[:, 1])) == 0").evaluate(scope) is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("norm(h_l1[t])", "The encoder has ended: its last time step is 4."),
        ("h_encoder_l1[2:6, 1]", "The encoder has ended: its last time step is 4."),
        ("h_decoder_l0[t - 2, 3]", "The decoder begins at time step 5."),
        ("losses[3]", "The decoder begins at time step 5."),
        ("h_l1[-5, 1]", "There is no time step -5: there are 4."),
        ("h_l1[-1, 2]", lambda trace: trace.layer("l1").h[3, 0, 1]),
        ("dh_decoder_l1_reverse[t, 4]", lambda trace: trace.layer("decoder.l1_reverse").hidden_grad[4, 0, 3]),
        ("h[t, 1]", lambda trace: trace.layer("decoder.l0").h[4, 0, 0]),  # of the layer looked at
        ("mean(h_l0)", lambda trace: trace.layer("l0").h[:4, 0].mean()),
        ("losses[-1] + sum(losses[6:7])", lambda trace: 2 * trace.head.losses[6, 0] + trace.head.losses[5, 0]),
    ],
)
def test_a_stage_has_values_in_its_own_time_steps_and_elsewhere_says_so(text, value):
    trace = rebuild(network("gru", lengths=(None, None)))
    scope = TraceScope(trace, layer="decoder.l0", time_step=5)
    expression = parse(text, Vocabulary((trace.network,)))
    if isinstance(value, str):
        with pytest.raises(NoValueError, match=value):
            expression.evaluate(scope)
    else:
        assert expression.evaluate(scope) == pytest.approx(float(value(trace)), rel=1e-12)
