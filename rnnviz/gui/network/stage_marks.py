"""What joins and parts stages and layers in the unrolled network: hand-over, cut, the way around a layer, fronts."""

from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import CallTrace
from rnnviz.gui.canvas.items.pictures import Tiles
from rnnviz.gui.network.drawing import Box, Circle, Drawing, Line, Target, Text
from rnnviz.gui.network.row_reader import RowReader

AROUND = 16.0  # pixels above the cells for what comes around a layer
FRONT = 20.0  # height of what stands before the recurrent module
_SMALL = 11
_PILL = 15.0
_SLASH = 5.0  # half the height of the sign of a cut


def draw_hand_over(
    drawing: Drawing, row: RowReader, state: str, before: Layer, after: Layer, y: float, named: bool
) -> None:
    """From the last cell of a stage to the first of the next one, or its gradient back; through a bridge, if any."""
    look, steps, t = row.look, row.steps, before.stop
    start, end = steps.gap(t)
    passed = row.reached(t) and row.reached(t + 1)
    color, width = look.theme.text_color("cursor") if passed else look.color("muted"), 2.0
    flow = row.handed_over(state, before, after)
    if look.backward:
        start, end = end, start
        if passed:
            color, width = flow.color, max(flow.width, 2.0)
    key = f"{row.number} {state} handed over"
    drawing.add(Line(key, (QPointF(start, y), QPointF(end, y)), color, width, head=6.0 + width))
    bridged = _call_of(row, after).call.bridge is not None
    words = f"hand-over{' through a linear bridge' if bridged else ''}; {flow.words}"
    drawing.place(QRectF(min(start, end), y - 8, abs(end - start), 16), flow.target, words)
    middle, wide = (start + end) / 2, abs(end - start)
    if bridged and wide > 24:
        box = QRectF(middle - 7, y - _PILL / 2, 14, _PILL)
        drawing.add(Box(f"{key} bridge", box, look.color("border"), 1.2, look.color("raised"), 4),
                    Text(f"{key} bridge words", middle, y + 4, "W", _SMALL, look.color("text"), 0.5))  # fmt: skip
    if look.backward and passed and named and steps.roomy:
        size = Text(f"{key} size", middle, y - 10 - width / 2, flow.text, _SMALL, look.color("text"), 0.5, spare=True)
        drawing.add(size)


def draw_cut(drawing: Drawing, row: RowReader, t: int, y: float, key: str, words: str) -> None:
    """Two strokes through the arrow between t and t + 1, over which no gradient is carried, as `words` say."""
    start, end = row.steps.gap(t)
    middle, ink = (start + end) / 2, row.look.color("bad")
    for number, x in enumerate((middle - 2.5, middle + 2.5)):
        points = QPointF(x + 2, y - _SLASH), QPointF(x - 2, y + _SLASH)
        drawing.add(Line(f"{row.number} {key} cut {t} {number}", points, ink, 1.6))
    drawing.add(Text(f"{row.number} {key} cut {t}", middle, y + _SLASH + 11, "cut", _SMALL, ink, 0.5, spare=True))
    place = QRectF(min(start, end), y - 7, abs(end - start), 14)
    drawing.place(place, Target(model=row.number, time_step=t), words)


def draw_borders(drawing: Drawing, row: RowReader, top: float, bottom: float) -> None:
    """A line between two stages."""
    for stage in row.look.shown.stages[1:]:
        x = row.steps.x(stage.first) - row.steps.pitch / 2
        if stage.first - 1 in row.steps.numbers or stage.first in row.steps.numbers:
            words = Text(
                f"{row.number} handed", x, top + 10, "hand-over", _SMALL, row.look.color("muted"), 0.5, spare=True
            )
            below = top + 15 if stage.begun and words.width + 8 <= row.steps.pitch else top
            if below > top:
                drawing.add(words)
            points = QPointF(x, below), QPointF(x, bottom)
            drawing.add(Line(f"{row.number} stage {stage.words}", points, row.look.color("border"), 1.0, dashed=True))


def goes_around(row: RowReader) -> bool:
    """Whether what the layer reads is added to what it gives."""
    return row.layer.structure.residual and row.layer.id.depth > 0


def draw_ways_around(drawing: Drawing, row: RowReader, cell: QRectF, below: float) -> None:
    """A residual connection: from below each cell past its left side to a sum above it."""
    look, half = row.look, row.steps.cell / 2
    for t in row.there:
        x = row.steps.x(t)
        left, high, low = x - half - 6, cell.top() - 9, below + 5
        color = look.color("muted" if row.reached(t) else "border")
        points = [QPointF(x, low), QPointF(left, low), QPointF(left, high), QPointF(x - 5, high)]
        key = f"{row.number} around {t}"
        if look.backward:
            points.reverse()
        middle, ink = QPointF(x, high), look.color("text")
        drawing.add(
            Line(key, tuple(points), color, 1.4, head=5.0),
            Line(f"{key} up", (QPointF(x, cell.top()), QPointF(x, cell.top() - 4)), color, 1.4),
            Circle(f"{key} sum", middle, 5.0, color, 1.2, look.color("background")),
            Line(f"{key} plus", (middle - QPointF(3, 0), middle + QPointF(3, 0)), ink, 1.2),
            Line(f"{key} plus up", (middle - QPointF(0, 3), middle + QPointF(0, 3)), ink, 1.2),
        )
        words = f"residual connection: what the layer reads at t = {t} is added to what it gives"
        drawing.place(QRectF(left - 3, high - 6, x - left + 9, 12), Target(model=row.number, time_step=t), words)


def fronts(row: RowReader) -> list[tuple[range, str, str]]:
    """What stands before calls whose inputs are no one-hot symbols: its time steps, from 1, in short, and in words."""
    found = []
    for call in row.trace.calls:
        own = range(call.layers[0].start + 1, call.layers[0].stop + 1)
        if (embedding := call.call.embedding) is not None:
            symbols, numbers = embedding.table.shape
            words = f"embedding: each of {symbols:,} symbols is a row of {numbers:,} learnt numbers"
            found.append((own, f"embedding, {numbers:,} numbers", words))
        task = row.look.shown.task
        if task is not None and task.picture is not None and not found:
            tiles = Tiles(call.layers[0].x[:, 0], task.picture)
            if tiles.count > 1 and tiles.there.any():
                words = f"convolution: the picture goes through {tiles.count:,} learnt kernels; what they find is read"
                read = [t for t in own if tiles.there[t - 1]]
                found.append((range(read[0], read[-1] + 1), f"convolution, {tiles.count:,} maps", words))
    return found


def draw_fronts(drawing: Drawing, row: RowReader, top: float) -> None:
    """A box below the arrows of the input."""
    look, steps = row.look, row.steps
    for number, (own, short, words) in enumerate(fronts(row)):
        seen = [t for t in steps.numbers if t in own]
        if not seen:
            continue
        inset = min(6.0, (steps.pitch - steps.cell) / 2)
        left, right = steps.x(seen[0]) - steps.pitch / 2 + inset, steps.x(seen[-1]) + steps.pitch / 2 - inset
        box, key = QRectF(left, top + 1, right - left, _PILL), f"{row.number} front {number}"
        text = Text(f"{key} words", box.center().x(), box.center().y() + 4, short, _SMALL, look.color("text"), 0.5)
        drawing.add(Box(key, box, look.color("border"), 1.2, look.color("raised"), 5))
        if text.width + 8 <= box.width():
            drawing.add(text)
        drawing.place(box, Target(model=row.number), words)


def _call_of(row: RowReader, layer: Layer) -> CallTrace:
    return next(one for one in row.trace.calls if any(own is layer for own in one.layers))
