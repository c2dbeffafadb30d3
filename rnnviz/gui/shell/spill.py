"""Spill: a panel in a dock that can be scrolled both ways where large text needs more room than the dock has."""

from PySide6.QtCore import QEvent, QObject, QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QScrollArea, QWidget


class Spill(QScrollArea):
    """As large as its panel wants, but never more than `share` of the window's width: then it has scroll bars.

    It lays its panel out itself: left to Qt a panel with wrapped text would be as high as it likes, and not as it may.
    """

    def __init__(self, panel: QWidget, share: float) -> None:
        super().__init__()
        self._panel, self._share = panel, share
        self.setProperty("role", "panel")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidget(panel)
        panel.installEventFilter(self)

    def sizeHint(self) -> QSize:
        return self._panel.sizeHint()

    def minimumSizeHint(self) -> QSize:
        least = self._least()
        bar = self.verticalScrollBar().sizeHint().width() if least.height() > self.height() else 0
        return QSize(min(least.width() + bar, round(self._share * self.window().width())), 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self._panel and event.type() == QEvent.Type.LayoutRequest:
            self._lay_out()
            self.updateGeometry()
        return super().eventFilter(watched, event)

    def _least(self) -> QSize:
        return self._panel.minimumSizeHint().expandedTo(self._panel.minimumSize())

    def _lay_out(self) -> None:
        least, room = self._least(), self.size()
        if least.height() > room.height():
            room -= QSize(self.verticalScrollBar().sizeHint().width(), 0)
        if least.width() > room.width():
            room -= QSize(0, self.horizontalScrollBar().sizeHint().height())
        self._panel.resize(room.expandedTo(least))
