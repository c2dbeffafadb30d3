"""The unrolled network: the time steps around the cursor, one column for all models, forward and back."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.cells.node import Node
from rnnviz.core.equations.ways import Way, ways_back
from rnnviz.core.numbers import short
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.pooling import PoolingKind
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.cursor.prediction_rows import label_of, undone
from rnnviz.gui.look.columns import LABEL_COLUMN, SCALE_COLUMN
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.pooling import BUS, draw_bus, pooling_of
from rnnviz.gui.network.reading import (
    Found,
    Look,
    Strips,
    at,
    cell_words,
    grouped,
    keeping,
    layer_words,
    magnitudes,
    norms,
    weights_of,
    written,
)
from rnnviz.gui.widgets import marked_text

LEAST_PITCH, MOST_PITCH, USUAL_PITCH = 40.0, 190.0, 108.0  # pixels from one time step to the next
HEADER = 50.0  # height of the row of inputs
_LEFT = 14.0
_SMALL, _BODY, _TITLE = 11, 12, 15
_STATE, _STATE_COMPACT = 40.0, 13.0  # height of one state in a cell: symbol, strip, norm; the strip alone
_PAD = 6.0
_OUTPUT = 30.0  # above the cell: prediction, target and loss
_THIN, _THIN_GAP = 5.0, 3.0  # strips of the layers that are not looked at
_STUB = 18.0  # below the cell: the arrow of the input
_GAP = 12.0  # between two models
_AT_ONCE = 32  # time steps that are read together
_VANISHED = 0.04  # of the range of magnitudes: its colour is that of the ground
_NUMBERS = 42.0  # pixels between two cells below which their arrow has no number


@dataclass(frozen=True)
class Steps:
    """The time steps that are seen: from `first`, one every `pitch` pixels from `left` on."""

    first: int
    count: int
    left: float
    pitch: float

    @property
    def numbers(self) -> range:
        return range(self.first, self.first + self.count)

    def x(self, time_step: int) -> float:
        """The middle of a column."""
        return self.left + (time_step - self.first + 0.5) * self.pitch

    @property
    def cell(self) -> float:
        """The width of a cell: what its arrows leave."""
        return min(max(0.55 * self.pitch, self.pitch - 56.0), 96.0)

    @property
    def roomy(self) -> bool:
        """Whether numbers fit onto the arrows."""
        return self.pitch - self.cell >= _NUMBERS

    @staticmethod
    def around(time_step: int, first: int, time_steps: int, width: float, pitch: float) -> "Steps":
        """As many as fit into `width`; they stay where they are as long as the cursor and its neighbours are seen."""
        room = max(width - LABEL_COLUMN - SCALE_COLUMN, pitch)
        count = min(max(int(room / pitch), 1), time_steps)
        edge = 1 if count > 2 else 0
        first = max(min(first, time_step - edge), time_step + edge - count + 1)
        first = min(max(first, 1), time_steps - count + 1)
        spread = min(room / count, max(pitch, min(1.25 * pitch, MOST_PITCH)))
        return Steps(first, count, LABEL_COLUMN + (room - spread * count) / 2 * (count == time_steps), spread)


def draw_unrolled(look: Look, area: QRectF, steps: Steps, only: int | None = None) -> Drawing:
    """The models below each other, or one `only`, below the row of their inputs."""
    drawing = Drawing()
    _draw_inputs(drawing, look, area, steps)
    top, room = area.top() + HEADER, area.height() - HEADER
    rows = _rows(look, steps, only)
    detail = next((d for d in (2, 1, 0) if sum(row.height(d) for row in rows) <= room), 0)
    needed = sum(row.height(detail) for row in rows)
    grow = min(max((room - needed) / max(len(rows), 1), 0.0), 60.0)
    for row in rows:
        height = row.height(detail) + grow
        row.draw(drawing, QRectF(area.left(), top, area.width(), height), detail)
        top += height
    return drawing


def height_of(look: Look, steps: Steps) -> float:
    """Pixels for all models in full."""
    return HEADER + sum(row.height(2) for row in _rows(look, steps))


def _rows(look: Look, steps: Steps, only: int | None = None) -> list["_Row"]:
    return [
        _Row(look, number, model, steps)
        for number, model in enumerate(look.shown.models)
        if model.layer is not None and (only is None or number == only)
    ]


def _draw_inputs(drawing: Drawing, look: Look, area: QRectF, steps: Steps) -> None:
    """x_t of every time step, with the number of the time step below."""
    shown, task = look.shown, look.shown.task
    symbols = task is not None and task.input_kind == "symbols" and len(task.input_labels) == shown.inputs.shape[1]
    drawing.add(
        Text("input", _LEFT, area.top() + 20, "Input", _TITLE - 1, look.color("text"), bold=True),
        Text("input words", _LEFT, area.top() + 36, "x_t, one-hot" if symbols else "x_t", _SMALL, look.color("muted")),
    )
    for t in steps.numbers:
        x, here = steps.x(t), t == look.time_step
        values = shown.inputs[t - 1]
        text = _input_text(look, values, symbols)
        wide = max(24.0, min(steps.pitch - 6, 14 + 7.0 * len(text)))
        box = QRectF(x - wide / 2, area.top() + 5, wide, 23)
        ground = look.color("cursor") if here else look.color("raised")
        ink = look.color("on_cursor") if here else look.color("text")
        if task is not None and not here and symbols and text in task.marked_symbols:
            ink = look.color("positive")
        drawing.add(
            Box(f"input {t}", box, None, fill=ground, radius=4),
            Text(f"x {t}", x, area.top() + 21, text, _BODY + 1, ink, 0.5, bold=here),
            Text(
                f"t {t}", x, area.top() + 43, f"{t:,}", _SMALL,
                look.theme.text_color("cursor") if here else look.color("muted"), 0.5, bold=here,
            ),
        )  # fmt: skip
        column = QRectF(x - steps.pitch / 2, area.top(), steps.pitch, HEADER)
        drawing.place(column, Target(time_step=t), f"t = {t}: go there")


def _input_text(look: Look, values: Array, symbols: bool) -> str:
    task = look.shown.task
    if symbols and task is not None:
        return readable(task.input_labels[int(np.argmax(values))]) if np.any(values) else "–"
    if len(values) == 1:
        return short(float(values[0]))
    return f"‖x‖ {short(float(np.linalg.norm(values.astype(np.float64))))}"


class _Row:
    """One model: its outputs, the layers above, the cell of the layer looked at, the layers below, its inputs."""

    def __init__(self, look: Look, number: int, model: ShownModel, steps: Steps) -> None:
        assert model.sequence is not None
        assert model.layer is not None
        self.look, self.number, self.model, self.steps = look, number, model, steps
        self.trace, self.layer, self.sweep = model.sequence, model.layer, look.shown.sweep
        self.states = [self.layer.equations.node(name) for name in reversed(self.layer.equations.hidden_nodes)]
        names = model.network.layer_names
        here = names.index(self.layer.name)
        self.above, self.below = names[here + 1 :], names[:here]

    @property
    def rows(self) -> slice:
        """Positions in the trace of the time steps that are seen."""
        return slice(self.steps.first - 1, self.steps.first - 1 + self.steps.count)

    def height(self, detail: int) -> float:
        """With a detail from 0, strips alone, to 2."""
        cell = 2 * _PAD + len(self.states) * (_STATE if detail > 1 else _STATE_COMPACT)
        thin = (_THIN + _THIN_GAP) * (len(self.above) + len(self.below))
        return cell + thin + self._head_room(detail) + _STUB + _GAP

    def _head_room(self, detail: int) -> float:
        """Pixels for what is above the cells and the layers: predictions, and below them a pooling."""
        if not (detail > 0 and self._has_outputs):
            return 0.0
        return _OUTPUT + (0.0 if self._pooling is None else BUS)

    @cached_property
    def _pooling(self) -> PoolingKind | None:
        return pooling_of(self.model)

    @cached_property
    def _has_outputs(self) -> bool:
        return self.trace.head is not None

    def draw(self, drawing: Drawing, area: QRectF, detail: int) -> None:
        """Everything of the model in `area`."""
        extra = area.height() - self.height(detail)
        top = area.top() + min(extra / 2, 12.0) + self._head_room(detail)
        thin = _THIN + _THIN_GAP
        cell_top = top + thin * len(self.above)
        each = (_STATE if detail > 1 else _STATE_COMPACT) + min(max(extra - 12, 0.0), 16.0) / len(self.states)
        cell = QRectF(0, cell_top, self.steps.cell, 2 * _PAD + len(self.states) * each)
        self._draw_label(drawing, QRectF(area.left(), top - 4, LABEL_COLUMN, cell.height() + 8), detail)
        for number, name in enumerate(reversed(self.above)):
            self._draw_thin(drawing, name, top + thin * number)
        for number, name in enumerate(reversed(self.below)):
            self._draw_thin(drawing, name, cell.bottom() + _THIN_GAP + thin * number)
        bottom = cell.bottom() + thin * len(self.below)
        lines = self._lines(cell, each)
        self._draw_arrows(drawing, lines, detail)
        self._draw_cells(drawing, cell, each, detail)
        if detail > 0 and self._has_outputs:
            self._draw_outputs(drawing, top - self._head_room(detail))
            if self._pooling is not None:
                columns = [(t, self.steps.x(t)) for t in self.steps.numbers]
                draw_bus(drawing, self.look, self.number, self.model, columns, top)
        self._draw_stubs(drawing, bottom)
        self._draw_ends(drawing, cell, lines)

    # beside the time steps

    def _draw_label(self, drawing: Drawing, area: QRectF, detail: int) -> None:
        look, model = self.look, self.model
        stands = self.number == look.model
        drawing.add(
            Box(f"{self.number} bar", QRectF(6, area.top(), 3, area.height()), None, fill=model.color, radius=1.5),
            Text(f"{self.number} name", _LEFT + 2, area.top() + 15, _cut(model.name, LABEL_COLUMN - 20, _TITLE), _TITLE,
                 look.color("text"), bold=True),
        )  # fmt: skip
        words, needed = self._words(detail)
        for line, text in enumerate(words):
            if line < needed or 32 + 14 * line <= area.height() + 6:
                drawing.add(
                    Text(f"{self.number} words {line}", _LEFT + 2, area.top() + 31 + 14 * line,
                         _cut(text, LABEL_COLUMN - 20, _SMALL), _SMALL, look.color("muted"))
                )  # fmt: skip
        tip = f"{model.name}: {words[0]}" + ("" if stands else "; press to step through this model")
        drawing.place(QRectF(0, area.top(), LABEL_COLUMN, area.height()), Target(model=self.number), tip)
        self._draw_weights(drawing, area, 31 + 14 * len(words))

    def _words(self, detail: int) -> tuple[list[str], int]:
        """The lines below the name, and how many of them are written however little room there is: a pooling that no
        rail shows."""
        structure = self.model.structure
        units = structure.units(structure.equations.hidden)
        layer = layer_words(self.model.network.layer_names, self.layer.name)
        words = [", ".join(filter(None, [cell_words(self.model), layer]))]
        if not detail and self._pooling is not None:
            words.append(self._pooling.words)
        words = [line for line in words if line]
        needed = 0 if detail or self._pooling is None else len(words)
        few = grouped(units, self.steps.cell - 12)
        words.append(f"{units:,} units" + (f", {few}" if few else ""))
        if not self.model.carries:
            words.append("nothing is carried")
        return words, needed

    def _draw_weights(self, drawing: Drawing, area: QRectF, top: float) -> None:
        """The weights, which are the same at all time steps: hovered, all their places light up."""
        x = _LEFT + 2
        if top > area.height() + 10:
            return
        for name, symbol in weights_of(self.model.structure, self.trace):
            lit = name == self.look.lit
            text = Text(f"{self.number} weight {name}", x, area.top() + top, symbol, _SMALL,
                        self.look.color("accent" if lit else "text"), bold=lit)  # fmt: skip
            if x + text.width > LABEL_COLUMN:
                break
            drawing.add(text)
            place = QRectF(x - 2, text.baseline - 12, text.width + 6, 17)
            words = f"{symbol}: the same weights at every time step; what each adds to its gradient is below the cells"
            drawing.place(place, Target(model=self.number, parameter=name), words)
            x += text.width + 9

    def _draw_thin(self, drawing: Drawing, name: str, top: float) -> None:
        """A layer that is not looked at, as one strip a time step; a press looks at it."""
        layer, steps = self.trace.layer(name), self.steps
        output = layer.equations.node(layer.equations.output)
        strips = self.look.state_strips(output, layer.output[self.rows, 0])
        for row, t in enumerate(steps.numbers):
            rect = QRectF(steps.x(t) - steps.cell / 2, top, steps.cell, _THIN)
            drawing.add(strips.strip(f"{self.number} {name} {t}", row, rect))
            words = f"h of {LayerId.read(name).words} at t = {t}; press to look at this layer"
            target = Target(model=self.number, layer=name, time_step=t)
            drawing.place(rect.adjusted(0, -1.5, 0, 1.5), target, words)

    def _draw_ends(self, drawing: Drawing, cell: QRectF, lines: list["_Wire"]) -> None:
        """How many time steps are left out on both sides, and where the loss is."""
        steps, look = self.steps, self.look
        y = lines[-1].y if lines else cell.center().y()
        earlier, later = steps.first - 1, self.model.time_steps - steps.first - steps.count + 1
        if earlier:
            x = steps.x(steps.first) - steps.pitch / 2
            spots = tuple((x - 5, y + 4 + away) for away in (14, -14, 28))
            drawing.add(
                Text(f"{self.number} earlier", x - 5, y + 4, f"{earlier:,} ⋯", _SMALL, look.color("muted"), 1.0,
                     spare=True, spots=spots)
            )  # fmt: skip
        x = steps.x(steps.numbers[-1]) + steps.pitch / 2 + 5
        if later:
            drawing.add(Text(f"{self.number} later", x, y + 4, f"⋯ {later:,}", _SMALL, look.color("muted")))
        asked = np.flatnonzero(look.shown.asked) + 1
        if self.trace.head is None or not len(asked) or asked[-1] in steps.numbers:
            return
        t, total = int(asked[-1]), float(np.sum(self.model.losses, dtype=np.float64))
        words = f"L at t = {t:,}" if len(asked) == 1 else f"Σ {len(asked):,} L_t"
        target = Target(model=self.number, time_step=t, phase="loss")
        for line, text in enumerate((words, short(total))):
            mark = Text(f"{self.number} loss {line}", x, y - 26 + 14 * line, text, _SMALL,
                        look.color("muted" if line == 0 else "text"))  # fmt: skip
            drawing.add(mark)
            drawing.place(mark.rect.adjusted(-2, -2, 2, 3), target, "the loss: press to go there")

    # cells

    def _draw_cells(self, drawing: Drawing, cell: QRectF, each: float, detail: int) -> None:
        look, steps, sweep = self.look, self.steps, self.sweep
        stands = self.number == look.model
        for t in steps.numbers:
            here = t == sweep.time_step
            border = look.color("cursor") if here else self.model.color if t in sweep.done else look.color("border")
            box = cell.translated(steps.x(t) - cell.width() / 2, 0)
            width = 2.4 if here and stands else 1.8 if here else 1.3
            drawing.add(Box(f"{self.number} cell {t}", box, border, width, look.color("panel")))
            target = Target(model=self.number, layer=self.layer.name, time_step=t)
            drawing.place(box, target, f"{self.model.name} at t = {t}: press to go there, twice to look inside")
        for number, node in enumerate(self.states):
            self._draw_state(drawing, node, cell, cell.top() + _PAD + number * each, each, detail)

    def _draw_state(self, drawing: Drawing, node: Node, cell: QRectF, top: float, each: float, detail: int) -> None:
        """A state in every cell: its symbol and what keeps it, its strip, and its norm or that of its gradient."""
        look, steps, full = self.look, self.steps, detail > 1
        high, wide = each - (29.0 if full else 4.0), steps.cell - 12
        for t in steps.numbers:
            shown = self._read(node.name, partial(self._states, node), t)
            left = steps.x(t) - wide / 2
            rect = QRectF(left, top + (15 if full else 1), wide, high)
            key = f"{self.number} {node.name} {t}"
            drawing.add(shown.strips.strip(key, shown.row, rect))
            drawing.place(rect.adjusted(0, -1, 0, 1), shown.target, shown.words)
            if not full:
                continue
            symbol = Text(f"{key} symbol", left, top + 9, shown.symbol, _SMALL, look.color("muted"))
            kept = Text(f"{key} kept", left + wide, top + 9, shown.kept, _SMALL, self._keeping_color, 1.0)
            drawing.add(symbol)
            if shown.kept and symbol.width + kept.width + 3 <= wide:
                drawing.add(kept)
            text = self._read(f"{node.name} {look.backward}", partial(self._sizes, node), t)
            ink = look.color("text" if self._reached(t) else "muted")
            size = Text(f"{key} size", steps.x(t), top + each - 4, text, _SMALL - 1, ink, 0.5)
            if size.width <= wide + 10:
                drawing.add(size)

    def _states(self, node: Node, steps: range) -> list["_State"]:
        """A state in every cell, ready to be drawn."""
        values = self.layer.value(node.name)[steps.start - 1 : steps.stop - 1, 0]
        strips, kept = self.look.state_strips(node, values), keeping(self.layer, node.name)
        found = []
        for row, t in enumerate(steps):
            mean = f"{kept.symbol} {written(kept.mean(self.layer, t - 1))}" if kept is not None else ""
            words = f"{node.words} at t = {t}: press to go there; right button: what if, and where it comes from"
            target = Target(model=self.number, layer=self.layer.name, time_step=t, node=node.name)
            found.append(_State(strips, row, at(node.symbol, t), mean, words, target))
        return found

    def _sizes(self, node: Node, steps: range) -> list[str]:
        """‖h_t‖ in the forward sweep, ‖∂L/∂h_t‖ in the backward sweep."""
        rows = slice(steps.start - 1, steps.stop - 1)
        if not self.look.backward:
            values, _ = norms(self.trace, self.layer.name, lambda layer: layer.value(node.name)[rows, 0])
            return [f"‖{node.name}‖ {written(value)}" for value in values]
        values, lost = norms(self.trace, self.layer.name, lambda layer: layer.grad(node.name)[rows, 0])
        return [f"∂ {written(value, bool(gone))}" for value, gone in zip(values, lost, strict=True)]

    def _read(self, what: str, make: Callable[[range], Sequence[Found]], t: int) -> Found:
        """What is read of this model's layer at a time step: of many neighbouring ones at once, and remembered."""
        first = t - (t - 1) % _AT_ONCE
        steps = range(first, min(first + _AT_ONCE, self.model.time_steps + 1))
        return self.look.once((self.number, self.layer.name, what, first), lambda: make(steps))[t - first]

    @cached_property
    def _keeping_color(self) -> QColor:
        gates = [gate for gate in self.layer.equations.gates if gate.family == "forget"]
        return self.look.theme.gate_color("forget" if gates else "input")

    def _reached(self, t: int) -> bool:
        return t in self.sweep.done or t == self.sweep.time_step

    # arrows

    def _lines(self, cell: QRectF, each: float) -> list["_Wire"]:
        """The lines between two cells, those of one state beside each other at the height of its strip."""
        found = []
        for number, node in enumerate(self.states):
            ways = [way for way in ways_back(self.layer.equations) if way.state == node.name]
            middle = cell.top() + _PAD + (number + 0.5) * each + (3 if each > _STATE_COMPACT + 8 else 0)
            for place, way in enumerate(ways):
                found.append(_Wire(way, middle + (place - (len(ways) - 1) / 2) * min(18.0, each / max(len(ways), 1))))
        return found

    def _draw_arrows(self, drawing: Drawing, lines: list["_Wire"], detail: int) -> None:
        between = range(max(self.steps.first - 1, 1), min(self.steps.first + self.steps.count, self.model.time_steps))
        for line in lines:
            flows = partial(self._flows, line.way)
            for t in between:
                receiver = t + self.layer.reverse  # what comes back to t from t + 1; in a reverse layer the other way
                flow = self._read(f"{line.way.state} {line.way.kind}", flows, receiver)
                self._draw_arrow(drawing, line, t, flow, numbered=detail > 1 or len(lines) == 1)

    def _flows(self, way: Way, receivers: range) -> list["_Flow"]:
        """What comes back along a way to each of these time steps."""
        places = range(receivers.start - 1, receivers.stop - 1)
        sizes, lost = norms(self.trace, self.layer.name, partial(way.came, steps=places))
        found = []
        for t, size, gone in zip(receivers, sizes.tolist(), lost.tolist(), strict=True):
            text = written(size, gone)
            target = Target(
                model=self.number, layer=self.layer.name, time_step=t, parameter=way.parameter, node=way.state
            )
            color, width = self.look.gradient_color(size), 1.6 + 3.4 * self.look.size_of(size)
            if self.look.size_of(size) < _VANISHED:  # as good as nothing, but its line is seen
                color, width = self.look.color("border"), 1.2
            words = f"‖{at(way.symbol, t, self.layer.reverse)}‖ = {text}"
            found.append(_Flow(text, color, width, words, target))
        return found

    def _draw_arrow(self, drawing: Drawing, line: "_Wire", t: int, flow: "_Flow", *, numbered: bool) -> None:
        """Between t and t + 1."""
        look, steps = self.look, self.steps
        half, reach = steps.cell / 2, steps.pitch / 2
        start = steps.x(t) + half + 2 if t in steps.numbers else steps.x(t + 1) - reach
        end = steps.x(t + 1) - half - 2 if t + 1 in steps.numbers else steps.x(t) + reach
        if look.backward != self.layer.reverse:
            start, end = end, start
        passed = self._reached(t) and self._reached(t + 1)
        key = f"{self.number} {line.way.state} {line.way.kind} {t}"
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
            beside = len(ways_back(self.layer.equations)) > len(self.states)  # two lines of one state are close
            size = Text(f"{key} size", middle, y, flow.text, _SMALL, look.color("text"), 0.5, spare=beside)
            if size.width <= abs(end - start) + 6:
                drawing.add(size)

    # what comes in and goes out

    def _draw_stubs(self, drawing: Drawing, top: float) -> None:
        """The arrow of the input into every cell; of a lit weight each time step's share below it."""
        look, steps = self.look, self.steps
        shares, lost = self._shares()
        if shares is not None:
            self._draw_most(drawing, shares, top)
        if self.layer.window > 1:
            self._draw_window(drawing, top + _STUB + 3)
        for t in steps.numbers:
            x = steps.x(t)
            lit = look.lit == "weight_ih"
            color = look.color("accent") if lit else look.color("muted" if self._reached(t) else "border")
            points = (QPointF(x, top + _STUB - 3), QPointF(x, top + 2))
            drawing.add(Line(f"{self.number} stub {t}", points, color, 2.6 if lit else 1.4, head=6.0))
            place = QRectF(x - 12, top, 24, _STUB)
            drawing.place(
                place, Target(model=self.number, time_step=t, parameter="weight_ih"), f"x at t = {t}, by W_ih"
            )
            if shares is not None:
                text = written(float(shares[t - 1]), bool(lost[t - 1]))
                drawing.add(
                    Text(f"{self.number} share {t}", x + 6, top + 14, text, _SMALL, look.color("accent"), bold=True)
                )

    def _draw_window(self, drawing: Drawing, y: float) -> None:
        """A bracket below the inputs that the cell at the cursor reads."""
        steps, t, key = self.steps, self.sweep.time_step, f"{self.number} window"
        if t not in steps.numbers:
            return
        first = max(t - self.layer.window + 1, 1)
        seen = range(max(first, steps.first), t + 1)
        left = steps.x(seen[0]) - (6 if seen[0] == first else steps.pitch / 2)
        right, color = steps.x(t) + 6, self.look.theme.text_color("cursor")
        drawing.add(Line(key, (QPointF(left, y), QPointF(right, y)), color, 1.6))
        if seen[0] == first:
            drawing.add(Line(f"{key} begins", (QPointF(left, y), QPointF(left, y - 5)), color, 1.6))
        drawing.add(Line(f"{key} ends", (QPointF(right, y), QPointF(right, y - 5)), color, 1.6))
        reads = Text(f"{key} words", right + 6, y + 4, f"x_{{{first}…{t}}}", _SMALL, color)
        if reads.width + 20 <= steps.pitch or t == self.model.time_steps:
            drawing.add(reads)
        words = f"what the cell at t = {t} reads: the inputs of t = {first} to {t}, side by side"
        drawing.place(QRectF(left, y - 4, steps.x(t) + 6 - left, 8), Target(model=self.number, time_step=t), words)

    def _draw_most(self, drawing: Drawing, shares: Array, top: float) -> None:
        """What the numbers below the cells are, and which time step adds most, seen or not."""
        symbol = dict(weights_of(self.model.structure, self.trace))[self.look.lit]
        most = int(np.argmax(np.where(np.isfinite(shares), shares, np.inf))) + 1
        x, accent = _LEFT + 2, self.look.color("accent")
        second = Text(f"{self.number} most", x, top + 29, f"most at t = {most:,}", _SMALL, accent, spare=True)
        drawing.add(Text(f"{self.number} shares", x, top + 15, f"share in ∂L/∂{symbol}", _SMALL, accent, spare=True))
        if shares[most - 1] > 0:
            drawing.add(second)
            drawing.place(second.rect, Target(time_step=most), f"t = {most}, which adds most: press to go there")

    def _shares(self) -> tuple[Array | None, Array]:
        """(T,) ‖(∂L/∂W)|_t‖ of the lit weight."""
        name, none = self.look.lit, np.zeros(self.model.time_steps, bool)
        if not name:
            return None, none
        if name == "head.weight":
            head = self.trace.head
            return (None if head is None else head.weight_grad_shares.get("weight")), none
        if name not in self.layer.equations.parameter_named:
            return None, none
        return magnitudes(self.trace, self.layer.name, lambda layer: layer.weight_grad_shares[name])

    def _draw_outputs(self, drawing: Drawing, top: float) -> None:
        """Prediction against target, and L_t, where there is a loss."""
        look, head, task = self.look, self.trace.head, self.look.shown.task
        assert head is not None  # the caller looked
        for t in self.steps.numbers:
            if not look.shown.asked[t - 1]:
                continue
            x, key = self.steps.x(t), f"{self.number} output {t}"
            first, second, right = _prediction(head.prediction[t - 1, 0], self.model, task, t)
            ink = look.color("text") if right is None else look.color("good" if right else "bad")
            loss = f"L {short(float(head.losses[t - 1, 0]))}"
            lit = look.lit == "head.weight"
            drawing.add(
                Text(f"{key} prediction", x, top + 10, _cut(first, self.steps.pitch - 4, _SMALL), _SMALL, ink, 0.5,
                     True),
                Text(f"{key} loss", x, top + 22, _cut(f"{second}{loss}", self.steps.pitch - 4, _SMALL), _SMALL,
                     look.color("muted"), 0.5),
                Line(f"{key} line", (QPointF(x, top + _OUTPUT), QPointF(x, top + 25)),
                     look.color("accent" if lit else "muted"), 2.6 if lit else 1.2),
            )  # fmt: skip
            place = QRectF(x - self.steps.pitch / 2, top, self.steps.pitch, _OUTPUT)
            target = Target(model=self.number, time_step=t, phase="loss", parameter="head.weight")
            drawing.place(place, target, f"prediction, target and loss at t = {t}: press to go to the loss")


@dataclass(frozen=True)
class _State:
    """A state in one cell, ready to be drawn."""

    strips: Strips
    row: int
    symbol: str
    kept: str
    words: str
    target: Target


@dataclass(frozen=True)
class _Flow:
    """What comes back between two time steps, ready to be drawn."""

    text: str
    color: QColor
    width: float
    words: str
    target: Target


@dataclass(frozen=True)
class _Wire:
    """One way between two time steps, and its height in the picture."""

    way: Way
    y: float


def _prediction(values: Array, model: ShownModel, task: TaskInfo | None, t: int) -> tuple[str, str, bool | None]:
    """What is predicted, what was wanted, and whether it is right; None for numbers."""
    assert task is not None
    assert model.sequence is not None
    assert model.sequence.head is not None
    head = model.sequence.head
    if task.output_kind == "classes" and head.classes is not None:
        chances, wanted = head.scores[t - 1, 0], int(head.classes[t - 1, 0])
        if not np.isfinite(chances).all():
            return "ŷ NaN", f"y {label_of(task.output_labels, wanted)} · ", None
        best = int(np.argmax(chances))
        first = f"ŷ {label_of(task.output_labels, best)} {short(float(chances[best]))}"
        return first, f"y {label_of(task.output_labels, wanted)} · ", best == wanted
    target = head.targets[t - 1, 0]
    if len(values) == 1:
        first, second = (short(undone(each, task, 0, True)) for each in (values, target))
        return f"ŷ {first}", f"y {second} · ", None
    return f"‖ŷ‖ {short(float(np.linalg.norm(values.astype(np.float64))))}", "", None


def _cut(text: str, width: float, size: int) -> str:
    """As much of a text as fits."""
    if marked_text.width(text, size) <= width:
        return text
    while text and marked_text.width(f"{text}…", size) > width:
        text = text[:-1]
    return f"{text.rstrip()}…"
