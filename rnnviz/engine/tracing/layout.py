"""From whatever layout a recurrent module takes (batch first, unbatched, packed, a Cell's) to time-major arrays."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnviz.core.arrays import Array
from rnnviz.core.cells import cell_kind
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure

Given = Tensor | Array
GivenState = Given | tuple[Given, ...] | list[Given]
Sequences = int | Sequence[int] | Given  # numbers of sequences


@dataclass(frozen=True)
class Layout:
    """How the module takes its sequences; `lengths` are those of a PackedSequence, in the order of the batch."""

    batch_first: bool
    batched: bool
    cell: bool
    lengths: Tensor | None  # (N,) int64

    def time_major(self, tensor: Tensor) -> Tensor:
        """A sequence tensor in the module's layout as (T, N, ·)."""
        if not self.batched:
            return tensor.unsqueeze(1)
        return tensor.transpose(0, 1) if self.batch_first else tensor

    def state(self, tensor: Tensor) -> Tensor:
        """A state tensor in the module's layout as (layers·D, N, ·)."""
        if not self.batched:
            tensor = tensor.unsqueeze(-2)
        return tensor.unsqueeze(0) if self.cell else tensor

    def of(self, sequences: list[int]) -> "Layout":
        """That of these sequences alone."""
        return self if self.lengths is None else replace(self, lengths=self.lengths[sequences])


def take_inputs(module: nn.Module, inputs: Given | PackedSequence, structure: Structure) -> tuple[Tensor, Layout]:
    """(T, N, I) inputs, zero beyond each length, and the layout they came in; RnnvizError for a wrong shape or type."""
    cell = isinstance(module, nn.RNNCellBase)
    batch_first = bool(getattr(module, "batch_first", False))
    if isinstance(inputs, PackedSequence):
        if cell:
            raise RnnvizError("inputs: wanted a (T, N, I) or (T, I) tensor for a Cell, got a PackedSequence.")
        padded, lengths = padded_of(inputs, "inputs")
        return _checked(padded, structure), Layout(batch_first, True, False, lengths)
    tensor = as_tensor(inputs, "inputs")
    if tensor.ndim not in (2, 3):
        raise RnnvizError(f"inputs: wanted (T, N, I), (N, T, I) or (T, I), got shape {tuple(tensor.shape)}.")
    layout = Layout(batch_first, tensor.ndim == 3, cell, None)
    return _checked(layout.time_major(tensor), structure), layout


def take_state(
    state: GivenState | None, structure: Structure, layout: Layout, sequences: int
) -> dict[str, Tensor] | None:
    """The first states by name, each (layers·D, N, ·), None if none was given; RnnvizError for a wrong shape."""
    if state is None:
        return None
    parts, names = state if isinstance(state, tuple | list) else (state,), structure.equations.states
    if len(parts) != len(names):
        wanted = " and ".join(f"{name}0" for name in names)
        count = f"{len(parts)} tensor{'s' * (len(parts) != 1)}"
        raise RnnvizError(f"state: wanted {wanted} of the {cell_kind(structure.cell).words}, got {count}.")
    taken = {}
    for part, name in zip(parts, names, strict=True):
        tensor = as_tensor(part, f"state, {name}0")
        shape = (len(structure.layer_names), sequences, structure.units(name))
        if tensor.ndim != 3 - (not layout.batched) - layout.cell or layout.state(tensor).shape != shape:
            raise RnnvizError(
                f"state, {name}0: wanted (layers·directions, N, units) = {shape} in the module's own layout, "
                f"got shape {tuple(tensor.shape)}."
            )
        taken[name] = layout.state(tensor)
    return taken


def take_sequences(sequences: Sequences, count: int) -> list[int]:
    """The chosen sequences of `count`, 0-based; RnnvizError for none, one twice, or one there is not."""
    plain = sequences.tolist() if isinstance(sequences, Tensor | np.ndarray) else sequences
    given = [_plain_number(one) for one in (plain if isinstance(plain, Iterable) else [plain])]
    wanted = f"sequences: wanted numbers from 0 to {count - 1}, each once"
    for one in given:
        if isinstance(one, bool) or not isinstance(one, int) or not 0 <= one < count:
            raise RnnvizError(f"{wanted}, got {one!r}.")
    if not given or len(set(given)) < len(given):
        raise RnnvizError(f"{wanted}, got {given if given else 'none'}.")
    return given


def _plain_number(given: Any) -> Any:
    """Python's own of a number of numpy's or torch's, as a loop over np.flatnonzero gives them."""
    return given.item() if isinstance(given, np.integer | Tensor) and given.ndim == 0 else given


def as_tensor(given: Given, name: str) -> Tensor:
    """`given` as a detached real floating tensor on the CPU; RnnvizError naming it otherwise."""
    if isinstance(given, np.ndarray):
        if given.dtype.kind != "f" or given.dtype.itemsize > 8:
            raise RnnvizError(f"{name}: wanted a tensor of real floating-point numbers, got {given.dtype.name}.")
        # Copied, because torch warns about arrays that are read-only, as all of ours are.
        return torch.from_numpy(np.array(given, given.dtype.newbyteorder("=")))
    if not isinstance(given, Tensor):
        raise RnnvizError(f"{name}: wanted a tensor of real floating-point numbers, got {type(given).__name__}.")
    check_numbers(given, name)
    return given.detach().cpu()


def padded_of(packed: PackedSequence, name: str) -> tuple[Tensor, Tensor]:
    """(T, N, ·) with the sequences in the order of the batch, and their lengths (N,) int64; errors as `as_tensor`'s."""
    as_tensor(packed.data, name)
    padded, lengths = pad_packed_sequence(packed)
    return padded.detach().cpu(), lengths.to(torch.int64).cpu()


def check_numbers(tensor: Tensor, name: str) -> None:
    """RnnvizError unless `tensor` holds real floating-point numbers, each of them, in rows and columns."""
    if not tensor.is_floating_point():
        raise RnnvizError(f"{name}: wanted a tensor of real floating-point numbers, got {tensor.dtype}.")
    if tensor.is_meta:
        raise RnnvizError(f"{name}: wanted numbers, got a tensor on the meta device, which has a shape alone.")
    if tensor.is_nested:
        raise RnnvizError(f"{name}: wanted one tensor, got a nested one: pack its sequences with pack_sequence.")
    if tensor.layout != torch.strided:
        kind = str(tensor.layout).removeprefix("torch.")
        raise RnnvizError(f"{name}: wanted a dense tensor, got {kind}: pass its .to_dense().")


def _checked(inputs: Tensor, structure: Structure) -> Tensor:
    if 0 in inputs.shape[:2]:
        raise RnnvizError(
            f"inputs: wanted at least one time step and one sequence, got (T, N) = {tuple(inputs.shape[:2])}."
        )
    if inputs.shape[2] != structure.input_size:
        raise RnnvizError(f"inputs: wanted {structure.input_size} inputs a time step, got {inputs.shape[2]}.")
    return inputs
