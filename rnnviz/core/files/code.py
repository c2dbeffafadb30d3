"""Code to run: Python files of own cells, which a person lets training run; asked again once a file has changed."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.allowed import keep, kept_names, recall
from rnnviz.core.files.text_file import read_bytes

LARGEST = 1 << 20  # bytes
OPTION = "--run-code"

_PREFIX = "run code: "
_here = set[tuple[str, str]]()  # what was allowed in this process, where nothing can be kept


def read_code(file: str) -> tuple[bytes, str]:
    """What a Python file holds, and the SHA-256 of it; nothing of it is run. Raises RnnvizError."""
    data = read_bytes(Path(file), LARGEST)
    return data, hashlib.sha256(data).hexdigest()


def to_ask_about(files: Iterable[str]) -> dict[str, str]:
    """Those of `files` that nobody has allowed to run as they are now, with the SHA-256 of what they hold; "" of one
    that cannot be read."""
    found = dict[str, str]()
    for file in files:
        try:
            _, digest = read_code(file)
        except RnnvizError:
            digest = ""
        if not is_allowed(file, digest):
            found[file] = digest
    return found


def is_allowed(file: str, digest: str) -> bool:
    """Whether a person has said that what has this SHA-256 may be run."""
    return bool(digest) and ((_place(file), digest) in _here or recall(_place(file)) == digest)


def allow(files: Mapping[str, str]) -> None:
    """Remembers that files of these contents (SHA-256 by path) may be run, until they change."""
    for file, digest in files.items():
        if digest:
            _here.add((_place(file), digest))
            keep(_place(file), digest)


def allowed_code(file: str) -> tuple[bytes, str]:
    """What is to be run of a Python file, and its SHA-256; RnnvizError where nobody has allowed it as it is now."""
    data, digest = read_code(file)
    if not is_allowed(file, digest):
        raise RnnvizError(refusal(file))
    return data, digest


def recent(most: int = 5) -> tuple[str, ...]:
    """Files that were allowed to run and are still there, the newest first."""
    return tuple(file for file in kept_names(_PREFIX) if os.path.isfile(file))[:most]


def refusal(file: str) -> str:
    """Why nothing of a file is run, in a sentence that says how it can be."""
    return f"{file} is a Python file that would be run and can do whatever you can; {OPTION} runs it, until it changes."


def _place(file: str) -> str:
    """Under which name it is kept: no path, so that a data file that may be read is not run."""
    return f"{_PREFIX}{os.path.realpath(file)}"
