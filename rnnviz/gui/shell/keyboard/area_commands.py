"""Commands that take the keyboard from one area of the window to the next."""

from collections.abc import Callable, Sequence

from rnnviz.gui.commands.actions import Command

MENU = "View"


def area_commands(go_round: Callable[[int], None]) -> Sequence[Command]:
    """F6 and back, as in other programs with docks."""
    return (
        Command("next_area", "Next area", "the keyboard goes on: toolbar, experiment, lesson, program, lanes, pages, "
                "curves; Esc leads back to the lanes", lambda: go_round(1), MENU, ("F6",), section=4),
        Command("previous_area", "Previous area", "the keyboard goes back to the area before this one",
                lambda: go_round(-1), MENU, ("Shift+F6",), section=4),
    )  # fmt: skip
