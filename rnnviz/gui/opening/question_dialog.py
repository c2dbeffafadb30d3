"""Question dialog: in which a person says whether something goes on; Cancel is what Enter and Esc press."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from rnnviz.gui.live.question import Question


class QuestionDialog(QMessageBox):
    """`accepted` for a yes, `rejected` for a no to what is `asked`."""

    def __init__(self, question: Question, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.asked = question
        self.setWindowTitle(question.title)
        self.setIcon(QMessageBox.Icon.Question)
        self.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like HTML
        self.setText(question.words)
        self.setInformativeText(question.details)
        self.yes_button = self.addButton(question.yes, QMessageBox.ButtonRole.AcceptRole)
        self.cancel_button = self.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.cancel_button)
        self.setEscapeButton(self.cancel_button)
