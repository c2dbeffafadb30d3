"""The person's own pass: what of it can be compared with the repetition that is traced, and what may differ in it."""

from collections.abc import Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn
from torch.nn.modules import module as of_all_modules
from torch.nn.modules.dropout import _DropoutNd
from torch.nn.utils import parametrize
from torch.nn.utils.prune import BasePruningMethod
from torch.nn.utils.spectral_norm import SpectralNorm
from torch.nn.utils.weight_norm import WeightNorm

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import OwnPass
from rnnviz.engine.networks import is_cell


def own_pass(
    module: nn.Module,
    structure: Structure,
    dtype: torch.dtype,
    output: Tensor | None,
    *,
    with_grads: bool,
    replayed: bool = False,
) -> OwnPass | None:
    """What is known of the pass the person ran; None where all that can be said is that nothing speaks against it.

    `output` (T, N, D·P) is what the person's own pass gave, `dtype` that of the repetition. With `with_grads` the
    module's own param.grad are those of this pass, where every parameter has one. `replayed`: the repetition has the
    dropout masks that follow from the random state the person gave.
    """
    own_output = None if output is None else _array(output, dtype)
    grads = _grads(module, structure, dtype) if with_grads else {}
    doubts, causes = [*_other_numbers(module)], list[str]()
    (causes if grads or own_output is not None else doubts).extend(_other_forward(module, replayed))
    (causes if grads else doubts).extend(_other_backward(module))
    if own_output is None and not grads and not doubts:
        return None
    return OwnPass(own_output, frozen_mapping(grads), tuple(doubts), tuple(causes))


def _other_numbers(module: nn.Module) -> Iterator[str]:
    """What no comparison settles: a pass that rounds otherwise."""
    kinds = {parameter.dtype for parameter in module.parameters()} - {torch.float32, torch.float64}
    for kind in sorted(map(str, kinds)):
        yield f"the module computes in {kind.removeprefix('torch.')}"


def _other_forward(module: nn.Module, replayed: bool) -> Iterator[str]:
    """What may make the person's own output another one."""
    if getattr(module, "dropout", 0) and module.training and getattr(module, "num_layers", 1) > 1:
        masks = "dropout between the layers is on, with masks that only your own output or gradients can confirm"
        yield masks if replayed else "dropout between the layers is on"
    if any(isinstance(part, _DropoutNd) and part.training and part.p for part in module.modules()):
        yield "dropout on the weights is on"
    if _autocast(module):
        yield "autocast is on"
    hooks = [*module._forward_hooks.values(), *of_all_modules._global_forward_hooks.values()]
    before = [*module._forward_pre_hooks.values(), *of_all_modules._global_forward_pre_hooks.values()]
    if hooks:
        yield "a forward hook may change the output"
    if any(not isinstance(hook, WeightNorm | SpectralNorm | BasePruningMethod) for hook in before):
        yield "a forward pre-hook may change what the module reads"
    if module.training and _moving_weights(module, before):
        yield "spectral norm changes its weight at each pass in training"
    if "forward" in vars(module):
        yield "the module's forward was replaced"


def _other_backward(module: nn.Module) -> Iterator[str]:
    """What may make the person's own gradients others."""
    of_module = (module._backward_hooks, module._backward_pre_hooks)
    of_all = (of_all_modules._global_backward_hooks, of_all_modules._global_backward_pre_hooks)
    if any(of_module) or any(of_all):
        yield "a backward hook may change the gradients"
    if any(_hooked(parameter) for parameter in module.parameters()):
        yield "a hook on a parameter may change its gradient"


def _autocast(module: nn.Module) -> bool:
    devices = {"cpu", *(parameter.device.type for parameter in module.parameters())} - {"meta"}
    return any(torch.is_autocast_enabled(device) for device in devices)


def _moving_weights(module: nn.Module, before: Iterable[object]) -> bool:
    """Whether a norm keeps buffers that each forward pass in training moves on."""
    kept = parametrize.is_parametrized(module) and any(True for _ in module.parametrizations.buffers())  # type: ignore[union-attr]
    return kept or any(isinstance(hook, SpectralNorm) for hook in before)


def _hooked(parameter: nn.Parameter) -> bool:
    return bool(parameter._backward_hooks or getattr(parameter, "_post_accumulate_grad_hooks", None))


def _grads(module: nn.Module, structure: Structure, dtype: torch.dtype) -> Mapping[str, Array]:
    """The module's own param.grad by torch's names; none unless every parameter has one, or where all are 0."""
    wanted = list(structure.parameter_shapes())
    own = {f"{name}_l0" if is_cell(module) else name: parameter for name, parameter in module.named_parameters()}
    if sorted(own) != sorted(wanted):  # a parametrisation computes the weights from others
        return {}
    grads = {name: own[name].grad for name in wanted}
    found = {name: _array(grad, dtype) for name, grad in grads.items() if grad is not None}
    return found if len(found) == len(wanted) and any(grad.any() for grad in found.values()) else {}


def _array(tensor: Tensor, dtype: torch.dtype) -> Array:
    """A read-only copy."""
    return frozen(tensor.detach().to_dense().to(device="cpu", dtype=dtype, copy=True).numpy())
