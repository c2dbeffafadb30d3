"""The gradient-flow matrix against one autograd call per loss, with own and unit losses, all of them or a choice."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.gradients import flow_of as module
from rnnviz.core.gradients.flow_of import cell_states, chosen_rows, flow_of, flow_steps
from rnnviz.core.gradients.losses import asked, few, unit_vector
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Head
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.verdicts.precision import in_float64

TIME_STEPS, SEQUENCES = 4, 2


def two_layers(cell: str, **other) -> Structure:
    """Two, both directions, where the cell can."""
    kind = CELLS[cell]
    return Structure(cell, 2, 3, 1 if kind.one_layer else 2, not kind.one_direction, **other)


def with_unit_losses(capture, layer):
    """The capture whose L_k are uᵀ output_k."""
    u = unit_vector(layer)
    return replace(capture.with_call(grad_output=np.broadcast_to(u, (*capture.inputs.shape[:2], len(u))).copy()))


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("unit", [False, True])
def test_every_loss_by_every_state_as_autograd_says(autograd, cell, dtype, unit):
    structure = two_layers(cell, residual=unit)
    lengths = [4, 3] if unit else None
    capture = autograd.random_capture(
        structure, time_steps=TIME_STEPS, lengths=lengths, seed=7, dtype=dtype, with_torch=False, dropout=0.3
    )
    trace = rebuild(capture)
    tolerance = {"rtol": 1e-5, "atol": 1e-7} if dtype == "float32" else {"rtol": 1e-9, "atol": 1e-14}
    losses = with_unit_losses(capture, trace.layers[-1]) if unit else capture
    if dtype == "float32":
        losses = in_float64(losses)
    for k in range(TIME_STEPS):
        alone = autograd.reference(losses, loss_times=(k,))
        for layer in trace.layers:
            for sample, length in enumerate(lengths or [TIME_STEPS] * SEQUENCES):
                flow = flow_of(layer, sample, unit=unit)
                assert (flow.length, len(flow.rows)) == (length, length)
                if k >= length:
                    continue
                kept = alone.layers[layer.name]
                expected = kept.grads(node.name for node in layer.equations.followed)[:, sample]
                np.testing.assert_allclose(flow.values[k], np.linalg.norm(expected, axis=-1), **tolerance)
                for state in cell_states(layer.equations):
                    expected = kept.array(state, grad=True)[:, sample]
                    np.testing.assert_allclose(flow.states[state][k], np.linalg.norm(expected, axis=-1), **tolerance)


def test_which_cells_have_a_state_beside_their_output():
    having = {cell for cell in CELLS if cell_states(Structure(cell, 2, 3).equations)}
    assert having == {"lstm", "peephole_lstm", "lstm_1997"}


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_a_unit_loss_goes_past_the_pooling_and_an_own_one_through_it(autograd, pooling):
    structure = Structure("gru", 2, 3, 1, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=5, sequences=2, seed=3, with_torch=False)
    generator = np.random.default_rng(5)
    weight = np.zeros((5, 2))
    weight[[1, 4]] = 0.25
    head = Head(
        generator.standard_normal((2, 6)), generator.standard_normal(2), "cross entropy", np.ones((5, 2), np.int64),
        weight, pooling,
    )  # fmt: skip
    trace = rebuild(capture.with_call(head=head))
    for layer in trace.layers:
        assert list(np.flatnonzero(asked(trace, layer, 1))) == [1, 4]
        own, unit = flow_of(layer, 1), flow_of(layer, 1, unit=True)
        assert (own.seed, unit.seed) == ("loss", "unit")
        assert not own.values[[0, 2, 3]].any()
        np.testing.assert_array_equal(own.values, layer.gradient_flow(1))
        alone = autograd.reference(with_unit_losses(capture, layer), loss_times=(2,))
        expected = np.linalg.norm(alone.layers[layer.name].array("h", grad=True)[:, 1], axis=-1)
        np.testing.assert_allclose(unit.values[2], expected, rtol=1e-9, atol=1e-14)


def test_too_much_work_is_a_choice_of_rows_in_blocks_that_can_be_left(autograd, monkeypatch):
    structure = Structure("lstm", 2, 3, 2, bidirectional=True)
    capture = autograd.random_capture(structure, time_steps=90, sequences=1, seed=3, with_torch=False)
    layer = rebuild(capture).layers[1]
    whole = flow_of(layer)
    assert not whole.sampled
    assert len(whole.rows) == 90
    monkeypatch.setattr(module, "TOO_MUCH", 1000)
    monkeypatch.setattr(module, "_BYTES", 90 * 6 * 3 * 8 * 20)  # of 20 rows
    steps = flow_steps(layer, cursor=43)
    shares = []
    while True:
        try:
            shares.append(next(steps))
        except StopIteration as end:
            flow = end.value
            break
    assert flow.sampled
    assert flow.row_of(43) is not None
    assert 64 <= len(flow.rows) <= 65
    assert len(shares) >= 4
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1, abs=0.05)
    np.testing.assert_allclose(flow.values, whole.values[flow.rows], rtol=1e-12, atol=1e-300)
    np.testing.assert_allclose(flow.states["c"], whole.states["c"][flow.rows], rtol=1e-12, atol=1e-300)
    left = flow_steps(layer)
    assert 0 < next(left) < 1
    left.close()


def test_the_rows_that_are_chosen():
    rows = chosen_rows(1000, cursor=501)
    assert (rows[0], rows[-1], len(rows)) == (0, 999, 65)
    assert 501 in rows
    assert np.ptp(np.diff(chosen_rows(1000))) <= 1
    assert len(chosen_rows(1000, cursor=999)) == 64
    assert list(chosen_rows(3, cursor=7)) == [0, 1, 2]


@pytest.mark.parametrize(
    ("count", "length", "expected"),
    [(0, 9, True), (1, 1, False), (3, 3, False), (3, 4, True), (4, 16, False), (4, 17, True)],
)
def test_few_losses(count, length, expected):
    assert few(np.arange(length + 2) < count, length) is expected


def test_the_losses_of_a_given_gradient_are_where_it_is_not_zero(autograd):
    capture = autograd.random_capture(Structure("gru", 2, 3, 2), time_steps=5, lengths=[5, 3], with_torch=False)
    grad = capture.grad_output.copy()
    grad[:2] = 0
    trace = rebuild(capture.with_call(grad_output=grad))
    assert list(np.flatnonzero(asked(trace, trace.layers[0], 0))) == [2, 3, 4]
    assert list(np.flatnonzero(asked(trace, trace.layers[0], 1))) == [2]
