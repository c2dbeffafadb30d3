"""Run figures: what `rnnviz render` draws: the window's own views and curves at one recorded training step."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import get_args

from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import KIND_WORDS, CaptureKind
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import begun
from rnnviz.gui.canvas.lanes.gradient import GRADIENT
from rnnviz.gui.canvas.lanes.input.input_kind import INPUT
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind
from rnnviz.gui.canvas.lanes.model_header import CHAIN
from rnnviz.gui.canvas.lanes.row import lowest_at
from rnnviz.gui.canvas.lanes.selection import exactly, keys_of
from rnnviz.gui.canvas.lanes.share import SHARE
from rnnviz.gui.canvas.lanes.unit_lanes import STATES
from rnnviz.gui.figures.figure import Curves, draw_figure
from rnnviz.gui.figures.formats import Measures, figure_format
from rnnviz.gui.figures.pictures import save_picture
from rnnviz.gui.live.history import HistoryReader
from rnnviz.gui.look.theme import ThemeName, apply, theme
from rnnviz.gui.network.levels import LEVELS, Level
from rnnviz.gui.state.laboratory import CARDS
from rnnviz.gui.state.run import Recorded, ShownRun
from rnnviz.gui.state.state import State
from rnnviz.gui.state.views import VIEWS
from rnnviz.gui.state.window import Appearance
from rnnviz.runs.reading.reader import Run, open_run

# by name, which lanes; None: those of the window
LANE_SETS: dict[str, tuple[LaneKind, ...] | None] = {
    "overview": None,
    "hidden": (INPUT, CHAIN, STATES),
    "gradients": (INPUT, CHAIN, GRADIENT, SHARE),
    "loss": (),
}
_FORWARD = ("hidden",)  # what happens in the forward sweep; the others stand in the backward sweep


@dataclass(frozen=True)
class Wanted:
    """What is drawn of a run: one of `VIEWS`; of lanes one of `LANE_SETS`, of the network how close and which sweep, of
    gradients which cards."""

    view: str = "lanes"
    lanes: str = "overview"
    level: Level = "unrolled"
    sweep: str = ""  # "forward" or "backward"; "": as it suits
    cards: tuple[str, ...] = ()  # of the view gradients: which, by their keys; (): the usual ones
    kind: CaptureKind = "probe"  # whose sequences

    @property
    def phase(self) -> Phase:
        if self.sweep:
            return Phase(self.sweep)
        return Phase.FORWARD if self.view == "lanes" and self.lanes in _FORWARD else Phase.BACKWARD

    def check(self) -> None:
        """RnnvizError that names what there is."""
        known: dict[str, Iterable[str]] = {
            "view": [view.key for view in VIEWS],
            "lanes": LANE_SETS,
            "level": LEVELS,
            "sweep": ("", "forward", "backward"),
        }
        if self.cards and self.view != "gradients":
            raise RnnvizError(f"cards: wanted with the view gradients, got the view {self.view}.")
        keys = [card.key for card in CARDS]
        if strange := [card for card in self.cards if card not in keys]:
            raise RnnvizError(f"cards: wanted some of {', '.join(keys)}, got {strange[0]}.")
        for name, having in known.items():
            if getattr(self, name) not in having:
                raise RnnvizError(
                    f"{name}: wanted one of {', '.join(filter(None, having))}, got {getattr(self, name)}."
                )


def render_view(
    run_path: Path,
    wanted: Wanted,
    training_step: int | None,
    time_step: int | None,
    measures: Measures,
    theme: ThemeName,
    out: Path,
) -> None:
    """Draws a view of a run as a picture that is as large as `measures` say, without a window or a screen.

    Without `training_step` the last captured one, without `time_step` the last one is shown. RnnvizError for a run,
    training step, time step, view, size or file that does not fit.
    """
    figure_format(out)  # refused before anything is drawn
    save_picture(draw_view(run_path, wanted, training_step, time_step, measures, theme), out)


def draw_view(
    run_path: Path,
    wanted: Wanted,
    training_step: int | None,
    time_step: int | None,
    measures: Measures,
    theme_name: ThemeName,
) -> QImage:
    """The picture `render_view` writes."""
    wanted.check()
    if theme_name not in get_args(ThemeName):
        raise RnnvizError(f"theme: wanted dark or light, got {theme_name}.")
    measures.check()
    with open_run(run_path) as run:
        state = recorded_state(run, training_step, time_step, theme_name, wanted.phase, wanted.kind)
    application = QApplication.instance() or QApplication(["rnnviz", "-platform", "offscreen"])
    assert isinstance(application, QApplication)
    apply(application, theme(theme_name))
    if wanted.view == "lanes":
        return _draw_lanes(_with_lanes(state, LANE_SETS[wanted.lanes]), wanted.lanes, measures, run_path)
    laboratory = state.look.laboratory
    laboratory = laboratory.arranged(wanted.cards or laboratory.cards)
    look = replace(state.look, view=wanted.view, level=wanted.level, laboratory=laboratory)
    return draw_figure(replace(state, look=look), measures)


def _draw_lanes(state: State, lanes: str, measures: Measures, run_path: Path) -> QImage:
    if lanes == "loss" and not state.run.trainable:
        raise RnnvizError(f"{run_path} holds one trace and no training, so there are no training curves to draw.")
    curves = Curves() if lanes in ("overview", "loss") and state.run.trainable else None
    return draw_figure(state, measures, view=lanes != "loss", curves=curves)


def recorded_state(
    run: Run,
    training_step: int | None,
    time_step: int | None,
    theme_name: ThemeName,
    phase: Phase = Phase.BACKWARD,
    kind: CaptureKind = "probe",
) -> State:
    """The state a window would have with this run opened at that training step and time step."""
    captured = run.captured(kind=kind)
    if training_step is None:
        if not captured.size:
            what = "captured training step" if kind == "probe" else KIND_WORDS[kind]
            raise RnnvizError(f"{run.path} holds no {what} yet; wanted one to draw.")
        training_step = int(captured[-1])
    traces = tuple(run.trace(training_step, model.number, kind) for model in run.models)
    length = traces[0].sequence_length(0)
    if time_step is not None and not 1 <= time_step <= length:
        raise RnnvizError(f"{run.path}: wanted a time step from 1 to {length:,}, got {time_step:,}.")
    stands = time_step or length
    layer = lowest_at(traces[0].sample(0), stands)
    return State(
        run=ShownRun(run.source, path=run.path, task=run.task, models=run.models),
        recorded=Recorded(history=HistoryReader(run).read(), traces=traces),
        place=begun(training_step, phase=phase, time_step=stands, layer=layer, following=False, kind=kind),
        look=Appearance(theme=theme_name),
    )


def _with_lanes(state: State, kinds: tuple[LaneKind, ...] | None) -> State:
    """`state` with exactly the lanes of `kinds` on."""
    if kinds is None:
        return state
    return replace(state, look=replace(state.look, hidden_lanes=exactly(state, keys_of(state, kinds))))
