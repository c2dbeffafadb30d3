"""What is refused: with which sentence, which columns underlined, and at which limits."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnnviz.core.cells import CELLS, Options, cell_made
from rnnviz.core.expressions import ExpressionError, NoValueError, Vocabulary, parse
from rnnviz.core.network import Network
from rnnviz.core.structure import Structure

HOSTILE = json.loads((Path(__file__).parent / "hostile_expressions.json").read_text())


@pytest.mark.parametrize(
    ("text", "underlined", "words"),
    [
        ("los < 0.05", "los", "Did you mean loss"),
        ("norm(h[0])", "0", "count from 1"),
        ("h.x", ".", "no attributes"),
        ("'a' == 1", "'", "no strings"),
        ("loss = 3", "=", "compare with =="),
        ("loss < ", "<", "A value is missing"),
        ("loss 3", "3", "An operator is missing"),
        ("norm(h[1]", "(", "never closed"),
        ("norm(h[1)]", ")", "] is wanted here"),
        ("lambda: 1", "lambda", "not part of the language"),
        ("norm(h, 2)", "norm(h, 2)", "takes 1 value, not 2"),
        ("mean(loss)", "mean(loss)", "mean(loss, 50)"),
        ("median(loss, 2.5)", "2.5", "whole number from 1 to 10,000"),
        ("any(h)", "any(h)", "asks about a comparison"),
        ("1 < 2 and loss", "loss", "A comparison is wanted"),
        ("h[1] + h[:, 1]", "h[1] + h[:, 1]", "cannot be combined"),
        ("losses[1, 2] > 0", "losses[1, 2]", "losses has one subscript, the time step, not 2."),
        ("h[1, 2, 3] > 0", "h[1, 2, 3]", "h has at most two, time step and unit, not 3."),
        ("h[t][1]", "[", "one bracket"),
        ("norm", "norm", "norm(values)"),
        ("normm(h)", "normm", "Did you mean norm"),
        ("h(1)", "h", "h[t]"),
        ("loss[3]", "loss", "median(loss, 50)"),
        ("forget > 0", "forget", "Did you mean f"),
        ("ℎ > 0", "ℎ", "write h"),
        ("loss ≤ 3", "≤", "write <="),
        ("1 + lstm", "lstm", "model == lstm"),
        ("model > 1", "model > 1", "compared once, with == or !="),
        ("1e999 > loss", "1e999", "too large"),
        ("é + loss < 1", "é", "There is no é"),
        ("loss + é < 1", "é", "There is no é"),
        ("   loss + nothing", "nothing", "There is no nothing"),
    ],
)
def test_a_wrong_expression_is_underlined_where_it_is_wrong(text, underlined, words):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert text[caught.value.start : caught.value.end] == underlined
    assert words in str(caught.value)
    assert str(caught.value).endswith((".", "?"))


@pytest.mark.parametrize(
    ("text", "underlined", "problem"),
    [
        ("norm(h[t - 2])", "t - 2", NoValueError),
        ("h[T + 1, 1]", "T + 1", NoValueError),
        ("1 + h[9, 1]", "9", NoValueError),
        ("h[t, t + H]", "t + H", NoValueError),
        ("h[3:t]", "3:t", NoValueError),
        ("h[t / 4]", "t / 4", ExpressionError),
        ("h[0 / 0]", "0 / 0", ExpressionError),
        ("2 * g[1, 1]", "g", NoValueError),
        ("2 * test_loss", "test_loss", NoValueError),
        ("1 + 2 ** (k * k)", "2 ** (k * k)", ExpressionError),
        ("sum(h ** (k * k))", "h ** (k * k)", ExpressionError),
        ("h[1:2] + h[1:t + 1]", "h[1:2] + h[1:t + 1]", ExpressionError),
    ],
)
def test_what_only_the_values_show_is_underlined_too(scope, text, underlined, problem):
    expression = parse(text)
    with pytest.raises(problem) as caught:
        expression.evaluate(scope)
    assert text[caught.value.start : caught.value.end] == underlined
    assert (type(caught.value) is NoValueError) == (problem is NoValueError)


def having(gate):
    """The cells that have a gate, as a sentence lists them: "lstm and peephole_lstm"."""
    *names, last = (name for name in CELLS if gate in cell_made(name, Options()).by_name)
    return f"{', '.join(names)} and {last}"


VANILLA, LSTM = Structure("vanilla", 8, 12), Structure("lstm", 8, 12, num_layers=2)


@pytest.mark.parametrize(
    ("text", "structures", "sentence"),
    [
        ("any(f > 0.9)", (VANILLA,), f"The vanilla cell has no forget gate f; {having('f')} have it."),
        ("any(f > 0.9)", (VANILLA, LSTM), ""),
        ("z[1, 1]", (VANILLA, LSTM), f"The vanilla and lstm cell has no update gate z; {having('z')} have it."),
        ("h[t, 13]", (VANILLA, LSTM), "There is no unit 13: there are 12."),
        ("h[t, -13]", (LSTM,), "There is no unit -13: there are 12."),
        ("h[t, 13]", (VANILLA, Structure("lstm", 8, 20)), ""),
        ("h_l1[1]", (VANILLA,), "There is no layer l1; there are l0."),
        ("h_l1[1]", (VANILLA, LSTM), ""),
        ("x_l0[t, 9]", (LSTM,), "There is no input 9: there are 8."),
        ("x_l0 - h", (LSTM,), "T × 8 numbers and T × 12 numbers cannot be combined one by one."),
        ("x_l1 - h", (LSTM,), ""),
        ("f[t, 2:13]", (LSTM,), "There is no unit 13: there are 12."),
    ],
)
def test_what_no_model_has_is_said_at_once(text, structures, sentence):
    if sentence:
        with pytest.raises(ExpressionError) as caught:
            parse(text, Vocabulary(tuple(map(Network.one, structures))))
        assert str(caught.value) == sentence
    else:
        parse(text, Vocabulary(tuple(map(Network.one, structures))))


def test_models_are_asked_for_by_words_that_exist(scope):
    known = Vocabulary(models=("Vanilla", "LSTM, forget bias 3", "2 layers", "lambda"))
    assert list(known.model_words) == ["vanilla", "lstm_forget_bias_3", "model_2_layers", "model_lambda"]
    assert parse("model == lstm_forget_bias_3", known).evaluate(scope) is True
    with pytest.raises(ExpressionError, match=r"There is no model vanila, but vanilla, .* Did you mean vanilla\?"):
        parse("model == vanila", known)


def test_a_name_of_the_language_hides_a_metric_of_the_same_name(scope):
    known = Vocabulary(metrics=("h", "my_score", "not a name", "lambda"))
    assert known.known_metrics == {"my_score"}
    assert parse("h", known).quantities == {"h"}
    with pytest.raises(ExpressionError, match="There is no loss"):
        parse("loss < 1", known)


@pytest.mark.parametrize("text", HOSTILE["refused"])
def test_hostile_texts_are_refused_with_a_sentence(text):
    with pytest.raises(ExpressionError) as caught:
        parse(text)
    assert str(caught.value)
    assert 0 <= caught.value.start <= caught.value.end <= len(text)


@pytest.mark.parametrize("text", HOSTILE["harmless"])
def test_texts_that_look_hostile_but_are_numbers_are_computed(scope, text):
    expression = parse(text)
    value, sentence = None, ""
    try:
        value = expression.evaluate(scope)
    except ExpressionError as problem:
        sentence = str(problem)
    assert isinstance(value, float | bool | np.ndarray) or sentence


def test_the_corpus_is_as_large_as_promised():
    assert len(HOSTILE["refused"]) + len(HOSTILE["harmless"]) >= 60


def test_limits_are_exact():
    assert parse("1" + " " * 511).form.single
    with pytest.raises(ExpressionError, match="at most 512 characters"):
        parse("1" + " " * 512)
    balanced = "(1+1+1+1+1+1+1+1)"
    assert parse("*".join([balanced] * 7) + "+1+1+1+1").form.single  # 7 · 15 + 6 + 8 = 119 nodes
    with pytest.raises(ExpressionError, match="at most 120 parts"):
        parse("*".join([balanced] * 7) + "+1+1+1+1+1")
    assert parse("-" * 23 + "1").form.single
    with pytest.raises(ExpressionError, match="at most 24 levels"):
        parse("-" * 24 + "1")


def test_large_results_and_too_much_work_are_refused(scope):
    scope.arrays["h"] = np.zeros((1025, 1024), np.float32)
    with pytest.raises(ExpressionError, match="at most 1,048,576 values"):
        parse("h").evaluate(scope)
    scope.arrays["h"] = np.zeros((1000, 1000), np.float32)
    assert parse("any(h > 0)").evaluate(scope) is False
    with pytest.raises(ExpressionError, match="Too much to compute of 1,000,000 values"):
        parse("any(h % 2 > 0)").evaluate(scope)
    assert parse("any(h[t] % 2 > 0)").evaluate(scope) is False
    scope.arrays["h"] = np.ones((1000, 100), np.float32)
    assert parse("sum(h ** 2)").evaluate(scope) == 100_000.0
    assert parse("norm(h)").evaluate(scope) == pytest.approx(math.sqrt(100_000))
    with pytest.raises(ExpressionError, match="Too much"):
        parse("sum(h ** 2.5)").evaluate(scope)


def test_a_scope_of_another_shape_is_a_problem_not_a_crash(scope):
    scope.arrays["h"] = np.zeros((5, 2, 3))
    with pytest.raises(ExpressionError, match="should have T × H numbers"):
        parse("norm(h)").evaluate(scope)
    scope.arrays["h"] = np.zeros((5, 4))
    with pytest.raises(ExpressionError, match="5 × 4 and 5 × 3"):
        parse("norm(h - f)").evaluate(scope)


@given(st.text(max_size=40))
def test_any_text_is_an_expression_or_an_error_with_columns(text):
    problem = None
    try:
        parse(text)
    except ExpressionError as caught:
        problem = caught
    assert problem is None or (str(problem) and 0 <= problem.start <= problem.end <= len(text))
