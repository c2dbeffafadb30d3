"""Dialog body: what a dialog lays its widgets in; with large text it scrolls where the screen has no room for it."""

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.look import scale

_AROUND = QSize(24, 64)  # pixels a screen keeps for its own frame


def dialog_body(dialog: QDialog) -> QVBoxLayout:
    """The layout that fills `dialog`."""
    if scale.text_scale() <= 1.0:
        return QVBoxLayout(dialog)
    content = QWidget()
    outer = QVBoxLayout(dialog)
    outer.setContentsMargins(0, 0, 0, 0)
    body = QVBoxLayout(content)
    outer.addWidget(_Scrolled(content, body))
    return body


class _Scrolled(QScrollArea):
    """As large as its content, and never larger than the screen."""

    def __init__(self, content: QWidget, body: QVBoxLayout) -> None:
        super().__init__()
        self._body = body
        self.setProperty("role", "panel")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setWidget(content)

    def sizeHint(self) -> QSize:
        return self._wanted().boundedTo(self.screen().availableSize() - _AROUND)

    def minimumSizeHint(self) -> QSize:
        return self.sizeHint()

    def _wanted(self) -> QSize:
        wide = max(self._body.totalMinimumSize().width(), self.window().minimumWidth())
        return QSize(wide, max(self._body.totalHeightForWidth(wide), self._body.totalSizeHint().height()))
