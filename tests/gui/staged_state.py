"""The state of a window that shows an encoder–decoder with everything around its cells."""

from dataclasses import replace

from fake_states import TASKS
from flat_state import flat_state
from staged import with_everything

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.source import Trained
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import Module, RunModel

_PARTS = ("weight", "bias")


def staged_state(cell: str = "gru", handed: float = 1.0) -> State:
    """At the first time step of its first sequence: 2 time steps are read, 3 written; of the second 4 and 2. The
    bridge hands over `handed` times as much."""
    capture = with_everything(cell)
    if handed != 1.0:
        encoder, decoder = capture.calls
        bridge = decoder.bridge
        assert bridge is not None
        more = {name: {key: handed * values for key, values in getattr(bridge, name).items()} for name in _PARTS}
        first = {name: handed * values for name, values in decoder.initial.items()}
        decoder = replace(decoder, initial=first, bridge=replace(bridge, **more))
        capture = replace(capture, calls=(encoder, decoder))
    trace = rebuild(capture)
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
