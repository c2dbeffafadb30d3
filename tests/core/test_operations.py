"""The operations of each cell: their values are the trace's, their equations come to them, their gradients are true."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.capture import Capture
from rnnviz.core.errors import RnnvizError
from rnnviz.core.interventions import Clamp, CutGradient
from rnnviz.core.changed_trace import rebuild_changed
from rnnviz.core.operations import operation_keys, operation_named, operations, operations_of
from rnnviz.core.quantity import Quantity
from rnnviz.core.structure import Structure
from rnnviz.core.trace import rebuild

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
        Quantity.FORGET_GATE,
        Quantity.CELL,
        Quantity.INPUT_GATE,
        Quantity.CANDIDATE,
    ]
    assert [term.offset for term in cell.backward[0].terms] == [0, 0, 0, 1, 1]
    hidden = operation_named(STRUCTURES["vanilla"], "h")
    assert hidden.backward[0].text() == "∂L/∂h_t = ∂L_t/∂h_t + W_{hh}ᵀ ∂L/∂a_{t+1}"
    assert hidden.backward[0].text(reverse=True) == "∂L/∂h_t = ∂L_t/∂h_t + W_{hh}ᵀ ∂L/∂a_{t−1}"
    assert operation_named(STRUCTURES["relu"], "bias").backward[0].text() == "∂L/∂a_t = ∂L/∂h_t ⊙ [h_t > 0]"
    assert operation_named(STRUCTURES["gru"], "a_n").forward[0].text() == (
        "a_{n,t} = (W_{ih} x_t)_n + b_{in} + r_t ⊙ u_t"
    )


def test_an_operation_the_cell_lacks_is_refused_by_name():
    with pytest.raises(RnnvizError, match=r"wanted one of W x, U h, bias, h of the vanilla cell, got 'f'"):
        operation_named(STRUCTURES["vanilla"], "f")


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


@each_structure
def test_every_equation_comes_to_its_value(autograd, structure):
    assert operations(structure) == operations_of(rebuild(autograd.random_capture(structure)).layers[-1])
    lengths = [5, 3]
    check_equations(rebuild(autograd.random_capture(structure, lengths=lengths)))


@settings(max_examples=12)
@given(
    st.sampled_from(["vanilla", "lstm", "gru"]),
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


@each_structure
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
        if structure.cell == "lstm" or structure.cell == "vanilla":
            names = layer.equations.blocks
            known["bias"] = np.concatenate([truth.array(f"a:{name}", grad=True) for name in names], axis=-1)
        else:
            known["a_n"] = truth.array("a:n", grad=True)
        for operation in operations_of(layer):
            for t in range(trace.time_steps):
                for sample in range(trace.sequences):
                    if operation.key in known:
                        np.testing.assert_allclose(
                            operation.backward_value(layer, t, sample),
                            known[operation.key][t, sample],
                            rtol=1e-8,
                            atol=1e-10,
                            err_msg=operation.key,
                        )
