"""Every row at the cursor: its number and its strip are those of the trace, for two models and two sequences."""

import numpy as np
import pytest
from flat_state import update
from pytestqt.qtbot import QtBot
from traced_states import LENGTHS, TRAINING_STEP, traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Layer
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.value_strips import Strip, knee, levels
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store

LOOK = theme("dark")
FAMILIES = {"i": "input", "f": "forget", "o": "output", "r": "input", "z": "forget"}  # of the gates, by letter
CANDIDATES = {"g", "n"}
TITLE, EACH, LEFT, RIGHT, MIDDLE = 28, 44, 11, 8, 8  # pixels: of the first strip, from strip to strip, beside, in it
MODELS = {
    "lstm, gru": ((Structure("lstm", 0, 7), Structure("gru", 0, 5)), "l0"),
    "vanilla, lstm both ways": ((Structure("vanilla", 0, 6, 2), Structure("lstm", 0, 4, 2, True)), "l0_reverse"),
}


@pytest.mark.parametrize(
    ("largest", "expected"),
    [
        ((1.0, 30.0), 0.0),
        ((1.0, 30.1), 1.0),
        ((90.0, 3.0), 0.0),
        ((-91.0, 3.0), 3.0),
        ((0.2, 30.0), 0.0),
        ((7.4,), 0.0),
    ],
)
def test_one_model_far_beyond_the_others_bends_the_colours(largest: tuple[float, ...], expected: float) -> None:
    """More than thirty times the calmest one's largest, which is 1 at least."""
    strips = [Strip("net", LOOK.color("text"), np.array([0.1, size, np.nan, np.inf])) for size in largest]
    assert knee("signed", strips) == expected
    assert knee("signed unit", strips) == 1.0 * (max(map(abs, largest)) > 3)  # what should stay within ±1 does not
    assert {knee(kind, strips) for kind in ("unit", "magnitude")} == {0.0}


@pytest.mark.parametrize(("largest", "expected"), [((-1.0, 1.0), 1.0), ((0.3, 1.0 + 1e-7), 1.0), ((0.4, -3.5), 3.5)])
def test_a_state_that_stays_within_one_has_the_ends_one_and_else_its_largest(
    largest: tuple[float, ...], expected: float
) -> None:
    strips = [Strip("net", LOOK.color("text"), np.array([0.1, size, np.nan])) for size in largest]
    assert levels("signed unit", strips) == (-expected, expected)


def vector(layer: Layer, key: str, t: int, n: int) -> Array | None:
    """What lies behind a row: (H,), or (T,) of the shares; None where the cell has no such thing."""
    kind, _, name = key.partition(":")
    if kind == "gate":
        return layer.gates[name][t - 1, n] if name in layer.gates else None
    if kind in ("share", "so_far"):
        delta, before = layer.grad("uh").astype(np.float64), layer.before["h"].astype(np.float64)
        each = delta[: LENGTHS[n], n, :, None] * before[: LENGTHS[n], n, None, :]
        if kind == "so_far":
            backwards = layer.name.endswith("_reverse")
            each = np.cumsum(each, axis=0) if backwards else np.cumsum(each[::-1], axis=0)[::-1]
        return np.asarray(np.linalg.norm(each, axis=(1, 2)))
    arrays = {
        "hidden": layer.h, "cell": layer.c, "hidden_grad": layer.hidden_grad, "cell_grad": layer.cell_grad,
        "direct_grad": layer.direct_grad, "carried_grad": layer.carried_grad,
    }  # fmt: skip
    found = arrays[key]
    return None if found is None else found[t - 1, n]


def number(values: Array | None, layer: Layer, key: str, t: int) -> str | None:
    if values is None:
        return None
    if key.startswith("gate"):
        return short(float(values.astype(np.float64).mean()))
    if key.startswith("share"):
        return short(float(values[t - 1]))
    if key.startswith("so_far"):
        return short(float(values[t - 1] / values[-1 if layer.name.endswith("_reverse") else 0]))
    return short(float(np.linalg.norm(values.astype(np.float64))))


def colors(key: str, vectors: list[Array]) -> tuple[list[Array], tuple[float, float], Array]:
    """The vectors as they are coloured, the ends of the colours for all models, and the colours."""
    letter = key[-1]
    if key == "hidden" or (key.startswith("gate") and letter in CANDIDATES):
        return vectors, (-1.0, 1.0), LOOK.signed_map()
    if key.startswith("gate"):
        return vectors, (0.0, 1.0), LOOK.gate_map(FAMILIES[letter])
    if key.startswith(("share", "so_far")):
        with np.errstate(divide="ignore"):
            logs = [np.log10(values) for values in vectors]
        finite = np.concatenate(logs)[np.isfinite(np.concatenate(logs))]
        ends = float(finite.min()), max(float(finite.max()), float(finite.min()) + 1.0)
        return [np.maximum(log, ends[0]) for log in logs], ends, LOOK.magnitude_map()
    largest = float(np.abs(np.concatenate(vectors)).max()) or 1.0
    return vectors, (-largest, largest), LOOK.signed_map()


@pytest.mark.parametrize("models", MODELS)
@pytest.mark.parametrize("sample", [0, 1])
def test_every_row_and_its_strip_are_those_of_the_trace(qtbot: QtBot, models: str, sample: int) -> None:
    structures, name = MODELS[models]
    store = Store(traced_state("characters", structures, name, seed=31).state)
    panel = ValuesPanel(store)
    qtbot.addWidget(panel)
    panel.resize(312, 1000)
    panel.show()
    for t in (1, 8, 13):
        update(store, sample=sample, cursor=Cursor(TRAINING_STEP, Phase.BACKWARD, t, layer=name))
        layers = [trace.find_layer(name) for trace in store.state.recorded.traces if trace is not None]
        assert {"cell", "gate:f", "cell_grad", "so_far:weight_hh"} < {row.key for row in panel.rows}
        tops = [panel.table.row_center(place).y() for place in range(len(panel.rows))]
        begins = [row.group != above.group for above, row in zip(panel.rows, panel.rows[1:], strict=False)]
        assert np.diff(tops).tolist() == [29 if begin else 23 for begin in begins]  # a gap between groups only
        for place, row in enumerate(panel.rows):
            kind, _, parameter = row.key.partition(":")
            if (
                kind in ("input", "loss", "own_loss", "clip", "fold")
                or row.group == "prediction"
                or (kind in ("share", "so_far") and parameter != "weight_hh")
            ):
                continue
            found = [None if layer is None else vector(layer, row.key, t, sample) for layer in layers]
            pairs = [(values, layer) for values, layer in zip(found, layers, strict=True) if layer is not None]
            numbers = [number(values, layer, row.key, t) for values, layer in pairs]
            assert [cell for cell in panel.table.rows[place].cells if cell] == [text for text in numbers if text]
            panel.table.hover(place)
            assert [strip.name for strip in panel.strips.strips] == [
                model.name for model, values in zip(store.state.run.models, found, strict=True) if values is not None
            ]
            expect_strips(panel, row.key, [values for values in found if values is not None], t)


def logarithmic(values: Array, largest: float, knee: float) -> Array:
    """Up to ±`knee` the inner half of the colours, evenly; from there to ±`largest` the outer half, by powers."""
    far = np.log(np.maximum(np.abs(values), knee) / knee) / np.log(largest / knee)
    return np.sign(values) * np.where(np.abs(values) <= knee, np.abs(values) / knee / 2, (1 + far) / 2)


def expect_strips(panel: ValuesPanel, key: str, vectors: list[Array], t: int) -> None:
    """Each value has its colour at its place; the cursor's mark is at its time step."""
    image, over_time = panel.strips.grab().toImage(), key.startswith(("share", "so_far"))
    width = panel.strips.width() - LEFT - RIGHT
    drawn, (low, high), table = colors(key, vectors)
    if (knee := panel.strips.knee) and low < -knee:  # one model's gradient is far beyond the others': it is said
        drawn, (low, high) = [logarithmic(values, high, knee) for values in drawn], (-1.0, 1.0)
    for row, values in enumerate(drawn):
        for unit, value in enumerate(values):
            x, y = LEFT + (unit + 0.25) * width / len(values), TITLE + EACH * row + MIDDLE
            place = int(np.rint(255 * min(max((float(value) - low) / (high - low), 0.0), 1.0)))
            color = image.pixelColor(int(x), y)
            near = table[max(place - 1, 0) : place + 2].tolist()  # float32 and float64 may round to neighbours
            assert list(color.getRgb()[:3]) in near, (key, row, unit)
        if over_time:
            x = LEFT + (t - 0.5) * width / len(values)
            assert image.pixelColor(int(x), TITLE + EACH * row + MIDDLE).name() == LOOK.cursor
