"""File dialogs: asks a person for a file, with the titles and filters of the system's dialogs in one place."""

from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QStandardPaths
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from rnnviz.core.files.formats import CHECKPOINTS, EXPERIMENT, FORMATS, PYTHON, RUN, TABLE, TEXT, FileFormat, endings
from rnnviz.gui.state.program_folders import data_folder
from rnnviz.gui.state.store import Store, setting

EVERY_FILE = "All files (*)"
OPEN = "open"  # the kind of what the Open dialog finds: any file
SEEDS = "seeds"  # that of folders of seeds


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


def path_to_open(window: QWidget, store: Store, folder: str = "") -> Path | None:
    """The file a person wants to open, from the folder where one was last opened, else from `folder`, else from
    their documents; None if they changed their mind."""
    name, _ = QFileDialog.getOpenFileName(window, "Open", _begin(store, OPEN, folder), OPENABLE)
    return _found(store, name, OPEN)


def path_to_open_data(window: QWidget, store: Store, kind: str) -> Path | None:
    """A file to learn from: `kind` is the name of its format, "csv" or "text"."""
    wanted = next(one for one in FORMATS if one.name == kind)
    name, _ = QFileDialog.getOpenFileName(window, "Choose the data", _begin(store, kind), read_filter(wanted))
    return _found(store, name, kind)


def path_of_cell(window: QWidget, store: Store) -> Path | None:
    """The Python file of a cell; None if the person changed their mind. Nothing of it is run."""
    name, _ = QFileDialog.getOpenFileName(window, "Choose the cell", _begin(store, PYTHON.name), read_filter(PYTHON))
    return _found(store, name, PYTHON.name)


def folder_of_seeds(window: QWidget, store: Store) -> Path | None:
    """A folder of seeds, to look at or to train them into; None if the person changed their mind."""
    name = QFileDialog.getExistingDirectory(window, "Folder of seeds", _begin(store, SEEDS, str(data_folder())))
    return _found(store, name, SEEDS)


def path_to_save(
    window: QWidget, store: Store, title: str, proposal: str, kinds: str, kind: str, folder: str = ""
) -> Path | None:
    """Where to save, in the folder where something of that `kind` was last saved, else in `folder`, else among their
    documents; the ending of the first of `kinds` ("Pictures (*.png)") is added where none was typed."""
    begin = Path(_begin(store, f"save {kind}", folder))
    name, _ = QFileDialog.getSaveFileName(window, title, str(begin / proposal), kinds)
    if (path := _found(store, name, f"save {kind}")) is None:
        return None
    return path if path.suffix else path.with_suffix(kinds.split("*")[1].split(")")[0].strip())


def _begin(store: Store, kind: str, folder: str = "") -> str:
    """The folder a dialog begins in: never the one the program was started in."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    return store.state.look.folder(kind) or folder or (documents if Path(documents).is_dir() else str(Path.home()))


def _found(store: Store, name: str, kind: str) -> Path | None:
    """The path chosen; its folder is where the next one of that kind is looked for, in the next start too."""
    if not name:
        return None
    folder = str(Path(name).absolute().parent)
    store.change(look=setting(folders=store.state.look.with_folder(kind, folder)))
    return Path(name)


def choose(title: str, words: str, among: list[str], window: QWidget) -> str:
    """One of a few names; empty if the person changed their mind."""
    name, chosen = QInputDialog.getItem(window, title, words, among, 0, False)
    return name if chosen else ""
