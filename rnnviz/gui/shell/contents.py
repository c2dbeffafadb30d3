"""What fills the window after its first picture: lanes, panels and dialogs, wired to store and session."""

from collections.abc import Callable, Iterator
from functools import partial

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QVBoxLayout, QWidget

from rnnviz.core.stopping.marks import Bookmark
from rnnviz.core.sweeps.what_if.interventions import Intervention
from rnnviz.debugger.bookmarks import bookmarked
from rnnviz.debugger.cursor import Cursor
from rnnviz.debugger.places import to_model
from rnnviz.gui.canvas.lane_stack import LaneStack
from rnnviz.gui.centre.centre import Centre
from rnnviz.gui.centre.view_switcher import ViewSwitcher
from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.origin_page import OriginPage
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.cursor.variables_page import VariablesPage
from rnnviz.gui.cursor.what_changed import WhatChanged
from rnnviz.gui.experiment.experiment_panel import ExperimentPanel
from rnnviz.gui.figures.formats import Measures
from rnnviz.gui.figures.pictures import window_image
from rnnviz.gui.lessons.lesson_card import LessonCard
from rnnviz.gui.live.session import Session
from rnnviz.gui.opening.file_dialogs import path_of_cell, path_to_open_data
from rnnviz.gui.opening.opening import Opening
from rnnviz.gui.shell.keyboard.named_controls import NamedControl, named_controls
from rnnviz.gui.shell.main_window import MainWindow
from rnnviz.gui.shell.right_column import RightColumn
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.debug_commands import show_moment, show_time_step
from rnnviz.gui.stepping.program_strip import ProgramStrip
from rnnviz.gui.stepping.walker import Walker
from rnnviz.gui.training.training_panel import TrainingPanel
from rnnviz.gui.watching.watches_page import WatchesPage
from rnnviz.gui.whatif.what_if_commands import WhatIfs
from rnnviz.gui.whatif.what_if_page import WhatIfPage


class Contents(QObject):
    """Lanes in the middle; experiment and lesson on the left, values on the right, training below."""

    def __init__(
        self,
        store: Store,
        session: Session,
        walker: Walker,
        actions: Actions,
        whatifs: WhatIfs,
        window: MainWindow,
    ) -> None:
        super().__init__(window)
        self._store, self._session, self._actions, self._window = store, session, actions, window
        self._walker, self._whatifs = walker, whatifs
        self.opening = Opening(store, session, window)
        self.lanes = LaneStack(store)
        self.lanes.time_step_chosen.connect(self._choose_time_step)
        self.centre = Centre(store, self.lanes)
        self.centre.run_wanted.connect(self._run_to)
        self.centre.what_if_wanted.connect(self._set_by_hand)
        self.centre.what_if_asked.connect(self._ask_what_if)
        self.centre.origin_wanted.connect(self._show_origin)
        self.centre.training_step_wanted.connect(session.show_training_step)
        self.strip = ProgramStrip(store)
        self.strip.chosen.connect(self._go_to)
        self.switcher = ViewSwitcher(store)
        self.switcher.kind_wanted.connect(session.show_kind)
        window.add_to_centre(self.switcher)
        window.add_to_centre(self.strip)
        window.add_to_centre(self.centre, 1)
        self.centre.show()  # with this event and not with the next one
        self.experiment = ExperimentPanel(store)
        self.experiment.edited.connect(session.edit)
        self.experiment.live_setting.connect(session.set_live)
        self.experiment.restart_wanted.connect(session.restart)
        self.experiment.file_wanted.connect(self._choose_data)
        self.experiment.cell_file_wanted.connect(self._choose_cell)
        left = QWidget()
        self.lesson = LessonCard(store, parent=left)
        self.lesson.command_wanted.connect(self._run_command)
        self.lesson.training_step_chosen.connect(session.show_training_step)
        self.values = ValuesPanel(store)
        self.right = RightColumn(store)
        self.equations = EquationsPanel(store)
        self.values.below_table.addWidget(self.equations)
        self.what_changed = WhatChanged(store)
        self.values.below.addWidget(self.what_changed)
        self.right.add_page("cursor", "Cursor", self.values)
        self.variables = VariablesPage(store)
        self.right.add_page("variables", "Variables", self.variables)
        self.watches = WatchesPage(store)
        self.watches.log.moment_wanted.connect(self._go_to_moment)
        self.watches.bookmarks.wanted.connect(self._go_to_bookmark)
        self.watches.past.hits.moment_wanted.connect(self._go_to_moment)
        self.watches.past.command_wanted.connect(self._run_command)
        self.right.add_page("watches", "Watches", self.watches)
        self.what_if = WhatIfPage(store, actions, whatifs)
        self.right.add_page("what_if", "What-if", self.what_if)
        self.origin = OriginPage(store)
        self.right.add_page("origin", "Origin", self.origin)
        self.training = TrainingPanel(store)
        self.training.training_step_chosen.connect(session.show_training_step)
        self.training.live_wanted.connect(session.back_to_live)
        window.fill_dock("experiment", _column(left, self.experiment, self.lesson))
        window.fill_dock("values", self.right)
        window.fill_dock("training", self.training)
        for done in (self.experiment.restart_wanted, self.experiment.bar.undo, self.lesson.closed):
            done.connect(self.focus_centre)  # the button that was pressed is gone

    def stop(self) -> bool:
        """Ends what works behind the panels; False if it did not end in time."""
        ended = [self.origin.explaining.stop(), self.centre.stop()]
        return all(ended)

    def lanes_image(self, scale: int) -> QImage:
        """The lanes as they are seen, with a heading; what is scrolled away is in it, too."""
        from rnnviz.gui.figures.figure import draw_figure, lanes_as_seen

        measures = Measures((self.lanes.width(), self.lanes.height()), scale)
        return draw_figure(lanes_as_seen(self._store.state), measures, axis=self.lanes.axis, grows=True)

    def named_controls(self) -> Iterator[NamedControl]:
        """Every field and button of the panels, to be gone to by its name."""
        yield from named_controls(self.experiment, "Experiment")
        for key, name, page in self.right.pages():
            yield from named_controls(page, name, partial(self._show_page, key))
        yield from named_controls(self.training, "Curves")

    def _show_page(self, key: str) -> None:
        self._store.change(look=setting(page=key))

    def ask_for_picture(self, saved: Callable[[QImage], object]) -> None:
        """Asks how large and with which texts; `saved` gets the picture."""
        from rnnviz.gui.figures.figure import Curves
        from rnnviz.gui.figures.picture_dialog import Drawn, ask_for_picture

        size = (self.lanes.width(), self.lanes.height() + self.training.height())
        curves = Curves(self.training.shown_metric, self.training.log.isChecked())
        ask_for_picture(Drawn(self._store.state, size, curves, self.lanes.axis), self._window, saved)

    def window_image(self, scale: int) -> QImage:
        return window_image(self._window, Measures((self._window.width(), self._window.height()), scale))

    @Slot()
    def focus_centre(self) -> None:
        """Gives the view in front the keyboard."""
        self.centre.front.setFocus()

    @Slot()
    def _show_origin(self) -> None:
        self._actions["page_origin"].trigger()

    @Slot(int)
    def _choose_time_step(self, time_step: int) -> None:
        show_time_step(self._store, time_step)

    @Slot(object)
    def _go_to(self, cursor: Cursor) -> None:
        self._walker.jump(cursor)

    @Slot(object)
    def _go_to_bookmark(self, bookmark: Bookmark) -> None:
        if bookmark.kind != self._store.state.place.kind:
            self._session.show_training_step(bookmark.training_step, kind=bookmark.kind)
        self._walker.jump(bookmarked(bookmark))

    @Slot(int, int)
    def _run_to(self, time_step: int, direction: int) -> None:
        self._walker.run_to(time_step, direction)

    @Slot(int, object)
    def _set_by_hand(self, model: int, intervention: Intervention) -> None:
        self._store.go(to_model, model, self._store.state.place.unit)
        self._show_page("what_if")
        self._whatifs.add(intervention)

    @Slot(int, str, int)
    def _ask_what_if(self, model: int, quantity: str, unit: int) -> None:
        self._store.go(to_model, model, unit - 1)
        self._actions["page_what_if"].trigger()
        self.what_if.editor.ask("range", quantity, unit or None)

    @Slot(int, str, int)
    def _go_to_moment(self, training_step: int, model: str, time_step: int) -> None:
        show = partial(self._session.show_training_step, kind="probe")  # which breakpoints are asked of
        show_moment(self._store, show, training_step, model, time_step)

    @Slot(str)
    def _run_command(self, key: str) -> None:
        self._actions[key].trigger()

    @Slot(str)
    def _choose_data(self, kind: str) -> None:
        path = path_to_open_data(self._window, self._store, kind)
        if path is not None:
            self._session.files.open_path(path)

    @Slot(int)
    def _choose_cell(self, model: int) -> None:
        path = path_of_cell(self._window, self._store)
        if path is not None:
            self.experiment.set_cell_file(model, path)


def _column(column: QWidget, above: QWidget, below: QWidget) -> QWidget:
    """Two panels in one dock: the first takes what room the second leaves."""
    layout = QVBoxLayout(column)
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(0)
    layout.addWidget(above, 1)
    layout.addWidget(below)
    return column
