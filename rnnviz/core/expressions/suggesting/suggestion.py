"""Suggestion: the nearest right expression to a wrong one, whole, so that one click takes it."""

import re
from collections.abc import Callable, Iterator

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.language import parse
from rnnviz.core.expressions.phrases import LONGEST, key_of, known, meant, phrases
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.suggesting.characters import in_plain_characters
from rnnviz.core.expressions.tokens import MAX_LENGTH, WORD_OPERATORS
from rnnviz.core.expressions.vocabulary import GUESS, Vocabulary, cell_names, split_layer

Check = Callable[[str, Vocabulary], object]  # raises ExpressionError for a text that cannot be taken

_MOST_REPAIRS = 8
_TOKEN = re.compile(r"[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[^\W\d]\w*|\*\*|//|[<>=!]=|\S")
_INSIDE = re.compile(r"(?<!\{)\{([^{}]+)\}")
_COMPARES = ("==", "!=", "<", ">", "<=", ">=")


def suggest(text: str, vocabulary: Vocabulary, check: Check) -> str:
    """The right text that `text` was probably meant to be; "" where it is right already and where nothing comes near.

    What is suggested has passed `check`.
    """
    if not text.strip() or len(text) > MAX_LENGTH or _problem(text, vocabulary, check) is None:
        return ""
    first = _in_known_words(in_plain_characters(text), vocabulary)
    for tried in (text.strip(), first):  # a small repair of what stands there, else of what the words mean
        found = _repaired(tried, vocabulary, check)
        if found:
            return "" if found == text.strip() else found
    return ""


def suggest_message(text: str, vocabulary: Vocabulary, check: Check) -> str:
    """As `suggest`, of a log message: what stands in its {brackets} is mended, the words around them stay."""
    mended = _INSIDE.sub(lambda found: f"{{{suggest(found[1], vocabulary, parse) or found[1]}}}", text)
    return mended if mended != text and _problem(mended, vocabulary, check) is None else ""


def told(problem: ExpressionError, suggestion: str) -> str:
    """The sentence; where the whole is suggested without its own guess at a name."""
    return str(problem).partition(GUESS)[0] if suggestion else str(problem)


def _repaired(text: str, vocabulary: Vocabulary, check: Check) -> str:
    for _ in range(_MOST_REPAIRS):
        problem = _problem(text, vocabulary, check)
        if problem is None:
            return text
        if problem.instead:
            text = text[: problem.start] + problem.instead + text[problem.end :]
            continue
        right = (one for one in _candidates(text) if _problem(one, vocabulary, check) is None)
        return next(right, "")
    return ""


def _problem(text: str, vocabulary: Vocabulary, check: Check) -> ExpressionError | None:
    try:
        check(text, vocabulary)
    except ExpressionError as problem:
        return problem
    return None


def _candidates(text: str) -> Iterator[str]:
    """Texts that differ by a bracket, or by the function that makes one answer of many values."""
    missing = text.count("(") - text.count(")")
    if missing > 0 or text.count("[") > text.count("]"):
        closing = ")" if missing > 0 else "]"
        for place in [*(found.start() for found in re.finditer(r"\s*(?:[<>]|[=!]=)", text)), len(text)]:
            yield text[:place] + closing + text[place:]
    if missing < 0:
        for found in re.finditer(r"\)", text):
            yield text[: found.start()] + text[found.end() :]
    sides = re.fullmatch(r"(.+?)\s*([<>]=?|[=!]=)\s*(.+)", text)
    if sides:
        yield f"any({text})"
    else:
        yield f"norm({text})"


def _in_known_words(text: str, vocabulary: Vocabulary) -> str:
    """Phrases and unknown words as the names they mean; functions with their brackets."""
    words = _TOKEN.findall(text)
    words = _phrases_as_names(words, vocabulary)
    words = _brackets(words)
    words = _models(words, vocabulary)
    return _joined(_called(words))


def _phrases_as_names(words: list[str], vocabulary: Vocabulary) -> list[str]:
    table, found, place = phrases(vocabulary), list[str](), 0
    while place < len(words):
        length, name = _longest(words, place, table, vocabulary)
        if not length:
            length, name = 1, words[place]
            asked = found[-2:-1] in (["model"], ["cell"]) and found[-1] in ("==", "!=")
            if _is_word(name) and not known(name, vocabulary) and not asked and not _names_model(name, vocabulary):
                name = meant(name, vocabulary) or ("" if name.casefold() in ("the", "of", "a") else name)
        found += _TOKEN.findall(name)
        place += length
    return found


def _longest(words: list[str], place: int, table: dict[str, str], vocabulary: Vocabulary) -> tuple[int, str]:
    """How many words from here on are one phrase, and the name it is; (0, "") where they are none."""
    run = list[str]()
    for word in words[place : place + 2 * LONGEST]:
        if not (_is_word(word) or (word == "-" and run)) or word in WORD_OPERATORS:
            break
        run.append(word)
    for length in range(len(run), 1, -1):
        minus = "-" in run[:length]  # grad-norm is meant to be one name, loss - accuracy is not
        if run[length - 1] == "-" or (minus and all(word == "-" or known(word, vocabulary) for word in run[:length])):
            continue
        name = table.get(key_of(" ".join(run[:length])))
        if name:
            return length, name
    return 0, ""


def _brackets(words: list[str]) -> list[str]:
    """h(17) as h[17] and norm[h] as norm(h)."""
    found = list(words)
    for place in range(len(found) - 1):
        wanted = "[" if split_layer(found[place]) else "(" if found[place] in FUNCTIONS else ""
        if wanted and found[place + 1] in ("(", "[") and found[place + 1] != wanted:
            closing = _closing(found, place + 1)
            if closing < len(found):
                found[place + 1], found[closing] = wanted, "]" if wanted == "[" else ")"
    return found


def _models(words: list[str], vocabulary: Vocabulary) -> list[str]:
    """A model's or cell's name alone as a comparison with it."""
    found = list[str]()
    for place, word in enumerate(words):
        compared = place > 0 and words[place - 1] in ("==", "!=")
        compares = place + 1 < len(words) and words[place + 1] in _COMPARES
        if _names_model(word, vocabulary) and not compared and not compares:
            asked = "model" if word.casefold() in vocabulary.model_words or not vocabulary.models else "cell"
            found += [asked, "==", word.casefold()]
        elif compared and place > 1 and words[place - 2] == "model" and not word.isdigit():
            found.append(word if word.casefold() in vocabulary.model_words else _model_like(word, vocabulary))
        else:
            found.append(word)
    return found


def _model_like(word: str, vocabulary: Vocabulary) -> str:
    near = [name for name in vocabulary.model_words if word.casefold().replace("_", "") == name.replace("_", "")]
    begins = [name for name in vocabulary.model_words if name.startswith(word.casefold())]
    return (near or begins or [word])[0]


def _called(words: list[str]) -> list[str]:
    """Functions with brackets around what they are asked of: norm dh[1], and dh[1] norm."""
    found, place = list[str](), 0
    while place < len(words):
        word = words[place]
        after = words[place + 1] if place + 1 < len(words) else ""
        if word in FUNCTIONS and after != "(":
            if _is_value(after):
                end = _value_end(words, place + 1)
                found += [word, "(", *words[place + 1 : end], ")"]
                place = end
                continue
            if found and (start := _value_start(found)) is not None:
                found = [*found[:start], word, "(", *found[start:], ")"]
                place += 1
                continue
        if found and re.fullmatch(r"[0-9.]+(?:e[+-]?[0-9]+)?", found[-1]) and _is_value(word):
            found.append("*")
        found.append(word)
        place += 1
    return found


def _value_end(words: list[str], place: int) -> int:
    """Behind the value that begins at `place`, its subscript included."""
    if place + 1 < len(words) and words[place + 1] == "[":
        return _closing(words, place + 1) + 1
    return place + 1


def _value_start(words: list[str]) -> int | None:
    """Where the quantity begins with which `words` end; None where they do not."""
    last = len(words) - 1
    if words[last] == "]":
        while last > 0 and words[last] != "[":
            last -= 1
        last -= 1
    return last if last >= 0 and _is_value(words[last]) else None


def _closing(words: list[str], place: int) -> int:
    """Where the bracket at `place` closes; the end of all where it does not."""
    depth = 0
    for number in range(place, len(words)):
        depth += words[number] in ("(", "[")
        depth -= words[number] in (")", "]")
        if not depth:
            return number
    return len(words)


def _joined(words: list[str]) -> str:
    """The words with spaces as people write them."""
    text, depth = "", 0
    for place, word in enumerate(words):
        before = words[place - 1] if place else ""
        sign = word in ("-", "+") and (not before or not (before[-1].isalnum() or before in (")", "]")))
        tight = not text or word in (")", "]", "[", ",") or before in ("(", "[") or _is_sign(words, place - 1)
        tight = tight or (word == "(" and before in FUNCTIONS) or (depth and ":" in (word, before)) or word == "**"
        tight = tight or before == "**" or (sign and before in ("(", "["))
        text += word if tight else f" {word}"
        depth += word == "["
        depth -= word == "]"
    return text


def _is_sign(words: list[str], place: int) -> bool:
    """Whether a minus belongs to the number behind it."""
    if place < 0 or words[place] not in ("-", "+"):
        return False
    before = words[place - 1] if place else ""
    return not before or not (before[-1].isalnum() or before in (")", "]"))


def _names_model(word: str, vocabulary: Vocabulary) -> bool:
    plain = word.casefold()
    return not known(word, vocabulary) and (plain in vocabulary.model_words or plain in cell_names())


def _is_word(word: str) -> bool:
    return word.isidentifier()


def _is_value(word: str) -> bool:
    return _is_word(word) and word not in FUNCTIONS and word not in WORD_OPERATORS
