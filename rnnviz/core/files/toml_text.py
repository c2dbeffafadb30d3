"""TOML from elsewhere: read in a time that grows with its size alone, with errors in the program's own words."""

import re
import tomllib
from typing import Any

from rnnviz.core.errors import RnnvizError

LONGEST_KEY = 16  # names with dots between; the standard reader's time grows with the square of their number
LONGEST_NUMBER = 1000  # characters in a row; no float64 needs more

# What a key's dots are counted between: texts and comments are passed over whole, an unfinished one to its end.
_TOKEN = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*+(?:"{3,5}|\Z)'
    r"|'''(?:[^']|'(?!''))*+(?:'{3,5}|\Z)"
    r'|"(?:[^"\\\n]|\\.)*+"?'
    r"|'[^'\n]*+'?"
    r"|#[^\n]*+"
    r"|(?P<dot>\.)"
    r"|(?P<end>[\n,=\[\]{}]++)"
    r"|(?P<plain>[^\"'#.\n,=\[\]{}]++)",
    re.DOTALL,
)


def read_toml(text: str, source: str) -> dict[str, Any]:
    """The tables of a TOML text. `source` names it in the RnnvizError for one that is none."""
    _check_keys(text, source)
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise RnnvizError(f"{source} is not TOML: {_sentence(str(error))}.") from None
    except RecursionError:
        raise RnnvizError(f"{source} is not TOML: tables or lists are nested too deeply.") from None
    except ValueError:  # a date that no calendar has
        raise RnnvizError(f"{source} is not TOML: a number or date in it is out of range.") from None


def _check_keys(text: str, source: str) -> None:
    """Refuses what would take the standard reader long: keys of very many names, numbers of very many digits."""
    names, line = 1, 1
    for token in _TOKEN.finditer(text):
        if token.lastgroup == "dot":
            names += 1
        elif token.lastgroup == "end":
            names = 1
        elif token.lastgroup == "plain" and token.end() - token.start() > LONGEST_NUMBER:
            word = max(token[0].split(), key=len, default="")
            if len(word) > LONGEST_NUMBER:
                raise RnnvizError(
                    f"{source}, line {line}: wanted names and numbers of at most {LONGEST_NUMBER:,} characters, "
                    f"got one of {len(word):,}."
                )
        if names > LONGEST_KEY:
            raise RnnvizError(
                f"{source}, line {line}: wanted keys of at most {LONGEST_KEY} names with dots between, got more."
            )
        line += token[0].count("\n")


def _sentence(message: str) -> str:
    """The standard reader's message without a capital and with the place in plain words."""
    place = re.fullmatch(r"(.*) \(at (?:line (\d+), column (\d+)|end of document)\)", message, re.DOTALL)
    if place is None:
        return message[:1].lower() + message[1:]
    words, line, column = place.groups()
    where = f"line {line}, column {column}" if line else "at its end"
    return f"{where}: {words[:1].lower()}{words[1:]}"
