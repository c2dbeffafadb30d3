"""The menu behind the button on the left: everything this window can do, made from the commands."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, QPoint, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QMenu, QToolButton, QWidget

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.store import Store

_NAMES = ("File", "Training", "Debug", "View", "Help")


class Menus(QMenu):
    """The main menu. Recent files and lanes are listed anew each time their menu opens."""

    def __init__(
        self,
        store: Store,
        actions: Actions,
        preference_saver: PreferenceSaver,
        open_path: Callable[[Path], None],
        parent: QWidget,
    ) -> None:
        super().__init__(parent)
        self._store, self._preference_saver, self._open_path = store, preference_saver, open_path
        self.menus: dict[str, QMenu] = {}
        for name in _NAMES:
            self.menus[name] = menu = self.addMenu(name)
            menu.setToolTipsVisible(True)
            actions.fill(menu, name)
        self.recent = QMenu("Open recent", self)
        file_menu = self.menus["File"]
        after_open = file_menu.actions()[file_menu.actions().index(actions["open"]) + 1]
        file_menu.insertMenu(after_open, self.recent)
        self.recent.aboutToShow.connect(self._list_recent)
        self.lanes = QMenu("Lanes", self)
        self.menus["View"].insertMenu(actions["reset_layout"], self.lanes)
        self.lanes.aboutToShow.connect(self._list_lanes)

    def open_below(self, button: QToolButton) -> None:
        """Opens the menu at its button, with the first entry chosen as the key ↓ does.

        `setActiveAction` would open its submenu too: that one takes no key and closes when the mouse enters it.
        """
        self.popup(button.mapToGlobal(QPoint(0, button.height() + 2)))
        down = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(self, down)

    @Slot()
    def _list_recent(self) -> None:
        self.recent.clear()
        for name in self._preference_saver.preferences.recent:
            entry = self.recent.addAction(Path(name).name.replace("&", "&&"))
            entry.setToolTip(name)
            entry.triggered.connect(partial(self._open_path, Path(name)))
        if self.recent.isEmpty():
            self.recent.addAction("nothing yet").setEnabled(False)

    @Slot()
    def _list_lanes(self) -> None:
        from rnnviz.gui.canvas.lane_menus import add_lanes  # late: drawing comes after the first picture

        self.lanes.clear()
        add_lanes(self.lanes, self._store, self.window())
