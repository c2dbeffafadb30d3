"""The state of a window that shows an encoder–decoder with everything around its cells."""

from fake_states import TASKS
from flat_state import flat_state
from staged import with_everything

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.source import Trained
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Module, RunModel


def staged_state(cell: str = "gru") -> State:
    """At the first time step of its first sequence: 2 time steps are read, 3 written; of the second 4 and 2."""
    trace = rebuild(with_everything(cell))
    first, *further = trace.network.stages
    modules = tuple(Module(stage.name, stage.structure) for stage in further)
    model = RunModel(0, "translator", first.structure, 100, further=modules)
    return flat_state(
        task=TASKS["characters"],
        models=(model,),
        traces=(trace,),
        cursor=Cursor(3, Phase.FORWARD, 1),
        source=Trained(first_lesson()),
        gathered=("",),
    )
