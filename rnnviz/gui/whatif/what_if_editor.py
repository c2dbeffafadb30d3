"""The small editor of the what-if page: what to set, where, and to which value, at the cursor."""

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from rnnviz.core.cells.own import NOT_KNOWN
from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import short
from rnnviz.core.quantity import value_of
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import CallTrace, Trace
from rnnviz.core.sweeps.what_if.interventions import (
    Clamp,
    CutGradient,
    Intervention,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    check_numbers,
    one_hot,
)
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.state.state import State
from rnnviz.gui.whatif.what_if_parsing import (
    all_or_whole,
    end_or_whole,
    numbers,
    show_all,
    show_end,
    show_numbers,
    show_start,
    start_or_whole,
)
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import real, whole

KINDS = (
    ("value", "Set a value"),
    ("clamp", "Hold from here on"),
    ("whole", "Hold over the whole sequence"),
    ("range", "Hold over time steps"),
    ("lesion", "Switch unit off from here"),
    ("off", "Switch unit off throughout"),
    ("cut", "Cut the gradient"),
    ("state", "Initial state"),
    ("input", "Input"),
    ("weight", "Weight"),
)
_ROWS = {  # which rows each kind has
    "value": ("quantity", "unit", "value"),
    "clamp": ("quantity", "unit", "last", "value"),
    "whole": ("quantity", "unit", "value"),
    "range": ("quantity", "unit", "first", "last", "value"),
    "lesion": ("quantity", "unit", "last"),
    "off": ("quantity", "unit"),
    "cut": (),
    "state": ("quantity", "values"),
    "input": ("symbol", "values"),
    "weight": ("parameter", "row", "column", "values"),
}
_BUTTONS = {"whole": "Hold", "range": "Hold", "lesion": "Switch off", "off": "Switch off", "cut": "Cut"}
_HOLDS = ("value", "clamp", "whole", "range", "lesion", "off")  # kinds that set a state or gate
_OF_STATES = ("cut", "state")  # kinds of a cell that carries something
_LARGEST = 1e15
_MOST_NUMBERS = 6  # of the present input are offered to be changed


class WhatIfEditor(QWidget):
    """`wanted(intervention)` when the person presses the button; what is wrong is said below the fields."""

    wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._state = State()
        self._unit = -1
        self.kind = Choice(KINDS)
        self.quantity = Choice()
        self.parameter = Choice()
        self.symbol = Choice()
        self.unit = Field(lambda text: text, show_all)
        self.first = Field(lambda text: text, show_start)
        self.last = Field(lambda text: text, show_end)
        self.row = Field(lambda text: text, show_all)
        self.column = Field(lambda text: text, show_all)
        self.value = Field(real("The value", -_LARGEST, _LARGEST))
        self.values = Field(lambda text: text, show_numbers)
        self.now = QLabel()
        self.now.setProperty("role", "note")
        self.now.setWordWrap(True)
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.problem.hide()
        self.button = push_button("Set", "recomputes both sweeps with it at once", "primary")
        self._rows = self._make_rows()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        for widget in (*self._rows.values(), self.now, self.problem):
            column.addWidget(widget)
        column.addSpacing(4)
        column.addWidget(self.button)
        for field in (self.unit, self.first, self.last, self.row, self.column):
            field.reset(None)
        for field in (self.value, self.values):
            field.reset(0.0)
        self.kind.set_value("value")
        self.kind.chosen.connect(self._show_kind)
        self.quantity.chosen.connect(self._say_now)
        self.unit.editingFinished.connect(self._say_now)
        self.button.clicked.connect(self.press)
        for field in (self.value, self.values, self.unit, self.first, self.last, self.row, self.column):
            field.returnPressed.connect(self.press)

    def show_state(self, state: State) -> None:
        """Offers what the model that is looked at has."""
        self._state = state
        if state.place.unit != self._unit:
            self._unit = state.place.unit
            self.unit.reset(state.place.unit + 1 if state.place.unit >= 0 else None)
        self._offer()
        self._say_now()

    def ask(self, kind: str, quantity: str, unit: int | None) -> None:
        """Shows this kind with what is to be set; the value is still to be typed. `unit` from 1, None: all."""
        self.kind.set_value(kind)
        self._show_kind(kind)
        self.quantity.set_value(quantity)
        self.unit.reset(unit)
        self._say_now()
        self.value.setFocus(Qt.FocusReason.OtherFocusReason)
        self.value.selectAll()

    def press(self) -> None:
        """Asks for what the fields say."""
        try:
            found = self.intervention()
            check_numbers(found)
        except RnnvizError as error:
            self._say_problem(str(error))
            return
        self._say_problem("")
        self.wanted.emit(found)

    def intervention(self) -> Intervention:
        """What the fields say; RnnvizError naming the field that is wrong."""
        cursor, kind = self._state.place.cursor, self.kind.currentData()
        structure, program = self._structure(), self._state.program
        if structure is None:
            raise RnnvizError("There is no trace yet in which anything could be set.")
        time_steps = program.time_steps
        time_step = min(max(cursor.time_step, 1), time_steps)
        if kind == "cut":
            return CutGradient(time_step, cursor.layer if len(program.layers) > 1 else "")
        if kind == "input":
            return self._input(time_step)
        if kind == "weight":
            return self._weight()
        quantity = str(self.quantity.currentData())
        if kind == "state":
            return SetState(cursor.layer, quantity, numbers("The state", structure.units(quantity))(self.values.text()))
        width = structure.units(quantity)
        unit = all_or_whole("The unit", width)(self.unit.text())
        if kind == "value":
            return SetValue(cursor.layer, quantity, time_step, self._number(), unit)
        first, last = self._span(str(kind), time_step, time_steps)
        value = 0.0 if kind in ("lesion", "off") else self._number()
        return Clamp(cursor.layer, quantity, value, first, last, unit)

    def _span(self, kind: str, here: int, time_steps: int) -> tuple[int, int | None]:
        """The time steps something is held over; None: to the end."""
        if kind in ("whole", "off"):
            return 1, None
        first = start_or_whole("From", time_steps)(self.first.text()) or 1 if kind == "range" else here
        return first, end_or_whole("Until", first, time_steps)(self.last.text())

    def _number(self) -> float:
        value = real("The value", -_LARGEST, _LARGEST)(self.value.text())
        assert isinstance(value, float)
        return value

    def _input(self, time_step: int) -> Intervention:
        labels = self._symbols()
        if labels:
            number = whole("The symbol", 1, len(labels))(str(self.symbol.currentIndex() + 1))
            assert isinstance(number, int)
            return one_hot(time_step, number, len(labels))
        reading = self._reading()
        width = 1 if reading is None else int(reading.call.inputs.shape[-1])
        return SetInput(time_step, numbers("The input", width)(self.values.text()))

    def _weight(self) -> Intervention:
        name, trace = str(self.parameter.currentData()), self._trace()
        assert trace is not None
        shape = _parameters(trace)[name]
        rows, columns = shape[0], shape[1] if len(shape) > 1 else 1
        row = all_or_whole("The row", rows)(self.row.text())
        column = all_or_whole("The column", columns)(self.column.text())
        count = (rows if row is None else 1) * (columns if column is None else 1)
        return SetWeight(name, numbers("The weight", count)(self.values.text()), row, column)

    def _make_rows(self) -> dict[str, Row]:
        return {
            "kind": Row("What", self.kind, "what to set by hand", 148),
            "quantity": Row("Of", self.quantity, "which state or gate of the layer that is looked at", 148),
            "parameter": Row("Parameter", self.parameter, "which weights, by torch's name", 148),
            "unit": Row("Unit", self.unit, "the unit's number, or all; a click on a row of a lane chooses it"),
            "row": Row("Row", self.row, "the row's number, or all"),
            "column": Row("Column", self.column, "the column's number, or all"),
            "first": Row("From", self.first, "the first time step, or start"),
            "last": Row("Until", self.last, "the last time step, or end"),
            "value": Row("Value", self.value, "the value to set"),
            "values": Row("Value", self.values, "one number for all that is named, or one for each, commas between"),
            "symbol": Row("Symbol", self.symbol, "the symbol to read instead"),
        }

    def _structure(self) -> Structure | None:
        """Of the layer that is looked at."""
        state = self._state
        if state.place.model >= len(state.run.models):
            return None
        network, layer = state.run.models[state.place.model].network, state.place.cursor.layer
        return network.stage(layer if layer in network.layer_names else network.layer_names[0]).structure

    def _trace(self) -> Trace | None:
        state = self._state
        return state.recorded.traces[state.place.model] if state.place.model < len(state.recorded.traces) else None

    def _symbols(self) -> tuple[str, ...]:
        """What can be read at the cursor, one symbol at each time step; () where that is numbers."""
        task, trace = self._state.run.task, self._trace()
        if task is None or trace is None:
            return ()
        if trace.network.several and (reading := self._reading()) is not None and reading.call.name:
            return task.decoder_labels
        return task.input_labels if task.input_kind == "symbols" else ()

    def _time_step(self) -> int:
        return min(max(self._state.place.cursor.time_step, 1), self._state.program.time_steps)

    def _reading(self) -> CallTrace | None:
        """The call that reads an input at the cursor, of the sequence that is looked at."""
        trace, state = self._trace(), self._state
        if trace is None or state.place.sample >= trace.sequences:
            return None
        t, calls = self._time_step() - 1, trace.sample(state.place.sample).calls
        return next((one for one in calls if one.layers[0].start <= t < one.layers[0].stop), None)

    def _offer(self) -> None:
        """Choices that fit the model; what was chosen stays where it is still offered."""
        structure, trace = self._structure(), self._trace()
        self.button.setEnabled(structure is not None and trace is not None)
        if structure is None or trace is None:
            return
        cell = structure.equations
        known = not cell.recorded
        self._say_problem("" if known else f"{NOT_KNOWN} Nothing can be set by hand.")
        self.button.setEnabled(known)
        for row in self._rows.values():
            row.setEnabled(known)
        kinds = [(kind, words) for kind, words in KINDS if cell.states or kind not in _OF_STATES]
        _refill(self.kind, kinds)
        nodes = [cell.node(state) for state in cell.states] if self.kind.currentData() == "state" else cell.settable
        _refill(self.quantity, [(node.name, f"{value_of(cell, node).words} {node.name}") for node in nodes])
        _refill(self.parameter, [(name, name) for name in _parameters(trace)])
        if labels := self._symbols():
            _refill(self.symbol, [(label, repr(label)[1:-1] if label.isspace() else label) for label in labels])
        wanted = ("kind", *_ROWS[str(self.kind.currentData())])
        for name, row in self._rows.items():
            hidden = name not in wanted or (name == ("values" if self._symbols() else "symbol") and "symbol" in wanted)
            row.setVisible(not hidden)
        self.button.setText(_BUTTONS.get(str(self.kind.currentData()), "Set"))

    def _show_kind(self, kind: object) -> None:
        self._say_problem("")
        self._offer()
        present = self._present_input()
        if kind == "input" and not self._symbols() and 0 < len(present) <= _MOST_NUMBERS:
            self.values.reset(present)
        elif kind != "input":
            self.values.reset(0.0)
        self._say_now()

    def _present_input(self) -> tuple[float, ...]:
        reading = self._reading()
        if reading is None:
            return ()
        return tuple(float(f"{value:.4g}") for value in reading.layers[0].x[self._time_step() - 1, 0])

    def _say_now(self) -> None:
        """The value as it is in history, where one unit is named."""
        self.now.setText(self._now_words())
        self.now.setVisible(bool(self.now.text()))

    def _now_words(self) -> str:
        trace, state, kind = self._trace(), self._state, self.kind.currentData()
        name = str(self.quantity.currentData() or "")  # none of a user's own cell
        if kind not in _HOLDS or trace is None or not name:
            return ""
        time_step = min(max(state.place.cursor.time_step, 1), state.program.time_steps)
        sequence = trace.sample(min(state.place.sample, trace.sequences - 1))
        values = sequence.layer(state.place.cursor.layer).value(name)[time_step - 1, 0]
        try:
            unit = all_or_whole("The unit", len(values))(self.unit.text())
        except RnnvizError:
            return ""
        if unit is None:
            return f"in history {name}[{time_step}] is {short(values.min())} … {short(values.max())}"
        return f"in history {name}[{time_step}, {unit}] = {short(values[unit - 1])}"

    def _say_problem(self, sentence: str) -> None:
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))


def _parameters(trace: Trace) -> dict[str, tuple[int, ...]]:
    from rnnviz.core.sweeps.what_if.changed_capture import settable_parameters  # late: the sweeps come after the window

    return settable_parameters(trace.check.capture)


def _refill(choice: Choice, options: Sequence[tuple[object, str]]) -> None:
    """Offers `options`; what was chosen stays chosen, else the first is."""
    if [choice.itemData(index) for index in range(choice.count())] == [value for value, _ in options]:
        return
    before = choice.currentData()
    choice.set_options(options)
    choice.set_value(before if any(value == before for value, _ in options) else options[0][0])
