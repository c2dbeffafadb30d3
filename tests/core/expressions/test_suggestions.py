"""Near misses: which right expression a wrong one is taken for, and that nothing wrong is ever suggested."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.expressions import ExpressionError, Vocabulary, parse
from rnnviz.core.expressions.completion import complete, complete_message
from rnnviz.core.expressions.log_message import parse_message
from rnnviz.core.expressions.suggesting.suggestion import suggest, suggest_message
from rnnviz.core.stopping.conditions import condition
from rnnviz.core.structure import Structure

TWO = Vocabulary((Structure("vanilla", 3, 11), Structure("lstm", 3, 11)), ("Plain", "LSTM, bias 3"))
GRU = Vocabulary((Structure("gru", 2, 5, 2),), ("GRU",))


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("gradient norm > 5", "grad_norm > 5"),
        ("norm of the gradient > 5", "grad_norm > 5"),
        ("grad-norm > 5", "grad_norm > 5"),
        ("gradNorm > 5", "grad_norm > 5"),
        ("LOSS < .05", "loss < .05"),
        ("loss_test < 1", "test_loss < 1"),
        ("test loss < 1", "test_loss < 1"),
        ("validation loss < 1", "test_loss < 1"),
        ("DH[1, 2] > 1", "dh[1, 2] > 1"),
        ("loss = 0.1", "loss == 0.1"),
        ("loss < 1 && k > 7 || !isnan(loss)", "loss < 1 and k > 7 or not isnan(loss)"),
        ("grad_norm^2 > 4", "grad_norm**2 > 4"),
        ("‖∂L/∂h₁‖ < 10⁻⁶", "norm(dh[1]) < 1e-6"),
        ("‖dh_t‖ ≤ 5·10⁻⁸", "norm(dh[t]) <= 5e-8"),
        ("||dh[1]|| < 1e-6", "norm(dh[1]) < 1e-6"),
        ("any(Γ_f > 0.9)", "any(f > 0.9)"),
        ("any(φ > 0.9)", "any(f > 0.9)"),
        ("norm(δh) < 1", "norm(dh) < 1"),
        ("max(W_hh) > 1", "max(share_hh) > 1"),
        ("max(Whh) > 1", "max(share_hh) > 1"),
        ("max(weight_hh_l0) > 1", "max(share_hh) > 1"),
        ("f[t, 99] > 0.9", "f[t, 11] > 0.9"),
        ("f[t, 0] > 0.9", "f[t, 1] > 0.9"),
        ("f[t][7] > 0.9", "f[t, 7] > 0.9"),
        ("h(3, 2) > 0", "h[3, 2] > 0"),
        ("forget gate > 0.9", "any(f > 0.9)"),
        ("any(forget gate > 0.9)", "any(f > 0.9)"),
        ("norm dh[1] < 1e-6", "norm(dh[1]) < 1e-6"),
        ("hidden gradient norm < 1e-6", "norm(dh) < 1e-6"),
        ("norm(dh[1] < 3", "norm(dh[1]) < 3"),
        ("norm(dh[1])) < 3", "norm(dh[1]) < 3"),
        ("loss is nan", "isnan(loss)"),
        ("loss falls below 0,05", "loss < 0.05"),
        ("accuracy at least 95%", "accuracy >= 0.95"),
        ("training step > 1,000", "k > 1000"),
        ('loss < 1 and model == "LSTM, bias 3"', "loss < 1 and model == lstm_bias_3"),
        ("loss < 1 and model = lstm", "loss < 1 and model == lstm_bias_3"),
        ("loss < 1 and vanilla", "loss < 1 and cell == vanilla"),
        ("lose < 0.05", "loss < 0.05"),
        ("median(los, 50) > 1", "median(loss, 50) > 1"),
        ("2 loss > 3", "2 * loss > 3"),
    ],
)
def test_a_near_miss_is_taken_for_what_was_meant(text, meant):
    assert suggest(text, TWO, condition_of) == meant


@pytest.mark.parametrize(
    "text", ["", "   ", "loss < 1", "nonsense > 3", "loss <", "a b c", "weight norm > 3", "x" * 600, "σ(h) > 1"]
)
def test_what_is_right_and_what_comes_near_nothing_gets_no_suggestion(text):
    assert suggest(text, TWO, condition_of) == ""


def test_names_are_those_of_the_models_that_are_there():
    assert suggest("any(update gate > 0.9)", GRU, condition_of) == "any(z > 0.9)"
    assert suggest("any(forget gate > 0.9)", GRU, condition_of) == ""
    assert suggest("max(weight_hh_l1) > 2", GRU, condition_of) == "max(share_hh_l1) > 2"
    assert suggest("f[t, 9]", Vocabulary(GRU.structures, GRU.models), parse) == ""
    assert suggest("Z[t, 9]", GRU, parse) == "z[t, 5]"


@given(st.text('lossgradnmhf_tT[]()<>=!&|^ ₁‖∂/·⁻0123456789.,"%δ', max_size=30))
def test_whatever_is_suggested_is_right(text):
    found = suggest(text, TWO, parse)
    assert not found or (parse(found, TWO) and found != text.strip())


def test_weights_are_refused_with_what_there_is_of_them():
    with pytest.raises(ExpressionError, match="share_hh is the share of each time step in ∂L/∂W_hh"):
        parse("norm(W_hh)", TWO)


def test_names_are_offered_by_their_words_too():
    assert [offer.insert for offer in complete("forg", 4, TWO)][:1] == ["f"]
    offers = complete("loss > 1 and forget ga", 22, TWO)
    assert [(offer.insert, offer.start, offer.end) for offer in offers if offer.insert == "f"] == [("f", 13, 22)]
    assert "grad_norm" in [offer.insert for offer in complete("gradient norm", 13, TWO)]
    assert complete("loss gra", 8, TWO) == ()  # an operator must come


def test_a_log_message_is_completed_and_mended_inside_its_brackets_alone():
    text = "grad is {gradi} and"
    offers = complete_message(text, 14, TWO)
    assert ("grad_norm", 9, 14) in [(offer.insert, offer.start, offer.end) for offer in offers]
    assert complete_message(text, 4, TWO) == complete_message(text, 19, TWO) == complete_message("{{lo", 4, TWO) == ()
    mended = suggest_message("grad is {gradient norm}, f = {F[t, 3]}", TWO, parse_message)
    assert mended == "grad is {grad_norm}, f = {f[t, 3]}"
    assert suggest_message("grad is {nonsense}", TWO, parse_message) == ""


def condition_of(text, vocabulary):
    condition(text, vocabulary)
