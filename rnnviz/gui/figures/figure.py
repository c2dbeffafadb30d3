"""Figure: the view in front, training curves or both with a heading, drawn for a page: nothing in it can be pressed."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import ceil

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QFontMetrics, QImage
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import whole
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.selection import exactly, lane_choices
from rnnviz.gui.figures.formats import Measures, in_pixels
from rnnviz.gui.figures.pictures import window_image
from rnnviz.gui.gradients.page import GradientsView
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.look.theme import dress, theme
from rnnviz.gui.network.network_view import NetworkView
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.views import shown_view
from rnnviz.gui.training.training_panel import TrainingPanel

Front = LaneStack | NetworkView | GradientsView
_FRONTS: Mapping[str, Callable[..., Front]] = {
    "lanes": LaneStack,
    "network": NetworkView,
    "gradients": GradientsView,
}
_LEAST_PLOT = 160  # pixels between the columns
_MARGIN, _HEADING_GAP = 14, 24  # pixels
_TRAINING_HEIGHT = 160  # below lanes


@dataclass(frozen=True)
class Curves:
    """Which training curves, and on which axis."""

    metric: str = "loss"
    log: bool = False


def draw_figure(
    state: State,
    measures: Measures,
    *,
    view: bool = True,
    curves: Curves | None = None,
    axis: TimeAxis | None = None,
    grows: bool = False,
) -> QImage:
    """The figure of `state`, exactly as large as `measures` say; RnnvizError with a size that fits where it does not.

    `view`: lanes or network, whichever is in front. `axis`: the part of the time that lanes show; without, all of it.
    Where it `grows` it is as high as lanes need that are not compact.
    """
    measures.check()
    size = _units(measures)
    with scale.as_designed(), _page(state, size[0], view=view, curves=curves) as (page, front):
        if grows and front is not None:
            front.setMinimumHeight(front.needed_height())
        needed = _needed(page, size[0], view=view)
        if grows:
            size = size[0], max(size[1], needed[1])
            measures = replace(measures, size=(measures.size[0], max(measures.size[1], needed[1])))
        if needed[0] > size[0] or needed[1] > size[1]:
            width, height = (
                ceil(max(least * measures.font_scale, given))
                for least, given in zip(needed, measures.size, strict=True)
            )
            at = f" at font scale {measures.font_scale:g}" if measures.font_scale != 1 else ""
            raise RnnvizError(
                f"size: {in_pixels(measures.size)} is too small for this figure{at}; {in_pixels((width, height))} fits."
            )
        page.resize(*size)
        page.grab()  # lays everything out, as showing it would
        if isinstance(front, LaneStack) and axis is not None:
            front.show_time_steps(axis)
        return window_image(page, measures)


def lanes_as_seen(state: State) -> State:
    """`state` with exactly the lanes that are on now, however high a picture of them is."""
    keys = frozenset(choice.key for choice in lane_choices(state) if choice.on)
    return replace(state, look=replace(state.look, hidden_lanes=exactly(state, keys), fitting_lanes=frozenset()))


def _units(measures: Measures) -> tuple[int, int]:
    """The size in the pixels of the screen: larger texts leave room for fewer of them."""
    width, height = (ceil(round(side / measures.font_scale, 6)) for side in measures.size)
    return width, height


def _needed(page: QWidget, width: int, *, view: bool) -> tuple[int, int]:
    layout = page.layout()
    assert layout is not None
    least = layout.totalMinimumSize()
    columns = round(LABEL_COLUMN + SCALE_COLUMN) + _LEAST_PLOT
    wide = max(columns, least.width())
    high = layout.totalMinimumHeightForWidth(max(width, wide)) if layout.hasHeightForWidth() else least.height()
    return wide, high


@contextmanager
def _page(state: State, width: int, *, view: bool, curves: Curves | None) -> Iterator[tuple[QWidget, Front | None]]:
    """The page while it is drawn, and the view in it."""
    page = QWidget()
    page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    page.setObjectName("page")
    dress(page, theme(state.look.theme), f"#page {{ background: {theme(state.look.theme).background}; }}")
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 12, 0, 8)
    column.setSpacing(8)
    column.addLayout(_heading(state, width, view=view))
    store, front = Store(state), None
    if view:
        front = _FRONTS[shown_view(state).key](store, picture=True)
        front.resize(width, front.height())  # cards that lie side by side need less height
        front.setMinimumHeight(front.picture_height())
        column.addWidget(front, 1)
    if curves is not None:
        panel = TrainingPanel(store, picture=True)
        panel.choose_curves(curves.metric, log=curves.log)
        if view:
            panel.setFixedHeight(_TRAINING_HEIGHT)
        column.addWidget(panel, 0 if view else 1)
    try:
        yield page, front
    finally:
        page.deleteLater()
        QCoreApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete)


def _heading(state: State, width: int, *, view: bool) -> QBoxLayout:
    """What is drawn, in words: a figure must be readable without its file name. Two lines where one is too short."""
    colors, cursor = theme(state.look.theme), state.place.cursor
    words = f"training step {whole(cursor.training_step)}" if state.run.trainable else ""
    if view:
        words += " · " * bool(words) + f"{cursor.phase.words.lower()} · time step {cursor.time_step:,}"
        if state.walkable.batch_size:
            words += f" · {state.walkable.sequence_words(state.place)}"
    name, where = QLabel(state.run.title), QLabel(words)
    name.setTextFormat(Qt.TextFormat.PlainText)
    name.setFont(fonts.semibold(fonts.TITLE))
    name.setStyleSheet(f"color: {colors.text};")
    where.setFont(fonts.text())
    where.setStyleSheet(f"color: {colors.muted};")
    taken = QFontMetrics(name.font()).horizontalAdvance(name.text()) + QFontMetrics(where.font()).horizontalAdvance(
        words
    )
    beside = taken + _HEADING_GAP + 2 * _MARGIN <= width
    row = QBoxLayout(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
    row.setContentsMargins(_MARGIN, 0, _MARGIN, 0)
    row.setSpacing(_HEADING_GAP if beside else 2)
    name.setWordWrap(not beside)
    row.addWidget(name, 1)
    row.addWidget(where)
    return row
