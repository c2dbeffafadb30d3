"""From whatever layout a recurrent module takes (batch first, unbatched, packed, a Cell's) to time-major arrays."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure

Given = Tensor | Array
GivenState = Given | tuple[Given, ...]


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


def take_inputs(module: nn.Module, inputs: Given | PackedSequence, structure: Structure) -> tuple[Tensor, Layout]:
    """(T, N, I) inputs, zero beyond each length, and the layout they came in; RnnvizError for a wrong shape or type."""
    cell = isinstance(module, nn.RNNCellBase)
    batch_first = bool(getattr(module, "batch_first", False))
    if isinstance(inputs, PackedSequence):
        if cell:
            raise RnnvizError("inputs: wanted a (T, N, I) or (T, I) tensor for a Cell, came a PackedSequence.")
        padded, lengths = pad_packed_sequence(inputs)
        return _checked(padded, structure), Layout(batch_first, True, False, lengths.to(torch.int64).cpu())
    tensor = as_tensor(inputs, "inputs")
    if tensor.ndim not in (2, 3):
        raise RnnvizError(f"inputs: wanted (T, N, I), (N, T, I) or (T, I), came shape {tuple(tensor.shape)}.")
    layout = Layout(batch_first, tensor.ndim == 3, cell, None)
    return _checked(layout.time_major(tensor), structure), layout


def take_state(
    state: GivenState | None, structure: Structure, layout: Layout, sequences: int
) -> dict[str, Tensor] | None:
    """The first states by name, each (layers·D, N, ·), None if none was given; RnnvizError for a wrong shape."""
    if state is None:
        return None
    parts, names = state if isinstance(state, tuple) else (state,), structure.equations.states
    if len(parts) != len(names):
        wanted = " and ".join(f"{name}0" for name in names)
        raise RnnvizError(f"state: wanted {wanted} for a {structure.cell}, came {len(parts)} tensor(s).")
    taken = {}
    for part, name in zip(parts, names, strict=True):
        tensor = as_tensor(part, f"state, {name}0")
        shape = (len(structure.layer_names), sequences, structure.units(name))
        if tensor.ndim != 3 - (not layout.batched) - layout.cell or layout.state(tensor).shape != shape:
            raise RnnvizError(
                f"state, {name}0: wanted (layers·directions, N, units) = {shape} in the module's own layout, "
                f"came shape {tuple(tensor.shape)}."
            )
        taken[name] = layout.state(tensor)
    return taken


def take_grad_output(grad: Given | PackedSequence, output: Tensor, layout: Layout) -> Tensor:
    """∂L/∂output as (T, N, D·H), zero beyond each length; RnnvizError unless it has the shape of the output."""
    if isinstance(grad, PackedSequence):
        tensor = pad_packed_sequence(grad)[0]
    else:
        tensor = layout.time_major(as_tensor(grad, "grad_output"))
    if tensor.shape != output.shape:
        raise RnnvizError(
            f"grad_output: wanted the shape of the module's output, time-major {tuple(output.shape)}, "
            f"came time-major {tuple(tensor.shape)}."
        )
    if layout.lengths is None:
        return tensor
    asked = torch.arange(len(tensor))[:, None] < layout.lengths
    return torch.where(asked[:, :, None], tensor, torch.zeros_like(tensor))


def as_tensor(given: Given, name: str) -> Tensor:
    """`given` as a detached real floating tensor on the CPU; RnnvizError naming it otherwise."""
    # Copied, because torch warns about arrays that are read-only, as all of ours are.
    tensor = torch.from_numpy(np.array(given)) if isinstance(given, np.ndarray) else given
    if not isinstance(tensor, Tensor) or not tensor.is_floating_point():
        kind = str(tensor.dtype) if isinstance(tensor, Tensor) else type(given).__name__
        raise RnnvizError(f"{name}: wanted a tensor of real floating-point numbers, came {kind}.")
    return tensor.detach().cpu()


def _checked(inputs: Tensor, structure: Structure) -> Tensor:
    if 0 in inputs.shape[:2]:
        raise RnnvizError(
            f"inputs: wanted at least one time step and one sequence, came (T, N) = {tuple(inputs.shape[:2])}."
        )
    if inputs.shape[2] != structure.input_size:
        raise RnnvizError(f"inputs: wanted {structure.input_size} inputs a time step, came {inputs.shape[2]}.")
    return inputs.detach().cpu()
