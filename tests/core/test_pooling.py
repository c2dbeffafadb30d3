"""Heads that pool over time: each loss alone, every gradient and share, against autograd and finite differences."""

import pickle
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head, HeadKind
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.heads.head import through_head
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.core.sweeps.heads.pooling import POOLINGS, holders
from rnnviz.core.sweeps.scans.flow import loss_parts
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import SetValue, SetWeight

TIME_STEPS, OUTPUTS = 5, 4
each_pooling = pytest.mark.parametrize("pooling", ["mean", "max"])


def head_of(width, loss, pooling, lengths=None, *, weighs=True, seed=3, at_end=False):
    """A head asked at every time step, or at the last alone, of two sequences."""
    draw = np.random.default_rng(seed)
    outputs = OUTPUTS if weighs else width
    if LOSSES[loss].targets == "classes":
        targets = draw.integers(0, outputs, (TIME_STEPS, 2))
    else:
        targets = draw.uniform(size=(TIME_STEPS, 2, outputs))
    weight = draw.uniform(0.1, 0.4, (TIME_STEPS, 2))
    weight[: -1 if at_end else 0] = 0
    if lengths is not None:
        weight[np.arange(TIME_STEPS)[:, None] >= lengths] = 0
    parameters = (draw.normal(size=(outputs, width)), draw.normal(size=outputs)) if weighs else (None, None)
    return Head(*parameters, loss, targets, weight, pooling)


def pooled_capture(autograd, structure, loss, pooling, lengths=None, **more):
    capture = autograd.random_capture(
        structure, time_steps=TIME_STEPS, lengths=lengths, with_torch=False, seed=more.get("seed", 3)
    )
    head = head_of(structure.directions * structure.output_size, loss, pooling, lengths, **more)
    capture = capture.with_call(head=head)
    return capture.with_call(grad_output=rebuild(capture).head.output_grad)


@settings(max_examples=20)
@given(
    cell=st.sampled_from(["vanilla", "lstm", "gru", "mingru"]),
    num_layers=st.integers(1, 2),
    bidirectional=st.booleans(),
    lengths=st.sampled_from([None, [5, 3]]),
    loss=st.sampled_from(list(LOSSES)),
    pooling=st.sampled_from(["mean", "max"]),
    weighs=st.booleans(),
    residual=st.booleans(),
    seed=st.integers(0, 100),
)
def test_each_loss_reaches_every_state_as_autograd_says(
    autograd, cell, num_layers, bidirectional, lengths, loss, pooling, weighs, residual, seed
):
    activation = "relu" if cell == "vanilla" else "tanh"  # whose zeros are equal
    structure = Structure(cell, 2, 3, num_layers, bidirectional, activation=activation, residual=residual)
    capture = pooled_capture(autograd, structure, loss, pooling, lengths, weighs=weighs, seed=seed)
    trace = rebuild(capture)
    whole = autograd.reference(capture, with_head=True)
    for layer in trace.layers:
        np.testing.assert_allclose(
            layer.hidden_grad, whole.layers[layer.name].array("h", grad=True), rtol=1e-8, atol=1e-13
        )
    for k in range(TIME_STEPS):
        if not capture.head.loss_weight[k].any():
            continue
        alone = autograd.reference(capture, loss_times=(k,), with_head=True)
        for layer in trace.layers:
            expected = alone.layers[layer.name].grads(node.name for node in layer.equations.followed)
            for sample in range(2):
                norms = np.linalg.norm(expected[:, sample], axis=-1)
                np.testing.assert_allclose(layer.gradient_flow(sample)[k], norms, rtol=1e-8, atol=1e-13)


@each_pooling
@pytest.mark.parametrize("bidirectional", [False, True])
def test_what_each_loss_sends_is_all_that_comes(autograd, pooling, bidirectional):
    structure = Structure("lstm", 2, 3, 2, bidirectional)
    trace = rebuild(pooled_capture(autograd, structure, "binary cross-entropy", pooling, [4, 5]))
    for layer in trace.layers:
        for t in range(4):
            hidden, arriving = loss_parts(layer, t, 0)
            came = layer.direct_grad[t, 0] + layer.arriving["h"][t, 0]
            np.testing.assert_allclose(hidden.sum(axis=0), came, rtol=1e-9, atol=1e-15)
            np.testing.assert_allclose(arriving["c"].sum(axis=0), layer.arriving["c"][t, 0], rtol=1e-9, atol=1e-15)


@each_pooling
@pytest.mark.parametrize("weighs", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_a_pooled_head_are_finite_differences(loss, pooling, weighs):
    head = head_of(3, loss, pooling, weighs=weighs)
    output = np.random.default_rng(5).normal(size=(TIME_STEPS, 2, 3))

    def total(**changed):
        return float(through_head(replace(head, **changed), changed.pop("output", output)).losses.sum())

    found = through_head(head, output)
    arrays = {"output": output, **head.parameters}
    analytic = {"output": found.output_grad, **found.weight_grads}
    assert set(arrays) == set(analytic) == {"output", *(("weight", "bias") if weighs else ())}
    for name, array in arrays.items():
        for place in np.ndindex(array.shape):
            step = np.zeros_like(array)
            step[place] = 1e-6
            if name == "output":
                losses = [float(through_head(head, output + sign * step).losses.sum()) for sign in (1, -1)]
            else:
                losses = [total(**{name: array + sign * step}) for sign in (1, -1)]
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(analytic[name][place], rel=1e-6, abs=1e-9)


@each_pooling
def test_shares_of_the_heads_weights_are_those_of_each_loss(pooling):
    head = head_of(3, "mean squared error", pooling)
    output = np.random.default_rng(6).normal(size=(TIME_STEPS, 2, 3))
    found = through_head(head, output)
    read = found.pooled
    for t in range(TIME_STEPS):
        added = sum(np.outer(found.prediction_grad[t, n], read[t, n]) for n in range(2))
        assert found.weight_grad_shares["weight"][t] == pytest.approx(np.linalg.norm(added))
        np.testing.assert_allclose(found.value("weight_added", t, 1), np.outer(found.prediction_grad[t, 1], read[t, 1]))
    expected = output.cumsum(axis=0)[3] / 4 if pooling == "mean" else output[:4].max(axis=0)
    np.testing.assert_allclose(read[3], expected)


def test_a_maximum_is_held_by_the_first_of_equals_and_by_the_first_nan():
    values = np.array([2.0, 2.0, 1.0, 3.0, np.nan, 5.0, np.nan])
    assert holders(values).tolist() == [0, 0, 0, 3, 4, 4, 4]
    head = replace(head_of(3, "mean squared error", "max", weighs=False, at_end=True), targets=np.zeros((5, 2, 3)))
    output = np.ones((TIME_STEPS, 2, 3))
    output[2, 1, 0] = 2.0
    passed = through_head(head, output).output_grad
    assert np.argwhere(passed[..., 0]).tolist() == [[0, 0], [2, 1]]
    assert np.argwhere(passed[..., 2]).tolist() == [[0, 0], [0, 1]]


@each_pooling
@pytest.mark.parametrize("weighs", [True, False])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_equation_comes_to_what_the_trace_holds(loss, pooling, weighs):
    head = through_head(
        head_of(3, loss, pooling, weighs=weighs), np.random.default_rng(8).normal(size=(TIME_STEPS, 2, 3))
    )
    operations = (*forward_operations(head.kind), *backward_operations(head.kind))
    assert len({one.key for one in operations}) == len(operations)
    for operation in operations:
        for equation in operation.equations:
            for t, n in np.ndindex(TIME_STEPS, 2):
                found = equation.value(lambda name: head.value(name, t, n))  # noqa: B023  called at once
                np.testing.assert_allclose(found, head.value(equation.result.name, t, n), rtol=1e-12, atol=1e-15)


def texts(operations):
    return {operation.key: [equation.text() for equation in operation.equations] for operation in operations}


def test_the_pooling_is_a_step_of_its_own():
    kind = HeadKind("cross entropy", "mean")
    assert texts(forward_operations(kind)) == {
        "pooling": ["h^{mean}_t = Σ_{s≤t} h_s / t"],
        "logits": ["y_t = W_{ho} h^{mean}_t + b_o"],
        "softmax": ["p_t = softmax(y_t)"],
        "loss": ["L_t = −w_t log p_{t,k}"],
    }
    assert texts(backward_operations(kind))["pooled_grad"] == ["∂L_t/∂h^{mean}_t = W_{ho}ᵀ ∂L/∂y_t"]
    assert texts(backward_operations(kind))["output_grad"] == ["∂L_t/∂h_s = ∂L_t/∂h^{mean}_t / t"]
    bare = HeadKind("mean squared error", "max", weighs=False)
    assert texts(forward_operations(bare, "y_t")) == {
        "pooling": ["y^{max}_t = max(y^{max}_{t−1}, y_t)"],
        "loss": ["L_t = w_t ‖y^{max}_t − y^*_t‖² / V"],
    }
    assert texts(backward_operations(bare, "y_t")) == {
        "prediction_grad": ["∂L/∂y^{max}_t = 2 w_t (y^{max}_t − y^*_t) / V"],
        "output_grad": ["∂L_t/∂y_s = ∂L_t/∂y^{max}_t"],
    }
    assert list(texts(backward_operations(HeadKind("cross entropy", weighs=False), "y_t"))) == ["prediction_grad"]


@each_pooling
def test_a_changed_trace_goes_through_the_pooling(autograd, pooling):
    capture = pooled_capture(autograd, Structure("gru", 2, 3), "cross entropy", pooling)
    changes = [SetValue("l0", "h", 2, 0.9, 1), SetWeight("head.weight", (0.3,), 1, 2)]
    changed = rebuild_changed(capture, changes, 1)

    def set_h(layer, name, t, tensor):
        if name != "h" or t != 1:
            return tensor
        return autograd.torch.cat([tensor.new_full((1,), 0.9), tensor[1:]])

    weight = capture.head.weight.copy()
    weight[0, 1] = 0.3
    alone = capture.sample(1)
    alone = alone.with_call(head=replace(alone.head, weight=weight))
    slow = autograd.reference(alone, change=set_h, with_head=True)
    np.testing.assert_allclose(
        changed.layers[0].hidden_grad[2:], slow.layers["l0"].array("h", grad=True)[2:], rtol=1e-9, atol=1e-14
    )
    np.testing.assert_allclose(changed.layers[0].weight_grads["weight_hh"], slow.weight_grads["weight_hh_l0"])


@each_pooling
def test_a_sample_and_a_copy_are_the_same(autograd, pooling):
    trace = rebuild(pooled_capture(autograd, Structure("lstm", 2, 3), "mean squared error", pooling, [3, 5]))
    for one in (trace.sample(0), pickle.loads(pickle.dumps(trace.sample(0))), trace.alone(0)):
        np.testing.assert_array_equal(one.layers[0].gradient_flow(0), trace.layers[0].gradient_flow(0)[:3, :3])
        np.testing.assert_array_equal(one.head.pooled, trace.head.pooled[:3, :1])
        np.testing.assert_allclose(one.head.output_grad, trace.head.output_grad[:3, :1], rtol=1e-12)


def test_a_head_with_half_its_weights_is_refused(autograd):
    capture = pooled_capture(autograd, Structure("lstm", 2, 3), "mean squared error", "mean")
    check_shapes(capture)
    with pytest.raises(RnnvizError, match=r"head\.bias: wanted one, as there is a weight"):
        check_shapes(capture.with_call(head=replace(capture.head, bias=None)))
    with pytest.raises(RnnvizError, match=r"head\.targets: wanted \(5, 2, 3\), got \(5, 2, 4\)"):
        check_shapes(capture.with_call(head=replace(capture.head, weight=None, bias=None)))


def test_what_reads_each_time_step_alone_computes_nothing():
    output = np.ones((2, 1, 3))
    assert POOLINGS["last"].pooled(output) is output
    assert (POOLINGS["last"].through, POOLINGS["last"].symbol("h_t")) == ("", "h_t")
    assert (POOLINGS["max"].through, POOLINGS["mean"].symbol("h_t")) == ("through the maximum over time", "h^{mean}_t")
