"""Refusals: what can be asked instead, in one sentence, where a text comes near to no expression."""

import re
from dataclasses import replace
from itertools import islice

from rnnviz.core.expressions.language import parse
from rnnviz.core.expressions.phrases import known
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.suggesting.named_models import without_model
from rnnviz.core.expressions.suggesting.suggestion import Check, problem_of, suggest
from rnnviz.core.expressions.suggesting.topics import is_nameless, without_name
from rnnviz.core.expressions.vocabulary import GUESS, Vocabulary

_WORDS = re.compile(r"[^\W\d]\w*")
_SYNTAX = re.compile(r"An operator is missing|There is no \S+ here|\S+ is not (?:part of the language|a name)")
_MOST_NAMES = 6
_MOST_LETTERS = 40


def told(problem: ExpressionError, suggestion: str, *_: object) -> str:
    """The sentence; where the whole is suggested without its own guess at a name."""
    return str(problem).partition(GUESS)[0] if suggestion else str(problem)


def refusal(problem: ExpressionError, suggestion: str, text: str, vocabulary: Vocabulary, check: Check) -> str:
    """What is wrong with `text`, and what can be asked where nothing is suggested."""
    if not suggestion and is_nameless(text):
        return without_name(text)
    if suggestion or GUESS in str(problem) or problem.instead:
        return told(problem, suggestion)
    rest, asked = without_model(text, vocabulary)
    if len(asked) > 1:
        return f"Each model is asked by itself, not compared with another: loss < 0.05 and {asked[0]}."
    if asked:
        wanted = suggest(rest, vocabulary, check) or (rest if problem_of(rest, vocabulary, check) is None else "")
        if wanted:
            return f"Every model is asked, this one too: write {wanted}."
    if check is not parse:
        number = suggest(text, vocabulary, parse)
        if number and not parse(number, vocabulary).form.yes_no:
            return f"{number} is no yes or no: compare it, for example {number} < 0.05."
    others = replace(vocabulary, networks=())  # a gate that another cell has
    if vocabulary.networks and (found := suggest(text, others, check)):
        return str(problem_of(found, vocabulary, check) or problem)
    return (_SYNTAX.match(str(problem)) and without_name(text)) or _unknown(text, problem, vocabulary)


def _unknown(text: str, problem: ExpressionError, vocabulary: Vocabulary) -> str:
    words = [word for word in _WORDS.findall(text) if not known(word, vocabulary)]
    if not words or not _SYNTAX.match(str(problem)):
        return str(problem)
    having = (named.name for named in vocabulary.named.values() if not vocabulary.missing(named, ""))
    metrics = (name for name in ("loss", "accuracy", "grad_norm") if name in vocabulary.known_metrics)
    names = [*metrics, "k", *islice((name for name in having if len(name) == 1), _MOST_NAMES)]
    said = " ".join(words)
    said = f"{said[:_MOST_LETTERS]}…" if len(said) > _MOST_LETTERS else said
    return f"“{said}” is not known here: ask for {', '.join(names)} or a gradient dh, for example grad_norm > 5."
