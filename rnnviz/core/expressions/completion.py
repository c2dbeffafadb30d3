"""What may be typed next: names and functions, each with its words and shape."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.vocabulary import COMPARED_ONLY, NUMBERS, Vocabulary, cell_names, named_quantities
from rnnviz.core.structure import LayerId

Kind = Literal["quantity", "metric", "number", "function", "model", "cell"]

_WORD_BEFORE = re.compile(r"[^\W\d]\w*$")
_MODEL_BEFORE = re.compile(r"\b(model|cell)\s*[=!]=\s*$")
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
    """The offers at `column` of `text`, best first: names that begin with the word there, then those that contain it.

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
        return ()  # a value has just ended
    else:
        offers = _names(vocabulary, word)
    found = [Completion(*offer, start, end) for offer in offers if word.lower() in offer[0].lower()]
    if word:
        found.sort(key=lambda one: (_rank(one.insert, word), len(one.insert)))
    return tuple(found)


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


def _rank(name: str, word: str) -> int:
    """0 for a name that begins with `word`, 1 if it does in other letters, 2 if it contains it."""
    return 0 if name.startswith(word) else 1 if name.lower().startswith(word.lower()) else 2


def _bare_words(asked: str, vocabulary: Vocabulary) -> Iterator[tuple[str, Kind, str, str]]:
    if asked == "cell":
        for cell in cell_names():
            yield cell, "cell", f"models with a {cell} cell", ""
        return
    for word, number in vocabulary.model_words.items():
        yield word, "model", vocabulary.models[number - 1], ""


def _names(vocabulary: Vocabulary, word: str) -> Iterator[tuple[str, Kind, str, str]]:
    layers = dict.fromkeys(layer for structure in vocabulary.structures for layer in structure.layer_names)
    for named in named_quantities().values():
        if not vocabulary.missing(named, ""):
            yield named.name, "quantity", vocabulary.words(named), vocabulary.form(named, "").words
        for layer in layers if "_l" in word and named.layered else ():
            if not vocabulary.missing(named, layer):
                words = f"{vocabulary.words(named)} of {LayerId.read(layer).words}"
                yield f"{named.name}_{layer}", "quantity", words, vocabulary.form(named, layer).words
    for metric in sorted(vocabulary.known_metrics):
        yield metric, "metric", "metric of the training step", "one number"
    for name, words in (NUMBERS | COMPARED_ONLY).items():
        yield name, "number", words, "one number" if name in NUMBERS else "compared only"
    for function in FUNCTIONS.values():
        yield f"{function.name}(", "function", function.words, f"{function.call} gives {function.gives}"
