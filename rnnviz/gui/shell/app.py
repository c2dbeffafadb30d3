"""The window as a whole: everything is made and wired here, once."""

import os
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QApplication, QMessageBox

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.debugger import goto
from rnnviz.gui.commands.actions import Actions, Command
from rnnviz.gui.live.recomputing import Recomputing
from rnnviz.gui.live.remembered_breakpoints import RememberedBreakpoints
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.live.session import Session
from rnnviz.gui.look.icons import application_icon
from rnnviz.gui.look.theme import apply, theme
from rnnviz.gui.opening.file_commands import Pictures, file_commands
from rnnviz.gui.shell.garbage_collector import GarbageCollector
from rnnviz.gui.shell.main_window import MainWindow
from rnnviz.gui.shell.menus import Menus
from rnnviz.gui.shell.message_bar import MessageBar
from rnnviz.gui.shell.page_commands import page_commands
from rnnviz.gui.shell.problems import Problems
from rnnviz.gui.shell.signals import Signals
from rnnviz.gui.shell.status_bar import StatusBar
from rnnviz.gui.shell.toolbar import Toolbar
from rnnviz.gui.shell.view_commands import WindowWishes, view_commands
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import read_preferences
from rnnviz.gui.state.program_folders import log_path, remove_leftovers, settings_path
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Appearance, Message, Notices
from rnnviz.gui.stepping.debug_commands import debug_commands
from rnnviz.gui.stepping.walker import Walker
from rnnviz.gui.system_libraries import WINDOW, lacking, on_x
from rnnviz.gui.training.training_commands import training_commands
from rnnviz.gui.watching.mark_commands import mark_commands, set_bookmark
from rnnviz.gui.watching.search_commands import search_commands
from rnnviz.gui.whatif.what_if_bar import WhatIfBar
from rnnviz.gui.whatif.what_if_commands import WhatIfs, what_if_commands
from rnnviz.gui.widgets.line_popup import JumpField

if TYPE_CHECKING:
    from rnnviz.gui.shell.contents import Contents


def run_window(path: Path | None) -> NoReturn:
    """Shows the window, with the file at `path` or with the first lesson, until it is closed; that ends the process.

    Raises RnnvizError where there is no screen.
    """
    if sys.platform == "linux" and not any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM")
    ):
        raise RnnvizError("There is no screen here: neither DISPLAY nor WAYLAND_DISPLAY is set.")
    if on_x() and (sentence := lacking(WINDOW)):
        raise RnnvizError(sentence)  # Qt would end the process in its own words
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("rnnviz")
    app.setApplicationDisplayName("rnnviz")
    app.setDesktopFileName("rnnviz")
    wired = App(app, path)
    signals = Signals(wired.leave, wired.leave_now, wired)
    wired.window.show()
    status = app.exec()
    signals.deleteLater()
    wired.tell_unwritten()
    # Nothing is left to be done: taking Qt down keeps a busy machine busy, and would wait for a thread that is stuck.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


class App(QObject):
    """Store, session, window and panels of one start. `close` ends all of it."""

    def __init__(self, application: QApplication, path: Path | None, settings: Path | None = None) -> None:
        super().__init__()
        settings = settings or settings_path()
        preferences, complaint = read_preferences(settings)
        message = Message("warning", complaint) if complaint else None
        hidden = frozenset(preferences.hidden_lanes)
        shown = State(
            look=Appearance(theme=preferences.theme, hidden_lanes=hidden, page=preferences.page),
            debugging=Debugging(watches=preferences.watches),
            notices=Notices(message),
        )
        self.store = Store(shown)
        self._application = application
        self._path = path
        self.contents: Contents | None = None  # lanes and panels, which come after the first picture
        self.ended_well = True  # False: a thread did not end
        self._closed = False
        self._filling = self._wished_away = False
        self._garbage_collector = GarbageCollector(self)
        self._problems = Problems(self.store, log_path(), self)
        apply(application, theme(preferences.theme))
        application.setWindowIcon(application_icon())
        self.preference_saver = PreferenceSaver(self.store, preferences, settings, self)
        self.session = Session(self.store, self, preferences.trace_memory)
        self._breakpoints = RememberedBreakpoints(self.store, self.preference_saver, self)
        self.walker = Walker(self.store, self.session.show_training_step)
        self.recomputing = Recomputing(self.store, self)
        self.whatifs = WhatIfs(self.store, self.session.show_training_step)
        self.searching = Searching(self.store, self.session, self)
        self.window = MainWindow()
        self.actions = Actions(self._commands(), self.store, self.window)
        self.toolbar = Toolbar(self.store, self.actions)
        self.menus = Menus(self.store, self.actions, self.preference_saver, self.open_path, self.window)
        self.jump_field = JumpField(self.walker.go_to, self.window)
        self.note_field = JumpField(partial(set_bookmark, self.store), self.window, "Note", "A note, or none: Enter")
        self.message_bar = MessageBar(self.store, self.actions)
        self.window.setMenuWidget(self.toolbar)
        self.window.add_to_centre(self.message_bar)
        self.window.add_to_centre(WhatIfBar(self.store, self.actions))
        self.window.setStatusBar(StatusBar(self.store))
        self.window.restore(preferences)
        self.window.setFocus()
        self._connect()
        self._show_title(self.store.state)

    def open_path(self, path: Path) -> None:
        """Opens whatever a person chose or dropped; what is wrong with it is said in the bar."""
        try:
            self.session.files.open_path(path.absolute())
        except RnnvizError as error:
            self.store.say(Message("error", str(error)), busy="")

    @Slot()
    def fill(self) -> None:
        """Starts the engine, then puts lanes and panels into the window: after its first picture is on the screen."""
        if self._closed:
            return
        remove_leftovers()
        try:
            self._begin()
        finally:
            self._filling = True
            if self._wished_away:
                self.leave_now()
            self._fill()
            self._filling = False

    @Slot()
    def close(self) -> None:
        """Ends engine, threads and children; remembers the layout. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.session.ask_to_leave()  # first of all: the engine writes its last record meanwhile
        self.preference_saver.remember(**self.window.layout_preferences())
        self.window.hide()
        self.searching.cancel()
        ended = [self.recomputing.stop(), self.contents is None or self.contents.stop(), self.session.close()]
        self.ended_well = all(ended)
        self._garbage_collector.stop()
        self._problems.release()

    @Slot()
    def leave(self) -> None:
        """Closes the window, whatever dialog is open, and ends the program."""
        self._application.closeAllWindows()
        self.window.close()
        self._application.quit()

    def leave_now(self) -> None:
        """As `leave`, of a window that is still being filled, when nothing else is heard for seconds."""
        self._wished_away = True
        if self._filling and not self._closed:
            self.close()
            self.tell_unwritten()
            os._exit(0)

    def tell_unwritten(self) -> None:
        """What the engine could not write at its end, for whoever has started the window."""
        for sentence in self.session.unwritten:
            print(sentence, file=sys.stderr, flush=True)

    def _begin(self) -> None:
        """The file that was asked for, or the first lesson; that too when the file is none."""
        if self._path is not None:
            try:
                self.session.files.open_path(self._path.absolute())
                return
            except RnnvizError as error:
                self.store.say(Message("error", str(error)))
        self.session.start(first_lesson())

    def _fill(self) -> None:
        from rnnviz.gui.shell.contents import Contents  # late: what draws is imported after the first picture

        self.contents = Contents(self.store, self.session, self.walker, self.actions, self.whatifs, self.window)

    def _drawn(self) -> "Contents":
        if self.contents is None:
            raise RnnvizError("There is nothing to take a picture of yet.")
        return self.contents

    def _commands(self) -> tuple[Command, ...]:
        wishes = WindowWishes(
            reset_layout=lambda: self.window.reset_layout(),
            full_screen=lambda: self.window.toggle_full_screen(),
            presentation=lambda: self.window.toggle_presentation(),
            show_menu=self._show_menu,
            show_shortcuts=self._show_shortcuts,
            show_about=self._show_about,
            dismiss=self._dismiss,
        )
        pictures = Pictures(
            lambda scale: self._drawn().lanes_image(scale), lambda scale: self._drawn().window_image(scale)
        )
        return (
            *file_commands(self.window, self.store, self.session, pictures, lambda: self.window.close()),
            *training_commands(self.store, self.session),
            *debug_commands(self.store, self.walker, self._ask_place),
            *mark_commands(self.store, self.walker, self._ask_note),
            *search_commands(self.store, self.searching, self.session.files.check),
            *what_if_commands(self.store, self.whatifs, self.session.train_on),
            *page_commands(self.store),
            *view_commands(self.store, wishes),
        )

    def _connect(self) -> None:
        self.window.painted.connect(self.fill)
        self.window.closing.connect(self.close)
        self.window.dropped.connect(self.open_path)
        self.session.files.used.connect(self.preference_saver.use)
        self.toolbar.cursor_label.clicked.connect(self.actions["jump"].trigger)
        self.store.changed.connect(self._show)

    @Slot(object, object)
    def _show(self, old: State, new: State) -> None:
        if new.look.theme != old.look.theme:
            apply(self._application, theme(new.look.theme))
        if new.run.source is not old.run.source or new.run.path != old.run.path:
            self._show_title(new)

    def _show_title(self, state: State) -> None:
        run = f" · {state.run.path.name}" if state.run.path is not None else ""
        origin = f" · {state.run.origin.words}" if state.run.origin is not None else ""
        self.window.setWindowTitle(f"{state.run.title}{run}{origin}")

    def _show_menu(self) -> None:
        self.menus.open_below(self.toolbar.menu_button)

    def _dismiss(self) -> None:
        if self.store.state.notices.message is not None:
            self.store.say(None)
        else:
            self.session.cancel()

    def _ask_place(self) -> None:
        self.jump_field.ask(goto.words(self.store.state.place.cursor), self.toolbar.cursor_label)

    def _ask_note(self) -> None:
        self.note_field.ask("", self.toolbar.cursor_label)

    def _show_shortcuts(self) -> None:
        from rnnviz.gui.shell.shortcuts_page import ShortcutsPage

        page = ShortcutsPage(self.actions, self.window, self.store.state.look.theme)
        page.show()
        page.activateWindow()

    def _show_about(self) -> None:
        from rnnviz.gui.shell.about import about_words

        QMessageBox.about(self.window, "About rnnviz", about_words())
