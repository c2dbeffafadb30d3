"""Line popup: the small field where a person types one line: where to go, or a note."""

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtWidgets import QFrame, QLabel, QLineEdit, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.look import scale

_HINT = "A time step, 17, or more: step 500 t 17 backward. Also a layer (l1), an operation, unit 7, a model."
_WIDTH = 300


class JumpField(QFrame):
    """A popup below the cursor label. Enter hands what is typed to `take`, or says what that wanted instead; Escape
    or a click elsewhere puts it away. `name` and `hint` say what it is for."""

    def __init__(self, take: Callable[[str], None], parent: QWidget, name: str = "Go to", hint: str = _HINT) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._take, self._hint = take, hint
        self.setProperty("card", True)
        scale.fit(self, width=_WIDTH)
        self.field = QLineEdit()
        self.field.setAccessibleName(name)
        self.field.returnPressed.connect(self._accept)
        self.note = QLabel(hint)
        self.note.setWordWrap(True)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 12, 8)
        column.setSpacing(6)
        column.addWidget(self.field)
        column.addWidget(self.note)

    def ask(self, text: str, below: QWidget) -> None:
        """Shows the field with `text` selected, right below the widget `below`."""
        self.field.setText(text)
        self.note.setText(self._hint)
        self.adjustSize()
        self.move(below.mapToGlobal(QPoint(0, below.height() + 4)))
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)
        self.field.selectAll()

    @Slot()
    def _accept(self) -> None:
        try:
            self._take(self.field.text())
        except RnnvizError as error:
            sentence = str(error).removeprefix("go to: ")
            self.note.setText(sentence[:1].upper() + sentence[1:])
            self.adjustSize()
            return
        self.hide()
