"""Truncation: values are those of the whole sequence, gradients those of torch with the same states detached."""

from dataclasses import replace

import numpy as np
import pytest
from every_cell import CHOICES

from rnnviz.core.gradients.flow_of import flow_of
from rnnviz.core.gradients.horizon import horizon, in_the_past
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.cuts import Cuts
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.fidelity import relative_difference
from rnnviz.core.sweeps.what_if.changed_trace import recompute
from rnnviz.core.sweeps.what_if.interventions import CutGradient

CUT = np.array([False, True, False, False, True, False, False])


def detached(structure, cut):
    """The states that are detached before they are handed on, by layer and time step."""
    times = np.flatnonzero(cut).tolist()
    return frozenset((name, t + name.endswith("_reverse")) for name in structure.layer_names for t in times)


def same_as(reference, trace, limit=1e-10):
    for layer in trace.layers:
        slow, cell = reference.layers[layer.name], layer.equations
        for name in cell.hidden_nodes:
            assert relative_difference(layer.value(name), slow.array(name)) <= limit
            assert relative_difference(layer.grad(name), slow.array(name, grad=True)) <= limit, (layer.name, name)
        for parameter, grad in layer.weight_grads.items():
            assert relative_difference(grad, reference.weight_grads[f"{parameter}_{layer.name}"]) <= limit, parameter
    assert relative_difference(trace.input_grad, reference.input_grads) <= limit


@pytest.mark.parametrize("lengths", [None, [7, 5]], ids=["whole", "packed"])
@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES)
def test_gradients_are_torchs_with_the_same_states_detached(autograd, choice, lengths):
    structure = Structure(input_size=3, hidden_size=4, num_layers=2, bidirectional=True, **choice)
    capture = autograd.random_capture(structure, time_steps=7, lengths=lengths, seed=3)
    trace = rebuild(capture.with_call(cut=CUT))
    same_as(autograd.reference(capture, cuts=detached(structure, CUT)), trace)
    for layer, whole in zip(trace.layers, rebuild(capture).layers, strict=True):
        np.testing.assert_array_equal(layer.output, whole.output)
        for state in structure.equations.states:
            arriving = layer.arriving[state]
            assert not arriving[[2, 5] if layer.reverse else [1, 4]].any(), "nothing is carried across a cut"
            assert arriving[[3] if layer.reverse else [2]].any()


def test_a_single_sequence_both_ways_of_sweeping_and_a_cut_on_top(autograd):
    """By the kernel, window by window; node by node; and with one more cut by hand."""
    structure = Structure("lstm", 3, 4, num_layers=2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=7, sequences=1, seed=5)
    truncated = capture.with_call(cut=CUT)
    for cut in (CUT, CUT & (np.arange(7) > 2)):  # of which the second has few enough for the kernel
        same_as(autograd.reference(capture, cuts=detached(structure, cut)), rebuild(capture.with_call(cut=cut)))
    same_as(autograd.reference(capture, cuts=detached(structure, CUT)), recompute(truncated))
    more = {("l1", 5), ("l0_reverse", 4)}
    changed = recompute(truncated, (CutGradient(6, "l1"), CutGradient(5, "l0_reverse")))
    same_as(autograd.reference(capture, cuts=detached(structure, CUT) | more), changed)
    same_as(autograd.reference(capture, cuts=detached(structure, CUT) | more), changed.exact)
    assert [layer.cut.sum() for layer in changed.layers] == [2, 3, 3, 2]


@pytest.mark.parametrize("cell", ["gru", "lstm", "minlstm"])
def test_the_flow_ends_at_the_edge(autograd, cell):
    structure = Structure(cell, 3, 4, num_layers=2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=7, lengths=[7, 6], seed=7)
    trace = rebuild(capture.with_call(cut=CUT)).sample(1)
    window = np.array([0, 0, 1, 1, 1, 2])
    inside = window[:, None] == window
    for layer in trace.layers:
        flow = layer.gradient_flow()
        assert (flow[~inside] == 0).all(), "exactly, both ways"
        assert (flow[inside & (np.tri(6, dtype=bool) if layer.name == "l1" else True)] > 0).any()
        if layer.name.startswith("l0"):
            assert (flow[inside] > 0).all(), "both directions above lead everywhere inside a window"
        for k in range(6):
            slow = autograd.reference(
                one := capture.sample(1), loss_times=(k,), cuts=detached(structure, CUT[:6])
            ).layers[layer.name]
            truth = np.linalg.norm(slow.grads(node.name for node in layer.equations.followed)[:, 0], axis=1)
            np.testing.assert_allclose(flow[k], truth, rtol=1e-10, atol=1e-300)
        assert one.inputs.shape[1] == 1


def test_exactly_nothing_beyond_an_edge_also_where_numbers_are_not_finite(autograd):
    structure = Structure("vanilla", 3, 4, num_layers=2, activation="relu")
    capture = autograd.random_capture(structure, time_steps=7, with_torch=False)
    grad_output = capture.grad_output.copy()
    grad_output[5:], grad_output[:5] = np.nan, 0
    for cut in (CUT, np.array([False] * 4 + [True, False, True])):
        trace = rebuild(replace(capture.with_call(cut=cut, grad_output=grad_output)))
        assert all(not layer.hidden_grad[:5].any() for layer in trace.layers)
        assert all(np.isnan(layer.hidden_grad[5:]).all() for layer in trace.layers[1:])


def test_a_horizon_that_ends_at_a_cut_is_at_least_so_long(autograd):
    """Nothing has vanished where the gradient is cut."""
    structure = Structure("lstm", 3, 4, num_layers=2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=7, seed=9)
    for layer in rebuild(capture.with_call(cut=CUT)).layers:
        flow = flow_of(layer, 1, unit=True)
        found = horizon(flow, 1e-30)
        edges = [2, 2, 5, 5, 5, 7, 7] if layer.reverse else [0, 0, 2, 2, 2, 5, 5]
        steps = [abs(k - edge) - layer.reverse for k, edge in enumerate(edges)]
        assert found.steps.tolist() == steps
        assert found.censored.all()
        whole = [k for k in range(7) if edges[k] in (0, 7)]
        assert found.cut.tolist() == [k not in whole for k in range(7)]
        assert [len(flow.way(k)) for k in range(7)] == [step + 1 for step in steps]
    assert not horizon(flow_of(rebuild(capture).layers[0], unit=True), 1e-30).cut.any()


def test_where_no_loss_reaches_is_known_from_the_capture(autograd):
    structure = Structure("gru", 3, 4, num_layers=2)
    capture = autograd.random_capture(structure, time_steps=7, lengths=[7, 5], with_torch=False)
    grad_output = np.zeros_like(capture.grad_output)
    grad_output[6, 0] = grad_output[2:4, 1] = 1
    trace = rebuild(capture.with_call(grad_output=grad_output, cut=CUT | (np.arange(7) == 5)))
    assert [trace.cuts(n) for n in range(2)] == [Cuts((2, 5, 6), 6), Cuts((2,), 2)]
    assert trace.sample(1).cuts(0) == Cuts((2,), 2)
    assert trace.cuts(0).words(6) == "cut at t = 7 (truncated): no gradient goes further back"
    assert not trace.cuts(0).words(7)
    assert [trace.cuts(0).before(t) for t in (2, 3, 7)] == [0, 2, 6]
    assert in_the_past(trace.layers[0]) == (1.0, 1, 1), "of the time steps that it can reach"
    assert in_the_past(trace.layers[1], 1).of == 3, "the states after the last loss count, those beyond the cut do not"
    assert rebuild(capture).cuts(0) == Cuts()
    memoryless = autograd.random_capture(Structure("mlp", 3, 4), time_steps=7, with_torch=False)
    assert rebuild(memoryless.with_call(cut=CUT)).cuts(0) == Cuts()
