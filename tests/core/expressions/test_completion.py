"""What is offered while an expression is typed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.cells import cell_kinds
from rnnviz.core.expressions import Vocabulary, parse
from rnnviz.core.expressions.completion import complete, signature
from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.network import Network
from rnnviz.core.structure import Structure

LSTM = Vocabulary((Network.one(Structure("lstm", 8, 12)),), ("LSTM", "My LSTM"))


def offered(text: str, vocabulary: Vocabulary = LSTM) -> list[str]:
    return [offer.insert for offer in complete(text, len(text), vocabulary)]


def test_names_that_begin_with_the_word_come_first():
    found = offered("dh_")
    assert found[:2] == ["dh_direct", "dh_carried"]
    assert offered("norm(dh_d") == ["dh_direct"]
    assert offered("LOS")[0] == "loss"
    assert "test_loss" in offered("los")


def test_words_and_shapes_are_those_of_the_models():
    by_name = {offer.insert: offer for offer in complete("", 0, LSTM)}
    assert (by_name["f"].kind, by_name["f"].words, by_name["f"].shape) == ("quantity", "forget gate", "T × 12 numbers")
    assert by_name["share_hh"].shape == "T numbers"
    assert by_name["loss"].shape == "one number"
    assert by_name["norm("].shape == "norm(values) gives one number"
    assert "z" not in by_name  # the GRU's update gate
    assert "f" not in offered("", Vocabulary((Network.one(Structure("vanilla", 8, 12)),)))


def test_layers_are_offered_once_they_are_begun():
    deep = Vocabulary((Network.one(Structure("lstm", 8, 12, num_layers=2)),))
    assert offered("f_l", deep)[:2] == ["f_l0", "f_l1"]
    (offer,) = complete("x_l1", 4, deep)[:1]
    assert (offer.insert, offer.words, offer.shape) == ("x_l1", "input of layer 1", "T × 12 numbers")
    assert "f_l0" not in offered("f", deep)


def test_every_offer_is_a_word_of_the_language():
    for offer in complete("", 0, LSTM):
        if offer.kind in ("quantity", "metric") or offer.insert in "ktTHN":
            assert parse(offer.insert, LSTM)
        elif offer.kind == "function":
            assert offer.insert.removesuffix("(") in FUNCTIONS


def test_models_and_cells_are_offered_where_they_are_compared():
    assert offered("model == ") == ["lstm", "my_lstm"]
    assert offered("loss < 1 and model != my") == ["my_lstm"]
    assert offered("cell == ") == list(cell_kinds())


@pytest.mark.parametrize("text", ["loss ", "h[t] ", "(1) ", "12", "loss l", "norm(h) n"])
def test_nothing_is_offered_where_an_operator_must_come(text):
    assert offered(text) == []


@pytest.mark.parametrize("text", ["loss < 1 and ", "not ", "norm(", "h[", "clip(h, ", "1 + "])
def test_names_are_offered_where_a_value_must_come(text):
    assert "h" in offered(text)


def test_the_whole_word_is_replaced():
    (offer, *_) = complete("norm(dh_dir[t])", 9, LSTM)
    assert (offer.insert, offer.start, offer.end) == ("dh_direct", 5, 11)


def test_the_call_around_the_cursor_is_explained():
    assert signature("1 + clip(h[t], 0, ", 18) == "clip(values, low, high): held between low and high"
    assert signature("norm(h[", 7).startswith("norm(values)")
    assert signature("norm(h) + ", 10) == ""
    assert signature("h[t", 3) == ""


@given(st.text(alphabet="hdfmodel=[]()<t, 1_norm∂\n", max_size=30), st.integers(0, 30))
def test_any_text_can_be_completed(text, column):
    for offer in complete(text, min(column, len(text)), LSTM):
        assert 0 <= offer.start <= offer.end <= len(text)
    assert isinstance(signature(text, column), str)
