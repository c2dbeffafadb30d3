"""The main window: puts toolbar, lanes and panels in their places; no logic."""

import base64
from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QMargins, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent, QDragEnterEvent, QDropEvent, QKeyEvent, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QTabWidget, QVBoxLayout, QWidget

from rnnviz.gui.commands.keys import keeps_key
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import Theme, theme
from rnnviz.gui.shell.keyboard.areas import Areas
from rnnviz.gui.shell.placeholder import Placeholder
from rnnviz.gui.shell.spill import Spill
from rnnviz.gui.state.preferences import Preferences
from rnnviz.gui.widgets import screens

_DOCKS = {  # object name: area, width or height to begin with
    "experiment": (Qt.DockWidgetArea.LeftDockWidgetArea, 232),
    "values": (Qt.DockWidgetArea.RightDockWidgetArea, 304),
    "training": (Qt.DockWidgetArea.BottomDockWidgetArea, 172),
}
_MOST = {"experiment": 0.3, "values": 0.36, "training": 0.32}  # of the window, that larger text takes
_SIZE = QSize(1440, 900)  # to begin with, where the screen has it
_LEAST = QSize(600, 350)  # below what 1280 × 800 leaves at scale 2
_NARROW, _SHORT = 960, 520  # a smaller window shows its panels in one column, as tabs
_LOW = 120  # pixels a panel may be made low
_LAYOUT_VERSION = 1
_LAYOUT_MARK = bytes((0, 0, 0, 0xFF))  # as Qt begins every saved layout
_DARK = partial(theme, "dark")


class MainWindow(QMainWindow):
    """`painted` once, when it is on the screen for the first time; `dropped(path)`; `closing` when it closes."""

    painted = Signal()
    dropped = Signal(object)
    closing = Signal()

    def __init__(self, look: Callable[[], Theme] = _DARK) -> None:
        """`look`: the theme in use."""
        super().__init__()
        self._look = look
        self.setObjectName("window")
        self.setAcceptDrops(True)
        self.setFocusPolicy(Qt.FocusPolicy.ClickFocus)  # so that no button has the focus to begin with
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self.setMinimumSize(_LEAST)
        self.setCorner(Qt.Corner.BottomLeftCorner, Qt.DockWidgetArea.LeftDockWidgetArea)
        self.setCorner(Qt.Corner.BottomRightCorner, Qt.DockWidgetArea.RightDockWidgetArea)
        self._centre = QWidget()
        self._column = QVBoxLayout(self._centre)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        self.setCentralWidget(self._centre)
        self._placeholder: Placeholder | None = Placeholder(look)  # until the lanes come
        self._column.addWidget(self._placeholder, 1)
        self.setTabPosition(Qt.DockWidgetArea.AllDockWidgetAreas, QTabWidget.TabPosition.North)
        self._docks = {name: self._add_dock(name, area) for name, (area, _) in _DOCKS.items()}
        self.areas: Areas | None = None  # which come with the contents
        self._was_painted = False
        self._before_presentation: tuple[dict[str, str], Qt.WindowState] | None = None
        self._designed: dict[str, float] = {}  # by dock: its size at text scale 1
        self._pressed: dict[str, int] = {}  # sizes of the docks when the mouse was pressed
        self.setGeometry(screens.middle(_SIZE, screens.there_are()))
        self._own_size = self.size()  # as it was found to fit
        self.reset_layout()

    def put_on_top(self, *rows: QWidget) -> None:
        """Above everything, over the whole width; the first one on top."""
        top = QWidget()
        column = QVBoxLayout(top)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for row in rows:
            column.addWidget(row)
        self.setMenuWidget(top)

    def add_to_centre(self, widget: QWidget, stretch: int = 0) -> None:
        """Below what is in the middle already; what stretches takes the place that was kept for it."""
        if stretch and self._placeholder is not None:
            self._column.removeWidget(self._placeholder)
            self._placeholder.hide()
            self._placeholder.deleteLater()
            self._placeholder = None
        self._column.addWidget(widget, stretch)

    def fill_dock(self, name: str, widget: QWidget) -> None:
        """Puts a panel into the dock called `name`: "experiment", "values" or "training"."""
        dock = self._docks[name]
        before, size = dock.widget(), dock.size()
        widget.setMinimumHeight(_LOW)  # what is in it scrolls
        dock.setWidget(widget if name == "training" else Spill(widget, _MOST[name]))
        if before is not None:
            before.deleteLater()
        self._resize_dock(name, size.height() if name == "training" else size.width())

    def restore(self, preferences: Preferences) -> list[str]:
        """Size, place and layout as they were, on a screen there is; what does not fit any more is left as it is.

        Returns the names of what means nothing; a layout of another version is none of that.
        """
        self._designed.clear()
        broken = []
        if preferences.geometry:
            if self.restoreGeometry(_bytes(preferences.geometry)):
                self._keep_on_screen()
            else:
                broken.append("geometry")
        if preferences.layout and not self.restoreState(_bytes(preferences.layout), _LAYOUT_VERSION):
            self.reset_layout()
            broken += [] if _is_of_another_version(preferences.layout) else ["layout"]
        self._fold()
        return broken

    def layout_preferences(self) -> dict[str, str]:
        """What `restore` wants."""
        if self._before_presentation is not None:
            return self._before_presentation[0]
        return {"layout": _text(self.saveState(_LAYOUT_VERSION)), "geometry": _text(self.saveGeometry())}

    def reset_layout(self) -> None:
        """Every dock back to its place and size."""
        self._end_presentation()
        for name, (area, size) in _DOCKS.items():
            self._designed[name] = size
            self.addDockWidget(area, self._docks[name])
            self._docks[name].show()
            self._resize_dock(name, scale.px(size))
        self._fold()

    def toggle_full_screen(self) -> None:
        self.setWindowState(self.windowState() ^ Qt.WindowState.WindowFullScreen)

    def present(self, on: bool) -> None:
        """Lanes and training curve alone on the whole screen, or all as it was before."""
        if not on:
            self._end_presentation()
        elif self._before_presentation is None:
            self._before_presentation = self.layout_preferences(), self.windowState()
            for name, dock in self._docks.items():
                dock.setVisible(name == "training")
            self.setWindowState(self.windowState() | Qt.WindowState.WindowFullScreen)

    def note_sizes(self) -> None:
        """Before the scale changes: what each panel has now, unless that came from another scale."""
        for name in self._docks:
            self._designed.setdefault(name, scale.to_design(self._size(name)))

    def rescale(self, old: float, new: float) -> None:
        """The panels become wider and higher with their text, as far as the lanes can spare it."""
        for name, dock in self._docks.items():
            whole = self.height() if name == "training" else self.width()
            designed = self._designed.setdefault(name, self._size(name) / old)
            if dock.isVisible():
                self._resize_dock(name, round(min(designed * new, max(_MOST[name] * whole, designed))))

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            if keeps_key(QApplication.focusWidget(), event):
                event.accept()
            return True
        if event.type() == QEvent.Type.MouseButtonPress:
            self._pressed = {name: self._size(name) for name in self._docks}
        elif event.type() == QEvent.Type.MouseButtonRelease:  # the edge of a dock may have been drawn
            for name, size in self._pressed.items():
                if size != self._size(name):
                    self._designed.pop(name, None)
        if event.type() == QEvent.Type.StatusTip:
            return True  # Qt would empty the status bar, where the menu bar says what an entry does
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.areas is None or not self.areas.take(event):
            super().keyPressEvent(event)

    def focusNextPrevChild(self, forward: bool) -> bool:
        return self.areas.tab(forward) if self.areas is not None else super().focusNextPrevChild(forward)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._was_painted:
            self._was_painted = True
            if self.size() == self._own_size:  # which nobody has changed
                self._keep_on_screen()
            QTimer.singleShot(0, self.painted.emit)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fold()

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closing.emit()
        event.accept()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if _dropped_path(event) is not None:
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        path = _dropped_path(event)
        if path is not None:
            event.acceptProposedAction()
            QTimer.singleShot(0, self, lambda: self.dropped.emit(path))  # the file manager must not wait for us

    def _add_dock(self, name: str, area: Qt.DockWidgetArea) -> QDockWidget:
        dock = QDockWidget(name.capitalize(), self)
        dock.setObjectName(name)
        dock.setFeatures(QDockWidget.DockWidgetFeature.NoDockWidgetFeatures)
        dock.setTitleBarWidget(QWidget(dock))  # no title: each panel says itself what it is
        dock.setWidget(Placeholder(self._look))
        self.addDockWidget(area, dock)
        return dock

    def _resize_dock(self, name: str, size: int) -> None:
        direction = Qt.Orientation.Vertical if name == "training" else Qt.Orientation.Horizontal
        self.resizeDocks([self._docks[name]], [size], direction)

    def _keep_on_screen(self) -> None:
        """The whole window, with the frame it has, on a screen that there is."""
        if self.windowState() & (Qt.WindowState.WindowMaximized | Qt.WindowState.WindowFullScreen):
            return
        inner, outer = self.geometry(), self.frameGeometry()
        frame = QMargins(
            inner.left() - outer.left(),
            inner.top() - outer.top(),
            outer.right() - inner.right(),
            outer.bottom() - inner.bottom(),
        )
        self.setGeometry(screens.fitted(inner, screens.there_are(), frame if self._was_painted else screens.FRAME))
        self._own_size = self.size()

    def _fold(self) -> None:
        """Panels for which the window is too narrow, or too low, become tabs beside those on the right; and back."""
        for name, small in (("experiment", self.width() < _NARROW), ("training", self.height() < _SHORT)):
            dock, right = self._docks[name], self._docks["values"]
            if small == (dock in self.tabifiedDockWidgets(right)):
                continue
            if small:
                self.tabifyDockWidget(right, dock)
                right.raise_()
            else:
                area, size = _DOCKS[name]
                self.addDockWidget(area, dock)
                self._resize_dock(name, scale.px(size))

    def _size(self, name: str) -> int:
        return self._docks[name].height() if name == "training" else self._docks[name].width()

    def _end_presentation(self) -> None:
        if self._before_presentation is not None:
            layout, window_state = self._before_presentation
            self._before_presentation = None
            self.restoreState(_bytes(layout["layout"]), _LAYOUT_VERSION)
            self.setWindowState(window_state)


def _dropped_path(event: QDropEvent) -> Path | None:
    urls = [url for url in event.mimeData().urls() if url.isLocalFile()]
    return Path(urls[0].toLocalFile()) if urls else None


def _text(data: QByteArray) -> str:
    return base64.b64encode(data.data()).decode("ascii")


def _bytes(text: str) -> QByteArray:
    try:
        return QByteArray(base64.b64decode(text, validate=True))
    except ValueError:
        return QByteArray()


def _is_of_another_version(layout: str) -> bool:
    """Whether it is a layout that another version of the program has written: Qt's mark, then the version."""
    data = bytes(_bytes(layout).data())
    return data[:4] == _LAYOUT_MARK and data[4:8] != _LAYOUT_VERSION.to_bytes(4)
