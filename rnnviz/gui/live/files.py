"""Files a person opens and saves: what one is, what a child process says of it; copies, exports in the background."""

import csv
import io
import json
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import read_experiment, write_experiment
from rnnviz.core.experiment.settings import Experiment, GivenInput
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.child import Child
from rnnviz.gui.state.marks import marks_of, model_names
from rnnviz.gui.state.program_folders import new_run_path
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message
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

    def save_experiment(self, path: Path) -> None:
        """Writes the experiment as it is edited; RnnvizError if the folder does not let us."""
        state = self._store.state
        wanted = state.run.draft or state.run.experiment
        write_experiment(replace(wanted, marks=marks_of(state, model_names(wanted))), path)
        self._store.say(Message("info", f"The experiment is saved as {path}."))
        self.used.emit(path)

    def save_run(self, path: Path) -> None:
        """Copies the run shown to `path` in the worker."""
        source = self._store.state.run.path
        if source is None:
            raise RnnvizError("There is no run to save yet.")
        if path == source:
            raise RnnvizError(f"{path} is this run itself: choose another name.")
        self._store.say(busy=f"Saving {path.name} …")
        self._copying.ask(lambda: _copy(source, path))

    def inspect(self, path: Path) -> None:
        """Asks a child process what the file holds; the window itself never parses a stranger's file."""
        self._run(["inspect", str(path), "--json"], path, f"Looking into {path.name} …")
        self._child_finished(self._inspected)

    def export(self, path: Path, model: str) -> None:
        """Has a child process write the weights of `model` at the training step shown."""
        state = self._store.state
        if state.run.path is None:
            raise RnnvizError("There is no trained model to export yet.")
        step = str(state.place.cursor.training_step)
        arguments = ["export", str(state.run.path), "--model", model, "--training-step", step, "-o", str(path)]
        self._run(arguments, path, f"Writing {path.name} …")
        self._child_finished(self._exported)

    def check(self) -> None:
        """Has a child process check every gradient of the traces shown; the bar tells its verdict."""
        state = self._store.state
        if state.run.path is None:
            raise RnnvizError("There is no trace to check yet.")
        arguments = ["check", str(state.run.path), "--training-step", str(state.place.cursor.training_step), "--json"]
        self._run(arguments, state.run.path, "Checking every gradient against autograd …", _RIGHT_OR_WRONG)
        self._child_finished(self._checked)

    def record_given(self, task: GivenInput, module: str) -> None:
        """Has a child process load the checkpoint, run the given input through it and record the trace."""
        run_path = new_run_path(Path(task.checkpoint).stem)
        arguments = ["trace", task.checkpoint, *_input_arguments(task), "--module", module, "--run", str(run_path)]
        self._run(arguments, run_path, f"Tracing {Path(task.checkpoint).name} …")
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

    def _run(self, arguments: list[str], path: Path, busy: str, answers: frozenset[int] = frozenset({0})) -> None:
        self.cancel()
        self._path = path
        self._child = Child(arguments, self, answers)
        self._child.failed.connect(self._child_failed)
        self._store.say(busy=busy)

    def _child_finished(self, then: object) -> None:
        assert self._child is not None
        self._child.finished.connect(then)
        self._child.start()

    def _forget_child(self) -> None:
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        self._store.say(busy="")

    @Slot(str)
    def _child_failed(self, sentence: str) -> None:
        self._forget_child()
        self._store.say(Message("error", sentence))

    @Slot(bytes)
    def _inspected(self, output: bytes) -> None:
        self._forget_child()
        try:
            report = json.loads(output)
        except ValueError:
            self._store.say(Message("error", f"{self._path} could not be looked into."))
            return
        self.inspected.emit(self._path, report)

    @Slot(bytes)
    def _exported(self, _output: bytes) -> None:
        self._forget_child()
        self._store.say(Message("info", f"The weights are saved as {self._path}."))

    @Slot(bytes)
    def _checked(self, output: bytes) -> None:
        self._forget_child()
        try:
            reports = json.loads(output)
            words = "\n".join(f"{report['model']}: {report['verdict']}" for report in reports)
            right = all(report["right"] for report in reports)
        except (ValueError, KeyError, TypeError):
            self._store.say(Message("error", "The check ended without a verdict."))
            return
        self._store.say(Message("info" if right else "error", words))

    @Slot(bytes)
    def _recorded(self, _output: bytes) -> None:
        self._forget_child()
        self.recorded.emit(self._path)

    @Slot(int, object)
    def _copied(self, _ticket: int, answer: object) -> None:
        if isinstance(answer, _Copied):
            words = f"The run up to training step {answer.training_step} is saved as {answer.path}."
            self._store.say(Message("info", words), busy="")
            self.used.emit(answer.path)

    @Slot(int, object)
    def _not_copied(self, _ticket: int, error: object) -> None:
        self._store.say(Message("error", str(error)), busy="")


@dataclass(frozen=True)
class _Copied:
    path: Path
    training_step: int  # the last one in the copy


def _copy(source: Path, path: Path) -> _Copied:
    with Run(source) as run:
        run.save_copy(path)
    with Run(path) as copy:
        return _Copied(path, copy.last_training_step)


def _input_arguments(task: GivenInput) -> list[str]:
    match task.source:
        case "text":
            given = ["--input", f"text:{task.text}", "--alphabet", task.alphabet]
        case "csv":
            given = ["--input", f"csv:{task.file}", "--columns", _csv_row(task.columns)]
        case "random":
            given = ["--input", "random", "--length", str(task.length)]
    return [*given, "--loss-time-step", str(task.loss_time_step)] if task.loss_time_step else given


def _csv_row(columns: tuple[str, ...]) -> str:
    """Names with a comma in them in quotes, as the command line reads them."""
    row = io.StringIO()
    csv.writer(row, lineterminator="").writerow(columns)
    return row.getvalue()
