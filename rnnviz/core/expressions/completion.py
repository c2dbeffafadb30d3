"""What may be typed next: names and functions, each with its words and shape."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.phrases import key_of, known, phrases
from rnnviz.core.expressions.vocabulary import (
    COMPARED_ONLY,
    METRIC_WORDS,
    NUMBERS,
    Vocabulary,
    cell_names,
    layered_name,
)
from rnnviz.core.structure import LayerId

Kind = Literal["quantity", "metric", "number", "function", "model", "cell"]

_WORD_BEFORE = re.compile(r"[^\W\d]\w*$")
_MODEL_BEFORE = re.compile(r"\b(model|cell)\s*[=!]=\s*$")
_WORDS_BEFORE = re.compile(r"[^\W\d]\w*(?: [^\W\d]\w*)+$")
_LEAST_OF_WORDS = 3  # letters from which on the words of a name are looked at too
_CALL = re.compile(r"(\w+)\($")


@dataclass(frozen=True)
class Completion:
    """One offer: `insert` replaces the columns `start` to `end` of the text."""

    insert: str
    kind: Kind
    words: str  # "forget gate"
    shape: str  # "T × 12 numbers"; of a function what it gives
    start: int
    end: int


def complete(text: str, column: int, vocabulary: Vocabulary | None = None) -> tuple[Completion, ...]:
    """The offers at `column` of `text`, best first: names that begin with the word there, then those that contain it,
    then those whose words do: "forget ga" offers f.

    Nothing is offered where an operator must come. Any text will do, however wrong it is.
    """
    vocabulary = vocabulary or Vocabulary()
    before = text[:column]
    match = _WORD_BEFORE.search(before)
    word = match.group() if match else ""
    start = len(before) - len(word)
    end = column + len(re.match(r"\w*", text[column:]).group())  # type: ignore[union-attr]
    head = before[:start].rstrip(" \t")
    asked = _MODEL_BEFORE.search(before[:start])
    offers: Iterator[tuple[str, Kind, str, str]]
    if asked:
        offers = _bare_words(asked[1], vocabulary)
    elif head and re.search(r"[\w.)\]]$", head) and not re.search(r"\b(and|or|not)$", head):
        return _of_several_words(before, end, vocabulary)  # a value has just ended, or a second word of one begins
    else:
        offers = _names(vocabulary, word)
    ranked = [(rank, Completion(*offer, start, end)) for offer in offers if (rank := _rank(offer, word)) is not None]
    if word:
        ranked.sort(key=lambda one: (one[0], len(one[1].insert)))
    return tuple(offer for _, offer in ranked)


def complete_message(text: str, column: int, vocabulary: Vocabulary | None = None) -> tuple[Completion, ...]:
    """The offers inside the {expression} of a log message; nothing outside of one."""
    start = text.rfind("{", 0, column) + 1
    if not start or "}" in text[start:column] or text[:start].endswith("{{"):
        return ()
    end = text.find("}", column)
    inside = complete(text[start : end if end >= 0 else len(text)], column - start, vocabulary)
    return tuple(replace(offer, start=offer.start + start, end=offer.end + start) for offer in inside)


def _of_several_words(before: str, end: int, vocabulary: Vocabulary) -> tuple[Completion, ...]:
    """What is called by the two or three words that end here, of which at least one is no name yet."""
    run = _WORDS_BEFORE.search(before)
    if run is None:
        return ()
    words = run.group().split(" ")
    for count in range(min(len(words), 3), 1, -1):
        typed = " ".join(words[-count:])
        if all(known(word, vocabulary) for word in words[-count:]):
            continue
        start = len(before) - len(typed)
        offers = [offer for offer in _names(vocabulary, "") if f" {typed}".lower() in f" {offer[2]}".lower()]
        name = phrases(vocabulary).get(key_of(typed))
        offers += [offer for offer in _names(vocabulary, "") if offer[0].rstrip("(") == name and offer not in offers]
        if offers:
            return tuple(Completion(*offer, start, end) for offer in offers)
    return ()


def signature(text: str, column: int) -> str:
    """ "norm(values): L2 norm √Σv²" of the innermost call around `column`; "" outside of one."""
    depth = 0
    for place in range(min(column, len(text)) - 1, -1, -1):
        if text[place] in ")]":
            depth += 1
        elif text[place] in "([":
            depth -= 1
            if depth < 0:
                call = _CALL.search(text[: place + 1])
                if call and call[1] in FUNCTIONS:
                    function = FUNCTIONS[call[1]]
                    return f"{function.call}: {function.words}"
                depth = 0
    return ""


def _rank(offer: tuple[str, Kind, str, str], word: str) -> int | None:
    """0 for a name that begins with `word`, 1 if it does in other letters, 2 if it contains it, 3 if a word of what it
    means begins with it; None where it does not fit."""
    name, plain = offer[0], word.lower()
    if plain in name.lower():
        return 0 if name.startswith(word) else 1 if name.lower().startswith(plain) else 2
    return 3 if len(word) >= _LEAST_OF_WORDS and re.search(rf"\b{re.escape(plain)}", offer[2].lower()) else None


def _bare_words(asked: str, vocabulary: Vocabulary) -> Iterator[tuple[str, Kind, str, str]]:
    if asked == "cell":
        for cell in cell_names():
            yield cell, "cell", f"models with a {cell} cell", ""
        return
    for word, number in vocabulary.model_words.items():
        yield word, "model", vocabulary.models[number - 1], ""


def _names(vocabulary: Vocabulary, word: str) -> Iterator[tuple[str, Kind, str, str]]:
    begun = {"_l", *(f"_{call[:2]}" for layer in vocabulary.layers if (call := LayerId.read(layer).call))}
    layers = vocabulary.layers if any(mark in word for mark in begun) else ()
    for named in vocabulary.named.values():
        if not vocabulary.missing(named, ""):
            yield named.name, "quantity", vocabulary.words(named), vocabulary.form(named, "").words
        for layer in layers if named.layered else ():
            if not vocabulary.missing(named, layer):
                words = f"{vocabulary.words(named)} of {vocabulary.layer_words(layer)}"
                yield layered_name(named.name, layer), "quantity", words, vocabulary.form(named, layer).words
    for metric in sorted(vocabulary.known_metrics):
        words = METRIC_WORDS.get(metric, "metric of the training step")
        yield metric, "metric", words, "one number"
    for name, words in (NUMBERS | COMPARED_ONLY).items():
        yield name, "number", words, "one number" if name in NUMBERS else "compared only"
    for function in FUNCTIONS.values():
        yield f"{function.name}(", "function", function.words, f"{function.call} gives {function.gives}"
