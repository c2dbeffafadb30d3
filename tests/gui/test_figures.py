"""Figures: PNG of a widget at any scale, and views of a run without a window."""

from dataclasses import replace
from pathlib import Path

import pytest
from fake_states import fake_state
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QAbstractButton, QAbstractSlider, QComboBox, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.canvas.items.lane_label import LaneLabel
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.figures import figure
from rnnviz.gui.figures.figure import draw_figure, lanes_as_seen
from rnnviz.gui.figures.formats import Measures, in_pixels
from rnnviz.gui.figures.pictures import save_picture, window_image
from rnnviz.gui.figures.run_figures import Wanted, render_view
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.state.store import Store
from rnnviz.gui.training.scrubber import Scrubber
from rnnviz.gui.training.step_axis import TITLE, StepAxis
from rnnviz.runs.reading.reader import open_run

SMALL = Measures((700, 500))
CONTROLS = (QAbstractButton, QAbstractSlider, QComboBox, QLineEdit, Scrubber)


@pytest.fixture
def stack(qtbot: QtBot) -> LaneStack:
    stack = LaneStack(Store(fake_state()))
    qtbot.addWidget(stack)
    stack.resize(900, 650)
    return stack


@pytest.mark.parametrize("scale", [1, 2, 4])
def test_a_picture_has_its_size_times_the_scale(stack: LaneStack, tmp_path: Path, scale: int) -> None:
    for name, image in (("window", window_image(stack, Measures((900, 650), scale))), ("lanes", stack.image(scale))):
        assert (image.width(), image.height()) == (900 * scale, 650 * scale)
        save_picture(image, tmp_path / f"{name}.png")
        assert QImage(str(tmp_path / f"{name}.png")).size() == image.size()


def test_a_larger_picture_is_drawn_anew_and_not_enlarged(stack: LaneStack) -> None:
    """An enlarged picture has four equal pixels for each one; text drawn anew has not."""
    stack.grab()  # the cached pictures exist
    large = window_image(stack, Measures((900, 650), 2))
    enlarged = window_image(stack)
    label = [(x, y) for x in range(14, 90) for y in range(100, 120)]
    differing = sum(
        enlarged.pixel(x, y) != large.pixel(2 * x + dx, 2 * y + dy) for x, y in label for dx in (0, 1) for dy in (0, 1)
    )
    assert differing > 100
    again = window_image(stack)
    assert again == enlarged  # and the window is as before


def test_a_folder_that_does_not_take_the_picture_is_named(stack: LaneStack, tmp_path: Path) -> None:
    out = tmp_path / "missing" / "figure.png"
    with pytest.raises(RnnvizError, match=r"figure\.png: wanted to write a picture"):
        save_picture(stack.image(), out)
    out.parent.mkdir()
    save_picture(stack.image(), out)
    assert out.stat().st_size > 1000


def test_lanes_that_are_not_compact_make_a_picture_higher_and_no_wider(qtbot: QtBot) -> None:
    state = lanes_as_seen(fake_state())
    low = draw_figure(state, Measures((900, 300), 2), grows=True)
    assert low.width() == 1800
    assert low.height() > 600
    roomy = Measures((900, low.height()), 1)
    assert draw_figure(state, roomy, grows=True).size() == QSize(*roomy.size)


@pytest.mark.parametrize("view", ["overview", "hidden", "gradients", "loss"])
def test_every_view_of_a_run_is_a_picture_of_the_wanted_size(
    qtbot: QtBot, run_file: Path, tmp_path: Path, view: str
) -> None:
    out = tmp_path / "figure.png"
    render_view(run_file, Wanted(lanes=view), None, None, Measures((1000, 800), 2), "light", out)
    image = QImage(str(out))
    assert (image.width(), image.height()) == (2000, 1600)
    assert len({image.pixel(x, y) for x in range(0, 2000, 23) for y in range(0, 1600, 23)}) > 5


@pytest.mark.parametrize("level", ["folded", "unrolled", "inside"])
@pytest.mark.parametrize("sweep", ["forward", "backward"])
def test_the_network_is_a_picture_too(qtbot: QtBot, run_file: Path, tmp_path: Path, level: str, sweep: str) -> None:
    out = tmp_path / "figure.png"
    render_view(run_file, Wanted("network", level=level, sweep=sweep), None, 4, Measures((900, 600), 2), "light", out)
    image = QImage(str(out))
    assert (image.width(), image.height()) == (1800, 1200)
    assert len({image.pixel(x, y) for x in range(0, 1800, 7) for y in range(0, 1200, 7)}) > 20


def test_the_cards_of_the_gradients_are_chosen(
    qtbot: QtBot, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shown = list[str]()

    def look(page: QWidget, measures: Measures) -> QImage:
        frames = page.findChildren(CardFrame)
        shown.extend(dict.fromkeys(frame.card.key for frame in sorted(frames, key=lambda one: (one.y(), one.x()))))
        assert not [frame.sentence for frame in frames if frame.sentence]
        return window_image(page, measures)

    monkeypatch.setattr(figure, "window_image", look)
    wanted = Wanted("gradients", cards=("walk", "bars", "flow"))
    render_view(run_file, wanted, None, 4, Measures((1200, 500)), "light", tmp_path / "figure.png")
    assert shown == ["walk", "bars", "flow"]


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
        render_view(
            run_file, Wanted(lanes="gradients"), training_step, time_step, SMALL, theme, tmp_path / "figure.png"
        )
        pictures.append((tmp_path / "figure.png").read_bytes())
    assert len(set(pictures)) == 4
    render_view(run_file, Wanted(lanes="gradients"), first, 2, SMALL, "dark", tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == pictures[0]


@pytest.mark.parametrize(
    ("view", "measures"),
    [
        ("overview", Measures((700, 300))),
        ("hidden", Measures((300, 900), 2)),
        ("gradients", Measures((640, 250), font_scale=1.7)),
        ("loss", Measures((333, 333), font_scale=3.0)),
        ("loss", Measures((500, 200), font_scale=1.3)),
    ],
)
def test_a_size_is_obeyed_exactly_or_refused_with_one_that_fits(
    qtbot: QtBot, run_file: Path, tmp_path: Path, view: str, measures: Measures
) -> None:
    out = tmp_path / "figure.png"

    def draw(size: tuple[int, int]) -> None:
        render_view(run_file, Wanted(lanes=view), None, None, replace(measures, size=size), "dark", out)

    with pytest.raises(RnnvizError, match=f"size: {in_pixels(measures.size)} is too small for this figure") as refusal:
        draw(measures.size)
    assert not out.exists()
    assert (" at font scale " in str(refusal.value)) is (measures.font_scale != 1)
    width, height = (int(side) for side in str(refusal.value).removesuffix(" fits.").rsplit(" ", 1)[1].split("x"))
    draw((width, height))
    assert QImage(str(out)).size() == QSize(width, height) * measures.scale
    smaller = (width - 3, height) if width > measures.size[0] else (width, height - 3)
    with pytest.raises(RnnvizError, match="is too small"):
        draw(smaller)


def test_the_font_scale_enlarges_texts_and_not_the_picture(qtbot: QtBot, run_file: Path, tmp_path: Path) -> None:
    """The title of the figure: how many rows of pixels it is high."""
    heights = {}
    for font_scale in (0.8, 1.0, 2.0, 3.0):
        out = tmp_path / "figure.png"
        render_view(
            run_file, Wanted(lanes="loss"), None, None, Measures((1500, 900), font_scale=font_scale), "light", out
        )
        image = QImage(str(out))
        assert (image.width(), image.height(), image.dotsPerMeterX()) == (1500, 900, round(96 / 0.0254))
        rows = range(round(40 * font_scale))
        text = {y for y in rows for x in range(round(14 * font_scale), 300) if image.pixelColor(x, y).lightness() < 120}
        heights[font_scale] = max(text) - min(text)
    for font_scale, height in heights.items():
        assert height == pytest.approx(heights[1.0] * font_scale, abs=2)


@pytest.mark.parametrize("view", ["overview", "hidden", "gradients", "loss"])
def test_a_figure_names_its_axes_and_has_nothing_to_press(
    qtbot: QtBot, run_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, view: str
) -> None:
    with open_run(run_file) as run:
        units, gated_units = (model.structure.hidden_size for model in run.models)
    controls, texts = list[QWidget](), set[str]()

    def look(page: QWidget, measures: Measures) -> QImage:
        for widget in page.findChildren(QWidget):
            if widget.isVisibleTo(page) and isinstance(widget, CONTROLS):
                controls.append(widget)
            if isinstance(widget, QLabel) and widget.isVisibleTo(page):
                texts.update(widget.text().split(" · "))
            if isinstance(widget, LaneStack):
                labels = [item for item in widget._scene.items() if isinstance(item, LaneLabel)]
                texts.update(text for label in labels for text in (label.title, label.subtitle))
            if isinstance(widget, StepAxis) and widget.isVisibleTo(page):
                texts.add(TITLE)
        return window_image(page, measures)

    monkeypatch.setattr(figure, "window_image", look)
    render_view(run_file, Wanted(lanes=view), None, None, Measures((900, 560)), "light", tmp_path / "figure.png")
    assert controls == []
    wanted = {
        "overview": {
            "time step t",
            f"h, {units} units",
            f"c, {gated_units} units",
            f"f, {gated_units} units",
            "‖∂L/∂hₜ‖, log₁₀",
            TITLE,
            "loss",
        },
        "hidden": {"time step t", f"h, {units} units", f"c, {gated_units} units"},
        "gradients": {"time step t", "‖∂L/∂hₜ‖, log₁₀", "of t in ∂L/∂W_hh"},
        "loss": {TITLE, "loss"},
    }
    assert wanted[view] <= texts
    assert ("time step t" in texts) is (view != "loss")


def test_a_figure_does_not_show_where_the_person_is_looking(qtbot: QtBot) -> None:
    """The unit that is looked at, and lanes that are scrolled away, are a matter of the window."""
    state = fake_state()
    marked = replace(state, place=replace(state.place, unit=2))
    measures = Measures((800, 900))
    plain = draw_figure(lanes_as_seen(state), measures)
    assert draw_figure(lanes_as_seen(marked), measures) == plain
    seen = [LaneStack(Store(one)) for one in (state, marked)]
    images = []
    for stack in seen:
        qtbot.addWidget(stack)
        stack.resize(800, 900)
        stack.grab()
        images.append(stack.image())
    assert images[0] != images[1]  # there the window shows it


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"wanted": Wanted("everything")}, "view: wanted one of lanes, network, gradients, got everything"),
        ({"wanted": Wanted(lanes="all")}, "lanes: wanted one of overview, hidden, gradients, loss, got all"),
        ({"wanted": Wanted("network", level="near")}, "level: wanted one of folded, unrolled, inside, got near"),
        ({"wanted": Wanted("gradients", cards=("flow", "flaw"))}, "cards: wanted some of flow, .*, got flaw"),
        ({"wanted": Wanted("network", cards=("flow",))}, "cards: wanted with the view gradients, got the view network"),
        ({"wanted": Wanted(sweep="up")}, "sweep: wanted one of forward, backward, got up"),
        ({"training_step": 7777}, "no capture of .* at training step 7,777; the nearest is"),
        ({"time_step": 0}, "wanted a time step from 1 to"),
        ({"time_step": 999}, "wanted a time step from 1 to"),
        ({"measures": Measures((10, 700))}, "size: wanted 200 to 8,192 pixels each way, got 10x700"),
        ({"measures": Measures((700, 500), 3)}, "scale: wanted one of 1, 2, 4, got 3"),
        ({"measures": Measures((700, 500), 1, 0.7)}, r"font scale: wanted 0\.8 to 3, got 0\.7"),
        ({"measures": Measures((8000, 8000), 2)}, "at most 134,217,728 pixels, got 8000x8000 at scale 2"),
        ({"out": Path("figure.jpg")}, "figure.jpg: wanted a file name that ends in .png"),
        ({"run_path": Path("missing.rnnviz")}, "missing.rnnviz"),
    ],
)
def test_a_wrong_wish_gets_one_sentence(
    qtbot: QtBot, run_file: Path, tmp_path: Path, wrong: dict[str, object], words: str
) -> None:
    wish = {
        "run_path": run_file, "wanted": Wanted(lanes="loss"), "training_step": None, "time_step": None,
        "measures": SMALL, "theme": "dark", "out": tmp_path / "figure.png",
    }  # fmt: skip
    with pytest.raises(RnnvizError, match=words):
        render_view(**{**wish, **wrong})  # type: ignore[arg-type]
    assert not (tmp_path / "figure.png").exists()
