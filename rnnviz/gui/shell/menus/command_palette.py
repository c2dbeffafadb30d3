"""Command palette: a field that finds any command by its name, its key or what it does, and gives it; any control
of the panels too, to go to it."""

from collections.abc import Callable, Iterable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPoint, Qt, QTimer, Slot
from PySide6.QtGui import QKeyEvent, QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QAbstractItemView, QFrame, QLabel, QLineEdit, QListView, QVBoxLayout, QWidget

from rnnviz.gui.commands.actions import Actions, Command, key_words
from rnnviz.gui.commands.matching import Described, Match, matches
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.shell.keyboard.named_controls import NamedControl
from rnnviz.gui.shell.menus.palette_rows import ENTRY, HEIGHT, Entry, PaletteRows
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.store import Store

_WIDTH = 620
_ROWS = 10  # seen at once
_MARGIN = 8
_AROUND = 200  # pixels of the window that the list leaves free
_KEYS = "↑ ↓ choose · Enter does it · Esc closes this"
_ITSELF = "find_command"
_OF_THE_LIST = {Qt.Key.Key_Up, Qt.Key.Key_Down, Qt.Key.Key_PageUp, Qt.Key.Key_PageDown}


class CommandPalette(QFrame):
    """A popup on top of the window. What was given from here last stands first; what cannot be given now says why.

    `controls` of the panels are found once something is typed.
    """

    def __init__(
        self,
        store: Store,
        actions: Actions,
        preference_saver: PreferenceSaver,
        parent: QWidget,
        controls: Callable[[], Iterable[NamedControl]] = tuple,
    ) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._store, self._actions, self._preference_saver = store, actions, preference_saver
        self._window, self._controls = parent, controls
        self._named: dict[str, NamedControl] = {}  # those there are while it is open
        self._most_rows = _ROWS
        self.setObjectName("palette")
        self.field = QLineEdit(placeholderText="Find a command or a setting: its name, its key, or what it does")
        self.field.setAccessibleName("Find a command")
        scale.fit(self.field, least_height=30)
        self.field.installEventFilter(self)
        self.field.textChanged.connect(self._list)
        self.field.returnPressed.connect(self._accept)
        self.found = QListView()
        self.found.setAccessibleName("Commands")
        self.found.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.found.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.found.setUniformItemSizes(True)
        self.found.setMouseTracking(True)
        self._model = QStandardItemModel(self)
        self.found.setModel(self._model)
        self._rows = PaletteRows(self.found)
        self.found.setItemDelegate(self._rows)
        self.found.clicked.connect(self._accept)
        self.found.selectionModel().currentChanged.connect(self._tell)
        self.note = QLabel()
        column = QVBoxLayout(self)
        column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, 6)
        column.setSpacing(6)
        for widget in (self.field, self.found, self.note):
            column.addWidget(widget)

    def ask(self, below: QWidget) -> None:
        """Shows every command, over the middle of the window and right below the widget `below`."""
        colors = theme(self._store.state.look.theme)
        self._rows.theme = colors
        self.setStyleSheet(
            scale.in_sheet(
                f"#palette {{ background: {colors.panel}; border: 1px solid {colors.muted}; }}"
                f" #palette QListView {{ background: transparent; border: none; outline: none; }}"
                f" #palette QLabel {{ color: {colors.muted}; font-size: 12px; }}"
            )
        )
        window = self._window
        self.field.clear()
        width = min(scale.px(_WIDTH), window.width() - 2 * _MARGIN)
        top = below.mapToGlobal(QPoint(0, below.height() + 4))
        self._most_rows = max(1, min(_ROWS, (window.height() - _AROUND) // scale.px(HEIGHT)))
        self.setFixedWidth(width)
        self._named = {f"control {number}": one for number, one in enumerate(self._controls())}
        self._list("")
        self.move(window.mapToGlobal(QPoint((window.width() - width) // 2, 0)).x(), top.y())
        self.show()
        self.field.setFocus(Qt.FocusReason.PopupFocusReason)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """What is listed now, top to bottom."""
        return tuple(self._model.item(row).data(ENTRY) for row in range(self._model.rowCount()))

    @property
    def chosen(self) -> Entry | None:
        """The entry that Enter would take."""
        index = self.found.currentIndex()
        return index.data(ENTRY) if index.isValid() else None

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent) and event.key() in _OF_THE_LIST:
            rows = self._model.rowCount()
            by = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1, Qt.Key.Key_PageUp: 1 - _ROWS, Qt.Key.Key_PageDown: _ROWS - 1}
            step, row = by[Qt.Key(event.key())], self.found.currentIndex().row()
            if rows:
                row = (row + step) % rows if abs(step) == 1 else min(max(row + step, 0), rows - 1)
                self.found.setCurrentIndex(self._model.index(row, 0))
            return True
        return super().eventFilter(watched, event)

    @Slot(str)
    def _list(self, typed: str) -> None:
        """Lists what was found, as high as that is."""
        recent = [key for key in self._preference_saver.preferences.recent_commands if key in self._actions.commands]
        rest = [key for key in self._actions.commands if key not in recent and key != _ITSELF]
        controls = self._named if typed.strip() else ()
        found = matches(typed, (self._described(key) for key in (*recent, *rest, *controls)))
        self._model.clear()
        for match in found:
            entry = self._entry(match, match.key in recent and not typed.strip())
            item = QStandardItem(entry.words)
            item.setData(entry, ENTRY)
            item.setData(entry.spoken, Qt.ItemDataRole.AccessibleTextRole)
            self._model.appendRow(item)
        if found:
            self.found.setCurrentIndex(self._model.index(0, 0))
            self.found.scrollToTop()
        else:
            self.note.setText("No command or setting matches. Try a shorter word, or what it should do.")
        self.found.setVisible(bool(found))
        self.found.setFixedHeight(min(max(len(found), 1), self._most_rows) * scale.px(HEIGHT))
        self.adjustSize()

    def _described(self, key: str) -> Described:
        if named := self._named.get(key):
            return Described(key, named.words, named.place, named.about)
        command = self._actions.commands[key]
        shortcuts = tuple(key_words(shortcut) for shortcut in command.shortcuts)
        return Described(key, self._words(key), _place(command), command.tooltip, (*command.shortcuts, *shortcuts))

    def _entry(self, match: Match, recent: bool) -> Entry:
        if named := self._named.get(match.key):
            return Entry(match.key, named.words, match.letters, "", named.about, named.place, "", False)
        command, action = self._actions.commands[match.key], self._actions[match.key]
        why_not = "" if action.isEnabled() else command.why_not(self._store.state) or "not possible now"
        place = " · ".join(part for part in ("recent" if recent else "", _place(command)) if part)
        return Entry(
            match.key, self._words(match.key), match.letters, command.keys, command.tooltip, place, why_not,
            action.isChecked(),
        )  # fmt: skip

    def _words(self, key: str) -> str:
        return self._actions.words(key).removesuffix(" …")

    @Slot(QModelIndex)
    def _tell(self, index: QModelIndex) -> None:
        entry: Entry | None = index.data(ENTRY)
        self.field.setAccessibleDescription(entry.spoken if entry is not None else "")
        self.note.setText(_KEYS)

    @Slot()
    def _accept(self) -> None:
        entry = self.chosen
        if entry is None:
            return
        if named := self._named.get(entry.key):
            self.hide()
            QTimer.singleShot(0, named.enter)  # when the window has the keys again
            return
        if not self._actions[entry.key].isEnabled():
            self.note.setText(f"{entry.words} is not possible now: {entry.why_not}.")
            return
        self.hide()
        preferences = self._preference_saver.preferences
        self._preference_saver.remember(recent_commands=preferences.with_recent_command(entry.key))
        QTimer.singleShot(0, self._actions[entry.key].trigger)


def _place(command: Command) -> str:
    """Where it stands in the menus: "Debug › Continue"."""
    return " › ".join(part for part in (command.menu, command.submenu) if part)
