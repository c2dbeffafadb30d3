"""The roles of forms, for panels and dialogs alike: a part of the style sheet of every window."""

from collections.abc import Mapping

from rnnviz.core.resources import resource
from rnnviz.gui.look import scale

FIELD_HEIGHT = 24


def form_sheet(name: str, colors: Mapping[str, str]) -> str:
    """The rules in the theme called `name`, filled with its `colors` by token, at the scale of the text."""
    high = scale.px(FIELD_HEIGHT)
    measures = {"field": high - 2, "held": high - 4, "dot": scale.px(12) - 4}
    check = resource(f"theme/check-{name}.svg").as_posix()
    return scale.in_sheet(_SHEET).format(**colors, **measures, check=check)


_SHEET = """
QWidget[role="panel"], QScrollArea[role="panel"] > QWidget > QWidget {{ background: {panel}; }}
QLabel[role="lane"] {{ font-weight: 600; }}
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
QPushButton[role="link"][switch="true"] {{ color: {muted}; }}
QPushButton[role="link"][switch="true"]:checked {{ background: transparent; color: {accent}; }}
QPushButton[role="quiet"] {{
    background: transparent; border: 2px solid transparent; padding: 0; min-height: 18px; color: {good};
}}
QPushButton[role="quiet"]:focus {{ padding: 0; border: 2px solid {focus}; border-radius: 4px; }}
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
