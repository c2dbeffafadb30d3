"""The small field where a person types the time step to go to."""

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSpinBox, QWidget


class JumpField(QFrame):
    """A popup below the readout. `chosen(time step)` on Enter; Escape or a click elsewhere puts it away."""

    chosen = Signal(int)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self.setProperty("card", True)
        self.field = QSpinBox()
        self.field.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)
        self.field.setMinimumWidth(56)
        self.field.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.field.lineEdit().returnPressed.connect(self._accept)
        self._of = QLabel()
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 8, 12, 8)
        row.addWidget(QLabel("Time step"))
        row.addWidget(self.field)
        row.addWidget(self._of)

    def ask(self, time_step: int, last: int, below: QWidget) -> None:
        """Shows the field with `time_step` selected, right below the widget `below`."""
        self.field.setRange(1, last)
        self.field.setValue(time_step)
        self._of.setText(f"of {last}")
        self.adjustSize()
        self.move(below.mapToGlobal(QPoint(0, below.height() + 4)))
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)
        self.field.selectAll()

    @Slot()
    def _accept(self) -> None:
        self.field.interpretText()
        self.hide()
        self.chosen.emit(self.field.value())
