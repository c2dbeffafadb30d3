"""Checking: the gradients of a user's own cell once more in float64, by autograd and by each time step alone."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import linear

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import Call, Capture, Head
from rnnviz.core.sweeps.verdicts.precision import in_float64
from rnnviz.engine.losses import losses
from rnnviz.engine.own_cell.asking import with_weights
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.engine.own_cell.recording import Watching
from rnnviz.engine.pooling import pooled


@dataclass(frozen=True, eq=False)
class Again:
    """One gradient in float64, and as it is shown."""

    name: str
    stepped: Array  # by what is carried from time step to time step
    whole: Array  # by autograd, of the whole pass
    shown: Array
    loss: Callable[[Tensor], float] | None  # L with this added; None of a state, to which nothing can be added


def again(module: OwnCellModule, capture: Capture) -> list[Again]:
    """Of every parameter, state and input, and of the states before the first time step. RnnvizError where the file
    cannot be run in float64."""
    exact, shown = in_float64(capture), capture.calls[0].recorded
    call, module = exact.calls[0], with_weights(module.double(), exact.weights)
    assert call.head is not None  # a trained model has one
    assert shown is not None
    loss_of = _Loss(module, call, call.head)
    parameters = dict(module.named_parameters())
    with torch.enable_grad(), Watching(module) as watching:
        loss, output = loss_of.loss()
        direct, *grads = watching.grads(loss, [output, *parameters.values()])
    told = watching.recorded(direct, loss_of.cut)
    assert told is not None
    found = [
        Again(
            name,
            told.weight_grads[name.removesuffix("_l0")][0],
            grad.numpy(),
            shown.weight_grads[name.removesuffix("_l0")][0],
            loss_of.moved(parameter),
        )
        for (name, parameter), grad in zip(parameters.items(), grads, strict=True)
    ]
    for name, first in zip(told.states, loss_of.initial, strict=True):
        stepped = told.direct[name] + told.carried[name]
        found.append(Again(f"{name}_l0", stepped, told.grads[name], shown.grads[name], None))
        of_first = told.initial_grads[name][None]
        found.append(Again(f"{name}0", of_first, of_first, shown.initial_grads[name][None], loss_of.moved(first)))
    inputs = told.input_grad
    found.append(Again("inputs", inputs, inputs, shown.input_grad, loss_of.moved(loss_of.inputs)))
    return found


class _Loss:
    """L of a call with some tensor moved."""

    def __init__(self, module: OwnCellModule, call: Call, head: Head) -> None:
        self._module, self._head = module, head
        self.inputs = torch.tensor(call.inputs)
        self.initial = [torch.tensor(call.initial[name]) for name in call.structure.equations.states]
        self._lengths = None if call.lengths is None else torch.tensor(call.lengths)
        self.cut = None if call.cut is None else torch.tensor(call.cut)
        self._weight, self._bias = (None if one is None else torch.tensor(one) for one in (head.weight, head.bias))
        self._targets, self._loss_weight = torch.tensor(head.targets), torch.tensor(head.loss_weight)

    def loss(self) -> tuple[Tensor, Tensor]:
        """L, and the output (T, N, P)."""
        output, _ = self._module.run(self.inputs, tuple(self.initial), self._lengths, self.cut)
        read = pooled(output, self._head.pooling)
        prediction = read if self._weight is None else linear(read, self._weight, self._bias)
        return (losses(self._head.loss, prediction, self._targets) * self._loss_weight).sum(), output

    def moved(self, tensor: Tensor) -> Callable[[Tensor], float]:
        """L by what is added to a tensor it is made of."""

        def loss(change: Tensor) -> float:
            kept = tensor.detach().clone()
            with torch.no_grad():
                tensor.add_(change)
                value = float(self.loss()[0])
                tensor.copy_(kept)
            return value

        return loss
