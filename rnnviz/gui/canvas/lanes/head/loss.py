"""The loss L_t of each time step, of all models."""

from collections.abc import Callable, Sequence

import numpy as np

from rnnviz.core.magnitude import log10
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.gui.canvas.items.curve_plot import Curve
from rnnviz.gui.canvas.lanes.curve_lane import CurveLane
from rnnviz.gui.canvas.lanes.lane import LaneSlot
from rnnviz.gui.canvas.lanes.lane_kind import LaneKind, Offer
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown, ShownModel
from rnnviz.gui.canvas.lanes.value_axes import flattened, linear, logarithmic


class LossLane(CurveLane):
    """L_t with the loss's own reduction included, so that the curve sums to L; gaps where nothing is asked.

    Logarithmic where the loss of one model would make a flat line of another's.
    """

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "Loss", _part(shown))

    def show(self, shown: Shown) -> None:
        models = [model for model in shown.models if model.losses.size]
        log = flattened([model.losses[shown.asked] for model in models])
        self.label.set_text("Loss", f"log₁₀ {_part(shown)}" if log else _part(shown))
        self.label.words = _total(shown)
        curves = []
        for model in models:
            values = log10(np.abs(model.losses)) if log else model.losses
            curves.append(Curve(values, model.color, model.name, present=shown.asked, dash=model.dash))
        self.tips = [(model.name, model.losses) for model in models]
        self.present = dict.fromkeys((curve.name for curve in curves), shown.asked)
        asked = [curve.values[shown.asked] for curve in curves]
        self.plot.set_curves(curves, logarithmic(asked, decades=2) if log else linear(asked, include=0.0))

    def rests(self, shown: Shown) -> Sequence[Rest]:
        found = [model.head_rests for model in shown.models if model.head is not None]
        return (*(found[0] if found else ()), *shown.rests)


def _part(shown: Shown) -> str:
    """ "Lₜ ÷ 4 sequences": the curve of a sequence is its part in the mean over the batch."""
    divided = next((words for model in shown.models if (words := _of(model, HeadTrace.divided_by))), "")
    return f"Lₜ, ÷ {divided}" if divided else "Lₜ"


def _of(model: ShownModel, words: Callable[[HeadTrace], str]) -> str:
    return words(model.head) if model.head is not None else ""


def _total(shown: Shown) -> str:
    """What L is, for the tooltip."""
    losses = dict.fromkeys(LOSSES[model.head.loss].words for model in shown.models if model.head is not None)
    reduction = next((words for model in shown.models if (words := _of(model, HeadTrace.reduction_words))), "")
    return f"Loss, {' or '.join(losses)}: L = Σₜ Lₜ{f', {reduction}' if reduction else ''}"


def _offers(shown: Shown) -> Sequence[Offer]:
    if shown.task is None or shown.task.output_kind == "none":
        return []
    return [Offer("loss", "Loss of each time step", "room" if shown.asked_often else False, LossLane, room=0.15)]


LOSS = LaneKind(_offers)
