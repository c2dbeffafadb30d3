"""Axes of values, the factor of a straight curve, and magnitudes in words."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.gui.canvas.lanes.gradient import step_factor
from rnnviz.gui.canvas.lanes.value_axes import linear, logarithmic, magnitude_words

NUMBERS = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=20)


@given(NUMBERS)
def test_a_linear_axis_holds_all_finite_values(values: list[float]) -> None:
    curve = np.array(values, dtype=float)
    axis = linear([curve], include=0.0)
    finite = curve[np.isfinite(curve)]
    assert axis.low < axis.high
    assert ((finite >= axis.low) & (finite <= axis.high)).all()
    assert 1 <= len(axis.ticks) <= 7


@given(st.lists(st.floats(-320, 300) | st.sampled_from([-np.inf, np.nan, np.inf]), max_size=20))
def test_a_logarithmic_axis_holds_all_finite_values_and_few_ticks(values: list[float]) -> None:
    curve = np.array(values, dtype=float)
    axis = logarithmic([curve], zone=-8.0)
    finite = curve[np.isfinite(curve)]
    assert ((finite > axis.low) & (finite <= axis.high)).all()
    assert axis.low <= -10 < axis.high
    assert 2 <= len(axis.ticks) <= 8


def test_a_straight_curve_is_told_as_its_factor() -> None:
    t = np.arange(64)
    assert step_factor(np.log10(0.55) * (63 - t)) == pytest.approx(0.55)
    assert step_factor(np.log10(1.2) * (63 - t)) == pytest.approx(1.2)


@pytest.mark.parametrize(
    "curve",
    [
        np.sin(np.arange(64) / 4),
        np.full(64, -3.0),
        np.array([-1.0, -2.0, -3.0]),
        np.where(np.arange(64) < 10, -np.inf, -1.0 * np.arange(64)),
        np.where(np.arange(64) == 30, np.nan, -1.0 * np.arange(64)),
    ],
    ids=["wave", "flat", "short", "zeros", "NaN"],
)
def test_no_factor_is_claimed_for_other_curves(curve: np.ndarray) -> None:
    assert step_factor(curve) is None


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (-np.inf, "0"),
        (np.nan, "NaN"),
        (np.inf, "+∞"),
        (np.log10(5.3e-8), "5.3·10⁻⁸"),
        (-320.0, "10⁻³²⁰"),
        (0.0, "1.00"),
    ],
)
def test_magnitudes_in_words(log: float, words: str) -> None:
    assert magnitude_words(log) == words


@pytest.mark.parametrize("seed", range(4))
def test_every_tick_says_the_value_it_stands_at(seed: int) -> None:
    drawn = np.random.default_rng(seed + 20).normal(0.7 * seed, 10.0 ** (seed - 2), 40)
    for axis, says in (
        (linear([drawn]), lambda text: float(text.replace("−", "-"))),
        (logarithmic([-3.0 * np.abs(drawn)]), exponent),
    ):
        assert len(axis.ticks) >= 2
        for value, words in axis.ticks:
            assert says(words) == pytest.approx(value, abs=1e-9)
            assert axis.low <= value <= axis.high


def exponent(words: str) -> float:
    """−12 of 10⁻¹²."""
    return float(words.removeprefix("10").translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")))
