"""The page "Cursor" of the right column: the numbers of the time step, then what is added below them."""

from PySide6.QtWidgets import QVBoxLayout, QWidget


class CursorPage(QWidget):
    """`main` takes the room that the panels added below it leave."""

    def __init__(self, main: QWidget) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self._column.addWidget(main, 1)

    def add_below(self, widget: QWidget) -> None:
        """Puts `widget` below what is there."""
        self._column.addWidget(widget)
