"""The small field where a person types where to go: a time step, or a whole place."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError

_HINT = "17, or b t=17, or k=1200 b t=17 l1 o"
_WIDTH = 300


class JumpField(QFrame):
    """A popup below the readout. Enter goes where `go_to` finds the place typed, or says what was wanted; Escape or a
    click elsewhere puts it away."""

    def __init__(self, go_to: Callable[[str], None], parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._go_to = go_to
        self.setProperty("card", True)
        self.setFixedWidth(_WIDTH)
        self.field = QLineEdit()
        self.field.setAccessibleName("Go to")
        self.field.returnPressed.connect(self._accept)
        self.note = QLabel(_HINT)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.note)

    def ask(self, place: str, below: QWidget) -> None:
        """Shows the field with `place` selected, right below the widget `below`."""
        self.field.setText(place)
        self.note.setText(_HINT)
        self.adjustSize()
        self.move(below.mapToGlobal(QPoint(0, below.height() + 4)))
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)
        self.field.selectAll()

    @Slot()
    def _accept(self) -> None:
        try:
            self._go_to(self.field.text())
        except RnnvizError as error:
            sentence = str(error).removeprefix("go to: ")
            self.note.setText(sentence[:1].upper() + sentence[1:])
            self.adjustSize()
            return
        self.hide()
