"""Several seeds in the program: asked for, trained by a child process, shown in a window of their own."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot
from PySide6.QtWidgets import QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import data_files
from rnnviz.core.experiment.settings import Experiment
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.session import Session
from rnnviz.gui.state.marks import marks_of, model_names
from rnnviz.gui.state.program_folders import new_seeds_folder
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message
from rnnviz.runs.seeds.folder import begin, seed_runs
from rnnviz.runs.seeds.index import read_index

if TYPE_CHECKING:
    from rnnviz.gui.seeds.seeds_dialog import SeedsDialog
    from rnnviz.gui.seeds.seeds_window import SeedsWindow

_PATIENCE = 2.2  # seconds the child has to end its engines while the window closes; they end without it, too
_CANCEL_PATIENCE = 8.0  # while the window stays
_INTERRUPTED = 130  # exit status of a sweep that was asked to end


class Seeds(QObject):
    """`window` shows a folder of seeds, `dialog` asks for one; each is None while it is closed."""

    def __init__(
        self,
        store: Store,
        session: Session,
        open_path: Callable[[Path], None],
        choose: Callable[[QWidget], Path | None],
        parent: QWidget,
    ) -> None:
        """`open_path` opens a run; `choose` asks for a folder."""
        super().__init__(parent)
        self._store, self._session, self._parent = store, session, parent
        self._open_path, self._choose = open_path, choose
        self.window: SeedsWindow | None = None
        self.dialog: SeedsDialog | None = None
        self.training: Path | None = None  # the folder that is trained from here
        self._child: Child | None = None
        self._beginning: tuple[Path, tuple[str, ...]] | None = None  # the folder that is being made, its data files
        self._background = Background("seeds folder", self)
        self._background.answered.connect(self._begun)
        self._background.failed.connect(self._not_begun)

    def ask(self) -> None:
        """Asks how many seeds of the experiment, as it is edited. RnnvizError where there is none."""
        state = self._store.state
        wanted = state.run.draft or state.run.experiment
        if wanted is None:
            raise RnnvizError("This run was not trained here: there is no experiment to train with other seeds.")
        if self.training is not None:
            raise RnnvizError(f"The seeds in {self.training} are still being trained: wait, or cancel them first.")
        experiment = replace(wanted, marks=marks_of(state, model_names(wanted)))
        path, files, ask = state.run.path, self._session.files, lambda: self._ask(experiment)
        if path is None:
            files.when_code_allowed(experiment.name, experiment, ask)
        else:
            code_too = lambda: files.when_code_allowed(experiment.name, experiment, ask)  # noqa: E731
            files.when_allowed(path, data_files(experiment.task), code_too)

    def ask_folder(self) -> None:
        """Asks which folder of seeds to show."""
        chosen = self._choose(self._parent)
        if chosen is not None:
            self.open_folder(chosen)

    def open_folder(self, path: Path) -> None:
        """Shows the folder of seeds at `path`. RnnvizError where it is none."""
        from rnnviz.gui.seeds.seeds_window import SeedsWindow  # late: made when somebody wants it

        read_index(path)
        self._session.files.used.emit(path)
        if self.window is not None and self.window.path != path:
            self.window.close()
        if self.window is None:
            self.window = SeedsWindow(self._store, path, lambda: self.training == path, self._parent)
            self.window.open_wanted.connect(self._open_path)
            self.window.train_wanted.connect(self._train_rest)
            self.window.cancel_wanted.connect(self.cancel)
            self.window.finished.connect(self._forget_window)
        self.window.show()
        self.window.raise_()
        self.window.activateWindow()

    def first_run(self, path: Path) -> Path | None:
        """The first run there is in a folder of seeds; None without one. RnnvizError where it is no such folder."""
        return next((run.path for run in seed_runs(path, read_index(path)) if run.path.exists()), None)

    @Slot()
    def cancel(self) -> None:
        """Asks the child to end: its engines leave whole runs."""
        if self._child is not None:
            self._child.close_input()
            QTimer.singleShot(int(1000 * _CANCEL_PATIENCE), self._child, self._child.kill)
            if self.window is not None:
                self.window.tell("Ending: the engines write their last records …")

    def ask_to_leave(self) -> None:
        """As the window closes: asks the child to end, and returns at once."""
        if self._child is not None:
            self._child.hush()
            self._child.close_input()

    def stop(self) -> bool:
        """Ends everything. False if something did not end in time."""
        self.ask_to_leave()
        ended = self._background.stop() and (self.window is None or self.window.stop())
        if self._child is not None and not self._child.wait(_PATIENCE):
            self._child.cancel()
        self._child = self.training = None
        return ended

    def _ask(self, experiment: Experiment) -> None:
        from rnnviz.gui.seeds.seeds_dialog import SeedsDialog

        run = self._store.state.run
        known = run.experiment
        same = known is not None and (known.task, known.training) == (experiment.task, experiment.training)
        self._forget_dialog()
        info, folder = run.task if same else None, new_seeds_folder(experiment.name)
        self.dialog = SeedsDialog(experiment, info, folder, self._choose, self._parent)
        self.dialog.accepted.connect(lambda: self._begin(experiment))
        self.dialog.rejected.connect(self._forget_dialog)
        self.dialog.open()

    def _begin(self, experiment: Experiment) -> None:
        """Makes the folder off the event loop: a task may have to read a file first."""
        dialog = self.dialog
        assert dialog is not None
        folder, seeds, solved = dialog.folder, dialog.wanted_seeds, dialog.solved
        self._forget_dialog()
        self._beginning = folder, data_files(experiment.task)
        self._store.say(busy=f"Beginning {folder.name} …")
        self._background.ask(lambda: begin(folder, [experiment], seeds, solved))

    @Slot(int, object)
    def _begun(self, _ticket: int, _index: object) -> None:
        assert self._beginning is not None
        (folder, files), self._beginning = self._beginning, None
        self._store.say(busy="")
        self._train(folder, files)
        self.open_folder(folder)

    @Slot(int, object)
    def _not_begun(self, _ticket: int, error: object) -> None:
        self._beginning = None
        self._store.say(Message("error", str(error)), busy="")

    def _train(self, folder: Path, files: Iterable[str] = ()) -> None:
        allowed = [word for file in files for word in ("--allow-file", file)]
        self.training = folder
        self._child = Child(
            ["sweep", "-o", str(folder), "--live", *allowed], self, said=None, output="none", alone=False
        )
        self._child.complained.connect(self._complain)
        self._child.ended.connect(self._ended)
        self._child.start()
        if self.window is not None and self.window.path == folder:
            self.window.tell("")

    @Slot()
    def _train_rest(self) -> None:
        if self.window is None:
            return
        if self.training is not None:
            self.window.tell(f"The seeds in {self.training} are still being trained: cancel them first.", problem=True)
        else:
            self._train(self.window.path)

    @Slot(str)
    def _complain(self, sentence: str) -> None:
        """A seed that failed, a disk that is full; the progress that the child prints as well is no sentence."""
        if sentence.endswith(".") and self.window is not None and self.window.path == self.training:
            self.window.tell(sentence, problem=True)

    @Slot(object)
    def _ended(self, ending: Ending) -> None:
        folder, self.training = self.training, None
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        assert folder is not None
        wrong = ending.status not in (0, _INTERRUPTED)
        sentence = ending.said if wrong and ending.said else f"The training of the seeds ended ({ending.how})."
        if ending.status == 0:
            sentence = f"All seeds in {folder} are trained."
        elif ending.status == _INTERRUPTED:
            sentence = "The training was ended; “Train the rest” goes on with it."
        if self.window is not None and self.window.path == folder:
            self.window.tell(sentence, wrong)
            self.window.reading.look()
        elif ending.status != _INTERRUPTED:
            self._store.say(Message("error" if wrong else "info", sentence))

    @Slot()
    def _forget_dialog(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None

    @Slot()
    def _forget_window(self) -> None:
        window, self.window = self.window, None
        if window is not None:
            window.stop()
            window.deleteLater()
