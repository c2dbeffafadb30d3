"""Problem of an expression: what is wrong below its field, and the right text that one click or Tab takes instead."""

from html import escape

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QLabel, QVBoxLayout, QWidget

from rnnviz.gui.widgets.expression_field import ExpressionField


class ExpressionProblem(QWidget):
    """Shown while the text of `field` is wrong."""

    def __init__(self, field: ExpressionField) -> None:
        super().__init__()
        self._field = field
        self.sentence = QLabel(wordWrap=True, textFormat=Qt.TextFormat.PlainText)
        self.sentence.setProperty("role", "problem")
        self.suggestion = QLabel(wordWrap=True, textFormat=Qt.TextFormat.RichText)
        self.suggestion.setTextInteractionFlags(Qt.TextInteractionFlag.LinksAccessibleByMouse)
        self.suggestion.setToolTip("Takes this instead  (Tab)")
        self.suggestion.linkActivated.connect(self._take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addWidget(self.sentence)
        column.addWidget(self.suggestion)
        field.judged.connect(self._say)
        self._say(field.sentence)

    def text(self) -> str:
        """What a person reads; "" while there is nothing wrong."""
        return self.sentence.text()

    @Slot(str)
    def _say(self, sentence: str) -> None:
        self.sentence.setText(sentence)
        self.setVisible(bool(sentence))
        wanted = self._field.suggestion
        color = self._field.look().color("accent").name()
        self.suggestion.setText(
            f'Did you mean <a href="take" style="color: {color}; text-decoration: none">{escape(wanted)}</a>?'
        )
        self.suggestion.setAccessibleName(f"Did you mean {wanted}? Tab takes it")
        self.suggestion.setVisible(bool(wanted))

    @Slot()
    def _take(self) -> None:
        self._field.take_suggestion(and_enter=True)
