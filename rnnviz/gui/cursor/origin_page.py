"""The page "Origin" of the right column: what one gradient value at the cursor is made of, each part a click away."""

import math
from collections.abc import Callable, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from rnnviz.core.cells import Cell
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.trace import Layer, Trace
from rnnviz.debugger.head_provenance import HeadPlace, head_gradients
from rnnviz.debugger.phase_operations import head_column, headed
from rnnviz.debugger.places import to_gradient, to_loss
from rnnviz.debugger.provenance import GradientPlace, Part, Provenance, cancellation
from rnnviz.gui.live.explaining import Explaining, OriginQuestion
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import fill_scrolling, push_button
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.button_column import ButtonColumn
from rnnviz.gui.widgets.column_page import NARROWEST, ColumnPage
from rnnviz.gui.widgets.fields import Choice, Row, section_label

_SHOWN = 6  # parts of each list
_BETWEEN, _INSIDE = 10, 8  # pixels between the columns of a list, and around the words of a part
_TIP = "goes there; ↑ and ↓ lead to the other parts"


class OriginPage(ColumnPage):
    """Lists that each sum to the value: by losses, by paths, by units; the largest parts come first. Of the weights of
    the head there is the first alone."""

    shows = Fields("recorded.traces", "place.cursor", "place.sample", "place.unit", "place.model", "trial", "look.page")
    only_in_front = True

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._found: Provenance | None = None
        scale.fit(self, least_width=NARROWEST)
        self.explaining = Explaining(self)
        self.explaining.explained.connect(self._tell)
        self.explaining.refused.connect(self._refuse)
        self.of = Choice()
        self.of.chosen.connect(lambda _name: self.draw(store.state))
        self.place = QLabel()
        self.place.setWordWrap(True)
        self.note = QLabel()
        self.note.setProperty("role", "note")
        self.note.setWordWrap(True)
        self.lists = tuple(
            _Parts(title, self._follow) for title in ("From which loss", "Through which path", "Through which unit")
        )
        self._build()
        self._refuse("Computing …")
        self.begin()

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(12, 8, 10, 12)
        column.setSpacing(6)
        column.addWidget(section_label("What a gradient is made of"))
        column.addWidget(Row("Gradient of", self.of, "which value of the unit that is looked at", 148))
        column.addWidget(self.place)
        column.addWidget(self.note)
        for parts in self.lists:
            column.addSpacing(6)
            column.addWidget(parts)
        column.addStretch(1)
        fill_scrolling(self, content)

    def draw(self, state: State) -> None:
        looked = looked_at(state)
        trace = looked.sequence
        if trace is None:
            self._refuse("The parts appear with the first trace.")
            return
        layer = (
            trace.layer(state.place.cursor.layer)
            if state.place.cursor.layer in trace.network.layer_names
            else trace.layers[0]
        )
        options = [
            (name, _words(layer.equations, name)) for name in (*layer.equations.hidden_nodes, *layer.pre_activations)
        ]
        options += head_gradients(trace.head).items() if trace.head is not None else ()
        if [self.of.itemData(index) for index in range(self.of.count())] != [name for name, _ in options]:
            self.of.set_options(options)
        own, of = layer.times(), str(self.of.currentData())
        time_step = min(max(state.place.cursor.time_step, own.start + 1), own.stop)
        if trace.head is not None and of in head_gradients(trace.head):
            self.explaining.ask(OriginQuestion(trace, _head_place(of, trace, trace.head, state)))
            return
        trace = trace.holding(layer.name, time_step - 1)
        place = GradientPlace(of, layer.name, time_step, _unit(state, layer, time_step))
        self.explaining.ask(OriginQuestion(trace, place))

    def _tell(self, found: Provenance) -> None:
        state = self._store.state
        self._found = found
        whose = looked_at(state).titled(state.run.models[state.place.model].name)
        self.place.setText(f"{whose}: {found.place.words} = {short(found.value)}")
        self.place.show()
        note = ""
        if isinstance(found.place, HeadPlace):
            note = "Of the output that the target names, or of the one with the largest gradient."
        elif state.place.unit < 0:
            note = "The largest unit; a click on a row of a lane chooses another."
        self.note.setText(note)
        self.note.setVisible(bool(note))
        for parts, rows in zip(self.lists, (found.losses, found.paths, found.units), strict=True):
            parts.show_parts(rows)

    def _refuse(self, sentence: str) -> None:
        self.place.hide()
        self.note.setText(sentence)
        self.note.show()
        for parts in self.lists:
            parts.show_parts(())

    def _follow(self, part: Part) -> None:
        """Goes where the part came from: to the gradient it is a part of, or to the loss."""
        origin = part.leads_to
        if origin is None:
            self._store.go(to_loss, part.time_step)
            return
        self.of.set_value(origin.of)
        self._store.go(to_gradient, origin.layer, origin.time_step, origin.unit - 1)


class _Parts(QWidget):
    """One list: words to click, value, share of all."""

    def __init__(self, title: str, follow: Callable[[Part], None]) -> None:
        super().__init__()
        self._parts: tuple[Part, ...] = ()
        self.buttons: list[QPushButton] = []
        self._values: list[tuple[QLabel, QLabel]] = []
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(_BETWEEN)
        grid.setVerticalSpacing(0)
        grid.setColumnStretch(0, 1)
        grid.addWidget(section_label(title), 0, 0, 1, 3)
        for row in range(_SHOWN):
            button = push_button("", _TIP, "link")
            button.clicked.connect(lambda _on=False, row=row: follow(self._parts[row]))
            button.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
            value, share = QLabel(), QLabel()
            share.setProperty("role", "note")
            share.setToolTip("share of the sizes of all parts")
            for label in (value, share):
                label.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            for column, widget in enumerate((button, value, share)):
                grid.addWidget(widget, row + 1, column)
            self.buttons.append(button)
            self._values.append((value, share))
        self._column = ButtonColumn(self.buttons, self)
        self.rest = QLabel()
        self.rest.setProperty("role", "note")
        self.rest.setWordWrap(True)
        grid.addWidget(self.rest, _SHOWN + 1, 0, 1, 3)
        self.cancelling = QLabel()
        self.cancelling.setProperty("role", "note")
        self.cancelling.setToolTip("Parts of both signs cancel: the percentages are of all sizes, not of the value")
        grid.addWidget(self.cancelling, _SHOWN + 2, 0, 1, 3)

    def show_parts(self, parts: tuple[Part, ...]) -> None:
        """The largest of `parts`, and what the others come to."""
        self._parts = parts
        self._column.start_anew()
        self.setVisible(bool(parts))
        for row, (button, (value, share)) in enumerate(zip(self.buttons, self._values, strict=True)):
            for widget in (button, value, share):
                widget.setVisible(row < len(parts))
            if row < len(parts):
                value.setText(short(parts[row].value))
                share.setText(f"{parts[row].share:.0%}" if np.isfinite(parts[row].share) else "–")
        self._write()
        others = parts[_SHOWN:]
        self.rest.setText(_rest_words(others))
        self.rest.setVisible(bool(others))
        self.cancelling.setText(cancelling_words(parts, "the value"))
        self.cancelling.setVisible(bool(self.cancelling.text()))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._write()

    def _write(self) -> None:
        """The words of the parts, cut where their numbers leave no room; a tooltip has them whole."""
        numbers = [label.sizeHint().width() for pair in self._values[: len(self._parts)] for label in pair]
        room = self.width() - sum(max(numbers[side::2], default=0) for side in (0, 1)) - 2 * _BETWEEN - _INSIDE
        for part, button in zip(self._parts, self.buttons, strict=False):
            shown = button.fontMetrics().elidedText(part.words, Qt.TextElideMode.ElideRight, room)
            button.setText(shown)
            button.setToolTip(_TIP if shown == part.words else f"{part.words}\n{_TIP}")


_NOTHING_CANCELS = 1.05  # sizes of parts over their sum; less is not worth a line


def cancelling_words(parts: Sequence[Part], whole: str) -> str:
    """How much of the parts cancels on the way to their sum, called `whole`; "" where hardly anything does."""
    ratio = cancellation(parts)
    if math.isnan(ratio) or ratio < _NOTHING_CANCELS:
        return ""
    if math.isinf(ratio):
        return f"sizes add up to {short(sum(abs(part.value) for part in parts))}: all of it cancels"
    return f"sizes add up to {short(ratio)}× {whole}"


def _rest_words(others: Sequence[Part]) -> str:
    """The parts that are too small to be listed, in one line."""
    share = sum(part.share for part in others)
    words = f"{len(others)} more, together {short(sum(part.value for part in others))}"
    words += f", {share:.0%}" if math.isfinite(share) else ""
    cancelling = cancelling_words(others, "that")
    return f"{words}; {cancelling}" if cancelling else words


def _unit(state: State, layer: Layer, time_step: int) -> int:
    """The unit looked at, from 1; the one with the largest gradient where none is."""
    size = np.abs(layer.hidden_grad[time_step - 1, 0])
    if 0 <= state.place.unit < len(size):
        return state.place.unit + 1
    return int(np.argmax(np.where(np.isnan(size), np.inf, size))) + 1


def _head_place(of: str, trace: Trace, head: HeadTrace, state: State) -> HeadPlace:
    """The output that is asked about and, of the weights, the unit looked at, or the one with the largest gradient."""
    t = min(max(state.place.cursor.time_step - 1, head.start), head.stop - 1)
    asked = np.flatnonzero(head.loss_weight[:, 0])
    output = head.asked_output(int(asked[-1]) if of == "W_ho" and asked.size else t)
    column = 0
    if of == "W_ho":
        column = int(np.argmax(np.abs(head.weight_grads["weight"][output])))
    if 0 <= state.place.unit < headed(trace).output_size:
        column = head_column(headed(trace), state.place.cursor.layer, state.place.unit)
    return HeadPlace(of, t + 1, output + 1, column + 1)


def _words(cell: Cell, name: str) -> str:
    """As in the menus: what it is and its letter."""
    node = cell.node(name)
    if node.role == "gate":
        return f"{node.words} a_{name}"
    return f"{node.words} {name}" if node.role == "state" else f"pre-activation {name}"
