"""States of one sequence whose gradients are as one wishes: long, with a loss in places only, faded, exploded, NaN."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from fake_states import TASKS
from flat_state import flat_state

from rnnviz.core.arrays import Array
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import RunModel


def plain_state(
    structures: Sequence[Structure],
    time_steps: int,
    gains: Sequence[float],
    *,
    losses: Sequence[int] | None = None,
    still: bool = False,
    grad: float = 1.0,
    layer: str = "l0",
) -> State:
    """Models of `structures` at one sequence; a gradient of about `grad` enters at the time steps `losses` (from 1), by
    default at all. `still`: states stay 0, so that each time step multiplies by the recurrent weights alone."""
    rng, task = np.random.default_rng(29), TASKS["characters"]
    inputs = np.eye(len(task.input_labels), dtype=np.float32)[rng.integers(0, len(task.input_labels), (time_steps, 1))]
    traces, models = [], []
    for number, (structure, gain) in enumerate(zip(structures, gains, strict=True)):
        own = replace(structure, input_size=inputs.shape[-1])
        bound = gain / np.sqrt(own.hidden_size)
        weights = {
            name: np.zeros(shape, np.float32)
            if still and "weight_hh" not in name
            else rng.uniform(-bound, bound, shape).astype(np.float32)
            for name, shape in own.parameter_shapes().items()
        }
        direct = grad * rng.normal(size=(time_steps, 1, own.output_size * own.directions))
        if losses is not None:
            direct[np.setdiff1d(np.arange(time_steps), np.array(losses) - 1)] = 0
        traces.append(rebuild(_capture(own, weights, inputs, direct.astype(np.float32))))
        models.append(RunModel(number, f"net {number + 1}", own, 100))
    cursor = Cursor(42, Phase.BACKWARD, max(time_steps // 3, 1), layer=layer)
    return flat_state(task=task, models=tuple(models), traces=tuple(traces), cursor=cursor)


def _capture(structure: Structure, weights: dict[str, Array], inputs: Array, direct: Array) -> Capture:
    initial = {
        state: np.zeros((len(structure.layer_names), 1, structure.units(state)), np.float32)
        for state in structure.equations.states
    }
    return Capture.of_one(
        weights,
        structure=structure,
        inputs=inputs,
        lengths=np.array([len(inputs)]),
        initial=initial,
        grad_output=direct,
        head=None,
    )
