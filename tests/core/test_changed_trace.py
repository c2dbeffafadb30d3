"""Recomputed traces against autograd with the same interventions in it, and against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head
from rnnviz.core.sweeps.scans.flow import step_jacobian
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_capture import changed_capture, changed_weights
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed, recompute
from rnnviz.core.sweeps.what_if.interventions import (
    Clamp,
    CutGradient,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    one_hot,
)

TIME_STEPS = 5


@st.composite
def structures(draw):
    cell = draw(st.sampled_from(list(CELLS)))
    return Structure(
        cell,
        input_size=2,
        hidden_size=3,
        num_layers=draw(st.integers(1, 2)),
        bidirectional=draw(st.booleans()),
        bias=draw(st.booleans()),
        activation=draw(st.sampled_from(["tanh", "sigmoid"])) if cell == "vanilla" else "tanh",
        proj_size=draw(st.integers(0, 2)) if CELLS[cell].projection else 0,
        residual=draw(st.booleans()),
    )


@st.composite
def held(draw, structure):
    """An intervention inside the sweeps: a value, a clamp or a cut."""
    layer, time_step = draw(st.sampled_from(structure.layer_names)), draw(st.integers(1, TIME_STEPS))
    kind = draw(st.sampled_from(["value", "clamp", "cut"]))
    if kind == "cut":
        return CutGradient(time_step, draw(st.sampled_from(["", layer])))
    letter = draw(st.sampled_from([node.name for node in structure.equations.settable]))
    width = structure.units(letter)
    unit, value = draw(st.one_of(st.none(), st.integers(1, width))), draw(st.floats(-2, 2))
    if kind == "value":
        return SetValue(layer, letter, time_step, value, unit)
    last = draw(st.one_of(st.none(), st.integers(time_step, TIME_STEPS)))
    return Clamp(layer, letter, value, time_step, last, unit)


@st.composite
def given_before(draw, structure):
    """An intervention on what the sweeps begin with: input, initial state or a weight."""
    kind = draw(st.sampled_from(["input", "state", "weight", "head"]))
    layer, value = draw(st.sampled_from(structure.layer_names)), draw(st.floats(-2, 2))
    if kind == "input":
        return SetInput(draw(st.integers(1, TIME_STEPS)), (value, 0.3))
    if kind == "state" and structure.equations.states:
        return SetState(layer, draw(st.sampled_from(structure.equations.states)), (value,))
    if kind == "head":
        return SetWeight("head.weight", (value,), row=2)
    parameter = "weight_ih" if "weight_hh" not in structure.equations.parameter_named else "weight_hh"
    return SetWeight(f"{parameter}_{layer}", (value,), row=draw(st.integers(1, 3)), column=1)


@st.composite
def cases(draw):
    structure = draw(structures())
    each = st.one_of(held(structure), given_before(structure))
    return structure, tuple(draw(st.lists(each, min_size=1, max_size=4)))


def with_head(capture, loss="cross entropy", seed=1):
    generator = np.random.default_rng(seed)
    time_steps, sequences, width = capture.grad_output.shape
    shape = (time_steps, sequences)
    targets = generator.integers(0, 4, shape) if loss == "cross entropy" else generator.standard_normal((*shape, 4))
    asked = (generator.random(shape) < 0.7) / 3
    weight, bias = generator.standard_normal((4, width)), generator.standard_normal(4)
    capture = capture.with_call(head=Head(weight, bias, loss, targets, asked))
    return capture.with_call(grad_output=rebuild(capture).head.prediction_grad @ weight)


def changes(structure, interventions):
    """The same for the reference: a function that puts the values in, and the cuts."""
    cuts = set()
    for one in interventions:
        if isinstance(one, CutGradient):
            names = [one.layer] if one.layer else structure.layer_names
            cuts |= {(name, one.time_step - 1) for name in names}

    def change(torch, layer, name, t, tensor):
        for one in interventions:
            if not isinstance(one, SetValue | Clamp) or one.layer != layer or name.removeprefix("a:") != one.quantity:
                continue
            if name.startswith("a:") and name != "a:a":
                continue
            first, last = (one.time_step,) * 2 if isinstance(one, SetValue) else (one.first, one.last or TIME_STEPS)
            if first <= t + 1 <= last:
                mask = torch.arange(len(tensor)) == one.unit - 1 if one.unit else torch.ones(len(tensor), dtype=bool)
                tensor = torch.where(mask, torch.tensor(one.value, dtype=tensor.dtype), tensor)
        return tensor

    return change, frozenset(cuts)


def expected_of(autograd, capture, interventions, with_head=True):
    """Autograd over the sequence with weights, input and state already changed, and the rest by hooks."""
    change, cuts = changes(capture.structure, interventions)

    def hook(layer, name, t, tensor):
        return tensor if name == "x" else change(autograd.torch, layer, name, t, tensor)

    return autograd.reference(capture, change=hook, cuts=cuts, with_head=with_head)


def close(ours, theirs, limit=1e-10):
    assert ours.shape == theirs.shape
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit * max(float(np.abs(theirs).max(initial=0)), 1e-3))


def assert_same(trace, truth, interventions):
    """Every value and gradient of `trace` is the reference's."""
    for layer in trace.layers:
        theirs = truth.layers[layer.name]
        close(layer.h, theirs.array("h"))
        close(layer.hidden_grad, theirs.array("h", grad=True))
        close(layer.input_grad, theirs.array("x", grad=True))
        output = layer.equations.output
        np.testing.assert_array_equal(layer.grad(output), layer.direct_grad + layer.carried(output))
        close(layer.direct("h") + layer.carried("h"), layer.hidden_grad)
        if layer.c is not None:
            close(layer.c, theirs.array("c"))
            close(layer.cell_grad, theirs.array("c", grad=True))
            close(layer.direct_cell_grad + layer.carried_cell_grad, layer.cell_grad)
        for gate, values in layer.gates.items():
            close(values, theirs.array(gate))
        for name, values in layer.pre_activations.items():
            close(values, theirs.array(f"a:{name}"))
            grads = theirs.array(f"a:{name}", grad=True)
            for one in interventions:  # a pre-activation that was set passes nothing on, so its gradient is shown as 0
                if isinstance(one, SetValue | Clamp) and one.quantity == name:
                    first = one.time_step if isinstance(one, SetValue) else one.first
                    last = one.time_step if isinstance(one, SetValue) else one.last
                    units = slice(None) if one.unit is None else one.unit - 1
                    if one.layer == layer.name:
                        grads[first - 1 : last, :, units] = 0
            close(layer.gate_grads[name], grads)
        for name, grad in layer.weight_grads.items():
            close(grad, truth.weight_grads[f"{name}_{layer.name}"])


@settings(max_examples=60)
@given(case=cases(), loss=st.sampled_from(["cross entropy", "mean squared error"]), seed=st.integers(0, 1000))
def test_every_value_and_gradient_is_autograds(autograd, case, loss, seed):
    structure, interventions = case
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=seed, with_torch=False, dropout=0.3)
    capture = with_head(capture, loss, seed)
    trace = rebuild_changed(capture, interventions, sample=1)
    truth = expected_of(autograd, changed_capture(capture, interventions, 1), interventions)
    assert_same(trace, truth, interventions)
    prediction = truth.output @ trace_head(capture, interventions)["weight"].T
    close(trace.head.prediction, prediction + trace_head(capture, interventions)["bias"])
    assert len(trace.notes) == len(interventions)
    assert not trace.faithful


def trace_head(capture, interventions):
    weights = changed_weights(capture, interventions)
    return {"weight": weights["head.weight"], "bias": weights["head.bias"]}


@given(case=cases(), seed=st.integers(0, 1000))
def test_without_a_head_the_gradient_of_the_output_stays(autograd, case, seed):
    structure, interventions = case
    interventions = tuple(one for one in interventions if getattr(one, "parameter", "") != "head.weight")
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=seed, with_torch=False)
    trace = rebuild_changed(capture, interventions)
    truth = expected_of(autograd, changed_capture(capture, interventions), interventions, with_head=False)
    assert_same(trace, truth, interventions)
    assert trace.head is None


@settings(max_examples=15)
@given(case=cases(), seed=st.integers(0, 1000))
def test_gradients_are_finite_differences(autograd, case, seed):
    structure, interventions = case
    interventions = tuple(one for one in interventions if not isinstance(one, CutGradient | SetWeight))
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=seed, with_torch=False)
    capture = with_head(capture, seed=seed)
    generator, size = np.random.default_rng(seed), 1e-6
    trace = rebuild_changed(capture, interventions, 1)
    for layer in trace.layers:
        for name, grad in trace.layer(layer.name).weight_grads.items():
            key = f"{name}_{layer.name}"
            direction = generator.standard_normal(grad.shape)
            weights = [capture.weights[key] + sign * size * direction for sign in (1, -1)]
            losses = [
                rebuild_changed(replace(capture, weights={**capture.weights, key: weight}), interventions, 1)
                for weight in weights
            ]
            slope = (losses[0].head.losses.sum() - losses[1].head.losses.sum()) / (2 * size)
            assert (grad * direction).sum() == pytest.approx(slope, rel=1e-5, abs=1e-8)


@settings(max_examples=15)
@given(case=cases(), seed=st.integers(0, 1000))
def test_the_gradient_of_a_set_value_is_its_finite_difference(autograd, case, seed):
    structure, others = case
    others = tuple(one for one in others if not isinstance(one, CutGradient))
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=seed, with_torch=False)
    capture = with_head(capture, "mean squared error", seed)
    for quantity in structure.equations.states:

        def changed(value, quantity=quantity):
            return rebuild_changed(capture, (*others, SetValue("l0", quantity, 2, value, 1)))

        layer = changed(0.3).layer("l0")
        grad = layer.grad(quantity)
        losses = [changed(0.3 + sign * 1e-6).head.losses.sum() for sign in (1, -1)]
        assert grad[1, 0, 0] == pytest.approx((losses[0] - losses[1]) / 2e-6, rel=1e-5, abs=1e-8)


@given(structure=structures(), dtype=st.sampled_from(["float32", "float64"]), packed=st.booleans())
def test_without_interventions_it_is_the_plain_trace(autograd, structure, dtype, packed):
    capture = autograd.random_capture(
        structure, time_steps=4, sequences=2, lengths=[4, 3] if packed else None, dtype=dtype
    )
    plain, ours = rebuild(capture).sample(1), rebuild_changed(capture, (), 1)
    assert ours.faithful
    for theirs, layer in zip(plain.layers, ours.layers, strict=True):
        for name in ("h", "hidden_grad", "cell_grad", "input_grad"):
            np.testing.assert_array_equal(getattr(layer, name), getattr(theirs, name))
        for name in layer.equations.by_name:
            np.testing.assert_array_equal(layer.value(name), theirs.value(name))
            np.testing.assert_array_equal(layer.grad(name), theirs.grad(name))


@settings(max_examples=20)
@given(structure=structures(), dtype=st.sampled_from(["float32", "float64"]), time_step=st.integers(2, TIME_STEPS))
def test_what_an_intervention_does_not_reach_stays_to_the_last_bit(autograd, structure, dtype, time_step):
    structure = replace(structure, bidirectional=False)
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, dtype=dtype, with_torch=False)
    original, cut = recompute(capture, (), 1), recompute(capture, [CutGradient(time_step)], 1)
    top = structure.layer_names[-1]
    changed = recompute(capture, [SetValue(top, "h", time_step, 0.3, 1)], 1)
    for layer, other in zip(original.layers, cut.layers, strict=True):
        np.testing.assert_array_equal(layer.h, other.h)
        np.testing.assert_array_equal(layer.hidden_grad[time_step:], other.hidden_grad[time_step:])
    for layer, other in zip(original.layers, changed.layers, strict=True):
        np.testing.assert_array_equal(layer.h[: time_step - 1], other.h[: time_step - 1])
    plain = rebuild(capture).sample(1)
    limit = 1e-12 if dtype == "float64" else 1e-5
    for layer, other in zip(original.layers, plain.layers, strict=True):
        close(layer.hidden_grad, other.hidden_grad, limit)


@given(structure=structures(), seed=st.integers(0, 1000))
def test_an_intervention_that_changes_nothing_changes_nothing(autograd, structure, seed):
    """The last time step's gradient is cut where none comes, so the scan with hands in it must agree with the plain."""
    capture = with_head(autograd.random_capture(structure, time_steps=4, lengths=[4, 3], seed=seed))
    plain = rebuild(capture).sample(1)
    last = tuple(CutGradient(1 if name.endswith("_reverse") else 3, name) for name in structure.layer_names)
    ours = rebuild_changed(capture, last, 1)
    for theirs, layer in zip(plain.layers, ours.layers, strict=True):
        assert layer.cut.sum() == 1
        for name in ("h", "hidden_grad", "carried_grad", "input_grad"):
            close(getattr(layer, name), getattr(theirs, name), 1e-12)
        for name in layer.equations.by_name:
            close(layer.value(name), theirs.value(name), 1e-12)
            close(layer.grad(name), theirs.grad(name), 1e-12)
        for name, grad in theirs.weight_grads.items():
            close(layer.weight_grads[name], grad, 1e-12)
        close(layer.gradient_flow(), theirs.gradient_flow(), 1e-12)
    close(ours.head.losses, plain.head.losses, 1e-12)


@settings(max_examples=20)
@given(case=cases(), seed=st.integers(0, 1000))
def test_gradient_flow_ends_where_the_gradient_does(autograd, case, seed):
    structure, interventions = case
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=seed, with_torch=False)
    interventions = tuple(one for one in interventions if getattr(one, "parameter", "") != "head.weight")
    trace = rebuild_changed(capture, interventions)
    alone = changed_capture(capture, interventions)
    for k in (1, TIME_STEPS - 1):
        grad_output = np.zeros_like(alone.grad_output)
        grad_output[k] = alone.grad_output[k]
        truth = expected_of(autograd, alone.with_call(grad_output=grad_output), interventions, with_head=False)
        for layer in trace.layers:
            norms = np.linalg.norm(
                truth.layers[layer.name].grads(node.name for node in layer.equations.followed)[:, 0], axis=-1
            )
            close(layer.gradient_flow()[k], norms, 1e-9)


@pytest.mark.parametrize("cell", ["vanilla", "lstm"])
@pytest.mark.parametrize("cut_layer", ["", "l0_reverse", "l1_reverse", "l0"])
def test_gradient_flow_of_each_direction_ends_at_its_cut(autograd, cell, cut_layer):
    structure = Structure(cell, 2, 3, num_layers=2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=TIME_STEPS, seed=3, with_torch=False)
    cut = [CutGradient(2, cut_layer)]
    trace = rebuild_changed(capture, cut)
    for k in range(TIME_STEPS):
        grad_output = np.zeros_like(capture.grad_output)
        grad_output[k] = capture.grad_output[k]
        alone = rebuild_changed(capture.with_call(grad_output=grad_output), cut)
        for layer, expected in zip(trace.layers, alone.layers, strict=True):
            close(layer.gradient_flow()[k], np.linalg.norm(expected.hidden_grad[:, 0], axis=-1), 1e-9)
    for layer in trace.layers:
        after = 0 if layer.reverse else 2  # the time step that would have carried to the cut one, from 0
        assert step_jacobian(layer, after).any() == (cut_layer not in ("", layer.name))


def test_a_lesion_silences_a_unit_and_a_cut_the_past(autograd):
    capture = with_head(autograd.random_capture(Structure("lstm", 2, 4), time_steps=6, with_torch=False))
    layer = rebuild_changed(capture, [Clamp("l0", "h", first=3, unit=2)]).layers[0]
    plain = rebuild(capture).sample(0).layers[0]
    assert not layer.h[2:, 0, 1].any()
    np.testing.assert_allclose(layer.h[:2], plain.h[:2], atol=1e-12)
    assert np.abs(layer.h[3:, 0, 0] - plain.h[3:, 0, 0]).min() > 1e-9
    cut = rebuild_changed(capture, [CutGradient(3)]).layers[0]
    assert not cut.carried_grad[2].any()
    assert cut.carried_grad[3].any()
    np.testing.assert_allclose(cut.h, plain.h, atol=1e-12)


def test_later_interventions_win(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), with_torch=False)
    both = [Clamp("l0", "z", 0.25), SetValue("l0", "z", 2, 0.75, 3)]
    z = rebuild_changed(capture, both).layers[0].gates["z"]
    assert z[1, 0].tolist() == [0.25, 0.25, 0.75]
    assert (np.delete(z, 1, axis=0) == 0.25).all()
    assert (rebuild_changed(capture, both[::-1]).layers[0].gates["z"] == 0.25).all()


def test_weights_of_a_variant_have_the_names_of_the_models(autograd):
    capture = with_head(autograd.random_capture(Structure("vanilla", 2, 3), with_torch=False))
    before = capture.weights["weight_hh_l0"].copy()
    wanted = [SetWeight("weight_hh_l0", (1.0, 2.0, 3.0), row=2), SetWeight("head.bias", (0.5,)), SetInput(1, (0.0,))]
    weights = changed_weights(capture, wanted)
    assert weights.keys() == {
        *(f"recurrent.{name}" for name in capture.structure.parameter_shapes()),
        "head.weight",
        "head.bias",
    }
    assert weights["recurrent.weight_hh_l0"][1].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(weights["recurrent.weight_hh_l0"][[0, 2]], before[[0, 2]])
    assert weights["head.bias"].tolist() == [0.5] * 4
    np.testing.assert_array_equal(capture.weights["weight_hh_l0"], before)


@pytest.mark.parametrize("row", [None, 3])
@pytest.mark.parametrize("column", [None, 2])
@pytest.mark.parametrize(
    ("parameter", "shape"), [("weight_hh_l0", (9, 3)), ("weight_ih_l1", (9, 3)), ("bias_hh_l0", (9,))]
)
def test_a_weight_that_is_set_is_all_that_is_set(autograd, parameter, shape, row, column):
    capture = autograd.random_capture(Structure("gru", 2, 3, num_layers=2), with_torch=False)
    column = column if len(shape) == 2 else None
    expected = capture.weights[parameter].copy()
    place = tuple(slice(None) if number is None else number - 1 for number in (row, column)[: len(shape)])
    expected[place] = values = np.arange(1.0, np.size(expected[place]) + 1).reshape(np.shape(expected[place]))
    one = SetWeight(parameter, tuple(np.ravel(values)), row, column)
    changed = changed_capture(capture, [one])
    np.testing.assert_array_equal(changed.weights.pop(parameter), expected)
    for name, weight in changed.weights.items():
        np.testing.assert_array_equal(weight, capture.weights[name])


@pytest.mark.parametrize(
    ("intervention", "sentence"),
    [
        (SetValue("l1", "h", 1, 0.0), "no layer 'l1'; there are l0"),
        (SetValue("l0", "h", 6, 0.0), "time step must be from 1 to 5, not 6"),
        (SetValue("l0", "h", 1, 0.0, 0), "unit must be from 1 to 3, not 0"),
        (SetValue("l0", "z", 1, 0.0), "lstm cell h, c, i, f, g, o can be set, not the z"),
        (SetValue("l0", "dh", 1, 0.0), "can be set, not the dh"),
        (SetValue("l0", "h", 1, float("nan")), "between .* not nan"),
        (SetValue("l0", "h", 1, 1e30), "between −10¹⁵ and 10¹⁵, not 1e"),
        (Clamp("l0", "h", first=3, last=2), "must not be before 3, but is 2"),
        (CutGradient(0), "time step must be from 1 to 5, not 0"),
        (CutGradient(1, "l9"), "no layer 'l9'"),
        (SetState("l0", "i", (0.0,)), "h, c can be set, not the input gate"),
        (SetState("l0", "c", (0.0, 1.0)), "wanted 1 or 3 values, got 2"),
        (SetInput(1, ()), "wanted 1 or 2 values, got 0"),
        (SetWeight("weight_hh_l7", (0.0,)), "no parameter weight_hh_l7; there are weight_ih_l0"),
        (SetWeight("weight_hh_l0", (0.0,), row=13), "row must be from 1 to 12, not 13"),
        (SetWeight("bias_hh_l0", (0.0,), row=1, column=2), "column must be from 1 to 1, not 2"),
    ],
)
def test_what_does_not_fit_is_said_in_one_sentence(autograd, intervention, sentence):
    capture = autograd.random_capture(Structure("lstm", 2, 3), with_torch=False)
    with pytest.raises(RnnvizError, match=sentence):
        rebuild_changed(capture, [intervention])


def test_a_symbol_is_one_hot():
    assert one_hot(3, 2, 4) == SetInput(3, (0.0, 1.0, 0.0, 0.0))
    assert one_hot(3, 2, 4).words == "x[3] = symbol 2"
    with pytest.raises(RnnvizError, match="from 1 to 4, not 5"):
        one_hot(3, 5, 4)


def test_an_unknown_sequence_is_refused(autograd):
    with pytest.raises(RnnvizError, match="from 0 to 1, got 2"):
        rebuild_changed(autograd.random_capture(Structure("gru", 2, 3)), [CutGradient(1)], sample=2)
