"""Norms that are zero only for zeros, logarithms and saturation."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from rnnviz.core import magnitude


@given(arrays(np.float32, (3, 4), elements=st.floats(width=32, allow_nan=False, allow_infinity=False)))
def test_float32_norms_are_exact(values):
    expected = [math.hypot(*row.astype(float)) for row in values]
    np.testing.assert_allclose(magnitude.l2(values), expected, rtol=1e-12)


@given(arrays(np.float64, (2, 3), elements=st.floats(-1e300, 1e300)))
def test_float64_norms_neither_underflow_nor_overflow(values):
    expected = [math.hypot(*row) for row in values]
    np.testing.assert_allclose(magnitude.l2(values), expected, rtol=1e-9, atol=5e-324)


@pytest.mark.parametrize("tiny", [np.float64(5e-324), np.float32(1e-45), np.float64(1e-200)])
def test_the_smallest_number_is_not_zero(tiny):
    norm = magnitude.l2(np.array([[0, tiny, 0]], tiny.dtype))
    assert norm.dtype == np.float64
    assert norm[0] == float(tiny)


def test_norms_of_zero_nan_and_infinity():
    rows = np.array([[0.0, 0.0], [math.nan, 1.0], [math.inf, 1.0], [3.0, 4.0]])
    np.testing.assert_array_equal(magnitude.l2(rows), [0, math.nan, math.inf, 5])
    np.testing.assert_array_equal(magnitude.l2(rows.astype(np.float32)), [0, math.nan, math.inf, 5])
    assert magnitude.l2(np.zeros((2, 0))).tolist() == [0, 0]
    np.testing.assert_array_equal(magnitude.l2(np.array([[3.0, 0.0], [4.0, 1.0]]), axis=0), [5, 1])


def test_logarithm_keeps_zero_and_nan():
    found = magnitude.log10(np.array([0.0, math.nan, math.inf, 100.0, 5e-324]))
    np.testing.assert_array_equal(found[:3], [-math.inf, math.nan, math.inf])
    assert found[3] == 2
    assert found[4] == pytest.approx(-323.306, abs=1e-3)


def test_saturation_is_the_share_beyond_karpathys_limits():
    gate = np.array([[0.05, 0.5], [0.95, 0.91], [0.1, 0.9]])
    assert magnitude.saturation(gate) == pytest.approx(0.5)
    np.testing.assert_allclose(magnitude.saturation(gate, axis=0), [2 / 3, 1 / 3])
