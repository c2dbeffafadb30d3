"""Log messages: expressions filled in, problems found where they stand in the message."""

import pytest

from rnnviz.core.expressions import ExpressionError
from rnnviz.core.expressions.log_message import parse_message


@pytest.mark.parametrize(
    ("message", "text"),
    [
        ("at {k}: loss {loss}, unit {argmax(h[t])}", "at 100: loss 0.5, unit 3"),
        ("nothing to fill", "nothing to fill"),
        ("{{{loss}}} and {{}}", "{0.5} and {}"),
        ("{h[t]} {h > 20} {isnan(loss)} {accuracy}", "[21, 22, 23] yes for 12 of 15 values no NaN"),
        ("{h[t - 5, 1]} {g[1, 1]} {test_loss}", "– – –"),
        ("{h[t / 4, 1]}", "(A time step is a whole number, this one is 0.5.)"),
        ("", ""),
    ],
)
def test_a_message_is_filled_in(scope, message, text):
    assert parse_message(message).fill(scope) == text


@pytest.mark.parametrize(
    ("message", "underlined", "words"),
    [
        ("loss {los}", "los", "Did you mean loss"),
        ("{loss", "{", "has no }"),
        ("loss}", "}", "has no {"),
        ("{{loss}", "}", "has no {"),
        ("a {} b", "", "An expression is wanted"),
        ("{loss} {h.x}", ".", "no attributes"),
    ],
)
def test_a_wrong_message_is_underlined_where_it_is_wrong(message, underlined, words):
    with pytest.raises(ExpressionError) as caught:
        parse_message(message)
    assert message[caught.value.start : caught.value.end] == underlined
    assert words in str(caught.value)


def test_a_message_is_bounded():
    with pytest.raises(ExpressionError, match="at most 512 characters"):
        parse_message("x" * 513)
