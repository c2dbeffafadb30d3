"""The verdict on a trace: right, differs (where), cannot be compared, or not of the person's own pass."""

import math
import pickle
import weakref
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.magnitude import l2
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps import one_by_one
from rnnviz.core.sweeps.capture import Capture, OwnPass
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.precision import in_float64, jittered
from rnnviz.core.sweeps.what_if.changed_trace import recompute
from rnnviz.core.sweeps.what_if.interventions import Clamp, SetWeight


def spoilt(array, value, place=0):
    array = np.array(array)
    array.flat[place] = value
    return array


def with_weights(capture: Capture, name: str, value: float) -> Capture:
    return replace(capture, weights={**capture.weights, name: spoilt(capture.weights[name], value)})


def chaotic(autograd, cell: str, seed: int, gain: float = 8) -> Capture:
    """Two layers with weights so large that a rounding grows from time step to time step."""
    draw, structure = np.random.default_rng(seed), Structure(cell, 2, 8, 2)

    def numbers(*shape):
        return draw.normal(size=shape).astype(np.float32)

    bound = gain / np.sqrt(8)
    capture = Capture.of_one(
        {
            name: draw.uniform(-bound, bound, shape).astype(np.float32)
            for name, shape in structure.parameter_shapes().items()
        },
        structure=structure,
        inputs=numbers(60, 1, 2),
        initial={state: np.zeros((2, 1, 8), np.float32) for state in structure.equations.states},
        grad_output=numbers(60, 1, 8),
    )
    return autograd.with_torch_numbers(capture)


def not_finite_cases() -> Iterator[tuple[str, str]]:
    yield "weight_hh_l0", "weight_hh_l0: NaN"
    yield "inputs", "time step 4 of sequence 2, the input: NaN"
    yield "initial", "sequence 2, layer 1, the first h: NaN"
    yield "grad_output", "time step 4 of sequence 2, ∂L/∂output: NaN"


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru"])
@pytest.mark.parametrize(("field", "words"), list(not_finite_cases()))
def test_what_is_not_finite_cannot_be_compared_and_the_first_place_is_said(autograd, cell, dtype, field, words):
    structure = Structure(cell, 2, 3, 2, True)
    capture = autograd.random_capture(structure, time_steps=6, sequences=3, lengths=[6, 5, 2], dtype=dtype)
    if field in capture.weights:
        capture = with_weights(capture, field, math.nan)
    elif field == "initial":
        first = np.array(capture.initial["h"])
        first[2, 1, 1] = math.nan
        capture = capture.with_call(initial={**capture.initial, "h": first})
    else:
        array = np.array(getattr(capture, field))
        array[3, 1, 0] = math.nan
        capture = capture.with_call(**{field: array})
    trace = rebuild(autograd.with_torch_numbers(capture))
    assert trace.verdict.words == f"cannot be compared: first non-finite at {words}"
    assert not trace.faithful
    assert trace.sample(1).verdict is trace.verdict


def test_numbers_that_grow_beyond_float32_are_found_where_they_do(autograd):
    capture = autograd.random_capture(
        Structure("vanilla", 1, 2, activation="relu"), time_steps=30, sequences=1, dtype="float32"
    )
    weights = {**capture.weights, "weight_hh_l0": np.full((2, 2), 1e3, np.float32)}
    capture = replace(capture.with_call(inputs=np.ones_like(capture.inputs)), weights=weights)
    trace = rebuild(autograd.with_torch_numbers(capture))
    first = int(np.flatnonzero(~np.isfinite(trace.layers[0].value("a")).all(axis=(1, 2)))[0])
    assert 5 < first < 25
    where = f"time step {first + 1}, pre-activations from the state before: +∞"
    assert trace.verdict.words == f"cannot be compared: first non-finite at {where}"
    assert np.isfinite(trace.exact.layers[0].h).all()


def test_a_gradient_that_grows_beyond_float32_is_found_from_the_end(autograd):
    capture = autograd.random_capture(Structure("vanilla", 1, 2), time_steps=30, sequences=1, dtype="float32")
    weights = {name: np.zeros_like(weight) for name, weight in capture.weights.items()}
    weights["weight_hh_l0"] = np.full((2, 2), 1e3, np.float32)
    quiet = {"inputs": np.zeros_like(capture.inputs), "initial": {"h": np.zeros_like(capture.initial["h"])}}
    capture = replace(capture.with_call(**quiet, grad_output=np.ones_like(capture.grad_output)), weights=weights)
    trace = rebuild(autograd.with_torch_numbers(capture))
    last = int(np.flatnonzero(~np.isfinite(trace.layers[0].hidden_grad).all(axis=(1, 2)))[-1])
    assert 5 < last < 25
    words = f"first non-finite at time step {last + 1}, the gradient of hidden state h: +∞"
    assert trace.verdict.words == f"cannot be compared: {words}"


def test_torchs_own_numbers_that_are_not_finite_are_said_to_be_those(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=5, sequences=1)
    grads = {**capture.grads, "bias_hh_l0": spoilt(capture.grads["bias_hh_l0"], math.inf, 2)}
    words = rebuild(replace(capture, grads=grads)).verdict.words
    assert words == "cannot be compared: first non-finite at torch's own ∂L/∂bias_hh_l0: +∞"


def test_without_torchs_numbers_that_is_what_is_said(autograd):
    trace = rebuild(autograd.random_capture(Structure("gru", 2, 3), with_torch=False))
    assert trace.verdict.words == "cannot be compared: there are no numbers of torch's own"


def test_what_differs_is_named_the_worst_first(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 3, 2), dtype="float32")
    grads = {**capture.grads, "bias_ih_l1": 1.5 * capture.grads["bias_ih_l1"]}
    grads["weight_hh_l0"] = 3 * grads["weight_hh_l0"]
    verdict = rebuild(replace(capture, grads=grads)).verdict
    assert verdict.words == "differs from autograd: 0.67 in weight_hh_l0, 0.33 in bias_ih_l1"
    assert verdict.brief == "differs from autograd: 0.67 in weight_hh_l0"
    capture = capture.with_call(output=capture.output + 1)
    assert "in the output" in rebuild(capture).verdict.words


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_each_parameter_is_judged_by_its_own_cancellation(autograd, dtype):
    """The shares of the bias cancel, those of the input's weight do not: what is off in the latter is no rounding."""
    capture = autograd.random_capture(Structure("lstm", 2, 8), time_steps=6, sequences=1, dtype=dtype, scale=0.3)
    twice = capture.with_call(
        inputs=np.concatenate([capture.inputs, -capture.inputs], axis=1),
        initial={state: np.repeat(array, 2, axis=1) * 0 for state, array in capture.initial.items()},
        grad_output=np.concatenate([capture.grad_output, (-1 + 1e-4) * capture.grad_output], axis=1),
        output=None,
    )
    quiet = {name: weight * (0 if name.startswith("bias") else 1) for name, weight in twice.weights.items()}
    capture = autograd.with_torch_numbers(replace(twice, weights=quiet, grads={}))
    trace = rebuild(capture)
    cancellation = trace.check.cancellation
    assert cancellation["bias_ih_l0"] > 5 * cancellation["weight_ih_l0"]
    assert trace.faithful
    limit = {"float32": 1e-5, "float64": 1e-10}[dtype]
    factor = np.dtype(dtype).type(1 + limit * cancellation["bias_ih_l0"] / 2)
    for name, faithful in (("weight_ih_l0", False), ("bias_ih_l0", True)):
        grads = {**capture.grads, name: capture.grads[name] * factor}
        assert rebuild(replace(capture, grads=grads)).faithful is faithful


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rest", [1e-3, 1e-7])
def test_three_times_a_gradient_is_never_right_however_much_cancels(autograd, dtype, rest):
    capture = autograd.random_capture(Structure("lstm", 2, 8), time_steps=12, sequences=1, dtype=dtype)
    both = {name: np.repeat(getattr(capture, name), 2, axis=1) for name in ("inputs", "grad_output")}
    both["grad_output"] = both["grad_output"] * np.array([1, -1 - rest], dtype)[:, None]
    first = {state: np.repeat(array, 2, axis=1) for state, array in capture.initial.items()}
    capture = replace(capture.with_call(**both, initial=first, output=None), grads={})
    capture = autograd.with_torch_numbers(capture)
    assert max(rebuild(capture).check.cancellation.values()) > 0.5 / rest
    for name, grad in capture.grads.items():
        verdict = rebuild(replace(capture, grads={**capture.grads, name: 3 * grad})).verdict
        assert not verdict.right
        if dtype == "float64" or rest == 1e-3:
            assert verdict.brief == f"differs from autograd: 0.67 in {name}"
        else:
            assert "float32 leaves no digits" in verdict.words


@pytest.mark.parametrize(("cell", "seed"), [("vanilla", 12), ("vanilla", 9), ("gru", 18), ("gru", 19)])
def test_a_rounding_that_the_network_makes_large_is_no_difference(autograd, cell, seed):
    capture = chaotic(autograd, cell, seed)
    trace = rebuild(capture)
    assert trace.fidelity > 1e-4
    assert trace.verdict.right, trace.verdict.words
    for name in ("weight_hh_l0", "bias_ih_l1"):  # but what is off by more than it explains is not right
        grads = {**capture.grads, name: capture.grads[name] * np.float32(1.08)}
        verdict = rebuild(replace(capture, grads=grads)).verdict
        assert not verdict.right
        if trace.fidelity < 1e-3:  # else float32 leaves too few digits to say that it differs
            assert verdict.brief.startswith("differs from autograd: 0.07")


def saturated(autograd, activation: str, a: float) -> Capture:
    """A Jordan network in float64 whose pre-activations are all `a`: of 1 − h few digits are left."""
    capture = autograd.random_capture(
        Structure("jordan", 2, 5, activation=activation), time_steps=7, sequences=2, seed=3, with_torch=False
    )
    weights = {name: one * name.startswith(("weight_ho", "bias_ho")) for name, one in capture.weights.items()}
    capture = replace(capture, weights={**weights, "bias_ih_l0": np.full(5, float(a))})
    return replace(capture, grads=rebuild(capture).check.weight_grads)


def times(capture: Capture, name: str, factor: float) -> Capture:
    return replace(capture, grads={**capture.grads, name: factor * capture.grads[name]})


@pytest.mark.parametrize(("activation", "a"), [("tanh", 12), ("sigmoid", 23)])
def test_in_float64_the_slopes_of_saturated_units_widen_the_limit_of_what_is_made_of_them(autograd, activation, a):
    capture = saturated(autograd, activation, a)
    assert rebuild(capture).check.cancellation["weight_ih_l0"] < 20  # it is not the shares that cancel
    explained = times(capture, "weight_ih_l0", 1 + 1e-6)
    for verdict in (rebuild(explained).verdict, one_by_one.rebuild_one(explained, 1).verdict):
        assert verdict.words == "checked against autograd: 1.0·10⁻⁶"
    for name in capture.grads:
        for factor, off in ((1 + 1e-3, "1.0·10⁻³"), (-1, "2.00")):
            assert rebuild(times(capture, name, factor)).verdict.words == f"differs from autograd: {off} in {name}"
    for name in ("weight_ho_l0", "bias_ho_l0"):  # of which nothing is made of slopes
        assert rebuild(times(capture, name, 1 + 1e-6)).verdict.brief == f"differs from autograd: 1.0·10⁻⁶ in {name}"


def test_where_float64_leaves_no_digits_of_a_gradient_it_cannot_be_compared(autograd):
    capture = saturated(autograd, "tanh", 18)
    verdict = rebuild(times(capture, "bias_hh_l0", 1.2)).verdict
    assert verdict.words == "cannot be compared: float64 leaves no digits of bias_hh_l0"
    assert rebuild(times(capture, "weight_ho_l0", 1.2)).verdict.brief == "differs from autograd: 0.17 in weight_ho_l0"


def test_the_exact_trace_is_the_float64_rebuild_of_the_same(autograd):
    capture = autograd.random_capture(
        Structure("lstm", 2, 3, 2, True), time_steps=7, sequences=3, lengths=[7, 3, 5], dtype="float32"
    )
    trace, wanted = rebuild(capture), rebuild(in_float64(capture))
    assert trace.layers[0].h.dtype == np.float32
    for layer, exact in zip(wanted.layers, trace.exact.layers, strict=True):
        np.testing.assert_array_equal(exact.hidden_grad, layer.hidden_grad)
        assert exact.hidden_grad.dtype == np.float64
    alone = trace.sample(2).exact
    np.testing.assert_allclose(alone.layers[1].cell_grad, wanted.sample(2).layers[1].cell_grad, rtol=1e-12, atol=1e-15)
    assert wanted.exact is wanted
    assert wanted.sample(2).exact is wanted.sample(2)


def test_the_exact_trace_of_a_what_if_has_the_same_set_by_hand(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=7, sequences=2, dtype="float32")
    by_hand = (Clamp("l0", "h", 0.3, 2, 4, 1), SetWeight("bias_hh_l0", (0.7,), 2))
    changed = recompute(capture, by_hand, 1)
    wide = recompute(in_float64(capture), by_hand, 1)
    np.testing.assert_allclose(changed.exact.layers[0].h, wide.layers[0].h, atol=1e-7)
    assert changed.exact.layers[0].h.dtype == np.float64
    np.testing.assert_array_equal(changed.exact.layers[0].h[1:4, 0, 0], np.float32(0.3))
    assert changed.verdict.kind == "cannot be compared"


def test_gradients_below_float32_are_in_the_exact_trace(autograd):
    capture = autograd.random_capture(Structure("vanilla", 1, 4), time_steps=90, sequences=2, dtype="float32")
    weights = {name: weight * np.float32(0.1) for name, weight in capture.weights.items()}
    grad = np.zeros_like(capture.grad_output)
    grad[-1] = 1
    trace = rebuild(replace(capture.with_call(grad_output=grad, output=None), weights=weights, grads={}))
    assert trace.underflows
    kept, exact = (l2(one.layers[0].hidden_grad[:, 1]) for one in (trace, trace.exact))
    assert kept[0] == 0 < exact[0] < 1e-60
    assert trace.holding("l0", 0, 1) is trace.exact
    assert trace.holding("l0", 88, 1) is trace
    assert not trace.exact.underflows


def test_zeros_that_no_loss_reaches_are_no_underflow(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=20, sequences=2, dtype="float32")
    grad = np.array(capture.grad_output)
    grad[9:] = 0
    trace = rebuild(capture.with_call(grad_output=grad, output=None))
    assert not trace.underflows
    assert trace.holding("l0", 15) is trace


def test_a_verdict_of_the_persons_own_pass_is_never_that_it_differs(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), dtype="float32")
    off = OwnPass(capture.output * np.float32(1.25), {}, (), ("autocast is on",))
    verdict = rebuild(replace(capture, own=off)).verdict
    assert verdict.kind == "not your own pass"
    assert verdict.brief.startswith("is not your own pass: your own output is off by 0.20")
    assert verdict.why[1:] == ("autocast is on",)
    same = OwnPass(capture.output, capture.grads, (), ("autocast is on",))
    assert rebuild(replace(capture, own=same)).verdict.right
    doubted = replace(same, doubts=("tanh is a guess",))
    assert rebuild(replace(capture, own=doubted)).verdict.words == "is not your own pass: tanh is a guess"


def test_a_trace_that_was_pickled_says_the_same(autograd):
    trace = rebuild(autograd.random_capture(Structure("lstm", 2, 3), dtype="float32"))
    before = trace.verdict, trace.exact.layers[0].h
    back = pickle.loads(pickle.dumps(trace))
    assert back.verdict == before[0]
    np.testing.assert_array_equal(back.exact.layers[0].h, before[1])


def test_a_trace_of_one_sequence_alone_stands_for_all(autograd):
    capture = autograd.random_capture(
        Structure("lstm", 2, 3, 2, True), time_steps=40, sequences=6, lengths=[7, 40, 5, 9, 31, 40], dtype="float32"
    )
    whole = rebuild(capture)
    wanted, verdict, layer = [whole.sample(n) for n in range(6)], whole.verdict, whole.sample(4).layer("l1_reverse")
    alone = rebuild(capture).alone(4)
    assert (alone.verdict, alone.underflows, alone.fidelity) == (verdict, whole.underflows, whole.fidelity)
    assert (alone.sequences, alone.time_steps) == (6, 40)
    assert [alone.sequence_length(n) for n in range(6)] == [7, 40, 5, 9, 31, 40]
    assert [n for n in range(6) if alone.holds(n)] == [4]
    assert alone.bytes < whole.bytes / 2
    np.testing.assert_array_equal(alone.sample(4).layer("l1_reverse").hidden_grad, layer.hidden_grad)
    for one in (alone, alone.alone(2), alone.alone(2).alone(5)):
        assert one.verdict is alone.verdict
        for n, sequence in enumerate(wanted):
            assert one.sample(n).number == n
            for found, layer in zip(one.sample(n).layers, sequence.layers, strict=True):
                np.testing.assert_allclose(found.cell_grad, layer.cell_grad, rtol=1e-3, atol=1e-6)
                np.testing.assert_allclose(found.h, layer.h, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_a_large_trace_is_rebuilt_one_sequence_after_another(autograd, monkeypatch, scale):
    capture = autograd.random_capture(
        Structure("vanilla", 2, 3, 2, True), time_steps=40, sequences=5, lengths=[7, 40, 5, 9, 31], dtype="float32"
    )
    capture = replace(capture, weights={name: scale * one for name, one in capture.weights.items()}, grads={})
    grad = np.zeros_like(capture.grad_output)
    for n, length in enumerate(capture.lengths):
        grad[length - 1, n] = 1
    capture = capture.with_call(output=None, grad_output=grad)
    capture = replace(capture, grads=rebuild(capture).check.weight_grads)
    wanted, made, there = rebuild(capture), [], []

    def counted(one):
        there.append(sum(trace() is not None for trace in made))
        trace = rebuild(one)
        made.append(weakref.ref(trace))
        return trace

    monkeypatch.setattr(one_by_one, "rebuild", counted)
    found = one_by_one.rebuild_one(capture, 3)
    assert there == [0] * 5
    assert (found.underflows, found.verdict.kind, found.sequences) == (scale < 1, "right", 5)
    assert wanted.underflows == found.underflows
    assert found.fidelity == pytest.approx(wanted.fidelity, abs=1e-5)
    assert [found.sequence_length(n) for n in range(5)] == [7, 40, 5, 9, 31]
    assert [n for n in range(5) if found.holds(n)] == [3]
    assert found.bytes < one_by_one.trace_bytes(capture) < 2 * wanted.bytes
    for layer, whole in zip(found.sample(3).layers, wanted.sample(3).layers, strict=True):
        np.testing.assert_allclose(layer.hidden_grad, whole.hidden_grad, rtol=1e-4, atol=1e-7)


def test_where_a_large_trace_is_not_finite_is_said_all_the_same(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3), time_steps=9, sequences=3, dtype="float32")
    inputs = np.array(capture.inputs)
    inputs[4, 1] = np.nan
    capture = capture.with_call(inputs=inputs)
    assert one_by_one.rebuild_one(capture, 0).verdict == rebuild(capture).verdict


def test_the_float64_rebuild_gives_way_and_comes_back(autograd):
    capture = autograd.random_capture(Structure("vanilla", 2, 3), time_steps=40, sequences=2, dtype="float32")
    grad = np.zeros_like(capture.grad_output)
    grad[-1] = 1
    weights = {name: 1e-3 * one for name, one in capture.weights.items()}
    trace = rebuild(replace(capture, weights=weights).with_call(grad_output=grad, output=None))
    own = trace.sample(1)
    assert own.wider is own.exact
    before = trace.bytes
    trace.drop_exact()
    assert trace.bytes < before
    assert (trace.without_exact, own.wider, own.holding("l0", 0)) == (True, None, own)
    trace.allow_exact()
    assert not trace.without_exact
    assert own.holding("l0", 0) is own.wider is own.exact


def test_the_exact_trace_of_one_sequence_does_not_rebuild_the_others(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 7), time_steps=30, sequences=8, dtype="float32")
    trace = rebuild(capture)
    before, wanted = trace.bytes, rebuild(in_float64(capture)).sample(3)
    exact = trace.sample(3).exact
    assert trace.bytes - before < before / 2
    assert exact.number == 3
    np.testing.assert_allclose(exact.layers[0].hidden_grad, wanted.layers[0].hidden_grad, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru"])
def test_a_value_at_one_time_step_computes_no_others(autograd, cell):
    capture = autograd.random_capture(Structure(cell, 2, 3), time_steps=9, sequences=3, dtype="float32")
    layer, whole = rebuild(capture).layers[0], rebuild(capture).layers[0]
    for node in layer.equations.nodes:
        found = layer.value_at(node.name, 6, 2)
        np.testing.assert_allclose(found, whole.value(node.name)[6, 2], rtol=1e-5, atol=1e-6)
    assert set(layer._all_values._known) == set(layer.values)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_jittered_numbers_are_each_one_rounding_off_in_either_direction(autograd, dtype) -> None:
    capture = autograd.random_capture(Structure("gru", 3, 5, 2), seed=8)
    moved = jittered(capture, 5, dtype)
    pairs = [(capture.inputs, moved.inputs), (capture.initial["h"], moved.initial["h"])]
    for before, after in pairs + [(weight, moved.weights[name]) for name, weight in capture.weights.items()]:
        off = (after / before - 1) / float(np.finfo(dtype).eps)
        np.testing.assert_allclose(np.abs(off), 1, atol=1e-6 if dtype == "float32" else 1.01)
        assert {-1, 1} == set(np.sign(off).ravel())
    assert np.array_equal(moved.grad_output, capture.grad_output)
