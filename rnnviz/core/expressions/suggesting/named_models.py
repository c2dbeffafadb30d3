"""Models named in passing: "LSTM.loss < 1" and "loss of the LSTM < 1" ask for loss < 1 and model == lstm."""

import re
from functools import lru_cache

from rnnviz.core.expressions.vocabulary import Vocabulary, cell_names, model_word

_ASKED = re.compile(r"\b(?:model|cell)\s*(?:[=!]=?|is\b)", re.IGNORECASE)
_NO_NOUN = r"(?!(?:and|or|not|is|are|has|equals)\b)"


def without_model(text: str, vocabulary: Vocabulary) -> tuple[str, tuple[str, ...]]:
    """`text` without the models it names, and what asks for each of them: ("loss < 1", ("model == lstm",)).

    A text that compares model or cell itself stays as it is.
    """
    asked = _asked(vocabulary)
    if _ASKED.search(text):
        return text, ()
    found: dict[str, None] = {}

    def note(match: re.Match[str]) -> str:
        found[asked[match["name"].casefold()]] = None
        return match["before"] if "before" in match.re.groupindex else " "

    for pattern in _patterns(vocabulary):
        text = pattern.sub(note, text)
    return (re.sub(r"\s+", " ", text).strip() if found else text), tuple(found)


@lru_cache(maxsize=8)
def _asked(vocabulary: Vocabulary) -> dict[str, str]:
    there = {structure.cell for structure in vocabulary.structures} or set(cell_names())
    found = {name: f"cell == {name}" for name in there}
    if "vanilla" in there:
        found["vanilla rnn"] = "cell == vanilla"
    for word in vocabulary.model_words:
        found[word] = f"model == {word}"
    for name in vocabulary.models:
        found[name.casefold()] = f"model == {model_word(name)}"
    return found


@lru_cache(maxsize=8)
def _patterns(vocabulary: Vocabulary) -> tuple[re.Pattern[str], ...]:
    names = sorted(_asked(vocabulary), key=len, reverse=True)
    name = rf"(?P<name>{'|'.join(re.escape(one) for one in names)})"
    return tuple(
        re.compile(pattern, re.IGNORECASE)
        for pattern in (
            rf"\b(?:the\s+)?{name}(?:'s|’s)\s+",
            rf"\b{name}\s*\.\s*(?=[^\W\d])",
            rf"\s+(?:of|in|for|from|by)\s+(?:the\s+)?{name}(?:\s+(?:model|cell|network))?(?!\w)",
            rf"(?P<before>\b[^\W\d]\w*)\s*[\[(]\s*[\"']?{name}[\"']?\s*[\])]",
            rf"\b(?P<before>[^\W\d]\w*?)_{name}\b",
            rf"\b{name}_(?=[^\W\d])",
            rf"\b(?:the\s+)?{name}(?:\s+(?:model|cell|network))?\s+{_NO_NOUN}(?=[^\W\d])",
            rf"(?P<before>\b(?!and\b|or\b|not\b)[^\W\d]\w*)\s+{name}(?=\s*(?:[<>=!]|$))",
        )
    )
