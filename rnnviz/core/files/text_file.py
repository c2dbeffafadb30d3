"""Text file of a person, read within bounds: regular, small enough, Unicode; one sentence for each other case."""

import codecs
import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from rnnviz.core.errors import RnnvizError

Encoding = Literal["unicode", "latin-1"]
ENCODING_WORDS: Mapping[Encoding, str] = {"unicode": "Unicode", "latin-1": "Latin-1"}

_MARKS = (  # byte order marks; that of UTF-32 begins like that of UTF-16
    (codecs.BOM_UTF8, "utf-8-sig", "UTF-8"),
    (codecs.BOM_UTF32_LE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF32_BE, "utf-32", "UTF-32"),
    (codecs.BOM_UTF16_LE, "utf-16", "UTF-16"),
    (codecs.BOM_UTF16_BE, "utf-16", "UTF-16"),
)
_WINDOWS = {  # what Windows writes where Latin-1 has control characters
    byte: letter for byte in range(0x80, 0xA0) if (letter := bytes([byte]).decode("cp1252", "ignore"))
}


class NotUnicodeError(RnnvizError):
    """Bytes that are no Unicode text; as Latin-1 they would be one."""


@dataclass(frozen=True)
class DecodedText:
    """A text with line ends as "\\n", and what should be said of how it was decoded."""

    text: str
    notes: tuple[str, ...]


def codec_of(head: bytes) -> tuple[str, str]:
    """The codec of a text that begins with `head`, and its name in words: by its byte order mark, else UTF-8."""
    for mark, codec, words in _MARKS:
        if head.startswith(mark):
            return codec, words
    zeros = [place for place, byte in enumerate(head[:256]) if byte == 0]
    if len(zeros) * 4 > len(head[:256]) and len({place % 2 for place in zeros}) == 1:  # Latin letters, without a mark
        return ("utf-16-le" if zeros[0] % 2 else "utf-16-be"), "UTF-16"
    return "utf-8", "UTF-8"


def read_text_file(path: Path, largest: int, encoding: Encoding = "unicode") -> DecodedText:
    """The text of `path`: UTF-8, or UTF-16 or UTF-32 with a byte order mark; or Latin-1 where that is asked for.

    Raises RnnvizError for a missing or special file (a FIFO would hang), more than `largest` bytes and NUL bytes,
    NotUnicodeError for bytes that are not Unicode (naming byte and line).
    """
    data = read_bytes(path, largest)
    codec, words = codec_of(data[:4096])
    if codec == "utf-8" and b"\0" in data[:65536]:
        raise RnnvizError(f"{path}: wanted a text file, got a binary file (a NUL byte at {data.index(0)}).")
    notes: tuple[str, ...]
    if encoding == "latin-1" and codec == "utf-8":
        text, notes = data.decode("latin-1").translate(_WINDOWS), ("read as Latin-1",)
    else:
        text, notes = _decoded(path, data, codec, words), () if words == "UTF-8" else (f"read as {words}",)
    return DecodedText(text.replace("\r\n", "\n").replace("\r", "\n"), notes)


def _decoded(path: Path, data: bytes, codec: str, words: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError as error:
        came = f"byte 0x{data[error.start]:02x} at position {error.start} of the file"
        if words != "UTF-8":
            raise RnnvizError(f"{path}: wanted {words} text, as it begins, got {came}; save it as UTF-8.") from None
        line = data.count(b"\n", 0, error.start) + 1
        raise NotUnicodeError(f"{path}, line {line}: wanted UTF-8 text, got {came}; save it as UTF-8.") from None


def read_bytes(path: Path, largest: int) -> bytes:
    """What the file holds; RnnvizError for a missing or special file and for more than `largest` bytes."""
    try:
        # Opened without blocking and judged by its descriptor, so that no other file can be slipped in between.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
        try:
            status = os.fstat(descriptor)
            _check_kind(path, status, largest)
            with open(descriptor, "rb", closefd=False) as file:
                return file.read(largest)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the name
        raise RnnvizError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}.") from None


def _check_kind(path: Path, status: os.stat_result, largest: int) -> None:
    if not stat.S_ISREG(status.st_mode):
        kind = "a folder" if stat.S_ISDIR(status.st_mode) else "a device or pipe"
        raise RnnvizError(f"{path}: wanted a regular file, got {kind}.")
    if status.st_size > largest:
        raise RnnvizError(
            f"{path}: wanted a file of at most {largest / 2**20:.0f} MiB, got {status.st_size / 2**20:.1f} MiB."
        )
