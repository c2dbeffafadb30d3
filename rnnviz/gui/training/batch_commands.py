"""Commands about the training batch: looked at in the probe's place, and recorded with each capture."""

from collections.abc import Sequence

from rnnviz.gui.commands.actions import Command, Face
from rnnviz.gui.commands.needs import has_run, need
from rnnviz.gui.live.batch_words import can_show_batch
from rnnviz.gui.live.session import Session, engine_lives
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.debug_commands import LOOK_AT
from rnnviz.gui.stepping.debug_commands import MENU as DEBUG
from rnnviz.gui.training.training_commands import MENU as TRAINING

_has_batch = has_run & need(can_show_batch, "no training batch was recorded in this run")
_can_record = need(lambda state: state.run.trainable, "this is a recording, or a model without its task") & need(
    engine_lives, "nothing is training here"
)


def batch_commands(store: Store, session: Session) -> Sequence[Command]:
    """The switch between the probe and the training batch, and the wish to record the latter."""

    def turn() -> None:
        session.show_kind("probe" if store.state.place.kind == "batch" else "batch")

    def face(state: State) -> Face:
        return Face("Probe" if state.place.kind == "batch" else "Training batch", "")

    return (
        Command("show_batch", "Training batch",
                "look at the training batch whose gradient makes the next update, as it was read for it, or again at "
                "the probe, the same sequences at every training step",
                turn, DEBUG, ("Shift+B",), "", _has_batch, face, section=1, submenu=LOOK_AT),
        Command("record_batches", "Record training batches",
                "from now on the training batch is recorded with each capture, not only where training rests",
                session.record_batches, TRAINING, (), "", _can_record, section=1),
    )  # fmt: skip
