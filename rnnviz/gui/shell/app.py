"""The window as a whole: everything is made and wired here, once."""

import os
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QApplication, QMessageBox

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.debugger import goto
from rnnviz.gui.centre.centre_commands import centre_commands
from rnnviz.gui.commands.actions import Actions, Command
from rnnviz.gui.library.library import Library
from rnnviz.gui.library.library_commands import library_commands
from rnnviz.gui.live.asking import Asking
from rnnviz.gui.live.background import leaving
from rnnviz.gui.live.recomputing import Recomputing
from rnnviz.gui.live.remembered_breakpoints import RememberedBreakpoints
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.live.session import Session
from rnnviz.gui.look.icons import application_icon
from rnnviz.gui.look.scale import set_text_scale
from rnnviz.gui.look.theme import apply, dress, theme
from rnnviz.gui.opening.file_commands import Pictures, file_commands
from rnnviz.gui.opening.file_dialogs import folder_of_seeds
from rnnviz.gui.seeds.seeds import Seeds
from rnnviz.gui.seeds.seeds_commands import seeds_commands
from rnnviz.gui.shell.garbage_collector import GarbageCollector
from rnnviz.gui.shell.keyboard.area_commands import area_commands
from rnnviz.gui.shell.keyboard.areas import Areas
from rnnviz.gui.shell.main_window import MainWindow
from rnnviz.gui.shell.menus.menu_bar import MenuBar
from rnnviz.gui.shell.message_bar import MessageBar
from rnnviz.gui.shell.page_commands import PAGES, page_commands
from rnnviz.gui.shell.problems import Problems
from rnnviz.gui.shell.signals import Signals
from rnnviz.gui.shell.status_bar import StatusBar
from rnnviz.gui.shell.title_row import TitleRow
from rnnviz.gui.shell.toolbar import Toolbar
from rnnviz.gui.shell.view_commands import INTERFACE_VARIABLE, WindowWishes, toggle_presentation, view_commands
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.preference_saver import PreferenceSaver
from rnnviz.gui.state.preferences import read_preferences, saved_interface_scale, unusable
from rnnviz.gui.state.program_folders import log_path, remove_leftovers, settings_path
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Appearance, Message, Notices
from rnnviz.gui.stepping.debug_commands import debug_commands, show_moment
from rnnviz.gui.stepping.slow_walk import SlowWalk, slow_walk_commands
from rnnviz.gui.stepping.walker import Walker
from rnnviz.gui.system_libraries import WINDOW, lacking, on_x
from rnnviz.gui.training.asking_commands import asking_commands
from rnnviz.gui.training.batch_commands import batch_commands
from rnnviz.gui.training.training_commands import train_or_pause, training_commands
from rnnviz.gui.watching.mark_commands import mark_commands, set_bookmark
from rnnviz.gui.watching.search_commands import search_commands
from rnnviz.gui.watching.stop_commands import stop_commands
from rnnviz.gui.whatif.what_if_bar import WhatIfBar
from rnnviz.gui.whatif.what_if_commands import WhatIfs, what_if_commands
from rnnviz.gui.widgets.line_popup import JumpField
from rnnviz.gui.widgets.open_dialogs import show_held
from rnnviz.gui.widgets.spoken import announce
from rnnviz.runs.seeds.index import is_seed_folder

if TYPE_CHECKING:
    from rnnviz.gui.shell.contents import Contents
    from rnnviz.gui.shell.menus.command_palette import CommandPalette


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
    scale = saved_interface_scale(settings_path())
    scaled = scale != 1.0 and INTERFACE_VARIABLE not in os.environ
    if scaled:
        os.environ[INTERFACE_VARIABLE] = f"{scale:g}"
    app = QApplication.instance() or QApplication(sys.argv[:1])
    if scaled:
        del os.environ[INTERFACE_VARIABLE]  # what is started from here has a scale of its own
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
        known_page = preferences.page in {page.key for page in PAGES}
        preferences = preferences if known_page else replace(preferences, page=Appearance().page)
        shown = State(
            look=Appearance(
                theme=preferences.theme,
                hidden_lanes=hidden,
                view=preferences.view,
                level=preferences.level,
                animated=preferences.animated,
                walk_speed=preferences.walk_speed,
                page=preferences.page,
                folders=tuple(preferences.folders.items()),
                text_scale=preferences.text_scale,
                presentation_scale=preferences.presentation_scale,
                interface_scale=preferences.interface_scale,
                laboratory=preferences.laboratory,
            ),
            debugging=Debugging(watches=preferences.watches),
            notices=Notices(message),
        )
        self.store = Store(shown)
        set_text_scale(shown.look.scale)
        self.store.changed.connect(self._dress)  # before all others, which dress themselves in what it sets
        self._application = application
        self._path = path
        self.contents: Contents | None = None  # lanes and panels, which come after the first picture
        self.ended_well = True  # False: a thread did not end
        self._closed = False
        self._palette: CommandPalette | None = None  # made when it is first asked for
        self._filling = self._wished_away = False
        self._garbage_collector = GarbageCollector(self)
        self._problems = Problems(self.store, log_path(), self)
        apply(application, theme(preferences.theme))
        application.setWindowIcon(application_icon())
        self.preference_saver = PreferenceSaver(self.store, preferences, settings, self)
        self.session = Session(self.store, self, preferences.trace_memory)
        self._breakpoints = RememberedBreakpoints(self.store, self.preference_saver, self)
        self.walker = Walker(
            self.store, self.session.show_training_step, self.session.show_sequence, self.session.show_kind
        )
        self.slow_walk = SlowWalk(self.store, self.walker, self)
        self.recomputing = Recomputing(self.store, self, self.session.make_room_for)
        self.whatifs = WhatIfs(self.store, self.session.show_training_step)
        self.searching = Searching(self.store, self.session, self)
        self.asking = Asking(self.store, self.session.files, self)
        self.window = MainWindow(lambda: theme(self.store.state.look.theme))
        dress(self.window, theme(preferences.theme))
        self.library = Library(self.store, self.session, self.open_path, self.window)
        self.seeds = Seeds(
            self.store, self.session, self.open_path, lambda above: folder_of_seeds(above, self.store), self.window
        )
        self.actions = Actions(self._commands(), self.store, self.window)
        self.toolbar = Toolbar(self.store, self.actions)
        self.menu_bar = MenuBar(self.store, self.actions, self.preference_saver, self.open_path)
        self.title_row = TitleRow(self.store, self.actions, self.menu_bar)
        self.jump_field = JumpField(self.walker.go_to, self.window)
        self.note_field = JumpField(partial(set_bookmark, self.store), self.window, "Note", "A note, or none: Enter")
        self.message_bar = MessageBar(self.store, self.actions, self.window.centralWidget())
        self.window.put_on_top(self.title_row, self.toolbar)
        self.title_row.setVisible(not self.menu_bar.isNativeMenuBar())  # macOS: on top of the screen
        self.what_if_bar = WhatIfBar(self.store, self.actions)
        self.window.add_to_centre(self.what_if_bar)
        self.window.setStatusBar(StatusBar(self.store))
        self.menu_bar.hinted.connect(self.window.statusBar().showMessage)
        broken = self.window.restore(preferences)
        broken += [] if known_page else ["page"]
        if broken:
            self.store.say(Message("warning", f"{complaint} {unusable(settings, broken)}".strip()))
        self.window.setFocus()
        self._connect()
        self._show_title(self.store.state)

    def open_path(self, path: Path) -> None:
        """Opens whatever a person chose or dropped; what is wrong with it is said in the bar."""
        try:
            if is_seed_folder(path):
                self.seeds.open_folder(path.absolute())
            else:
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
        if self._path is None and not self._closed:
            self.library.look_for_last()

    @Slot()
    def close(self) -> None:
        """Ends engine, threads and children; remembers the layout. A second call does nothing."""
        if self._closed:
            return
        self._closed = True
        self.session.ask_to_leave()  # first of all: the engine writes its last record meanwhile
        self.seeds.ask_to_leave()
        self.preference_saver.remember(**self.window.layout_preferences())
        self.window.hide()
        self.searching.cancel()
        self.asking.stop()
        with leaving():
            ended = [
                self.library.stop(),
                self.recomputing.stop(),
                self.contents is None or self.contents.stop(),
                self.session.close(),
                self.seeds.stop(),
            ]
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
        """The file that was asked for, of a folder of seeds its first run; else the first lesson."""
        path = self._path
        if path is not None:
            try:
                if path.is_dir():
                    folder, path = path, self.seeds.first_run(path.absolute())
                    QTimer.singleShot(0, self, partial(self.open_path, folder))  # once the window is filled
                if path is not None:
                    self.session.files.open_path(path.absolute())
                    return
            except RnnvizError as error:
                self.store.say(Message("error", str(error)))
        self.session.start(first_lesson())

    def _fill(self) -> None:
        from rnnviz.gui.shell.contents import Contents  # late: what draws is imported after the first picture

        self.contents = Contents(self.store, self.session, self.walker, self.actions, self.whatifs, self.window)
        self.window.areas = self._order_areas(self.contents)
        self.contents.focus_centre()  # without a ring: nobody has pressed a key yet

    def _order_areas(self, contents: "Contents") -> Areas:
        """As they are seen: from the toolbar down the left side, then the middle, the right side, and what is below."""
        areas = Areas(lambda: contents.centre.front, self.window)
        areas.add("training buttons", lambda: [self.title_row, *self.toolbar.training_buttons])
        areas.add("program buttons", lambda: self.toolbar.program_buttons)
        for name, parts in contents.experiment.sections.items():
            areas.add(name, partial(tuple, parts))
        areas.add("lesson", lambda: [contents.lesson])
        areas.add("message", lambda: [self.message_bar])
        areas.add("what-if bar", lambda: [self.what_if_bar])
        areas.add("program", lambda: [contents.strip, contents.switcher.tabs])
        areas.add("lanes", lambda: [contents.centre.front])
        areas.add("page tabs", lambda: [contents.right.tabs])
        areas.add("page", lambda: [contents.right.front])
        areas.add("curves", lambda: contents.training.stops)
        return areas

    def _drawn(self) -> "Contents":
        if self.contents is None:
            raise RnnvizError("The window is still being filled.")
        return self.contents

    def _areas(self) -> Areas:
        if self.window.areas is None:
            raise RnnvizError("The window is still being filled.")
        return self.window.areas

    def _commands(self) -> tuple[Command, ...]:
        wishes = WindowWishes(
            reset_layout=self._reset_layout,
            full_screen=lambda: self.window.toggle_full_screen(),
            set_trace_memory=self._ask_trace_memory,
            show_menu=self._show_menu,
            find_command=self._find_command,
            show_shortcuts=self._show_shortcuts,
            show_about=self._show_about,
            dismiss=self._dismiss,
        )
        pictures = Pictures(
            lambda scale: self._drawn().lanes_image(scale),
            lambda scale: self._drawn().window_image(scale),
            lambda saved: self._drawn().ask_for_picture(saved),
        )
        return (
            *file_commands(
                self.window,
                self.store,
                self.session,
                pictures,
                lambda: self.window.close(),
                library_commands(self.library),
            ),
            *training_commands(self.store, self.session),
            *asking_commands(self.asking),
            *seeds_commands(self.seeds),
            *debug_commands(self.store, self.walker, self._ask_place),
            *batch_commands(self.store, self.session),
            *slow_walk_commands(self.store),
            *mark_commands(self.store, self.walker, self._ask_note),
            *search_commands(self.store, self.searching, self.session.files.check),
            *stop_commands(
                self.store,
                partial(show_moment, self.store, partial(self.session.show_training_step, kind="probe")),
                partial(train_or_pause, self.store, self.session),
            ),
            *what_if_commands(self.store, self.whatifs, self.session.train_on),
            *page_commands(self.store, lambda: self._areas().enter("page")),
            *centre_commands(self.store),
            *view_commands(self.store, wishes),
            *area_commands(lambda direction: self._areas().go_round(direction)),
        )

    def _connect(self) -> None:
        self.window.painted.connect(self.fill)
        self.window.closing.connect(self.close)
        self.window.dropped.connect(self.open_path)
        self.session.files.used.connect(self.preference_saver.use)
        self.toolbar.cursor_label.clicked.connect(self.actions["jump"].trigger)
        self.store.changed.connect(self._show)

    @Slot(object, object)
    def _dress(self, old: State, new: State) -> None:
        if new.look.dress != old.look.dress:
            if new.look.presenting:
                self.window.present(True)  # first: the layout as it was is kept
            self.window.note_sizes()
            set_text_scale(new.look.scale)
            apply(self._application, theme(new.look.theme))
            dress(self.window, theme(new.look.theme))

    @Slot(object, object)
    def _show(self, old: State, new: State) -> None:
        if new.look.scale != old.look.scale or new.look.presenting != old.look.presenting:
            self.window.present(new.look.presenting)
            scales = old.look.scale, new.look.scale
            QTimer.singleShot(0, self.window, lambda: self.window.rescale(*scales))  # when panels say what they need
        if new.run.source is not old.run.source or new.run.path != old.run.path or new.run.name != old.run.name:
            self._show_title(new)
        if new.notices.message is not None and new.notices.message != old.notices.message:
            announce(self.window, new.notices.message.sentence)

    def _show_title(self, state: State) -> None:
        run = f" · {state.run.path.name}" if state.run.path is not None else ""
        origin = f" · {state.run.origin.words}" if state.run.origin is not None else ""
        self.window.setWindowTitle(f"{state.run.name or state.run.title}{run}{origin}")

    def _show_menu(self) -> None:
        if self.menu_bar.isNativeMenuBar():
            self._find_command()
        else:
            self.menu_bar.open_first()

    def _ask_trace_memory(self) -> None:
        from rnnviz.gui.shell.trace_memory import ask_trace_memory  # late: seldom asked for

        ask_trace_memory(self.window, self.preference_saver.preferences.trace_memory, self._use_trace_memory)

    @Slot(int)
    def _use_trace_memory(self, mebibytes: int) -> None:
        self.preference_saver.remember(trace_memory=mebibytes)
        self.session.set_trace_memory(mebibytes)

    def _find_command(self) -> None:
        if self._palette is None:
            from rnnviz.gui.shell.menus.command_palette import CommandPalette

            self._palette = CommandPalette(
                self.store, self.actions, self.preference_saver, self.window, self._drawn().named_controls
            )
        self._palette.ask(self.toolbar)

    def _dismiss(self) -> None:
        notices = self.store.state.notices
        if self.store.state.look.presenting and (notices.message is None or not notices.message.commands):
            toggle_presentation(self.store)
        elif notices.message is not None:
            self.store.say(None)
        else:
            self.session.cancel()
            self.asking.cancel()

    def _reset_layout(self) -> None:
        if self.store.state.look.presenting:
            toggle_presentation(self.store)
        self.window.reset_layout()

    def _ask_place(self) -> None:
        place = self.store.state.place
        self.jump_field.ask(goto.words(place.cursor, place.kind), self.toolbar.cursor_label)

    def _ask_note(self) -> None:
        self.note_field.ask("", self.toolbar.cursor_label)

    def _show_shortcuts(self) -> None:
        from rnnviz.gui.shell.menus.shortcuts_page import ShortcutsPage

        page = self.window.findChild(ShortcutsPage)
        if page is None:
            page = ShortcutsPage(self.store, self.actions, self.window)
            show_held(page, modal=False)
        page.activateWindow()

    def _show_about(self) -> None:
        from rnnviz.gui.shell.about import about_words

        QMessageBox.about(self.window, "About rnnviz", about_words())
