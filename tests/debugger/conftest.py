"""Traces of random numbers, without torch; and the small runs of the tests of runs."""

import sys
from pathlib import Path

import numpy as np
import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))


@pytest.fixture(scope="session")
def random_capture():
    """A function that makes a capture of random numbers with a head, float64."""

    def make(
        structure: Structure, *, time_steps=6, sequences=2, lengths=None, seed=0, loss="cross entropy", dropout=0.0
    ) -> Capture:
        generator = np.random.default_rng(seed)

        def normal(*shape: int) -> np.ndarray:
            return generator.standard_normal(shape) * 0.7

        rows, width = structure.num_layers * structure.directions, structure.directions * structure.output_size
        shape = (time_steps, sequences)
        targets = generator.integers(0, 3, shape) if loss == "cross entropy" else normal(*shape, 3)
        loss_weight = np.full(shape, 0.5)
        loss_weight[0] = 0
        kept = np.random.default_rng(seed + 1).random((structure.num_layers - 1, *shape, width)) >= dropout
        return Capture.of_one(
            {name: normal(*each) for name, each in structure.parameter_shapes().items()},
            structure=structure,
            inputs=normal(*shape, structure.input_size),
            lengths=None if lengths is None else np.array(lengths, np.int64),
            initial={state: normal(rows, sequences, structure.units(state)) for state in structure.equations.states},
            grad_output=normal(*shape, width),
            masks=kept / (1 - dropout) if dropout and len(kept) else None,
            head=Head(normal(3, width), normal(3), loss, targets, loss_weight),
        )

    return make
