"""Every lane in pixels: at each time step it draws what it holds, whole and zoomed, wide and narrow.

What they hold is compared with the trace in test_from_trace_to_picture.py; where a time step lies is computed here.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
import pytest
from drawn_by_items import Drawn, Picture, drawn_by, number
from flat_state import update
from held_by_lanes import (
    Plot,
    axis_of,
    bar_of,
    bars_of,
    cells_of,
    choices_of,
    heat_of,
    lanes_of,
    line_of,
    names_of,
    plot_of,
    rgb,
    ruler_names,
    symbols_of,
)
from open_lanes import HEIGHT, WIDTH, Opened, open_lanes, plot_width, view_of, wheel
from PySide6.QtCore import QPointF, Qt
from PySide6.QtGui import QColor, QFontMetricsF
from pytestqt.qtbot import QtBot
from traced_states import LENGTHS, TRAINING_STEP, traced_state

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.items.canvas_item import CanvasItem
from rnnviz.gui.canvas.items.chain import Chain
from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.canvas.items.curve_names import CurveNames
from rnnviz.gui.canvas.items.curve_plot import CurvePlot
from rnnviz.gui.canvas.items.heat_map import HeatMap
from rnnviz.gui.canvas.items.lane_label import LaneLabel
from rnnviz.gui.canvas.items.magnitude_legend import MagnitudeLegend
from rnnviz.gui.canvas.items.ruler import Ruler
from rnnviz.gui.canvas.items.symbols import Symbols
from rnnviz.gui.canvas.items.top_choices import TopChoices
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.head.class_probabilities import FinalBars
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.look.columns import LABEL_COLUMN
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

LOOK = theme("dark")
SIGNS = {"\n": "¶", " ": "␣"}
VIEWS = [(WIDTH, 0, 0.5), (WIDTH, 3, 0.93), (WIDTH, 5, 0.15), (520, 1, 0.8), (300, 0, 0.5)]  # pixels, notches, where

CASES = {
    "vanilla, lstm": ("symbols", (Structure("vanilla", 0, 5), Structure("lstm", 0, 7)), "l0"),
    "lstm both ways, gru": ("characters", (Structure("lstm", 0, 4, 2, True), Structure("gru", 0, 6)), "l1_reverse"),
    "relu, lstm": ("table", (Structure("vanilla", 0, 6, activation="relu"), Structure("lstm", 0, 4)), "l0"),
    "gru, vanilla": ("adding", (Structure("gru", 0, 3), Structure("vanilla", 0, 5)), "l0"),
    "gru, lstm": ("many", (Structure("gru", 0, 5), Structure("lstm", 0, 4)), "l0"),
}


@dataclass(frozen=True, eq=False)
class View:
    """Where time steps should lie, and what is looked at."""

    state: State
    left: float
    width: float
    first: float
    last: float

    @property
    def pitch(self) -> float:
        return self.width / (self.last - self.first)

    def x(self, time_step: float) -> float:
        return self.left + (time_step - self.first) * self.pitch

    @property
    def visible(self) -> list[int]:
        """Time steps of which a pixel at least can be seen."""
        count = LENGTHS[self.state.place.sample]
        return [t for t in range(1, count + 1) if t + 0.5 > self.first + 1e-6 and t - 0.5 < self.last - 1e-6]

    @property
    def inside(self) -> list[int]:
        """Time steps whose middle can be seen."""
        return [t for t in self.visible if self.first < t < self.last]

    def time_step_at(self, x: float) -> int:
        return round(self.first + (x - self.left) / self.pitch)

    @property
    def cursor(self) -> int:
        return self.state.place.cursor.time_step

    def passed(self, reverse: bool) -> list[int]:
        """The time steps that the backward sweep has passed."""
        every = range(1, LENGTHS[self.state.place.sample] + 1)
        return [t for t in every if (t < self.cursor if reverse else t > self.cursor)]


def name_of(color: QColor | None) -> str:
    return "" if color is None else color.name()


def color_of(value: float, levels: tuple[float, float], colors: Array) -> str:
    odd = QColor(LOOK.not_finite)
    if not np.isfinite(value):
        return (odd if np.isnan(value) else odd.lighter(135) if value > 0 else odd.darker(170)).name()
    share = min(max((value - levels[0]) / (levels[1] - levels[0]), 0.0), 1.0)
    return rgb(colors[int(np.rint(255 * share))])


# --- what each item should draw


def expect_heat(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    heat = heat_of(lane)
    (picture,) = drawn.pictures
    units = heat.values.shape[1]
    height = heat.rect.height() / units
    assert picture.image.width() == len(view.visible)
    for t in view.visible:
        for unit in range(units):
            for part in (-0.45, 0.45):
                found = picture.color_at(view.x(t + part), heat.rect.top() + (unit + 0.5) * height)
                assert found == color_of(float(heat.values[t - 1, unit]), heat.levels, heat.colors), (t, unit)
    wanted = [] if heat.marked_row is None else [heat.rect.top() + (heat.marked_row + 0.5) * height]
    pointers = [shape for shape in drawn.shapes if shape.color.name() == LOOK.text]
    assert [max(pointer.points)[1] for pointer in pointers] == pytest.approx(wanted)  # its tip, at the edge of the map
    assert all(x <= heat.rect.left() for pointer in pointers for x, _ in pointer.points)


def expect_bar(_view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    bar, heat = bar_of(lane), heat_of(lane)
    (picture,) = drawn.pictures
    ends = [picture.color_at(picture.rect.center().x(), y) for y in (bar.rect.top() + 0.01, bar.rect.bottom() - 0.01)]
    assert ends == [rgb(heat.colors[255]), rgb(heat.colors[0])]
    high, low = sorted(drawn.texts, key=lambda text: text.y)
    assert (number(low.words), number(high.words)) == pytest.approx(bar.levels, rel=1e-3)
    assert high.y < bar.rect.center().y() < low.y


def expect_plot(view: View, lane: Lane, drawn: Drawn, plot: Plot | None) -> None:
    """Curves, dots, ticks and zone lie where their values are."""
    assert plot is not None
    rect = next(item.rect for item in lane.items if isinstance(item, CurvePlot))

    def y_of(value: float) -> float:
        return rect.bottom() - (value - plot.low) / (plot.high - plot.low) * rect.height()

    for line in plot.lines:
        points = [point for stroke in drawn.strokes if stroke.color.name() == line.color for point in stroke.points]
        for t in view.inside:
            value = float(line.values[t - 1])
            there = [y for x, y in points if abs(x - view.x(t)) < 0.01]
            finite = [pytest.approx(y_of(value), abs=0.02)] if np.isfinite(value) else []
            assert there[:1] == finite, (line.name, t)
            marks = [area.rect for area in drawn.areas if name_of(area.color) == line.color and area.rect.height() == 4]
            marked = {mark.top() < rect.center().y() for mark in marks if mark.left() < view.x(t) < mark.right()}
            assert marked == ({value > 0} if np.isinf(value) else set()), (line.name, t)
    dots = [dot.place for dot in drawn.dots]
    dotted = [(line, t) for line in plot.lines for t in line.dots if t in view.inside]
    wanted = [(view.x(t), y_of(float(line.values[t - 1]))) for line, t in dotted]
    assert np.array(dots) == pytest.approx(np.array(wanted), abs=0.02)
    ticks = [text for text in drawn.texts if text.color.name() == LOOK.muted]
    assert ticks
    assert all(tick.x > rect.right() for tick in ticks)
    assert {text.words for text in drawn.texts if text not in ticks} <= {"0" if plot.logarithmic else "−∞", "+∞"}
    for tick in ticks:
        at = plot.low + (rect.bottom() - tick.y) / rect.height() * (plot.high - plot.low)
        value = np.log10(number(tick.words)) if plot.logarithmic else number(tick.words)
        assert value == pytest.approx(at, rel=1e-3, abs=1.1 / rect.height() * (plot.high - plot.low))
    if plot.zone is not None:
        tops = [area.rect.top() for area in drawn.areas if area.rect.bottom() == rect.bottom()]
        assert any(top == pytest.approx(y_of(plot.zone)) for top in tops)


def expect_names(view: View, lane: Lane, drawn: Drawn, plot: Plot | None) -> None:
    """Each name is written in its curve's colour in the middle of the box that is kept free for it."""
    assert plot is not None
    colors = {line.name: line.color for line in plot.lines}
    for text, name in zip(drawn.texts, names_of(lane), strict=True):
        assert text.color.name() == colors.get(text.words, LOOK.bad), text.words
        assert text.x + QFontMetricsF(name.font).horizontalAdvance(text.words) / 2 == pytest.approx(
            name.box.center().x()
        )
        assert name.box.top() < text.y < name.box.bottom()
    if lane.key == "gradient" and view.width > 800:
        assert set(colors) & {text.words for text in drawn.texts}


def expect_magnitudes(view: View, picture: Picture, colors: list[str], done: list[int]) -> None:
    """A strip of colours lies under its time steps."""
    for t in set(done) & set(view.inside):
        for part in (-0.4, 0.4):
            x = view.x(t + part)
            if picture.rect.left() < x < picture.rect.right():
                assert picture.color_at(x, picture.rect.center().y()) == colors[t - 1], t


def expect_chain(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    cells = cells_of(lane)
    done = view.passed(view.state.place.cursor.layer.endswith("_reverse"))
    for picture in drawn.pictures:
        expect_magnitudes(view, picture, cells.colors, done)
        ends = [view.time_step_at(x) for x in (picture.rect.left() + 1, picture.rect.right() - 1)]
        assert set(ends) <= {*done, view.cursor}
    if view.pitch < 5:
        assert len(drawn.pictures) == 1
        return
    assert len(drawn.pictures) == (1 if view.pitch < 26 else 0)
    found = {view.time_step_at(area.rect.center().x()): area for area in drawn.areas if area.rect.width() < 30}
    assert sorted(found) == [t for t in view.visible if t in found]
    assert set(view.inside) <= set(found)
    for t, area in found.items():
        wanted = LOOK.cursor if t == view.cursor else cells.colors[t - 1] if t in done else LOOK.background
        assert name_of(area.color) == wanted, t
        assert t == view.cursor or name_of(area.frame) == cells.color
        assert area.rect.center().x() == pytest.approx(view.x(t), abs=0.51)


def expect_legend(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    assert bool(drawn.pictures) == (lane.model == 0)
    if drawn.pictures:
        low, high = sorted(drawn.texts, key=lambda text: text.x)
        assert number(low.words) == pytest.approx(1e-8)
        assert number(high.words) == pytest.approx(10.0 ** round(cells_of(lane).legend_top))
        (bar,) = drawn.pictures
        ends = [bar.color_at(x, bar.rect.center().y()) for x in (bar.rect.left() + 0.01, bar.rect.right() - 0.01)]
        assert ends == [QColor(*map(int, LOOK.magnitude_map()[end])).name() for end in (0, 255)]


def expect_symbols(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    symbols = symbols_of(lane)
    assert view.state.run.task is not None
    marked = view.state.run.task.marked_symbols
    if any(area.rect.width() <= 3 for area in drawn.areas):  # ticks
        assert [view.time_step_at(area.rect.center().x()) for area in drawn.areas] == view.visible
        tall = {view.time_step_at(area.rect.center().x()) for area in drawn.areas if name_of(area.color) == LOOK.cursor}
        assert tall == {t for t in view.visible if symbols[t - 1] in marked}
        for text in drawn.texts:
            assert text.words == symbols[view.time_step_at(text.x - 3) - 1]
        return
    for t in view.inside:
        (text,) = [text for text in drawn.texts if abs(text.x - view.x(t)) < 0.01]
        assert text.words == SIGNS.get(symbols[t - 1], symbols[t - 1])
    boxes = {view.time_step_at(area.rect.center().x()) for area in drawn.areas}
    assert boxes == {t for t in view.visible if symbols[t - 1] in marked or t == view.cursor}


def expect_choices(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    held = choices_of(lane)
    rect = next(item.rect for item in lane.items if isinstance(item, TopChoices))
    assert view.state.run.task is not None
    labels = [SIGNS.get(label, label) for label in view.state.run.task.output_labels]
    for t in view.inside:
        chances, target, asked = held.chances[t - 1], int(held.targets[t - 1]), bool(held.asked[t - 1])
        hit = LOOK.good if held.best[t - 1, 0] == target else LOOK.bad
        here = [area for area in drawn.areas if abs(area.rect.center().x() - view.x(t)) < 0.01 and area.color]
        here = [area for area in here if area.rect.width() < view.pitch + 0.5]
        if view.pitch < 9:
            here = [area for area in here if area.rect.width() > 2.01 or name_of(area.color) != LOOK.cursor]
            sign, bar = here if asked else (None, None)
            if sign is not None and bar is not None:
                assert name_of(sign.color) == hit
                assert bar.rect.height() == pytest.approx(chances[target] * (rect.height() - 7))
                assert bar.rect.bottom() == pytest.approx(rect.bottom())
            else:
                assert not here
            continue
        column = sorted((text for text in drawn.texts if abs(text.x - view.x(t)) < 0.01), key=lambda text: text.y)
        rows = min(4, max(2, int(rect.height() / 13)))  # a low lane has fewer guesses below the target
        first = [text for text in column if text.y < rect.top() + rect.height() / rows]
        assert [(text.words, text.color.name()) for text in first] == ([(labels[target], hit)] if asked else [])
        best = column[len(first) :]
        guesses = held.best[t - 1][: rows - 1]
        assert [text.words[0] for text in best] == [labels[k] for k in guesses]
        shades = [area.color.alphaF() for area in here if area.color is not None]
        assert shades == pytest.approx([0.04 + 0.76 * chances[k] for k in guesses], abs=0.005)
        if view.pitch >= 38:
            assert [float(text.words[1:]) for text in best] == pytest.approx(chances[guesses], abs=0.0051)


def expect_final_bars(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    chances, target = bars_of(lane)
    task = view.state.run.task
    assert task is not None
    rect, row = heat_of(lane).rect, heat_of(lane).rect.height() / len(chances)
    full = next(item.rect.width() for item in lane.items if isinstance(item, FinalBars)) - 34
    assert [area.rect.width() / full for area in drawn.areas] == pytest.approx(chances)
    assert [area.rect.center().y() for area in drawn.areas] == pytest.approx(
        [rect.top() + (n + 0.5) * row for n in range(len(chances))]
    )
    best = int(np.argmax(chances))
    far = abs(best - target) * row >= 10
    named = list(range(len(chances))) if row >= 11 else [target, best] if far else [target]
    assert sorted(text.words for text in drawn.texts) == sorted(task.output_labels[n] for n in named)
    for text in drawn.texts:
        number = task.output_labels.index(text.words)
        assert text.y == pytest.approx(drawn.areas[number].rect.center().y(), abs=0.01 if row >= 11 else 5)
        assert rect.top() <= text.y <= rect.bottom()
        assert (name_of(text.color) == LOOK.text) == (number == target)


def expect_ruler(view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    names = ruler_names(lane)
    written = {round((text.x - view.left) / view.pitch + view.first, 6): text.words for text in drawn.texts}
    assert {t: names[int(t) - 1] for t in written} == written
    assert set(written) <= set(view.visible)
    assert (view.cursor in written) == (view.cursor in view.visible)
    assert len(written) >= 2


def expect_label(_view: View, lane: Lane, drawn: Drawn, _plot: Plot | None) -> None:
    pressed = LOOK.accent if " folded" in lane.label.subtitle else LOOK.muted  # what can be pressed
    wanted = [(lane.label.title, LOOK.text), (lane.label.note or lane.label.subtitle, pressed)]
    low = lane.rect.height() < 32
    if lane.label.note:
        wanted[0 if low else 1] = (lane.label.title if low else lane.label.note), LOOK.bad
    for text, (words, color) in zip(drawn.texts, wanted, strict=False):
        assert words.startswith(text.words.rstrip("…"))
        assert text.color.name() == color
    if low:  # the subtitle stands beside the title where it fits whole
        assert [text.words for text in drawn.texts] == [lane.label.title, lane.label.subtitle][: len(drawn.texts)]
        assert all(abs(text.y - drawn.texts[0].y) < 2 for text in drawn.texts)
    else:
        assert len(drawn.texts) == 2
    colors = [name_of(area.color) for area in drawn.areas]
    assert colors == ([cells_of(lane).color] if lane.key == "chain" else [])


Expected = Callable[[View, Lane, Drawn, Plot | None], None]
EXPECTED: dict[type[CanvasItem], Expected] = {
    HeatMap: expect_heat, ColorBar: expect_bar, CurvePlot: expect_plot, CurveNames: expect_names, Chain: expect_chain,
    MagnitudeLegend: expect_legend, Symbols: expect_symbols, TopChoices: expect_choices, FinalBars: expect_final_bars,
    Ruler: expect_ruler, LaneLabel: expect_label,
}  # fmt: skip


def expect_cursor_line(view: View, stack: LaneStack, plots: dict[Lane, Plot]) -> None:
    """It stands at the time step, with a dot on every curve that has a value there."""
    line, dots = line_of(stack), []
    drawn = drawn_by(line)
    (stroke,) = drawn.strokes
    assert [x for x, _ in stroke.points] == pytest.approx([view.x(view.cursor)] * 2, abs=0.5)
    for lane, plot in plots.items():
        rect = next(item.rect for item in lane.items if isinstance(item, CurvePlot))
        for curve in plot.lines:
            value = float(curve.values[view.cursor - 1])
            if not np.isnan(value):
                y = rect.bottom() - (value - plot.low) / (plot.high - plot.low) * rect.height()
                dots.append((min(max(y, rect.top()), rect.bottom()), curve.color))
    assert [dot.color.name() for dot in drawn.dots] == [color for _, color in dots]
    assert [dot.place[1] for dot in drawn.dots] == pytest.approx([y for y, _ in dots], abs=0.02)


@pytest.fixture
def opened(qtbot: QtBot) -> Opened:
    return partial(open_lanes, qtbot)


def zoomed(stack: LaneStack, store: Store, width: int, notches: int, at: float) -> View:
    """Zooms a whole view about a pixel, and says what should be seen then."""
    stack.resize(width, HEIGHT)
    stack.show_all_time_steps()
    plot, count = plot_width(stack), LENGTHS[store.state.place.sample]
    x = round(LABEL_COLUMN + at * plot)
    wheel(view_of(stack), QPointF(x, 200), notches)
    span = max(count / 1.25**notches, 4.0)
    first = 0.5 + (x - LABEL_COLUMN) / plot * (count - span)
    return View(store.state, LABEL_COLUMN, plot, first, first + span)


@pytest.mark.parametrize("models", CASES)
def test_what_is_drawn_at_each_time_step_is_what_the_lane_holds(opened: Opened, models: str) -> None:
    kind, structures, layer = CASES[models]
    stack, store = opened(traced_state(kind, structures, layer, seed=57).state)
    cursor = Cursor(TRAINING_STEP, Phase.BACKWARD, 11, layer=layer)
    update(store, sample=1, cursor=cursor, model=1, unit=2)
    plots = {lane: plot_of(lane) for lane in lanes_of(stack) if any(isinstance(item, CurvePlot) for item in lane.items)}
    for width, notches, at in VIEWS:
        view = zoomed(stack, store, width, notches, at)
        for lane in lanes_of(stack):
            for item in lane.items:
                EXPECTED[type(item)](view, lane, drawn_by(item), plots.get(lane))
        if view.cursor in view.visible:
            expect_cursor_line(view, stack, plots)


def test_a_wheel_pans_a_zoomed_view_where_nothing_scrolls(opened: Opened) -> None:
    """Towards the person: on in time, by 60 pixels a notch; where lanes scroll, it scrolls them."""
    kind, structures, layer = CASES["vanilla, lstm"]
    stack, store = opened(traced_state(kind, structures, layer, seed=57).state)
    for hidden_lanes, notches, pixels in (
        (store.state.look.hidden_lanes, -2, 0),
        (frozenset(), -2, 120),
        (frozenset(), 1, -60),
    ):
        update(store, hidden_lanes=hidden_lanes, sample=1)
        view = zoomed(stack, store, WIDTH, 4, 0.4)
        stack.resize(WIDTH, HEIGHT if pixels else 400)
        scroll = view_of(stack).verticalScrollBar()
        assert (scroll.maximum() > 0) == (pixels == 0)
        wheel(view_of(stack), QPointF(500, 200), notches, Qt.KeyboardModifier.NoModifier)
        assert axis_of(stack).first == pytest.approx(view.first + pixels / view.pitch)
        assert (scroll.value() > 0) == (pixels == 0)
