"""Telling: at which time steps a decoder is told the right answer before (teacher forcing), elsewhere it reads its own.

Scheduled sampling of one fixed ratio (Bengio et al. 2015), drawn anew for each time step and sequence.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.tasks.source import Batch

_STREAM = 7  # which stream of random numbers: batches, validation and noise have others
_PROBE = 0  # of it; those of training steps follow


@dataclass(frozen=True)
class Telling:
    """`ratio`: the share of time steps at which it is told, drawn from the seed and the training step alone."""

    ratio: float
    seed: int

    @property
    def always(self) -> bool:
        """Whether nothing is drawn."""
        return self.ratio >= 1

    def of_batch(self, batch: Batch, training_step: int) -> Tensor | None:
        """(U, N) bool of the batch that follows a training step; None: at all, or there is no decoder."""
        return self._drawn(batch, training_step + 1)

    def of_probe(self, probe: Batch) -> Tensor | None:
        """(U, N) bool of the probe: with the same ratio, and the same ones for as long as it is trained."""
        return self._drawn(probe, _PROBE)

    @staticmethod
    def never(batch: Batch) -> Tensor | None:
        """(U, N) of a test: it reads its own output throughout; None: there is no decoder."""
        return None if batch.decoder_inputs is None else torch.zeros(batch.decoder_inputs.shape[:2], dtype=torch.bool)

    def _drawn(self, batch: Batch, number: int) -> Tensor | None:
        if self.always or batch.decoder_inputs is None:
            return None
        generator = np.random.default_rng([self.seed, _STREAM, number])
        return torch.from_numpy(generator.random(batch.decoder_inputs.shape[:2]) < self.ratio)
