"""One breakpoint: its dot, its expression, what it waits for in words, and behind "Edit" the fields for that."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Literal

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QVBoxLayout

from rnnviz.core.expressions import Vocabulary
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.watching.breakpoint_form import BreakpointForm
from rnnviz.gui.watching.breakpoint_words import note_of, with_expression
from rnnviz.gui.widgets.breakpoint_dot import Dot
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.expression_problem import ExpressionProblem
from rnnviz.gui.widgets.folded import fold, set_owner
from rnnviz.runs.file.records import Event

Face = Literal["fixed", "place", "typed"]


def face_of(one: Breakpoint) -> Face:
    """What a card shows: words of what is always there and only switched off, or of a place, or a field to type in."""
    if one.kind == "not finite" and not one.expression:
        return "fixed"
    return "place" if one.kind == "place" else "typed"


class BreakpointCard(QFrame):
    """`changed(Breakpoint)`: it is another now; `removed()`."""

    changed = Signal(object)
    removed = Signal()

    def __init__(self, one: Breakpoint, vocabulary: Callable[[], Vocabulary], look: Callable[[], Theme]) -> None:
        super().__init__()
        self._vocabulary, self.breakpoint = vocabulary, one
        self.setProperty("card", True)
        self.dot = Dot()
        self.dot.setToolTip("Enabled")
        self.face = face_of(one)
        self.field = ExpressionField(vocabulary, look, one.expression, self._check)
        self.field.setAccessibleName("Stops where")
        self.field.setCursorPosition(0)
        self.words = QLabel(one.words, wordWrap=True)
        self.remove = push_button("", "Remove this breakpoint", "icon")
        scale.fit(self.remove, width=22, icon=14)
        self.note = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.note.setProperty("role", "note")
        self.edit = push_button("Edit", "Threshold, model, every n-th time, a line to log instead", "link")
        self.edit.setCheckable(True)
        self.problem = ExpressionProblem(self.field)
        self.problem.setContentsMargins(24, 0, 8, 2)
        self.form = BreakpointForm(one, vocabulary, look)
        fold(self.form, self.edit)
        head = QHBoxLayout()
        head.setSpacing(2)
        for widget, stretch in ((self.dot, 0), (self.words, 1), (self.field, 1), (self.remove, 0)):
            head.addWidget(widget, stretch)
        (self.words if self.face == "typed" else self.field).hide()
        line = QHBoxLayout()
        line.setContentsMargins(24, 0, 8, 0)
        line.addWidget(self.note, 1)
        line.addWidget(self.edit, 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 3, 3, 3)
        column.setSpacing(1)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addLayout(line)
        column.addWidget(self.form)
        if self.face == "fixed":
            self.remove.hide()
            self.edit.hide()
        self.dot.toggled.connect(self._turn)
        self.field.entered.connect(self._retype)
        self.form.changed.connect(self.changed)
        self.remove.clicked.connect(self.removed)

    def show_breakpoint(self, one: Breakpoint, events: Sequence[Event], look: Theme) -> None:
        """Shows the breakpoint as it is now, and where it was met."""
        self.breakpoint = one
        set_owner(self, one.words)
        self.dot.look, self.dot.logs = look, one.logs
        blocked = self.dot.blockSignals(True)
        self.dot.setChecked(one.enabled)
        self.dot.blockSignals(blocked)
        self.dot.update()
        self.remove.setIcon(icon("close", look.muted))
        self.words.setText(replace(one, model="", every=1).words)
        self.dot.setAccessibleName(f"Stop: {one.words}")
        self.edit.setAccessibleName(f"Edit {one.words}")
        self.remove.setAccessibleName(f"Remove {one.words}")
        self.note.setText(note_of(one, events))
        self.form.set_breakpoint(one)

    def _check(self, text: str, vocabulary: Vocabulary) -> Breakpoint:
        return with_expression(self.breakpoint, text, vocabulary)

    @Slot(bool)
    def _turn(self, enabled: bool) -> None:
        self.changed.emit(replace(self.breakpoint, enabled=enabled))

    @Slot(str)
    def _retype(self, text: str) -> None:
        if text:
            self.changed.emit(with_expression(self.breakpoint, text, self._vocabulary()))
        else:
            self.removed.emit()
