"""torch's forward pass of a structure on tensors that are given: its fused code where it has some, else our module.

A module is not made for it: its constructor and the loading of weights take longer than a short sequence.
"""

from collections.abc import Mapping
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.structure import Structure
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.fused import fused_function
from rnnviz.engine.layered import Given, run_layers


def torch_forward(
    structure: Structure, weights: Mapping[str, Tensor], inputs: Tensor, given: Given
) -> tuple[Tensor, list[Tensor]]:
    """Output (T, N, D·P), and the parameters its gradients reach, in torch's order.

    `weights` by torch's names, `inputs` (T, N, I).
    """
    name, states, lengths = fused_function(structure), list(given.initial), given.lengths
    if given.layer_by_layer(structure):
        own = {one: weights[one].detach().requires_grad_() for one in structure.parameter_shapes()}
        return run_layers(structure, own, inputs, given)[0], list(own.values())
    if name is None:
        return _of_cell_module(structure, weights, inputs, states, lengths)
    parameters = [weights[one].detach().requires_grad_() for one in structure.parameter_shapes()]
    options = structure.bias, structure.num_layers, 0.0, True, structure.bidirectional  # no dropout, for training
    fused = getattr(torch, name)
    if lengths is None:
        return fused(inputs, _given(states), parameters, *options, False)[0], parameters
    packed = pack_padded_sequence(inputs, lengths, enforce_sorted=False)
    first = [state.index_select(1, cast(Tensor, packed.sorted_indices)) for state in states]
    data = fused(packed.data, packed.batch_sizes, _given(first), parameters, *options)[0]
    made = PackedSequence(data, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices)
    return pad_packed_sequence(made, total_length=len(inputs))[0], parameters


def _given(states: list[Tensor]) -> Tensor | list[Tensor]:
    return states[0] if len(states) == 1 else states


def _of_cell_module(
    structure: Structure, weights: Mapping[str, Tensor], inputs: Tensor, states: list[Tensor], lengths: Tensor | None
) -> tuple[Tensor, list[Tensor]]:
    module = CellModule(structure, inputs.dtype)
    for name in structure.parameter_shapes():
        module.register_parameter(name, nn.Parameter(weights[name]))
    state = states[0] if len(states) == 1 else tuple(states)
    parameters: list[Tensor] = list(module.parameters())
    if lengths is None:
        return cast(Tensor, module(inputs, state)[0]), parameters
    packed = pack_padded_sequence(inputs, lengths, enforce_sorted=False)
    return pad_packed_sequence(cast(PackedSequence, module(packed, state)[0]), total_length=len(inputs))[0], parameters
