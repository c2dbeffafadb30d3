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
from rnnviz.core.files.formats import EXPERIMENT, RUN, TABLE, checkpoint_format
from rnnviz.core.tasks import data_task
from rnnviz.gui.live.question import Question
from rnnviz.gui.live.session import Session
from rnnviz.gui.opening.data_dialog import DataDialog
from rnnviz.gui.opening.file_dialogs import path_to_open_data
from rnnviz.gui.opening.model_dialog import OpenModelDialog
from rnnviz.gui.opening.question_dialog import QuestionDialog
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message


class Opening(QObject):
    """Asks about checkpoints, tables, texts and what the session asks; `dialog` is the one on the screen, if any."""

    def __init__(self, store: Store, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._store, self._session, self._window = store, session, window
        self._path = Path()
        self.dialog: QDialog | None = None
        session.files.inspected.connect(self._ask)
        session.asked.connect(self._ask_question)

    @Slot(object, object)
    def _ask(self, path: Path, report: Mapping[str, Any]) -> None:
        self._path = path
        self._forget_dialog()
        match report.get("kind"):
            case str(data) if data_task(data) is not None:
                self.dialog = DataDialog(report, self._store.state.look.theme, self._window)
            case str(name) if checkpoint_format(name) is not None:
                self.dialog = OpenModelDialog(
                    report,
                    self._window,
                    lambda dialog: path_to_open_data(dialog, self._store, TABLE.name),
                )
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
    def _ask_question(self, question: Question) -> None:
        self._forget_dialog()
        self.dialog = QuestionDialog(question, self._window)
        self.dialog.accepted.connect(self._answer_yes)
        self.dialog.rejected.connect(self._answer_no)
        self.dialog.open()

    @Slot()
    def _answer_yes(self) -> None:
        assert isinstance(self.dialog, QuestionDialog)
        question = self.dialog.asked
        self._forget_dialog()
        try:
            question.go_on()
        except RnnvizError as error:
            self._say(str(error))

    @Slot()
    def _answer_no(self) -> None:
        assert isinstance(self.dialog, QuestionDialog)
        question = self.dialog.asked
        self._forget_dialog()
        question.do_without()

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
