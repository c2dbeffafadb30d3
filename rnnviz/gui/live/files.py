"""Files a person opens and saves: what one is, what a child process says of it; copies, exports in the background."""

import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import read_experiment, write_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.plain_records import plain
from rnnviz.core.source import Given, Trained, read_source
from rnnviz.core.stopping.marks import Marks
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.child import Child
from rnnviz.gui.state.marks import marks_of
from rnnviz.gui.state.program_folders import new_run_path
from rnnviz.gui.state.store import Message, Store
from rnnviz.runs.reading.reader import Run

Kind = Literal["run", "experiment", "other"]
_SQLITE = b"SQLite format 3\x00"

_RIGHT_OR_WRONG = frozenset({0, 1})  # exit statuses of `rnnviz check`


class Files(QObject):
    """`inspected(path, report)`, `recorded(run path)`, `used(path)` follow what is slow; failures become messages."""

    inspected = Signal(object, object)
    recorded = Signal(object)
    used = Signal(object)

    def __init__(self, store: Store, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._child: Child | None = None
        self._path = Path()  # what the child is about
        self._copying = Background("copying", self)
        self._copying.answered.connect(self._copied)
        self._copying.failed.connect(self._not_copied)

    def kind(self, path: Path) -> Kind:
        """What `path` is as far as the window itself may look; RnnvizError if it is no file that can be read."""
        try:
            if not path.exists():
                raise RnnvizError(f"{path} does not exist.")
            if not path.is_file():
                raise RnnvizError(
                    f"{path} is not a file: a run, an experiment, a checkpoint, a CSV or a text was wanted."
                )
            with path.open("rb") as file:
                start = file.read(len(_SQLITE))
        except OSError as error:
            raise RnnvizError(f"{path} cannot be read: {error.strerror}.") from None
        if start == _SQLITE or path.suffix == ".rnnviz":
            return "run"
        return "experiment" if path.suffix == ".toml" else "other"

    def read_experiment(self, path: Path) -> Experiment:
        return read_experiment(path)

    def read_source(self, path: Path) -> Trained | Given:
        return read_source(path)

    def save_experiment(self, path: Path) -> None:
        """Writes the experiment as it is edited; RnnvizError if the folder does not let us."""
        state = self._store.state
        wanted = state.draft or state.experiment
        if wanted is None:
            raise RnnvizError("This run was not trained here: there is no experiment to save.")
        write_experiment(replace(wanted, marks=marks_of(state, wanted.models)), path)
        self._store.update(message=Message("info", f"The experiment is saved as {path}."))
        self.used.emit(path)

    def save_run(self, path: Path, marks: Marks | None = None) -> None:
        """Copies the run shown to `path` in the worker; `marks`: those the file itself could not take."""
        source = self._store.state.run_path
        if source is None:
            raise RnnvizError("There is no run to save yet.")
        if path == source:
            raise RnnvizError(f"{path} is this run itself: choose another name.")
        self._store.update(busy=f"Saving {path.name} …")
        self._copying.ask(lambda: _copy(source, path, marks))

    def inspect(self, path: Path) -> None:
        """Asks a child process what the file holds; the window itself never parses a stranger's file."""
        self._run(["inspect", str(path), "--json"], path, f"Looking into {path.name} …")
        self._child_finished(self._inspected)

    def export(self, path: Path, model: str) -> None:
        """Has a child process write the weights of `model` at the training step shown."""
        state = self._store.state
        if state.run_path is None:
            raise RnnvizError("There is no trained model to export yet.")
        step = str(state.cursor.training_step)
        arguments = ["export", str(state.run_path), "--model", model, "--training-step", step, "-o", str(path)]
        self._run(arguments, path, f"Writing {path.name} …")
        self._child_finished(self._exported)

    def check(self) -> None:
        """Has a child process check every gradient of the traces shown; the bar tells its verdict."""
        state = self._store.state
        if state.run_path is None:
            raise RnnvizError("There is no trace to check yet.")
        arguments = ["check", str(state.run_path), "--training-step", str(state.cursor.training_step), "--json"]
        self._run(arguments, state.run_path, "Checking every gradient against autograd …", _RIGHT_OR_WRONG)
        self._child_finished(self._checked)

    def record_given(self, given: Given) -> None:
        """Has a child process load the checkpoint, run the given input through it and record the trace."""
        run_path = new_run_path(Path(given.checkpoint).stem)
        self._run(
            ["trace", "--given", "--run", str(run_path)],
            run_path,
            f"Tracing {Path(given.checkpoint).name} …",
            said=json.dumps(plain(given)),
        )
        self._child_finished(self._recorded)

    def cancel(self) -> None:
        """Ends the child process, if one is at work."""
        if self._child is not None:
            self._child.cancel()
            self._forget_child()

    def stop(self) -> bool:
        """Ends everything; False if the copy that is being written did not end in time."""
        self.cancel()
        return self._copying.stop()

    def _run(
        self, arguments: list[str], path: Path, busy: str, answers: frozenset[int] = frozenset({0}), said: str = ""
    ) -> None:
        self.cancel()
        self._path = path
        self._child = Child(arguments, self, answers, said)
        self._child.failed.connect(self._child_failed)
        self._store.update(busy=busy)

    def _child_finished(self, then: object) -> None:
        assert self._child is not None
        self._child.finished.connect(then)
        self._child.start()

    def _forget_child(self) -> None:
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        self._store.update(busy="")

    @Slot(str)
    def _child_failed(self, sentence: str) -> None:
        self._forget_child()
        self._store.update(message=Message("error", sentence))

    @Slot(bytes)
    def _inspected(self, output: bytes) -> None:
        self._forget_child()
        try:
            report = json.loads(output)
        except ValueError:
            self._store.update(message=Message("error", f"{self._path} could not be looked into."))
            return
        self.inspected.emit(self._path, report)

    @Slot(bytes)
    def _exported(self, _output: bytes) -> None:
        self._forget_child()
        self._store.update(message=Message("info", f"The weights are saved as {self._path}."))

    @Slot(bytes)
    def _checked(self, output: bytes) -> None:
        self._forget_child()
        try:
            reports = json.loads(output)
            words = "\n".join(f"{report['model']}: {report['verdict']}" for report in reports)
            right = all(report["right"] for report in reports)
        except (ValueError, KeyError, TypeError):
            self._store.update(message=Message("error", "The check ended without a verdict."))
            return
        self._store.update(message=Message("info" if right else "error", words))

    @Slot(bytes)
    def _recorded(self, _output: bytes) -> None:
        self._forget_child()
        self.recorded.emit(self._path)

    @Slot(int, object)
    def _copied(self, _ticket: int, answer: object) -> None:
        if isinstance(answer, _Copied):
            words = f"The run up to training step {answer.training_step} is saved as {answer.path}."
            self._store.update(busy="", message=Message("info", words))
            self.used.emit(answer.path)

    @Slot(int, object)
    def _not_copied(self, _ticket: int, error: object) -> None:
        self._store.update(busy="", message=Message("error", str(error)))


@dataclass(frozen=True)
class _Copied:
    path: Path
    training_step: int  # the last one in the copy


def _copy(source: Path, path: Path, marks: Marks | None) -> _Copied:
    with Run(source) as run:
        run.save_copy(path, marks)
    with Run(path) as copy:
        return _Copied(path, copy.last_training_step)
