"""What lies over all lanes together: the cursor line, the ground where lanes have nothing, the borders of stages."""

from collections.abc import Iterator, Sequence

from PySide6.QtCore import QRectF
from PySide6.QtWidgets import QGraphicsScene

from rnnviz.gui.canvas.items.cursor_line import CursorLine
from rnnviz.gui.canvas.items.hatched import Hatched
from rnnviz.gui.canvas.items.stage_names import Borders
from rnnviz.gui.canvas.items.time_axis import TimeAxis
from rnnviz.gui.canvas.lanes.lane import Lane
from rnnviz.gui.canvas.lanes.shown import Shown
from rnnviz.gui.look.theme import Theme

_EDGES_APART = 6.0  # pixels between two cuts at least, or none is drawn
ABOVE_CURSOR, _CURSOR, _BORDERS, _RESTS = 20.0, 10.0, 6.0, 5.0  # drawing order


class LaneOverlays:
    """Items in the scene of the lanes, above them all."""

    def __init__(self, theme: Theme, scene: QGraphicsScene) -> None:
        self.line, self.hatched, self.borders = CursorLine(theme), Hatched(theme), Borders(theme)
        self._scene = scene
        for item, order in ((self.line, _CURSOR), (self.hatched, _RESTS), (self.borders, _BORDERS)):
            item.setZValue(order)
            scene.addItem(item)

    def remove(self) -> None:
        for item in (self.line, self.hatched, self.borders):
            self._scene.removeItem(item)

    def lay_out(self, lanes: Sequence[Lane], shown: Shown, axis: TimeAxis) -> None:
        """Where lanes have nothing, and where stages begin or gradients are cut."""
        found = [part for lane in lanes for part in _resting(lane, shown, axis)]
        self.hatched.set_boxes([box for box, _ in found], [words for _, words in found])
        lines = [axis.x(stage.first - 0.5) for stage in shown.stages[1:]]
        if len(edges := shown.cuts.edges) * _EDGES_APART < axis.width:
            lines += [axis.x(edge + 0.5) for edge in edges]
        seen = [x for x in lines if axis.left < x < axis.right]
        self.borders.set_lines(seen, lanes[0].rect.bottom(), lanes[-1].rect.bottom())

    def move_cursor(self, lanes: Sequence[Lane], shown: Shown, axis: TimeAxis) -> None:
        sweep, dots = shown.sweep, []
        for lane in lanes:
            lane.move_cursor(sweep)
            dots.extend(lane.dots(sweep.time_step))
        self.line.setVisible(axis.holds(sweep.time_step))
        self.line.move(axis.x(sweep.time_step), lanes[0].rect.top(), lanes[-1].rect.bottom(), dots)


def _resting(lane: Lane, shown: Shown, axis: TimeAxis) -> Iterator[tuple[QRectF, str]]:
    for rest in lane.rests(shown):
        left, right = max(axis.x(rest.first - 0.5), axis.left), min(axis.x(rest.last + 0.5), axis.right)
        if right > left:
            yield QRectF(left, lane.rect.top(), right - left, lane.rect.height()), rest.said
