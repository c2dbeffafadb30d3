"""Commands about what is set by hand: take back, do again, back to history, keep as a variant, train on from there."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtGui import QGuiApplication

from rnnviz.core.cells.own import NO_OPERATIONS
from rnnviz.core.errors import RnnvizError
from rnnviz.debugger.whatif import WhatIf
from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_trace, need
from rnnviz.gui.live.train_on_request import can_train_on
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.window import Message

if TYPE_CHECKING:
    from rnnviz.core.sweeps.what_if.interventions import Intervention

MENU = "Debug"
WHAT_IF = "What-if"  # the entry below which they are


class WhatIfs:
    """Changes what is set by hand; `hold_still(training step)` keeps the one on the screen while it trains on."""

    def __init__(self, store: Store, hold_still: Callable[[int], object]) -> None:
        self._store = store
        self._hold_still = hold_still

    def add(self, *interventions: "Intervention") -> None:
        """Sets more by hand; the first thing that is set makes the model that is looked at the what-if's."""
        state = self._store.state
        model = state.run.models[state.place.model] if state.place.model < len(state.run.models) else None
        if model is not None and model.structure.equations.recorded:
            self._store.say(Message("warning", f"{model.name} is {NO_OPERATIONS}; nothing can be set by hand in it."))
            return
        if not state.trial.whatif.active:
            self._hold_still(state.place.cursor.training_step)
            state = self._store.state
            whatif = replace(
                state.trial.whatif,
                training_step=state.place.cursor.training_step,
                model=state.place.model,
                kind=state.place.kind,
                sample=state.place.sample,
            )
            if state.trial.whatif.model != state.place.model:  # what was taken back belongs to another model
                whatif = replace(whatif, past=(), future=())
            self._put(whatif.add_all(interventions))
        else:
            self._put(state.trial.whatif.add_all(interventions))

    def copy(self) -> None:
        """What is set by hand as text on the clipboard, a line each."""
        from rnnviz.core.sweeps.what_if.intervention_text import written  # late: the window starts without

        QGuiApplication.clipboard().setText(written(self._store.state.trial.whatif.interventions))
        self._store.say(Message("info", "What is set by hand is copied as text."))

    def paste(self) -> None:
        """Sets what such lines on the clipboard say. RnnvizError where they say nothing, or what this model has not."""
        from rnnviz.core.sweeps.what_if.changed_capture import changed_capture
        from rnnviz.core.sweeps.what_if.intervention_text import read

        found, state = read(QGuiApplication.clipboard().text()), self._store.state
        model = state.trial.whatif.model if state.trial.whatif.active else state.place.model
        trace = state.recorded.traces[model] if model < len(state.recorded.traces) else None
        if trace is None:
            raise RnnvizError("There is no trace yet in which anything could be set.")
        changed_capture(trace.check.capture, found, min(state.place.sample, trace.sequences - 1))
        self.add(*found)

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

    has_what_if = need(lambda state: state.trial.whatif.active, "nothing is set by hand")
    has_past = need(lambda state: bool(state.trial.whatif.past), "nothing was set by hand")
    has_future = need(lambda state: bool(state.trial.whatif.future), "nothing was undone")
    has_weights = need(can_train_on, "no recorded weights of a trainable run are shown")

    return (
        Command("what_if_undo", "Undo what-if", "undoes what was set by hand last", whatifs.undo, MENU,
                ("Ctrl+Z",), "", has_past, section=3, submenu=WHAT_IF),
        Command("what_if_redo", "Redo what-if", "sets again what was undone", whatifs.redo, MENU,
                ("Ctrl+Shift+Z", "Ctrl+Y"), "", has_future, section=3, submenu=WHAT_IF),
        Command("what_if_difference", "Show the difference", "the lanes of the what-if show what it changes",
                toggle, MENU, ("D",), "", has_what_if,
                checked=lambda state: state.trial.difference, section=3, submenu=WHAT_IF, part=1),
        Command("what_if_discard", "Back to history", "discards what was set by hand; undo brings it back",
                whatifs.discard, MENU, ("Ctrl+Backspace",), "", has_what_if, section=3, submenu=WHAT_IF, part=1),
        Command("what_if_copy", "Copy what-if as text", "what is set by hand, a line each, to keep it or send it on",
                whatifs.copy, MENU, enabled=has_what_if, section=3, submenu=WHAT_IF, part=2),
        Command("what_if_paste", "Paste what-if", "sets what the lines on the clipboard say",
                whatifs.paste, MENU, enabled=has_trace, section=3, submenu=WHAT_IF, part=2),
        Command("train_on", "Train on from here",
                "trains a new run from the weights as they are shown, weights set by hand included; this run stays",
                train_on, MENU, enabled=has_weights, section=3, submenu=WHAT_IF, part=1),
    )  # fmt: skip
