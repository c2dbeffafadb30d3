"""The session: what the window does with engines and the run shown; every wish of a person about them ends here."""

import contextlib
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.estimate import Estimate, allow, estimate, is_allowed
from rnnviz.core.experiment.file import data_files
from rnnviz.core.experiment.settings import Experiment, first_lesson, restart_needed
from rnnviz.core.experiment.training_settings import LIVE_SETTINGS
from rnnviz.core.source import Trained
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.gui.live.batch_recording import BatchRecording, send_by_file
from rnnviz.gui.live.engines import Engines
from rnnviz.gui.live.files import Files
from rnnviz.gui.live.following import Following
from rnnviz.gui.live.marks_saving import MarksSaving
from rnnviz.gui.live.question import Question
from rnnviz.gui.live.train_on_request import TrainOnRequest, can_go_on, files_of, request_from, typed_settings
from rnnviz.gui.live.watchdog import Watchdog
from rnnviz.gui.state.marks import marks_of, model_names
from rnnviz.gui.state.preferences import TRACE_MEMORY
from rnnviz.gui.state.program_folders import new_run_path
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message
from rnnviz.runs.file.engine_commands import EngineCommand, Leave, Pause, Set, Step, Train
from rnnviz.runs.file.process import own_process
from rnnviz.runs.file.records import EngineStatus
from rnnviz.runs.reading.reader import Run

if TYPE_CHECKING:
    from rnnviz.core.sweeps.trace import Trace
    from rnnviz.gui.live.engine import Engine


def engine_lives(state: State) -> bool:
    """Whether an engine stands behind the run shown and takes commands."""
    return state.recorded.engine_lives


def is_running(state: State) -> bool:
    """Whether the models learn right now."""
    return engine_lives(state) and state.recorded.status is not None and state.recorded.status.state == "running"


class Session(QObject):
    """Wishes about training and the run shown; `files` are those about files. `asked(Question)`: a person must agree
    first."""

    asked = Signal(object)

    def __init__(self, store: Store, parent: QObject | None = None, trace_memory: int = TRACE_MEMORY) -> None:
        """`trace_memory`: MiB that rebuilt traces may take."""
        super().__init__(parent)
        self._store = store
        self._wished: Experiment | None = None  # the newest start asked for while another was under way
        self._begun: Experiment | None = None  # whose run is on its way to the screen
        self._held: list[EngineCommand] = []  # for the run that is on its way to the screen
        self._marks: Marks | None = None  # to take over into that run
        self._draft: Experiment | None = None  # edits that go on waiting there
        self._asked: list[Engine] = []  # engines that were told of the window's end
        self.unwritten: list[str] = []  # what they could not write then, in sentences
        self._engines = Engines(self)
        self._engines.ended.connect(self._engine_ended)
        self._engines.refused.connect(self._start_refused)
        self._engines.complained.connect(self._engine_complained)
        self._following = Following(store, self._engines.writes, self._engines.heard, self, trace_memory)
        self._batches = BatchRecording(store, self._following, self._engines, self.send, self)
        self._paused: Path | None = None  # a training of somebody else that this window has paused
        self._following.appeared.connect(self._appeared)
        self._following.died.connect(self._stranger_died)
        self._watchdog = Watchdog(store, lambda: self._following.run, self)
        self._marks_saving = MarksSaving(store, self)
        self.files = Files(store, self._marks_saving, self._following.open_run, self.start, self)
        self.files.failed.connect(self._show_something)
        self.files.asked.connect(self.asked)

    def start(self, experiment: Experiment, train: bool = False) -> None:
        """Trains `experiment` from its initial weights in a new run, in the warm engine if there is one; paused, or at
        once with `train`. One that takes a lot, or runs a person's code, is asked about first."""
        self.files.when_code_allowed(experiment.name, experiment, lambda: self._start(experiment, train))

    def _start(self, experiment: Experiment, train: bool) -> None:
        took = estimate(experiment)
        if took.asked and not is_allowed(experiment):
            self.asked.emit(_about(experiment, took, lambda: self._agree(experiment, train)))
            return
        self._forget_held()
        if self._engines.there and self._following.awaiting:
            self._wished = experiment
        else:
            self._begin(experiment)
        if train:
            self._held.append(Train())

    def restart(self, experiment: Experiment | None = None, train: bool = False) -> None:
        """Begins again with the same initial weights, or with other settings: `experiment`, else the draft; paused, or
        trained at once with `train`."""
        state = self._store.state
        wanted = experiment or state.run.draft or state.run.experiment
        if wanted is None:
            raise RnnvizError("This is one trace of a loaded model: there is nothing to train from the start.")
        wanted = replace(wanted, marks=marks_of(state, model_names(wanted)))
        self._when_allowed(wanted, lambda: self.start(wanted, train))

    def _when_allowed(self, experiment: Experiment, go_on: Callable[[], None]) -> None:
        """Does `go_on` when the run shown, which may be a stranger's, may read its data."""
        path = self._store.state.run.path
        if path is None or self._engines.has(path):  # as it was allowed to begin
            go_on()
        else:
            self.files.when_allowed(path, data_files(experiment.task), go_on)

    def _when_code_allowed(self, experiment: Experiment, go_on: Callable[[], None]) -> None:
        """The same of the code of own cells, which may have changed since."""
        self.files.when_code_allowed(experiment.name, experiment, go_on)

    def train_on(self) -> None:
        """Trains a new run from the training step shown, with the weights set by hand; the run shown stays."""
        self._when_shown_allowed(self._train_on)

    def go_on(self, then: Train | Step) -> None:
        """Trains the run shown, which has no engine, on from where it stands, in a new run; the run shown stays.

        Rate and clip norm that were edited hold from there on; other edits go on waiting for a restart.
        """
        self._when_shown_allowed(lambda: self._go_on(then))

    def _when_shown_allowed(self, go_on: Callable[[], None]) -> None:
        experiment = self._store.state.run.experiment
        if experiment is None:
            go_on()  # which says why it cannot
        else:
            self._when_allowed(experiment, lambda: self._when_code_allowed(experiment, go_on))

    def _train_on(self) -> None:
        state = self._store.state
        run, path = self._shown_run(), new_run_path(state.run.title)
        self._branch(request_from(state, run, path), path, Train())

    def _go_on(self, then: Train | Step) -> None:
        state, run = self._store.state, self._shown_run()
        draft, experiment = state.run.draft, state.run.experiment
        path, newest = new_run_path(state.run.title), int(state.recorded.history.captured[-1])
        request = TrainOnRequest(run.path, newest, typed_settings(state), files=files_of(state))
        self._branch(request, path, then)
        if draft is not None and experiment is not None:
            self._draft = draft if restart_needed(experiment, draft) else None

    def _shown_run(self) -> Run:
        """RnnvizError where there is none to train on, or another is on its way."""
        run = self._following.run
        if run is None or self._following.awaiting:
            raise RnnvizError("Another run is on its way to the window; once it is there, it can be trained on.")
        return run

    def _branch(self, request: TrainOnRequest, path: Path, then: Train | Step) -> None:
        self._forget_held()
        if self._engines.run(request, path):
            self._store.say(busy="Starting the engine …")
        self._held.append(then)
        self._marks = self._store.state.debugging.marks
        self._following.await_run(path)

    def edit(self, experiment: Experiment) -> None:
        """Takes settings that were edited: while nothing is trained they are shown at once, by a restart. A run that is
        on its way to the screen is given them too: it knows nothing of them."""
        state = self._store.state
        if self._engines.there and self._following.awaiting:
            self._edit_next(experiment)
            return
        untrained = state.recorded.history.last_training_step == 0 and not is_running(state)
        if not untrained or not self._engines.there or state.run.experiment is None:
            return
        if restart_needed(state.run.experiment, experiment):
            self._start_if_possible(experiment)

    def set_live(self, name: str, value: float) -> None:
        """Changes a setting the running engine takes between two training steps."""
        if engine_lives(self._store.state):
            number: Any = int(value) if name in ("training_steps", "patience") else value
            self.send(Set(**{name: number}))

    def send(self, command: EngineCommand) -> None:
        """Gives the engine behind the run shown a command; RnnvizError if there is none."""
        path = self._store.state.run.path
        if path is None or not engine_lives(self._store.state):
            raise RnnvizError("There is no engine behind this run, so it cannot be trained.")
        if self._engines.there and self._following.awaiting:
            self._held.append(command)
        elif self._engines.has(path):
            self._engines.send(command)
        else:  # a training that somebody else started
            if isinstance(command, Pause):
                command = Pause(*_this_window())
                self._paused = path
            elif isinstance(command, Train):
                self._paused = None
            send_by_file(path, command)

    def show_training_step(
        self, training_step: int, why: Message | None = None, kind: CaptureKind | None = None
    ) -> None:
        """Shows the capture nearest to `training_step` and stays there; `why`: what to say of it. `kind`: of the probe
        or the training batch, None: whichever is shown."""
        self._following.show_training_step(training_step, why, kind)

    def show_kind(self, kind: CaptureKind) -> None:
        """Shows the probe or the training batch, which is recorded with each capture while it is followed."""
        self._following.show_kind(kind)
        self._batches.look()

    def record_batches(self) -> None:
        """From now on the training batch is recorded with each capture. RnnvizError where no engine can do that."""
        self._batches.wish()
        step = self._store.state.recorded.history.last_training_step
        said = f"From training step {step:,} on, the training batch is recorded with each capture."
        self._store.say(Message("info", said))

    def set_trace_memory(self, mebibytes: int) -> None:
        """What rebuilt traces may take from the next one on."""
        self._following.set_trace_memory(mebibytes)

    def make_room_for(self, wanted: int, kept: "Sequence[Trace]") -> None:
        """Makes room, in any thread, for a trace of so many bytes beside those `kept`."""
        self._following.make_room_for(wanted, kept)

    def show_sequence(self, by: int) -> None:
        """Shows the sequence of the probe or the training batch that is `by` further, round and round."""
        self._following.show_sequence(by)

    def back_to_live(self) -> None:
        """Follows the newest capture again."""
        self._following.back_to_live()

    def cancel(self) -> None:
        """Gives up the slow thing that goes on."""
        self.files.cancel()
        self._following.cancel()

    def ask_to_leave(self) -> None:
        """Tells every engine that the window closes, before anything else is done about that: they write meanwhile."""
        self._watchdog.stop()
        self._asked += self._engines.ask_all_to_leave()

    def close(self) -> bool:
        """Ends engines, children and threads. False if a thread did not end in time: then leave without cleaning up."""
        self._batches.end()
        self.ask_to_leave()
        followed = self._following.stop()  # first: an engine makes one file of a run that nobody reads
        self._let_go()
        files_ended = self.files.stop()
        for engine in self._asked:
            engine.end()
            if engine.unwritten:
                self.unwritten.append(engine.unwritten)
        return files_ended and followed

    def _let_go(self) -> None:
        """A training that somebody else started and this window has paused goes on."""
        path, self._paused = self._paused, None
        if path is not None:
            with contextlib.suppress(RnnvizError):  # it is gone, or its engine sees that we are
                send_by_file(path, Leave(*_this_window()))

    def _agree(self, experiment: Experiment, train: bool) -> None:
        allow(experiment)
        self.start(experiment, train)

    @Slot()
    def _show_something(self) -> None:
        """The file the program was started with is none: the first lesson comes instead."""
        if self._store.state.run.path is None and not self._engines.there:
            self.start(first_lesson())

    def _edit_next(self, experiment: Experiment) -> None:
        """Settings for the run on its way: a fresh one is begun again with them, a branch takes what it can."""
        begun = self._wished or self._begun
        if begun is None:
            self._held.insert(0, Set(**{name: getattr(experiment.training, name) for name in LIVE_SETTINGS}))
        elif begun.name == experiment.name and replace(experiment, marks=begun.marks) != begun:
            held: list[EngineCommand] = [command for command in self._held if not isinstance(command, Set)]
            self._start_if_possible(experiment)
            self._held = held

    def _show_set(self, taken: Set) -> None:
        """The settings of the experiment shown that the engine was told to take."""
        experiment = self._store.state.run.experiment
        if experiment is not None:
            given = {name: value for name, value in vars(taken).items() if value is not None}
            training = replace(experiment.training, **given)
            self._store.change(run=setting(source=Trained(replace(experiment, training=training))))

    def _start_if_possible(self, experiment: Experiment) -> None:
        with contextlib.suppress(RnnvizError):  # the panel itself says what cannot be trained
            check_experiment(experiment, "Experiment")
            self.start(replace(experiment, marks=marks_of(self._store.state, model_names(experiment))))

    def _begin(self, experiment: Experiment) -> None:
        path = new_run_path(experiment.name)
        self._begun = experiment
        if self._store.state.run.path is None:  # nothing else is shown: what is edited meanwhile is this experiment
            self._store.change(run=setting(source=Trained(experiment), draft=None))
        if self._engines.run(experiment, path):
            self._store.say(busy="Starting the engine …")
        self._following.await_run(path)

    def _begin_wished(self) -> bool:
        """Begins what was asked for while another start was under way, however that ended; False if nothing was."""
        wished, self._wished = self._wished, None
        if wished is None:
            return False
        shown = self._store.state.run.experiment
        if shown is not None and shown.name == wished.name:  # its form goes on showing what was edited last
            self._store.change(run=setting(draft=wished))
        self._begin(wished)
        return True

    def _forget_held(self) -> None:
        self._held.clear()
        self._marks = self._draft = None

    def _say_dead(self, how: str) -> None:
        state = self._store.state
        kept = state.recorded.history.last_training_step
        step = max(
            state.recorded.status.training_step if state.recorded.status is not None else 0, kept
        )  # its word may be the older one
        sentence = (
            f"The engine ended unexpectedly ({how}) at training step {step:,}; everything up to training step "
            f"{kept:,} is kept."
        )
        status = replace(state.recorded.status, state="failed") if state.recorded.status is not None else None
        self._store.change(
            recorded=setting(status=status), notices=setting(message=self._with_remedy(sentence), busy="")
        )

    def _with_remedy(self, sentence: str) -> Message:
        """What went wrong, with the button that goes on from there: training on where that can be, else anew."""
        return Message("error", sentence, ("train" if can_go_on(self._store.state) else "restart",))

    def _say_branched(self) -> None:
        """Says where a branch is not exactly the training that would have gone on."""
        origin = self._store.state.run.origin
        if origin is not None and origin.anew:
            sentence = (
                f"Trains on from training step {origin.training_step:,}, the last one captured; what the optimisers "
                "had gathered is not recorded there, so they begin anew, and the numbers differ a little from those of "
                "the training before."
            )
            self._store.say(Message("info", sentence))

    @Slot(object)
    def _appeared(self, path: Path) -> None:
        self._begun = None
        if path != self._paused:
            self._let_go()
        if self._engines.has(path):
            self._engines.appeared()
            if self._begin_wished():
                return
            held, marks, draft = self._held, self._marks, self._draft
            self._held, self._marks, self._draft = [], None, None
            if draft is not None:
                self._store.change(run=setting(draft=draft))
            self._say_branched()
            if marks is not None and marks != self._store.state.debugging.marks:
                self._store.change(debugging=setting(marks=marks))  # into the run, before its engine trains
            for command in held:
                self._engines.send(command)
                if isinstance(command, Set):
                    self._show_set(command)
        elif self._engines.there:  # the person looks at another run now: this training is over, its file whole
            self._wished = None
            self._forget_held()
            self._engines.leave()

    @Slot(str, str)
    def _engine_ended(self, how: str, said: str) -> None:
        self._forget_held()
        awaited = self._following.awaiting
        self._following.stop_waiting()
        self._begun = None
        if awaited and self._store.state.run.path is None:  # nothing is on the screen that could say it
            status = EngineStatus("failed", 0, 0.0, 0, time.time(), said or f"The engine could not start ({how}).")
            self._store.change(recorded=setting(status=status))
        if said:
            self._store.say(self._with_remedy(said), busy="")
        elif awaited:
            sentence = f"The engine could not start ({how})."
            self._store.say(self._with_remedy(sentence), busy="")
        else:
            self._following.look()
            self._say_dead(how)
        self._begin_wished()

    @Slot()
    def _stranger_died(self) -> None:
        self._say_dead("it no longer answered")

    @Slot(str)
    def _engine_complained(self, sentence: str) -> None:
        self._store.say(Message("warning", sentence))

    @Slot(str)
    def _start_refused(self, sentence: str) -> None:
        self._forget_held()
        self._following.stop_waiting()
        self._begun = None
        self._store.say(Message("error", sentence), busy="")
        self._begin_wished()


def _about(experiment: Experiment, took: Estimate, go_on: Callable[[], None]) -> Question:
    return Question("A large experiment", f"{experiment.name} takes {took.words}.", "", "Train it", go_on)


def _this_window() -> tuple[int, int, str]:
    """Who asks, as an engine remembers it."""
    own = own_process()
    return own.number, own.started, own.host
