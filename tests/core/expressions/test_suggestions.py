"""Near misses: which right expression a wrong one is taken for, and that nothing wrong is ever suggested."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS, Options, cell_made
from rnnviz.core.expressions import ExpressionError, Vocabulary, parse
from rnnviz.core.expressions.completion import complete, complete_message
from rnnviz.core.expressions.log_message import parse_message
from rnnviz.core.expressions.suggesting.refusals import refusal
from rnnviz.core.expressions.suggesting.suggestion import suggest, suggest_message
from rnnviz.core.network import Network
from rnnviz.core.plain_records import listed
from rnnviz.core.stopping.conditions import condition
from rnnviz.core.structure import Structure

TWO = Vocabulary(
    (Network.one(Structure("vanilla", 3, 11)), Network.one(Structure("lstm", 3, 11))), ("Plain", "LSTM, bias 3")
)
GRU = Vocabulary((Network.one(Structure("gru", 2, 5, 2)),), ("GRU",))
WITH_Z = [name for name in CELLS if "z" in cell_made(name, Options()).by_name]


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
        # gradients: one number for all of them, or the hidden gradient where a function wants many values
        ("max gradient > 10", "max(abs(dh)) > 10"),
        ("max(grad) > 10", "max(abs(dh)) > 10"),
        ("mean abs gradient > 1", "mean(abs(dh)) > 1"),
        ("sum of gradients > 3", "sum(abs(dh)) > 3"),
        ("gradient > 100", "grad_norm > 100"),
        ("largest gradient norm > 10", "max(grad_norm, 50) > 10"),
        ("‖∇L‖₂ > 5", "grad_norm > 5"),
        ("norm(dL/dh) > 1", "norm(dh) > 1"),
        ("|dE/dh| > 1", "any(abs(dh) > 1)"),
        ("gradient of the loss with respect to h > 1", "any(dh > 1)"),
        ("gradient norm at t = 3 > 1", "norm(dh[3]) > 1"),
        ("dL/dW_hh > 1", "so_far_hh[1] > 1"),
        # models in passing
        ("Gradient Norm of LSTM, bias 3 > 5", "grad_norm > 5 and model == lstm_bias_3"),
        ("Plain.loss < 1", "loss < 1 and model == plain"),
        ("the LSTM's accuracy > 90%", "accuracy > 0.9 and cell == lstm"),
        ("loss[plain] < 1 or plain_loss > 3", "(loss < 1 or loss > 3) and model == plain"),
        # Python
        ("loss.item() < 0.1", "loss < 0.1"),
        ("h.abs().max() > 0.9", "max(abs(h)) > 0.9"),
        ("torch.linalg.norm(h.grad, ord=2) > 3", "norm(dh) > 3"),
        ("np.isnan(h).any()", "any(isnan(h))"),
        ("(f > 0.99).all()", "all(f > 0.99)"),
        ("logs['val_loss'] < .1", "test_loss < .1"),
        ("if loss < 0.1:", "loss < 0.1"),
        # LaTeX
        (r"$\left\| \frac{\partial L}{\partial h_1} \right\|_2 < 10^{-6}$", "norm(dh[1]) < 1e-6"),
        (r"\lVert h_{t-1} \rVert \geq 5", "norm(h[t - 1]) >= 5"),
        (r"\nabla_\theta \mathcal{L} > 3", "grad_norm > 3"),
        # sentences
        ("gradients vanish", "norm(dh[1]) < 1e-6"),
        ("Did the gradients explode?", "grad_norm > 100"),
        ("stop when the loss gets lower then 0.1", "loss < 0.1"),
        ("Loss is NaN", "isnan(loss)"),
        ("loss == inf", "not isfinite(loss)"),
        ("the loss diverges", "loss > 10 * median(loss, 50)"),
        ("loss between 0.1 and 0.2", "0.1 < loss < 0.2"),
        ("grad_norm > 10 times its median", "grad_norm > 10 * median(grad_norm, 50)"),
        ("loss > average loss", "loss > mean(loss, 50)"),
        ("Accuracy > 90", "accuracy > 0.9"),
        ("accuracy greater than or equal to 90 percent", "accuracy >= 0.9"),
        ("NOT loss < 1 OR step > 1k", "not loss < 1 or k > 1000"),
        ("every 100 steps", "k % 100 == 0"),
        ("training step 500", "k == 500"),
        ("loss at t=5 < 1", "losses[5] < 1"),
        ("h at the last time step > 0.5", "any(h[T] > 0.5)"),
        ("neuron 3 > 0.5", "h[t, 3] > 0.5"),
        ("cell > 3", "any(c > 3)"),
        ("forget gate saturates", "any(abs(f - 0.5) > 0.49)"),
    ],
)
def test_a_near_miss_is_taken_for_what_was_meant(text, meant):
    assert suggest(text, TWO, condition_of) == meant


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "loss < 1", "nonsense > 3", "loss <", "a b c", "x" * 600, "σ(h) > 1", "gate > 0.5",
        "weight norm > 3", "max(W_hh) > 1", "max(Whh) > 1", "max(weight_hh_l0) > 1", "∂h_T/∂h_1 > 1", "h_t^{(1)} > 0",
        "clip_grad_norm_ > 1", "loss at step 500 < 1", "h.norm(dim=1) > 3", "h.std() > 1", "GRU loss < 1",
    ],
)  # fmt: skip
def test_what_is_right_and_what_comes_near_nothing_gets_no_suggestion(text):
    assert suggest(text, TWO, condition_of) == ""


def test_names_are_those_of_the_models_that_are_there():
    assert suggest("any(the gradient of a > 1)", TWO, condition_of) == "any(da > 1)"
    assert suggest("any(update gate > 0.9)", GRU, condition_of) == "any(z > 0.9)"
    assert suggest("any(forget gate > 0.9)", GRU, condition_of) == ""
    assert suggest("weight_hh_l1.grad.norm() > 2", GRU, condition_of) == "norm(so_far_hh_l1[1]) > 2"
    assert suggest("f[t, 9]", Vocabulary(GRU.networks, GRU.models), parse) == ""
    assert suggest("Z[t, 9]", GRU, parse) == "z[t, 5]"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        (
            "learning rate > 1",
            "There is no name for “learning rate” here: it is a setting; what .*: loss, grad_norm, accuracy; where a "
            "schedule changes it, learning_rate < 1e-3",
        ),
        ("lr < 0.001", "it is a setting; .*; where a schedule changes it, learning_rate < 1e-3"),
        ("momentum > 1", "“momentum” here: it is a setting"),
        ("clip_grad_norm_ > 1", "it is a setting"),
        ("spectral radius > 1", r"the gradient of the loss at a time step can be asked, norm\(dh\[1\]\) < 1e-6"),
        ("∂h_T/∂h_1 > 1", "the gradient of the loss at a time step"),
        ("weight norm > 3", r"of a weight its gradient can be asked: so_far_hh\[1\]"),
        ("norm(dL/dh)", r"norm\(dh\) is no yes or no: compare it, for example norm\(dh\) < 0.05"),
        ("loss of LSTM < loss of vanilla", "Each model is asked by itself.* and cell == lstm"),
        ("update gate > 0.9", f"The vanilla and lstm cell has no update gate z; {listed(WITH_Z)} have it"),
        ("loss at step 500 < 1", "a training step is asked with k"),
        ("perplexity < 5", r"it is exp\(loss\)"),
        ("hello > 3", "“hello” is not known here: ask for loss, accuracy, grad_norm, k, x, .* for example grad_norm"),
        ("gates are sleepy", "“gates are sleepy” is not known here: ask for loss"),
    ],
)  # fmt: skip
def test_what_cannot_be_asked_is_refused_with_what_can(text, sentence):
    assert suggest(text, TWO, condition_of) == ""
    with pytest.raises(ExpressionError) as caught:
        condition_of(text, TWO)
    said = refusal(caught.value, "", text, TWO, condition_of)
    assert re.search(sentence, said)
    assert said.endswith(".")


def test_a_watch_shows_every_model_and_says_so_of_a_name_in_it():
    with pytest.raises(ExpressionError) as caught:
        parse("LSTM.loss", TWO)
    assert refusal(caught.value, "", "LSTM.loss", TWO, parse) == "Every model is asked, this one too: write loss."


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
