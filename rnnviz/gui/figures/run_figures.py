"""Run figures: the views `rnnviz render` draws: the window's own lanes and curves over one recorded training step."""

from dataclasses import replace
from pathlib import Path
from typing import get_args

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import whole
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import begun
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.canvas.lanes.gradient import GRADIENT
from rnnviz.gui.canvas.lanes.input.input_kind import INPUT
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind
from rnnviz.gui.canvas.lanes.model_header import CHAIN
from rnnviz.gui.canvas.lanes.selection import exactly, keys_of
from rnnviz.gui.canvas.lanes.share import SHARE
from rnnviz.gui.canvas.lanes.unit_lanes import STATES
from rnnviz.gui.figures.formats import SCALES, figure_format
from rnnviz.gui.figures.pictures import save_picture, window_image
from rnnviz.gui.live.history import HistoryReader
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import ThemeName, apply, theme
from rnnviz.gui.state.run import Recorded, ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Appearance
from rnnviz.gui.training.training_panel import TrainingPanel
from rnnviz.runs.reading.reader import Run, open_run

# the lanes of each view; None: those of the window
VIEWS: dict[str, tuple[LaneKind, ...] | None] = {
    "overview": None,
    "hidden": (INPUT, CHAIN, STATES),
    "gradients": (INPUT, CHAIN, GRADIENT, SHARE),
    "loss": (),
}
_FORWARD_VIEWS = ("hidden",)  # what happens in the forward sweep; the others stand in the backward sweep
_SMALLEST, _LARGEST = 200, 8192  # pixels at 1×
_TRAINING_HEIGHT = 150


def render_view(
    run_path: Path,
    view: str,
    training_step: int | None,
    time_step: int | None,
    size: tuple[int, int],
    theme: ThemeName,
    out: Path,
    scale: int = 1,
) -> None:
    """Draws a view of a run as a picture of `size` times `scale` pixels, without a window or a screen.

    `view` is "overview", "hidden", "gradients" or "loss"; without `training_step` the last captured one, without
    `time_step` the last one is shown. Lanes that need more height than `size` has make the picture higher.
    RnnvizError for a run, training step, time step, view, size or file that does not fit.
    """
    figure_format(out)  # refused before anything is drawn
    save_picture(draw_view(run_path, view, training_step, time_step, size, theme, scale), out)


def draw_view(
    run_path: Path,
    view: str,
    training_step: int | None,
    time_step: int | None,
    size: tuple[int, int],
    theme_name: ThemeName,
    scale: int = 1,
) -> QImage:
    """The picture `render_view` writes."""
    _check(view, size, theme_name, scale)
    with open_run(run_path) as run:
        state = recorded_state(run, training_step, time_step, theme_name, view in _FORWARD_VIEWS)
    application = QApplication.instance() or QApplication(["rnnviz", "-platform", "offscreen"])
    assert isinstance(application, QApplication)
    apply(application, theme(theme_name))
    store = Store(_with_lanes(state, VIEWS[view]))
    page = _page(store, view)
    page.resize(*size)
    page.grab()  # lays everything out, as showing it would
    stack = page.findChild(LaneStack)
    missing = stack.needed_height() - stack.height() if stack is not None else 0
    if missing > 0:
        page.resize(size[0], size[1] + missing)
        page.grab()
    image = window_image(page, scale)
    page.deleteLater()
    QCoreApplication.sendPostedEvents(page, QEvent.Type.DeferredDelete)
    return image


def recorded_state(
    run: Run, training_step: int | None, time_step: int | None, theme_name: ThemeName, forward: bool = False
) -> State:
    """The state a window would have with this run opened at that training step and time step."""
    captured = run.captured()
    if training_step is None:
        if not captured.size:
            raise RnnvizError(f"{run.path} holds no captured training step yet; wanted one to draw.")
        training_step = int(captured[-1])
    traces = tuple(run.trace(training_step, model.number) for model in run.models)
    length = traces[0].sequence_length(0)
    if time_step is not None and not 1 <= time_step <= length:
        raise RnnvizError(f"{run.path}: wanted a time step from 1 to {length}, got {time_step}.")
    phase = Phase.FORWARD if forward else Phase.BACKWARD
    return State(
        run=ShownRun(run.source, path=run.path, task=run.task, models=run.models),
        recorded=Recorded(history=HistoryReader(run).read(), traces=traces),
        place=begun(training_step, phase=phase, time_step=time_step or length, following=False),
        look=Appearance(theme=theme_name),
    )


def _check(view: str, size: tuple[int, int], theme_name: str, scale: int) -> None:
    if view not in VIEWS:
        raise RnnvizError(f"view: wanted one of {', '.join(VIEWS)}, got {view}.")
    if theme_name not in get_args(ThemeName):
        raise RnnvizError(f"theme: wanted dark or light, got {theme_name}.")
    if scale not in SCALES:
        raise RnnvizError(f"scale: wanted one of {', '.join(map(str, SCALES))}, got {scale}.")
    if not all(_SMALLEST <= side <= _LARGEST for side in size):
        raise RnnvizError(f"size: wanted {_SMALLEST} to {_LARGEST} pixels each way, got {size[0]}x{size[1]}.")


def _with_lanes(state: State, kinds: tuple[LaneKind, ...] | None) -> State:
    """`state` with exactly the lanes of `kinds` on."""
    if kinds is None:
        return state
    return replace(state, look=replace(state.look, hidden_lanes=exactly(state, keys_of(state, kinds))))


def _page(store: Store, view: str) -> QWidget:
    """A heading, then the lanes, the training curves, or both."""
    page = QWidget()
    page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
    page.setObjectName("page")
    colors = theme(store.state.look.theme)
    page.setStyleSheet(f"#page {{ background: {colors.background}; }}")
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 12, 0, 8)
    column.setSpacing(8)
    column.addLayout(_heading(store.state, view))
    if view != "loss":
        column.addWidget(LaneStack(store), 1)
    if view in ("overview", "loss"):
        panel = TrainingPanel(store)
        for control in (panel.live, panel.log):  # nobody can press them in a picture
            control.hide()
        if view == "loss":
            panel.metric_choice.set_value("loss")
            panel.metric_choice.chosen.emit("loss")
        else:
            panel.setFixedHeight(_TRAINING_HEIGHT)
        column.addWidget(panel, 1 if view == "loss" else 0)
    return page


def _heading(state: State, view: str) -> QHBoxLayout:
    """What is drawn, in words: a figure must be readable without its file name."""
    row = QHBoxLayout()
    row.setContentsMargins(14, 0, 14, 0)
    name = QLabel(state.run.title)
    name.setFont(fonts.semibold(fonts.TITLE))
    name.setTextFormat(Qt.TextFormat.PlainText)
    cursor = state.place.cursor
    words = f"training step {whole(cursor.training_step)}"
    if view != "loss":
        words += f" · {cursor.phase.words.lower()} · time step {cursor.time_step}"
    where = QLabel(words)
    where.setStyleSheet(f"color: {theme(state.look.theme).muted};")
    row.addWidget(name)
    row.addStretch()
    row.addWidget(where)
    return row
