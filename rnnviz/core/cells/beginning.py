"""Beginning values: what a cell's own settings make of the weights of a layer once torch's numbers are drawn.

A kind of cell says it by one function, in numpy: `CellKind.begin`. Its own numbers come from a generator of the model's
seed, so that torch's draws and their order stay as they are.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array


@dataclass(frozen=True)
class Drawn:
    """The weights of one layer as they were drawn, float64, and where further random numbers come from."""

    hidden: int
    rows: Mapping[str, slice]  # of each block among the stacked ones
    weights: Mapping[str, Array]  # torch's names without the layer
    random: "np.random.Generator"


Begin = Callable[[Any, Drawn], Mapping[str, Array]]  # of the cell's own settings: the parameters that begin otherwise
