"""Row: the layers of one depth and direction, one stage after the other on the time axis, which a lane draws as one."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.trace import CallTrace, Layer, Trace
from rnnviz.gui.canvas.items.stage_names import StageStretch
from rnnviz.gui.canvas.lanes.rests import Rest


def row_key(layer: str) -> str:
    """What the layers of one row have in common: a layer that reads backwards has a row of its own."""
    one = LayerId.read(layer)
    return layer if one.reverse else one.suffix


def row_of(trace: Trace, layer: str) -> tuple[Layer, ...]:
    """The layer called so, and those of other calls that go on where it ends, as long as they are of the same size."""
    own = trace.layer(layer)
    found = [own]
    for other in () if own.reverse or len(trace.calls) == 1 else trace.layers:
        same = row_key(other.name) == row_key(layer) and other.equations is own.equations
        apart = all(other.start >= one.stop or other.stop <= one.start for one in found)
        if same and apart and other.structure.hidden_size == own.structure.hidden_size:
            found.append(other)
    return tuple(sorted(found, key=lambda one: one.start))


def lowest_at(trace: Trace, time_step: int) -> str:
    """The lowest layer that exists at a time step, from 1, of a trace of one sequence."""
    return next((one.name for one in trace.layers if one.start < time_step <= one.stop), trace.layers[0].name)


def along(layers: Sequence[Layer], read: Callable[[Layer], Array]) -> Array:
    """(T, …) what `read` finds of each layer in its own stretch of the axis; 0 in none."""
    first = read(layers[0])
    if len(layers) == 1:
        return first
    found = np.zeros_like(first)
    for layer in layers:
        own = slice(layer.start, layer.stop)
        found[own] = (first if layer is layers[0] else read(layer))[own]
    return found


def there(layers: Sequence[Layer], time_steps: int) -> Array:
    """(T,) bool: where one of them exists."""
    found = np.zeros(time_steps, bool)
    for layer in layers:
        found[layer.start : layer.stop] = True
    return found


def outside(stretches: Sequence[range], trace: Trace, time_steps: int) -> Iterator[Rest]:
    """Where none of the `stretches` (0-based) lies, up to its end: which stage begins or has ended there."""
    first, stop = min(each.start for each in stretches), max(each.stop for each in stretches)
    if first > 0:
        yield Rest(1, first, f"the {stage_at(trace, first)} begins at t = {first + 1:,}")
    if stop < time_steps:
        yield Rest(stop + 1, time_steps, f"the {stage_at(trace, stop - 1)} ends at t = {stop:,}")


def stage_at(trace: Trace, t: int) -> str:
    """What the stage is called that goes through time step `t`, 0-based."""
    stages = trace.network.stages
    return next((stages[number].words for number, one in stretches(trace) if t in one), stages[0].words)


def stretches(trace: Trace) -> Iterator[tuple[int, range]]:
    """Of each call its number and its time steps, 0-based."""
    for number, call in enumerate(trace.calls):
        yield number, stretch(call)


def stretch(call: CallTrace) -> range:
    """The time steps of a call of a trace of one sequence, 0-based."""
    return range(call.layers[0].start, call.layers[0].stop)


def stages_of(trace: Trace) -> tuple[StageStretch, ...]:
    """The calls as stretches of the axis, and how each begins."""
    found = []
    for number, own in stretches(trace):
        call, words = trace.calls[number].call, trace.network.stages[number].words
        begun = ""
        if call.follows is not None:
            before = trace.network.stages[call.follows].words
            through = ", through a linear bridge" if call.bridge is not None else ""
            begun = f"the hand-over: the {words} begins with the final states of the {before}{through}"
        found.append(StageStretch(words, own.start + 1, own.stop, begun))
    return tuple(found)
