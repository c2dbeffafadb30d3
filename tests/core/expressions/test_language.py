"""What expressions mean."""

import math
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rnnviz.core.expressions import NoValueError, parse, shown

EXAMPLES = [
    "norm(dh[1]) / norm(dh[T]) < 1e-6",
    "any(f > 0.99)",
    "grad_norm > 10 * median(grad_norm, 50)",
    "loss < 0.05",
    "isnan(loss)",
    "k % 100 == 0",
]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2 + 3 * 4", 14.0),
        ("-2 ** 2", -4.0),
        ("7 // 2 + 7 % 4", 6.0),
        ("loss", 0.5),
        ("k + t + T + H + N", 114.0),
        ("h[1, 1]", 11.0),
        ("h[t, 3]", 23.0),
        ("h[-1, -1]", 53.0),
        ("h[T, H]", 53.0),
        ("h_l1[1, 1]", -11.0),
        ("losses[2]", 1.0),
        ("sum(losses)", 10.0),
        ("sum(h[2])", 66.0),
        ("sum(h[:, 1])", 155.0),
        ("sum(h[2:3, 1:2])", 21.0 + 22 + 31 + 32),
        ("sum(h[4:])", 42 * 3 + 52 * 3),
        ("sum(h[:-4])", 36.0 + 66),
        ("mean(h)", 32.0),
        ("median(h)", 32.0),
        ("min(h) + max(h)", 64.0),
        ("argmax(h[t])", 3.0),
        ("argmax(-h[:, 2])", 1.0),
        ("norm(h[1])", math.sqrt(11**2 + 12**2 + 13**2)),
        ("norm(h[t, 1])", 21.0),
        ("sum(h > 30)", 9.0),
        ("mean(h > 30)", 0.6),
        ("sum(h - h[1])", 15 * 20.0),
        ("clip(7, 1, 3) + clip(-7, 1, 3)", 4.0),
        ("sum(clip(h, 20, 30))", 20 * 3 + 21 + 22 + 23 + 30 * 9),
        ("abs(-3) + sqrt(9) + exp(0) + log10(100)", 9.0),
        ("median(loss, 3)", 1.0),
        ("mean(loss, 2) + min(loss, 9) + max(loss, 9)", 1.25 + 0.5 + 3.0),
        ("median(loss, 4)", 1.5),
        ("median(loss, 1000)", 1.5),
    ],
)
def test_numbers(scope, text, value):
    result = parse(text).evaluate(scope)
    assert type(result) is float
    assert result == pytest.approx(value, rel=1e-12)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("norm(dh[1]) / norm(dh[T]) < 1e-6", False),
        ("any(f > 0.52)", True),
        ("any(f > 0.99)", False),
        ("all(f > 0.1) and not any(f > 0.6)", True),
        ("grad_norm > 10 * median(grad_norm, 50)", True),
        ("loss < 0.05", False),
        ("isnan(loss) or isnan(accuracy)", True),
        ("k % 100 == 0", True),
        ("0 < loss < 1 < t <= 2", True),
        ("0 < loss < 0.1 < t", False),
        ("any(20 < h < 22 and f > 0.2)", True),
        ("all(isnan(c)) and not any(isfinite(c))", True),
        ("model == lstm_forget_bias_3 and model != vanilla", True),
        ("model == LSTM_forget_bias_3", True),
        ("2 == model and model != 1", True),
        ("cell == lstm and cell != gru", True),
        ("(loss < 1) == (t < 3)", True),
        ("loss < 0.1 or not loss < 0.1", True),
    ],
)
def test_answers(scope, text, answer):
    assert parse(text).evaluate(scope) is answer


def test_the_right_side_is_not_asked_when_the_left_decides(scope):
    scope.cell = "vanilla"
    del scope.arrays["f"]
    assert parse("cell == lstm and any(f > 0.9)").evaluate(scope) is False
    assert parse("cell == vanilla or any(f > 0.9)").evaluate(scope) is True
    with pytest.raises(NoValueError):
        parse("cell == vanilla and any(f > 0.9)").evaluate(scope)


def test_arrays_are_float64_and_read_only_and_leave_the_trace_alone(scope):
    before = scope.arrays["h"].copy()
    for text in ("h", "h[t]", "h[:, 2]", "-h", "h + 1", "abs(h)", "h > 3", "not h > 3", "clip(h, 0, 1)"):
        result = parse(text).evaluate(scope)
        assert isinstance(result, np.ndarray)
        assert result.dtype in (np.float64, bool)
        assert not result.flags.writeable
    np.testing.assert_array_equal(scope.arrays["h"], before)


def test_a_float32_quantity_is_compared_as_float64(scope):
    assert parse("f[1, 1] == 0.11").evaluate(scope) is False  # float32's 0.11 is another number
    assert parse("abs(f[1, 1] - 0.11) < 1e-8").evaluate(scope) is True


def test_a_norm_survives_squares_that_do_not(scope):
    scope.arrays["h"] = np.full((5, 3), 1e-200)
    assert parse("norm(h[1])").evaluate(scope) == pytest.approx(math.sqrt(3) * 1e-200)
    scope.arrays["h"] = np.full((5, 3), 1e200)
    assert parse("norm(h[1])").evaluate(scope) == pytest.approx(math.sqrt(3) * 1e200)


@pytest.mark.parametrize("sequences", [0, 1])
def test_sequences_without_a_time_step_have_values_all_the_same(scope, sequences):
    scope.arrays["h"] = np.zeros((sequences, 3))
    for text in ("norm(h)", "sum(h)", "mean(h)", "median(h)", "min(h)", "max(h)", "argmax(h[:, 1])"):
        assert isinstance(parse(text).evaluate(scope), float)
    assert parse("any(h > 0)").evaluate(scope) is False
    assert parse("all(h == 0)").evaluate(scope) is True


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1 / 0", math.inf),
        ("-1 / 0", -math.inf),
        ("0 / 0", math.nan),
        ("1 % 0", math.nan),
        ("1e308 * 10", math.inf),
        ("9 ** 9 ** 3", math.inf),
        ("(-8) ** (1 / 3)", math.nan),
        ("0 ** -1", math.inf),
        ("log10(0)", -math.inf),
        ("log10(-1)", math.nan),
        ("sqrt(-1)", math.nan),
        ("exp(1000)", math.inf),
        ("clip(1, 0 / 0, 2)", math.nan),
    ],
)
def test_what_has_no_value_in_python_has_numpys(scope, text, value):
    np.testing.assert_equal(parse(text).evaluate(scope), value)


def test_what_an_expression_needs_is_known():
    expression = parse("grad_norm > 10 * median(grad_norm, 50) and mean(loss, 5) < 1 and norm(dh[t]) > k")
    assert expression.metrics == {"grad_norm": 50, "loss": 5}
    assert expression.quantities == {"dh"}
    assert expression.numbers == {"t", "k"}
    assert expression.needs_trace
    assert expression.follows_cursor
    assert not parse("k % 100 == 0 and loss < 1").needs_trace
    assert not parse("norm(dh[1])").follows_cursor


def test_the_values_behind_an_answer(scope):
    expression = parse("norm(h[1]) < 9 or any(f > 0.5) or not isnan(loss) or model == lstm or k % 100 == 0")
    assert [text for text, _ in expression.explain(scope)] == ["norm(h[1])", "f", "loss", "k % 100"]
    assert dict(parse("g[1, 1] > 3 or loss < 2").explain(scope)) == {"loss": 0.5}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.5, "0.5"),
        (-3.0, "−3"),
        (1.25e-7, "1.25e−07"),
        (math.nan, "NaN"),
        (-math.inf, "−∞"),
        (True, "yes"),
        (np.array([1.0, math.nan]), "[1, NaN]"),
        (np.arange(12.0).reshape(3, 4), "12 values from 0 to 11"),
        (np.array([[1.0, math.inf]]), "2 values from 1 to 1, 1 not finite"),
        (np.full((2, 2), math.nan), "4 values, none finite"),
        (np.ones((3, 3), bool), "yes for 9 of 9 values"),
    ],
)
def test_values_in_plain_text(value, text):
    assert shown(value) == text


# A second meaning of the language, built along with the text: every text carries the value it should have.
Pair = tuple[str, object]
_H = (np.arange(1, 6)[:, None] * 10 + np.arange(1, 4)).astype(np.float64)
_LEAVES: st.SearchStrategy[Pair] = st.one_of(
    st.floats(0, 1e6, allow_subnormal=False).map(lambda value: (repr(value), value)),
    st.sampled_from([("loss", 0.5), ("k", 100.0), ("t", 2.0), ("h", _H), ("h[t]", _H[1]), ("h[:, 2]", _H[:, 1])]),
    st.tuples(st.integers(1, 5), st.integers(-3, -1)).map(lambda at: (f"h[{at[0]}, {at[1]}]", _H[at[0] - 1, at[1]])),
)
_OPERATORS = {
    "+": np.add,
    "-": np.subtract,
    "*": np.multiply,
    "/": np.divide,
    "//": np.floor_divide,
    "%": np.mod,
    "<": np.less,
    "<=": np.less_equal,
    "==": np.equal,
    "!=": np.not_equal,
    ">=": np.greater_equal,
    ">": np.greater,
}


def _binary(pair: tuple[Pair, str, Pair]) -> Pair:
    (left, one), sign, (right, two) = pair
    with np.errstate(all="ignore"):
        one, two = (np.asarray(value, np.float64) for value in (one, two))
        fits = not one.shape or not two.shape or one.shape[-1] == two.shape[-1]  # T = 5 over time, H = 3 over units
        return f"({left} {sign} {right})", _OPERATORS[sign](one, two) if fits else None


def _norm(values: np.ndarray) -> np.float64:
    """numpy's L2 norm; of values whose squares leave the range of float64, such as 1e-268, after a division by the
    largest."""
    plain, largest = np.linalg.norm(values), np.max(np.abs(values))
    if 1e-140 < plain < 1e140 or not 0 < largest < np.inf:
        return plain
    return np.linalg.norm(values / largest) * largest


def _unary(pair: tuple[str, Pair]) -> Pair:
    name, (text, value) = pair
    value = np.asarray(value, np.float64)
    with np.errstate(all="ignore"):
        if name == "-":
            return f"-({text})", -value
        if name == "norm":
            return f"norm({text})", _norm(value.ravel())
        return f"abs({text})", np.abs(value)


_TREES = st.recursive(
    _LEAVES,
    lambda inner: st.one_of(
        st.tuples(inner, st.sampled_from(list(_OPERATORS)), inner)
        .map(_binary)
        .filter(lambda pair: pair[1] is not None),
        st.tuples(st.sampled_from(["-", "norm", "abs"]), inner).map(_unary),
    ),
    max_leaves=8,
)


@given(_TREES)
@example(("norm(1e-268)", 1e-268))
@example(("norm((h) * (1e-200))", np.linalg.norm(_H) * 1e-200))
def test_expressions_mean_what_numpy_computes(pair):
    from_text, wanted = pair
    scope = _table()
    value = parse(from_text).evaluate(scope)
    np.testing.assert_allclose(np.asarray(value, np.float64), np.asarray(wanted, np.float64), rtol=1e-9, atol=1e-300)
    assert np.shape(value) == np.shape(wanted)


def _table() -> SimpleNamespace:
    return SimpleNamespace(
        number={"k": 100.0, "t": 2.0}.__getitem__,
        metric=lambda name: 0.5,
        quantity=lambda name, layer: _H,
        own=lambda name, layer: None,
    )


@pytest.mark.parametrize("text", EXAMPLES)
def test_the_examples_of_a_condition_are_yes_or_no(scope, text):
    assert parse(text).form.words == "yes or no"
    assert isinstance(parse(text).evaluate(scope), bool)
