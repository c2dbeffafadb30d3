"""Dropout between the layers of a model in training: masks that follow from the seed and where they are used alone.

A mask holds 0, or 1/(1 − p) so that the mean stays (inverted dropout, as torch's). Since no generator is moved on,
captures draw nothing, and a further model changes no other.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.experiment.sizes import DECODER
from rnnviz.core.structure import Structure
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.networks import SequenceModel

_STREAM = 8  # which stream of random numbers: batches, validation, noise and telling have others


@dataclass(frozen=True)
class Where:
    """Which masks: of the update that follows a training step, of the model at this place of its experiment."""

    seed: int
    training_step: int
    model: int


def masks(structure: Structure, dropout: float, where: Where, call: int, time_steps: int, sequences: int) -> Tensor:
    """(layers − 1, T, N, D·P) float32 of one call, counted from 0: a share `dropout` of it is 0."""
    generator = np.random.default_rng([where.seed, _STREAM, where.training_step, where.model, call])
    shape = structure.num_layers - 1, time_steps, sequences, structure.directions * structure.output_size
    kept = generator.random(shape, np.float32) >= dropout
    return torch.from_numpy(kept.astype(np.float32) / np.float32(1 - dropout))


def masks_of_batch(model: SequenceModel, dropout: float, batch: Batch, where: Where) -> Mapping[str, Tensor]:
    """Those of each call of `model` on `batch`, by the calls' names; {} without dropout or with one layer."""
    if not dropout or model.structure.num_layers == 1:
        return {}
    read = {"": batch.inputs, DECODER: batch.decoder_inputs}
    return {
        name: masks(structure, dropout, where, number, *array.shape[:2])
        for number, (name, (structure, _)) in enumerate(model.modules_by_name.items())
        if (array := read[name]) is not None
    }
