"""The layout of every cell at three sizes: nothing overlaps, nothing leaves the picture, no wire runs through a box."""

import itertools
from dataclasses import replace

import pytest
from every_cell import CHOICES
from laid_out import check, check_lines, rects
from open_network import at, open_network
from PySide6.QtCore import QRectF
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state, trained_by

from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import to_phase
from rnnviz.gui.network.drawing import Box, Line, Strip, Text

SIZES = [(640, 330), (744, 460), (1400, 760)]
LEVELS = ["folded", "unrolled", "inside"]


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
@pytest.mark.parametrize("size", SIZES)
def test_inside_every_cell(qtbot: QtBot, choice: dict[str, object], size: tuple[int, int]) -> None:
    structure = Structure(input_size=1, hidden_size=7, **choice)  # type: ignore[arg-type]
    traced = traced_state("characters", (structure,), gains=(1.2,)).state
    view, store = open_network(qtbot, at(traced, Cursor(TRAINING_STEP, Phase.FORWARD, 5)), size, level="inside")
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        store.go(to_phase, store.state.walkable, phase, 5)
        drawing = view.drawing
        check(drawing, size)
        check_lines(drawing)
        boxes = {
            key.removeprefix("node "): rect for key, rect in rects(drawing, Box).items() if key.startswith("node ")
        }
        assert set(structure.equations.by_name) <= set(boxes)
        for key, rect in rects(drawing, Text).items():
            if key.startswith("node ") and key.endswith(" symbol"):
                box = boxes[key.removeprefix("node ").removesuffix(" symbol")]
                assert box.left() <= rect.left(), key
                assert rect.right() <= box.right(), key
        for (one, rect), (other, second) in itertools.combinations(boxes.items(), 2):
            assert not rect.intersects(second), (one, other)
        for mark in drawing.marks:
            if not isinstance(mark, Line) or not mark.key.startswith("wire "):
                continue
            source, _, rest = mark.key.removeprefix("wire ").partition(" → ")
            ends = {source, rest.rpartition(" ")[0] or rest, rest}
            for start, end in itertools.pairwise(mark.points):
                part = QRectF(start, end).normalized().adjusted(-0.5, -0.5, 0.5, 0.5)
                for name, rect in boxes.items():
                    if name not in ends:
                        assert not part.intersects(rect), (mark.key, name)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("size", SIZES)
def test_many_models_layers_and_both_directions(qtbot: QtBot, level: str, size: tuple[int, int]) -> None:
    structures = tuple(
        Structure(cell, 1, hidden, num_layers=layers, bidirectional=layers > 1)
        for cell, hidden, layers in (("vanilla", 3, 1), ("lstm", 9, 2), ("gru", 70, 1), ("peephole_lstm", 4, 2))
    )
    count = 2 if size[1] < 400 else 4
    traced = traced_state("characters", structures[:count], gains=(1.0, 1.2, 1.4, 1.1)[:count]).state
    state = at(traced, Cursor(TRAINING_STEP, Phase.FORWARD, 5), model=1)
    view, store = open_network(qtbot, state, size, level=level)
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        store.go(to_phase, store.state.walkable, phase, 5)
        check(view.drawing, size)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("hidden", [1, 512])
def test_one_unit_and_many(qtbot: QtBot, level: str, hidden: int) -> None:
    traced = traced_state("values", (Structure("lstm", 1, hidden),), gains=(0.9,)).state
    view, _ = open_network(qtbot, at(traced, Cursor(TRAINING_STEP, Phase.BACKWARD, 1)), level=level)
    check(view.drawing, (744, 460))
    texts = " ".join(view.drawing.texts.values())
    assert ("512 in" in texts) == (hidden == 512)
    for mark in view.drawing.marks:
        if isinstance(mark, Strip):
            assert mark.values.size <= 64


@pytest.mark.parametrize("size", SIZES)
def test_the_update_of_folded_networks(qtbot: QtBot, size: tuple[int, int]) -> None:
    structures = Structure("vanilla", 1, 3), Structure("lstm", 1, 9)
    traced = trained_by(traced_state("characters", structures).state, "adam", step=TRAINING_STEP)
    view, _ = open_network(qtbot, at(traced, Cursor(TRAINING_STEP, Phase.UPDATE, 1)), size, level="folded")
    check(view.drawing, size)
    arrows = [part for mark in view.drawing.marks if isinstance(mark, Line) for part in itertools.pairwise(mark.points)]
    clips = {key: rect for key, rect in rects(view.drawing, Text).items() if key.endswith(" clip")}
    assert len(clips) == 2
    for key, rect in clips.items():
        for start, end in arrows:
            assert not rect.intersects(QRectF(start, end).normalized().adjusted(-1, -1, 1, 1)), key


def test_an_update_in_several_rows_goes_on_at_the_beginning_of_the_next(qtbot: QtBot) -> None:
    traced = traced_state("characters", (Structure("gru", 1, 3),), gains=(1.2,)).state
    traced = trained_by(traced, "adam", step=TRAINING_STEP)
    view, _ = open_network(qtbot, at(traced, Cursor(TRAINING_STEP, Phase.UPDATE, 1)), (420, 460), level="inside")
    steps = [rect for key, rect in rects(view.drawing, Box).items() if key.startswith("update ")]
    turns = [mark for mark in view.drawing.marks if isinstance(mark, Line) and mark.key.startswith("update turn ")]
    ends = [(one, other) for one, other in itertools.pairwise(steps) if other.top() > one.bottom()]
    assert len(turns) == len(ends) > 0
    for turn, (last, first) in zip(turns, ends, strict=True):
        assert (turn.points[0].x(), turn.points[-1].x()) == (last.center().x(), first.center().x())
        assert last.bottom() < turn.points[0].y() < turn.points[-1].y() < first.top()


@pytest.mark.parametrize("size", SIZES)
def test_what_is_left_out_stands_beside_the_arrows(qtbot: QtBot, size: tuple[int, int]) -> None:
    state = traced_state("values", (Structure("lstm", 1, 4), Structure("gru", 1, 4)), gains=(1.0, 1.0)).state
    view, _ = open_network(qtbot, at(state, Cursor(TRAINING_STEP, Phase.BACKWARD, 12)), size, level="unrolled")
    check(view.drawing, size)
    texts = rects(view.drawing, Text)
    for mark in view.drawing.marks:
        if isinstance(mark, Line):
            for start, end in itertools.pairwise(mark.points):
                line = QRectF(start, end).normalized().adjusted(-0.5, -0.5, 0.5, 0.5)
                for key in ("0 earlier", "1 earlier", "0 later", "1 later", "0 loss 0", "1 loss 0"):
                    assert key not in texts or not texts[key].intersects(line), (key, mark.key)


@pytest.mark.parametrize(("size", "fitting"), [((384, 250), 2), ((384, 125), 1), ((320, 460), 4), ((640, 250), 4)])
@pytest.mark.parametrize("model", [0, 3])
def test_folded_networks_where_room_is_short(qtbot: QtBot, size: tuple[int, int], fitting: int, model: int) -> None:
    cells = ("vanilla", "lstm", "gru", "peephole_lstm")
    structures = tuple(Structure(cell, 1, 5) for cell in cells)
    traced = traced_state("characters", structures, gains=(1.0, 1.2, 1.4, 1.1)).state
    state = at(traced, Cursor(TRAINING_STEP, Phase.FORWARD, 5), model=model)
    view, store = open_network(qtbot, state, size, level="folded")
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        store.go(to_phase, store.state.walkable, phase, 5)
        check(view.drawing, size)
        assert f"{model} name" in view.drawing.texts
        assert sum(f"{number} name" in view.drawing.texts for number in range(4)) == fitting
        cells_seen = [rect for key, rect in rects(view.drawing, Box).items() if " cell " in key]
        for one, other in itertools.combinations(cells_seen, 2):
            assert not one.intersects(other)


@pytest.mark.parametrize("level", ["folded", "unrolled"])
def test_a_model_called_after_its_cell_says_it_once(qtbot: QtBot, level: str) -> None:
    traced = traced_state("characters", (Structure("mlp", 2, 3), Structure("mlp", 2, 4)), gains=(1.0, 1.2)).state
    models = tuple(
        replace(model, name=name) for model, name in zip(traced.run.models, ("Mlp", "Deep one"), strict=True)
    )
    state = replace(traced, run=replace(traced.run, models=models))
    view, _ = open_network(qtbot, at(state, Cursor(TRAINING_STEP, Phase.FORWARD, 3)), level=level)
    named, other = (view.drawing.texts[f"{model} words 0"] for model in range(2))
    assert (named, other.partition(",")[0]) == ("3 units", "MLP")
