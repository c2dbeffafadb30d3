"""The cells of a row of the unrolled network, and the arrows between them."""

from dataclasses import dataclass

from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.cells.node import Node
from rnnviz.core.equations.places import cut_words
from rnnviz.core.equations.ways import Way, ways_back
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.dropped import draw_dropped
from rnnviz.gui.network.row_reader import Flow, RowReader
from rnnviz.gui.network.stage_marks import draw_cut, draw_hand_over

PAD = 6.0
COMPACT = 13.0  # height of one state in a cell where it is its strip alone
_SMALL = 11


@dataclass(frozen=True)
class Wire:
    """One way between two time steps, and its height in the picture."""

    way: Way
    y: float
    middle: float  # of all ways of its state
    first: bool  # of them


def wires(row: RowReader, cell: QRectF, each: float) -> list[Wire]:
    """The lines between two cells, those of one state beside each other at the height of its strip."""
    found = []
    for number, node in enumerate(row.states):
        ways = [way for way in ways_back(row.layer.equations) if way.state == node.name]
        middle = cell.top() + PAD + (number + 0.5) * each + (3 if each > COMPACT + 8 else 0)
        for place, way in enumerate(ways):
            y = middle + (place - (len(ways) - 1) / 2) * min(18.0, each / max(len(ways), 1))
            found.append(Wire(way, y, middle, place == 0))
    return found


def draw_cells(drawing: Drawing, row: RowReader, cell: QRectF, each: float, detail: int) -> None:
    """The boxes of the time steps with their states."""
    look, sweep = row.look, row.sweep
    stands = row.number == look.model
    for t in row.there:
        here, layer = t == sweep.time_step, row.layer_at(t) or row.layer
        border = look.color("cursor") if here else row.model.color if t in sweep.done else look.color("border")
        box = cell.translated(row.steps.x(t) - cell.width() / 2, 0)
        width = 2.4 if here and stands else 1.8 if here else 1.3
        drawing.add(Box(f"{row.number} cell {t}", box, border, width, look.color("panel")))
        target = Target(model=row.number, layer=layer.name, time_step=t)
        drawing.place(box, target, f"{row.model.name} at t = {t}: press to go there, twice to look inside")
    for number, node in enumerate(row.states):
        _draw_state(drawing, row, node, cell.top() + PAD + number * each, each, detail)


def _draw_state(drawing: Drawing, row: RowReader, node: Node, top: float, each: float, detail: int) -> None:
    """A state in every cell: its symbol and what keeps it, its strip, and its norm or that of its gradient."""
    look, steps, full = row.look, row.steps, detail > 1
    high, wide = each - (29.0 if full else 4.0), steps.cell - 12
    for t in row.there:
        shown = row.state(node, t)
        left = steps.x(t) - wide / 2
        rect = QRectF(left, top + (15 if full else 1), wide, high)
        key = f"{row.number} {node.name} {t}"
        drawing.add(shown.strips.strip(key, shown.row, rect))
        drawing.place(rect.adjusted(0, -1, 0, 1), shown.target, shown.words)
        if node.name == row.layer.equations.output:
            draw_dropped(drawing, row, row.layer_at(t) or row.layer, t, rect)
        if not full:
            continue
        symbol = Text(f"{key} symbol", left, top + 9, shown.symbol, _SMALL, look.color("muted"))
        kept = Text(f"{key} kept", left + wide, top + 9, shown.kept, _SMALL, row.keeping_color, 1.0)
        drawing.add(symbol)
        if shown.kept and symbol.width + kept.width + 3 <= wide:
            drawing.add(kept)
        ink = look.color("text" if row.reached(t) else "muted")
        size = Text(f"{key} size", steps.x(t), top + each - 4, row.size(node, t), _SMALL - 1, ink, 0.5)
        if size.width <= wide + 10:
            drawing.add(size)


def draw_arrows(drawing: Drawing, row: RowReader, lines: list[Wire], detail: int) -> None:
    """What is carried from each time step to the next one, or comes back."""
    steps = row.steps
    between = range(max(steps.first - 1, 1), min(steps.first + steps.count, row.model.time_steps))
    for t in between:
        before, after = row.layer_at(t), row.layer_at(t + 1)
        if before is None or after is None:
            continue
        for line in lines:
            if before is after:
                receiver = t + before.reverse  # what comes back to t from t + 1; in a reverse layer the other way
                flow = row.flow(line.way, receiver)
                _draw_arrow(drawing, row, line, t, flow, numbered=detail > 1 or len(lines) == 1)
                if words := cut_words(before, receiver - 1):
                    draw_cut(drawing, row, t, line.y, f"{line.way.state} {line.way.kind}", words)
            elif line.first:
                draw_hand_over(drawing, row, line.way.state, before, after, line.middle, detail > 1)


def _draw_arrow(drawing: Drawing, row: RowReader, line: Wire, t: int, flow: Flow, *, numbered: bool) -> None:
    """Between t and t + 1."""
    look, steps = row.look, row.steps
    start, end = steps.gap(t)
    if look.backward != row.layer.reverse:
        start, end = end, start
    passed = row.reached(t) and row.reached(t + 1)
    key = f"{row.number} {line.way.state} {line.way.kind} {t}"
    color, width = look.color("muted" if passed else "border"), 1.4
    if look.backward and passed:
        color, width = flow.color, flow.width
    if look.lit and line.way.parameter == look.lit:
        color, width = look.color("accent"), max(width, 3.0)
    points = (QPointF(start, line.y), QPointF(end, line.y))
    drawing.add(Line(key, points, color, width, head=6.0 + width, dashed=line.way.kind == "peepholes"))
    drawing.place(QRectF(min(start, end), line.y - 7, abs(end - start), 14), flow.target, flow.words)
    if numbered and look.backward and passed and steps.roomy and t in steps.numbers and t + 1 in steps.numbers:
        middle, y = (start + end) / 2, line.y - 5 - width / 2
        beside = len(ways_back(row.layer.equations)) > len(row.states)  # two lines of one state are close
        size = Text(f"{key} size", middle, y, flow.text, _SMALL, look.color("text"), 0.5, spare=beside)
        if size.width <= abs(end - start) + 6:
            drawing.add(size)
