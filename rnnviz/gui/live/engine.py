"""The engine as a child process of the window: started, spoken to, ended; never left behind."""

import contextlib
import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import data_files, experiment_toml, write_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.train_on_request import TrainOnRequest
from rnnviz.gui.state.program_folders import delete_run
from rnnviz.runs.file.engine_commands import BranchOff, EngineCommand, Restart
from rnnviz.runs.file.engine_pipe import Answer, Said, Unwritten, command_line, read_told
from rnnviz.runs.file.merging import is_apart, merge
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.claim import claimed

_PATIENCE = 2.2  # seconds the engine may take to write its last record
_TERMINATE_PATIENCE = 0.4  # seconds between SIGTERM and SIGKILL
_REFUSED = 2  # exit status of what a person can put right


@dataclass(frozen=True)
class Heard:
    """What an engine last said of itself through its pipe, and since when it has been in that state."""

    status: EngineStatus
    kind: str  # of the event its sentence is, "": none
    since: float  # monotonic


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
        self._sent = 0  # commands
        self._restart: int | None = None  # the command that waits for its answer
        self._heard: dict[str, Heard] = {}  # of each run
        self.unwritten = ""  # what it could not write at its end, in a sentence
        self._parent: Path | None = None  # what its newest run goes on from
        self._asked_at: float | None = None  # when it was asked to leave
        self._reads: set[Path] = set()  # what was written for it alone, until its run is there
        arguments = (
            self._branch_arguments(wanted) if isinstance(wanted, TrainOnRequest) else self._train_arguments(wanted)
        )
        arguments = [*arguments, "--run", str(run_path), "--live", "--paused", "--remove"]
        self._child = Child(arguments, self, said=None, output="lines", alone=False)
        self._child.lines.connect(self._listen)
        self._child.complained.connect(self._complain)
        self._child.ended.connect(self._finished)

    def start(self) -> None:
        self._child.start()

    @property
    def alive(self) -> bool:
        return self._child.alive

    def heard(self, path: Path) -> Heard | None:
        """What it last said of itself and the run at `path`; None while it said nothing."""
        return self._heard.get(str(path))

    def send(self, command: EngineCommand) -> int:
        """Gives the engine a command, whatever the disk does, and returns its number. RnnvizError where it is gone."""
        if not self.alive:
            raise RnnvizError("The engine of this run has ended, so it cannot be trained.")
        self._sent += 1
        self._child.write(command_line(self._sent, command))
        return self._sent

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
        self._restart = None
        if self._shown_run is not None and self._shown_run != self.run_path:
            _make_one_file(self._shown_run)  # nobody reads it any more
            if self._shown_run != self._parent:
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
        """Closes the pipe, which says it at once; an engine that is still starting has nothing to write."""
        if self._asked_at is not None:
            return
        self._asked_at = time.monotonic()
        self._child.close_input()
        if not self._heard:
            self._child.terminate()

    def end(self) -> None:
        """Asks the engine to leave and waits until it is gone; then SIGTERM, SIGKILL. Nobody may read its run now."""
        self.ask_to_leave()
        assert self._asked_at is not None
        self._child.hush()
        patience = _PATIENCE if self._heard else _TERMINATE_PATIENCE
        went = self._child.wait(self._asked_at + patience - time.monotonic())
        if not went:
            self._child.terminate()
            if not self._child.wait(_TERMINATE_PATIENCE):
                self._child.kill()
                self._child.wait(0.3)
        self._tidy(went)

    def _tidy(self, went: bool = True) -> None:
        """Makes one whole file of its run and removes what nobody wants; `went`: it went by itself and in time."""
        self._remove_read()
        if not went:
            with contextlib.suppress(RnnvizError), claimed(self.run_path):
                pass  # it can claim the name no longer, and what it has left of that is gone now
        for path in dict.fromkeys((self.run_path, self._shown_run)):
            if path is not None:
                if went and not self.unwritten:  # else the disk may be too slow for that
                    _make_one_file(path)
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
        self._restart, self.run_path = number, run_path

    def _remove_read(self) -> None:
        while self._reads:
            self._reads.pop().unlink(missing_ok=True)

    @Slot(object)
    def _listen(self, lines: list[bytes]) -> None:
        for line in lines:
            match read_told(line):
                case Said(run, status, kind):
                    before = self._heard.get(run)
                    same = before is not None and stands(before.status) == stands(status)
                    since = before.since if same and before is not None else time.monotonic()
                    self._heard[run] = Heard(status, kind, since)
                case Answer(number, sentence) if sentence and number == self._restart and self._shown_run is not None:
                    self.run_path, self._restart = self._shown_run, None
                    self._remove_read()
                    self.refused.emit(sentence)
                case Unwritten(sentence):
                    self.unwritten = sentence

    @Slot(str)
    def _complain(self, sentence: str) -> None:
        if sentence.endswith(".") and "Warning:" not in sentence:
            self.complained.emit(sentence)

    @Slot(object)
    def _finished(self, ending: Ending) -> None:
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


def stands(status: EngineStatus) -> tuple[str, str, int]:
    """What a person is told of a status: state, sentence, and where it stands still, the training step."""
    return status.state, status.sentence, status.training_step if status.state != "running" else 0


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


def _make_one_file(path: Path) -> None:
    if is_apart(path):
        merge(path)
