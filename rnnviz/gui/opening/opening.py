"""Opening: what follows when a file was looked into: the dialog in which a person says what to do with it."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QDialog, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment, Task, first_lesson
from rnnviz.core.files.allowed import remember
from rnnviz.core.files.formats import EXPERIMENT, RUN, checkpoint_format
from rnnviz.core.tasks import data_task
from rnnviz.gui.live.files import WishedFiles
from rnnviz.gui.live.session import Session
from rnnviz.gui.opening.data_dialog import DataDialog
from rnnviz.gui.opening.file_question import FileQuestion
from rnnviz.gui.opening.model_dialog import OpenModelDialog
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message


class Opening(QObject):
    """Asks about checkpoints, tables and texts; `dialog` is the one on the screen, if any."""

    def __init__(self, store: Store, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._session, self._window = store, session, window
        self._path = Path()
        self.dialog: QDialog | None = None
        session.files.inspected.connect(self._ask)
        session.files.elsewhere.connect(self._ask_about_files)

    @Slot(object, object)
    def _ask(self, path: Path, report: Mapping[str, Any]) -> None:
        self._path = path
        self._forget_dialog()
        match report.get("kind"):
            case str(data) if data_task(data) is not None:
                self.dialog = DataDialog(report, self._store.state.look.theme, self._window)
            case str(name) if checkpoint_format(name) is not None:
                self.dialog = OpenModelDialog(report, self._store.state.look.theme, self._window)
            case RUN.name | EXPERIMENT.name as kind:
                ending = next(one.endings[0] for one in (RUN, EXPERIMENT) if one.name == kind)
                self._say(f"{path} holds a {kind}: give its name the ending {ending}.")
                return
            case other:
                self._say(f"{path} holds {other}, which the window cannot show yet.")
                return
        self.dialog.accepted.connect(self._use)
        self.dialog.rejected.connect(self._forget_dialog)
        self.dialog.open()

    @Slot(object)
    def _ask_about_files(self, wish: WishedFiles) -> None:
        self._forget_dialog()
        self.dialog = FileQuestion(wish, self._window)
        self.dialog.accepted.connect(self._allow)
        self.dialog.rejected.connect(self._do_without)
        self.dialog.open()

    @Slot()
    def _allow(self) -> None:
        assert isinstance(self.dialog, FileQuestion)
        wish = self.dialog.wish
        self._forget_dialog()
        remember(wish.files)
        try:
            wish.go_on()
        except RnnvizError as error:
            self._say(str(error))

    @Slot()
    def _do_without(self) -> None:
        assert isinstance(self.dialog, FileQuestion)
        wish = self.dialog.wish
        self._forget_dialog()
        self._store.say(Message("info", f"{wish.source.name} was not trained: {wish.files[0]} is not read."))
        if self._store.state.run.path is None:  # an empty window
            self._session.start(first_lesson())

    @Slot()
    def _use(self) -> None:
        dialog = self.dialog
        try:
            if isinstance(dialog, DataDialog):
                remember((dialog.task.file,))  # the person chose it
                self._session.start(learning(self._store.state.run.experiment, dialog.task, self._path.stem))
            elif isinstance(dialog, OpenModelDialog):
                self._session.files.record_given(dialog.given)
            self._session.files.used.emit(self._path)
        except RnnvizError as error:
            self._say(str(error))
        self._forget_dialog()

    @Slot()
    def _forget_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    def _say(self, sentence: str) -> None:
        self._store.say(Message("error", sentence))


def learning(experiment: Experiment | None, task: Task, name: str) -> Experiment:
    """`experiment` with another task; the models of the first lesson where it has none that can be trained."""
    base = first_lesson() if experiment is None else experiment
    return replace(base, name=name, task=task)
