"""The page of keyboard shortcuts, made from the command records."""

from collections.abc import Iterable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.commands.actions import Actions, Command, key_words
from rnnviz.gui.look.form_style import form_sheet, push_button
from rnnviz.gui.look.theme import ThemeName, theme
from rnnviz.gui.widgets.fitted_dialog import FittedDialog

_HEADING = 30  # pixels


class ShortcutsPage(FittedDialog):
    """Every command that has a key, one section for each menu, with the words of its tooltip."""

    def __init__(self, actions: Actions, parent: QWidget | None = None, theme_name: ThemeName | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        theme_name = theme_name or ("dark" if self.palette().window().color().lightness() < 128 else "light")
        look = theme(theme_name)
        caps = (
            f"QLabel[role='key'] {{ background: {look.raised}; border: 1px solid {look.line}; border-bottom-width: 2px;"
            f" border-radius: 4px; padding: 1px 7px; font-size: 12px; color: {look.text}; }}"
        )
        self.setStyleSheet(form_sheet(theme_name) + caps)
        self.resize(840, 640)
        content = QWidget()
        grid = QGridLayout(content)
        grid.setContentsMargins(24, 16, 24, 16)
        grid.setHorizontalSpacing(24)
        grid.setVerticalSpacing(6)
        grid.setColumnStretch(2, 1)
        row = 0
        for section, commands in sections(actions.commands.values()).items():
            heading = QLabel(section)
            heading.setProperty("role", "section")
            heading.setAlignment(Qt.AlignmentFlag.AlignBottom)
            grid.setRowMinimumHeight(row, _HEADING)
            grid.addWidget(heading, row, 0, 1, 3)
            for command in commands:
                row += 1
                self._add(grid, row, command)
            row += 1
        grid.setRowStretch(row, 1)
        scroll = QScrollArea()
        scroll.setProperty("role", "panel")
        scroll.setWidgetResizable(True)
        scroll.setWidget(content)
        close = push_button("Close", "Closes this page (Esc)", "primary")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 8, 24, 16)
        foot.addStretch()
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(scroll, 1)
        column.addLayout(foot)

    def _add(self, grid: QGridLayout, row: int, command: Command) -> None:
        keys = QHBoxLayout()
        keys.setSpacing(4)
        for shortcut in command.shortcuts:
            key = QLabel(key_words(shortcut))
            key.setProperty("role", "key")
            keys.addWidget(key)
        keys.addStretch()
        grid.addLayout(keys, row, 0)
        grid.addWidget(QLabel(command.words.removesuffix(" …")), row, 1)
        about = QLabel(command.tooltip)
        about.setProperty("role", "note")
        grid.addWidget(about, row, 2)


def sections(commands: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands with a key by menu, in their order; those in no menu last, as "Elsewhere"."""
    found: dict[str, list[Command]] = {}
    for command in commands:
        if command.shortcuts and command.menu:
            found.setdefault(command.menu, []).append(command)
    elsewhere = [command for command in commands if command.shortcuts and not command.menu]
    return {**found, "Elsewhere": elsewhere} if elsewhere else found
