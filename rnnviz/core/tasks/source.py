"""Task source: what a task offers the trainer: batches, a fixed probe, a test part, and how answers are judged."""

from dataclasses import dataclass, fields, replace
from typing import Protocol, runtime_checkable

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import LossName, Reduction
from rnnviz.core.tasks.info import Baseline, TaskInfo


@dataclass(frozen=True)
class Batch:
    """N sequences of T time steps, time-major, with what is asked of them.

    Of an encoder–decoder the encoder reads `inputs` of S time steps; the decoder goes on for U more, reads
    `decoder_inputs` where it is told the answer before, and is asked there: T of the targets is U.
    """

    inputs: Array  # (T, N, I) float32
    targets: Array  # (T, N) int64 class numbers, or (T, N, V) float32 values
    loss_weight: Array  # (T, N) float32, the reduction: 0 where nothing is asked, sums to 1
    lengths: Array | None = None  # (N,) int64 of sequences padded at the end; None: all are T
    decoder_inputs: Array | None = None  # (U, N, J) float32 one-hot: a start symbol, then each target but the last
    decoder_lengths: Array | None = None  # (N,) int64 of answers padded at the end; None: all are U

    def first(self, count: int) -> "Batch":
        """Its first `count` sequences, or all where there are not as many; they count as they do in the whole."""
        parts = {each.name: getattr(self, each.name) for each in fields(self)}
        return replace(self, **{name: _first(part, count) for name, part in parts.items() if part is not None})

    @property
    def padded_or_decoded(self) -> bool:
        """Whether it is more than whole sequences that one call reads."""
        return self.lengths is not None or self.decoder_inputs is not None

    @property
    def classes(self) -> Array:
        """(T, N) class numbers, also of one-hot targets."""
        return self.targets if self.targets.ndim == 2 else np.asarray(self.targets.argmax(axis=-1))


def _first(part: Array, count: int) -> Array:
    """Lengths (N,), or sequences (T, N, …)."""
    return part[:count] if part.ndim == 1 else part[:, :count]


class TaskSource(Protocol):
    """One opened task. The same `generator` state gives the same batch; probe and test part are fixed by the seed."""

    @property
    def info(self) -> TaskInfo: ...

    @property
    def input_size(self) -> int: ...

    @property
    def output_size(self) -> int: ...

    @property
    def tolerance(self) -> float | None:
        """A predicted value this near to the target counts as right; None: values have no accuracy."""
        ...

    def batch(self, generator: "np.random.Generator", batch_size: int) -> Batch: ...

    def probe(self) -> Batch: ...

    def test(self) -> Batch | None:
        """What is held back from training, None for tasks that never repeat a sequence."""
        ...

    def baselines(self, loss: LossName) -> tuple[Baseline, ...]:
        """Those of another loss than its own, as means over all that is asked."""
        ...


@runtime_checkable
class StreamSource(Protocol):
    """A source whose training part is one long sequence, which can be gone along."""

    @property
    def rows(self) -> int:
        """Its time steps: an input and the answer after it each."""
        ...

    def along(self, starts: Array, time_steps: int, asked: int) -> Batch:
        """N stretches of it from `starts` (N,), 0-based, of which the last `asked` time steps are asked."""
        ...


def asked_at_end(batch: Batch, asked: int, reduction: Reduction) -> Batch:
    """A batch without padding of which only the last `asked` time steps are asked."""
    time_steps = len(batch.loss_weight)
    kept = np.arange(time_steps)[:, None] >= time_steps - asked
    weight = np.where(kept, batch.loss_weight.astype(np.float64), 0.0)
    if reduction == "mean":
        weight *= batch.loss_weight.sum(dtype=np.float64) / (weight.sum() or 1.0)
    return replace(batch, loss_weight=weight.astype(np.float32))


def last_step_question(answers: Array, time_steps: int, lengths: Array | None = None) -> tuple[Array, Array]:
    """(targets, loss_weight) of a batch whose answers, (N,) or (N, V), are asked at the last time step only, of
    sequences padded at the end at each one's own."""
    sequences = len(answers)
    ends = -1 if lengths is None else (lengths - 1, np.arange(sequences))
    targets = np.zeros((time_steps, *answers.shape), answers.dtype)
    targets[ends] = answers
    loss_weight = np.zeros((time_steps, sequences), np.float32)
    loss_weight[ends] = 1.0 / sequences
    return targets, loss_weight


def asked_alike(targets: Array, lengths: Array | None = None) -> Array:
    """(T, N) float32 the weights of answers that are all asked, of sequences padded at the end those before it."""
    asked = np.ones(targets.shape[:2], bool)
    if lengths is not None:
        asked = np.arange(len(targets))[:, None] < lengths
    return np.asarray(asked / asked.sum(), np.float32)


def decoder_reads(targets: Array, classes: int) -> Array:
    """(U, N, V + 1) float32 one-hot: what a decoder that is told the answers (U, N) reads: a start symbol, the first
    column, then each answer but the last."""
    symbols = np.zeros(targets.shape, np.int64)
    symbols[1:] = targets[:-1] + 1
    return np.asarray(np.eye(classes + 1, dtype=np.float32)[symbols])
