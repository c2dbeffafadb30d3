"""Where the program keeps its own files: settings, the runs of unsaved trainings, the log."""

import contextlib
import os
import re
import time
from pathlib import Path

from PySide6.QtCore import QStandardPaths

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.allowed import config_folder
from rnnviz.core.files.whole import remove_abandoned
from rnnviz.runs.file.opening import SIDE_FILES
from rnnviz.runs.file.process import process_exists

DATA_VARIABLE = "RNNVIZ_DATA_DIR"

_given: set[Path] = set()  # names handed out in this process: one that was deleted is not given to another run


def data_folder() -> Path:
    """The folder of runs and log; the environment variable RNNVIZ_DATA_DIR moves it."""
    if given := os.environ.get(DATA_VARIABLE):
        return Path(given)
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.GenericDataLocation)) / "rnnviz"


def settings_path() -> Path:
    return config_folder() / "settings.toml"


def log_path() -> Path:
    return data_folder() / "rnnviz.log"


def new_run_path(name: str) -> Path:
    """A path nobody uses yet for the run of an experiment called `name`; RnnvizError if its folder cannot be used.

    Nor will another window: what an engine that is starting reads, STEM.PROCESS.toml, says which names are taken.
    """
    folder = data_folder() / "runs"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise RnnvizError(f"The folder of runs {folder} cannot be made: {error.strerror}.") from None
    if not os.access(folder, os.W_OK | os.X_OK):
        raise RnnvizError(f"The folder of runs {folder} cannot be written; {DATA_VARIABLE} can name another one.")
    stem = f"{_file_words(name, 'run')}-{time.strftime('%Y%m%d-%H%M%S')}"
    path, count = folder / f"{stem}.rnnviz", 1
    while path.exists() or path in _given or any(folder.glob(f"{path.stem}.*.toml")):
        count += 1
        path = folder / f"{stem}-{count}.rnnviz"
    _given.add(path)
    return path


def new_seeds_folder(name: str) -> Path:
    """A folder that is not there yet, for several seeds of an experiment called `name`."""
    words = _file_words(name, "seeds")
    path, count = data_folder() / "seeds" / words, 1
    while path.exists():
        count += 1
        path = path.with_name(f"{words}-{count}")
    return path


def remove_leftovers() -> None:
    """Removes what killed processes left in the folder of runs: half-written files, claims, files for engines."""
    folder = data_folder() / "runs"
    for pattern in (".*.new*", ".*.claim"):
        remove_abandoned(folder, pattern)
    for path in (*folder.glob("*.*.toml"), *folder.glob("*.*.safetensors")):
        number = path.stem.rpartition(".")[2]
        if number.isdecimal() and not process_exists(int(number)):
            with contextlib.suppress(OSError):
                path.unlink()


def _file_words(name: str, otherwise: str) -> str:
    """A name as a file may be called."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or otherwise


def delete_run(path: Path) -> None:
    """Removes a run file that nobody wants, with what SQLite lays beside it; what cannot be removed stays."""
    for suffix in ("", *SIDE_FILES):
        try:
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        except OSError:
            return
