"""Texts for the next-character task: strict reading, the alphabet, and the default every Python carries. No torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import read_text_file

LARGEST_TEXT = 32 * 2**20  # bytes
LARGEST_ALPHABET = 256  # one input column each
DEFAULT_TEXT = "pydoc_data.topics"  # how messages name the default


@dataclass(frozen=True)
class Text:
    """A text as numbers: `codes` index into the sorted `alphabet`."""

    source: str  # the file, as messages name it
    alphabet: tuple[str, ...]
    codes: Array  # (M,) uint8


def read_text(file: str) -> Text:
    """The text of `file`, or the help texts of this Python where it is "".

    Raises RnnvizError for a file that is not UTF-8 text, is empty, has fewer than 2 or more than 256 different
    characters.
    """
    if file:
        return encode(read_text_file(Path(file), LARGEST_TEXT), file)
    return encode(default_text(), DEFAULT_TEXT)


def default_text() -> str:
    """The help texts that `help()` shows for Python's keywords and topics (PSF licence), one after the other."""
    from pydoc_data.topics import topics

    return "\n".join(topics[name] for name in sorted(topics))


def encode(text: str, source: str) -> Text:
    """`text` over its own alphabet, sorted by code point."""
    if not text.strip():
        raise RnnvizError(f"{source}: wanted a text, came {'an empty file' if not text else 'only blank space'}.")
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    number = np.zeros(0x110000, np.uint32)  # of each code point in the alphabet; a sort would take seconds
    number[points] = 1
    alphabet = np.flatnonzero(number)
    number[alphabet] = np.arange(len(alphabet))
    if len(alphabet) < 2:
        raise RnnvizError(f"{source}: wanted at least 2 different characters, came only {text[0]!r}.")
    if len(alphabet) > LARGEST_ALPHABET:
        raise RnnvizError(
            f"{source}: wanted at most {LARGEST_ALPHABET} different characters (each is one input of the network), "
            f"came {len(alphabet)}."
        )
    return Text(source, tuple(chr(point) for point in alphabet), frozen(number[points].astype(np.uint8)))
