"""An encoder–decoder folded: two cells with their loops, the hand-over between them, and the attention of the head."""

from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import CallTrace
from rnnviz.gui.canvas.lanes.row import row_key
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.network.drawing import Box, Circle, Drawing, Line, Target, Text
from rnnviz.gui.network.reading import Look, at, cell_words, grouped
from rnnviz.gui.network.written import cut_to

LEAST_WIDE = 330.0  # pixels of a model
_SMALL, _BODY, _TITLE = 11, 12, 15
_CELL = QRectF(0, 0, 128, 92)
_LOOP = 26.0  # how far a loop goes out
_GAP = 60.0  # between the two cells
_WHOLE_HIGH = 236.0  # pixels of height from which inputs and outputs are drawn, too
_PILL = 16.0


def draw_stages(drawing: Drawing, look: Look, number: int, model: ShownModel, area: QRectF) -> None:
    """The stages of a model from left to right; each shows its layer of the row looked at, where it stands last."""
    trace = model.sequence
    assert trace is not None  # the caller looked
    calls = trace.calls
    whole = area.height() >= _WHOLE_HIGH
    wide = min(_CELL.width(), (area.width() - 2 * _LOOP - 24 - _GAP * (len(calls) - 1)) / len(calls))
    high = min(_CELL.height(), area.height() - (40 if whole else 30))
    left = area.center().x() - (wide * len(calls) + _GAP * (len(calls) - 1)) / 2
    top = area.center().y() - high / 2 + (6 if whole else 10)
    cells = [QRectF(left + n * (wide + _GAP), top, wide, high) for n in range(len(calls))]
    name_top = max(area.top(), top - (104 if whole else 44))
    _draw_name(drawing, look, number, model, QRectF(area.left(), name_top, area.width(), 34))
    for place, (call, cell) in enumerate(zip(calls, cells, strict=True)):
        _draw_stage(drawing, look, number, model, place, call, cell)
        _draw_loop(drawing, look, number, model, place, cell, leftwards=place == 0)
        if whole:
            _draw_ends(drawing, look, number, model, place, call, cell)
        if call.call.follows is not None:
            _draw_hand_over(drawing, look, number, model, call, cells[call.call.follows], cell)
    if model.looking_back is not None and whole:
        _draw_attention(drawing, look, number, model, cells)


def layer_of(model: ShownModel, call: CallTrace) -> Layer:
    """The layer of a stage that is in the row looked at; where it has none its lowest."""
    wanted = row_key(model.layer_name)
    return next((layer for layer in call.layers if row_key(layer.name) == wanted), call.layers[0])


def _draw_name(drawing: Drawing, look: Look, number: int, model: ShownModel, area: QRectF) -> None:
    x = area.left() + 18
    drawing.add(
        Box(f"{number} bar", QRectF(area.left() + 8, area.top() + 6, 4, 30), None, fill=model.color, radius=1.5),
        Text(f"{number} name", x, area.top() + 20, cut_to(model.name, area.width() - 30, _TITLE), _TITLE,
             look.color("text"), bold=True),
        Text(f"{number} words 0", x, area.top() + 35, cell_words(model), _SMALL, look.color("muted")),
    )  # fmt: skip


def _draw_stage(
    drawing: Drawing, look: Look, number: int, model: ShownModel, place: int, call: CallTrace, cell: QRectF
) -> None:
    layer, t = layer_of(model, call), look.time_step
    here = layer.start < t <= layer.stop
    shown = min(max(t, layer.start + 1), layer.stop)  # where it stands, or stood last, or begins
    border = look.color("cursor") if here and number == look.model else model.color
    key, words = f"{number} {place}", model.network.stages[place].words
    drawing.add(Box(f"{key} cell", cell, border, 2.0 if here else 1.3, look.color("panel"), 10))
    drawing.add(Text(f"{key} words", cell.left() + 10, cell.top() + 18, words, _BODY, look.color("text"), bold=True))
    units = layer.structure.units(layer.equations.hidden)
    about = [f"layer {layer.id.depth}"] * (layer.structure.num_layers > 1)
    about += ["both ways"] * layer.structure.bidirectional + [f"{units:,} units"]
    drawing.add(Text(f"{key} about", cell.left() + 10, cell.top() + 32,
                     cut_to(", ".join(about), cell.width() - 16, _SMALL), _SMALL, look.color("muted")))  # fmt: skip
    tip = f"{model.name}: the {words} at t = {shown}; press to unroll it over time"
    drawing.place(cell, Target(model=number, level="unrolled"), tip)
    states = [layer.equations.node(name) for name in reversed(layer.equations.hidden_nodes)]
    each = (cell.height() - 42) / len(states)
    for row, node in enumerate(states):
        strips = look.state_strips(node, layer.value(node.name)[shown - 1 : shown, 0])
        rect = QRectF(cell.left() + 38, cell.top() + 38 + row * each, cell.width() - 48, min(each - 8, 14))
        symbol = Text(f"{key} {node.name} symbol", cell.left() + 10, rect.center().y() + 4, at(node.symbol, shown),
                      _BODY, look.color("text"))  # fmt: skip
        drawing.add(symbol, strips.strip(f"{key} {node.name}", 0, rect))
    if few := grouped(units, cell.width() - 48):
        drawing.add(Text(f"{key} few", cell.right() - 8, cell.bottom() - 4, few, _SMALL - 1, look.color("muted"), 1.0))


def _draw_loop(
    drawing: Drawing, look: Look, number: int, model: ShownModel, place: int, cell: QRectF, leftwards: bool
) -> None:
    """Outwards, where no other stage stands; with the weights it goes through."""
    cell_kind = model.structure.equations
    recurrent = [name for name in cell_kind.recurrent_matrices if name != cell_kind.read_out]
    name = recurrent[0] if recurrent else "loop"
    lit = look.lit == name
    color = look.color("accent" if lit else "muted")
    side, way = (cell.left() - 1, -1) if leftwards else (cell.right() + 1, 1)
    high, low = cell.top() + 24, cell.bottom() - 24
    points = [QPointF(side, high), QPointF(side + way * _LOOP, high), QPointF(side + way * _LOOP, low),
              QPointF(side, low)]  # fmt: skip
    if look.backward:
        points.reverse()
    drawing.add(Line(f"{number} {place} loop", tuple(points), color, 2.6 if lit else 1.8, head=8.0))
    if recurrent:
        symbol = cell_kind.parameter_named[name].symbol
        ink = look.color("accent" if lit else "text")
        x = side + way * (_LOOP / 2 + 2)
        text = Text(f"{number} {place} {name}", x, high - 9, symbol, _BODY, ink, 0.5, bold=True)
        drawing.add(text)
        words = f"{symbol} of the {model.network.stages[place].words}: the same at each of its time steps"
        drawing.place(text.rect.adjusted(-4, -4, 4, 4), Target(model=number, parameter=name), words)


def _draw_ends(
    drawing: Drawing, look: Look, number: int, model: ShownModel, place: int, call: CallTrace, cell: QRectF
) -> None:
    """What a stage reads below it, and what its head predicts above it."""
    layer, t, key = layer_of(model, call), look.time_step, f"{number} {place}"
    x, shown = cell.center().x(), min(max(t, layer.start + 1), layer.stop)
    below, above = cell.bottom() + 36, cell.top() - 36
    quiet = look.color("muted")
    lit = look.lit == "weight_ih"
    up = QPointF(x, below), QPointF(x, cell.bottom() + 1)
    drawing.add(
        Line(f"{key} reads", up[::-1] if look.backward else up, look.color("accent") if lit else quiet, 1.8, head=8.0),
    )
    if call.call.embedding is None:
        drawing.add(Text(f"{key} x", x, below + 14, at("x_t", shown), _BODY + 1, look.color("text"), 0.5))
    weight = Text(
        f"{key} W_ih", x + 10, below - 12, "W_{ih}", _BODY, look.color("accent" if lit else "text"), bold=True
    )
    drawing.add(weight)
    drawing.place(weight.rect.adjusted(-3, -3, 3, 3), Target(model=number, parameter="weight_ih"),
                  f"W_ih of the {model.network.stages[place].words}: the same at each of its time steps")  # fmt: skip
    if call.call.embedding is not None:
        box = QRectF(x - 36, below - 2, 72, _PILL)
        drawing.add(
            Box(f"{key} embedding", box, look.color("border"), 1.2, look.color("raised"), 5),
            Text(f"{key} embedding words", x, below + 10, "embedding", _SMALL, look.color("text"), 0.5),
        )
    if call.head is None:
        return
    out = QPointF(x, cell.top() - 1), QPointF(x, above)
    lit = look.lit == "head.weight"
    color = look.color("accent") if lit else quiet
    drawing.add(
        Line(f"{key} out", out[::-1] if look.backward else out, color, 2.6 if lit else 1.8, head=8.0),
        Text(f"{key} y", x, above - 6, at("y_t", shown), _BODY + 1, look.color("text"), 0.5),
    )
    if call.head.kind.weighs:
        text = Text(
            f"{key} W_ho", x + 10, above + 12, "W_{ho}", _BODY, look.color("accent" if lit else "text"), bold=True
        )
        drawing.add(text)
        drawing.place(text.rect.adjusted(-3, -3, 3, 3), Target(model=number, parameter="head.weight"),
                      "W_ho of the head: the same at each time step of the decoder")  # fmt: skip


def _draw_hand_over(
    drawing: Drawing, look: Look, number: int, model: ShownModel, call: CallTrace, before: QRectF, after: QRectF
) -> None:
    y, key = before.center().y() + 8, f"{number} {call.call.name}"
    start, end = QPointF(before.right() + 2, y), QPointF(after.left() - 2, y)
    points = (end, start) if look.backward else (start, end)
    drawing.add(Line(f"{key} hand-over", points, look.theme.text_color("cursor"), 2.2, head=9.0))
    states = ", ".join(call.call.structure.equations.states)
    middle = (start.x() + end.x()) / 2
    drawing.add(Text(f"{key} handed", middle, y - 11, "hand-over", _SMALL, look.color("text"), 0.5),
                Text(f"{key} states", middle, y + 19, states, _SMALL, look.color("muted"), 0.5))  # fmt: skip
    words = f"hand-over: {states} at the end of each sequence"
    if call.call.bridge is not None:
        box = QRectF(middle - 8, y - _PILL / 2, 16, _PILL)
        drawing.add(Box(f"{key} bridge", box, look.color("border"), 1.2, look.color("raised"), 4),
                    Text(f"{key} bridge words", middle, y + 4, "W", _SMALL, look.color("text"), 0.5))  # fmt: skip
        words += ", of both directions through a linear bridge"
    place = QRectF(before.right(), y - 12, after.left() - before.right(), 24)
    drawing.place(place, Target(model=number, time_step=call.call.start), words)


def _draw_attention(drawing: Drawing, look: Look, number: int, model: ShownModel, cells: list[QRectF]) -> None:
    """From the encoder's outputs over to where the head reads, in the model's colour."""
    start, end = cells[0], cells[-1]
    y = end.top() - 20
    sum_at = QPointF(end.center().x(), y)
    points = QPointF(start.center().x(), start.top() - 1), QPointF(start.center().x(), y), QPointF(sum_at.x() - 5, y)
    drawing.add(
        Line(f"{number} attention", points[::-1] if look.backward else points, model.color, 2.2, head=8.0),
        Circle(f"{number} attention sum", sum_at, 5.0, model.color, 1.4, look.color("background")),
        Text(f"{number} attention words", (start.center().x() + sum_at.x()) / 2, y - 6, "attention α", _SMALL,
             look.color("text"), 0.5),
    )  # fmt: skip
    words = "attention: the head reads all outputs of the encoder, each by its weight, beside the decoder's own output"
    drawing.place(QRectF(start.center().x(), y - 10, sum_at.x() - start.center().x(), 16), Target(model=number), words)
