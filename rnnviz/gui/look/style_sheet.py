"""The little style sheet on top of Fusion: flat fields and buttons, quiet docks, a focus ring that can be seen."""

from collections.abc import Mapping

from rnnviz.core.resources import resource


def style_sheet(name: str, colors: Mapping[str, str]) -> str:
    """The style sheet of the theme called `name`, filled with its `colors` by token.

    A button with the property `primary` is filled with the accent; a frame with the property `card` is raised and has
    round corners.
    """
    pictures = {
        "chevron": resource(f"theme/chevron-{name}.svg").as_posix(),
        "check": resource(f"theme/check-{name}.svg").as_posix(),
    }
    text = _TEMPLATE
    for token, value in {**colors, **pictures}.items():
        text = text.replace(f"@{token}@", value)
    return text


_TEMPLATE = """
QMainWindow, QDialog { background: @panel@; }
QMainWindow::separator { background: @line@; width: 1px; height: 1px; }
QMainWindow::separator:hover { background: @accent@; }
QToolBar { background: @panel@; border: none; border-bottom: 1px solid @line@; spacing: 4px; padding: 6px 8px; }
QStatusBar { background: @panel@; border-top: 1px solid @line@; color: @text@; }
QStatusBar::item { border: none; }
QDockWidget { color: @muted@; }
QDockWidget::title { background: @panel@; padding: 6px 12px; text-align: left; }

QMenuBar { background: @panel@; }
QMenuBar::item { padding: 4px 8px; border-radius: 4px; background: transparent; }
QMenuBar::item:selected { background: @raised@; }
QMenu { background: @raised@; border: 1px solid @border@; padding: 4px; }
QMenu::item { padding: 5px 24px 5px 12px; border-radius: 4px; }
QMenu::item:selected { background: @accent@; color: @on_accent@; }
QMenu::item:disabled { color: @muted@; background: transparent; }
QMenu::separator { height: 1px; background: @line@; margin: 4px 8px; }
QToolTip { background: @raised@; color: @text@; border: 1px solid @border@; padding: 4px 6px; }

QPushButton, QToolButton {
    background: @raised@; color: @text@; border: 1px solid @border@; border-radius: 6px; padding: 4px 12px;
}
QToolButton { padding: 4px; }
QPushButton:hover, QToolButton:hover { border-color: @muted@; }
QPushButton:pressed, QToolButton:pressed { background: @line@; }
QPushButton:disabled, QToolButton:disabled { color: @muted@; background: transparent; border-color: @line@; }
QPushButton:checked, QToolButton:checked, QPushButton[primary="true"], QToolButton[primary="true"] {
    background: @accent@; color: @on_accent@; border-color: @accent@; font-weight: 600;
}
QPushButton[primary="true"]:disabled, QToolButton[primary="true"]:disabled {
    background: @raised@; color: @muted@; border-color: @line@;
}
QPushButton[flat="true"] { background: transparent; border: 2px solid transparent; color: @accent@; padding: 3px 2px; }
QPushButton[flat="true"]:hover { text-decoration: underline; }
QToolButton[flat="true"] { background: transparent; border: 1px solid transparent; color: @muted@; }
QToolButton[flat="true"]:hover { color: @text@; border-color: @border@; }

QLineEdit, QAbstractSpinBox, QComboBox, QPlainTextEdit, QTextEdit {
    background: @raised@; color: @text@; border: 1px solid @border@; border-radius: 4px; padding: 2px 6px;
    min-height: 16px; selection-background-color: @accent@; selection-color: @on_accent@;
}
QLineEdit:hover, QAbstractSpinBox:hover, QComboBox:hover { border-color: @muted@; }
QLineEdit:disabled, QAbstractSpinBox:disabled, QComboBox:disabled {
    color: @muted@; background: @panel@; border-color: @line@;
}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button { width: 0px; border: none; }
QComboBox::drop-down { border: none; width: 18px; }
QComboBox::down-arrow { image: url("@chevron@"); width: 10px; height: 10px; }
QComboBox QAbstractItemView {
    background: @raised@; border: 1px solid @border@; padding: 2px; outline: none;
    selection-background-color: @accent@; selection-color: @on_accent@;
}
QCheckBox { spacing: 6px; }
QCheckBox::indicator {
    width: 14px; height: 14px; border: 1px solid @muted@; border-radius: 3px; background: @raised@;
}
QCheckBox::indicator:checked { background: @accent@; border-color: @accent@; image: url("@check@"); }

QPushButton:focus, QToolButton:focus { border: 2px solid @focus@; padding: 3px 11px; }
QToolButton:focus { padding: 3px; }
QPushButton[flat="true"]:focus { padding: 3px 2px; }
QLineEdit:focus, QAbstractSpinBox:focus, QComboBox:focus, QPlainTextEdit:focus, QTextEdit:focus {
    border: 2px solid @focus@; padding: 1px 5px;
}
QAbstractItemView:focus { border: 2px solid @focus@; }
QComboBox QAbstractItemView:focus { border: 1px solid @border@; }
QCheckBox, QRadioButton { border: 2px solid transparent; border-radius: 4px; }
QCheckBox:focus, QRadioButton:focus { border-color: @focus@; }
QTabBar::tab:focus { border: 2px solid @focus@; border-radius: 4px; padding: 4px 10px; }

QFrame[card="true"] { background: @raised@; border: 1px solid @line@; border-radius: 8px; }
QPushButton, QToolButton, QCheckBox, QRadioButton, QTabBar { outline: none; }
QGroupBox { border: none; margin-top: 22px; font-weight: 600; }
QGroupBox::title { subcontrol-origin: margin; left: 0px; color: @muted@; }

QTableView, QTreeView, QListView {
    background: @panel@; alternate-background-color: @raised@; border: 1px solid @line@; border-radius: 4px;
    gridline-color: @line@; selection-background-color: @accent@; selection-color: @on_accent@;
}
QHeaderView::section {
    background: @panel@; color: @muted@; border: none; border-bottom: 1px solid @line@; padding: 4px 6px;
}
QTabBar::tab { background: transparent; color: @muted@; padding: 6px 12px; border-bottom: 2px solid transparent; }
QTabBar::tab:selected { color: @text@; border-bottom-color: @accent@; }
QTabWidget::pane { border: none; border-top: 1px solid @line@; }

QScrollArea, QGraphicsView { border: none; background: transparent; }
QScrollArea > QWidget > QWidget { background: transparent; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: @border@; border-radius: 3px; margin: 2px; }
QScrollBar::handle:vertical { min-height: 24px; }
QScrollBar::handle:horizontal { min-width: 24px; }
QScrollBar::handle:hover { background: @muted@; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0px; height: 0px; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: @raised@; border: none; border-radius: 3px; max-height: 6px; text-align: center; }
QProgressBar::chunk { background: @accent@; border-radius: 3px; }
QSlider::groove:horizontal { background: @border@; height: 4px; border-radius: 2px; }
QSlider::sub-page:horizontal { background: @accent@; border-radius: 2px; }
QSlider::handle:horizontal { background: @accent@; width: 14px; margin: -5px 0; border-radius: 7px; }
QSlider::handle:horizontal:focus { border: 2px solid @focus@; width: 10px; }
"""
