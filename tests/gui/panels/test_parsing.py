"""Texts of fields become values or one sentence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.numbers import exact, span
from rnnviz.core.setting import settings_of
from rnnviz.gui.widgets.parsing import real, spans, stepped_number, whole


@given(st.integers(1, 4096))
def test_a_whole_number_reads_back(number: int) -> None:
    assert whole("Batch", 1, 4096)(exact(number)) == number


@given(st.floats(1e-9, 100, allow_subnormal=False))
def test_a_number_reads_back(number: float) -> None:
    assert real("Rate", 0, 100)(exact(number)) == number


@given(st.tuples(st.integers(0, 500), st.integers(0, 500)))
def test_a_span_reads_back(pair: tuple[int, int]) -> None:
    pair = (min(pair), max(pair))
    assert spans("Length", 1, 0, 500, "60–80")(span(pair)) == pair


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("abc", "Batch must be a whole number from 1 to 4,096, not “abc”."),
        ("", "Batch must be a whole number from 1 to 4,096, not nothing."),
        ("0", "Batch must be a whole number from 1 to 4,096, not “0”."),
        ("1.5", "Batch must be a whole number from 1 to 4,096, not “1.5”."),
        ("9" * 5000, f"Batch must be a whole number from 1 to 4,096, not “{'9' * 24}…”."),
    ],
)
def test_a_bad_whole_number_is_quoted(text: str, sentence: str) -> None:
    with pytest.raises(RnnvizError) as caught:
        whole("Batch", 1, 4096)(text)
    assert str(caught.value) == sentence


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "x", "1e99", "0"])
def test_a_rate_is_above_zero_and_finite(text: str) -> None:
    with pytest.raises(RnnvizError, match="Rate must be a number above 0 and up to 100"):
        real("Rate", 0, 100, above=True)(text)


def test_off_is_zero_of_whole_numbers_too() -> None:
    parse = whole("Early stop", 0, 900, off=True)
    assert (parse("off"), parse("None"), parse("75")) == (0, 0, 75)
    with pytest.raises(RnnvizError, match="must be a whole number from 0 to 900 or “off”, not “never”"):
        parse("never")


def test_off_is_zero() -> None:
    parse = real("Clip norm", 0, 1e6, off=True)
    assert (parse("off"), parse(" OFF "), parse("0,5")) == (0.0, 0.0, 0.5)
    show = settings_of(TrainingSettings)["clip_norm"].show
    assert (show(0.0), show(1.0)) == ("off", "1")


def test_spans_take_several_dashes_and_single_numbers() -> None:
    parse = spans("Marks", 2, 0, 100, "10–20, 45–54")
    assert parse("10-20 , 45 – 54") == ((10, 20), (45, 54))
    assert parse("3, 9..12") == ((3, 3), (9, 12))
    assert span(((3, 3), (9, 12))) == "3, 9–12"


@pytest.mark.parametrize("text", ["20–10, 45–54", "10–20", "10–20, 45–101", "a–b, c–d"])
def test_impossible_spans_show_an_example(text: str) -> None:
    with pytest.raises(RnnvizError, match="Marks must look like 10–20, 45–54"):
        spans("Marks", 2, 0, 100, "10–20, 45–54")(text)


def test_arrow_keys_walk_along_one_two_five() -> None:
    value: object = 0.01
    seen = [value := stepped_number(value, 1) for _ in range(4)]
    assert seen == [0.02, 0.05, 0.1, 0.2]
    assert stepped_number(0.01, -1) == 0.005
    assert stepped_number(32, -1) == 31
