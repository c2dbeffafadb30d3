"""Commands about what is set by hand: take back, do again, back to history, keep as a variant, train on from there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rnnviz.core.errors import RnnvizError
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.live.train_on_request import can_train_on
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message

if TYPE_CHECKING:
    from rnnviz.core.sweeps.interventions import Intervention

MENU = "Debug"


class WhatIfs:
    """Changes what is set by hand; `hold_still(training step)` keeps the one on the screen while it trains on."""

    def __init__(self, store: Store, hold_still: Callable[[int], object]) -> None:
        self._store = store
        self._hold_still = hold_still

    def add(self, intervention: "Intervention") -> None:
        """Sets one more thing by hand; the first one makes the model that is looked at the what-if's."""
        state = self._store.state
        if not state.trial.whatif.active:
            self._hold_still(state.place.cursor.training_step)
            state = self._store.state
            whatif = replace(
                state.trial.whatif,
                training_step=state.place.cursor.training_step,
                model=state.place.model,
                sample=state.place.sample,
            )
            if state.trial.whatif.model != state.place.model:  # what was taken back belongs to another model
                whatif = replace(whatif, past=(), future=())
            self._put(whatif.add(intervention))
        else:
            self._put(state.trial.whatif.add(intervention))

    def remove(self, number: int) -> None:
        """Takes the intervention at this place back, 0-based."""
        self._put(self._store.state.trial.whatif.remove(number))

    def undo(self) -> None:
        self._put(self._store.state.trial.whatif.undo())

    def redo(self) -> None:
        self._put(self._store.state.trial.whatif.redo())

    def discard(self) -> None:
        """Back to history; undo brings the what-if back."""
        self._put(self._store.state.trial.whatif.discard())

    def keep(self, name: str) -> bool:
        """Keeps what is set under `name`; False and a message where the name is none."""
        try:
            self._put(self._store.state.trial.whatif.keep(name))
        except RnnvizError as error:
            self._store.say(Message("warning", str(error)))
            return False
        return True

    def open(self, name: str) -> None:
        """Puts a variant on the screen; undo returns to what was there."""
        state = self._store.state
        self._hold_still(state.place.cursor.training_step)
        self._put(self._store.state.trial.whatif.open(name))

    def forget(self, name: str) -> None:
        state = self._store.state
        self._store.change(
            trial=setting(
                whatif=state.trial.whatif.forget(name),
                against="" if state.trial.against == name else state.trial.against,
            )
        )

    def compare(self, name: str) -> None:
        """Puts the variant `name` beside the what-if; "": history."""
        self._store.change(trial=setting(against=name))

    def _put(self, whatif: WhatIf) -> None:
        if whatif is not self._store.state.trial.whatif:
            self._store.change(trial=setting(whatif=whatif))


def what_if_commands(store: Store, whatifs: WhatIfs, train_on: Callable[[], object]) -> Sequence[Command]:
    """The what-if's entries of the Debug menu."""

    def toggle() -> None:
        store.change(trial=setting(difference=not store.state.trial.difference))

    return (
        Command("what_if_undo", "Undo what-if", "takes back what was set by hand last", whatifs.undo, MENU,
                ("Ctrl+Z",), "", lambda state: bool(state.trial.whatif.past), section=4),
        Command("what_if_redo", "Redo what-if", "sets again what was taken back", whatifs.redo, MENU,
                ("Ctrl+Shift+Z", "Ctrl+Y"), "", lambda state: bool(state.trial.whatif.future), section=4),
        Command("what_if_difference", "Show the difference", "the lanes of the what-if show what it changes",
                toggle, MENU, ("D",), "", lambda state: state.trial.whatif.active,
                checked=lambda state: state.trial.difference, section=4),
        Command("what_if_discard", "Back to history", "discards what was set by hand; undo brings it back",
                whatifs.discard, MENU, ("Ctrl+Backspace",), "", lambda state: state.trial.whatif.active, section=4),
        Command("train_on", "Train on from here",
                "trains a new run from the weights as they are shown, weights set by hand included; this run stays",
                train_on, MENU, enabled=can_train_on, section=4),
    )  # fmt: skip
