"""The engine as a child process of the window: started, spoken to, ended; never left behind."""

import contextlib
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, QProcess, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, write_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.gui.live.child import ROOM_FOR_SENTENCE, ending, last_sentence, rnnviz_process
from rnnviz.gui.live.train_on_request import Onward
from rnnviz.gui.state.program_folders import delete_run
from rnnviz.runs.file.engine_commands import BranchOff, EngineCommand, Quit, Restart
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import CommandSender

_PATIENCE = 2.0  # seconds the engine may take to write its last record
_TERMINATE_PATIENCE = 0.4  # seconds between SIGTERM and SIGKILL
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

    def __init__(self, wanted: Experiment | Onward, run_path: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run_path = run_path  # of the run it writes, or will write next
        self._shown_run: Path | None = None  # the newest run of it that was on the screen
        self._sender: CommandSender | None = None
        self._restart: tuple[CommandSender, int] | None = None  # the command that waits for its answer
        self._answer_timer = QTimer(self)
        self._answer_timer.timeout.connect(self._look_for_answer)
        self._parent: Path | None = None  # what its newest run goes on from
        self._asked_at: float | None = None  # when it was asked to leave
        self._said = b""
        self._reads: set[Path] = set()  # what was written for it alone, until its run is there
        arguments = self._branch_arguments(wanted) if isinstance(wanted, Onward) else self._train_arguments(wanted)
        self._process = rnnviz_process([*arguments, "--run", str(run_path), "--live", "--paused"], self)
        self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.readyReadStandardError.connect(self._listen)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)

    def start(self) -> None:
        self._process.start()

    @property
    def alive(self) -> bool:
        return self._process.state() is not QProcess.ProcessState.NotRunning

    @property
    def process_id(self) -> int:
        return int(self._process.processId())

    def send(self, command: EngineCommand) -> int:
        """Writes a command for the engine and returns its number; RnnvizError if the run file cannot be written."""
        if self._sender is None:
            self._sender = CommandSender(self.run_path)
        return self._sender.send(command)

    def restart(self, experiment: Experiment, run_path: Path) -> None:
        """Has the warm process train `experiment` from its initial weights into a new run file."""
        self._change_run(self.send(Restart(experiment_toml(experiment), str(run_path))), run_path)

    def branch(self, onward: Onward, run_path: Path) -> None:
        """Has the warm process train its own run on from there, into a new run file."""
        weights = ""
        if onward.weights is not None:
            self._reads.add(onward.weights)
            weights = str(onward.weights)
        number = self.send(BranchOff(str(run_path), onward.training_step, onward.model, weights))
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
        QTimer.singleShot(int(_PATIENCE * 1000), self, self._process.terminate)
        QTimer.singleShot(int((_PATIENCE + _TERMINATE_PATIENCE) * 1000), self, self._process.kill)
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
        self._process.closeWriteChannel()

    def end(self) -> None:
        """Asks the engine to leave and waits until it is gone; then SIGTERM, SIGKILL. Nobody may read its run now."""
        self.ask_to_leave()
        assert self._asked_at is not None
        self._process.blockSignals(True)
        patience = _PATIENCE if self._shown_run is not None else _TERMINATE_PATIENCE
        if not self._gone_until(self._asked_at + patience):
            self._process.terminate()
            if not self._gone_until(time.monotonic() + _TERMINATE_PATIENCE):
                self._process.kill()
                self._process.waitForFinished(1000)
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
        return ["train", str(path)]

    def _branch_arguments(self, onward: Onward) -> list[str]:
        arguments = ["branch", str(onward.parent), "--training-step", str(onward.training_step)]
        if onward.weights is not None:
            self._reads.add(onward.weights)
            arguments += ["--model", onward.model, "--weights", str(onward.weights)]
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

    def _gone_until(self, until: float) -> bool:
        return not self.alive or self._process.waitForFinished(max(1, int(1000 * (until - time.monotonic()))))

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

    @Slot()
    def _listen(self) -> None:
        new = bytes(self._process.readAllStandardError().data())
        self._said = (self._said + new)[-4 * ROOM_FOR_SENTENCE :]
        sentence = last_sentence(new.decode("utf-8", "replace"))
        if sentence.endswith(".") and "Warning:" not in sentence and self.alive:
            self.complained.emit(sentence)

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, _code: int, _status: QProcess.ExitStatus) -> None:
        self._listen()
        self._close_senders()
        self._remove_read()
        if self._asked_at is not None:
            self._tidy()
            self.left.emit()
            return
        refused = self._process.exitStatus() is QProcess.ExitStatus.NormalExit and self._process.exitCode() == 2
        said = last_sentence(self._said.decode("utf-8", "replace"))
        self.ended.emit(ending(self._process), said if refused else "")

    @Slot(QProcess.ProcessError)
    def _error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            self.ended.emit("not started", f"The engine cannot be started: {self._process.errorString()}.")


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
