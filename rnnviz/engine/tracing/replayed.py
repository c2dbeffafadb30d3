"""Replay of a person's dropout: the masks torch drew between the layers, from the state its generator had before."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import dropout
from torch.nn.utils.rnn import PackedSequence, pad_packed_sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure


def drops_out(module: nn.Module, structure: Structure) -> bool:
    """Whether a pass of `module` now would draw masks."""
    return bool(getattr(module, "dropout", 0)) and module.training and structure.num_layers > 1


def replayed_masks(
    module: nn.Module, structure: Structure, inputs: Tensor, packed: PackedSequence | None, random_state: Tensor | None
) -> Tensor | None:
    """(layers − 1, T, N, D·P) the masks of the pass over `inputs` (T, N, I) that began with this state of torch's
    generator on the CPU, which stays as it is; None without one, or where the module computes elsewhere.

    torch draws one number for each value that a layer gives, in the order in which it holds them: that of `packed`
    where the person's inputs were. RnnvizError for what is no such state.
    """
    like = next(module.parameters())
    if random_state is None or like.device.type != "cpu":
        return None
    width = structure.directions * structure.output_size
    ones = torch.ones((*inputs.shape[:2], width) if packed is None else (len(packed.data), width), dtype=like.dtype)
    with torch.random.fork_rng(devices=[]):
        try:
            torch.set_rng_state(random_state)
        except (RuntimeError, TypeError, AttributeError) as error:
            wanted = "random_state: wanted what torch.get_rng_state() gave right before your own pass"
            raise RnnvizError(f"{wanted}, got {type(random_state).__name__}{_shape(random_state)}.") from error
        drawn = [dropout(ones, float(cast(nn.RNNBase, module).dropout)) for _ in range(structure.num_layers - 1)]
    if packed is not None:
        drawn = [pad_packed_sequence(packed._replace(data=one), total_length=len(inputs))[0] for one in drawn]
    return torch.stack(drawn)


def _shape(given: object) -> str:
    return f" of shape {tuple(given.shape)}, {given.dtype}" if isinstance(given, Tensor) else ""
