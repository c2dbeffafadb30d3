"""File question: whether an experiment or a run may read data that lies outside its folder."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from rnnviz.gui.live.files import WishedFiles


class FileQuestion(QMessageBox):
    """Names each file; `accepted` when it may be read, `rejected` when not."""

    def __init__(self, wish: WishedFiles, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.wish = wish
        several, files = len(wish.files) > 1, "\n".join(wish.files)
        what = "files" if several else "a file"
        self.setWindowTitle("A file from elsewhere")
        self.setIcon(QMessageBox.Icon.Question)
        self.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like HTML
        self.setText(f"{wish.source.name} wants to read {what} outside its folder:\n{files}")
        self.setInformativeText(
            f"What {'they hold' if several else 'it holds'} is copied into the run and goes along with it "
            "when the run is sent on."
        )
        self.read_button = self.addButton("Read them" if several else "Read it", QMessageBox.ButtonRole.AcceptRole)
        self.cancel_button = self.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
        self.setDefaultButton(self.cancel_button)
        self.setEscapeButton(self.cancel_button)
