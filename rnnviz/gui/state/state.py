"""State: all a view may draw, as one frozen value of a few groups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import cast

from rnnviz.core.arrays import Array
from rnnviz.debugger.places import Place, Walkable
from rnnviz.debugger.program import Program
from rnnviz.gui.state.debugging import Debugging
from rnnviz.gui.state.run import Recorded, ShownRun
from rnnviz.gui.state.trial import Recomputed, Trial
from rnnviz.gui.state.window import Appearance, Notices


@dataclass(frozen=True)
class State:
    """The groups; what follows from several of them is a property here."""

    run: ShownRun = field(default_factory=ShownRun)
    recorded: Recorded = field(default_factory=Recorded)
    place: Place = field(default_factory=Place)
    look: Appearance = field(default_factory=Appearance)
    debugging: Debugging = field(default_factory=Debugging)
    trial: Trial = field(default_factory=Trial)
    notices: Notices = field(default_factory=Notices)

    @property
    def what_if(self) -> Recomputed | None:
        """What is recomputed for the sequence that is looked at; None while history is shown."""
        found, whatif = self.trial.recomputed, self.trial.whatif
        if found is None or not whatif.active or not self.recorded.traces:
            return None
        place, of = self.place, found.whatif
        there = of.training_step, of.kind, of.sample, found.run_path, found.against
        here = place.cursor.training_step, place.kind, place.sample, self.run.path, self.trial.against
        return found if there == here and found.whatif.interventions == whatif.interventions else None

    @property
    def captured(self) -> Array:
        """(C,) the training steps that can be shown of the sequences looked at: the probe's or the training batch's."""
        return self.recorded.history.having(self.place.kind)

    @cached_property
    def walkable(self) -> Walkable:
        """What there is to walk through."""
        return Walkable.of(
            (model.network for model in self.run.models),
            self.recorded.traces,
            cast("Sequence[int]", self.captured),
            None if self.run.training is None else self.run.training.rule,
        )

    @property
    def program(self) -> Program:
        """The program of the model that is stepped through; of one time step while there is no trace."""
        return self.walkable.program(self.place)
