"""One watch: its expression, to be changed in place, and below it a row for each model."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout

from rnnviz.core.expressions import Expression, Vocabulary, parse
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.watching.watch_rows import WatchRow, WatchRows
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.expression_problem import ExpressionProblem
from rnnviz.gui.widgets.folded import set_owner


class WatchCard(QFrame):
    """`changed(text)`: the expression was changed, "" when it is to go."""

    changed = Signal(str)

    def __init__(self, text: str, vocabulary: Callable[[], Vocabulary], theme: Callable[[], Theme]) -> None:
        super().__init__()
        self._vocabulary = vocabulary
        self.text = text
        self.setProperty("card", True)
        set_owner(self, text)
        self.field = ExpressionField(vocabulary, theme, text)
        self.field.setAccessibleName("Watched expression")
        self.field.setCursorPosition(0)
        self.remove = push_button("", "Stop watching this", "icon")
        self.remove.setAccessibleName(f"Remove the watch {text}")
        scale.fit(self.remove, width=22, icon=14)
        self.rows = WatchRows()
        self.problem = ExpressionProblem(self.field)
        self.problem.setContentsMargins(10, 0, 10, 4)
        head = QHBoxLayout()
        head.setContentsMargins(4, 0, 0, 0)
        head.setSpacing(2)
        head.addWidget(self.field, 1)
        head.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(2, 3, 3, 3)
        column.setSpacing(1)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addWidget(self.rows)
        self.field.entered.connect(self.changed)
        self.remove.clicked.connect(self._remove)

    @property
    def expression(self) -> Expression | None:
        """None while the text, which was right of another run, is wrong of this one."""
        return parse(self.text, self._vocabulary()) if self._right else None

    def show_rows(self, rows: Sequence[WatchRow], theme: Theme) -> None:
        self.remove.setIcon(icon("close", theme.muted))
        self.rows.set_content(rows, theme)

    @property
    def _right(self) -> bool:
        return self.field.problem is None or self.field.text() != self.text

    @Slot()
    def _remove(self) -> None:
        self.changed.emit("")
