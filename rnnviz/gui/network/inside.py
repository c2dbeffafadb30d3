"""Inside the cell: its operations as a wiring diagram, with what runs along the wires at one time step."""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.cells import cell_kind
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import (
    Complement,
    Diagonal,
    Difference,
    Exp,
    ImaginaryPart,
    Matrix,
    Mix,
    Node,
    Product,
    RealPart,
    Relu,
    Share,
    Sigmoid,
    Softplus,
    Sum,
    Tanh,
)
from rnnviz.core.cells.wiring import BOX, Wire, Wiring, wiring
from rnnviz.core.cells.wiring import Box as Place
from rnnviz.core.equations.operations import operations_of
from rnnviz.core.equations.places import cut_words, from_after
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.swept import cut_before
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.sweeps.verdicts.underflow import held
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.canvas.lanes.shown import ShownModel
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.network.drawing import Box, Circle, Drawing, Line, Target, Text
from rnnviz.gui.network.reading import Look, Strips, at, factor, grouped, layer_words, written
from rnnviz.gui.network.written import broken, draw_equations
from rnnviz.gui.widgets import marked_text

_SIGNS = {
    Product: "×", Diagonal: "×", Sum: "+", Difference: "−", Complement: "1−", Mix: "mix", Share: "share",
    Tanh: "tanh", Sigmoid: "σ", Relu: "relu", Exp: "exp", Softplus: "softplus", RealPart: "Re", ImaginaryPart: "Im",
}  # fmt: skip
_TITLE_ROOM = 46.0
_NOTE_LINE = 15.0  # pixels of a line of the note below the diagram
_LEAST_ROW = 44.0  # pixels from one row of boxes to the next below which the note gives way
_SMALL, _BODY, _TITLE = 11, 12, 15
_LEAST_SIZE = 8  # of a symbol in a small box
_MOST_BOX = QRectF(0, 0, 112, 46)  # the size of a box where there is room
_LEAST_NUMBERS = 50.0  # pixels of a box below which it shows no number
_CLOSE_ROW = 48.0  # pixels from one row of boxes to the next below which a state has no room for two lines
_FLAT_BOX = 28.0  # pixels of height below which symbol and strip lie close
_ROUND = 11.0  # radius of an operation without a symbol


def draw_inside(look: Look, area: QRectF) -> Drawing:
    """The cell of the model stepped through, at the cursor's time step."""
    drawing = Drawing()
    model = look.shown.models[look.model]
    if model.layer is None or model.sequence is None:
        return drawing
    drawing.add(Box("inside", area, look.color("line"), 1.0, look.color("panel", 0.6), 10))
    diagram = _Diagram(look, model, area)
    diagram.draw(drawing)
    return drawing


@dataclass(frozen=True)
class _Grid:
    """Where the lattice of a wiring lies in the picture."""

    plan: Wiring
    left: float
    top: float
    column: float  # pixels from one box to the next
    row: float
    box: tuple[float, float]

    @staticmethod
    def fitting(plan: Wiring, area: QRectF) -> "_Grid":
        """Boxes as large as is good for them, the rest for the wires."""
        column = min(area.width() / (plan.columns - 0.3), 176.0)
        row = min(area.height() / (plan.rows - 0.35), 96.0)
        box = (
            min(max(0.62 * column, column - 52), _MOST_BOX.width()),
            min(max(0.58 * row, row - 34), _MOST_BOX.height()),
        )
        wide, high = (plan.columns - 1) * column + box[0], (plan.rows - 1) * row + box[1]
        return _Grid(plan, area.center().x() - wide / 2, area.center().y() - high / 2, column, row, box)

    def rect(self, place: Place) -> QRectF:
        return QRectF(self.left + place.column * self.column, self.top + place.row * self.row, *self.box)

    def point(self, lattice: tuple[int, int]) -> QPointF:
        """The pixels of a lattice point."""
        x = self._pixels(lattice[0], self.column, self.box[0])
        return QPointF(self.left + x, self.top + self._pixels(lattice[1], self.row, self.box[1]))

    def _pixels(self, line: int, pitch: float, box: float) -> float:
        number, rest = divmod(line, self.plan.pitch)
        if rest <= BOX:
            return number * pitch + box * rest / BOX
        return number * pitch + box + (pitch - box) * (rest - BOX) / self.plan.gap


class _Diagram:
    """One cell at one time step, in one sweep."""

    def __init__(self, look: Look, model: ShownModel, area: QRectF) -> None:
        assert model.layer is not None
        assert model.sequence is not None
        self.look, self.model, self.area = look, model, area
        self.trace: Trace = model.sequence
        self.layer: Layer = model.layer
        self.t = min(look.time_step, model.time_steps) - 1
        self.cursor = look.shown.cursor
        self.note = cell_kind(self.layer.cell).note
        self.plan = wiring(self.layer.equations)
        whole = area.adjusted(18, _TITLE_ROOM + 4, -18, -12)
        lines = look.once(("note", self.note, area.width()), lambda: broken(self.note, area.width() - 32, _SMALL))
        below = _NOTE_LINE * len(lines) + 6
        fits = (whole.height() - below) / (self.plan.rows - 0.35) >= _LEAST_ROW
        self.note_lines = lines if fits else ()
        self.grid = _Grid.fitting(self.plan, whole.adjusted(0, 0, 0, -below if fits else 0))

    def draw(self, drawing: Drawing) -> None:
        self._draw_title(drawing)
        for wire in self.plan.wires:
            self._draw_wire(drawing, wire)
        for place in self.plan.boxes:
            if place.kind == "node":
                self._draw_node(drawing, place)
            elif place.kind == "x":
                self._draw_x(drawing, place)
            else:
                self._draw_state(drawing, place)

    # words

    def _draw_title(self, drawing: Drawing) -> None:
        look, area, layer = self.look, self.area, self.layer
        structure = layer.structure
        title = Text("inside title", area.left() + 16, area.top() + 22,
                     f"Inside the {structure.equations.words} cell at t = {self.t + 1:,}", _TITLE, look.color("text"),
                     bold=True)  # fmt: skip
        sweep = "backward" if look.backward else "forward"
        operation = next((one for one in operations_of(layer) if one.key == self.cursor.operation), None)
        through = f"{sweep} through {operation.words.partition(':')[0]}" if operation is not None else sweep
        units = structure.hidden_size
        parts = [through, layer_words(self.model.network, layer.name), self.model.name]
        parts.append(f"unit {look.unit + 1}" if 0 <= look.unit < units else f"{units:,} units")
        parts.append(grouped(units, self._strip_width))
        muted = Text("inside words", area.left() + 16, area.top() + 38, " · ".join(filter(None, parts)), _SMALL,
                     look.color("muted"))  # fmt: skip
        drawing.add(title, muted)
        self._draw_note(drawing, title)
        room = area.width() - 16 - max(title.width, muted.width) - 40
        phase = Phase.BACKWARD if look.backward else Phase.FORWARD
        cursor = self.cursor if self.cursor.phase.swept else None
        if cursor is None or room < 160:
            return
        unit = look.unit if 0 <= look.unit < units else None
        lines = equation_lines(self.trace, cursor, unit, None) if cursor.phase is phase else []
        draw_equations(drawing, lines, area.right() - 14, area.top() + 20, room, look.theme)

    def _draw_note(self, drawing: Drawing, title: Text) -> None:
        """What the cell is and what it can and cannot, at the title and, where there is room, below the diagram."""
        area, count = self.area, len(self.note_lines)
        for number, line in enumerate(self.note_lines):
            y = area.bottom() - 12 - _NOTE_LINE * (count - 1 - number)
            drawing.add(Text(f"note {number}", area.left() + 16, y, line, _SMALL, self.look.color("muted")))
        if self.note:
            target = Target(layer=self.layer.name, time_step=self.t + 1)
            drawing.place(title.rect.adjusted(-4, -4, 4, 4), target, marked_text.plain(self.note))

    # nodes

    @property
    def _strip_width(self) -> float:
        return self.grid.box[0] - 12

    def _is_lit(self, node: Node) -> bool:
        return bool(self.cursor.operation) and node.step == self.cursor.operation

    def _values(self, node: Node) -> Array:
        """(U,) what the node computed, or its gradient in the backward sweep."""
        if self.look.backward:
            return np.asarray(self.layer.grad(node.name)[self.t, 0])
        return self.layer.value_at(node.name, self.t)

    def _size(self, node: Node) -> str:
        """Of a gate its mean; of all else the norm; in the backward sweep that of its gradient."""
        if self.look.backward:
            size, lost = self._norm(lambda layer: layer.grad(node.name)[self.t, 0])
            return written(size, lost)
        values = self._values(node)
        if node.role == "gate":
            return written(float(np.mean(values, dtype=np.float64)))
        return written(float(l2(values)))

    def _norm(self, read: Callable[[Layer], Array]) -> tuple[float, bool]:
        kept = np.asarray([l2(read(self.layer))])
        if not self.trace.underflows:
            return float(kept[0]), False
        found, lost = held(kept, np.asarray([l2(read(self.trace.exact.layer(self.layer.name)))]))
        return float(found[0]), bool(lost[0])

    def _draw_node(self, drawing: Drawing, place: Place) -> None:
        look, node = self.look, self.layer.equations.by_name[place.name]
        rect, lit = self.grid.rect(place), self._is_lit(node)
        border = look.color("cursor") if lit else self._hue(node)
        values = self._values(node)[None, :]
        strips = look.gradient_strips(values) if look.backward else look.node_strips(node, values)
        key = f"node {node.name}"
        target = Target(layer=self.layer.name, time_step=self.t + 1, operation=node.step, node=node.name)
        words = node.words or f"{_sign(node)}, part of {self._operation_words(node)}"
        tip = f"{words}: {self._size(node)}; press to go there; right button: what if, and where it comes from"
        if not node.symbol:
            self._draw_sign(drawing, node, rect, lit, strips, target, tip)
            return
        drawing.add(Box(key, rect, border, 2.2 if lit else 1.4, look.color("panel"), 6))
        matrix = isinstance(node.operation, Matrix)
        symbol = self._weight_symbol(node) if matrix else at(node.symbol, self.t + 1, self.layer.reverse)
        if look.backward and not matrix:
            symbol = f"∂L/∂{symbol}"
        left, right = rect.left() + 6, rect.right() - 6
        flat = rect.height() < _FLAT_BOX
        high, below, line = (5.0, 2.5, rect.top() + 11.5) if flat else (rect.height() - 22, 4.0, rect.top() + 13)
        name = Text(f"{key} symbol", left, line, symbol, _BODY, self._ink(node, lit))
        if name.width > right - left:  # in a small box
            name = replace(name, size=_fitting(symbol, rect.width() - 4), x=rect.center().x(), align=0.5)
        drawing.add(name)
        size = Text(f"{key} size", right, line, self._size(node), _SMALL, look.color("text"), 1.0, spare=True)
        sign = Text(f"{key} sign", left + name.width + 5, line, "" if matrix else _sign(node), _SMALL,
                    look.color("muted"))  # fmt: skip
        room = right - left - name.width - 5
        if size.width <= room and rect.width() >= _LEAST_NUMBERS:
            drawing.add(size)
            room -= size.width + 4
        if sign.markup and sign.width <= room:
            drawing.add(sign)
        strip = QRectF(left, rect.bottom() - high - below, right - left, high)
        drawing.add(strips.strip(f"{key} strip", 0, strip))
        drawing.place(rect, target, tip)
        if matrix:
            weight = node.operation.weights[0].name
            drawing.place(QRectF(left - 2, rect.top(), name.width + 4, 18),
                          Target(layer=self.layer.name, time_step=self.t + 1, operation=node.step, node=node.name,
                                 parameter=weight), tip)  # fmt: skip

    def _draw_sign(
        self, drawing: Drawing, node: Node, rect: QRectF, lit: bool, strips: Strips, target: Target, tip: str
    ) -> None:
        """An operation that is written out where it is used: a disc with its sign, and its strip on the wire."""
        look, key, centre = self.look, f"node {node.name}", rect.center()
        border = look.color("cursor") if lit else look.color("border")
        text = Text(f"{key} sign", centre.x(), centre.y() + 4.5, _sign(node), _BODY, look.color("text"), 0.5)
        disc = self._disc(node, rect)
        radius = disc.width() / 2
        drawing.add(Box(key, disc, border, 2.2 if lit else 1.4, look.color("raised"), _ROUND), text)
        wide = rect.right() - centre.x() - radius - 4
        if wide > 12:
            strip = QRectF(centre.x() + radius + 3, centre.y() - 9, wide, 6)
            drawing.add(strips.strip(f"{key} strip", 0, strip))
        size = Text(f"{key} size", centre.x() + radius + 3, centre.y() + 14, self._size(node), _SMALL - 1,
                    look.color("text"), spare=True)  # fmt: skip
        drawing.add(size)
        drawing.place(rect, target, tip)

    def _disc(self, node: Node, rect: QRectF) -> QRectF:
        """The disc of an operation without a symbol, in the middle of its box."""
        half = max(_ROUND, marked_text.width(_sign(node), _BODY) / 2 + 4)
        return QRectF(rect.center().x() - half, rect.center().y() - _ROUND, 2 * half, 2 * _ROUND)

    def _corners(self, wire: Wire) -> tuple[QPointF, ...]:
        """The pixels of a wire, from disc to disc where a box is drawn as one."""
        points = [self.grid.point(point) for point in wire.points]
        for place, key in ((0, wire.source), (-1, wire.target)):
            box = self.plan.box(key)
            if box.sign and self._on_edge(wire.points[place], key):
                disc = self._disc(self.layer.equations.by_name[box.name], self.grid.rect(box))
                points[place] = _edge_towards(disc, points[place])
        return tuple(points)

    def _on_edge(self, point: tuple[int, int], name: str) -> bool:
        place = self.plan.box(name)
        left, top = place.column * self.plan.pitch, place.row * self.plan.pitch
        return left <= point[0] <= left + BOX and top <= point[1] <= top + BOX

    def _hue(self, node: Node) -> QColor:
        if node.role == "gate":
            return self.look.theme.gate_color(node.family)
        return self.model.color if node.role == "state" else self.look.color("border")

    def _ink(self, node: Node, lit: bool) -> QColor:
        if lit:
            return self.look.theme.text_color("cursor")
        return self.look.theme.gate_color(node.family) if node.role == "gate" else self.look.color("text")

    def _weight_symbol(self, node: Node) -> str:
        return self.layer.equations.parameter_named[node.operation.weights[0].name].symbol

    def _operation_words(self, node: Node) -> str:
        operation = next(one for one in operations_of(self.layer) if one.key == node.step)
        return operation.words.partition(":")[0]

    # what comes in and goes on

    def _draw_x(self, drawing: Drawing, place: Place) -> None:
        look, rect, task = self.look, self.grid.rect(place), self.look.shown.task
        values = self.layer.cell_input[self.t, 0]
        own = self.layer.id.depth == 0
        symbols = own and task is not None and task.input_kind == "symbols" and len(task.input_labels) == len(values)
        symbol = at(self.layer.equations.input_symbol, self.t + 1)
        text = symbol
        if self.layer.window > 1:
            text += f": x_{{{max(self.t + 2 - self.layer.window, 1)}…{self.t + 1}}}"
        if symbols and task is not None and np.any(values):
            text += f" = {readable(task.input_labels[int(np.argmax(values))])}"
        if not own:
            text = f"h of layer {self.layer.id.depth - 1}"
        if look.backward:
            size, lost = self._norm(lambda layer: layer.grad("x")[self.t, 0])
            text = f"∂L/∂{symbol} {written(size, lost)}"
            strips = look.gradient_strips(self.layer.grad("x")[self.t, 0][None, :])
        else:
            strips = look.strips(values[None, :], -1.0, 1.0, look.theme.signed_map())
        drawing.add(
            Text("x", rect.center().x(), rect.top() + 13, text, _BODY, look.color("text"), 0.5),
            strips.strip("x strip", 0, QRectF(rect.left() + 6, rect.top() + 18, rect.width() - 12, 7)),
        )
        drawing.place(rect, Target(time_step=self.t + 1), "the input")

    def _draw_state(self, drawing: Drawing, place: Place) -> None:
        """A state as it comes from the time step before, or as it goes on; in the backward sweep their gradients."""
        look, layer, rect, before = self.look, self.layer, self.grid.rect(place), place.kind == "before"
        node, t = layer.equations.by_name[place.name], self.t
        symbol = at(node.symbol.replace("_t", "_{t−1}") if before else node.symbol, t + 1, layer.reverse)
        if look.backward:
            values, size, lost = self._gradient_at_border(node, before)
            strips = look.gradient_strips(values[None, :])
            text = f"∂L/∂{symbol}"
            number = "cut" if self._cut_words(before) else written(size, lost)
        else:
            values = layer.before[node.name][t, 0] if before else layer.value_at(node.name, t)
            strips = look.state_strips(node, values[None, :])
            text, number = symbol, written(float(l2(values)))
        x, align = (rect.left(), 0.0) if before else (rect.right(), 1.0)
        middle = rect.center().y()
        name = Text(f"{place.key} symbol", x, middle - 9, text, _BODY, look.color("text"), align)
        norm = Text(f"{place.key} size", x, middle + 22, number, _SMALL, look.color("text"), align)
        if self.grid.row < _CLOSE_ROW:  # the next state is right below: beside the symbol
            norm = replace(norm, x=x + (name.width + 5 if before else 0.0), baseline=name.baseline)
            name = replace(name, x=x - (0.0 if before else norm.width + 5))
        drawing.add(
            name,
            norm,
            strips.strip(f"{place.key} strip", 0, QRectF(rect.left(), middle + 3, rect.width(), 7)),
        )
        if look.backward and not before and node.name == layer.equations.output:
            direct, gone = self._norm(lambda one: one.direct_grad[t, 0])
            words = f"direct {written(direct, gone)}"
            y = middle + (22 if self.grid.row < _CLOSE_ROW else 35)
            drawing.add(Text("direct", x, y, words, _SMALL, look.color("muted"), align, spare=True))
        drawing.add(*self._border_line(place, rect, middle))
        step, cut = self._neighbour(before), self._cut_words(before)
        if step is not None:
            target = Target(layer=layer.name, time_step=step, node=node.name)
            words = f"{node.words} at t = {step}: press to go there"
            drawing.place(rect, target, f"{cut}; {words}" if cut else words)
        elif cut:
            drawing.place(rect, Target(layer=layer.name, time_step=t + 1, node=node.name), cut)

    def _border_line(self, place: Place, rect: QRectF, middle: float) -> list[Line]:
        """The wire goes on below the symbol, so that it is seen to come from or to lead somewhere."""
        color = self._border_color(place)
        backward = self.look.backward
        before = place.kind == "before"
        left, right = (
            QPointF(rect.left() - (8 if before else 0), middle),
            QPointF(rect.right() + (0 if before else 8), middle),
        )
        outwards = backward == before
        points = (right, left) if backward else (left, right)
        return [Line(f"{place.key} line", points, color, 1.8, head=8.0 if outwards or not before else 0.0)]

    def _border_color(self, place: Place) -> QColor:
        if not self.look.backward:
            return self.look.color("muted")
        node = self.layer.equations.by_name[place.name]
        return self.look.gradient_color(self._gradient_at_border(node, place.kind == "before")[1])

    def _gradient_at_border(self, node: Node, before: bool) -> tuple[Array, float, bool]:
        """What goes back to the state of the time step before, or came back to this one from the next."""
        t = self.t
        if before:
            uses = [use for use in self.layer.equations.uses[node.name] if use.value.before]
            where = slice(t, t + 1), slice(0, 1)

            def read(layer: Layer) -> Array:
                parts = [layer.passed_back(use, where)[0, 0] for use in uses]
                whole = np.asarray(sum(parts[1:], parts[0])) if parts else np.zeros(1)
                return np.zeros_like(whole) if cut_before(layer, t) else whole
        else:

            def read(layer: Layer) -> Array:
                return np.asarray(layer.arriving[node.name][t, 0]) if node.name in layer.arriving else np.zeros(1)

        return (read(self.layer), *self._norm(read))

    def _cut_words(self, before: bool) -> str:
        """What is said where nothing goes back over this border; "" elsewhere and in the forward sweep."""
        if not self.look.backward:
            return ""
        previous = self.t + 1 if self.layer.reverse else self.t - 1
        return cut_words(self.layer, previous if before else self.t)

    def _neighbour(self, before: bool) -> int | None:
        """The time step a state comes from, or goes to."""
        if not before:
            place = from_after(self.layer, self.t, 0)
            return None if place is None else place + 1
        step = self.t + (2 if self.layer.reverse else 0)
        return step if 1 <= step <= self.model.time_steps else None

    # wires

    def _draw_wire(self, drawing: Drawing, wire: Wire) -> None:
        look = self.look
        points = self._corners(wire)
        lit = wire.use is not None and self._is_lit(wire.use.node)
        key = f"wire {wire.source} → {wire.target}" + (f" {wire.use.place}" if wire.use is not None else "")
        if not look.backward:
            color = look.theme.text_color("cursor") if lit else look.color("muted")
            drawing.add(Line(key, points, color, 2.2 if lit else 1.4, head=7.0 if wire.use is not None else 0.0))
            self._draw_branch(drawing, wire, points[0], color)
            return
        size, lost = self._passed(wire)
        color = look.gradient_color(size) if size else look.color("border")
        width = (1.4 + 2.8 * look.size_of(size) if size else 1.2) + 0.8 * lit
        drawing.add(Line(key, points[::-1], color, width, head=7.0 + width))
        self._draw_branch(drawing, wire, points[0], color)
        if wire.use is not None:
            number = Text(f"{key} size", 0, 0, written(size, lost), _SMALL - 1, look.color("text"))
            drawing.add(_beside(number, points, width))
            gate = self._factor(f"{key} factor", wire.use)
            if gate is not None:
                drawing.add(_beside(gate, points, width, across=True))
            place = _around(points)
            target = Target(
                layer=self.layer.name, time_step=self.t + 1, operation=wire.use.node.step, node=wire.use.node.name
            )
            drawing.place(place, target, f"what {wire.target} sends back to {wire.source}: ‖·‖ = {written(size, lost)}")

    def _factor(self, key: str, use: Use) -> Text | None:
        """Which gate let the gradient through, and how much of it on average: "⊙ f 0.63"; None where none did."""
        found = factor(self.layer.equations, use)
        if found is None:
            return None
        words = f"⊙ {found.symbol} {written(found.mean(self.layer, self.t))}"
        return Text(key, 0, 0, words, _SMALL, self.look.theme.gate_color(found.family))

    def _draw_branch(self, drawing: Drawing, wire: Wire, point: QPointF, color: QColor) -> None:
        """A dot where a wire leaves another of the same value."""
        if not self._on_edge(wire.points[0], wire.source):
            drawing.add(Circle(f"branch {wire.source} {wire.target}", point, 2.6, None, fill=color))

    def _passed(self, wire: Wire) -> tuple[float, bool]:
        """The norm of the gradient that comes back along a wire."""
        where = slice(self.t, self.t + 1), slice(0, 1)
        use = wire.use
        if use is None:
            node = self.layer.equations.by_name[wire.source]
            _, size, lost = self._gradient_at_border(node, before=False)
            return size, lost
        return self._norm(lambda layer: layer.passed_back(use, where)[0, 0])


def _fitting(symbol: str, room: float) -> int:
    """The largest size of text in which a symbol has room, or the least that can be read."""
    return next(
        (size for size in range(_BODY, _LEAST_SIZE, -1) if marked_text.width(symbol, size) <= room), _LEAST_SIZE
    )


def _sign(node: Node) -> str:
    return _SIGNS.get(type(node.operation), "")


def _edge_towards(disc: QRectF, port: QPointF) -> QPointF:
    """The point of a disc on the side on which a wire meets its box at `port`."""
    centre = disc.center()
    if abs(port.x() - centre.x()) > abs(port.y() - centre.y()):
        return QPointF(disc.right() if port.x() > centre.x() else disc.left(), centre.y())
    return QPointF(centre.x(), disc.bottom() if port.y() > centre.y() else disc.top())


def _longest(points: Sequence[QPointF]) -> tuple[QPointF, QPointF]:
    """The longest straight part of a wire."""
    return max(itertools.pairwise(points), key=lambda pair: (pair[1] - pair[0]).manhattanLength())


def _beside(text: Text, points: Sequence[QPointF], width: float, *, across: bool = False) -> Text:
    """The text beside a wire of this width, above or right of it, or `across` from there: in the middle of its longest
    part, where there is no room nearer to an end."""
    one, other = _longest(points)
    away = width / 2 + 3
    if abs(one.x() - other.x()) > abs(one.y() - other.y()):
        dx, dy, align = 0.0, away + 0.8 * text.size if across else -away, 0.5
    else:
        dx, dy, align = -away if across else away, 4.0, float(across)
    along = [one + (other - one) * share for share in (0.5, 0.25, 0.75)]
    (x, y), *spots = ((point.x() + dx, point.y() + dy) for point in along)
    return replace(text, x=x, baseline=y, align=align, spare=True, spots=tuple(spots))


def _around(points: Sequence[QPointF]) -> QRectF:
    """The longest straight part, with some air."""
    return QRectF(*_longest(points)).normalized().adjusted(-5, -5, 5, 5)
