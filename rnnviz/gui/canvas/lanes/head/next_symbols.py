"""The prediction of one model where the next symbol is asked at every time step."""

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QRectF

from rnnviz.gui.canvas.items.chain import Sweep
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.items.top_choices import TopChoices
from rnnviz.gui.canvas.lanes.lane import Heights, Lane, LaneSlot
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.canvas.lanes.shown_model import prediction_words


class NextSymbolsLane(Lane):
    """The target in the first row, green where it was the best guess, and the top three below it."""

    heights = Heights(52, 66, 84, compact=28)
    over_cursor = True

    def __init__(self, shown: Shown, slot: LaneSlot) -> None:
        super().__init__(shown, slot, "prediction")
        labels = shown.task.output_labels if shown.task is not None else ()
        self.choices = TopChoices(shown.theme, slot.shown_model(shown).color, labels)
        self.items.append(self.choices)

    def show(self, shown: Shown) -> None:
        model = self.shown_model(shown)
        chances = model.scores
        if chances is None or shown.targets is None:
            return
        head = model.head
        there = range(head.start + 1, head.stop + 1) if head is not None else None
        self.choices.set_probabilities(chances, shown.targets, shown.asked, there)
        hits = (np.argmax(chances, axis=1) == shown.targets)[shown.asked]
        self.label.set_text("prediction", f"top 3, {int(hits.sum())} of {hits.size} right")
        self.label.words = prediction_words(model)

    def rests(self, shown: Shown) -> Sequence[Rest]:
        return (*self.shown_model(shown).head_rests, *super().rests(shown))

    def move_cursor(self, sweep: Sweep) -> None:
        self.choices.set_cursor(sweep.time_step)

    def place_plot(self, plot: QRectF, axis: TimeAxis) -> None:
        self.choices.place(plot, axis)
