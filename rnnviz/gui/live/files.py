"""Files a person opens and saves: what one is, what a child process says of it; copies, exports in the background."""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import cell_files, data_files, read_experiment, write_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.files import code
from rnnviz.core.files.allowed import remember, to_ask_about
from rnnviz.core.files.formats import EXPERIMENT, RUN
from rnnviz.core.files.magic import HEAD_BYTES, looks_like
from rnnviz.core.plain_records import plain
from rnnviz.core.source import Given, Trained, parse_source_json
from rnnviz.core.stopping.marks import Marks
from rnnviz.gui.live.background import Background
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.marks_saving import MarksSaving
from rnnviz.gui.live.question import Question
from rnnviz.gui.state.marks import marks_of, model_names
from rnnviz.gui.state.program_folders import new_run_path
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message
from rnnviz.runs.reading.reader import Run

Kind = Literal["run", "experiment", "other"]

# What a child may take to look into a file: 10 s for a checkpoint, and its start on a busy machine.
_LOOK_SECONDS = 20
_COPY_PATIENCE = 2000  # milliseconds a copy under way may still take when the window closes
_RIGHT_OR_WRONG = frozenset({0, 1})  # exit statuses of `rnnviz check`


class Files(QObject):
    """`inspected(path, report)`: a file needs a person's choice first; `used(path)`: it belongs to the recent ones.

    `asked(Question)`: it reads files that a person must allow first.

    Failures of what is slow become messages, and `failed()` follows.
    """

    inspected = Signal(object, object)
    failed = Signal()
    used = Signal(object)
    asked = Signal(object)

    def __init__(
        self,
        store: Store,
        marks: MarksSaving,
        show_run: Callable[[Path], None],
        start: Callable[[Experiment], None],
        parent: QObject | None = None,
    ) -> None:
        """`show_run` and `start`: what to do with a run and an experiment that were opened."""
        super().__init__(parent)
        self._store = store
        self._marks = marks
        self._show_run, self._start = show_run, start
        self._child: Child | None = None
        self._too_slow = ""
        self._deadline = QTimer(self)
        self._deadline.setSingleShot(True)
        self._deadline.timeout.connect(self._give_up)
        self._copying = Background("copying", self)
        self._copying.answered.connect(self._copied)
        self._copying.failed.connect(self._not_copied)

    def open_path(self, path: Path) -> None:
        """Opens a run; asks a child process what anything else holds. RnnvizError says why it cannot."""
        kind = self.kind(path)
        if kind == "run":
            self._show_run(path)
            self.used.emit(path)
        elif kind == "experiment":
            self._look_into(path, lambda report: self._use_experiment(path, report))
        else:
            self.inspect(path)

    def when_allowed(self, source: Path, files: Iterable[str], go_on: Callable[[], None]) -> None:
        """Does `go_on` once `source`, an experiment or a run, may read `files`: now where nothing is to be asked."""
        files = tuple(file for file in files if file)
        asked = to_ask_about(files, source.parent)
        if asked:
            question = self._about_files(source, asked, go_on)
            QTimer.singleShot(0, self, lambda: self.asked.emit(question))  # once there is a window to ask in
            return
        if files:
            remember(files)  # a run of them may be opened from elsewhere
        go_on()

    def when_code_allowed(self, title: str, experiment: Experiment, go_on: Callable[[], None]) -> None:
        """Does `go_on` once a person has let the Python files of own cells be run as they are now: at once where there
        are none, or all were allowed. `title`: what wants to run them. RnnvizError where one cannot be read."""
        asked = code.to_ask_about(cell_files(experiment))
        for file, digest in asked.items():
            if not digest:
                code.read_code(file)  # which says why it cannot be read
        if not asked:
            go_on()
            return
        question = self._about_code(title, asked, go_on)
        QTimer.singleShot(0, self, lambda: self.asked.emit(question))  # once there is a window to ask in

    def kind(self, path: Path) -> Kind:
        """What `path` is as far as the window itself may look; RnnvizError if it is no file that can be read."""
        try:
            if not path.exists():
                raise RnnvizError(f"{path} does not exist.")
            if not path.is_file():
                raise RnnvizError(
                    f"{path} is not a file: a run, an experiment, a checkpoint, a CSV, a text or a folder of "
                    "rnnviz sweep was wanted."
                )
            with path.open("rb") as file:
                looks = looks_like(file.read(HEAD_BYTES))
        except OSError as error:
            raise RnnvizError(f"{path} cannot be read: {error.strerror}.") from None
        if looks in RUN.looks or path.suffix in RUN.endings:
            return "run"
        return "experiment" if path.suffix in EXPERIMENT.endings else "other"

    def read_experiment(self, path: Path) -> Experiment:
        return read_experiment(path)

    def save_experiment(self, path: Path) -> None:
        """Writes the experiment as it is edited; RnnvizError if the folder does not let us."""
        state = self._store.state
        wanted = state.run.draft or state.run.experiment
        if wanted is None:
            raise RnnvizError("This run was not trained here: there is no experiment to save.")
        write_experiment(replace(wanted, marks=marks_of(state, model_names(wanted))), path)
        self._store.say(Message("info", f"The experiment is saved as {path}."))
        self.used.emit(path)

    def save_run(self, path: Path) -> None:
        """Copies the run shown to `path`, with marks its file could not take; a message says when it is done."""
        source = self._store.state.run.path
        if source is None:
            raise RnnvizError("There is no run to save yet.")
        if path == source:
            raise RnnvizError(f"{path} is this run itself: choose another name.")
        marks = self._marks.unsaved(source)
        self._store.say(busy=f"Saving {path.name} …")
        self._copying.ask(lambda: _copy(source, path, marks))

    def inspect(self, path: Path) -> None:
        """Asks a child process what the file holds, and then the person what to do with it."""
        self._look_into(path, lambda report: self.inspected.emit(path, report))

    def export(self, path: Path, model: str) -> None:
        """Has a child process write the weights of `model` at the training step shown."""
        state = self._store.state
        if state.run.path is None:
            raise RnnvizError("There is no trained model to export yet.")
        step = str(state.place.cursor.training_step)
        self._ask(
            ["export", str(state.run.path), "--model", model, "--training-step", step, "-o", str(path)],
            f"Writing {path.name} …",
            lambda ending: self._store.say(Message("info", f"The weights are saved as {path}.")),
        )

    def check(self) -> None:
        """Has a child process check every gradient of the traces shown; the bar tells its verdict. Where that runs the
        code of own cells their person is asked first."""
        state = self._store.state
        if state.run.path is None:
            raise RnnvizError("There is no trace to check yet.")
        if state.run.experiment is None:
            self._check()
        else:
            self.when_code_allowed(state.run.title, state.run.experiment, self._check)

    def _check(self) -> None:
        state = self._store.state

        from rnnviz.core.child_answers import verdicts  # late: nobody has asked a child yet

        def answer(ending: Ending) -> None:
            try:
                found = verdicts(ending.output)
            except RnnvizError:
                raise RnnvizError("The check ended without a verdict.") from None
            words = "\n".join(f"{one.model}: {one.verdict}" for one in found)
            self._store.say(Message("info" if all(one.right for one in found) else "error", words))

        arguments = ["check", str(state.run.path), "--training-step", str(state.place.cursor.training_step), "--json"]
        self._ask(arguments, "Checking every gradient against autograd …", answer, answers=_RIGHT_OR_WRONG)

    def record_given(self, given: Given) -> None:
        """Has a child process load the checkpoint, run the given input through it and record the trace."""
        run_path = new_run_path(Path(given.checkpoint).stem)
        self._ask(
            ["trace", "--given", "--run", str(run_path)],
            f"Tracing {Path(given.checkpoint).name} …",
            lambda ending: self._show_run(run_path),
            said=json.dumps(plain(given)),
        )

    def cancel(self) -> None:
        """Gives up the slow thing that goes on."""
        if self._child is not None:
            self._child.cancel()
        self._forget_child()

    def stop(self) -> bool:
        """Ends everything; False if the copy that is being written did not end in time."""
        if self._child is not None:
            self._child.cancel()
            self._forget_child()
        return self._copying.stop(_COPY_PATIENCE)

    def _look_into(self, path: Path, use: Callable[[Mapping[str, Any]], None]) -> None:
        """Asks a child process what the file holds; the window itself never parses a stranger's file."""

        from rnnviz.core.child_answers import inspected  # late: nobody has asked a child yet

        def answer(ending: Ending) -> None:
            try:
                report = inspected(ending.output)
            except RnnvizError:
                raise RnnvizError(f"{path} could not be read.") from None
            use(report)

        self._ask(
            ["inspect", str(path), "--json"],
            f"Reading {path.name} …",
            answer,
            too_slow=f"{path} could not be read in time: wanted a file that can be read within {_LOOK_SECONDS} s.",
        )

    def _about_files(self, source: Path, files: tuple[str, ...], go_on: Callable[[], None]) -> Question:
        several = len(files) > 1

        def allow() -> None:
            remember(files)
            go_on()

        def do_without() -> None:
            self._store.say(Message("info", f"{source.name} was not trained: {files[0]} may not be read."))
            self.failed.emit()

        return Question(
            "A file from elsewhere",
            f"{source.name} wants to read {'files' if several else 'a file'} outside its folder:\n" + "\n".join(files),
            f"What {'they hold' if several else 'it holds'} is copied into the run and goes along with it when the run "
            "is sent on.",
            "Read them" if several else "Read it",
            allow,
            do_without,
        )

    def _about_code(self, title: str, asked: Mapping[str, str], go_on: Callable[[], None]) -> Question:
        several, names = len(asked) > 1, list(asked)

        def allow() -> None:
            code.allow(asked)
            go_on()

        def do_without() -> None:
            self._store.say(Message("info", f"{title}: {names[0]} was not run."), busy="")
            self.failed.emit()

        return Question(
            "Python code of a cell",
            f"{title} runs {'files' if several else 'a file'} of Python code:\n" + "\n".join(names),
            "It is run in the engine's process and can do whatever you can: read, change and send your files. Run it "
            "if you know where it comes from. You are asked again when the file changes.",
            "Run them" if several else "Run it",
            allow,
            do_without,
        )

    def _use_experiment(self, path: Path, report: Mapping[str, Any]) -> None:
        source = parse_source_json(str(report.get("source")), str(path))
        if isinstance(source, Given):
            given, named = source, (source.checkpoint, source.input.file)
            self.when_allowed(path, named, lambda: self.record_given(given))
        elif isinstance(source, Trained):
            experiment = source.experiment
            self.when_allowed(path, data_files(experiment.task), lambda: self._start(experiment))
        self.used.emit(path)

    def _ask(
        self,
        arguments: list[str],
        busy: str,
        answer: Callable[[Ending], None],
        *,
        answers: frozenset[int] = frozenset({0}),
        said: str = "",
        too_slow: str = "",
    ) -> None:
        """Starts a child in place of the one before. `answers`: the exit statuses that come with an answer, which
        `answer` takes; an RnnvizError of it is told as every failure is. `too_slow`: what is told when it has not
        ended after _LOOK_SECONDS; "": it may take its time."""
        if self._child is not None:
            self._child.cancel()
            self._child.deleteLater()
        self._child = Child(arguments, self, said)
        self._child.ended.connect(lambda ending: self._ended(ending, answer, answers))
        self._store.say(busy=busy)
        self._child.start()
        self._too_slow = too_slow
        if too_slow:
            self._deadline.start(1000 * _LOOK_SECONDS)

    @Slot()
    def _give_up(self) -> None:
        if self._child is not None:
            self.cancel()
            self._tell(self._too_slow)

    def _ended(self, ending: Ending, answer: Callable[[Ending], None], answers: frozenset[int]) -> None:
        self._forget_child()
        try:
            if ending.status not in answers:
                raise RnnvizError(ending.sentence)
            answer(ending)
        except RnnvizError as error:
            self._tell(str(error))

    def _tell(self, sentence: str) -> None:
        self._store.say(Message("error", sentence))
        self.failed.emit()

    def _forget_child(self) -> None:
        self._deadline.stop()
        if self._child is not None:
            self._child.deleteLater()
            self._child = None
        self._store.say(busy="")

    @Slot(int, object)
    def _copied(self, _ticket: int, answer: object) -> None:
        if isinstance(answer, _Copied):
            words = f"The run up to training step {answer.training_step:,} is saved as {answer.path}."
            self._store.say(Message("info", words), busy="")
            self.used.emit(answer.path)

    @Slot(int, object)
    def _not_copied(self, _ticket: int, error: object) -> None:
        self._store.say(Message("error", str(error)), busy="")


@dataclass(frozen=True)
class _Copied:
    path: Path
    training_step: int  # the last one in the copy


def _copy(source: Path, path: Path, marks: Marks | None) -> _Copied:
    with Run(source) as run:
        run.save_copy(path, marks)
    with Run(path) as copy:
        return _Copied(path, copy.last_training_step)
