"""File dialogs: asks a person for a file, with the titles and filters of the system's dialogs in one place."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, FORMATS, RUN, TABLE, TEXT, FileFormat, endings

EVERY_FILE = "All files (*)"


def file_filter(title: str, formats: Iterable[FileFormat]) -> str:
    """One entry of a file dialog's list: "Runs (*.rnnviz)"."""
    return f"{title} ({' '.join(f'*{ending}' for ending in endings(formats) if ending)})"


def write_filter(one: FileFormat) -> str:
    """The entry of a format that is written, under its own endings only."""
    return f"{one.title} ({' '.join(f'*{ending}' for ending in one.endings)})"


def read_filter(one: FileFormat) -> str:
    """The entries with which a file of one format is looked for."""
    return f"{file_filter(one.title, [one])};;{EVERY_FILE}"


OPENABLE = ";;".join(
    (
        file_filter("Everything rnnviz opens", FORMATS),
        file_filter(RUN.title, [RUN]),
        file_filter(EXPERIMENT.title, [EXPERIMENT]),
        file_filter("Models", CHECKPOINTS),
        file_filter("Data", (TABLE, TEXT)),
        EVERY_FILE,
    )
)


def path_to_open(window: QWidget, folder: str) -> Path | None:
    """The file a person wants to open; None if they changed their mind."""
    name, _ = QFileDialog.getOpenFileName(window, "Open", folder, OPENABLE)
    return Path(name) if name else None


def path_to_open_data(window: QWidget, kind: str) -> Path | None:
    """A file to learn from: `kind` is the name of its format, "csv" or "text"."""
    wanted = next(one for one in FORMATS if one.name == kind)
    name, _ = QFileDialog.getOpenFileName(window, "Choose the data", "", read_filter(wanted))
    return Path(name) if name else None


def path_to_save(window: QWidget, title: str, proposal: str, kinds: str) -> Path | None:
    """Where to save; the ending of the first of `kinds` ("Pictures (*.png)") is added where none was typed."""
    name, _ = QFileDialog.getSaveFileName(window, title, proposal, kinds)
    if not name:
        return None
    path = Path(name)
    return path if path.suffix else path.with_suffix(kinds.split("*", 1)[1].split(")")[0].split()[0])


def choose(title: str, words: str, among: list[str], window: QWidget) -> str:
    """One of a few names; empty if the person changed their mind."""
    name, chosen = QInputDialog.getItem(window, title, words, among, 0, False)
    return name if chosen else ""
