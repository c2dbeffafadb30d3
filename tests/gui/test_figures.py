"""Figures: PNG of a widget at any scale, and views of a run without a window."""

from pathlib import Path

import pytest
from fake_states import fake_state
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.figures.pictures import save_picture, window_image
from rnnviz.gui.figures.run_figures import render_view
from rnnviz.gui.state.store import Store
from rnnviz.runs.reading.reader import open_run


@pytest.fixture
def stack(qtbot: QtBot) -> LaneStack:
    stack = LaneStack(Store(fake_state()))
    qtbot.addWidget(stack)
    stack.resize(900, 650)
    return stack


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_picture_has_its_size_times_the_scale(stack: LaneStack, tmp_path: Path, scale: int) -> None:
    for name, image in (("window", window_image(stack, scale)), ("lanes", stack.image(scale))):
        assert (image.width(), image.height()) == (900 * scale, 650 * scale)
        save_picture(image, tmp_path / f"{name}.png")
        assert QImage(str(tmp_path / f"{name}.png")).size() == image.size()


def test_a_larger_picture_is_drawn_anew_and_not_enlarged(stack: LaneStack) -> None:
    """An enlarged picture has four equal pixels for each one; text drawn anew has not."""
    stack.grab()  # the cached pictures exist
    large = window_image(stack, 2)
    enlarged = window_image(stack, 1)
    label = [(x, y) for x in range(14, 90) for y in range(100, 120)]
    differing = sum(
        enlarged.pixel(x, y) != large.pixel(2 * x + dx, 2 * y + dy) for x, y in label for dx in (0, 1) for dy in (0, 1)
    )
    assert differing > 100
    again = window_image(stack, 1)
    assert again == enlarged  # and the window is as before


def test_a_folder_that_does_not_take_the_picture_is_named(stack: LaneStack, tmp_path: Path) -> None:
    out = tmp_path / "missing" / "figure.png"
    with pytest.raises(RnnvizError, match=r"figure\.png: wanted to write a picture"):
        save_picture(stack.image(), out)
    out.parent.mkdir()
    save_picture(stack.image(), out)
    assert out.stat().st_size > 1000


@pytest.mark.parametrize("view", ["overview", "hidden", "gradients", "loss"])
def test_every_view_of_a_run_is_a_picture_of_the_wanted_size(
    qtbot: QtBot, run_file: Path, tmp_path: Path, view: str
) -> None:
    out = tmp_path / "figure.png"
    render_view(run_file, view, None, None, (1000, 800), "light", out, scale=2)
    image = QImage(str(out))
    assert (image.width(), image.height()) == (2000, 1600)
    assert len({image.pixel(x, y) for x in range(0, 2000, 23) for y in range(0, 1600, 23)}) > 5


def test_views_differ_with_time_step_training_step_and_theme(qtbot: QtBot, run_file: Path, tmp_path: Path) -> None:
    with open_run(run_file) as run:
        first, *_, last = (int(step) for step in run.captured())
    pictures = []
    for training_step, time_step, theme in (
        (first, 2, "dark"),
        (first, 9, "dark"),
        (last, 2, "dark"),
        (first, 2, "light"),
    ):
        render_view(run_file, "gradients", training_step, time_step, (700, 500), theme, tmp_path / "figure.png")
        pictures.append((tmp_path / "figure.png").read_bytes())
    assert len(set(pictures)) == 4
    render_view(run_file, "gradients", first, 2, (700, 500), "dark", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == pictures[0]


def test_a_picture_that_is_too_low_becomes_higher(qtbot: QtBot, run_file: Path, tmp_path: Path) -> None:
    render_view(run_file, "overview", None, None, (700, 300), "dark", tmp_path / "figure.png")
    image = QImage(str(tmp_path / "figure.png"))
    assert image.width() == 700
    assert image.height() > 500


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"view": "everything"}, "view: wanted one of overview, hidden, gradients, loss, got everything"),
        ({"training_step": 7777}, "no capture of .* at training step 7,777; the nearest is"),
        ({"time_step": 0}, "wanted a time step from 1 to"),
        ({"time_step": 999}, "wanted a time step from 1 to"),
        ({"size": (10, 700)}, "size: wanted 200 to 8192 pixels each way, got 10x700"),
        ({"scale": 3}, "scale: wanted one of 1, 2, 4, got 3"),
        ({"out": Path("figure.jpg")}, "figure.jpg: wanted a file name that ends in .png"),
        ({"run_path": Path("missing.rnnviz")}, "missing.rnnviz"),
    ],
)
def test_a_wrong_wish_gets_one_sentence(
    qtbot: QtBot, run_file: Path, tmp_path: Path, wrong: dict[str, object], words: str
) -> None:
    wish = {
        "run_path": run_file, "view": "loss", "training_step": None, "time_step": None, "size": (700, 500),
        "theme": "dark", "out": tmp_path / "figure.png",
    }  # fmt: skip
    with pytest.raises(RnnvizError, match=words):
        render_view(**{**wish, **wrong})  # type: ignore[arg-type]
    assert not (tmp_path / "figure.png").exists()
