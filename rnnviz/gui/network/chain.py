"""Inside the loss and inside the update: their operations one after the other, forward and what comes back below it."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Operation
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.core.optimising.update import operations as update_operations
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.phase_operations import head_input, headed, short_words
from rnnviz.debugger.updating import UpdateShown, parameter_shown
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.cursor.equation_words import UNKNOWN
from rnnviz.gui.cursor.named_equations import loss_lines, update_lines
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.reading import Look, at
from rnnviz.gui.network.written import draw_equations

_SMALL, _BODY, _TITLE = 11, 12, 15
_TITLE_ROOM = 62.0
_MOST_WIDE, _MOST_HIGH = 150.0, 54.0  # pixels of a box
_GAP = 40.0  # between two boxes

Find = Callable[[str], Array | None]  # the array of a term's name; None: not known


@dataclass(frozen=True)
class _Step:
    """One operation as a box."""

    key: str
    symbol: str
    words: str
    value: Array | None  # None: not known
    gradient: bool = False


def draw_loss(look: Look, model: ShownModel, area: QRectF) -> Drawing:
    """From h_t to L_t, and below it the gradient's way back to W_ho and h_t, at the cursor's time step."""
    drawing = Drawing()
    trace = model.sequence
    assert trace is not None  # the caller looked
    head, t = trace.head, min(look.time_step, model.time_steps) - 1
    _draw_frame(drawing, look, area)
    if head is None:
        _draw_title(drawing, look, area, f"The loss at t = {t + 1:,}", "This model has no head, and so no loss.")
        return drawing
    output = head_input(headed(trace))

    def find(name: str) -> Array | None:
        return head.value(name, t)

    forward = [_step(one, find, t + 1) for one in forward_operations(head.kind, output)]
    back = [_step(one, find, t + 1, True) for one in backward_operations(head.kind, output)]
    read = _Step("", at(output, t + 1), "output of the network", head.value("output", t))
    asked = bool(head.loss_weight[t, 0])
    words = f"{model.name} · {look.shown.cursor.phase.words.lower()}" + ("" if asked else " · nothing is asked here")
    room = _draw_title(drawing, look, area, f"The loss at t = {t + 1:,}", words)
    lines = loss_lines(trace, look.shown.cursor, None) if look.shown.cursor.phase is Phase.LOSS else []
    draw_equations(drawing, lines, area.right() - 14, area.top() + 20, room, look.theme)
    inner = area.adjusted(18, _TITLE_ROOM, -18, -16)
    columns = len(forward) + 1
    rows = [
        QRectF(inner.left(), inner.top() + n * inner.height() / 2, inner.width(), inner.height() / 2) for n in (0, 1)
    ]
    places = _places(rows[0], columns)
    _draw_row(drawing, look, [read, *forward], places, Phase.LOSS)
    below = _places(rows[1], columns)
    back = [step for step in back if step.key != "weight_grads" or len(back) < columns]  # where there is room
    stops = [below[round(place)] for place in np.linspace(0, columns - 2, len(back))[::-1]]
    for step, rect in zip(back, stops, strict=True):
        _draw_step(drawing, look, step, rect, Phase.LOSS)
    _draw_back(drawing, look, places[-1], stops)
    return drawing


def draw_update(look: Look, model: ShownModel, area: QRectF, shown: UpdateShown | None, chosen: str) -> Drawing:
    """From the gradient over the clip and the optimiser to the new weights, of the parameter that is looked at."""
    drawing = Drawing()
    trace = model.sequence
    assert trace is not None  # the caller looked
    _draw_frame(drawing, look, area)
    if shown is None:
        _draw_title(drawing, look, area, "The update", "This run is not trained, so nothing updates its weights.")
        return drawing
    of = parameter_shown(trace, look.shown.cursor.layer, chosen)
    having = update_operations(shown.update.rule, of.symbol)
    steps = [_step(one, lambda name: shown.find(of.name, name), gradient=one.key != "weights") for one in having]
    factor = shown.update.clip_factor
    clip = "not clipped" if factor == 1 else f"clipped: × {short(factor)}"
    words = f"{model.name} · {shown.update.optimiser.words} · ‖g‖ {short(shown.update.norm)}, {clip}"
    room = _draw_title(drawing, look, area, f"The update of {of.symbol}", words)
    cursor = look.shown.cursor
    lines = update_lines(trace, cursor, None, shown, chosen) if cursor.phase is Phase.UPDATE else []
    draw_equations(drawing, lines, area.right() - 14, area.top() + 20, room, look.theme)
    inner = area.adjusted(18, _TITLE_ROOM, -18, -16)
    fits = max(int((inner.width() + _GAP) / (92 + _GAP)), 1)
    rows = -(-len(steps) // fits)
    each = -(-len(steps) // rows)
    before: list[QRectF] = []
    for row in range(rows):
        part = steps[row * each : (row + 1) * each]
        band = QRectF(inner.left(), inner.top() + row * inner.height() / rows, inner.width(), inner.height() / rows)
        places = _places(band, each)[: len(part)]
        _draw_row(drawing, look, part, places, Phase.UPDATE)
        if before:
            _draw_turn(drawing, look, before[-1], places[0])
        before = places
    if shown.unknown:
        note = Text("update unknown", inner.left(), area.bottom() - 8, shown.unknown, _SMALL, look.color("muted"))
        drawing.add(note)
    return drawing


def _step(operation: Operation, find: Find, time_step: int | None = None, gradient: bool = False) -> _Step:
    value = find(operation.equations[0].result.name)
    symbol = operation.symbol if time_step is None else at(operation.symbol, time_step)
    return _Step(operation.key, symbol, short_words(operation), value, gradient)


def _draw_frame(drawing: Drawing, look: Look, area: QRectF) -> None:
    drawing.add(Box("inside", area, look.color("line"), 1.0, look.color("panel", 0.6), 10))


def _draw_title(drawing: Drawing, look: Look, area: QRectF, title: str, words: str) -> float:
    """What is seen, and what is left beside it."""
    first = Text("inside title", area.left() + 16, area.top() + 22, title, _TITLE, look.color("text"), bold=True)
    second = Text("inside words", area.left() + 16, area.top() + 38, words, _SMALL, look.color("muted"))
    drawing.add(first, second)
    return area.width() - max(first.width, second.width) - 60


def _places(band: QRectF, count: int) -> list[QRectF]:
    """Boxes beside each other in the middle of a band."""
    wide = min((band.width() - (count - 1) * _GAP) / count, _MOST_WIDE)
    high = min(band.height() - 26, _MOST_HIGH)
    gap = min((band.width() - count * wide) / max(count - 1, 1), 90.0)
    left = band.center().x() - (count * wide + (count - 1) * gap) / 2
    return [QRectF(left + n * (wide + gap), band.center().y() - high / 2, wide, high) for n in range(count)]


def _draw_row(drawing: Drawing, look: Look, steps: Sequence[_Step], places: Sequence[QRectF], phase: Phase) -> None:
    for number, (step, rect) in enumerate(zip(steps, places, strict=False)):
        _draw_step(drawing, look, step, rect, phase)
        if number:
            before = places[number - 1]
            points = QPointF(before.right() + 2, rect.center().y()), QPointF(rect.left() - 2, rect.center().y())
            drawing.add(Line(f"{phase.value} arrow {step.key}", points, look.color("muted"), 1.6, head=8.0))


def _draw_step(drawing: Drawing, look: Look, step: _Step, rect: QRectF, phase: Phase) -> None:
    cursor, key = look.shown.cursor, f"{phase.value} {step.key or 'read'}"
    lit = bool(step.key) and cursor.phase is phase and cursor.operation == step.key
    ink = look.theme.text_color("cursor") if lit else look.color("text")
    drawing.add(Box(key, rect, look.color("cursor" if lit else "border"), 2.2 if lit else 1.4, look.color("panel"), 6))
    left, right = rect.left() + 7, rect.right() - 7
    name = Text(f"{key} symbol", left, rect.top() + 15, step.symbol, _BODY, ink)
    size = Text(f"{key} size", right, rect.top() + 15, _size(step.value), _SMALL, look.color("text"), 1.0)
    drawing.add(name)
    if name.width + size.width + 6 <= right - left:
        drawing.add(size)
    else:
        drawing.add(
            Text(
                f"{key} size", rect.center().x(), rect.bottom() + 13, _size(step.value), _SMALL, look.color("text"), 0.5
            )
        )
    if step.value is not None and step.value.size > 1:
        values = np.asarray(step.value, np.float64).reshape(1, -1)
        strips = look.gradient_strips(values) if step.gradient else look.own_strips(values)
        drawing.add(strips.strip(f"{key} strip", 0, QRectF(left, rect.top() + 22, right - left, rect.height() - 28)))
    if step.key:
        target = Target(phase=phase.value, operation=step.key)
        drawing.place(rect, target, f"{step.words}: {_size(step.value)}; press to go there")


def _size(value: Array | None) -> str:
    """A number as it is, of more the norm; "–" where it is not known."""
    if value is None:
        return UNKNOWN
    return short(float(value.reshape(-1)[0])) if value.size == 1 else short(float(l2(value.reshape(-1))))


def _draw_back(drawing: Drawing, look: Look, loss: QRectF, stops: Sequence[QRectF]) -> None:
    """The arrows of the gradient: from the loss down to ∂L/∂y_t, from there to W_ho and on to h_t."""
    color, delta = look.theme.text_color("cursor"), stops[0]
    corner = QPointF(loss.center().x(), delta.center().y())
    down = QPointF(loss.center().x(), loss.bottom() + 2), corner, QPointF(delta.right() + 2, delta.center().y())
    drawing.add(Line("loss back down", down, color, 1.8, head=8.0))
    for number, (one, other) in enumerate(itertools.pairwise(stops)):
        points = QPointF(one.left() - 2, one.center().y()), QPointF(other.right() + 2, other.center().y())
        drawing.add(Line(f"loss back {number}", points, color, 1.8, head=8.0))


def _draw_turn(drawing: Drawing, look: Look, above: QRectF, below: QRectF) -> None:
    """From the end of a row to the beginning of the next."""
    middle = (above.bottom() + below.top()) / 2 + 6
    points = (
        QPointF(above.center().x(), above.bottom() + 2), QPointF(above.center().x(), middle),
        QPointF(below.center().x(), middle), QPointF(below.center().x(), below.top() - 2),
    )  # fmt: skip
    drawing.add(Line(f"update turn {below.top():.0f}", points, look.color("muted"), 1.6, head=8.0))
