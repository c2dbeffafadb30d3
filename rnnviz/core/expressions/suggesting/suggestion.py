"""Suggestion: the nearest right expression to a wrong one, whole, so that one click takes it."""

import re
from collections.abc import Callable, Iterator

from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.language import parse
from rnnviz.core.expressions.phrases import LONGEST, known, meant, phrase
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.suggesting.characters import in_plain_characters
from rnnviz.core.expressions.suggesting.named_models import without_model
from rnnviz.core.expressions.suggesting.notations import without_attributes, without_latex
from rnnviz.core.expressions.suggesting.sentences import as_condition, as_shares
from rnnviz.core.expressions.suggesting.topics import is_nameless
from rnnviz.core.expressions.tokens import MAX_LENGTH, WORD_OPERATORS
from rnnviz.core.expressions.vocabulary import Vocabulary, cell_names, split_layer

Check = Callable[[str, Vocabulary], object]  # raises ExpressionError for a text that cannot be taken

_MOST_REPAIRS = 8
_TOKEN = re.compile(r"[0-9]+\.?[0-9]*(?:[eE][+-]?[0-9]+)?|\.[0-9]+(?:[eE][+-]?[0-9]+)?|[^\W\d]\w*|\*\*|//|[<>=!]=|\S")
_INSIDE = re.compile(r"(?<!\{)\{([^{}]+)\}")
_COMPARES = ("==", "!=", "<", ">", "<=", ">=")
_WINDOW = 50  # recorded values of a metric
_OF_METRIC = re.compile(r"\b(mean|median|min|max)\(\s*(\w+)\s*\)")
_GRADIENTS = ("gradient", "gradients", "grad", "grads")


def suggest(text: str, vocabulary: Vocabulary, check: Check) -> str:
    """The right text that `text` was probably meant to be; "" where it is right already and where nothing comes near.

    What is suggested has passed `check`.
    """
    if not text.strip() or len(text) > MAX_LENGTH or problem_of(text, vocabulary, check) is None:
        return ""
    rest, models = without_model(without_latex(text), vocabulary)
    if len(models) > 1 or is_nameless(text) or is_nameless(rest):
        return ""
    # a small repair of what stands there, else of what the words mean
    found = "" if models else _repaired(text.strip(), vocabulary, check)
    found = found or _repaired(_in_plain_words(rest, vocabulary), vocabulary, check)
    if found and models:
        found = f"({found}) and {models[0]}" if re.search(r"\bor\b", found) else f"{found} and {models[0]}"
        found = found if problem_of(found, vocabulary, check) is None else ""
    return "" if found == text.strip() else found


def suggest_message(text: str, vocabulary: Vocabulary, check: Check) -> str:
    """As `suggest`, of a log message: what stands in its {brackets} is mended, the words around them stay."""
    mended = _INSIDE.sub(lambda found: f"{{{suggest(found[1], vocabulary, parse) or found[1]}}}", text)
    return mended if mended != text and problem_of(mended, vocabulary, check) is None else ""


def _repaired(text: str, vocabulary: Vocabulary, check: Check) -> str:
    for _ in range(_MOST_REPAIRS):
        problem = problem_of(text, vocabulary, check)
        if problem is None:
            return text
        if problem.instead:
            text = text[: problem.start] + problem.instead + text[problem.end :]
            continue
        right = (one for one in _candidates(text) if problem_of(one, vocabulary, check) is None)
        return next(right, "")
    return ""


def problem_of(text: str, vocabulary: Vocabulary, check: Check) -> ExpressionError | None:
    """Why `check` does not take `text`; None where it does."""
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
    looking_back = _OF_METRIC.sub(rf"\1(\2, {_WINDOW})", text)
    if looking_back != text:
        yield looking_back
    yield f"any({text})"
    if not re.search(r"[<>]|[=!]=", text):
        yield f"norm({text})"


def _in_plain_words(text: str, vocabulary: Vocabulary) -> str:
    """Signs, phrases and unknown words as the names they mean; functions with their brackets."""
    words = _TOKEN.findall(in_plain_characters(as_condition(without_attributes(text))))
    words = _phrases_as_names(words, vocabulary)
    words = _brackets(words)
    words = _models(words, vocabulary)
    return as_shares(_joined(_called(words))).replace("norm(grad_norm)", "grad_norm")


def _phrases_as_names(words: list[str], vocabulary: Vocabulary) -> list[str]:
    found, place = list[str](), 0
    while place < len(words):
        if words[place].casefold() in ("of", "the") and found[-1:] and found[-1] in FUNCTIONS:
            place += 1
            continue
        length, name = _longest(words, place, vocabulary)
        if words[place] == "cell" and words[place + 1 : place + 2] and words[place + 1] in ("<", ">", "<=", ">="):
            length, name = 1, "c"
        if not length:
            length, name = 1, words[place]
            asked = found[-2:-1] in (["model"], ["cell"]) and found[-1] in ("==", "!=")
            if _is_word(name) and not known(name, vocabulary) and not asked and not _names_model(name, vocabulary):
                name = meant(name, vocabulary) or ("" if name.casefold() in ("the", "of", "a") else name)
        after = words[place + length : place + length + 1]
        if name == "grad_norm" and words[place].casefold() in _GRADIENTS and length == 1 and _of_each(found):
            name = "dh" if "abs" in found[-2:] else "abs(dh)"
        elif name.startswith("so_far_") and after != ["["] and not known(words[place], vocabulary):
            name += "[T]" if name.endswith("_reverse") else "[1]"  # where the backward sweep ends: the whole gradient
        found += _TOKEN.findall(name)
        place += length
    return found


def _of_each(before: list[str]) -> bool:
    """Whether a function that looks at each of many values stands in front."""
    return before[-1:] != ["norm"] and any(
        word in FUNCTIONS and word != "norm" for word in (before[-2:-1] if before[-1:] == ["("] else before[-1:])
    )


def _longest(words: list[str], place: int, vocabulary: Vocabulary) -> tuple[int, str]:
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
        name = phrase("_".join(word for word in run[:length] if word != "-"), vocabulary)
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
            inner = place + 1
            while inner < len(words) and words[inner] in FUNCTIONS and words[inner + 1 : inner + 2] != ["("]:
                inner += 1
            if inner < len(words) and (_is_value(words[inner]) or words[inner] in FUNCTIONS):
                end = _value_end(words, inner)
                names = words[place:inner]
                found += [*(piece for name in names for piece in (name, "(")), *words[inner:end], *")" * len(names)]
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
    if place + 1 < len(words) and words[place + 1] in ("[", "("):
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
