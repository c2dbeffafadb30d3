"""One model of the unrolled network: its outputs, the layers above, the cells of the layer looked at, its inputs."""

from functools import cached_property

import numpy as np
from PySide6.QtCore import QPointF, QRectF

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.heads.pooling import PoolingKind
from rnnviz.gui.canvas.items.symbols import readable
from rnnviz.gui.look.columns import LABEL_COLUMN
from rnnviz.gui.network.attention import MEMORY, draw_memory
from rnnviz.gui.network.cells import COMPACT, PAD, Wire, draw_arrows, draw_cells, wires
from rnnviz.gui.network.drawing import Box, Drawing, Line, Target, Text
from rnnviz.gui.network.dropped import draw_dropped
from rnnviz.gui.network.outputs import OUTPUT, draw_outputs
from rnnviz.gui.network.pooling import BUS, draw_bus, pooling_of
from rnnviz.gui.network.reading import cell_words, grouped, layer_words, weights_of, written
from rnnviz.gui.network.row_reader import RowReader
from rnnviz.gui.network.stage_marks import (
    AROUND,
    FRONT,
    draw_borders,
    draw_fronts,
    draw_ways_around,
    fronts,
    goes_around,
)
from rnnviz.gui.network.written import cut_to

_LEFT = 14.0
_SMALL, _TITLE = 11, 15
_STATE = 40.0  # height of one state in a cell: symbol, strip, norm
_THIN, _THIN_GAP = 5.0, 3.0  # strips of the layers that are not looked at
_STUB = 18.0  # below the cell: the arrow of the input
_GAP = 12.0  # between two models


class ModelRow(RowReader):
    """Draws a model in an area, with a detail from 0, strips alone, to 2."""

    @cached_property
    def others(self) -> list[tuple[range, tuple[str, ...], tuple[str, ...]]]:
        """Of each stage its time steps, from 1, and its layers above and below the one looked at, lowest first."""
        found = []
        own = self.layer.id
        for call in self.trace.calls:
            names = [layer.name for layer in call.layers]
            ids = [layer.id for layer in call.layers]
            here = next((n for n, one in enumerate(ids) if (one.depth, one.reverse) == (own.depth, own.reverse)), 0)
            steps = range(call.layers[0].start + 1, call.layers[0].stop + 1)
            found.append((steps, tuple(names[here + 1 :]), tuple(names[:here])))
        return found

    def height(self, detail: int) -> float:
        """Pixels it takes at least."""
        cell = 2 * PAD + len(self.states) * (_STATE if detail > 1 else COMPACT)
        thin = (_THIN + _THIN_GAP) * (self._above + self._below)
        around = AROUND if goes_around(self) else 0.0
        front = FRONT if detail > 0 and fronts(self) else 0.0
        return cell + thin + around + self._head_room(detail) + _STUB + front + _GAP

    @cached_property
    def _above(self) -> int:
        return max(len(above) for _, above, _ in self.others)

    @cached_property
    def _below(self) -> int:
        return max(len(below) for _, _, below in self.others)

    def _head_room(self, detail: int) -> float:
        """Pixels for what is above the cells and the layers: attention, predictions, and below them a pooling."""
        if not (detail > 0 and self.trace.head is not None):
            return 0.0
        memory = 0.0 if self.model.looking_back is None else MEMORY
        return memory + OUTPUT + (0.0 if self._pooling is None else BUS)

    @cached_property
    def _pooling(self) -> PoolingKind | None:
        return pooling_of(self.model)

    def draw(self, drawing: Drawing, area: QRectF, detail: int) -> None:
        """Everything of the model in `area`."""
        extra = area.height() - self.height(detail)
        top = area.top() + min(extra / 2, 12.0) + self._head_room(detail)
        thin, around = _THIN + _THIN_GAP, AROUND if goes_around(self) else 0.0
        cell_top = top + thin * self._above + around
        each = (_STATE if detail > 1 else COMPACT) + min(max(extra - 12, 0.0), 16.0) / len(self.states)
        cell = QRectF(0, cell_top, self.steps.cell, 2 * PAD + len(self.states) * each)
        bottom = cell.bottom() + thin * self._below
        memory = MEMORY if detail > 0 and self.model.looking_back is not None else 0.0
        draw_borders(drawing, self, top - self._head_room(detail) + memory, bottom + _STUB)
        self._draw_label(drawing, QRectF(area.left(), top - 4, LABEL_COLUMN, cell.height() + 8), detail)
        for steps, above, below in self.others:
            for number, name in enumerate(above):
                self._draw_thin(drawing, name, cell_top - around - thin * (number + 1), steps)
            for number, name in enumerate(reversed(below)):
                self._draw_thin(drawing, name, cell.bottom() + _THIN_GAP + thin * number, steps)
        if around:
            draw_ways_around(drawing, self, cell, bottom)
        lines = wires(self, cell, each)
        draw_arrows(drawing, self, lines, detail)
        draw_cells(drawing, self, cell, each, detail)
        if detail > 0 and self.trace.head is not None:
            self._draw_head(drawing, area, top, self._head_room(detail))
        self._draw_stubs(drawing, bottom)
        if detail > 0:
            draw_fronts(drawing, self, bottom + _STUB)
        self._draw_ends(drawing, cell, lines)

    def _draw_head(self, drawing: Drawing, area: QRectF, top: float, room: float) -> None:
        if self.model.looking_back is not None:
            draw_memory(drawing, self, area, top - room)
        draw_outputs(drawing, self, top - OUTPUT - (0.0 if self._pooling is None else BUS))
        if self._pooling is not None:
            columns = [(t, self.steps.x(t)) for t in self.steps.numbers]
            draw_bus(drawing, self.look, self.number, self.model, columns, top)

    # beside the time steps

    def _draw_label(self, drawing: Drawing, area: QRectF, detail: int) -> None:
        look, model = self.look, self.model
        stands = self.number == look.model
        drawing.add(
            Box(f"{self.number} bar", QRectF(6, area.top(), 3, area.height()), None, fill=model.color, radius=1.5),
            Text(f"{self.number} name", _LEFT + 2, area.top() + 15, cut_to(model.name, LABEL_COLUMN - 20, _TITLE),
                 _TITLE, look.color("text"), bold=True),
        )  # fmt: skip
        words, needed = self._words(detail)
        for line, text in enumerate(words):
            if line < needed or 32 + 14 * line <= area.height() + 6:
                drawing.add(
                    Text(f"{self.number} words {line}", _LEFT + 2, area.top() + 31 + 14 * line,
                         cut_to(text, LABEL_COLUMN - 20, _SMALL), _SMALL, look.color("muted"))
                )  # fmt: skip
        tip = f"{model.name}: {words[0]}" + ("" if stands else "; press to step through this model")
        drawing.place(QRectF(0, area.top(), LABEL_COLUMN, area.height()), Target(model=self.number), tip)
        self._draw_weights(drawing, area, 31 + 14 * len(words))

    def _words(self, detail: int) -> tuple[list[str], int]:
        """The lines below the name, and how many of them are written however little room there is: a pooling that no
        rail shows."""
        structure = self.model.structure
        units = structure.units(structure.equations.hidden)
        network, cell = self.model.network, cell_words(self.model)
        layer = layer_words(network, self.layer.name)
        words = [cell, layer] if network.several else [", ".join(filter(None, [cell, layer]))]
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
        of_stage = " of a stage" if self.model.network.several else ""
        for name, symbol in weights_of(self.model.structure, self.trace):
            lit = name == self.look.lit
            text = Text(f"{self.number} weight {name}", x, area.top() + top, symbol, _SMALL,
                        self.look.color("accent" if lit else "text"), bold=lit)  # fmt: skip
            if x + text.width > LABEL_COLUMN:
                break
            drawing.add(text)
            place = QRectF(x - 2, text.baseline - 12, text.width + 6, 17)
            each = "what each adds to its gradient is below the cells"
            words = f"{symbol}: the same weights at every time step{of_stage}; {each}"
            drawing.place(place, Target(model=self.number, parameter=name), words)
            x += text.width + 9

    def _draw_thin(self, drawing: Drawing, name: str, top: float, there: range) -> None:
        """A layer that is not looked at, as one strip a time step; a press looks at it."""
        layer, steps = self.trace.layer(name), self.steps
        seen = [t for t in steps.numbers if t in there]
        if not seen:
            return
        output = layer.equations.node(layer.equations.output)
        strips = self.look.state_strips(output, layer.output[seen[0] - 1 : seen[-1], 0])
        for row, t in enumerate(seen):
            rect = QRectF(steps.x(t) - steps.cell / 2, top, steps.cell, _THIN)
            drawing.add(strips.strip(f"{self.number} {name} {t}", row, rect))
            words = f"h of {self.model.network.words(name)} at t = {t}; press to look at this layer"
            target = Target(model=self.number, layer=name, time_step=t)
            drawing.place(rect.adjusted(0, -1.5, 0, 1.5), target, words)
            draw_dropped(drawing, self, layer, t, rect)

    def _draw_ends(self, drawing: Drawing, cell: QRectF, lines: list[Wire]) -> None:
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

    def _draw_stubs(self, drawing: Drawing, top: float) -> None:
        """The arrow of the input into every cell; of a lit weight each time step's share below it."""
        look, steps = self.look, self.steps
        shares, lost = self.shares()
        if shares is not None:
            self._draw_most(drawing, shares, top)
        if self.layer.window > 1:
            self._draw_window(drawing, top + _STUB + 3)
        for t in self.there:
            x = steps.x(t)
            lit = look.lit == "weight_ih"
            color = look.color("accent") if lit else look.color("muted" if self.reached(t) else "border")
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
            else:
                self._draw_letter(drawing, t, x + 14, top + 13)

    def _draw_letter(self, drawing: Drawing, t: int, x: float, baseline: float) -> None:
        """What the decoder reads, where other models read another symbol, and in a frame where it is its own output."""
        letters, look = self.look.shown.letters[self.number], self.look
        if letters is None or not letters.symbols[t - 1]:
            return
        unlike = any(one is not None and one.symbols[t - 1] != letters.symbols[t - 1] for one in look.shown.letters)
        own = t in letters.own
        if not (unlike or own):
            return
        symbol, key = readable(letters.symbols[t - 1]), f"{self.number} reads {t}"
        ink = look.color("bad" if t in letters.wrong else "text" if own else "muted")
        text = Text(key, x, baseline, symbol, _SMALL, ink, 0.5, own)
        box = text.rect.adjusted(-3.5, -2, 3.5, 2.5)
        if own:
            drawing.add(Box(f"{key} own", box, self.model.color, 1.3, None, 3))
        drawing.add(text)
        drawing.place(box, Target(model=self.number, time_step=t), f"t = {t}: {symbol}{letters.words[t - 1]}")

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
