"""The view on the canvas: turns mouse and wheel into wishes, and paints as little as it can."""

from PySide6.QtCore import QPointF, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPainter, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsScene, QGraphicsView, QWidget

_ZOOM_PER_NOTCH = 1.25
_NOTCH = 120.0  # Qt's units of one wheel notch
_PAN_PER_NOTCH = 60.0  # pixels


class CanvasView(QGraphicsView):
    """Emits scene positions; knows nothing of lanes."""

    taken = Signal(QPointF)  # left button, once, before `pressed`
    pressed = Signal(QPointF)  # left button, also while dragged
    hovered = Signal(QPointF)
    zoomed = Signal(float, float)  # factor, scene x
    panned = Signal(float)  # pixels
    fitted = Signal()  # double click: show all time steps
    resized = Signal()

    def __init__(self, scene: QGraphicsScene, parent: QWidget) -> None:
        super().__init__(scene, parent)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.MinimalViewportUpdate)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontSavePainterState)
        self.setOptimizationFlag(QGraphicsView.OptimizationFlag.DontAdjustForAntialiasing)
        self.setRenderHint(QPainter.RenderHint.TextAntialiasing)
        self.setMouseTracking(True)
        self.viewport().setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the keyboard is with what the view lies in
        self.viewport().setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            point = self.mapToScene(event.position().toPoint())
            self.taken.emit(point)
            self.pressed.emit(point)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        point = self.mapToScene(event.position().toPoint())
        if event.buttons() & Qt.MouseButton.LeftButton:
            self.pressed.emit(point)
        self.hovered.emit(point)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        event.accept()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.fitted.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        turned = event.angleDelta()
        control = event.modifiers() & Qt.KeyboardModifier.ControlModifier
        sideways = turned.x() or (turned.y() if event.modifiers() & Qt.KeyboardModifier.ShiftModifier else 0)
        if control:
            x = self.mapToScene(event.position().toPoint()).x()
            self.zoomed.emit(_ZOOM_PER_NOTCH ** ((turned.y() or turned.x()) / _NOTCH), x)
        elif sideways:
            self.panned.emit(-sideways / _NOTCH * _PAN_PER_NOTCH)
        elif self.verticalScrollBar().maximum() > 0:
            super().wheelEvent(event)
        else:
            self.panned.emit(-turned.y() / _NOTCH * _PAN_PER_NOTCH)
        event.accept()

    def resizeEvent(self, event: object) -> None:
        self.resized.emit()
