"""Flow, bars and walk: every number and pixel is that of core's flow, whichever losses, rows and extremes."""

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from fake_states import fake_state
from open_gradients import frame_of, open_gradients, wait_until_found
from plain_states import plain_state
from PySide6.QtCore import QEvent, QPointF, QRectF, Qt
from PySide6.QtGui import QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot
from traced_states import traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.gradients.flow_of import Flow, chosen_rows, flow_of
from rnnviz.core.gradients.horizon import horizon
from rnnviz.core.gradients.jacobians import spectra
from rnnviz.core.gradients.walk import bound, walk
from rnnviz.core.structure import Structure
from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.page import GradientsView
from rnnviz.gui.gradients.plots.legend import Entry, draw_legend, legend_height
from rnnviz.gui.gradients.plots.log_colors import NOTHING, LogColors, table
from rnnviz.gui.gradients.plots.marks import Area, Curve, Dots, Raster, Turned
from rnnviz.gui.look.theme import theme
from rnnviz.gui.network.drawing import Box, Drawing, Line, Text
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

ALT, NONE, LEFT = Qt.KeyboardModifier.AltModifier, Qt.KeyboardModifier.NoModifier, Qt.MouseButton.LeftButton
VANILLA, LSTM = Structure("vanilla", 1, 3), Structure("lstm", 1, 4)


@pytest.fixture(scope="module")
def state() -> State:
    structures = Structure("vanilla", 1, 4), Structure("lstm", 1, 5, num_layers=2)
    return traced_state("characters", structures, gains=(0.7, 1.5)).state


def flow(view: GradientsView, number: int, unit: bool = True) -> Flow:
    layer = view.shown.models[number].layer
    assert layer is not None
    return flow_of(layer, unit=unit)


def curve(frame: CardFrame, key: str) -> Curve:
    found = frame.drawing.mark(key)
    assert isinstance(found, Curve)
    return found


def at(frame: CardFrame, t: float, k: float | None = None) -> QPointF:
    """Where a time step is on a card, and a loss on that of the flow."""
    box, last = frame.drawing.mark("frame"), frame.sight.shown.time_steps  # type: ignore[union-attr]
    assert isinstance(box, Box)
    y = box.rect.center().y() if k is None else box.rect.bottom() - (k - 0.5) / last * box.rect.height()
    return QPointF(box.rect.left() + (t - 0.5) / last * box.rect.width(), y)


def point_to(frame: CardFrame, place: QPointF) -> None:
    event = QMouseEvent(
        QEvent.Type.MouseMove, place, frame.mapToGlobal(place), Qt.MouseButton.NoButton, Qt.MouseButton.NoButton, NONE
    )
    QApplication.sendEvent(frame, event)


@pytest.mark.parametrize("sample", [0, 1])
def test_cells_have_the_colours_of_one_scale_and_the_line_is_the_horizon(
    qtbot: QtBot, state: State, sample: int
) -> None:
    view, store = open_gradients(qtbot, state, ["flow"], losses="unit", threshold=0.03)
    store.change(place=setting(sample=sample))
    wait_until_found(qtbot, view)
    flows = [flow(view, number) for number in (0, 1)]
    colors = LogColors.of([one.values for one in flows])
    for number, wanted in enumerate(flows):
        frame = frame_of(view, "flow", number)
        raster = frame.drawing.mark("flow")
        assert isinstance(raster, Raster)
        assert np.array_equal(raster.values, wanted.values)
        places = np.where(np.tri(wanted.length, dtype=bool), colors.places(wanted.values), NOTHING)
        assert np.array_equal(raster.pixels[::-1], table(theme("dark"))[places])
        assert "unit loss" in frame._aside()
        found = horizon(wanted, 0.03)
        k = int(np.flatnonzero(~found.censored)[-1])
        ends = curve(frame, "fall").values
        assert ends is not None
        assert list(ends[2 * k : 2 * k + 2]) == [k + 1 - found.steps[k] + 0.5] * 2
        assert np.isnan(ends[::2][found.censored]).all()


def test_colours_go_from_one_end_of_the_map_to_the_other() -> None:
    look, colors = theme("light"), LogColors(-4.0, 2.0)
    red, green, blue = look.magnitude_map().astype(int).T
    ends, places = (
        (0xFF000000 | red << 16 | green << 8 | blue)[[0, 128, 255]],
        np.array([1e-4, 10 ** (-4 + 6 * 128 / 255), 100]),
    )
    assert list(table(look)[colors.places(places)]) == list(ends)
    assert LogColors.of([np.zeros(3)]) == LogColors(-4.0, 0.0)  # a scale all the same


@pytest.mark.parametrize("width", [120.0, 400.0])
def test_a_legend_takes_the_rows_it_needs(qtbot: QtBot, width: float) -> None:
    entries = [Entry("k − t"), *(Entry(words, theme("dark").color("good")) for words in ("0", "1–3", "4–15", "16–63"))]
    drawing, area = Drawing(), QRectF(7, 30, width, legend_height(entries, width))
    draw_legend(drawing, area, entries, theme("dark"))
    texts = [mark for mark in drawing.marks if isinstance(mark, Text)]
    assert all(area.adjusted(0, 0, 1, 0).contains(text.rect) for text in texts)
    assert not any(one.rect.intersects(other.rect) for one, other in combinations(texts, 2))
    rows = 1 if width > 300 else 2
    assert len({text.baseline for text in texts}) == rows
    assert area.height() == rows * legend_height(entries, 400.0)


def test_an_absolute_threshold_is_marked_in_the_colour_bar(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow"], losses="unit", threshold=1e-3)
    frame = frame_of(view, "flow", 0)
    with pytest.raises(KeyError):
        frame.drawing.mark("threshold")
    laboratory = replace(store.state.look.laboratory, relative=False)
    store.change(look=setting(laboratory=laboratory))
    mark, bar = frame_of(view, "flow", 0).drawing.mark("threshold"), frame.drawing.mark("bar")
    assert isinstance(mark, Line)
    assert isinstance(bar, Raster)
    colors = LogColors.of([flow(view, number).values for number in (0, 1)])
    share = (-3 - colors.low) / (colors.high - colors.low)
    assert mark.points[0].y() == pytest.approx(bar.rect.bottom() - share * bar.rect.height())


def test_what_lies_on_no_scale_is_marked_as_itself(qtbot: QtBot) -> None:
    faded = plain_state((VANILLA, LSTM), 90, (0.12, 1.0))
    view, _ = open_gradients(qtbot, faded, ["flow", "walk"], size=(820, 620))
    frame = frame_of(view, "flow", 0)
    texts = frame.drawing.texts.values()
    assert {"lost", "tiny"} <= set(texts)
    trace = view.shown.models[0].sequence
    assert trace is not None
    exact = flow_of(trace.exact.layer("l0")).values
    raster = frame.drawing.mark("flow")
    assert isinstance(raster, Raster)
    assert 0 < exact[89, 0] < 1e-60
    assert raster.values[89, 0] == exact[89, 0]
    assert "(0 in float32)" in frame._words_at(at(frame, 1, 90).toPoint())
    dotted = curve(frame_of(view, "walk"), "0 lost")
    assert np.isfinite(dotted.ys[-5:]).all()
    view.stop()

    exploded = plain_state((VANILLA, LSTM), 60, (19.0, 1.0), still=True)
    view, _ = open_gradients(qtbot, exploded, ["flow", "walk", "bars"], size=(820, 620))
    assert {"+∞", "NaN"} <= set(frame_of(view, "flow", 0).drawing.texts.values())
    for frame, key in ((frame_of(view, "walk"), "0"), (frame_of(view, "bars", 0), "sum")):
        assert isinstance(frame.drawing.mark(f"{key} up"), Dots)
        assert isinstance(frame.drawing.mark(f"{key} nan"), Dots)
    assert frame_of(view, "walk").drawing.texts["name 0"].endswith(": NaN, no horizon")
    assert "NaN" in frame_of(view, "bars", 0).drawing.texts.values()
    assert "NaN" not in frame_of(view, "bars", 1).drawing.texts.values()


def test_above_too_much_work_rows_are_a_choice_and_the_loss_looked_at(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    long = plain_state((VANILLA,), 130, (1.0,))
    layer = long.recorded.traces[0].layer("l0")  # type: ignore[union-attr]
    whole = flow_of(layer).values
    monkeypatch.setattr("rnnviz.core.gradients.flow_of.TOO_MUCH", 1000)
    chosen = chosen_rows(130)
    first = next(k for k in range(60, 130) if k - 1 not in chosen)
    view, _ = open_gradients(qtbot, long, ["flow", "walk", "bars"], loss=first, size=(1200, 620))
    frame, walking = frame_of(view, "flow", 0), frame_of(view, "walk")
    assert "65 of 130 losses" in frame._aside()
    for k in (first, first - 1, first - 2, first - 3):
        wait_until_found(qtbot, view)
        assert (view.loss, walking._aside()) == (k, f"k = {k}")
        assert 10 ** values_of(walking, "0") == pytest.approx(whole[k - 1, k - 1 :: -1] / whole[k - 1, k - 1], rel=1e-5)
        QTest.keyClick(walking, Qt.Key.Key_Down, ALT)
    for _ in range(4):  # all of them are known by now
        QTest.keyClick(walking, Qt.Key.Key_Up, ALT)
    assert (view.loss, walking._aside()) == (first, f"k = {first}")
    assert drawn_title(frame) == "time step k, 65 of 130"
    raster = frame.drawing.mark("flow")
    assert isinstance(raster, Raster)
    middle = raster.pixels[len(raster.pixels) // 2]  # of one of the rows beside it, to where that loss stands
    assert 60 <= np.count_nonzero(middle != table(theme("dark"))[NOTHING]) * 130 / len(middle) <= 70
    numbers = frame_of(view, "bars", 0).sight.known[0].value  # type: ignore[union-attr]
    assert list(numbers.times) == list(chosen + 1)
    assert numbers.totals[-1] == pytest.approx(whole[129, 129])


def drawn_title(frame: CardFrame) -> str:
    found = frame.drawing.mark("y")
    assert isinstance(found, Turned)
    return found.markup


def values_of(frame: CardFrame, key: str) -> Array:
    found = curve(frame, key).values
    assert found is not None
    return found


def test_a_loss_walks_back_with_its_rate_horizon_and_bound(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["flow", "walk"], losses="unit", loss=9, threshold=0.2)
    frame = frame_of(view, "walk")
    store.change(place=setting(sample=1))
    wait_until_found(qtbot, view)
    for number in (0, 1):
        one, drawn = walk(flow(view, number), 8), curve(frame, str(number))
        assert values_of(frame, str(number)) == pytest.approx(np.log10(one.values / one.values[0]))
        assert drawn.xs[3] == pytest.approx(at(frame, 6).x())
        layer = view.shown.models[number].layer
        assert layer is not None
        steps = horizon(flow(view, number), 0.2)
        words = frame.drawing.texts[f"name {number}"]
        assert f"×{one.fit.rate:.2f} a time step" in words
        assert words.endswith(f"{int(steps.steps[8])}")
        assert ("≥" in words) == bool(steps.censored[8])
    layer = view.shown.models[0].layer
    assert layer is not None
    one = walk(flow(view, 0), 8)
    limit = bound(one, list(spectra(layer))[-1].norms)
    assert values_of(frame, "bound 0") == pytest.approx(np.log10(limit / one.values[0]))
    assert "R²" in frame._words_at(at(frame, 3).toPoint())
    with pytest.raises(KeyError):  # the lower of two layers
        frame.drawing.mark("bound 1")
    QTest.mouseClick(frame, LEFT, NONE, at(frame, 3).toPoint())
    assert store.state.place.cursor.time_step == 3


def test_the_loss_under_the_pointer_walks_back_until_the_pointer_goes(qtbot: QtBot, state: State) -> None:
    view, _ = open_gradients(qtbot, state, ["flow", "walk"], losses="unit", loss=12)
    frame, walking = frame_of(view, "flow", 1), frame_of(view, "walk")
    point_to(frame, at(frame, 2, 5))
    box = frame.card.mark(frame.sight, frame.area).mark("loss")  # type: ignore[arg-type]
    assert isinstance(box, Box)
    assert box.rect.contains(at(frame, 2, 5))
    assert not box.rect.contains(at(frame, 2, 6))
    assert (view.loss, len(values_of(walking, "1"))) == (5, 5)
    QApplication.sendEvent(frame, QEvent(QEvent.Type.Leave))
    assert (view.loss, len(values_of(walking, "1"))) == (12, 12)
    point_to(frame, at(frame, 2, 5))
    QTest.keyClick(frame, Qt.Key.Key_Delete)
    assert (view.loss, len(values_of(frame_of(view, "walk"), "1"))) == (12, 12)


def test_a_time_step_without_loss_is_said(qtbot: QtBot) -> None:
    few = plain_state((VANILLA, LSTM), 12, (1.0, 1.0), losses=(4, 12))
    view, _ = open_gradients(qtbot, few, ["walk"], losses="task", loss=7)
    frame = frame_of(view, "walk")
    assert frame.drawing.texts["name 1"] == "net 2: no loss at this time step"
    QTest.keyClick(frame, Qt.Key.Key_Up, ALT)
    assert view.loss == 8
    menu = frame._menu()
    next(action for action in menu.actions() if action.text().endswith("Alt+Down")).trigger()
    assert view.loss == 7
    menu.deleteLater()


def test_bars_sum_the_norms_of_each_distance_and_share_their_height(qtbot: QtBot, state: State) -> None:
    view, store = open_gradients(qtbot, state, ["bars"], losses="unit")
    store.change(place=setting(sample=1))
    wait_until_found(qtbot, view)
    tops = []
    for number in (0, 1):
        frame, values = frame_of(view, "bars", number), flow(view, number).values
        distance = np.subtract.outer(np.arange(19), np.arange(19))
        bands = [(0, 0), (1, 3), (4, 15), (16, 18)]
        wanted = [np.where((distance >= low) & (distance <= high), values, 0).sum(axis=0) for low, high in bands]
        areas = [mark for mark in frame.drawing.marks if isinstance(mark, Area)]
        assert [area.values == pytest.approx(part) for area, part in zip(areas, wanted, strict=True)] == [True] * 4
        assert [frame.drawing.texts[f"legend {n}"] for n in range(5)] == ["k − t", "0", "1–3", "4–15", "16–18"]
        floor, total = areas[0].lower, areas[-1].upper
        high = (areas[1].lower - areas[1].upper)[10] / (floor - total)[10]
        assert high == pytest.approx(wanted[1][5] / values[:, 5].sum())
        tops.append((total[10], values[:, 5].sum()))
    plot = frame.card.plot(frame.sight, frame.area)  # type: ignore[attr-defined]
    for pixel, total in tops:
        assert pixel == pytest.approx(float(plot.ys(np.log10(total))))
    QTest.mouseClick(frame, LEFT, NONE, at(frame, 17).toPoint())
    assert (store.state.place.cursor.time_step, store.state.place.model) == (17, 1)


def test_unit_losses_are_usual_where_the_task_asks_at_few_time_steps(qtbot: QtBot) -> None:
    for losses, unit in (((12, 20), True), (range(1, 21, 2), False)):
        view, _ = open_gradients(qtbot, plain_state((LSTM,), 20, (1.0,), losses=losses), ["flow", "bars", "walk"])
        asides = [frame._aside() for frame in view.frames]
        assert [("unit loss" in aside) for aside in asides] == [unit] * 3
        raster = frame_of(view, "flow", 0).drawing.mark("flow")
        assert isinstance(raster, Raster)
        assert np.array_equal(raster.values, flow(view, 0, unit).values)
        view.stop()


def test_in_a_reverse_layer_a_loss_walks_towards_the_end(qtbot: QtBot) -> None:
    both = Structure("lstm", 1, 3, bidirectional=True)
    state = plain_state((both,), 14, (1.3,), layer="l0_reverse")
    view, _ = open_gradients(qtbot, state, ["flow", "walk", "bars", "paths"], losses="task", loss=5, threshold=0.1)
    layer = view.shown.models[0].layer
    assert layer is not None
    assert layer.reverse
    values = flow_of(layer).values
    raster = frame_of(view, "flow", 0).drawing.mark("flow")
    assert isinstance(raster, Raster)
    empty = raster.pixels[::-1] == table(theme("dark"))[NOTHING]
    assert np.array_equal(empty, np.tri(14, k=-1, dtype=bool))
    walking, found = curve(frame_of(view, "walk"), "0"), horizon(flow_of(layer), 0.1)
    assert values_of(frame_of(view, "walk"), "0") == pytest.approx(np.log10(values[4, 4:] / values[4, 4]))
    assert walking.xs[0] == pytest.approx(at(frame_of(view, "walk"), 5).x())
    fallen = curve(frame_of(view, "flow", 0), "fall").values
    k = int(np.flatnonzero(~found.censored)[0])
    assert fallen is not None
    assert fallen[2 * k] == k + 1 + found.steps[k] - 0.5
    near = frame_of(view, "bars", 0).sight.known[0].value.sums[1]  # type: ignore[union-attr]
    assert near[8] == pytest.approx(values[5:8, 8].sum())


def test_zeros_that_nobody_can_tell_from_lost_ones_are_marked_as_zeros_of_float32(qtbot: QtBot) -> None:
    state = plain_state((VANILLA,), 90, (0.12,))
    trace = state.recorded.traces[0]
    assert trace is not None
    trace.drop_exact()
    view, _ = open_gradients(qtbot, state, ["flow"], losses="task")
    frame = frame_of(view, "flow", 0)
    assert "lost" in frame.drawing.texts.values()
    assert "0 in float32" in frame._words_at(at(frame, 1, 90).toPoint())


def test_answers_go_with_their_trace_and_where_they_take_too_much(
    qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rnnviz.gui.gradients.finding._BYTES", 100_000)
    view, store = open_gradients(qtbot, plain_state((VANILLA,), 90, (0.9,)), ["flow"], losses="task")
    for losses in ("unit", "task", "unit"):
        laboratory = replace(store.state.look.laboratory, losses=losses)
        store.change(look=setting(laboratory=laboratory))
        wait_until_found(qtbot, view)
        assert len(view.finding._known) == 1
    other = plain_state((VANILLA,), 6, (0.9,))
    store.change(recorded=setting(traces=other.recorded.traces))
    wait_until_found(qtbot, view)
    raster = frame_of(view, "flow", 0).drawing.mark("flow")
    assert isinstance(raster, Raster)
    assert raster.values.shape == (6, 6)


def test_one_time_step_is_no_walk_and_every_card_is_drawn(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, plain_state((VANILLA, LSTM), 1, (1.0, 1.0)), ["flow", "bars", "walk", "paths"])
    assert [frame.sentence for frame in view.frames[:5]] == [""] * 5
    assert frame_of(view, "walk").drawing.texts["name 0"] == "net 1: horizon ≥ 0"
    assert all(not frame.grab().isNull() for frame in view.frames)


def test_a_loss_that_is_not_asked_is_0_and_not_nan(qtbot: QtBot) -> None:
    view, _ = open_gradients(qtbot, fake_state("adding", 20, 3), ["walk"], losses="task", loss=4)
    drawing = frame_of(view, "walk").drawing
    assert "no loss at this time step" in drawing.texts["name 0"]
    keys = {mark.key for mark in drawing.marks}
    assert "0 down" in keys
    assert "0 nan" not in keys
