"""The filters of file dialogs are made from the table of formats."""

from pathlib import Path

import pytest
from PySide6.QtGui import QImage

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, FORMATS, RUN, TABLE
from rnnviz.gui.figures import formats
from rnnviz.gui.figures.pictures import save_picture
from rnnviz.gui.opening.file_dialogs import OPENABLE, read_filter, write_filter


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
