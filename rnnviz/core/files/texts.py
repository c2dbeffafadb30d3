"""Texts for the next-character task: strict reading, the alphabet, and the default that ships with rnnviz. No torch."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import Encoding, read_text_file
from rnnviz.core.resources import resource

LARGEST_TEXT = 32 * 2**20  # bytes
LARGEST_ALPHABET = 256  # one input column each
OTHER = "other"  # stands for all characters too rare for a column of their own
DEFAULT_TEXT = "data/python-help.txt"  # the help texts of one Python (PSF licence)


@dataclass(frozen=True)
class Text:
    """A text as numbers: `codes` index into the `alphabet`, which is sorted; OTHER stands last."""

    source: str  # the file, as messages name it
    alphabet: tuple[str, ...]
    codes: Array  # (M,) uint8
    different: int  # characters, those that OTHER stands for among them
    notes: tuple[str, ...] = ()  # how the file was read, where a person should know


def read_text(file: str, encoding: Encoding = "unicode") -> Text:
    """The text of `file`, or Python's help texts where it is "".

    Raises RnnvizError for a file that is no text, is empty or has fewer than 2 different characters, NotUnicodeError
    for bytes that are not Unicode.
    """
    decoded = read_text_file(Path(file) if file else resource(DEFAULT_TEXT), LARGEST_TEXT, encoding)
    return encode(decoded.text, file or DEFAULT_TEXT, decoded.notes)


def encode(text: str, source: str, notes: tuple[str, ...] = ()) -> Text:
    """`text` over its own alphabet, sorted by code point: its 255 commonest characters and OTHER if there are more."""
    if not text.strip():
        raise RnnvizError(f"{source}: wanted a text, got {'an empty file' if not text else 'only blank space'}.")
    points = np.frombuffer(text.encode("utf-32-le"), np.uint32)
    counts = np.bincount(points)
    found = np.flatnonzero(counts)
    if len(found) < 2:
        raise RnnvizError(f"{source}: wanted at least 2 different characters, got only {text[0]!r}.")
    alphabet, others = found, len(found) - LARGEST_ALPHABET + 1
    if others > 1:
        alphabet = np.sort(found[np.argsort(-counts[found], kind="stable")[: LARGEST_ALPHABET - 1]])
    number = np.full(len(counts), len(alphabet), np.uint8 if len(alphabet) < LARGEST_ALPHABET else np.uint32)
    number[alphabet] = np.arange(len(alphabet))
    symbols = tuple(chr(point) for point in alphabet)
    if others > 1:
        share = 1 - counts[alphabet].sum() / len(points)
        words = f"{others:,} rarer characters are grouped as “{OTHER}”: {100 * share:.2g} % of the text"
        symbols, notes = (*symbols, OTHER), (*notes, words)
    return Text(source, symbols, frozen(number[points].astype(np.uint8)), len(found), notes)
