"""Library window: all runs in one table, with a search field above and what can be done with them below."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, Qt, Signal, Slot
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence, QShowEvent
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QLineEdit, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from rnnviz.gui.commands.actions import key_words
from rnnviz.gui.library import words
from rnnviz.gui.library.deeds import Deeds
from rnnviz.gui.library.reading import LibraryReading
from rnnviz.gui.library.run_table import DATE, ENTRY, NAME, RunFilter, RunTable
from rnnviz.gui.library.run_view import RunView
from rnnviz.gui.library.tidy_dialog import TidyDialog
from rnnviz.gui.look.form_style import push_button, set_role
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.library.cache import SummaryCache
from rnnviz.runs.library.remembered import Memory
from rnnviz.runs.library.summary import RunSummary

_SIZE = (920, 620)
_NOTHING = (
    "No runs yet.\n\nEvery training is saved here by itself, from its first step. Runs that you open or save elsewhere "
    "are listed, too."
)


class LibraryWindow(QDialog):
    """`open_wanted(path)` for the run a person chose."""

    open_wanted = Signal(object)

    def __init__(self, store: Store, memory: Memory, cache: SummaryCache, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._memory = store, memory
        self.setWindowTitle("Runs")
        self.setObjectName("library")
        self.resize(*_SIZE)
        self.deeds = Deeds(store, memory, self)
        self.reading = LibraryReading(memory, cache, store.state.look.theme, self)
        self.table = RunTable(self.deeds.rename, self)
        self.filter = RunFilter(self.table, self)
        self.view = RunView(theme(store.state.look.theme))
        self.view.setModel(self.filter)
        self.view.arrange()
        self.view.sortByColumn(DATE, Qt.SortOrder.DescendingOrder)
        self.search = QLineEdit(placeholderText="Search by name, model or file", clearButtonEnabled=True)
        self.search.setAccessibleName("Search runs")
        self.count = _label("note")
        self.empty = _label("note")
        self.said = _label("note")
        self.clear_search = push_button("Clear the search", "Shows all runs again (Esc)", "link")
        self.undo_button = push_button("Undo", "Undoes the last change (Ctrl+Z)", "link")
        self.tidy: TidyDialog | None = None
        self._read_once = False
        self._actions = self._make_actions()
        self._build()
        self._connect()
        self._dress(store.state)
        self._show_count()
        self._enable()
        self.reading.start()

    @property
    def chosen(self) -> list[RunSummary]:
        """The runs that are selected, from the top."""
        rows = sorted(self.view.selectionModel().selectedRows(), key=lambda index: index.row())
        return [index.data(ENTRY).run for index in rows]

    def stop(self) -> bool:
        """Ends the reading; False if it did not end in time."""
        return self.reading.stop()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc empties the search first, then closes."""
        if event.key() == Qt.Key.Key_Escape and self.search.text():
            self._show_all()
        else:
            super().keyPressEvent(event)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.view.setFocus()

    def _make_actions(self) -> dict[str, QAction]:
        made: dict[str, QAction] = {}
        records: tuple[tuple[str, str, str, str, Callable[[], object]], ...] = (
            ("open", "Open", "Return", "Shows the run in the window", self._open),
            ("rename", "Rename", "F2", "Gives the run a name of its own, kept in its file", self._rename),
            ("pin", "Pin", "Ctrl+P", "A pinned run is never tidied away", self._pin),
            ("reveal", "Show in folder", "", "Opens the folder of its file", self._reveal),
            ("delete", "Delete", "Del", "Moves the run to the trash; Undo brings it back", self._delete),
        )
        for key, text, shortcut, tooltip, run in records:
            action = QAction(text, self)
            action.setToolTip(f"{tooltip}  ({key_words(shortcut)})" if shortcut else tooltip)
            if shortcut not in ("", "Return", "Del"):  # the table has those two itself
                action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(partial(_call, run))
            self.view.addAction(action)
            made[key] = action
        for key, shortcut, run in (("search", "Ctrl+F", self._search), ("undo", "Ctrl+Z", self.deeds.undo)):
            action = QAction(self)
            action.setShortcut(QKeySequence(shortcut))
            action.triggered.connect(partial(_call, run))
            self.addAction(action)
            made[key] = action
        return made

    def _build(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(12)
        self.search.setMinimumWidth(320)
        head.addWidget(self.search)
        head.addStretch()
        head.addWidget(self.count)
        blank = QWidget()
        column = QVBoxLayout(blank)
        column.addStretch()
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setWordWrap(True)
        column.addWidget(self.empty)
        column.addWidget(self.clear_search, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        self.pages = QStackedWidget()
        self.pages.addWidget(self.view)
        self.pages.addWidget(blank)
        tell = QHBoxLayout()
        self.said.setWordWrap(True)
        tell.addWidget(self.said, 1)
        tell.addWidget(self.undo_button)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        self.tidy_button = push_button(
            "Tidy up …", "Which runs are old, large or untitled; says what goes before it goes"
        )
        foot.addWidget(self.tidy_button)
        foot.addStretch()
        self.buttons: dict[str, QPushButton] = {}
        for key in ("reveal", "pin", "rename", "delete", "open"):
            action = self._actions[key]
            button = push_button(action.text(), action.toolTip(), "primary" if key == "open" else "")
            button.clicked.connect(action.trigger)
            self.buttons[key] = button
            foot.addWidget(button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(10)
        outer.addLayout(head)
        outer.addWidget(self.pages, 1)
        outer.addLayout(tell)
        outer.addLayout(foot)

    def _connect(self) -> None:
        self.search.textChanged.connect(self._filter)
        self.search.returnPressed.connect(self._to_table)
        self.clear_search.clicked.connect(self._show_all)
        self.undo_button.clicked.connect(self.deeds.undo)
        self.tidy_button.clicked.connect(self._tidy_up)
        self.view.activated.connect(self._open)
        self.view.typed.connect(self._type)
        self.view.delete_wanted.connect(self._delete)
        self.view.selectionModel().selectionChanged.connect(self._enable)
        self.reading.listed.connect(self._take_list)
        self.reading.came.connect(self._take)
        self.reading.finished.connect(self._finish)
        self.deeds.said.connect(self._say)
        self.deeds.changed.connect(self._look_again)
        self._store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.theme != old.look.theme:
            self._dress(new)

    @Slot(object)
    def _take_list(self, paths: list[str]) -> None:
        self.table.keep(paths)
        self.deeds.look()
        self.table.show_marks(self.deeds.remembered.pinned, self.deeds.shown)
        self._show_count()

    @Slot(object)
    def _take(self, entries: list) -> None:  # type: ignore[type-arg]
        self.table.take(entries)
        self._show_count()
        if self.search.hasFocus() and not self.search.text() and not self._read_once:
            self.view.setFocus()  # the first rows are there
        if not self.view.selectionModel().hasSelection() and self.filter.rowCount():
            self._select(0)
        self._enable()

    @Slot()
    def _finish(self) -> None:
        self._read_once = self._read_once or bool(self.reading.everything)
        self._show_count()

    def _select(self, row: int) -> None:
        flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
        self.view.selectionModel().setCurrentIndex(self.filter.index(row, NAME), flags)

    @Slot()
    def _enable(self) -> None:
        chosen = self.chosen
        one = chosen[0] if len(chosen) == 1 else None
        wanted = {
            "open": one is not None and one.kind != "broken",
            "rename": one is not None and one.kind != "broken",
            "reveal": one is not None,
            "pin": bool(chosen),
            "delete": bool(chosen),
        }
        pinned = self.deeds.remembered.pinned if chosen else ()
        self._actions["pin"].setText("Unpin" if chosen and all(run.path in pinned for run in chosen) else "Pin")
        for key, enabled in wanted.items():
            self._actions[key].setEnabled(enabled)
            self.buttons[key].setEnabled(enabled)
            self.buttons[key].setText(self._actions[key].text())
        self.undo_button.setVisible(self.deeds.offers_undo)

    @Slot()
    def _open(self) -> None:
        chosen = self.chosen
        if len(chosen) == 1 and chosen[0].kind != "broken":
            self.open_wanted.emit(Path(chosen[0].path))
            self.accept()

    def _rename(self) -> None:
        index = self.view.currentIndex()
        if len(self.chosen) == 1 and index.isValid():
            self.view.edit(index.siblingAtColumn(NAME))

    def _pin(self) -> None:
        chosen, pinned = self.chosen, self.deeds.remembered.pinned
        if chosen:
            self.deeds.pin(chosen, not all(run.path in pinned for run in chosen))

    def _reveal(self) -> None:
        if len(self.chosen) == 1:
            self.deeds.reveal(self.chosen[0])

    @Slot()
    def _delete(self) -> None:
        chosen = self.chosen
        if chosen:
            row = self.view.currentIndex().row()
            self.deeds.delete(chosen)
            self.table.keep([run.path for run in self.table.runs if Path(run.path).exists()])
            if self.filter.rowCount():
                self._select(min(row, self.filter.rowCount() - 1))
            self._show_count()

    @Slot()
    def _tidy_up(self) -> None:
        ours = [run for run in self.table.runs if self._memory.ours(run.path)]
        self.tidy = TidyDialog(ours, self.deeds.remembered.pinned, self.deeds.shown, self)
        self.tidy.accepted.connect(self._tidy_away)
        self.tidy.open()

    @Slot()
    def _tidy_away(self) -> None:
        if self.tidy is not None and self.tidy.to_go:
            self.deeds.delete(self.tidy.to_go)

    def _search(self) -> None:
        self.search.setFocus()
        self.search.selectAll()

    @Slot(str)
    def _type(self, text: str) -> None:
        self.search.setFocus()
        self.search.setText(self.search.text() + text)

    @Slot(str)
    def _filter(self, text: str) -> None:
        self.filter.search(text)
        if self.filter.rowCount():
            self._select(0)
        self._show_count()
        self._enable()

    @Slot()
    def _show_all(self) -> None:
        self.search.clear()
        self.view.setFocus()

    @Slot()
    def _to_table(self) -> None:
        if self.filter.rowCount():
            self.view.setFocus()

    @Slot()
    def _look_again(self) -> None:
        self.table.show_marks(self.deeds.remembered.pinned, self.deeds.shown)
        self.reading.look()
        self._enable()

    @Slot(str, bool)
    def _say(self, sentence: str, problem: bool) -> None:
        self.said.setText(sentence)
        set_role(self.said, "role", "problem" if problem else "note")
        self.undo_button.setVisible(self.deeds.offers_undo)

    def _show_count(self) -> None:
        all_runs, found = self.table.runs, self.filter.rowCount()
        some = f"{found} of " if found < len(all_runs) else ""
        still = "" if self._read_once or not self.reading.busy else ", reading …"
        self.count.setText(f"{some}{words.runs(all_runs)}{still}" if all_runs else "")
        searched = bool(self.search.text()) and bool(all_runs)
        self.empty.setText(
            f"No run is called “{self.search.text()}”."
            if searched
            else _NOTHING
            if not self.reading.busy
            else "Reading …"
        )
        self.clear_search.setVisible(searched)
        self.pages.setCurrentIndex(0 if found else 1)
        self.tidy_button.setEnabled(bool(all_runs))

    def _dress(self, state: State) -> None:
        self.view.delegate.look = theme(state.look.theme)
        self.view.viewport().update()
        self.reading.show_theme(state.look.theme)


def _label(role: str) -> QLabel:
    label = QLabel()
    label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)  # a run's name may look like HTML
    return label


def _call(run: Callable[[], object], _checked: bool = False) -> None:
    run()
