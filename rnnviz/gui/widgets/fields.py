"""Form fields: a line that keeps a bad text until it is mended, a choice, a switch, and the row they stand in."""

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QEvent, QObject, QPointF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QKeyEvent,
    QKeySequence,
    QPainter,
    QPaintEvent,
    QPalette,
    QPen,
    QWheelEvent,
)
from PySide6.QtWidgets import (
    QApplication,
    QComboBox,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMainWindow,
    QVBoxLayout,
    QWidget,
)

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import exact
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_sheet import FIELD_HEIGHT
from rnnviz.gui.look.form_style import FIELD_WIDTH, set_role
from rnnviz.gui.look.painting import painting
from rnnviz.gui.widgets.parsing import Parse, Show
from rnnviz.gui.widgets.spoken import teach_screen_readers

_APART = 8  # pixels between a label and its field
FLAT_PAD = 6  # pixels between the frame of a flat choice and its word


class Field(QLineEdit):
    """A line of text with a meaning. `entered(value)` when a valid text is finished, else `problem(sentence)`."""

    entered = Signal(object)
    problem = Signal(str)

    def __init__(self, parse: Parse, show: Show = exact, step: Callable[[object, int], object] | None = None) -> None:
        super().__init__()
        self._parse, self._show, self._step = parse, show, step
        self._value: object = None
        self.bad = ""  # the sentence about the text that stands in the field, empty while it is valid
        self.setProperty("role", "field")
        scale.fit(self, height=FIELD_HEIGHT)
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.editingFinished.connect(self._finish)
        self.textEdited.connect(self._forgive)

    @property
    def value(self) -> object:
        """The last valid value."""
        return self._value

    def set_value(self, value: object) -> None:
        """Shows `value`, unless the person is in the middle of typing or has left a bad text to mend."""
        if self.bad or self.isModified():
            return
        if value != self._value or self._value is None:
            self._value = value
            self.setText(self._show(value))
            self.setCursorPosition(0)

    @property
    def typed(self) -> object:
        """The value of the text as it stands; RnnvizError while it is not valid."""
        return self._parse(self.text())

    def judge(self) -> str:
        """The sentence about the text as it stands, empty while it is valid."""
        try:
            self._parse(self.text())
        except RnnvizError as error:
            return str(error)
        return ""

    def takes(self, text: str) -> bool:
        """Whether a text would be valid."""
        try:
            self._parse(text)
        except RnnvizError:
            return False
        return True

    def reset(self, value: object) -> None:
        """Shows `value` whatever stands in the field."""
        self._mark("")
        self.setModified(False)
        self._value = None
        self.set_value(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        direction = {Qt.Key.Key_Up: 1, Qt.Key.Key_Down: -1}.get(Qt.Key(event.key()), 0)
        if direction and self._step and not self.bad and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self._offer(self._show(self._step(self._value, direction)))
        elif event.key() == Qt.Key.Key_Escape and (self.isModified() or self.bad):
            self.reset(self._value)
            event.ignore()  # it leads out of the field, too
        else:
            super().keyPressEvent(event)
            if self.bad and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                event.accept()  # a bad text is to be mended first
            if event.matches(QKeySequence.StandardKey.Undo) or event.matches(QKeySequence.StandardKey.Redo):
                self._finish()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        reasons = Qt.FocusReason
        if event.reason() in (reasons.TabFocusReason, reasons.BacktabFocusReason, reasons.ShortcutFocusReason):
            self.selectAll()

    def _offer(self, text: str) -> None:
        """Takes the text of an arrow key when it is valid; otherwise the key does nothing."""
        if not self.takes(text):
            return
        self.selectAll()
        self.insert(text)
        self._finish()

    def _finish(self) -> None:
        try:
            value = self._parse(self.text())
        except RnnvizError as error:
            self._mark(str(error))
            return
        self._mark("")
        if value != self._value:
            self._value = value
            self.entered.emit(value)
        self.setModified(False)

    def _forgive(self) -> None:
        if self.bad and self.takes(self.text()):
            self._mark("")

    def _mark(self, sentence: str) -> None:
        if sentence != self.bad:
            self.bad = sentence
            set_role(self, "bad", "true" if sentence else "false")
            self.problem.emit(sentence)


class Choice(QComboBox):
    """One of a few values, drawn as calm as a field; `chosen(value)` when the person takes another.

    Enter ends it in the list as it does in the field: in a main window the key goes on to that.
    """

    chosen = Signal(object)

    def __init__(self, options: Sequence[tuple[object, str]] = (), flat: bool = False) -> None:
        super().__init__()
        teach_screen_readers()
        self._entered = False  # whether an entry of the list is being taken with Enter
        self._more = ""  # what the tooltip says of all values
        self._flat = flat  # a word with a chevron, its frame only while it is pointed at
        scale.fit(self, height=FIELD_HEIGHT)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.set_options(options)
        self.activated.connect(self._choose)

    def set_options(self, options: Sequence[tuple[object, str]]) -> None:
        """Replaces what can be chosen by (value, words) pairs."""
        self.clear()
        for value, words in options:
            self.addItem(words, value)

    def set_tips(self, tips: Mapping[object, str]) -> None:
        """What each value is, told in the list, and of the present one at the field, before its tooltip."""
        for index in range(self.count()):
            self.setItemData(index, tips.get(self.itemData(index), ""), Qt.ItemDataRole.ToolTipRole)
        self.currentIndexChanged.connect(self._tell)
        self._tell(self.currentIndex())

    def setToolTip(self, words: str) -> None:
        self._more = words
        self._tell(self.currentIndex())

    def _tell(self, index: int) -> None:
        tip = self.itemData(index, Qt.ItemDataRole.ToolTipRole) or ""
        super().setToolTip(f"{tip}\n{self._more}" if tip else self._more)

    def set_value(self, value: object) -> None:
        """Shows `value`; a value that is not offered shows nothing."""
        for index in range(self.count()):
            if self.itemData(index) == value:
                self.setCurrentIndex(index)
                return
        self.setCurrentIndex(-1)

    def showPopup(self) -> None:
        self._entered = False
        self.view().installEventFilter(self)
        super().showPopup()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):  # the list takes Enter as soon as it is asked whether it wants the key
            self._entered = Qt.Key(event.key()) in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        return super().eventFilter(watched, event)

    def _choose(self, index: int) -> None:
        entered, self._entered = self._entered, False
        self.chosen.emit(self.itemData(index))
        if entered and isinstance(self.window(), QMainWindow):
            enter = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Return, Qt.KeyboardModifier.NoModifier)
            QApplication.sendEvent(self, enter)

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the wheel scrolls the panel and never changes a setting by accident

    def sizeHint(self) -> QSize:
        return scale.size(FIELD_WIDTH, FIELD_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return scale.size(64, FIELD_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            roles, palette = QPalette.ColorRole, self.palette()
            muted = palette.color(roles.PlaceholderText)
            active = self.hasFocus() or self.view().isVisible()
            if active or self.underMouse() or not self._flat:
                role = roles.WindowText if active else roles.PlaceholderText if self.underMouse() else roles.Mid
                border = palette.color(role)
                wide = 2 if active else 1
                painter.setPen(QPen(border, wide))
                painter.setBrush(palette.color(roles.Button))
                inner = self.rect().toRectF().adjusted(wide / 2, wide / 2, -wide / 2, -wide / 2)
                painter.drawRoundedRect(inner, 4, 4)
            space = self.rect().adjusted(FLAT_PAD if self._flat else 5, 0, -scale.px(18), 0)
            metrics = self.fontMetrics()
            words = metrics.elidedText(self.currentText(), Qt.TextElideMode.ElideMiddle, space.width())
            side = Qt.AlignmentFlag.AlignLeft if self._flat else Qt.AlignmentFlag.AlignRight
            painter.setPen(palette.color(roles.ButtonText) if self.isEnabled() and not self._flat else muted)
            painter.drawText(space, side | Qt.AlignmentFlag.AlignVCenter, words)
            self._paint_chevron(
                painter,
                muted,
                metrics.horizontalAdvance(words) + FLAT_PAD + scale.px(10)
                if self._flat
                else self.width() - scale.px(11),
            )

    def _paint_chevron(self, painter: QPainter, color: QColor, x: int) -> None:
        size = scale.text_scale()
        painter.setPen(
            QPen(color, 1.4 * size, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        )
        y = self.height() // 2
        painter.drawPolyline([QPointF(x + dx * size, y + dy * size) for dx, dy in ((-3, -1), (0, 2), (3, -1))])


class Row(QWidget):
    """A label on the left, a field on the right and, while the field is bad, its sentence below."""

    def __init__(self, words: str, field: QWidget, tooltip: str, width: int = FIELD_WIDTH) -> None:
        super().__init__()
        self.field = field
        self.label = QLabel(words)
        self.label.setProperty("role", "label")
        self.label.setBuddy(field)
        self.sentence = QLabel()
        self.sentence.setProperty("role", "problem")
        self.sentence.setWordWrap(True)
        self.sentence.hide()
        self.explain(tooltip)
        field.setAccessibleName(words)
        scale.fit(field, field_width=width)
        scale.fit(self.label, wraps=True)
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(_APART)
        line.addWidget(self.label, 1)
        line.addWidget(field)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 2)
        column.setSpacing(2)
        column.addLayout(line)
        column.addWidget(self.sentence)
        if isinstance(field, Field):
            field.problem.connect(self.show_problem)

    def explain(self, tooltip: str) -> None:
        """What its tooltip says from now on."""
        for widget in (self, self.label, self.field):
            widget.setToolTip(tooltip)

    def call(self, words: str) -> None:
        """What its label says from now on."""
        self.label.setText(words)
        self.field.setAccessibleName(words)

    def show_problem(self, sentence: str) -> None:
        """Shows one sentence below the field, or none."""
        self.sentence.setText(sentence)
        self.sentence.setVisible(bool(sentence))


def section_label(words: str) -> QLabel:
    """The muted heading of a group of rows."""
    label = QLabel(words)
    label.setProperty("role", "section")
    return label
