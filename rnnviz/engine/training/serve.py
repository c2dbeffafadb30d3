"""The engine's main loop: trains, records, and obeys the commands of the run file between two training steps."""

import math
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import torch

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import parse_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import LIVE_SETTINGS
from rnnviz.core.stopping.breakpoints import Hit
from rnnviz.engine.training.branching import Branch, branch_of_run, branch_of_training, with_settings, with_weights
from rnnviz.engine.training.breakpoints import Watching
from rnnviz.engine.training.lifetime import Lifetime
from rnnviz.engine.training.optimising import load_optimisers
from rnnviz.engine.training.pipe import Pipe
from rnnviz.engine.training.recording import Recording
from rnnviz.engine.training.trainer import NotFiniteError
from rnnviz.engine.training.weights_file import read_weights
from rnnviz.runs.file.engine_commands import (
    BranchOff,
    Leave,
    Pause,
    Quit,
    RecordBatches,
    Restart,
    Set,
    Step,
    TakeCapture,
    TakenCommand,
    Train,
)
from rnnviz.runs.file.engine_pipe import Said, Unwritten
from rnnviz.runs.file.process import WriterProcess
from rnnviz.runs.file.records import EngineState
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.commands import CommandInbox

LIVE_CAPTURES, LIVE_SHARE = 15.0, 0.10  # captures a second, and the share of the time they may take
HEADLESS_CAPTURES, HEADLESS_SHARE = 2.0, 0.02
POLL = 0.05  # seconds between two looks at the commands
HEARTBEAT = 0.4  # seconds between two statuses
QUICK_CAPTURE = 0.2  # seconds: the training batch is captured too where somebody waits for the end
CLOSE_SECONDS = 1.5  # a window, or whoever sent a signal, waits no longer for a disk that does not answer

_GOES_ON = "Training continues; what cannot be kept in memory until then is dropped and counted."

Done = Callable[[int, str], None]  # takes the number of a command and why it was not carried out
Progress = Callable[[int, Mapping[str, Mapping[str, float]]], None]  # (training step, model → its last metrics)


def run_training(
    experiment: Experiment,
    path: str | Path,
    *,
    paused: bool = False,
    live: bool = False,
    capture_rate: float | None = None,
    progress: Progress | None = None,
    branch: Branch | None = None,
    pipe: Pipe | None = None,
    tell: Callable[[str], None] | None = None,
    batches: bool = False,
) -> int:
    """Trains `experiment` into a new run file at `path`; returns the exit status 0.

    Headless, it ends at the experiment's last training step. `live`, it pauses there and obeys commands until `quit`,
    a signal, or the end of its parent. `capture_rate`: captures a second at most. `progress` is called a few times a
    second. `branch`: goes on from there instead of beginning anew. `pipe`: to the window it works for. `tell` takes
    sentences about what a person should know meanwhile; without it they go to standard error. `batches`: the training
    batch is recorded with each capture, not only where training rests. Raises RnnvizError for an
    impossible experiment, an unwritable file or (headless) a loss that is not finite.

    A file that cannot be written stops a live training until it can; any other goes on, and what is missing in the end
    is told.
    """
    torch.set_num_threads(1)  # two small models: a second thread would only take the window's core
    rate = capture_rate or (LIVE_CAPTURES if live else HEADLESS_CAPTURES)
    share = LIVE_SHARE if live else HEADLESS_SHARE

    def record(experiment: Experiment, path: Path, branch: Branch | None = None) -> Recording:
        return Recording(experiment, path, rate, share, branch, batches)

    load_optimisers()  # while nothing is begun yet, and signals still end the process at once
    with Lifetime(live, pipe) as lifetime:
        if pipe is not None:
            pipe.starting = False
        recording = record(experiment, Path(path), branch)
        return _Engine(record, recording, lifetime, live, progress, pipe, tell or _say).run(paused, branch)


class _Engine:
    """The state of the loop: which recording, whether it runs, and up to which training step."""

    def __init__(
        self,
        record: Callable[[Experiment, Path, Branch | None], Recording],
        recording: Recording,
        lifetime: Lifetime,
        live: bool,
        progress: Progress | None,
        pipe: Pipe | None,
        tell: Callable[[str], None],
    ) -> None:
        self._record = record
        self._lifetime = lifetime
        self._live = live
        self._progress = progress
        self._pipe = pipe
        self._tell = tell
        self._recording = recording
        self._watching = Watching(recording)
        self._inbox = _inbox(recording)
        self._planned = self._until = self._plan()
        self._running = False
        self._waiting = ""  # why the run file cannot be written; live, training waits until it can
        self._holder: WriterProcess | None = None  # the window that has paused a training without one of its own
        self._ending = False
        self._sentence = self._kind = ""  # of the status, and of the event it is told in
        self._early = ""  # why a headless training has ended before its last training step
        self._next_poll = 0.0
        self._next_heartbeat = 0.0

    def run(self, paused: bool, branch: Branch | None) -> int:
        try:
            self._begin(branch)
            if not paused:
                self._train()
            while not self._ending:
                self._turn()
        except BaseException as error:
            self._close("failed", str(error) if isinstance(error, RnnvizError) else f"The engine failed: {error!r}.")
            raise
        reached = not self._live and (self._recording.training_step >= self._planned or bool(self._early))
        self._close("finished" if reached else "stopped", self._early)
        return 0

    def _turn(self) -> None:
        """One training step, or a short sleep; commands and heartbeat when they are due."""
        now = time.monotonic()
        if now >= self._next_poll or (self._pipe is not None and self._pipe.waiting):
            self._next_poll = now + POLL
            self._poll(now)
        if self._ending or self._lifetime.signalled:
            self._ending = True
        elif not self._running or (self._waiting and self._live):
            time.sleep(max(0.0, self._next_poll - time.monotonic()))
        elif self._recording.training_step >= self._until:
            self._arrive()
        else:
            self._advance()

    def _poll(self, now: float) -> None:
        self._ending = self._ending or self._lifetime.ended
        self._look_at_file()
        piped = self._pipe.take() if self._pipe is not None else []  # before the marks, which were written before them
        inbox = self._inbox
        commands = inbox.take()
        self._take_marks()
        for command in commands:
            self._obey(command, inbox.done)
        for command in piped:
            assert self._pipe is not None
            self._obey(command, self._pipe.done)
        if now >= self._next_heartbeat:
            self._look_for_holder()
            self._report()

    def _advance(self) -> None:
        try:
            self._recording.advance()
        except NotFiniteError as error:
            if not self._live:
                raise
            self._pause(str(error), "not finite")
            return
        hits = self._watching.examine()
        if hits:
            self._stop(hits)
        if early := self._recording.early:
            self._stop_early(early)

    def _stop_early(self, sentence: str) -> None:
        """The validation loss has not become better for as long as was asked: a live training may go on from here."""
        self._recording.keep_best()
        self._recording.event("early stop", sentence)
        self._recording.training.take_up()
        if self._live:
            self._pause(sentence, "early stop")
        else:
            self._early, self._ending = sentence, True
            self._tell(sentence)

    def _stop(self, hits: tuple[Hit, ...]) -> None:
        """Breakpoints were met at the training step just made; headless there is nobody to stop for."""
        for hit in hits:
            self._watching.write(hit, self._live)
        if self._live:
            more = f" And {len(hits) - 1} more." if len(hits) > 1 else ""
            self._pause(hits[0].stop_reason + more, "hit")

    def _arrive(self) -> None:
        """The training step that was asked for is reached."""
        planned = self._until == self._planned
        if planned and not self._live:
            self._ending = True
            return
        self._pause(f"Reached training step {self._recording.training_step:,}." if planned else "")

    def _begin(self, branch: Branch | None = None) -> None:
        sentence = f"Started with seed {self._recording.experiment.seed}."
        self._recording.event("started", sentence if branch is None else branch.sentence)
        for note in self._recording.training.notes:
            self._recording.event("note", note)
        self._recording.capture(keep=True, batch=True)
        self._report()

    def _train(self) -> None:
        if not self._running:
            self._recording.restart_clock()
        self._running, self._sentence, self._kind = True, "", ""
        self._report()

    def _pause(self, sentence: str = "", kind: str = "paused") -> None:
        """Stops between two training steps and captures, so that what is shown is exactly this one.

        `kind`: of the event that says why; of a "hit" and an "early stop" the log knows already.
        """
        was_running = self._running
        self._running, self._sentence, self._kind = False, sentence, kind
        self._recording.capture(batch=True)
        if was_running and kind not in ("hit", "early stop"):
            self._recording.event("paused", sentence or f"Paused at training step {self._recording.training_step:,}.")
        self._report()

    def _look_at_file(self) -> None:
        failure = self._recording.writer.failure
        if failure == self._waiting:
            return
        if not self._live:
            self._tell(f"{failure} {_GOES_ON}" if failure else f"{self._recording.path} can be written again.")
        elif not self._waiting:
            self._tell(failure)
        self._waiting = failure
        self._recording.restart_clock()
        self._report()

    def _look_for_holder(self) -> None:
        """A training without a window of its own goes on once the window that has paused it is gone."""
        if self._holder is not None and not self._running and not self._holder.alive(time.time()):
            self._go_on()

    def _go_on(self) -> None:
        step = self._recording.training_step
        sentence = f"The window that paused the training has closed: it continues from training step {step:,}."
        self._holder, self._until = None, self._train_until(None)
        self._recording.event("resumed", sentence)
        self._tell(sentence)
        self._train()

    def _report(self) -> None:
        self._next_heartbeat = time.monotonic() + HEARTBEAT
        running = self._running and not (self._waiting and self._live)
        status = self._recording.report("running" if running else "paused", self._waiting or self._sentence)
        if self._pipe is not None:
            kind = "waiting" if self._waiting else self._kind
            self._pipe.tell(Said(str(self._recording.path), status, kind))
        if self._progress is not None:
            names = [settings.name for settings in self._recording.experiment.models]
            metrics = dict(zip(names, self._recording.last_metrics, strict=False))
            self._progress(self._recording.training_step, metrics)

    def _take_marks(self) -> None:
        """The marks the window has written; wrong ones are told in the log, and those before them stay."""
        try:
            marks = self._inbox.take_marks()
            if marks is not None:
                self._watching.set(marks)
        except RnnvizError as error:
            self._recording.event("breakpoint", str(error))

    def _obey(self, taken: TakenCommand, done: Done) -> None:
        answer = ""
        try:
            match taken.command:
                case Train(until):
                    self._until = self._train_until(until)
                    self._holder = None
                    self._train()
                case Pause(process, started, host):
                    self._pause()
                    self._hold(WriterProcess(process, started, host))
                case Leave(process, started, host):
                    if self._holder == WriterProcess(process, started, host) and not self._running:
                        self._go_on()
                case Step(count):
                    stepping = self._running and self._until != self._planned  # an earlier wish is still under way
                    start = self._until if stepping else self._recording.training_step
                    self._until = start + _at_least(1, count, "count")
                    self._train()
                case Set():
                    self._set(taken.command)
                case Restart(experiment, path):
                    self._change_run(parse_experiment(experiment, "experiment"), Path(path), None, taken, done)
                    return
                case BranchOff():
                    self._branch(taken.command, taken, done)
                    return
                case TakeCapture():
                    self._recording.capture(keep=True, batch=True)
                case RecordBatches(on):
                    self._record_batches(on)
                case Quit():
                    self._ending = True
        except RnnvizError as error:
            answer = str(error)
        done(taken.number, answer)

    def _record_batches(self, on: bool) -> None:
        """With each capture also the training batch from now on, or no longer."""
        recording = self._recording
        if on:
            recording.capture(batch=True)
        recording.batches = on

    def _hold(self, window: WriterProcess) -> None:
        """Remembers who has paused a training that has no window of its own, and tells those who wait for it."""
        if self._live or not window.number:
            return
        self._holder = window
        self._tell(
            f"Paused by a window at training step {self._recording.training_step:,}; continues when that window trains "
            "it further or is closed."
        )

    def _train_until(self, until: int | None) -> int:
        """The wish, else the planned end, else as many training steps again."""
        step = self._recording.training_step
        if until is not None:
            return _at_least(step + 1, until, "until")
        if step >= self._planned:
            self._planned = self._plan()
        return self._planned

    def _plan(self) -> int:
        """The planned end; past it, as many training steps again."""
        step, planned = self._recording.training_step, self._recording.training.training_steps
        return planned if step < planned or not step else step + max(1, planned)

    def _set(self, wanted: Set) -> None:
        training = self._recording.training
        said, changed = list[str](), dict[str, list[float]]()  # what was, and what is from now on
        if wanted.learning_rate is not None:
            rate = _number(wanted.learning_rate, "learning_rate", positive=True)
            said.append(f"learning rate {training.learning_rate:g} → {rate:g}")
            changed["learning_rate"] = [training.learning_rate, rate]
            training.learning_rate = rate
        if wanted.clip_norm is not None:
            norm = _number(wanted.clip_norm, "clip_norm", positive=False)
            said.append(f"clip norm {training.clip_norm:g} → {norm:g}")
            changed["clip_norm"] = [training.clip_norm, norm]
            training.clip_norm = norm
        if wanted.patience is not None:
            patience = _at_least(0, wanted.patience, "patience")
            said.append(f"early stop {training.patience:,} → {patience:,} training steps")
            training.patience = patience
        if wanted.training_steps is not None:
            steps = _at_least(1, wanted.training_steps, "training_steps")
            said.append(f"training steps {self._planned:,} → {steps:,}")
            self._until = steps if self._until == self._planned else self._until
            self._planned = training.training_steps = steps
        if said:
            sentence = f"From training step {self._recording.training_step + 1:,}: {', '.join(said)}."
            self._recording.event("setting", sentence, changed)

    def _branch(self, wanted: BranchOff, taken: TakenCommand, done: Done) -> None:
        """A new run that goes on from here or from a captured training step, paused; this one stays as it is."""
        recording = self._recording
        if bool(wanted.model) != bool(wanted.weights):
            raise RnnvizError("branch: wanted both or none of a model and the path of its weights.")
        step = recording.training_step
        if wanted.training_step is not None:
            step = _at_least(0, wanted.training_step, "training_step")
        if step == recording.training_step:
            experiment, branch = branch_of_training(recording.training, recording.path)
        else:
            recording.writer.flush()
            with open_run(recording.path) as run:
                experiment, branch = branch_of_run(run, step)
        experiment = with_settings(experiment, {name: getattr(wanted, name) for name in LIVE_SETTINGS})
        if wanted.weights:
            branch = with_weights(branch, experiment, wanted.model, read_weights(wanted.weights))
        experiment = replace(experiment, marks=self._watching.marks)
        self._change_run(experiment, Path(wanted.path), branch, taken, done)

    def _change_run(
        self, experiment: Experiment, path: Path, branch: Branch | None, taken: TakenCommand, done: Done
    ) -> None:
        recording = self._record(experiment, path, branch)
        recording.batches = self._recording.batches
        watching = Watching(recording)
        inbox = _inbox(recording)
        done(taken.number, "")  # in the old run, before it is closed
        self._close("stopped", "")
        self._recording, self._watching, self._inbox = recording, watching, inbox
        self._planned = self._until = self._plan()
        self._running, self._waiting, self._sentence, self._kind = False, "", "", ""
        self._begin(branch)

    def _close(self, state: EngineState, sentence: str) -> None:
        """Ends the recording with a capture of its last training step, and leaves one whole file."""
        hurried = self._live or self._lifetime.signalled
        if state != "failed":
            quick = self._recording.capture_seconds < QUICK_CAPTURE
            self._recording.capture(keep=True, batch=quick or not hurried)
            self._recording.keep_best()
        self._recording.event(
            state, sentence or f"{state.capitalize()} at training step {self._recording.training_step:,}."
        )
        status = self._recording.report(state, sentence)
        if self._pipe is not None:
            self._pipe.tell(Said(str(self._recording.path), status))
        self._inbox.close()  # the writer makes one plain file of the run once nobody else holds it
        unwritten = self._recording.writer.close(CLOSE_SECONDS if hurried else None)
        if unwritten:
            self._tell(unwritten)
            if self._pipe is not None:
                self._pipe.tell(Unwritten(unwritten))


def _say(sentence: str) -> None:
    print(sentence, file=sys.stderr, flush=True)


def _inbox(recording: Recording) -> CommandInbox:
    return CommandInbox(recording.path, tuple(settings.name for settings in recording.experiment.models))


def _at_least(least: int, value: int, name: str) -> int:
    if value < least:
        raise RnnvizError(f"{name}: wanted a whole number from {least} on, got {value!r}.")
    return value


def _number(value: float, name: str, positive: bool) -> float:
    if not math.isfinite(value) or value < 0 or (positive and value == 0):
        raise RnnvizError(f"{name}: wanted a number {'above' if positive else 'from'} 0, got {value:g}.")
    return value
