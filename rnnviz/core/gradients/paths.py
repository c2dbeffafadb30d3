"""Two paths of a cell with a cell state: the gradient by all paths, and along the cell state alone.

Along c alone what is carried to ∂L/∂h is left out, while what each L_t sends to h_t stays: h-detach with p = 1
(Arpit et al. 2018, "h-detach: Modifying the LSTM gradient towards better optimization").
"""

from collections.abc import Generator
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.gradients.flow_of import cell_states
from rnnviz.core.gradients.losses import unit_vector
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.lanes import lane_work, lanes
from rnnviz.core.sweeps.scans.wanted import Lanes, Wanted, finished


@dataclass(frozen=True, eq=False)
class Paths(FrozenArrays):
    """Magnitudes of the gradient of one loss or of all, by both states; layers above are gone through by all paths."""

    k: int | None  # 0-based, of L_k; None: L, all losses together
    hidden_all: Array  # (T,) float64 ‖∂L/∂h_t‖
    cell_all: Array  # (T,) float64 ‖∂L/∂c_t‖
    hidden_alone: Array  # (T,) the same with nothing carried to h: at t what L_t itself sends
    cell_alone: Array  # (T,) along the cell state


def paths(layer: Layer, sample: int = 0, k: int | None = None, *, unit: bool = False) -> Paths:
    """Of L, or of one L_k (0-based): the sweep's own, or with `unit` uᵀ output_k; `path_steps` is the same with
    progress.

    RnnvizError where the cell has no cell state beside its output, and for a unit loss without k.
    """
    return finished(path_steps(layer, sample, k, unit=unit))


def path_steps(
    layer: Layer, sample: int = 0, k: int | None = None, *, unit: bool = False
) -> Generator[float, None, Paths]:
    """The same as a generator that yields the share done, 0 to 1, every few milliseconds, and returns them."""
    cell = layer.equations
    beside = cell_states(cell)
    if not beside:
        raise RnnvizError(f"paths: wanted a cell with a cell state, but the {cell.words} cell has none")
    if unit and k is None:
        raise RnnvizError("paths: wanted the time step k of a unit loss, got none")
    rows = np.zeros(1, int) if k is None else np.array([k])
    every = Wanted(rows, unit_vector(layer) if unit else None, norms_of=beside, summed=k is None)
    whole, done, found = max(2 * lane_work(layer, sample, every), 1), 0, list[Array]()
    for wanted in (every, replace(every, detached=(cell.output,))):
        steps = lanes(layer, sample, wanted)
        while True:
            try:
                done += next(steps)
            except StopIteration as end:
                one: Lanes = end.value
                break
            yield min(done / whole, 1.0)
        cells = [one.states[state][0] for state in beside]
        found += [frozen(one.norms[0]), frozen(cells[0] if len(cells) == 1 else np.hypot.reduce(cells))]
    return Paths(k, *found)
