"""Commands about training: run and pause it, begin again, look at an earlier training step."""

from collections.abc import Sequence

from rnnviz.gui.commands.actions import MAIN, Command, Face
from rnnviz.gui.commands.needs import need
from rnnviz.gui.live.session import Session, engine_lives, is_running
from rnnviz.gui.live.train_on_request import can_go_on
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.file.engine_commands import Pause, Step, Train

MENU = "Training"


# Train does something: an engine is there, or can be started for this experiment.
can_train = (
    need(lambda state: state.run.path is not None or state.recorded.status is not None, "the engine is starting")
    & need(lambda state: state.run.trainable, "this is a recording, or a model without its task")
    & need(lambda state: engine_lives(state) or not state.notices.busy, "something else is running")
)
can_step = (
    can_train
    & need(lambda state: not is_running(state), "the models are training: pause first")
    & need(lambda state: engine_lives(state) or can_go_on(state), "no training step was recorded to continue from")
)
has_captures = need(lambda state: len(state.captured) > 1, "only one training step was kept")
looks_back = need(lambda state: not state.place.following, "the newest training step is shown already")


def train_or_pause(store: Store, session: Session) -> None:
    """Runs or pauses the engine; a run without one is trained on, in a new run, from where it stands."""
    if not engine_lives(store.state):
        if can_go_on(store.state):
            session.go_on(Train())
        else:
            session.restart(train=True)
    elif is_running(store.state):
        session.send(Pause())
    else:
        session.send(Train())


def one_training_step(store: Store, session: Session) -> None:
    """One training step of the engine; of a run without one in a new run, from where it stands."""
    if engine_lives(store.state):
        session.send(Step(1))
    else:
        session.go_on(Step(1))


def show_capture(store: Store, session: Session, by: int) -> None:
    """Shows the capture `by` places before or after the training step shown."""
    state = store.state
    captured = state.captured
    if not len(captured):
        return
    step = state.place.cursor.training_step
    index = int(captured.searchsorted(step, "left" if by < 0 else "right")) + (by if by < 0 else by - 1)
    if index >= len(captured) - 1 and by > 0 and engine_lives(state):
        session.back_to_live()
    else:
        session.show_training_step(int(captured[min(max(index, 0), len(captured) - 1)]))


def training_commands(store: Store, session: Session) -> Sequence[Command]:
    """The Training menu, in its order."""

    def train_face(state: State) -> Face:
        if is_running(state):
            return Face("Pause", "pause")
        return Face("Train on" if can_go_on(state) and not engine_lives(state) else "Train", "play")

    return (
        Command(MAIN, "Train", "start or pause training; an opened run is trained on in a new one",
                lambda: train_or_pause(store, session), MENU, ("Space",), "play", can_train, train_face),
        Command("training_step", "One training step", "one batch, one update of the weights, then pause",
                lambda: one_training_step(store, session), MENU, (".",), "training-step",
                can_step),
        Command("reset", "Reset", "begin again with the same initial weights, in a new run; what was recorded is kept",
                session.restart, MENU, ("Ctrl+R",), "reset", can_train),
        Command("restart", "Restart", "begin again in a new run, from the initial weights", session.restart,
                enabled=can_train),
        Command("previous_capture", "Earlier in training", "show the capture before this one",
                lambda: show_capture(store, session, -1), MENU, ("PgUp",), "", has_captures, section=1),
        Command("next_capture", "Later in training", "show the capture after this one",
                lambda: show_capture(store, session, 1), MENU, ("PgDown",), "", has_captures, section=1),
        Command("live", "Back to live", "show the newest training step again, and follow it",
                session.back_to_live, MENU, ("L",), "live", looks_back, section=1),
    )  # fmt: skip
