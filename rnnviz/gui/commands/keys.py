"""Who gets a key: a field keeps what is typed, a control reached with Tab keeps Space and arrows, else a shortcut."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSpinBox,
    QComboBox,
    QLineEdit,
    QPlainTextEdit,
    QTabBar,
    QTextEdit,
    QTreeView,
    QWidget,
)

_KEY = Qt.Key
_FIELDS = (QLineEdit, QPlainTextEdit, QTextEdit, QAbstractSpinBox)
_CONTROLS = (QAbstractButton, QComboBox, QAbstractItemView, QTabBar)
_SIDEWAYS = (QTabBar, QTreeView)  # that ← and → mean something to
_OF_CONTROLS = {
    _KEY.Key_Space,
    _KEY.Key_Up,
    _KEY.Key_Down,
    _KEY.Key_Home,
    _KEY.Key_End,
    _KEY.Key_PageUp,
    _KEY.Key_PageDown,
}
_MOVES = {_KEY.Key_Left, _KEY.Key_Right, _KEY.Key_Up, _KEY.Key_Down, _KEY.Key_Home, _KEY.Key_End}
_TYPED = _MOVES | {_KEY.Key_Backspace, _KEY.Key_Delete, _KEY.Key_PageUp, _KEY.Key_PageDown}


def keeps_key(widget: QWidget | None, event: QKeyEvent) -> bool:
    """Whether `widget`, which has the focus, takes this key itself instead of a shortcut of the window."""
    key, modifiers = _KEY(event.key()), event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    plain = modifiers in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier)
    by_keyboard = widget is not None and widget.window().testAttribute(Qt.WidgetAttribute.WA_KeyboardFocusChange)
    if key is _KEY.Key_Escape and isinstance(widget, (*_FIELDS, *_CONTROLS)):
        return plain and (by_keyboard or isinstance(widget, _FIELDS))  # back to the lanes first
    if isinstance(widget, _FIELDS) or (isinstance(widget, QComboBox) and widget.isEditable()):
        return (plain and (bool(event.text().strip() or key == _KEY.Key_Space) or key in _TYPED)) or key in _MOVES
    if isinstance(widget, _SIDEWAYS) and plain and key in (_KEY.Key_Left, _KEY.Key_Right):
        return by_keyboard
    if isinstance(widget, _CONTROLS) and plain and key in _OF_CONTROLS:
        return by_keyboard and (key is _KEY.Key_Space or not isinstance(widget, QAbstractButton))
    return False
