"""A gradient on its way back: rate, bound, horizon, extremes, both paths of an LSTM, the figures of Pascanu et al."""

import math
from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.gradients.extremes import Mark, flow_seen, seen, unsure
from rnnviz.core.gradients.flow_of import Flow, flow_of
from rnnviz.core.gradients.horizon import horizon, in_the_past, omega
from rnnviz.core.gradients.paths import path_steps, paths
from rnnviz.core.gradients.walk import bound, fitted, walk
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.scans import flow as jacobians
from rnnviz.core.sweeps.trace import rebuild


def layers(autograd, cell, **other):
    structure = Structure(cell, 2, 3, **{"bidirectional": not CELLS[cell].one_direction, **other})
    return rebuild(autograd.random_capture(structure, time_steps=9, sequences=2, seed=4, with_torch=False)).layers


def made(values, reverse=False, **other):
    """A flow of given numbers (K, T)."""
    values = np.array(values, float)
    known = {"rows": np.arange(len(values)), "states": {}, "layer": "l0", "cell": "gru", "symbol": "h", "seed": "unit"}
    known |= {"sampled": False, "length": values.shape[1], "reverse": reverse, "precision": "float32"}
    return Flow(values, **(known | other))


# the geometric rate


@pytest.mark.parametrize("reverse", [False, True])
def test_the_rate_of_a_geometric_decay_and_how_well_it_fits(reverse):
    back = np.arange(6)
    decay = 3e-20 * 0.4**back
    row = np.zeros(10)
    row[2:8] = decay if reverse else decay[::-1]
    k = 2 if reverse else 7
    values = np.zeros((10, 10))
    values[k] = row
    one = walk(made(values, reverse, length=8 if reverse else 10), k)
    assert list(one.times[:6]) == list(k + back if reverse else k - back)
    np.testing.assert_allclose(one.values[:6], decay)
    assert one.fit.points == 6
    assert one.fit.rate == pytest.approx(0.4)
    assert one.fit.start == pytest.approx(3e-20)
    assert one.fit.quality == pytest.approx(1)


def test_a_fit_leaves_out_what_is_no_number_and_is_none_of_two_points():
    holes = np.array([8.0, 0, 2, math.nan, 0.5, math.inf, 0.125])
    assert fitted(holes).rate == pytest.approx(0.5)
    assert fitted(holes).points == 4
    two = fitted(np.array([1.0, 0, 0.5]))
    assert (two.points, math.isnan(two.rate), math.isnan(two.quality)) == (2, True, True)
    noisy = fitted(10.0 ** np.array([0, 1, -1, 0.5, -2, 0.3]))
    line = np.polyfit(np.arange(6), [0, 1, -1, 0.5, -2, 0.3], 1)
    assert math.log10(noisy.rate) == pytest.approx(line[0])
    assert noisy.quality == pytest.approx(np.corrcoef(np.arange(6), [0, 1, -1, 0.5, -2, 0.3])[0, 1] ** 2)
    assert fitted(np.full(5, 0.1)).quality == 1


@pytest.mark.parametrize("cell", ["vanilla", "lstm", "gru"])
@pytest.mark.parametrize("reverse", [False, True])
def test_no_gradient_is_above_its_bound_and_the_first_step_can_reach_it(autograd, cell, reverse):
    layer = layers(autograd, cell)[int(reverse)]
    norms = np.array([jacobians.spectral_norm(jacobians.step_jacobian(layer, t, 1)) for t in range(9)])
    flow = flow_of(layer, 1, unit=True)
    for row in range(9):
        one = walk(flow, row)
        limit = bound(one, norms)
        assert limit[0] == one.values[0]
        assert np.all(one.values <= limit * (1 + 1e-9))
        step = slice(row, row + 3) if reverse else slice(row - 2, row + 1)
        if len(limit) > 3:
            assert limit[3] == pytest.approx(one.values[0] * np.prod(norms[step]))
        np.testing.assert_allclose(bound(one, 0.5), one.values[0] * 0.5 ** np.arange(len(limit)))


# two paths


@pytest.mark.parametrize("cell", ["lstm", "peephole_lstm", "lstm_1997"])
@pytest.mark.parametrize("k", [None, 5])
def test_along_the_cell_state_alone_is_autograd_with_h_detached(autograd, cell, k):
    structure = Structure(cell, 2, 3, proj_size=2 if CELLS[cell].projection else 0)
    capture = autograd.random_capture(structure, time_steps=7, sequences=2, seed=9, with_torch=False)
    layer = rebuild(capture).layers[0]
    found = paths(layer, 1, k)
    times = None if k is None else (k,)
    whole = autograd.reference(capture, loss_times=times).layers["l0"]
    alone = detached(autograd, capture, times)
    for kept, by_hidden, by_cell in (
        (whole, found.hidden_all, found.cell_all),
        (alone, found.hidden_alone, found.cell_alone),
    ):
        for name, norms in (("h", by_hidden), ("c", by_cell)):
            expected = np.linalg.norm(kept.array(name, grad=True)[:, 1], axis=-1)
            np.testing.assert_allclose(norms, expected, rtol=1e-9, atol=1e-14)
    if k is None:
        np.testing.assert_allclose(found.cell_all, np.linalg.norm(layer.cell_grad[:, 1], axis=-1), rtol=1e-9)


def detached(autograd, capture, loss_times):
    """The reference whose h of the time step before is cut from its past."""
    own = autograd.step
    autograd.step = lambda structure, w, name, x, states, keep: own(
        structure, w, name, x, {**states, "h": states["h"].detach()}, keep
    )
    try:
        return autograd.reference(capture, loss_times=loss_times).layers["l0"]
    finally:
        autograd.step = own


def test_paths_begin_with_what_comes_to_the_final_states(autograd):
    structure = Structure("lstm", 2, 3, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=5, sequences=1, seed=2, with_torch=False)
    final = {state: np.full((2, 1, 3), 0.7) for state in ("h", "c")}
    for layer in rebuild(capture.with_call(grad_final=final)).layers:
        found = paths(layer)
        np.testing.assert_allclose(found.hidden_all, np.linalg.norm(layer.hidden_grad[:, 0], axis=-1), rtol=1e-9)
        np.testing.assert_allclose(found.cell_all, np.linalg.norm(layer.cell_grad[:, 0], axis=-1), rtol=1e-9)


def test_the_share_that_is_done_is_of_both_sweeps(autograd):
    capture = autograd.random_capture(Structure("lstm", 2, 3), time_steps=9, sequences=1, seed=4, with_torch=False)
    assert list(path_steps(rebuild(capture).layers[0])) == [0.5, 1.0]


def test_a_cell_without_a_cell_state_has_no_two_paths(autograd):
    with pytest.raises(RnnvizError, match="GRU"):
        paths(layers(autograd, "gru")[0])


# the memory horizon


@pytest.mark.parametrize("reverse", [False, True])
def test_how_many_time_steps_back_a_gradient_falls_below_a_threshold(reverse):
    values = np.zeros((6, 6))
    for k in range(6):
        for t in range(6):
            back = t - k if reverse else k - t
            values[k, t] = 5 * 0.1**back if back >= 0 else 0
    found = horizon(made(values, reverse), 0.5e-2)
    order = slice(None, None, -1 if reverse else 1)
    assert list(found.steps[order]) == [0, 1, 2, 3, 3, 3]
    assert list(found.censored[order]) == [True, True, True, False, False, False]
    assert (found.median, found.at_least, found.counted) == (3, False, 6)
    absolute = horizon(made(values, reverse), 0.5e-2, relative=False)
    assert list(absolute.steps[order]) == [0, 1, 2, 3, 4, 4]
    never = horizon(made(values, reverse), 1e-9)
    assert (never.median, never.at_least) == (5, True)


def test_the_median_of_horizons_of_which_some_are_only_known_to_be_longer():
    """0 and more, 1, 3 and more, 2: a third of what is left falls at 1, a half of the rest at 2."""
    values = np.zeros((5, 6))
    values[0, 0] = 1
    values[1, 2] = 1
    values[2, :4] = 1
    values[3, 3:5] = 1
    found = horizon(replace(made(values, rows=np.array([0, 2, 3, 4, 5])), length=6), 0.1)
    np.testing.assert_array_equal(found.steps, [0, 1, 3, 2, np.nan])
    assert list(found.censored) == [True, False, True, False, False]
    assert (found.median, found.at_least) == (2, False)


def test_losses_that_send_nothing_or_no_number_have_no_horizon():
    values = np.tril(np.ones((4, 4)))
    values[1] = 0
    values[2, 1] = math.nan
    values[3] = [0, 0.5, math.inf, 1]
    found = horizon(made(values), 0.1)
    np.testing.assert_array_equal(found.steps, [0, np.nan, np.nan, 3])
    assert found.counted == 2
    nothing = horizon(made(np.zeros((3, 3))))
    assert math.isnan(nothing.median)


def test_pascanus_figures(autograd):
    vanilla = layers(autograd, "vanilla", num_layers=2)
    for layer in vanilla:
        delta, total = layer.hidden_grad[:, 1], 0.0
        for k in range(8):
            after, before = (k, k + 1) if layer.reverse else (k + 1, k)
            passed = delta[after] @ jacobians.step_jacobian(layer, after, 1)
            total += (np.linalg.norm(passed) / np.linalg.norm(delta[after]) - 1) ** 2
            assert omega(layer, 1).terms[before] == pytest.approx(
                (np.linalg.norm(passed) / np.linalg.norm(delta[after]) - 1) ** 2
            )
        assert omega(layer, 1).value == pytest.approx(total)
    lstm = layers(autograd, "lstm")[0]
    given = np.concatenate([(lstm.direct_grad + lstm.arriving["h"])[4, 0], lstm.arriving["c"][4, 0]])
    passed = given @ jacobians.step_jacobian(lstm, 4, 0)
    term = (np.linalg.norm(passed) / np.linalg.norm(given) - 1) ** 2
    assert omega(lstm, 0).terms[3] == pytest.approx(term)


def test_steps_in_the_past(autograd):
    capture = autograd.random_capture(Structure("vanilla", 2, 3), time_steps=12, lengths=[12, 9], with_torch=False)
    weights = {name: array * (0.002 if name == "weight_hh_l0" else 1) for name, array in capture.weights.items()}
    grad = np.zeros_like(capture.grad_output)
    grad[8] = capture.grad_output[8]
    layer = rebuild(replace(capture.with_call(grad_output=grad), weights=weights)).layers[0]
    norms = np.linalg.norm(layer.hidden_grad[:9, 1], axis=-1)
    count = int((norms**2 >= 1e-20).sum())
    assert 2 < count < 7
    assert in_the_past(layer, 1) == (count / 9, count, 9)


# extremes


def test_every_extreme_is_marked_as_what_it_is():
    values = np.array([1.0, 0, 1e-40, 0, math.nan, math.inf, 1e-36])
    exact = np.array([1.0, 0, 1.1e-40, 1e-60, 1, 1, 1.1e-36])
    shown, marks = seen(values, "float32", exact)
    wanted = [Mark.ORDINARY, Mark.ZERO, Mark.DENORMAL, Mark.UNDERFLOW, Mark.NAN, Mark.INFINITE, Mark.ORDINARY]
    assert list(marks) == wanted
    assert shown[3] == 1e-60
    assert shown[6] == 1.1e-36
    assert list(seen(values, "float64").marks[[2, 3]]) == [Mark.ORDINARY, Mark.ZERO]
    assert list(seen(values, "float32").marks[[2, 3]]) == [Mark.DENORMAL, Mark.ZERO]


def test_what_float32_loses_the_float64_rebuild_has(autograd):
    capture = autograd.random_capture(
        Structure("vanilla", 2, 3, bidirectional=True), time_steps=60, sequences=1, dtype="float32", with_torch=False
    )
    weights = {name: array * np.float32(0.1) for name, array in capture.weights.items()}
    small = replace(capture, weights=weights)
    trace = rebuild(small)
    for number, layer in enumerate(trace.layers):
        flow, exact = flow_of(layer, unit=True), flow_of(trace.exact.layers[number], unit=True)
        gone = np.triu(np.ones((60, 60), bool), 1)
        gone = gone.T if layer.reverse else gone
        marks = flow_seen(flow, exact).marks
        assert (marks[gone] == Mark.ZERO).all()
        assert (marks[~gone] != Mark.ZERO).all()
        assert {Mark.ORDINARY, Mark.DENORMAL, Mark.UNDERFLOW} <= set(marks[~gone])
        assert unsure(flow)
        assert not unsure(exact)
    gated = rebuild(autograd.random_capture(Structure("gru", 2, 3), dtype="float32", with_torch=False)).layers[0]
    assert not unsure(flow_of(gated, unit=True))
