"""Fitted dialog: one that never is larger than its screen; what does not fit is scrolled to."""

from PySide6.QtCore import QSize
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QStyle, QVBoxLayout, QWidget

from rnnviz.gui.widgets.screens import FRAME, fitted


class FittedDialog(QDialog):
    """Is made to fit when it is shown; a fresh layout goes into it as into any other dialog."""

    def showEvent(self, event: QShowEvent) -> None:
        screen = self.screen().availableGeometry()
        least, room = self.minimumSizeHint().expandedTo(self.minimumSize()), (screen - FRAME).size()
        wanted = self.geometry()
        window = self.parentWidget()
        if window is not None:  # in its middle, as Qt would put it
            wanted.moveCenter(window.window().geometry().center())
        if least.boundedTo(room) != least:
            self._scroll()
            wanted.setSize(wanted.size().expandedTo(least + QSize(self._bar_width(), 0)))
        self.setGeometry(fitted(wanted, [screen]))
        super().showEvent(event)

    def _bar_width(self) -> int:
        return self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent)

    def _scroll(self) -> None:
        """Puts what the dialog holds into an area that scrolls."""
        layout = self.layout()
        if layout is None or self.findChild(QScrollArea, "fitted") is not None:
            return
        content, area = QWidget(), QScrollArea()
        content.setMinimumWidth(self.minimumWidth())
        content.setLayout(layout)  # which takes the widgets along
        area.setObjectName("fitted")
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setProperty("role", "panel")
        area.setWidgetResizable(True)
        area.setWidget(content)
        self.setMinimumSize(0, 0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(area)
