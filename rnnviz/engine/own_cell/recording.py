"""Recording: values and gradients of a person's states from a whole pass, and from each time step run once more."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from rnnviz.core.arrays import Array, frozen, frozen_mapping
from rnnviz.core.sweeps.capture import MOST_APART, RecordedCall
from rnnviz.engine.own_cell.module import KeptPass, OwnCellModule
from rnnviz.engine.own_cell.running import BACK, running
from rnnviz.engine.own_cell.stepper import States


class Watching(AbstractContextManager["Watching"]):
    """While entered, the tensors of a pass through a user's own cell are kept; of any other module nothing is."""

    def __init__(self, module: nn.Module) -> None:
        self._module = module if isinstance(module, OwnCellModule) else None
        self._recording = nullcontext(KeptPass()) if self._module is None else self._module.recording()
        self._kept = KeptPass()
        self._grads: list[Tensor] = []

    def __enter__(self) -> "Watching":
        self._kept = self._recording.__enter__()
        return self

    def __exit__(self, *came: Any) -> None:
        self._recording.__exit__(*came)

    def grads(self, loss: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
        """∂L/∂ each; of the tensors that are kept, too."""
        if self._module is None:
            # The output of an encoder that nothing attends to has no gradient: its states alone are handed over.
            return list(torch.autograd.grad(loss, wanted, allow_unused=True, materialize_grads=True))
        kept = _watched(self._kept)
        with running(self._module.stepper.file, BACK, self._module.stepper.kept):
            found = torch.autograd.grad(loss, [*wanted, *kept], allow_unused=True)
        every = [torch.zeros_like(of) if one is None else one for one, of in zip(found, [*wanted, *kept], strict=True)]
        self._grads = every[len(wanted) :]
        return every[: len(wanted)]

    def recorded(self, direct: Tensor, cut: Tensor | None) -> RecordedCall | None:
        """What is recorded of a user's own cell; `direct` (T, N, P) ∂L/∂output."""
        return None if self._module is None else _recorded(self._module, self._kept, self._grads, direct, cut)


def _watched(kept: KeptPass) -> list[Tensor]:
    """Whose gradients of the whole pass are wanted by `_recorded`: those of inputs, states before and after."""
    return [*kept.inputs, *_flat(kept.before), *_flat(kept.after)]


def _recorded(
    module: OwnCellModule, kept: KeptPass, known: Sequence[Tensor], direct: Tensor, cut: Tensor | None
) -> RecordedCall:
    """What is recorded of a pass; `known` are the gradients of `_watched`."""
    names, steps = module.structure.equations.states, len(kept.inputs)
    of_inputs, rest = known[:steps], known[steps:]
    half = steps * len(names)
    of_before, of_after = rest[:half], rest[half:]
    inside = _inside(kept)
    again = _Again(module, kept, direct, cut, inside)
    with running(module.stepper.file, BACK, module.stepper.kept):
        again.sweep()
    return RecordedCall(
        states=_over_time(names, _flat(kept.after), inside),
        grads=_over_time(names, of_after, inside),
        input_grad=_array(torch.stack(list(of_inputs))),
        initial_grads=frozen_mapping({name: _array(of_before[place]) for place, name in enumerate(names)}),
        again=again.array(again.output),
        direct=_over_time(names, again.direct, inside),
        carried=_over_time(names, again.carried, inside),
        arriving=_over_time(names, again.arriving, inside),
        **again.of_parameters(),
    )


class _Again:
    """Each time step run once more, alone, from the last one to the first: BPTT by what is carried between them."""

    def __init__(
        self, module: OwnCellModule, kept: KeptPass, direct: Tensor, cut: Tensor | None, inside: Tensor | None
    ) -> None:
        self._step, self._kept, self._direct, self._cut, self._inside = module.stepper.step, kept, direct, cut, inside
        self._parameters = {name.removesuffix("_l0"): one for name, one in module.named_parameters()}
        self._states, steps = len(module.structure.equations.states), len(kept.inputs)
        sequences = direct.shape[1]
        self._columns = 1 + sequences if sequences > 1 and steps * sequences <= MOST_APART else 1
        empty = kept.after[0][0].new_zeros(0)
        self.output = [empty] * steps
        self.direct, self.carried, self.arriving = ([empty] * (steps * self._states) for _ in range(3))
        self._gathered = {
            name: one.new_zeros(self._columns, *one.shape, dtype=torch.float64)
            for name, one in self._parameters.items()
        }
        shape = steps, self._columns
        self._shares = {name: torch.zeros(shape, dtype=torch.float64) for name in self._parameters}
        self._so_far = {name: torch.zeros(shape, dtype=torch.float64) for name in self._parameters}

    def sweep(self) -> None:
        """All time steps."""
        came: States = tuple(torch.zeros_like(one) for one in self._kept.after[0])
        with torch.enable_grad():
            for t in range(len(self._kept.inputs) - 1, -1, -1):
                came = self._back(t, came)

    def array(self, tensors: Sequence[Tensor]) -> Array:
        return _array(_masked(torch.stack(list(tensors)), self._inside))

    def of_parameters(self) -> dict[str, Mapping[str, Array]]:
        """What a `RecordedCall` has of them."""
        dtype = self._direct.dtype
        return {
            "weight_grads": frozen_mapping({name: _array(one.to(dtype)) for name, one in self._gathered.items()}),
            "shares": frozen_mapping({name: _array(one) for name, one in self._shares.items()}),
            "so_far": frozen_mapping({name: _array(one) for name, one in self._so_far.items()}),
        }

    def _back(self, t: int, came: States) -> States:
        """One time step; what it sends to the states of the one before."""
        inside = None if self._inside is None else self._inside[t][:, None]
        before = tuple(one.detach().requires_grad_() for one in self._kept.before[t])
        after = self._step(self._kept.inputs[t].detach(), before)
        held = tuple(_masked(one, inside) for one in came)
        own = _masked(self._direct[t], inside)
        self.output[t] = after[0].detach()
        places = slice(t * self._states, (t + 1) * self._states)
        own_seeds = (own, *(torch.zeros_like(one) for one in held[1:]))
        self.direct[places] = _grads(after, after, own_seeds)
        self.carried[places] = _grads(after, after, held)
        self.arriving[places] = list(held)
        seeds = (held[0] + own, *held[1:])
        self._add(t, after, seeds)
        sent = _grads(after, before, seeds)
        if t and self._cut is not None and bool(self._cut[t - 1]):
            return tuple(torch.zeros_like(one) for one in sent)
        if inside is None:
            return tuple(sent)
        return tuple(torch.where(inside, one, passed) for one, passed in zip(sent, came, strict=True))

    def _add(self, t: int, after: States, seeds: States) -> None:
        """What the time step adds to each parameter's gradient, of all sequences and of each."""
        parameters = list(self._parameters.values())
        for column in range(self._columns):
            some = seeds
            if column:
                chosen = torch.zeros(len(seeds[0]), 1, dtype=seeds[0].dtype)
                chosen[column - 1] = 1
                some = tuple(one * chosen for one in seeds)
            for name, grad in zip(self._parameters, _grads(after, parameters, some), strict=True):
                gathered, added = self._gathered[name][column], grad.double()
                gathered += added
                self._shares[name][t, column] = added.norm()
                self._so_far[name][t, column] = gathered.norm()


def _grads(outputs: States, inputs: Sequence[Tensor], seeds: States) -> list[Tensor]:
    """∂ Σ seeds · outputs / ∂ each input, 0 where there is none; the graph stays."""
    going = [(one, seed) for one, seed in zip(outputs, seeds, strict=True) if one.requires_grad]
    found: Sequence[Tensor | None] = [None] * len(inputs)
    if going:
        reached = [place for place, one in enumerate(inputs) if one.requires_grad]
        made = torch.autograd.grad(
            [one for one, _ in going],
            [inputs[place] for place in reached],
            [seed for _, seed in going],
            retain_graph=True,
            allow_unused=True,
        )
        by_place = dict(zip(reached, made, strict=True))
        found = [by_place.get(place) for place in range(len(inputs))]
    return [torch.zeros_like(one) if grad is None else grad for one, grad in zip(inputs, found, strict=True)]


def _inside(kept: KeptPass) -> Tensor | None:
    """(T, N) False beyond a sequence's end; None where all are as long."""
    return None if kept.lengths is None else torch.arange(len(kept.inputs))[:, None] < kept.lengths


def _masked(tensor: Tensor, inside: Tensor | None) -> Tensor:
    """0 beyond a sequence's end."""
    if inside is None:
        return tensor
    inside = inside if inside.ndim == tensor.ndim else inside[..., None]
    return torch.where(inside, tensor, tensor.new_zeros(()))


def _over_time(names: Sequence[str], flat: Sequence[Tensor], inside: Tensor | None) -> Mapping[str, Array]:
    """(T, N, ·) by state, from the tensors of the states time step by time step."""
    stacked = {name: torch.stack(list(flat[place :: len(names)])) for place, name in enumerate(names)}
    return frozen_mapping({name: _array(_masked(one, inside)) for name, one in stacked.items()})


def _flat(states: Sequence[States]) -> list[Tensor]:
    return [one for each in states for one in each]


def _array(tensor: Tensor) -> Array:
    return frozen(tensor.detach().numpy().copy())
