"""Shares and gathered sums of weight gradients against the parts they are never built from."""

import math

import numpy as np
import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.gradients import agreement
from rnnviz.core.gradients.agreement import agreements
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild


def parts_of(layer, parameter):
    """(T, R, C) or (T, R) every time step's own part, built."""
    delta, partner = layer.factors[parameter]
    if partner is None:
        return delta.sum(axis=1).astype(float)
    return np.einsum("tnr,tnc->trc", delta.astype(float), partner)


@pytest.mark.parametrize("cell", list(CELLS))
@pytest.mark.parametrize("sequences", [1, 3])
@pytest.mark.parametrize(("pairs", "strip"), [(4096, 40), (2, 1000)])
def test_parts_sums_and_angles_of_every_parameter_and_gate(autograd, cell, sequences, pairs, strip, monkeypatch):
    monkeypatch.setattr(agreement, "_COLUMNS", pairs)
    monkeypatch.setattr(agreement, "_STRIP", strip)  # of 6 and 2 time steps
    structure = Structure(
        cell, 2, 3, bidirectional=not CELLS[cell].one_direction, proj_size=2 if CELLS[cell].projection else 0
    )
    capture = autograd.random_capture(structure, time_steps=6, sequences=sequences, seed=8, with_torch=False)
    for layer in rebuild(capture).layers:
        found = {(one.parameter, one.block): one for one in agreements(layer)}
        assert {name for name, _ in found} == set(layer.factors)
        for (name, block), one in found.items():
            parts = parts_of(layer, name)[:, layer.equations.block_rows(block, 3)].reshape(6, -1)
            order = slice(None, None, 1 if layer.reverse else -1)
            sums = np.cumsum(parts[order], axis=0)[order]
            final = parts.sum(axis=0)
            norms = np.linalg.norm(sums, axis=-1)
            np.testing.assert_allclose(one.parts, np.linalg.norm(parts, axis=-1), rtol=1e-6, atol=1e-12)
            np.testing.assert_allclose(one.gathered, norms, rtol=1e-6, atol=1e-8)
            assert one.norm == pytest.approx(np.linalg.norm(final), rel=1e-6)
            np.testing.assert_allclose(one.relative, norms / np.linalg.norm(final), rtol=1e-6, atol=1e-8)
            known = norms > 1e-6
            cosine = (sums @ final)[known] / norms[known] / np.linalg.norm(final)
            np.testing.assert_allclose(one.cosine[known], cosine, rtol=1e-6, atol=1e-8)
            np.testing.assert_allclose(np.cos(np.radians(one.angle[known])), cosine, rtol=1e-6, atol=1e-8)
            whole = np.linalg.norm(final) / np.linalg.norm(parts, axis=-1).sum()
            assert one.cancellation == pytest.approx(whole, rel=1e-6)


def test_each_gate_has_its_own_and_only_what_is_asked_for_is_computed(autograd):
    layer = rebuild(autograd.random_capture(Structure("lstm", 2, 3), sequences=1, with_torch=False)).layers[0]
    found = agreements(layer, ("weight_hh",))
    assert [one.block for one in found] == ["", "i", "f", "g", "o"]
    whole, *gates = found
    np.testing.assert_allclose(np.sqrt(sum(one.parts**2 for one in gates)), whole.parts, rtol=1e-9)
    assert len({tuple(one.parts) for one in found}) == 5


@pytest.mark.parametrize("scale", [1e-200, 1e200])
def test_extreme_gradients_keep_their_size_and_their_angles(autograd, scale):
    capture = autograd.random_capture(Structure("gru", 2, 3), sequences=1, time_steps=6, with_torch=False)
    plain, extreme = (
        agreements(rebuild(capture.with_call(grad_output=capture.grad_output * by)).layers[0])[0] for by in (1, scale)
    )
    np.testing.assert_allclose(extreme.parts, plain.parts * scale, rtol=1e-9)
    np.testing.assert_allclose(extreme.gathered, plain.gathered * scale, rtol=1e-9)
    np.testing.assert_allclose(extreme.cosine, plain.cosine, rtol=1e-9)


def test_without_any_loss_there_is_no_angle(autograd):
    capture = autograd.random_capture(Structure("vanilla", 2, 3), sequences=1, with_torch=False)
    one = agreements(rebuild(capture.with_call(grad_output=np.zeros_like(capture.grad_output))).layers[0])[0]
    assert not one.parts.any()
    assert np.isnan(one.cosine).all()
    assert np.isnan(one.relative).all()
    assert math.isnan(one.cancellation)
