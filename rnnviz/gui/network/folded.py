"""The folded network: for every model one cell with its loop, and the weights on the arrows."""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.cursor.equation_words import UNKNOWN
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.folded_stages import LEAST_WIDE, draw_stages
from rnnviz.gui.network.pooling import draw_node, pooling_of
from rnnviz.gui.network.reading import Look, at, cell_words, grouped, layer_words, magnitudes, update_of, written

_SMALL, _BODY, _TITLE = 11, 12, 15
_CELL = QRectF(0, 0, 150, 104)
_LOOP = 46.0  # how far the loop goes out to the right of the cell
_ASIDE = 92.0  # half of what loop and texts take to the right of the cell
_LEAST_WIDE, _LEAST_HIGH = 300.0, 112.0  # pixels of a model: its cell and the loop
_WHOLE_HIGH = 220.0  # pixels of height from which its input, its output and their weights are drawn, too
_POOLED = 24.0  # by which W_ho and the prediction are higher above a pooling
_BAR = 74.0  # the length of the bar that says how much has been gathered


def draw_folded(look: Look, area: QRectF) -> Drawing:
    """The models beside each other, in one row or two; where room is short those around the one stepped through."""
    drawing = Drawing()
    models = [(number, model) for number, model in enumerate(look.shown.models) if model.layer is not None]
    if not models:
        return drawing
    least = LEAST_WIDE if any(model.network.several for _, model in models) else _LEAST_WIDE
    columns = len(models) if area.width() / len(models) >= least else (len(models) + 1) // 2
    columns = max(min(columns, int(area.width() / least)), 1)
    fits = columns * max(int(area.height() / _LEAST_HIGH), 1)
    if fits < len(models):
        first = min(look.model // fits * fits, len(models) - fits)
        models = models[first : first + fits]
    rows = -(-len(models) // columns)
    for place, (number, model) in enumerate(models):
        row, column = divmod(place, columns)
        wide, high = area.width() / columns, area.height() / rows
        place_of = QRectF(area.left() + column * wide, area.top() + row * high, wide, high)
        several = model.sequence is not None and len(model.sequence.calls) > 1
        (draw_stages if several else _draw_cell)(drawing, look, number, model, place_of)
    unknown = next((shown.unknown for shown in look.updates.values() if shown is not None and shown.unknown), "")
    if unknown:
        drawing.add(Text("update unknown", area.left() + 14, area.bottom() - 4, unknown, _SMALL, look.color("muted"),
                         spare=True))  # fmt: skip
    return drawing


def _draw_cell(drawing: Drawing, look: Look, number: int, model: ShownModel, area: QRectF) -> None:
    layer, trace = model.layer, model.sequence
    assert layer is not None
    assert trace is not None
    t, structure = look.time_step, model.structure
    middle, stands = area.center() - QPointF(_ASIDE, 0), number == look.model
    left, high = max(middle.x() - _CELL.width() / 2, area.left() + 8), min(_CELL.height(), area.height() - 4)
    cell = QRectF(left, middle.y() - high / 2, _CELL.width(), high)
    whole = area.height() >= _WHOLE_HIGH
    border = look.color("cursor") if stands and len(look.shown.models) > 1 else model.color
    drawing.add(Box(f"{number} cell {t}", cell, border, 2.0, look.color("panel"), 10))
    drawing.add(
        Text(f"{number} name", cell.left() + 12, cell.top() + 22, model.name, _TITLE, look.color("text"), bold=True)
    )
    units = structure.units(structure.equations.hidden)
    words = [cell_words(model), layer_words(model.network, layer.name), f"{units:,} units"]
    drawing.add(
        Text(f"{number} words 0", cell.left() + 12, cell.top() + 38, ", ".join(filter(None, words)), _SMALL,
             look.color("muted"))
    )  # fmt: skip
    shown = look.updates.get(model.number)
    if shown is not None and whole:
        factor = shown.update.clip_factor
        clip = "not clipped" if factor == 1 else f"clipped, × {short(factor)}"
        words_of_clip = f"‖g‖ {short(shown.update.norm)}, {clip}"
        x = cell.center().x() + 10
        drawing.add(Text(f"{number} clip", x, cell.bottom() + 58, words_of_clip, _SMALL, look.color("muted")))
    drawing.place(cell, Target(model=number, level="unrolled"), f"{model.name}: press to unroll it over time")
    states = [layer.equations.node(name) for name in reversed(layer.equations.hidden_nodes)]
    each = (cell.height() - 48) / len(states)
    for place, node in enumerate(states):
        values = layer.value(node.name)[t - 1 : t, 0]
        strips = look.state_strips(node, values)
        top = cell.top() + 46 + place * each
        rect = QRectF(cell.left() + 40, top, cell.width() - 52, min(each - 8, 14))
        drawing.add(
            Text(f"{number} {node.name} {t} symbol", cell.left() + 12, rect.center().y() + 4, at(node.symbol, t), _BODY,
                 look.color("text")),
            strips.strip(f"{number} {node.name} {t}", 0, rect),
        )  # fmt: skip
    if few := grouped(units, _CELL.width() - 52):
        drawing.add(
            Text(f"{number} few", cell.right() - 8, cell.bottom() - 4, few, _SMALL - 1, look.color("muted"), 1.0)
        )
    _draw_arrows(drawing, look, number, model, cell, area)


def _draw_arrows(drawing: Drawing, look: Look, number: int, model: ShownModel, cell: QRectF, area: QRectF) -> None:
    layer, trace, t = model.layer, model.sequence, look.time_step
    assert layer is not None
    assert trace is not None
    x = cell.center().x()
    pooling = pooling_of(model)
    lifted = 0.0 if pooling is None else _POOLED
    below, above = min(cell.bottom() + 62, area.bottom() - 24), max(cell.top() - 62 - lifted, area.top() + 30)
    quiet = look.color("muted")
    backward, whole = look.backward, area.height() >= _WHOLE_HIGH
    ways: dict[str, tuple[QPointF, ...]] = {
        "weight_ih": (QPointF(x, below), QPointF(x, cell.bottom() + 1)),
        "head.weight": (QPointF(x, cell.top() - 1), QPointF(x, above)),
    }
    out, high = cell.right() + _LOOP, cell.top() + 24
    low = cell.bottom() - 24
    equations = layer.equations
    if equations.output != equations.hidden:  # the output goes back, whose row is the first
        high = cell.top() + 53
    ways["loop"] = (
        QPointF(cell.right() + 1, high), QPointF(out, high), QPointF(out, low), QPointF(cell.right() + 1, low)
    )  # fmt: skip
    recurrent = [name for name in equations.recurrent_matrices if name != equations.read_out]
    for name, points in ways.items():
        own = recurrent[0] if name == "loop" and recurrent else name
        if name != "loop" and (not whole or (name == "head.weight" and trace.head is None)):
            continue
        if name == "loop" and not model.carries:
            continue
        lit = look.lit == own
        color = look.color("accent") if lit else quiet
        path = points[::-1] if backward else points
        drawing.add(Line(f"{number} arrow {name}", path, color, 2.6 if lit else 1.8, head=9.0))
    if recurrent:
        _draw_weight(drawing, look, number, model, recurrent[0], QPointF(out + 8, cell.center().y() - 10), area.right())
    elif model.carries:
        how = "by its own code" if equations.recorded else "without weights"
        drawing.add(Text(f"{number} loop", out + 8, cell.center().y(), how, _SMALL, quiet))
    else:
        x_beside, y_beside = cell.right() + 12, cell.center().y()
        drawing.add(Text(f"{number} loop", x_beside, y_beside, "nothing is carried", _SMALL, quiet))
    if not whole:
        if pooling is not None:  # what no node shows
            said = Text(
                f"{number} pooled", cell.right() + 12, cell.top() + 12, f"pooling: {pooling.words}", _SMALL, quiet
            )
            drawing.add(said if said.rect.right() <= area.right() else replace(said, markup=pooling.words))
        return
    symbol = at("x_t", t) if layer.window == 1 else f"x_{{{max(t - layer.window + 1, 1)}…{t}}}"
    drawing.add(Text(f"{number} x", x, below + 15, symbol, _BODY + 1, look.color("text"), 0.5))
    if "weight_ih" in layer.weights:
        _draw_weight(drawing, look, number, model, "weight_ih", QPointF(x + 10, cell.bottom() + 24), area.right())
    if trace.head is not None:
        drawing.add(Text(f"{number} y", x, above - 6, at("y_t", t), _BODY + 1, look.color("text"), 0.5))
        if weight := "head.weight" if trace.head.kind.weighs else equations.read_out:
            place = QPointF(x + 10, cell.top() - 46 - lifted)
            _draw_weight(drawing, look, number, model, weight, place, area.right())
        if pooling is not None:
            target = Target(model=number, phase="loss", operation="pooling")
            draw_node(drawing, look, str(number), QPointF(x, cell.top() - 18), pooling, target)


def _draw_weight(drawing: Drawing, look: Look, number: int, model: ShownModel, name: str, at_: QPointF,
                 right: float) -> None:  # fmt: skip
    """Symbol, shape and norm; in the backward sweep how much of its gradient has been gathered so far. What would go
    beyond `right` is left out."""
    layer, trace = model.layer, model.sequence
    assert layer is not None
    assert trace is not None
    if name == "head.weight":
        assert trace.head is not None  # the caller looked
        weight, symbol = trace.head.parameters["weight"], "W_{ho}"
    else:
        weight, symbol = layer.weights[name], layer.equations.parameter_named[name].symbol
    lit = look.lit == name
    shape = " × ".join(f"{side:,}" for side in weight.shape)
    head = Text(
        f"{number} {name}", at_.x(), at_.y(), symbol, _BODY + 1, look.color("accent" if lit else "text"), bold=True
    )
    size = f"{shape}, ‖·‖ {short(float(l2(weight.reshape(-1))))}"
    sized = Text(f"{number} {name} size", at_.x() + head.width + 8, at_.y(), size, _SMALL, look.color("muted"))
    drawing.add(head, *([sized] if sized.rect.right() <= right else []))
    words = f"{symbol}: the same at every time step"
    gathered = _gathered(look, model, name)
    if look.shown.cursor.phase is Phase.UPDATE and look.updates.get(model.number) is not None:
        delta = update_of(look, model, name, "delta")
        text = f"‖Δ{symbol}‖ {UNKNOWN if delta is None else short(float(l2(delta.reshape(-1))))}"
        drawing.add(Text(f"{number} {name} delta", at_.x(), at_.y() + 17, text, _SMALL, look.color("good")))
        words += "; how much the update changes it, with the gradient of the sequence shown: press to look inside"
    elif gathered is not None:
        share, text = gathered
        bar = QRectF(at_.x(), at_.y() + 7, _BAR, 5)
        drawing.add(
            Box(f"{number} {name} whole", bar, None, fill=look.color("raised"), radius=2.5),
            Box(f"{number} {name} gathered", QRectF(bar.left(), bar.top(), _BAR * share, 5), None,
                fill=look.theme.text_color("cursor"), radius=2.5),
        )  # fmt: skip
        so_far = Text(f"{number} {name} so far", at_.x(), at_.y() + 26, text, _SMALL, look.color("text"))
        drawing.add(*([so_far] if so_far.rect.right() <= right else []))
        words += "; the bar: how much of its gradient the backward sweep has gathered"
    drawing.place(QRectF(at_.x() - 3, at_.y() - 14, 170, 44), Target(model=number, parameter=name), words)


def _gathered(look: Look, model: ShownModel, name: str) -> tuple[float, str] | None:
    """The share of the gradient's norm gathered once the sweep has done the cursor's time step, and both in words."""
    if look.shown.cursor.phase in (Phase.FORWARD, Phase.LOSS):
        return None
    trace, layer = model.sequence, model.layer
    assert trace is not None
    assert layer is not None
    so_far: Array | None
    if name == "head.weight":
        assert trace.head is not None  # the caller looked
        so_far = trace.head.weight_grad_so_far["weight"]
        reverse = False
    else:
        found: Mapping[str, Array] = layer.weight_grad_so_far
        so_far, _ = magnitudes(trace, layer.name, lambda one: one.weight_grad_so_far[name])
        reverse = layer.reverse
        assert name in found  # every parameter has one
    place = look.time_step - 1 if look.shown.cursor.phase is Phase.BACKWARD else (len(so_far) - 1 if reverse else 0)
    end = float(so_far[-1 if reverse else 0])
    now = float(so_far[min(place, len(so_far) - 1)])
    share = min(max(now / end, 0.0), 1.0) if end > 0 and np.isfinite(now / end) else 0.0
    return share, f"‖∂L/∂W‖ {written(now)} of {written(end)}"
