"""The filters of file dialogs are made from the table of formats."""

from pathlib import Path

import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, FORMATS, RUN, TABLE
from rnnviz.gui.figures import formats
from rnnviz.gui.figures.pictures import save_picture
from rnnviz.gui.opening import file_dialogs
from rnnviz.gui.opening.file_dialogs import (
    OPENABLE,
    path_to_open,
    path_to_open_data,
    path_to_save,
    read_filter,
    write_filter,
)
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import Preferences, read_preferences
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Appearance


class Answers:
    def __init__(self) -> None:
        self.begun: list[str] = []
        self.chosen: Path | None = None

    def answer(self, _window: QWidget, _title: str, begin: str, _filters: str) -> tuple[str, str]:
        self.begun.append(begin)
        return (str(self.chosen) if self.chosen else "", "")


def test_everything_that_can_be_opened_is_offered() -> None:
    everything, *groups, every = OPENABLE.split(";;")
    offered = everything.removeprefix("Everything rnnviz opens (").removesuffix(")").split()
    assert set(offered) == {f"*{ending}" for one in FORMATS for ending in (*one.endings, *one.maybe) if ending}
    assert [group.split(" (")[0] for group in groups] == ["Runs", "Experiments", "Models", "Data"]
    assert set(offered) == {ending for group in groups for ending in group.split(" (")[1].rstrip(")").split()}
    assert every == "All files (*)"


def test_a_format_is_read_under_more_endings_than_it_is_written() -> None:
    assert write_filter(RUN) == "Runs (*.rnnviz)"
    assert write_filter(CHECKPOINTS[0]) == "PyTorch state dict (*.pt *.pth *.bin)"
    assert read_filter(TABLE) == "Tables (*.csv *.tsv *.tab *.txt *.dat);;All files (*)"


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A person's own folder; in it may be one for documents, "Documents"."""
    folder = tmp_path / "home"
    folder.mkdir()
    monkeypatch.setenv("HOME", str(folder))
    monkeypatch.setenv("USERPROFILE", str(folder))
    monkeypatch.setattr(file_dialogs.QStandardPaths, "writableLocation", lambda _kind: str(folder / "Documents"))
    return folder


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch, home: Path) -> Answers:
    """The system's dialogs: `begun` where each was opened, `chosen` what it answers."""
    made = Answers()
    monkeypatch.setattr(file_dialogs.QFileDialog, "getOpenFileName", made.answer)
    monkeypatch.setattr(file_dialogs.QFileDialog, "getSaveFileName", made.answer)
    return made


def test_each_kind_of_file_has_its_own_folder_in_the_next_start_too(
    answers: Answers, home: Path, qtbot: QtBot, tmp_path: Path
) -> None:
    models, tables, runs = (tmp_path / name for name in ("models", "tables", "runs"))
    for folder in (models, tables, runs):
        folder.mkdir()
    settings, window = tmp_path / "settings.toml", QWidget()
    qtbot.addWidget(window)
    store = Store()
    saver = PreferenceSaver(store, Preferences(), settings)
    answers.chosen = models / "net.ckpt"
    assert path_to_open(window, store, str(runs)) == models / "net.ckpt"
    answers.chosen = tables / "t.tsv"
    path_to_open_data(window, store, "csv")
    answers.chosen = runs / "copy"
    assert path_to_save(window, store, "Save", "one.rnnviz", "Runs (*.rnnviz)", "run") == runs / "copy.rnnviz"
    assert answers.begun == [str(runs), str(home), str(home / "one.rnnviz")]
    saver.deleteLater()
    again = Store(State(look=Appearance(folders=tuple(read_preferences(settings)[0].folders.items()))))
    answers.begun.clear()
    answers.chosen = None  # they change their mind
    path_to_open(window, again, str(runs))
    path_to_open_data(window, again, "csv")
    path_to_open_data(window, again, "text")
    path_to_save(window, again, "Save", "one.rnnviz", "Runs (*.rnnviz)", "run")
    assert answers.begun == [str(models), str(tables), str(home), str(runs / "one.rnnviz")]
    models.rmdir()
    path_to_open(window, again, str(runs))
    assert answers.begun[-1] == str(runs)


@pytest.mark.parametrize("kinds", ["Runs (*.a)", "Runs (*.a *.b)", "Runs (*.a);;Other (*.c *.d)"])
def test_the_ending_of_the_first_kind_is_added_where_none_is_typed(
    answers: Answers, qtbot: QtBot, tmp_path: Path, kinds: str
) -> None:
    window, store = QWidget(), Store()
    qtbot.addWidget(window)
    for typed, saved in (("one", "one.a"), ("two.b", "two.b")):
        answers.chosen = tmp_path / typed
        assert path_to_save(window, store, "Save", "x.a", kinds, "run") == tmp_path / saved


def test_the_first_dialog_begins_among_the_documents(answers: Answers, home: Path, qtbot: QtBot) -> None:
    """And never in the folder of the program."""
    window, store = QWidget(), Store()
    qtbot.addWidget(window)
    for folder in (home, home / "Documents"):
        folder.mkdir(exist_ok=True)
        answers.begun.clear()
        path_to_open(window, store)
        path_to_open_data(window, store, "csv")
        path_to_save(window, store, "Save", "one.rnnviz", "Runs (*.rnnviz)", "run")
        assert answers.begun == [str(folder), str(folder), str(folder / "one.rnnviz")]


def test_what_people_call_their_files_is_offered() -> None:
    everything = OPENABLE.split(";;")[0]
    for ending in [".rnnviz", ".toml", ".ckpt", ".pt", ".pth", ".safetensors", ".csv", ".tsv", ".txt"]:
        assert f"*{ending} " in everything.replace(")", " ")


def test_a_new_picture_format_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image = QImage(30, 20, QImage.Format.Format_RGB32)
    image.fill(0x336699)
    with pytest.raises(RnnvizError, match=r"a\.bmp: wanted a file name that ends in \.png\.$"):
        save_picture(image, tmp_path / "a.bmp")
    monkeypatch.setattr(formats, "FIGURES", (*formats.FIGURES, formats.PictureFormat("BMP", ".bmp", "bmp")))
    save_picture(image, tmp_path / "a.BMP")
    assert (tmp_path / "a.BMP").read_bytes()[:2] == b"BM"
    with pytest.raises(RnnvizError, match=r"ends in \.png or \.bmp\.$"):
        save_picture(image, tmp_path / "a.gif")
