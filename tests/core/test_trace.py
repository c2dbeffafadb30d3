"""A rebuilt trace against autograd, over cells, sizes, layers, directions, lengths, bias, projection and precision."""

import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import quantities
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild

LIMIT = {"float32": 1e-5, "float64": 1e-10}
BATCH = {"time_steps": 1, "sequences": 3, "lengths": None}
WELL_CONDITIONED = 10.0  # roundings of the given numbers count at most this many times: LIMIT holds as it is


@st.composite
def structures(draw):
    cell = draw(st.sampled_from(list(CELLS)))
    hidden, layers = draw(st.integers(1, 5)), draw(st.integers(1, 3))
    return Structure(
        cell,
        input_size=draw(st.integers(1, 3)),
        hidden_size=hidden,
        num_layers=layers,
        bidirectional=draw(st.booleans()),
        bias=draw(st.booleans()),
        activation=draw(st.sampled_from(CELLS[cell].activations or ("tanh",))),
        proj_size=draw(st.integers(0, hidden - 1)) if CELLS[cell].projection else 0,
        residual=layers > 1 and draw(st.booleans()),
    )


@st.composite
def cases(draw):
    """A structure and the other arguments of `random_capture`."""
    structure, time_steps, sequences = draw(structures()), draw(st.integers(1, 6)), draw(st.integers(1, 3))
    lengths = None
    # the sigmoid RNN has no packed torch module, but the unrolled reference has
    if draw(st.booleans()):
        lengths = draw(st.lists(st.integers(1, time_steps), min_size=sequences, max_size=sequences))
    dtype = draw(st.sampled_from(["float64", "float32"]))
    seed = draw(st.integers(0, 10_000))
    return structure, {
        "time_steps": time_steps,
        "sequences": sequences,
        "lengths": lengths,
        "dtype": dtype,
        "seed": seed,
        "dropout": draw(st.sampled_from([0.0, 0.4])),
    }


def close(ours, theirs, dtype, conditioning):
    """The largest difference stays within what DESIGN promises, relative to the largest value.

    Only where it does not, `conditioning(scale)` is asked whether the value is a small rest of terms that cancel, in
    which rounding counts as many times more.
    """
    assert ours.shape == theirs.shape
    scale = max(float(np.abs(theirs).max(initial=0)), 1e-3)
    limit = LIMIT[dtype] * scale
    if np.abs(ours - theirs).max(initial=0) > limit:
        limit *= max(1.0, conditioning(scale) / WELL_CONDITIONED)
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=limit)


@settings(max_examples=60)
@given(case=cases(), known=st.booleans())
# cancellation over the sequences of a batch, which float32 rounds to 2e-5 of the rest
@example(case=(Structure("vanilla", 1, 1, 3, True, False), {**BATCH, "dtype": "float32", "seed": 1}), known=False)
def test_every_quantity_and_gradient_is_autograds(autograd, case, known):
    structure, arguments = case
    capture = autograd.random_capture(structure, **arguments)
    trace = rebuild(capture if known else capture.with_call(output=None))
    truth, dtype = autograd.reference(capture), arguments["dtype"]

    def same(ours, find):
        """`find` takes the value that `ours` should be out of a reference."""
        close(
            ours,
            find(truth),
            dtype,
            lambda scale: autograd.conditioning(capture, lambda c: find(autograd.reference(c)), scale),
        )

    def same_in_layer(ours, layer, name, grad=False):
        same(ours, lambda reference: reference.layers[layer.name].array(name, grad=grad))

    for layer in trace.layers:
        same_in_layer(layer.x, layer, "x")
        same_in_layer(layer.h, layer, "h")
        same_in_layer(layer.hidden_grad, layer, "h", grad=True)
        same_in_layer(layer.input_grad, layer, "x", grad=True)
        if "c" in structure.equations.states:
            same_in_layer(layer.c, layer, "c")
            same_in_layer(layer.cell_grad, layer, "c", grad=True)
        kept = truth.layers[layer.name].values  # a gate as itself and, before it is squashed, as "a:" and its name
        squashed = [name[2:] for name in kept if name[:2] == "a:" and name[2:] in kept]
        assert list(layer.gates) == [name for name in squashed if name not in structure.equations.states]
        for gate, values in layer.gates.items():
            same_in_layer(values, layer, gate)
        assert layer.gate_grads.keys() == layer.pre_activations.keys()
        for gate, values in layer.pre_activations.items():
            same_in_layer(values, layer, f"a:{gate}")
            same_in_layer(layer.gate_grads[gate], layer, f"a:{gate}", grad=True)
        for name, grad in layer.weight_grads.items():
            key = f"{name}_{layer.name}"
            same(grad, lambda reference, key=key: reference.weight_grads[key])
    assert {f"{n}_{layer.name}" for layer in trace.layers for n in layer.weight_grads} == set(capture.weights)
    assert trace.faithful or faithful_but_for_cancellation(autograd, trace, capture)


def faithful_but_for_cancellation(autograd, trace, capture):
    """Whether a parameter's gradient cancels so much, in its shares or on the way to them, that this is rounding."""

    def conditioning(name):
        scale = float(np.abs(capture.grads[name]).max())
        return autograd.conditioning(capture, lambda c: autograd.reference(c).weight_grads[name], scale)

    worst = max(conditioning(name) for name, grad in capture.grads.items() if grad.any())
    return trace.fidelity <= LIMIT[capture.inputs.dtype.name] * worst / WELL_CONDITIONED


@given(case=cases())
def test_hidden_and_cell_gradients_are_direct_plus_carried(autograd, case):
    structure, arguments = case
    capture = autograd.random_capture(structure, **arguments, with_torch=False)
    trace = rebuild(capture)
    for number, layer in enumerate(trace.layers):
        output = layer.equations.output
        np.testing.assert_array_equal(layer.grad(output), layer.direct_grad + layer.carried(output))
        parts = layer.direct("h") + layer.carried("h")  # of a Jordan network through y
        np.testing.assert_allclose(parts, layer.hidden_grad, rtol=0, atol=1e-6 * np.abs(parts).max(initial=1e-3))
        if "c" in structure.equations.states:

            def conditioning(scale, number=number):
                return autograd.conditioning(capture, lambda c: rebuild(c).layers[number].cell_grad, scale)

            parts = layer.direct_cell_grad + layer.carried_cell_grad
            close(parts, layer.cell_grad, arguments["dtype"], conditioning)
        else:
            assert layer.cell_grad is layer.direct_cell_grad is layer.carried_cell_grad is None


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("bidirectional", [False, True])
def test_direct_gradients_are_those_of_one_time_steps_loss(autograd, cell, bidirectional):
    capture = autograd.random_capture(Structure(cell, 2, 3, bidirectional=bidirectional), time_steps=4, sequences=2)
    trace = rebuild(capture)
    for t in range(4):
        alone = autograd.reference(capture, loss_times=(t,))
        for layer in trace.layers:
            expected, output = alone.layers[layer.name], layer.equations.output
            np.testing.assert_allclose(layer.direct_grad[t], expected.array(output, grad=True)[t], atol=1e-14)
            if layer.c is not None:
                np.testing.assert_allclose(layer.direct_cell_grad[t], expected.array("c", grad=True)[t], atol=1e-14)


def loss_of(capture, output):
    """L as the capture's ∂L/∂output has it: linear in the output."""
    return float((output * capture.grad_output).sum())


@settings(max_examples=12)
@given(structure=structures(), seed=st.integers(0, 1000), packed=st.booleans())
def test_gradients_are_finite_differences(autograd, structure, seed, packed):
    lengths = [3, 2] if packed else None
    if structure.activation == "relu":
        structure = replace(structure, activation="tanh")  # a kink spoils a difference quotient
    capture = autograd.random_capture(
        structure, time_steps=3, sequences=2, lengths=lengths, seed=seed, with_torch=False, dropout=0.3
    )
    trace = rebuild(capture)
    top = trace.layers[-structure.directions :]

    def loss(changed):
        return loss_of(changed, rebuild(changed).calls[0].output)

    assert len(top) == structure.directions
    generator = np.random.default_rng(seed)
    step = 1e-6
    for layer in trace.layers:
        for name, grad in layer.weight_grads.items():
            key = f"{name}_{layer.name}"
            direction = generator.standard_normal(grad.shape)
            values = [
                loss(replace(capture, weights={**capture.weights, key: capture.weights[key] + sign * step * direction}))
                for sign in (1, -1)
            ]
            expected = (values[0] - values[1]) / (2 * step)
            assert (grad * direction).sum() == pytest.approx(expected, rel=1e-5, abs=1e-7)
    direction = generator.standard_normal(capture.inputs.shape)
    values = [loss(capture.with_call(inputs=capture.inputs + sign * step * direction)) for sign in (1, -1)]
    input_grad = sum(layer.input_grad for layer in trace.layers[: structure.directions])
    expected = (values[0] - values[1]) / (2 * step)
    assert (input_grad * direction).sum() == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_what_lies_beyond_a_sequence_is_not_looked_at(autograd):
    structure = Structure("lstm", 2, 3, num_layers=2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=5, sequences=3, lengths=[2, 5, 4])
    inputs, grad_output = capture.inputs.copy(), capture.grad_output.copy()
    for n, length in enumerate(capture.lengths):
        inputs[length:, n], grad_output[length:, n] = np.nan, np.inf
    trace = rebuild(capture.with_call(inputs=inputs, grad_output=grad_output))
    assert trace.faithful
    for layer in trace.layers:
        for array in (layer.h, layer.c, layer.hidden_grad, layer.cell_grad, layer.gate_grads["f"], layer.gates["f"]):
            assert not array[2:, 0].any()
            assert array[4, 1].all()


@given(case=cases())
def test_a_sample_is_the_trace_of_that_sequence_alone(autograd, case):
    structure, arguments = case
    capture = autograd.random_capture(structure, **arguments, with_torch=False)
    trace = rebuild(capture)
    n = arguments["sequences"] - 1
    length = trace.sequence_length(n)
    alone = rebuild(
        capture.with_call(
            inputs=capture.inputs[:length, n : n + 1],
            lengths=None,
            initial={state: first[:, n : n + 1] for state, first in capture.initial.items()},
            grad_output=capture.grad_output[:length, n : n + 1],
            masks=None if capture.calls[0].masks is None else capture.calls[0].masks[:, :length, n : n + 1],
        )
    )
    cut = trace.sample(n)
    assert cut.lengths is None
    assert cut.sample(0) is cut
    assert len(cut.layers) == len(alone.layers)
    dtype = arguments["dtype"]
    for number in range(len(alone.layers)):

        def same(find, number=number):
            """`find` takes a value out of a layer."""
            ours, expected = find(cut.layers[number]), find(alone.layers[number])
            close(
                ours,
                expected,
                dtype,
                lambda scale: autograd.conditioning(
                    capture, lambda c: find(rebuild(c).sample(n).layers[number]), scale
                ),
            )

        same(lambda layer: layer.h)
        same(lambda layer: layer.hidden_grad)
        for state in structure.equations.states:
            same(lambda layer, state=state: layer.initial[state])
        for name in alone.layers[number].weight_grads:
            same(lambda layer, name=name: layer.weight_grads[name])
            same(lambda layer, name=name: layer.weight_grad_shares[name])
            same(lambda layer, name=name: layer.weight_grad_so_far[name])
        same(lambda layer: layer.gradient_flow())


def test_arrays_are_read_only_and_time_major(autograd):
    trace = rebuild(autograd.random_capture(Structure("lstm", 2, 3, bidirectional=True), time_steps=4, sequences=2))
    for layer in trace.layers:
        arrays = [value for value in vars(layer).values() if isinstance(value, np.ndarray)]
        for group in (
            layer.gates,
            layer.gate_grads,
            layer.pre_activations,
            layer.weight_grads,
            layer.weights,
            layer.before,
        ):
            arrays.extend(group.values())
        arrays += [array for node in layer.equations.nodes for array in (layer.value(node.name), layer.grad(node.name))]
        arrays += [layer.input_grad, layer.direct_cell_grad, layer.carried_cell_grad, layer.gradient_flow()]
        arrays += [*layer.weight_grad_shares.values(), *layer.weight_grad_so_far.values()]
        arrays += [*layer.initial.values(), *layer.initial_grads.values(), *layer.arriving.values()]
        assert len(arrays) > 30
        assert not [array.shape for array in arrays if array.flags.writeable]
        assert not [array.strides for array in arrays if min(array.strides) < 0]
        assert layer.gates["f"].shape == (4, 2, 3)


def test_the_captures_own_arrays_stay_writable(autograd):
    capture = autograd.random_capture(Structure("vanilla", 2, 3))
    before = capture.inputs.copy()
    rebuild(capture)
    assert capture.inputs.flags.writeable
    np.testing.assert_array_equal(capture.inputs, before)


def test_quantities_by_name(autograd):
    layers = {cell: rebuild(autograd.random_capture(Structure(cell, 2, 3))).layers[0] for cell in CELLS}
    every = {quantity.name: quantity for layer in layers.values() for quantity in quantities(layer.equations).values()}
    assert len(every) > 30
    for cell, layer in layers.items():
        for name, quantity in every.items():
            if name in quantities(layer.equations):
                lead = (5,) if not quantities(layer.equations)[name].units else (5, 2)
                assert layer.quantity(quantity).shape[: len(lead)] == lead
            else:
                with pytest.raises(RnnvizError, match=f"l0: the .*{cell}.* has no {re.escape(quantity.words)}"):
                    layer.quantity(quantity)

    def named(cell, name):
        return layers[cell].quantity(every[name])

    assert named("lstm", "f") is layers["lstm"].gates["f"]
    assert named("gru", "n") is layers["gru"].gates["n"]
    assert named("vanilla", "a") is layers["vanilla"].pre_activations["a"]
    assert named("lstm", "dh_carried") is layers["lstm"].carried_grad


def test_names_and_lengths(autograd):
    structure = Structure("gru", 2, 3, num_layers=2, bidirectional=True)
    trace = rebuild(autograd.random_capture(structure, time_steps=5, sequences=2, lengths=[5, 3]))
    assert [layer.name for layer in trace.layers] == ["l0", "l0_reverse", "l1", "l1_reverse"]
    assert trace.layer("l1_reverse") is trace.layers[3]
    assert [trace.sequence_length(n) for n in range(2)] == [5, 3]
    assert trace.sample(1).time_steps == 3
    with pytest.raises(RnnvizError, match=r"l0, l0_reverse.*'l7'"):
        trace.layer("l7")
    with pytest.raises(RnnvizError, match="from 0 to 1, got 2"):
        trace.sample(2)
