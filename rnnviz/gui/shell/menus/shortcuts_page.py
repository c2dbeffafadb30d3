"""The page of keyboard shortcuts, made from the command records: all of them at once, in groups."""

from collections.abc import Iterable, Mapping, Sequence

from PySide6.QtCore import QSize
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.gui.commands.actions import Actions, Command, key_words
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store

_COLUMNS = 3
_HEADING = 2  # rows that a heading and the gap above it take
_FRAME = 4  # pixels
_AROUND = QSize(40, 40)  # what a screen keeps for its own frame at least
_LEAST_GROUP = 3  # commands: fewer of a submenu stand with the rest of their menu


class ShortcutsPage(QDialog):
    """Every command that has a key, with its name; its tooltip says what it does."""

    def __init__(self, store: Store, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Keyboard shortcuts")
        look = theme(store.state.look.theme)
        caps = (
            f"QLabel[role='key'] {{ background: {look.raised}; border: 1px solid {look.muted}; color: {look.text};"
            f" border-bottom-width: 2px; border-radius: 4px; padding: 0 6px; font-size: 12px; }}"
        )
        self.setStyleSheet(scale.in_sheet(caps))
        content = QWidget()
        row = QHBoxLayout(content)
        row.setContentsMargins(24, 16, 24, 8)
        row.setSpacing(36)
        found = sections(actions.commands.values())
        for names in columns({name: len(commands) for name, commands in found.items()}):
            row.addLayout(_column({name: found[name] for name in names}))
        self.area = QScrollArea()
        self.area.setAccessibleName("Keyboard shortcuts")
        self.area.setProperty("role", "panel")
        self.area.setWidgetResizable(True)
        self.area.setWidget(content)
        note = QLabel(f"Any command by its name: {actions.commands['find_command'].keys}" if "find_command" in
                      actions.commands else "")  # fmt: skip
        note.setProperty("role", "note")
        close = push_button("Close", "Closes this page (Esc)", "primary")
        close.clicked.connect(self.accept)
        foot = QHBoxLayout()
        foot.setContentsMargins(24, 8, 24, 16)
        foot.addWidget(note)
        foot.addStretch()
        foot.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.area, 1)
        column.addLayout(foot)
        self._content, self._foot = content, foot

    def showEvent(self, event: QShowEvent) -> None:
        """As large as all of it, where the screen is: what the style sheet wants is known only now."""
        wanted = self._content.sizeHint() + QSize(_FRAME, self._foot.sizeHint().height() + _FRAME)
        self.resize(wanted.boundedTo(self.screen().availableSize() - _AROUND))
        super().showEvent(event)


def _column(found: Mapping[str, Sequence[Command]]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(2)
    grid.setColumnStretch(1, 1)
    row = 0
    for section, commands in found.items():
        heading = QLabel(section)
        heading.setProperty("role", "section")
        if row:
            grid.setRowMinimumHeight(row, 10)
            row += 1
        grid.addWidget(heading, row, 0, 1, 2)
        for command in commands:
            row += 1
            keys = QHBoxLayout()
            keys.setSpacing(4)
            keys.addStretch()
            for shortcut in command.shortcuts:
                key = QLabel(key_words(shortcut))
                key.setProperty("role", "key")
                keys.addWidget(key)
            name = QLabel(command.words.removesuffix(" …"))
            name.setToolTip(command.explanation(command.words))
            grid.addWidget(name, row, 0)
            grid.addLayout(keys, row, 1)
        row += 1
    grid.setRowStretch(row, 1)
    return grid


def sections(commands: Iterable[Command]) -> dict[str, list[Command]]:
    """Commands with a key by menu, in its order, larger submenus after it; those in no menu last, as "Elsewhere"."""
    keyed = [command for command in commands if command.shortcuts]
    sizes = [command.submenu for command in keyed]
    found: dict[str, list[Command]] = {}
    menus = list(dict.fromkeys(command.menu for command in keyed if command.menu))
    for menu in menus:
        of_menu = [command for command in keyed if command.menu == menu]
        large = [one for one in of_menu if one.submenu and sizes.count(one.submenu) >= _LEAST_GROUP]
        rest = [one for one in of_menu if one not in large]
        if rest:
            found[menu] = sorted(rest, key=lambda one: one.section)
        for one in sorted(large, key=lambda one: (one.section, one.part)):
            found.setdefault(f"{menu} › {one.submenu}", []).append(one)
    elsewhere = [command for command in keyed if not command.menu]
    return {**found, "Elsewhere": elsewhere} if elsewhere else found


def columns(sizes: Mapping[str, int], count: int = _COLUMNS) -> list[list[str]]:
    """The sections in their order, parted into columns of which the longest is as short as can be."""
    lengths = {name: size + _HEADING for name, size in sizes.items()}
    for limit in range(max(lengths.values(), default=0), sum(lengths.values()) + 1):
        parted: list[list[str]] = [[]]
        for name, length in lengths.items():
            if parted[-1] and sum(lengths[one] for one in parted[-1]) + length > limit:
                parted.append([])
            parted[-1].append(name)
        if len(parted) <= count:
            return parted
    return []
