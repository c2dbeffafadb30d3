"""The look of forms: one style sheet made from the theme's tokens, for panels and dialogs alike."""

from functools import cache

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton, QScrollArea, QVBoxLayout, QWidget

from rnnviz.core.resources import resource
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import ThemeName, theme

FIELD_HEIGHT = 24
FIELD_WIDTH = 112
RING = 2  # pixels around a link or an icon that its focus ring takes

_SHEET = """
QWidget[role="panel"], QScrollArea[role="panel"] > QWidget > QWidget {{ background: {panel}; }}
QLabel {{ background: transparent; color: {text}; font-size: 13px; }}
QLabel[role="label"] {{ color: {muted}; }}
QLabel[role="section"] {{ color: {muted}; font-size: 12px; font-weight: 600; }}
QLabel[role="title"] {{ font-size: 17px; font-weight: 600; }}
QLabel[role="note"] {{ color: {muted}; font-size: 12px; }}
QLabel[role="problem"] {{ color: {bad}; font-size: 12px; }}
QLineEdit[role="field"] {{ padding: 0 7px; min-height: {field}px; max-height: {field}px; font-size: 13px; }}
QLineEdit[role="field"]:focus {{ padding: 0 6px; min-height: {held}px; max-height: {held}px; }}
QLineEdit[role="field"][bad="true"] {{ border-color: {bad}; color: {bad}; }}
QPushButton[role="link"] {{
    background: transparent; border: 2px solid transparent; border-radius: 4px; color: {accent}; padding: 0;
    min-height: 18px; text-align: left;
}}
QPushButton[role="link"]:hover {{ text-decoration: underline; border-color: transparent; }}
QPushButton[role="link"]:focus {{ padding: 0; border-color: {focus}; }}
QPushButton[role="link"]:checked {{ background: transparent; color: {accent}; font-weight: 400; }}
QPushButton[role="link"]:disabled {{ color: {muted}; }}
QComboBox {{ placeholder-text-color: {muted}; }}
QRadioButton::indicator {{ width: 12px; height: 12px; border: 1px solid {muted}; border-radius: 7px; }}
QRadioButton::indicator:checked {{ background: {accent}; border: 3px solid {raised}; width: {dot}px; height: {dot}px; }}
QAbstractItemView::indicator {{ width: 12px; height: 12px; border: 1px solid {muted}; border-radius: 3px; }}
QAbstractItemView::indicator:checked {{ background: {accent}; border-color: {accent}; image: url("{check}"); }}
QAbstractItemView::indicator:disabled {{ border-color: {line}; }}
QListView::item {{ padding: 3px 0; }}
QTableView::item {{ padding: 0 4px; }}
QTableCornerButton::section {{ background: {panel}; border: none; border-bottom: 1px solid {line}; }}
QHeaderView::section:vertical {{ border: none; padding: 0 8px; }}
QPushButton[role="icon"] {{
    background: transparent; border: 2px solid transparent; padding: 0; min-height: 16px; border-radius: 4px;
}}
QPushButton[role="icon"]:hover {{ background: {line}; border-color: transparent; }}
QPushButton[role="icon"]:focus {{ padding: 0; border-color: {focus}; }}
"""


def form_sheet(name: ThemeName) -> str:
    """The roles of forms in the theme called `name`, at the scale of the text; the rest of the look is the
    application's own style sheet."""
    return _form_sheet(name, scale.px(FIELD_HEIGHT), scale.text_scale())


@cache
def _form_sheet(name: ThemeName, high: int, _scale: float) -> str:
    tokens = theme(name)
    names = ("panel", "raised", "line", "text", "muted", "accent", "bad", "focus")
    colors = {token: getattr(tokens, token) for token in names}
    sheet = scale.in_sheet(_SHEET)
    return sheet.format(
        **colors,
        field=high - 2,
        held=high - 4,
        dot=scale.px(12) - 4,
        check=resource(f"theme/check-{name}.svg").as_posix(),
    )


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
