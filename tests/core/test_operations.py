"""The operations of each cell: their values are the trace's, their equations come to them, their gradients are true."""

from dataclasses import replace

import every_cell
import numpy as np
import pytest
from every_cell import operation_named
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS
from rnnviz.core.equations.operations import operation_keys, operations, operations_of
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient

STRUCTURES = {
    "vanilla": Structure("vanilla", 3, 4, 2, bidirectional=True),
    "relu": Structure("vanilla", 3, 4, activation="relu"),
    "sigmoid, no bias": Structure("vanilla", 3, 4, activation="sigmoid", bias=False),
    "lstm": Structure("lstm", 3, 4, 2, bidirectional=True),
    "lstm, no bias": Structure("lstm", 3, 4, bias=False),
    "lstm, projected": Structure("lstm", 3, 5, 2, bidirectional=True, proj_size=2),
    "gru": Structure("gru", 3, 4, 2, bidirectional=True),
    "gru, no bias": Structure("gru", 3, 4, bias=False),
}
each_structure = pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
of_every_cell = pytest.mark.parametrize("structure", every_cell.STRUCTURES.values(), ids=every_cell.STRUCTURES)


def test_the_order_is_that_of_the_equations():
    assert operation_keys(STRUCTURES["lstm"]) == ("W x", "U h", "bias", "i", "f", "g", "o", "c", "h")
    assert operation_keys(STRUCTURES["lstm, projected"])[-2:] == ("h", "projection")
    assert operation_keys(STRUCTURES["gru"]) == ("W x", "U h", "bias", "r", "z", "a_n", "n", "h")
    assert operation_keys(STRUCTURES["vanilla"]) == ("W x", "U h", "bias", "h")


def test_equations_read_as_on_paper():
    cell = operation_named(STRUCTURES["lstm"], "c")
    assert cell.forward[0].text() == "c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t"
    assert cell.forward[0].text(reverse=True) == "c_t = f_t ⊙ c_{t+1} + i_t ⊙ g_t"
    assert cell.backward[0].text() == "∂L/∂c_t = ∂L/∂h_t ⊙ o_t ⊙ (1 − tanh²(c_t)) + f_{t+1} ⊙ ∂L/∂c_{t+1}"
    assert [term.of for term in cell.forward[0].terms] == [
        "f",
        "c",
        "i",
        "g",
    ]
    assert [term.offset for term in cell.backward[0].terms] == [0, 0, 0, 1, 1]
    hidden = operation_named(STRUCTURES["vanilla"], "h")
    assert hidden.backward[0].text() == "∂L/∂h_t = ∂L_t/∂h_t + W_{hh}ᵀ ∂L/∂a_{t+1}"
    assert hidden.backward[0].text(reverse=True) == "∂L/∂h_t = ∂L_t/∂h_t + W_{hh}ᵀ ∂L/∂a_{t−1}"
    assert operation_named(STRUCTURES["relu"], "bias").backward[0].text() == "∂L/∂a_t = ∂L/∂h_t ⊙ [h_t > 0]"
    assert operation_named(STRUCTURES["gru"], "a_n").forward[0].text() == "a_{n,t} = a_{xn,t} + b_{in} + r_t ⊙ u_t"
    assert operation_named(STRUCTURES["gru"], "W x").forward[0].text() == "a_{x,t} = W_{ih} x_t"


def check_equations(trace):
    """Every equation's right-hand side comes to what the operation's values say, at every place of the trace."""
    for layer in trace.layers:
        for sample in range(trace.sequences):
            for t in range(trace.sequence_length(sample)):
                for operation in operations_of(layer):
                    for equations, read in (
                        (operation.forward, operation.forward_value),
                        (operation.backward, operation.backward_value),
                    ):
                        right = np.concatenate([one.value(layer, t, sample) for one in equations])
                        wanted = read(layer, t, sample)
                        np.testing.assert_allclose(right, wanted, rtol=1e-9, atol=1e-12, err_msg=operation.key)


@of_every_cell
def test_every_equation_comes_to_its_value(autograd, structure):
    assert operations(structure) == operations_of(rebuild(autograd.random_capture(structure)).layers[-1])
    lengths = [5, 3]
    check_equations(rebuild(autograd.random_capture(structure, lengths=lengths)))


@settings(max_examples=12)
@given(
    st.sampled_from(list(CELLS)),
    st.integers(1, 3),
    st.integers(1, 4),
    st.integers(1, 2),
    st.booleans(),
    st.booleans(),
    st.integers(1, 4),
    st.integers(0, 99),
)
def test_equations_hold_in_random_networks(autograd, cell, inputs, hidden, layers, both, bias, time_steps, seed):
    structure = Structure(cell, inputs, hidden, layers, both, bias)
    capture = autograd.random_capture(structure, time_steps=time_steps, sequences=1, seed=seed, with_torch=False)
    check_equations(rebuild(capture))


@of_every_cell
def test_what_is_added_at_each_time_step_sums_to_the_weight_gradient(autograd, structure):
    trace = rebuild(autograd.random_capture(structure, lengths=[4, 5]))
    for layer in trace.layers:
        gathered = {name: np.zeros_like(gradient) for name, gradient in layer.weight_grads.items()}
        for sample in range(2):
            for t in range(trace.sequence_length(sample)):
                for operation in operations_of(layer):
                    for name, equation in zip(operation.parameters, operation.added, strict=True):
                        gathered[name] += equation.value(layer, t, sample)
        for name, gradient in layer.weight_grads.items():
            np.testing.assert_allclose(gathered[name], gradient, rtol=1e-9, atol=1e-12, err_msg=name)


@each_structure
def test_backward_values_are_those_of_autograd(autograd, structure):
    capture = autograd.random_capture(structure)
    slow = autograd.reference(capture)
    trace = rebuild(capture)
    for layer in trace.layers:
        truth = slow.layers[layer.name]
        known = {key: truth.array(key, grad=True) for key in operation_keys(structure) if key in "ifgocrzn"}
        last = "projection" if structure.proj_size else "h"
        known[last] = truth.array("h", grad=True)
        known["W x"] = truth.array("x", grad=True)
        if structure.proj_size:
            known["h"] = known["projection"] @ capture.weights[f"weight_hr_{layer.name}"]
        blocks = [truth.array(f"a:{name}", grad=True) for name in layer.equations.blocks]
        if structure.cell == "gru":
            known["a_n"] = blocks[2]
            blocks[2] = blocks[2] * truth.array("r")  # of W_hn h + b_hn, which r scales
        known["bias"] = np.concatenate(blocks, axis=-1)
        known["U h"] = known["bias"] @ capture.weights[f"weight_hh_{layer.name}"]
        assert known.keys() == set(operation_keys(structure))
        for operation in operations_of(layer):
            for t in range(trace.time_steps):
                for sample in range(trace.sequences):
                    np.testing.assert_allclose(
                        operation.backward_value(layer, t, sample),
                        known[operation.key][t, sample],
                        rtol=1e-8,
                        atol=1e-10,
                        err_msg=operation.key,
                    )


def sigma(a):
    return 1 / (1 + np.exp(-a))


def loss(capture, nudged, place, by):
    """L of one layer written out once more, with `by` added to what the operation `nudged` computes at `place`.

    For "W x" it is added to x_t, for "U h" to the h_{t−1} that W_hh sees.
    """
    structure, reverse = capture.structure, capture.structure.bidirectional
    name, row = ("l0_reverse", 1) if reverse else ("l0", 0)
    w = {key.removesuffix(f"_{name}"): value for key, value in capture.weights.items()}
    total, width = 0.0, structure.output_size
    h, c = (capture.initial[state][row, 0] if state in capture.initial else None for state in ("h", "c"))
    order = range(len(capture.inputs))
    for t in reversed(order) if reverse else order:

        def nudge(key, value, t=t):
            return value + by if (key, t) == (nudged, place) else value

        w_x = w["weight_ih"] @ nudge("W x", capture.inputs[t, 0])
        u_h = w["weight_hh"] @ nudge("U h", h)
        b_ih, b_hh = w.get("bias_ih", 0), w.get("bias_hh", 0)
        size = structure.hidden_size
        if structure.cell == "gru":
            a = w_x + b_ih + u_h + b_hh
            a[2 * size :] = (u_h + b_hh)[2 * size :]
            a = nudge("bias", a)
            r, z = nudge("r", sigma(a[:size])), nudge("z", sigma(a[size : 2 * size]))
            n = nudge("n", np.tanh(nudge("a_n", (w_x + b_ih)[2 * size :] + r * a[2 * size :])))
            h = nudge("h", (1 - z) * n + z * h)
        elif structure.cell == "lstm":
            i, f, g, o = np.split(nudge("bias", w_x + u_h + b_ih + b_hh), 4)
            i, f, o = nudge("i", sigma(i)), nudge("f", sigma(f)), nudge("o", sigma(o))
            g = nudge("g", np.tanh(g))
            c = nudge("c", f * c + i * g)
            h = nudge("h", o * np.tanh(c))
            if structure.proj_size:
                h = nudge("projection", w["weight_hr"] @ h)
        else:
            a = nudge("bias", w_x + u_h + b_ih + b_hh)
            phi = {"tanh": np.tanh, "relu": lambda v: np.maximum(v, 0), "sigmoid": sigma}[structure.activation]
            h = nudge("h", phi(a))
        total += float(h @ capture.grad_output[t, 0, row * width : (row + 1) * width])
    return total


@each_structure
def test_backward_values_are_those_of_finite_differences(autograd, structure):
    structure = replace(structure, num_layers=1)
    capture = autograd.random_capture(structure, time_steps=4, sequences=1, with_torch=False)
    layer = rebuild(capture).layers[-1]
    for operation in operations_of(layer):
        for t in range(4):
            claimed = operation.backward_value(layer, t)
            found = np.empty_like(claimed)
            for unit in range(len(found)):
                by = np.zeros(len(found))
                by[unit] = 1e-6
                up, down = (loss(capture, operation.key, t, sign * by) for sign in (1, -1))
                found[unit] = (up - down) / 2e-6
            np.testing.assert_allclose(claimed, found, rtol=1e-6, atol=1e-8, err_msg=f"{operation.key} at {t}")


@pytest.mark.parametrize("reverse", [False, True])
@pytest.mark.parametrize("cell", ["lstm", "gru", "vanilla"])
def test_nothing_goes_back_through_what_was_set_or_cut(autograd, cell, reverse):
    structure = Structure(cell, 3, 4, bidirectional=reverse)
    capture = autograd.random_capture(structure, time_steps=5, sequences=1, with_torch=False)
    name = "l0_reverse" if reverse else "l0"
    held = [Clamp(name, "h", 0.3, 3, 3, unit=2), CutGradient(2, name)]
    if cell == "lstm":
        held.append(Clamp(name, "c", -0.2, 4, 4, unit=1))
    layer = rebuild_changed(capture, held).layer(name)
    for t in range(5):
        for operation in operations_of(layer):
            if operation.key == "h" and t == 2:
                continue  # the gradient of the set value itself goes no further, so no equation has it
            if operation.key == "c" and t == 3:
                continue
            right = np.concatenate([one.value(layer, t) for one in operation.backward])
            np.testing.assert_allclose(right, operation.backward_value(layer, t), atol=1e-12, err_msg=operation.key)
    if cell == "lstm":
        assert operation_named(structure, "o").backward_value(layer, 2)[1] == 0
        assert operation_named(structure, "f").backward_value(layer, 3)[0] == 0
        assert operation_named(structure, "c").backward_value(layer, 3)[0] != 0
    hidden = operation_named(structure, "h").backward_value(layer, 1)
    np.testing.assert_array_equal(hidden, layer.direct_grad[1, 0])  # nothing is carried to where it is cut


def test_numbers_of_a_unit_make_up_the_result(autograd):
    layer = rebuild(autograd.random_capture(STRUCTURES["lstm"])).layer("l1_reverse")
    equation = operation_named(STRUCTURES["lstm"], "c").forward[0]
    c, f, before, i, g = equation.numbers(layer, 1, 1, unit=2)
    assert c.value == pytest.approx(layer.c[1, 1, 2]) == pytest.approx(f.value * before.value + i.value * g.value)
    assert (before.symbol, before.value, before.norm) == ("c_{t+1}", pytest.approx(layer.c[2, 1, 2]), False)
    whole = equation.numbers(layer, 1, 1)
    assert all(number.norm for number in whole)
    assert whole[0].value == pytest.approx(np.linalg.norm(layer.c[1, 1]))
    gate = operation_named(STRUCTURES["lstm"], "bias").forward[0].numbers(layer, 1, 1, unit=2, gate="f")
    assert gate[0].value == pytest.approx(layer.pre_activations["f"][1, 1, 2])
    assert gate[0].value == pytest.approx(sum(number.value for number in gate[1:]))
    weight, x = operation_named(STRUCTURES["lstm"], "W x").forward[0].numbers(layer, 1, 1, unit=2)[1:]
    assert weight.norm
    assert x.norm
    assert x.value == pytest.approx(np.linalg.norm(layer.x[1, 1]))


def test_places_beyond_the_sequence_are_refused(autograd):
    layer = rebuild(autograd.random_capture(STRUCTURES["gru"], lengths=[3, 5])).layer("l0")
    operation = operation_named(STRUCTURES["gru"], "h")
    with pytest.raises(RnnvizError, match="wanted a time step from 1 to 3, got 4"):
        operation.forward_value(layer, 3, 0)
    with pytest.raises(RnnvizError, match="wanted a time step from 1 to 3, got 0"):
        operation.backward_value(layer, -1, 0)
    with pytest.raises(RnnvizError, match="wanted a sequence from 0 to 1, got 2"):
        operation.forward[0].value(layer, 0, 2)
