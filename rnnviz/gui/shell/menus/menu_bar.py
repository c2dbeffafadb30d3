"""Menu bar: everything this window can do, made from the commands; the system's own bar on macOS."""

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent
from PySide6.QtWidgets import QApplication, QMenu, QMenuBar, QSizePolicy

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.store import Store

_NAMES = ("File", "Training", "Debug", "View", "Help")  # no two begin alike: Alt and the first letter opens one


class MenuBar(QMenuBar):
    """Recent files and lanes are listed anew each time their menu opens. `hinted(words)`: what the entry that is lit
    does, "" when none is."""

    hinted = Signal(str)

    def __init__(
        self,
        store: Store,
        actions: Actions,
        preference_saver: PreferenceSaver,
        open_path: Callable[[Path], None],
    ) -> None:
        super().__init__()
        self.setNativeMenuBar(sys.platform == "darwin")
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self._store, self._preference_saver, self._open_path = store, preference_saver, open_path
        self.menus: dict[str, QMenu] = {}
        for name in _NAMES:
            self.menus[name] = menu = self.addMenu(f"&{name}")
            menu.aboutToHide.connect(self._leave)
            actions.fill(menu, name)
        self.recent = QMenu("Open recent", self)
        file_menu = self.menus["File"]
        after_open = file_menu.actions()[file_menu.actions().index(actions["open"]) + 1]
        file_menu.insertMenu(after_open, self.recent)
        self.recent.aboutToShow.connect(self._list_recent)
        self.lanes = QMenu("Lanes", self)
        view_menu = self.menus["View"]
        view_menu.insertMenu(view_menu.actions()[1], self.lanes)  # below the pages of the right column
        self.lanes.aboutToShow.connect(self._list_lanes)
        self.hovered.connect(self._hint)

    def open_first(self) -> None:
        """Opens the first menu with its first entry lit, as the key ↓ does.

        The menu's `setActiveAction` would open the submenu of that entry too, and keys would not get there.
        """
        first = self.menus[_NAMES[0]]
        self.setActiveAction(first.menuAction())
        down = QKeyEvent(QEvent.Type.KeyPress, Qt.Key.Key_Down, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(first, down)

    @Slot(QAction)
    def _hint(self, action: QAction) -> None:
        told = action.toolTip()  # Qt's own is the text again; asking for `action.menu()` would end PySide's `action`
        self.hinted.emit(told.replace("\n", "  ") if told != action.text().replace("&", "") else "")

    @Slot()
    def _leave(self) -> None:
        self.hinted.emit("")

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
