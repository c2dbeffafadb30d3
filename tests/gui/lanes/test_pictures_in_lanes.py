"""Pictures as inputs: drawn as pictures, of one time step or of the first of several; maps of a convolution beside each
other."""

from dataclasses import replace

import numpy as np
import pytest
from flat_state import flat_state
from held_by_lanes import axis_of, hatched_of, item, lanes_of
from open_lanes import open_lanes, view_of
from open_network import open_network
from PySide6.QtCore import QPointF
from pytestqt.qtbot import QtBot

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.items.pictures import Pictures
from rnnviz.gui.canvas.lanes.input.picture import InputPictureLane
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import RunModel

ROWS, COLUMNS, MAPS = 6, 4, 3
LABELS = tuple("abcd")
TASK = TaskInfo(
    "shapes", "values", tuple(f"pixel {n}" for n in range(ROWS * COLUMNS)), "classes", LABELS, "cross entropy",
    ("accuracy",), picture=(ROWS, COLUMNS),
)  # fmt: skip


def state_of(time_steps: int, sizes: tuple[int, ...], seed: int = 29) -> State:
    """A model for each input size; the picture stands at the first time step."""
    rng = np.random.default_rng(seed)
    traces, models = [], []
    for number, size in enumerate(sizes):
        structure = Structure("gru", size, 5)
        inputs = np.zeros((time_steps, 1, size), np.float32)
        inputs[0, 0] = rng.random(size) + 0.1
        weights = {
            name: rng.normal(size=shape).astype(np.float32) for name, shape in structure.parameter_shapes().items()
        }
        targets, weight = rng.integers(0, 4, (time_steps, 1)), np.full((time_steps, 1), 1 / time_steps, np.float32)
        head = Head(
            rng.normal(size=(4, 5)).astype(np.float32), np.zeros(4, np.float32), "cross entropy", targets, weight
        )
        gradient = rng.normal(size=(time_steps, 1, 5)).astype(np.float32)
        first = {"h": np.zeros((1, 1, 5), np.float32)}
        capture = Capture.of_one(
            weights, structure=structure, inputs=inputs, initial=first, grad_output=gradient, head=head
        )
        traces.append(rebuild(capture))
        models.append(RunModel(number, f"net {number + 1}", structure, 100))
    return flat_state(task=TASK, models=tuple(models), traces=tuple(traces), cursor=Cursor(42, Phase.BACKWARD, 1))


PIXELS, FEATURES = ROWS * COLUMNS, MAPS * (ROWS // 2) * (COLUMNS // 2)


@pytest.mark.parametrize("time_steps", [1, 5])
@pytest.mark.parametrize(("sizes", "shown", "tiles"), [((PIXELS, FEATURES), 0, 1), ((FEATURES, FEATURES), 1, MAPS)])
def test_the_picture_that_is_read_is_drawn(
    qtbot: QtBot, time_steps: int, sizes: tuple[int, ...], shown: int, tiles: int
) -> None:
    state = state_of(time_steps, sizes)
    stack, _ = open_lanes(qtbot, state)
    lane = lanes_of(stack)[0]
    assert isinstance(lane, InputPictureLane)
    held = item(lane, Pictures)
    assert held.tiles is not None
    rows, columns = (ROWS, COLUMNS) if tiles == 1 else (ROWS // 2, COLUMNS // 2)
    assert (held.tiles.count, held.tiles.rows, held.tiles.columns) == (tiles, rows, columns)
    values = state.recorded.traces[shown].layer("l0").x[0, 0]
    box, image = held.box(1), stack.image()
    order = values.reshape(tiles, rows, columns)
    lightness = []
    for number, row, column in np.ndindex(*order.shape):
        x = box.left() + (number * columns + column + 0.5) * box.width() / (columns * tiles)
        y = box.top() + (row + 0.5) * box.height() / rows
        lightness.append(image.pixelColor(round(x), round(y)).lightnessF())
        tip = stack._words_at(view_of(stack).mapFromScene(QPointF(x, y)))
        if (number, row, column) == (tiles - 1, 1, 1):
            assert f"row 2, column 2: {values[np.ravel_multi_index((number, row, column), order.shape)]:.2f}" in tip
    assert np.argsort(lightness)[[0, -1]].tolist() == [int(values.argmin()), int(values.argmax())]
    boxes = [one for one in hatched_of(stack) if one.top() == lane.rect.top()]
    if time_steps == 1:
        assert not boxes
        assert axis_of(stack).time_steps == 1
        return
    assert boxes[0].left() == pytest.approx(axis_of(stack).x(1.5))
    words = stack._words_at(view_of(stack).mapFromScene(QPointF(axis_of(stack).x(3), lane.rect.center().y())))
    assert words == "nothing is read after t = 1: the input is 0"


def test_the_network_view_shows_it_too_and_a_convolution_as_a_box(qtbot: QtBot) -> None:
    state = state_of(5, (PIXELS, FEATURES))
    view, _ = open_network(qtbot, replace(state, look=replace(state.look)), (1200, 600))
    assert view.drawing.mark("picture 1").image.width() == COLUMNS
    assert view.drawing.texts["x 2"] == "–"
    assert view.drawing.texts["1 front 0 words"] == f"convolution, {MAPS} maps"
    assert "0 front 0 words" not in view.drawing.texts
