"""What a breakpoint waits for, beside its expression: threshold or factor, model, every n-th time, a line to log."""

from collections.abc import Callable
from dataclasses import replace

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.expressions import Vocabulary
from rnnviz.core.expressions.completion import complete_message
from rnnviz.core.expressions.log_message import parse_message
from rnnviz.core.expressions.suggesting.refusals import told
from rnnviz.core.expressions.suggesting.suggestion import suggest_message
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.parsing import real, whole

_WHEN = (
    ("up", "rises above"),
    ("down", "falls below"),
    ("either", "crosses"),
    ("factor", "changes by a factor"),
)
_WIDTH = 132
_LARGEST = 1e300


class BreakpointForm(QWidget):
    """`changed(Breakpoint)` when a field is finished."""

    changed = Signal(object)

    def __init__(self, one: Breakpoint, vocabulary: Callable[[], Vocabulary], look: Callable[[], Theme]) -> None:
        super().__init__()
        self._one = one
        self.when = Choice(_WHEN)
        self.threshold = Field(real("The threshold", -_LARGEST, _LARGEST))
        self.factor = Field(real("The factor", 1.0, _LARGEST, above=True))
        self.model = Choice([("", "any model"), *((name, name) for name in vocabulary().models)])
        self.every = Field(whole("Every how many hits", 1, 1_000_000_000))
        self.message = ExpressionField(
            vocabulary, look, one.message, parse_message, complete_message, suggest_message, told
        )
        self.message.setPlaceholderText("loss is {loss}")
        self.rows = (
            Row("When it", self.when, "What the number has to do", _WIDTH),
            Row("Threshold", self.threshold, "The value it reaches", _WIDTH),
            Row("Factor", self.factor, "How many times larger or smaller it becomes at once", _WIDTH),
            Row("Model", self.model, "Whose values are looked at", _WIDTH),
            Row("Every", self.every, "Stops at every n-th hit", _WIDTH),
            Row("Log", self.message, "Writes this line instead of stopping; {…} is filled in", _WIDTH),
        )
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 0, 8, 4)
        column.setSpacing(0)
        for row in self.rows:
            column.addWidget(row)
        self.when.chosen.connect(self._take_when)
        self.threshold.entered.connect(lambda value: self._take(crosses=value))
        self.factor.entered.connect(lambda value: self._take(factor=value))
        self.model.chosen.connect(lambda value: self._take(model=value))
        self.every.entered.connect(lambda value: self._take(every=value))
        self.message.entered.connect(lambda value: self._take(message=value))
        self.message.judged.connect(self._say)
        self.set_breakpoint(one)

    def set_breakpoint(self, one: Breakpoint) -> None:
        """Shows what there is to say of `one`."""
        self._one = one
        data = one.kind == "data"
        self.when.set_value("factor" if one.crosses is None else one.direction)
        self.rows[0].setVisible(data)
        self.rows[1].setVisible(data and one.crosses is not None)
        self.rows[2].setVisible(data and one.crosses is None)
        self.threshold.set_value(one.crosses if one.crosses is not None else 0.0)
        self.factor.set_value(one.factor if one.factor is not None else 10.0)
        self.model.set_value(one.model)
        self.every.set_value(one.every)
        self.message.show_entered(one.message)

    def _say(self, sentence: str) -> None:
        guess = self.message.suggestion
        self.rows[-1].show_problem(f"{sentence} Did you mean {guess}? Tab takes it." if guess else sentence)

    def _take_when(self, when: object) -> None:
        if when == "factor":
            self._take(crosses=None, direction="either", factor=self.factor.value)
        else:
            self._take(crosses=self.threshold.value, direction=when, factor=None)

    def _take(self, **changes: object) -> None:
        self.changed.emit(replace(self._one, **changes))  # type: ignore[arg-type]
