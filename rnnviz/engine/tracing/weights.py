"""The weights a recurrent module computes with, read without changing the module."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod

# torch.nn.utils hides both modules behind functions of the same names, so they are imported by their full paths.
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.networks import is_cell


def effective_weights(module: nn.Module, structure: Structure) -> dict[str, Tensor]:
    """torch's parameter names → detached tensors, after weight norm, spectral norm and other parametrisations.

    A Cell's names get the suffix _l0. Buffers that a parametrisation updates when it is read (spectral norm's power
    iteration) are put back, and so is torch's generator. Raises RnnvizError for a weight of an unexpected shape.
    """
    weights: dict[str, Tensor] = {}
    computed = parametrize.is_parametrized(module) or bool(module._forward_pre_hooks)  # else nothing draws numbers
    with torch.no_grad(), torch.random.fork_rng(devices=[], enabled=computed):
        old_style = _old_style_weights(module)
        for name, shape in structure.parameter_shapes().items():
            attribute = name.removesuffix("_l0") if is_cell(module) else name
            weight = old_style.get(attribute)
            if weight is None:
                weight = _read(module, attribute)
            if tuple(weight.shape) != shape:
                raise RnnvizError(f"{attribute}: wanted shape {shape}, got {tuple(weight.shape)}.")
            weights[name] = weight.detach()
    return weights


def _read(module: nn.Module, attribute: str) -> Tensor:
    if not parametrize.is_parametrized(module, attribute):
        weight = getattr(module, attribute, None)
        if not isinstance(weight, Tensor):
            raise RnnvizError(f"{attribute}: wanted a tensor, got {type(weight).__name__}.")
        return weight
    parametrisation = cast(nn.ModuleDict, module.parametrizations)[attribute]
    buffers = [(buffer, buffer.clone()) for buffer in parametrisation.buffers()]
    weight = cast(Tensor, parametrisation())
    for buffer, before in buffers:
        buffer.copy_(before)
    return weight


def _old_style_weights(module: nn.Module) -> dict[str, Tensor]:
    """Weights that torch's hook-based norms and pruning compute before each forward; the attribute may be stale."""
    weights: dict[str, Tensor] = {}
    for hook in module._forward_pre_hooks.values():
        if isinstance(hook, WeightNorm):
            weights[hook.name] = hook.compute_weight(module)
        elif isinstance(hook, SpectralNorm):
            weights[hook.name] = hook.compute_weight(module, do_power_iteration=False)
        elif isinstance(hook, BasePruningMethod):
            weights[hook._tensor_name] = hook.apply_mask(module)  # type: ignore[no-untyped-call]
    return weights
