"""Focus ring: what is drawn around a picture that has the keyboard, in one colour for all."""

from PySide6.QtCore import QEvent, QObject, QRectF, Qt
from PySide6.QtGui import QColor, QFocusEvent, QPainter, QPaintEvent, QPen, QRegion
from PySide6.QtWidgets import QWidget

from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import Theme

_WIDTH, _ROUND = 2, 4  # pixels
_BY_KEY = (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason, Qt.FocusReason.ShortcutFocusReason)


def ring_color(theme: Theme) -> QColor:
    """Neutral, and well seen on every ground of the theme."""
    return theme.color("focus")


def paint_ring(painter: QPainter, box: QRectF, theme: Theme) -> None:
    """Just inside `box`."""
    half = _WIDTH / 2
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(QPen(ring_color(theme), _WIDTH))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(box.adjusted(half, half, -half, -half), _ROUND, _ROUND)


class FocusFrame(QWidget):
    """Lies on a picture and is seen while that has the keyboard, unless a click gave it or has followed since."""

    def __init__(self, picture: QWidget, theme: Theme) -> None:
        super().__init__(picture)
        self._picture, self._theme = picture, theme
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.hide()
        for part in (picture, *picture.findChildren(QWidget)):  # a click may be a part's
            part.installEventFilter(self)

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.MouseButtonPress:
            self.hide()
        if watched is not self._picture:
            return False
        match event.type():
            case QEvent.Type.FocusIn if isinstance(event, QFocusEvent) and event.reason() in _BY_KEY:
                self._cover()
                self.show()
                self.raise_()
            case QEvent.Type.FocusOut if isinstance(event, QFocusEvent):
                if event.reason() not in (Qt.FocusReason.ActiveWindowFocusReason, Qt.FocusReason.PopupFocusReason):
                    self.hide()
            case QEvent.Type.Resize:
                self._cover()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            paint_ring(painter, QRectF(self.rect()), self._theme)

    def _cover(self) -> None:
        """Only the edge is drawn over, so that what changes below needs no second painting."""
        self.setGeometry(self._picture.rect())
        inner = self.rect().adjusted(_WIDTH + 2, _WIDTH + 2, -_WIDTH - 2, -_WIDTH - 2)
        self.setMask(QRegion(self.rect()) - QRegion(inner))
