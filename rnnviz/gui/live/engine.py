"""The engine as a child process of the window: started, spoken to, ended; never left behind."""

import contextlib
import os
import time
from collections.abc import Iterable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import data_files, experiment_toml, write_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.train_on_request import TrainOnRequest
from rnnviz.gui.state.program_folders import delete_run
from rnnviz.runs.file.engine_commands import BranchOff, EngineCommand, Quit, Restart
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import CommandSender

_PATIENCE = 2.0  # seconds the engine may take to write its last record
_TERMINATE_PATIENCE = 0.4  # seconds between SIGTERM and SIGKILL
_REFUSED = 2  # exit status of what a person can put right
_ASK_AGAIN = 100  # milliseconds between two looks at whether the engine took a restart


class Engine(QObject):
    """One `rnnviz train … --live --paused`, or `rnnviz branch …`, which trains one run after another.

    `ended(how, said)` when it ends without having been asked to: how in words, and the sentence it gave, if any.
    `left()` when it is gone because it was asked to leave. `refused(sentence)` when it does not take a restart and
    goes on with the run it has. `complained(sentence)` for what it says on standard error meanwhile: a full disk.
    """

    ended = Signal(str, str)
    left = Signal()
    refused = Signal(str)
    complained = Signal(str)

    def __init__(self, wanted: Experiment | TrainOnRequest, run_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run_path = run_path  # of the run it writes, or will write next
        self._shown_run: Path | None = None  # the newest run of it that was on the screen
        self._sender: CommandSender | None = None
        self._restart: tuple[CommandSender, int] | None = None  # the command that waits for its answer
        self._answer_timer = QTimer(self)
        self._answer_timer.timeout.connect(self._look_for_answer)
        self._parent: Path | None = None  # what its newest run goes on from
        self._asked_at: float | None = None  # when it was asked to leave
        self._reads: set[Path] = set()  # what was written for it alone, until its run is there
        arguments = (
            self._branch_arguments(wanted) if isinstance(wanted, TrainOnRequest) else self._train_arguments(wanted)
        )
        arguments = [*arguments, "--run", str(run_path), "--live", "--paused"]
        self._child = Child(arguments, self, said=None, output="none", alone=False)
        self._child.complained.connect(self._complain)
        self._child.ended.connect(self._finished)

    def start(self) -> None:
        self._child.start()

    @property
    def alive(self) -> bool:
        return self._child.alive

    def send(self, command: EngineCommand) -> int:
        """Writes a command for the engine and returns its number; RnnvizError if the run file cannot be written."""
        if self._sender is None:
            self._sender = CommandSender(self.run_path)
        return self._sender.send(command)

    def restart(self, experiment: Experiment, run_path: Path) -> None:
        """Has the warm process train `experiment` from its initial weights into a new run file."""
        self._change_run(self.send(Restart(experiment_toml(experiment), str(run_path))), run_path)

    def branch(self, request: TrainOnRequest, run_path: Path) -> None:
        """Has the warm process train its own run on from there, into a new run file."""
        weights = ""
        if request.weights is not None:
            self._reads.add(request.weights)
            weights = str(request.weights)
        number = self.send(BranchOff(str(run_path), request.training_step, request.model, weights, **request.settings))
        self._parent = self.run_path
        self._change_run(number, run_path)

    def appeared(self) -> None:
        """Its newest run is on the screen: what was only needed until then is tidied away."""
        self._remove_read()
        self._close_senders()
        if self._shown_run is not None and self._shown_run not in (self.run_path, self._parent):
            delete_untrained(self._shown_run)
        self._shown_run = self.run_path

    def leave(self) -> None:
        """Asks the engine to end and returns at once; `left` follows, within about 2.5 s."""
        self.ask_to_leave()
        QTimer.singleShot(int(_PATIENCE * 1000), self, self._child.terminate)
        QTimer.singleShot(int((_PATIENCE + _TERMINATE_PATIENCE) * 1000), self, self._child.kill)
        if not self.alive:
            self._tidy()

    def ask_to_leave(self) -> None:
        """Says quit and closes the standard input, which says the same where the disk is full."""
        if self._asked_at is not None:
            return
        self._asked_at = time.monotonic()
        if self.alive and self._shown_run == self.run_path:
            with contextlib.suppress(RnnvizError):
                self.send(Quit())
        self._child.close_input()

    def end(self) -> None:
        """Asks the engine to leave and waits until it is gone; then SIGTERM, SIGKILL. Nobody may read its run now."""
        self.ask_to_leave()
        assert self._asked_at is not None
        self._child.hush()
        patience = _PATIENCE if self._shown_run is not None else _TERMINATE_PATIENCE
        if not self._child.wait(self._asked_at + patience - time.monotonic()):
            self._child.terminate()
            if not self._child.wait(_TERMINATE_PATIENCE):
                self._child.kill()
                self._child.wait(1.0)
        self._tidy()

    def _tidy(self) -> None:
        """Lets go of the run, which becomes one whole file, and removes what nobody wants."""
        self._close_senders()
        self._remove_read()
        for path in (self.run_path, self._shown_run):
            if path is not None:
                delete_untrained(path)

    def _train_arguments(self, experiment: Experiment) -> list[str]:
        path = self.run_path.with_suffix(f".{os.getpid()}.toml")
        write_experiment(experiment, path)
        self._reads.add(path)
        return ["train", str(path), *_allowed(data_files(experiment.task))]

    def _branch_arguments(self, request: TrainOnRequest) -> list[str]:
        arguments = ["branch", str(request.parent), "--training-step", str(request.training_step)]
        for name, value in request.settings.items():
            arguments += [f"--{name.replace('_', '-')}", str(value)]
        arguments += _allowed(request.files)
        if request.weights is not None:
            self._reads.add(request.weights)
            arguments += ["--model", request.model, "--weights", str(request.weights)]
        return arguments

    def _change_run(self, number: int, run_path: Path) -> None:
        """The command of that number is on its way: waits for the answer, and for the run."""
        assert self._sender is not None
        self._restart, self._sender = (self._sender, number), None
        self.run_path = run_path
        self._answer_timer.start(_ASK_AGAIN)

    def _remove_read(self) -> None:
        while self._reads:
            self._reads.pop().unlink(missing_ok=True)

    def _close_senders(self) -> None:
        self._answer_timer.stop()
        for sender in (self._sender, self._restart[0] if self._restart is not None else None):
            if sender is not None:
                sender.close()
        self._sender = self._restart = None

    @Slot()
    def _look_for_answer(self) -> None:
        if self._restart is None:
            return
        sender, number = self._restart
        answer = sender.answer(number)
        if answer and self._shown_run is not None:
            self.run_path = self._shown_run
            self._answer_timer.stop()
            self._sender, self._restart = sender, None
            self._remove_read()
            self.refused.emit(answer)

    @Slot(str)
    def _complain(self, sentence: str) -> None:
        if sentence.endswith(".") and "Warning:" not in sentence:
            self.complained.emit(sentence)

    @Slot(object)
    def _finished(self, ending: Ending) -> None:
        self._close_senders()
        self._remove_read()
        if self._asked_at is not None:
            self._tidy()
            self.left.emit()
        elif ending.how == "not started":
            self.ended.emit(ending.how, f"The engine cannot be started: {ending.said}")
        else:
            self.ended.emit(ending.how, ending.said if ending.status == _REFUSED else "")


def _allowed(files: Iterable[str]) -> list[str]:
    """What the engine may read: its person was asked in the window."""
    return [word for file in files for word in ("--allow-file", file)]


def delete_untrained(path: Path) -> None:
    """Removes the run of a training that nobody began; any other stays, as does one that is being written or is bad."""
    if not path.exists():
        return
    try:
        with Run(path) as run:
            wanted = run.last_training_step > 0 or run.engine_alive  # by another window's engine: ours is gone
    except RnnvizError:
        return
    if not wanted:
        delete_run(path)
