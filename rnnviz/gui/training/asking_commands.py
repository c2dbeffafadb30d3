"""Command that asks the engine for the step Jacobians of a user's own cell, and its person whether it may."""

from collections.abc import Sequence

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import has_trace, need
from rnnviz.gui.live.asking import ASK_COMMAND, Asking
from rnnviz.gui.training.training_commands import MENU

_own = need(
    lambda state: any(model.structure.equations.recorded for model in state.run.models),
    "no model is a cell of your own; those of the others are computed here",
)


def asking_commands(asking: Asking) -> Sequence[Command]:
    """Below what shows another training step."""
    return (
        Command("ask_jacobians", ASK_COMMAND,
                "has the engine find the step Jacobians of a cell of your own, which runs its file", asking.ask, MENU,
                enabled=has_trace & _own, section=2),
    )  # fmt: skip
