"""Asking: the dialog in which a person says whether something goes on; a no changes nothing."""

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from rnnviz.gui.live.question import Question


class Asking(QObject):
    """`dialog` is the one on the screen, if any; a newer question takes its place."""

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self._question: Question | None = None
        self.dialog: QMessageBox | None = None

    @Slot(object)
    def ask(self, question: Question) -> None:
        self._forget()
        self._question = question
        self.dialog = QMessageBox(QMessageBox.Icon.Question, question.title, question.words, parent=self._window)
        self.dialog.addButton(question.yes, QMessageBox.ButtonRole.AcceptRole)
        no = self.dialog.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        self.dialog.setDefaultButton(no)
        self.dialog.setEscapeButton(no)
        self.dialog.accepted.connect(self._go_on)
        self.dialog.rejected.connect(self._forget)
        self.dialog.open()

    @Slot()
    def _go_on(self) -> None:
        question = self._question
        self._forget()
        if question is not None:
            question.go_on()

    @Slot()
    def _forget(self) -> None:
        self._question = None
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
