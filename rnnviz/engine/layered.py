"""Run of a recurrent module on time-major sequences: whole as torch has it, or layer by layer with dropout masks, ways
around layers, and gradients cut at time steps."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.structure import LayerId, Structure
from rnnviz.engine.cell_module import run_layer, windowed
from rnnviz.engine.fused import fused_function
from rnnviz.engine.own_cell.module import OwnCellModule

States = tuple[Tensor, ...]  # by state of the cell
_Run = Callable[[Tensor, States, Tensor | None], tuple[Tensor, States]]  # (T, N, ·), (N, ·) each, lengths


@dataclass(frozen=True)
class Given:
    """What a call is given beside its inputs."""

    initial: States  # (layers·D, N, ·) by state
    lengths: Tensor | None = None  # (N,) int64 of sequences padded at the end
    masks: Tensor | None = None  # (layers − 1, T, N, D·P) of dropout
    cut: Tensor | None = None  # (T,) bool: no gradient passes between t and t + 1 along time, in either direction

    def layer_by_layer(self, structure: Structure) -> bool:
        """Whether torch's own run of all layers at once is another one."""
        return structure.residual or self.masks is not None or self.cut is not None


def zeros(structure: Structure, inputs: Tensor) -> tuple[Tensor, ...]:
    """First states of zero (layers·D, N, ·) for inputs (T, N, I)."""
    shape = len(structure.layer_ids), inputs.shape[1]
    return tuple(inputs.new_zeros(*shape, structure.units(state)) for state in structure.equations.states)


def run_module(module: nn.Module, structure: Structure, inputs: Tensor, given: Given) -> tuple[Tensor, States]:
    """Output (T, N, D·P), 0 beyond each sequence's length, and final states (layers·D, N, ·)."""
    if isinstance(module, OwnCellModule):
        return module.run(inputs, given.initial, given.lengths, given.cut)
    if given.layer_by_layer(structure):
        return run_layers(structure, dict(module.named_parameters()), inputs, given)
    state = given.initial[0] if len(given.initial) == 1 else given.initial
    if given.lengths is None:
        output, final = module(inputs, state)
        return output, _states(final)
    packed = pack_padded_sequence(inputs, given.lengths, enforce_sorted=False)
    output, final = module(packed, state)
    return pad_packed_sequence(cast(PackedSequence, output), total_length=len(inputs))[0], _states(final)


def run_layers(
    structure: Structure, weights: Mapping[str, Tensor], inputs: Tensor, given: Given
) -> tuple[Tensor, States]:
    """The same by parameters with torch's names, one layer after the other: what goes up to the next is
    mask ⊙ h, with `structure.residual` what the layer read besides, from layer 1 on."""
    directions = structure.directions
    below, finals = inputs, list[States]()
    if fused_function(structure) is None:
        if given.lengths is not None:
            below = torch.where(_inside(given.lengths, len(below)), below, below.new_zeros(()))
        below = windowed(below, structure.window)
    for depth in range(structure.num_layers):
        first = tuple(state[depth * directions : (depth + 1) * directions] for state in given.initial)
        up, last = _level(structure, weights, depth, below, first, given)
        if given.masks is not None and depth + 1 < structure.num_layers:
            up = up * given.masks[depth]
        below = up + below if structure.residual and depth else up
        finals.append(last)
    return below, tuple(torch.cat(parts) for parts in zip(*finals, strict=True))


def _level(
    structure: Structure, weights: Mapping[str, Tensor], depth: int, x: Tensor, first: States, given: Given
) -> tuple[Tensor, States]:
    """Both directions of one depth: output (T, N, D·P) and last states (D, N, ·)."""
    layers = tuple(layer for layer in structure.layer_ids if layer.depth == depth)
    if fused_function(structure) is not None and given.cut is None:
        return _fused(structure, weights, layers, x, first, given.lengths)
    outputs, lasts = list[Tensor](), list[States]()
    for number, layer in enumerate(layers):
        run = _one_direction(structure, weights, layer)
        states = tuple(state[number] for state in first)
        if given.cut is None:
            output, last = run(x, states, given.lengths)
        else:
            output, last = _in_segments(run, x, states, given, layer.reverse, structure.output_size)
        outputs.append(output)
        lasts.append(last)
    return torch.cat(outputs, dim=-1), tuple(torch.stack(parts) for parts in zip(*lasts, strict=True))


def _in_segments(
    run: _Run, x: Tensor, states: States, given: Given, reverse: bool, units: int
) -> tuple[Tensor, States]:
    """The run between one cut and the next, each from the states that the one before left, detached.

    What a sequence begins with is not detached, nor what it ends with.
    """
    assert given.cut is not None  # the caller looked
    time_steps, sequences = x.shape[:2]
    ends = torch.full((sequences,), time_steps) if given.lengths is None else given.lengths
    edges = [0, *(torch.nonzero(given.cut[:-1]).flatten() + 1).tolist(), time_steps]
    begun = torch.zeros(sequences, dtype=torch.bool)
    parts = list[Tensor]()
    for start, stop in list(pairwise(edges))[:: -1 if reverse else 1]:
        part = x.new_zeros(stop - start, sequences, units)
        rows = torch.nonzero(ends > start).flatten()  # of the sequences that are there in this segment
        if len(rows):
            begin = tuple(torch.where(begun[:, None], state.detach(), state)[rows] for state in states)
            here = None if given.lengths is None else (ends[rows] - start).clamp(max=stop - start)
            made, last = run(x[start:stop, rows], begin, here)
            states = tuple(state.index_copy(0, rows, new) for state, new in zip(states, last, strict=True))
            part = part.index_copy(1, rows, made)
            begun = begun | (ends > start)
        parts.append(part)
    return torch.cat(parts[:: -1 if reverse else 1]), states


def _one_direction(structure: Structure, weights: Mapping[str, Tensor], layer: LayerId) -> _Run:
    """The run of one layer in one direction, over a whole sequence or a segment of it."""

    def by_cell(x: Tensor, first: States, lengths: Tensor | None) -> tuple[Tensor, States]:
        return run_layer(structure, weights, layer, x, first, lengths)

    def by_torch(x: Tensor, first: States, lengths: Tensor | None) -> tuple[Tensor, States]:
        turned = _turned(x, lengths) if layer.reverse else x
        given = tuple(state[None] for state in first)
        output, last = _fused(structure, weights, (layer,), turned, given, lengths)
        return _turned(output, lengths) if layer.reverse else output, tuple(state[0] for state in last)

    return by_cell if fused_function(structure) is None else by_torch


def _fused(
    structure: Structure,
    weights: Mapping[str, Tensor],
    layers: tuple[LayerId, ...],
    x: Tensor,
    first: States,
    lengths: Tensor | None,
) -> tuple[Tensor, States]:
    """torch's own function on one layer, in both directions where both are given, else in the order of `x`."""
    function = getattr(torch, cast(str, fused_function(structure)))
    names = [f"{parameter.name}_{layer.text}" for layer in layers for parameter in structure.equations.parameters]
    parameters = [weights[name] for name in names]
    options = structure.bias, 1, 0.0, True, len(layers) > 1  # one layer, no dropout, for training
    if lengths is None:
        output, *last = function(x, _given(first), parameters, *options, False)
        return output, tuple(last)
    packed = pack_padded_sequence(x, lengths, enforce_sorted=False)
    order, back = cast(Tensor, packed.sorted_indices), cast(Tensor, packed.unsorted_indices)
    begin = tuple(state.index_select(1, order) for state in first)
    data, *last = function(packed.data, packed.batch_sizes, _given(begin), parameters, *options)
    made = PackedSequence(data, packed.batch_sizes, order, back)
    output = pad_packed_sequence(made, total_length=len(x))[0]
    return output, tuple(state.index_select(1, back) for state in last)


def _given(states: States) -> Tensor | States:
    return states[0] if len(states) == 1 else states


def _turned(array: Tensor, lengths: Tensor | None) -> Tensor:
    """(T, N, ·) each sequence from its own end to its start; padding stays behind."""
    if lengths is None:
        return array.flip(0)
    t = torch.arange(len(array))[:, None]
    index = torch.where(t < lengths, lengths - 1 - t, t)
    return array.gather(0, index[:, :, None].expand_as(array))


def _inside(lengths: Tensor, time_steps: int) -> Tensor:
    """(T, N, 1) whether a time step is one of its sequence."""
    return (torch.arange(time_steps)[:, None] < lengths)[:, :, None]


def _states(final: Tensor | States) -> States:
    return (final,) if isinstance(final, Tensor) else tuple(final)
