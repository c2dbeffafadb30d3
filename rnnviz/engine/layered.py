"""Run of a recurrent module on time-major sequences: whole as torch has it."""

from dataclasses import dataclass
from typing import cast

from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.structure import Structure


@dataclass(frozen=True)
class Given:
    """What a call is given beside its inputs."""

    initial: tuple[Tensor, ...]  # (layers·D, N, ·) by state
    lengths: Tensor | None = None  # (N,) int64 of sequences padded at the end
    masks: Tensor | None = None  # (layers − 1, T, N, D·P) of dropout
    cut: Tensor | None = None  # (T,) bool: no gradient is carried to the states from the time step after


def run_module(
    module: nn.Module, structure: Structure, inputs: Tensor, given: Given
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Output (T, N, D·P), 0 beyond each sequence's length, and final states (layers·D, N, ·)."""
    state = given.initial[0] if len(given.initial) == 1 else given.initial
    if given.lengths is None:
        output, final = module(inputs, state)
        return output, _states(final)
    packed = pack_padded_sequence(inputs, given.lengths, enforce_sorted=False)
    output, final = module(packed, state)
    return pad_packed_sequence(cast(PackedSequence, output), total_length=len(inputs))[0], _states(final)


def _states(final: Tensor | tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    return (final,) if isinstance(final, Tensor) else tuple(final)
