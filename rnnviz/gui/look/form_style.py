"""The look of forms: their measures, and what a panel or a dialog is built from."""

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.look import scale

FIELD_WIDTH = 112
RING = 2  # pixels around a link or an icon that its focus ring takes


def set_role(widget: QWidget, role: str, value: object | None = None) -> None:
    """Gives `widget` the look called `role`; with `value`, sets the property `role` to it and draws it anew."""
    widget.setProperty("role" if value is None else role, role if value is None else value)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def push_button(text: str, tooltip: str, role: str = "") -> QPushButton:
    """A button that looks as `role` says: "primary", "link", "icon" or plain; Enter presses it, too."""
    button = QPushButton(text)
    button.setToolTip(tooltip)
    button.setAutoDefault(True)
    if role == "primary":
        button.setProperty("primary", True)
    elif role:
        button.setProperty("role", role)
    return button


def fill_scrolling(page: QWidget, content: QWidget) -> None:
    """Puts `content` into `page`, which scrolls downwards (large text sideways too) and leaves the keyboard inside."""
    scroll = QScrollArea(widgetResizable=True)
    scroll.setProperty("role", "panel")
    scale.fit(scroll, sideways=True)
    scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    scroll.setWidget(content)
    outer = QVBoxLayout(page)
    outer.setContentsMargins(0, 0, 0, 0)
    outer.addWidget(scroll)
