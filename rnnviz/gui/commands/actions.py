"""Commands as records, and what is made from them: menus, buttons, shortcuts, tooltips and the page of shortcuts."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.commands.needs import Condition, Need
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message


def always(_state: State) -> bool:
    """For commands that can be given at any time."""
    return True


@dataclass(frozen=True)
class Face:
    """How a command looks in a certain state, where it does not always look the same."""

    words: str
    icon: str


@dataclass(frozen=True)
class Command:
    """Something a person can do. `section` orders a menu and parts it by lines; `submenu` gathers commands below one
    entry, which stands where the first of them would, and `part` orders and parts those."""

    key: str
    words: str
    tooltip: str
    run: Callable[[], object]
    menu: str = ""  # empty: in no menu
    shortcuts: tuple[str, ...] = ()  # as Qt writes them: "Space", "Ctrl+R"
    icon: str = ""
    enabled: Callable[[State], bool] = always
    face: Callable[[State], Face] | None = None
    checked: Callable[[State], bool] | None = None  # given: an entry with a tick
    section: int = 0
    submenu: str = ""
    part: int = 0

    @property
    def keys(self) -> str:
        """The shortcuts as the keyboard says them."""
        return " or ".join(key_words(shortcut) for shortcut in self.shortcuts)

    def explanation(self, words: str = "") -> str:
        """The tooltip with the shortcut, for whatever shows this command."""
        text = f"{words}: {self.tooltip}" if words else self.tooltip
        return f"{text}  ({self.keys})" if self.keys else text

    def why_not(self, state: State) -> str:
        """Why it cannot be given in `state`, as half a sentence; "" if it can, or where nobody has said it."""
        return self.missing(state, {}) or ""

    def missing(self, state: State, held: dict[Condition, bool]) -> str | None:
        """The same, but None if it can; `held` remembers which conditions hold, of many commands in one state."""
        if isinstance(self.enabled, Need):
            return self.enabled.missing(state, held)
        return None if self.enabled(state) else ""


def key_words(shortcut: str) -> str:
    """A shortcut as the keyboard says it: → for Right, as Qt says it for this system otherwise."""
    named = {"Right": "→", "Left": "←", "Up": "↑", "Down": "↓", ".": ".", "PgUp": "Page up", "PgDown": "Page down"}
    return named.get(shortcut) or QKeySequence(shortcut).toString(QKeySequence.SequenceFormat.NativeText)


class Actions(QObject):
    """One QAction a command, all on one window; their state follows the store."""

    def __init__(self, commands: Iterable[Command], store: Store, window: QWidget) -> None:
        super().__init__(window)
        self.commands: dict[str, Command] = {}
        self._actions: dict[str, QAction] = {}
        self._told: dict[str, tuple[str, str]] = {}  # what the tooltips say: name, and why not
        self._enabled: dict[str, bool] = {}  # as the actions are
        self._shown: State | None = None
        self._store = store
        self._theme = store.state.look.theme
        for command in commands:
            self._add(command, window)
        store.changed.connect(self.show_state)
        self._show(store.state)

    def __getitem__(self, key: str) -> QAction:
        return self._actions[key]

    def fill(self, menu: QMenu, name: str) -> None:
        """Puts the commands of the menu called `name` into `menu`, by section, with lines between the sections."""
        wanted = [command for command in self.commands.values() if command.menu == name]
        parts = {command.submenu: [one for one in wanted if one.submenu == command.submenu] for command in wanted}
        section = None
        for command in sorted(wanted, key=lambda one: one.section):
            if command.submenu and command.submenu not in parts:
                continue  # it is in its submenu already
            if section is not None and command.section != section:
                menu.addSeparator()
            section = command.section
            if command.submenu:
                self._fill_submenu(menu.addMenu(command.submenu), parts.pop(command.submenu))
            else:
                menu.addAction(self._actions[command.key])

    def words(self, key: str) -> str:
        """What the command called `key` is called right now."""
        return self._actions[key].text()

    def explanation(self, key: str) -> str:
        """What the command called `key` is called right now, what it does, and its shortcut."""
        return self.commands[key].explanation(self.words(key))

    def _fill_submenu(self, submenu: QMenu, commands: list[Command]) -> None:
        part = None
        for command in sorted(commands, key=lambda one: one.part):
            if part is not None and command.part != part:
                submenu.addSeparator()
            part = command.part
            submenu.addAction(self._actions[command.key])

    @Slot(object, object)
    def show_state(self, _old: State, new: State) -> None:
        self._show(new)

    def _add(self, command: Command, window: QWidget) -> None:
        action = QAction(command.words, self)
        action.setShortcuts([QKeySequence(shortcut) for shortcut in command.shortcuts])
        action.setMenuRole(_ROLES.get(command.key, QAction.MenuRole.NoRole))
        action.setCheckable(command.checked is not None)
        action.setProperty("command", command.key)
        action.setAutoRepeat(command.key in REPEATING)
        action.setIconVisibleInMenu(False)
        action.triggered.connect(self._triggered)
        window.addAction(action)
        self.commands[command.key] = command
        self._actions[command.key] = action
        self._set_icon(action, command.icon)

    @Slot()
    def _triggered(self) -> None:
        action = self.sender()
        if not isinstance(action, QAction):
            return
        command = self.commands[action.property("command")]
        try:
            command.run()
        except RnnvizError as error:
            self._store.say(Message("error", str(error)))
        if self._shown is not self._store.state or command.checked is not None:  # Qt has turned the tick over
            self._show(self._store.state)

    def _show(self, state: State) -> None:
        self._shown = state
        new_theme, self._theme = state.look.theme != self._theme, state.look.theme
        held: dict[Condition, bool] = {}
        for key, command in self.commands.items():
            action = self._actions[key]
            missing = command.missing(state, held)
            if (enabled := missing is None) != self._enabled.get(key):
                self._enabled[key] = enabled
                action.setEnabled(enabled)
            if command.checked is not None:
                action.setChecked(command.checked(state))
            face = command.face(state) if command.face is not None else None
            if face is not None and face.words != action.text():
                action.setText(face.words)
                self._set_icon(action, face.icon)
            elif new_theme:
                self._set_icon(action, face.icon if face is not None else command.icon)
            if (told := (face.words if face is not None else "", missing or "")) != self._told.get(key):
                self._told[key] = told
                self._explain(action, command, missing or "")

    def _explain(self, action: QAction, command: Command, why_not: str) -> None:
        text = command.explanation(action.text())
        action.setToolTip(f"{text}\nNot now: {why_not}" if why_not else text)

    def _set_icon(self, action: QAction, name: str) -> None:
        if name:
            colors = theme(self._theme)
            color = colors.on_accent if action.property("command") == MAIN else colors.text
            action.setIcon(icon(name, color, disabled=colors.text))  # then the ground of all is the same


_ROLES = {"about": QAction.MenuRole.AboutRole, "quit": QAction.MenuRole.QuitRole}  # where macOS wants them
MAIN = "train"  # the command on the one button in the accent colour
_STEPS = ("step_forward", "step_back", "step_into", "step_into_back", "training_step")
REPEATING = frozenset({*_STEPS, "previous_capture", "next_capture"})
