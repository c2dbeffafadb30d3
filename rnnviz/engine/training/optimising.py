"""Optimisers in torch: made from core's records, and what they have gathered, to a snapshot and back."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.optimising.optimisers import Adam, AdamW, Momentum, Nesterov, Optimiser, RmsProp, Sgd
from rnnviz.runs.file.records import CARRIED, OptimiserSnapshot

_COUNT = "step"  # the one number of an optimiser's state that has not the shape of its parameter


def torch_optimiser(made: Optimiser, parameters: list[nn.Parameter]) -> torch.optim.Optimizer:
    """torch's own, with the settings of the record. Adam's fused form takes half the time on small models."""
    match made:
        case Sgd(rate, decay):
            return torch.optim.SGD(parameters, rate, weight_decay=decay)
        case Momentum(rate, momentum, decay):
            nesterov = isinstance(made, Nesterov)
            return torch.optim.SGD(parameters, rate, momentum=momentum, weight_decay=decay, nesterov=nesterov)
        case Adam(rate, beta1, beta2, epsilon, decay):
            kind = torch.optim.AdamW if isinstance(made, AdamW) else torch.optim.Adam
            return kind(parameters, rate, betas=(beta1, beta2), eps=epsilon, weight_decay=decay, fused=True)
        case RmsProp(rate, alpha, epsilon, decay):
            return torch.optim.RMSprop(parameters, rate, alpha=alpha, eps=epsilon, weight_decay=decay)
    raise RnnvizError(f"optimiser: wanted one that torch has, got {made.words}")


def load_optimisers() -> None:
    """Has torch load the half of itself that it leaves until the first optimiser is made: seconds on a busy machine."""
    torch_optimiser(Sgd(1.0), [nn.Parameter(torch.zeros(1))])


def set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """The learning rate from now on."""
    for group in optimiser.param_groups:
        group["lr"] = rate


def snapshot(
    name: str,
    optimiser: torch.optim.Optimizer,
    model: nn.Module,
    more: Mapping[str, float],
    carried: Mapping[str, Array],
) -> OptimiserSnapshot:
    """What an optimiser has gathered, by the names of the model's parameters, its arrays shared; with `more` numbers
    beside its settings, and the states that windows carry on."""
    settings: dict[str, float] = {}
    for key, value in optimiser.param_groups[0].items():
        if key != "params":
            several = isinstance(value, tuple)
            for place, one in enumerate(value if several else (value,), 1):
                if isinstance(one, int | float):
                    settings[f"{key}.{place}" if several else key] = float(one)
    state = {
        f"{key}.{parameter_name}": value.detach().numpy()
        for parameter_name, parameter in model.named_parameters()
        for key, value in optimiser.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }
    state |= {f"{CARRIED}{name}": array for name, array in carried.items()}
    return OptimiserSnapshot(name, settings | dict(more), state)


def restore(optimiser: torch.optim.Optimizer, model: nn.Module, found: OptimiserSnapshot) -> None:
    """The inverse of `snapshot`: the arrays are copied. RnnvizError where they do not fit the model's parameters."""
    own = found.gathered
    keys = {name.partition(".")[0] for name in own}
    gathered: dict[int, dict[str, Tensor]] = {}
    for place, (name, parameter) in enumerate(model.named_parameters()):
        gathered[place] = {}
        if all(f"{key}.{name}" not in own for key in keys):  # never updated: no gradient has come to it
            continue
        for key in keys:
            shape = () if key == _COUNT else tuple(parameter.shape)
            array = own.get(f"{key}.{name}")
            if array is None or array.size != math.prod(shape):
                raise RnnvizError(f"The recorded optimiser state of {name} does not fit its shape {parameter.shape}.")
            gathered[place][key] = torch.from_numpy(array.copy()).reshape(shape)
    optimiser.load_state_dict({**optimiser.state_dict(), "state": gathered})
