"""Number field: a field for numbers that opens their sliders, at its handle or with Alt+↓."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import (
    QEnterEvent,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QAbstractButton, QFrame, QGridLayout, QLabel, QSlider

from rnnviz.core.numbers import bound
from rnnviz.gui.look import scale
from rnnviz.gui.widgets.fields import Field
from rnnviz.gui.widgets.parsing import Parse, Show
from rnnviz.gui.widgets.slider_scale import SliderScale, parts, with_part

_PACE = 80  # milliseconds between two values that are entered while a slider is dragged
_WIDTH = 240  # of the sliders
_HANDLE = 18


@dataclass(frozen=True)
class PartSlider:
    """The slider of one number of a field; `words` name it where there are several."""

    scale: SliderScale
    words: str = ""
    zero: str = ""  # the word for 0

    def show(self, value: float) -> str:
        """The number as it stands beside the slider."""
        return self.zero if self.zero and value == 0 else bound(value)


class NumberField(Field):
    """A field with sliders. While one is dragged, `entered` comes at an even pace and last when it is let go; a whole
    drag is taken back at once. What is set from outside meanwhile does not move it."""

    def __init__(
        self,
        parse: Parse,
        show: Show,
        step: Callable[[object, int], object] | None,
        sliders: Sequence[PartSlider],
    ) -> None:
        super().__init__(parse, show, step)
        self.sliders = tuple(sliders)
        self.handle = _Handle(self)
        self.handle.clicked.connect(self.open_sliders)
        self._dragged = False  # whether what stands in the field is that of a drag which goes on
        self._pace = QTimer(self, singleShot=True, interval=_PACE)
        self._pace.timeout.connect(self._enter_newest)

    def set_value(self, value: object) -> None:
        if not self._dragged:
            super().set_value(value)

    def slide(self, value: object) -> None:
        """Shows a value of the drag that goes on, in place of the one before it; it is entered soon."""
        text = self._show(value)
        if text == self.text() or not self.takes(text):
            return
        if self._dragged:
            self.undo()
        self.selectAll()
        self.insert(text)
        self._dragged = True
        if not self._pace.isActive():
            self._enter_newest()

    def let_go(self) -> None:
        """Ends a drag: what stands in the field is entered."""
        if self._dragged:
            self._pace.stop()
            self._dragged = False
            self._finish()

    def put(self, value: object) -> None:
        """Enters a value as if it were typed: it can be taken back."""
        self.slide(value)
        self.let_go()

    def take_back(self) -> None:
        """Undoes the newest drag or entry."""
        self.undo()
        self._finish()

    def open_sliders(self) -> None:
        """Shows the sliders right below the field, or above it at the foot of the screen."""
        if not self.isEnabled():
            return
        self.setFocus(Qt.FocusReason.PopupFocusReason)
        if self.bad or self.value is None:
            return
        popup = SliderPopup(self)
        popup.adjustSize()
        place = self.mapToGlobal(QPoint(self.width() - popup.width(), self.height() + 2))
        room = self.screen().availableGeometry()
        if place.y() + popup.height() > room.bottom():
            place.setY(place.y() - self.height() - popup.height() - 4)
        popup.move(max(place.x(), room.left()), place.y())
        popup.show()
        popup.sliders[0].setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        held = event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
        if event.key() == Qt.Key.Key_Down and held == Qt.KeyboardModifier.AltModifier:
            self._finish()
            self.open_sliders()
        else:
            super().keyPressEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        high = self.height() - 4
        self.handle.setGeometry(2, 2, scale.px(_HANDLE), high)

    def enterEvent(self, event: QEnterEvent) -> None:
        super().enterEvent(event)
        self._show_handle()

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._show_handle()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._show_handle()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._show_handle()

    def _show_handle(self) -> None:
        self.handle.setVisible(self.isEnabled() and (self.hasFocus() or self.underMouse()))

    def _enter_newest(self) -> None:
        if self._dragged and self.typed != self.value:
            self._finish()
            self._pace.start()


class _Handle(QAbstractButton):
    """The small picture of a slider at the left end of a number field, while that is pointed at or has the focus."""

    def __init__(self, field: NumberField) -> None:
        super().__init__(field)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip("Slider (Alt+↓)")
        self.setAccessibleName("Slider")
        self.hide()

    def sizeHint(self) -> QSize:
        return scale.size(_HANDLE, _HANDLE)

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            roles, palette = QPalette.ColorRole, self.palette()
            color = palette.color(roles.Text if self.underMouse() or self.isDown() else roles.PlaceholderText)
            painter.fillRect(scale.rect(self).adjusted(2, 2, 0, -2), palette.color(roles.Base))
            middle = scale.height(self) / 2
            painter.setPen(QPen(color, 1.5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            for x1, x2 in ((4.0, 6.5), (11.5, 15.0)):
                painter.drawLine(QRectF(x1, middle, x2 - x1, 0).topLeft(), QRectF(x1, middle, x2 - x1, 0).topRight())
            painter.drawEllipse(QRectF(6.7, middle - 2.4, 4.8, 4.8))


class SliderPopup(QFrame):
    """The sliders of a field, one below the other. Enter, Escape or a click elsewhere put them away."""

    def __init__(self, field: NumberField) -> None:
        super().__init__(field, Qt.WindowType.Popup)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setProperty("card", True)
        self._field = field
        grid = QGridLayout(self)
        grid.setContentsMargins(10, 6, 10, 6)
        grid.setHorizontalSpacing(8)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(2, 1)
        scale.fit(self, width=_WIDTH)
        self.sliders: list[NumberSlider] = []
        for number, part in enumerate(field.sliders):
            slider = NumberSlider(field, number)
            self.sliders.append(slider)
            low, high = (_end(part.show(part.scale.value(place))) for place in (0, part.scale.last))
            for column, widget in enumerate((_end(part.words), low, slider, high)):
                if column or part.words:
                    grid.addWidget(widget, number, column)
        field.textChanged.connect(self._follow)
        self._follow()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape):
            self.close()
        elif event.matches(QKeySequence.StandardKey.Undo):
            self._field.take_back()
        else:
            super().keyPressEvent(event)

    def _follow(self) -> None:
        for slider in self.sliders:
            slider.follow()


class NumberSlider(QSlider):
    """One number of a field on a slider. The arrow keys go as in the field, Page up and Page down further."""

    def __init__(self, field: NumberField, number: int) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        self._field, self._number = field, number
        self._part = field.sliders[number]
        self._scale = self._part.scale
        self.setRange(0, self._scale.last)
        name = self._part.words or field.accessibleName()
        self.setAccessibleName(f"Slider of {name}" if not self._part.words else f"{field.accessibleName()}, {name}")
        log = ", spaced by powers of ten" if self._scale.log else ""
        ends = " to ".join(self._part.show(self._scale.value(place)) for place in (0, self._scale.last))
        self._ends = f"{ends}{log}"
        self.setToolTip(f"{self._ends}; numbers beyond are typed. Ctrl+Z takes a drag back")

    @property
    def _now(self) -> float:
        return parts(self._field.typed)[self._number]

    def follow(self) -> None:
        """Shows the number that stands in the field."""
        if not self._field.judge():
            self.setValue(self._scale.place(self._now))
            self.setAccessibleDescription(f"{self._part.show(self._now)}, {self._ends}")

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self.setSliderDown(True)
            self._drag(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self._drag(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.isSliderDown():
            self.setSliderDown(False)
            self._field.let_go()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.accept()  # as in a field: never by accident

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = Qt.Key
        direction = {keys.Key_Right: 1, keys.Key_Up: 1, keys.Key_Left: -1, keys.Key_Down: -1}.get(keys(event.key()), 0)
        page = {keys.Key_PageUp: 1, keys.Key_PageDown: -1}.get(keys(event.key()), 0)
        if direction:
            self._put(self._scale.step(self._now, direction))
        elif page:
            self._put(self._scale.page(self._now, page))
        elif event.key() in (keys.Key_Home, keys.Key_End):
            self._put(self._scale.value(0 if event.key() == keys.Key_Home else self._scale.last))
        else:
            event.ignore()

    def _drag(self, event: QMouseEvent) -> None:
        knob = scale.px(14)
        share = (event.position().x() - knob / 2) / max(self.width() - knob, 1)
        self._field.slide(with_part(self._field.typed, self._number, self._scale.value(round(share * self.maximum()))))

    def _put(self, value: float) -> None:
        self._field.put(with_part(self._field.typed, self._number, value))


def _end(words: str) -> QLabel:
    label = QLabel(words)
    label.setProperty("role", "note")
    return label
