"""Commands of several seeds, in the Training menu: train them, and look at those of a folder."""

from collections.abc import Sequence

from rnnviz.gui.commands.actions import Command
from rnnviz.gui.commands.needs import need
from rnnviz.gui.seeds.seeds import Seeds

MENU = "Training"


def seeds_commands(seeds: Seeds) -> Sequence[Command]:
    """After those about the one training that is shown."""
    has_experiment = need(lambda state: state.run.experiment is not None, "nothing here can be trained")
    return (
        Command("several_seeds", "Several seeds …", "train this experiment with many seeds: how many solve it, a band",
                seeds.ask, MENU, enabled=has_experiment, section=2),
        Command("open_seeds", "Open sweep of seeds …", "the folder of a sweep: its bands, its solved-rate, its runs",
                seeds.ask_folder, MENU, section=2),
    )  # fmt: skip
