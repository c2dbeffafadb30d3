"""Allowed files: data files elsewhere than the experiment or run that names them, which a person lets it read."""

import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.text_file import read_bytes
from rnnviz.core.files.whole import write_whole

CONFIG_VARIABLE = "RNNVIZ_CONFIG_DIR"
LARGEST = 32 * 2**20  # bytes of a file that is remembered: as many as of the largest that is learned from
MOST = 1000  # files that are remembered, the newest ones


def config_folder() -> Path:
    """The folder of settings and of what is remembered; the environment variable RNNVIZ_CONFIG_DIR moves it."""
    if given := os.environ.get(CONFIG_VARIABLE):
        return Path(given)
    if sys.platform == "darwin":
        place = Path.home() / "Library" / "Preferences"
    elif sys.platform == "win32":
        place = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    else:
        place = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return place / "rnnviz"


def to_ask_about(files: Iterable[str], folder: Path) -> tuple[str, ...]:
    """Those of `files` that, links followed, lie outside `folder` and were not allowed as they are now."""
    inside = Path(os.path.realpath(folder))
    outside = [file for file in files if file and not Path(os.path.realpath(folder / file)).is_relative_to(inside)]
    if not outside:
        return ()
    known = _remembered()
    return tuple(file for file in outside if known.get(_place(file)) != (_digest(file) or "nothing that can be read"))


def remember(files: Iterable[str]) -> None:
    """Allows `files` as they are now, for later, too; where nothing can be kept they are asked about again."""
    known = _remembered()
    for file in files:
        digest = _digest(file)
        if file and digest:
            known.pop(_place(file), None)
            known[_place(file)] = digest
    _write(known)


def recall(name: str) -> str:
    """What was kept under a name that is no path; "" for nothing."""
    return _remembered().get(name, "")


def kept_names(prefix: str) -> tuple[str, ...]:
    """What follows `prefix` in the names under which something is kept, the newest first."""
    return tuple(name.removeprefix(prefix) for name in reversed(_remembered()) if name.startswith(prefix))


def keep(name: str, value: str) -> None:
    """Keeps it for `recall`, where that is possible."""
    _write({key: kept for key, kept in _remembered().items() if key != name} | {name: value})


def _write(known: dict[str, str]) -> None:
    kept = dict(list(known.items())[-MOST:])
    with contextlib.suppress(OSError, RnnvizError):
        config_folder().mkdir(parents=True, exist_ok=True)
        write_whole(_memory(), json.dumps(kept, indent=1).encode(), private=True)


def _memory() -> Path:
    return config_folder() / "allowed-files.json"


def _remembered() -> dict[str, str]:
    """SHA-256 by path; nothing where it cannot be read."""
    try:
        table = json.loads(read_bytes(_memory(), LARGEST))
    except (RnnvizError, ValueError, RecursionError):
        return {}
    return {str(path): str(digest) for path, digest in table.items()} if isinstance(table, dict) else {}


def _place(file: str) -> str:
    return os.path.realpath(file)


def _digest(file: str) -> str:
    """SHA-256 of what the file holds; empty for what can never be learned from."""
    try:
        return hashlib.sha256(read_bytes(Path(file), LARGEST)).hexdigest()
    except RnnvizError:
        return ""
