"""Asks a person for a file: the dialogs of the system, one place for their titles and filters."""

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

OPENABLE = (
    "Everything rnnviz opens (*.rnnviz *.toml *.csv *.txt *.pt *.pth *.safetensors);;"
    "Runs (*.rnnviz);;Experiments (*.toml);;Models (*.pt *.pth *.safetensors);;Data (*.csv *.txt);;All files (*)"
)


def path_to_open(window: QWidget, folder: str) -> Path | None:
    """The file a person wants to open; None if they changed their mind."""
    name, _ = QFileDialog.getOpenFileName(window, "Open", folder, OPENABLE)
    return Path(name) if name else None


def path_to_open_data(window: QWidget, kind: str) -> Path | None:
    """A file to learn from: `kind` is "csv" or "text"."""
    kinds = "Tables (*.csv);;All files (*)" if kind == "csv" else "Texts (*.txt);;All files (*)"
    name, _ = QFileDialog.getOpenFileName(window, "Choose the data", "", kinds)
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
