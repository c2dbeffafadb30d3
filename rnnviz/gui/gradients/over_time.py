"""Over time: the base of cards whose x axis is the time steps: the cursor is a line, a press goes to its time step."""

from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.numbers import whole
from rnnviz.gui.gradients.card import Card, Sight, Spot, rest_words, rests_of
from rnnviz.gui.gradients.plots.plot import Plot
from rnnviz.gui.network.drawing import Drawing


class OverTime(Card):
    """Says where its plot lies, and what is there at a time step."""

    def plot(self, sight: Sight, area: QRectF) -> Plot:
        """Where the time steps are drawn."""
        raise NotImplementedError

    def told(self, sight: Sight, time_step: int) -> Spot | None:
        """What is to be said of a time step, from 1, and where a press leads."""
        raise NotImplementedError

    def mark(self, sight: Sight, area: QRectF) -> Drawing:
        drawing = Drawing()
        if sight.known:
            plot = self.plot(sight, area)
            plot.draw_cuts(drawing, sight.theme, self.cuts(sight))
            model = sight.known[0].model
            plot.draw_rests(drawing, sight.theme, rests_of(model, not self.of_row))
            if self.of_row:
                plot.draw_hand_over(drawing, sight.theme, [layer.start for layer in model.row[1:]])
            plot.draw_cursor(drawing, sight.theme, sight.shown.cursor.time_step)
        return drawing

    def spot(self, sight: Sight, area: QRectF, point: QPointF) -> Spot | None:
        if not sight.known:
            return None
        plot = self.plot(sight, area)
        if not plot.frame.contains(point):
            return None
        t = plot.time_step_at(point.x())
        if words := self.cuts(sight).words(t):
            return Spot(f"time step {whole(t)}: {words}", t)
        rests = [rest_words(found.model, t, not self.of_row) for found in sight.known]
        if all(rests):
            return Spot(f"time step {whole(t)}: {rests[0]}", t)
        return self.told(sight, t)
