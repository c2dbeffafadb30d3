"""Cell module: any cell's nodes evaluated on tensors and unrolled in Python, for the cells that torch lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Operation, Value, Weight
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.steps.plan import Affine, plan_of
from rnnviz.core.sweeps.steps.window import window_rows

State = Tensor | tuple[Tensor, ...]  # alone where a cell has one state, as torch has it


class TensorNumbers:
    """`Numbers` of torch."""

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a)

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def relu(self, a: Tensor) -> Tensor:
        return torch.relu(a)

    def exp(self, a: Tensor) -> Tensor:
        return torch.exp(a)

    def cos(self, a: Tensor) -> Tensor:
        return torch.cos(a)

    def sin(self, a: Tensor) -> Tensor:
        return torch.sin(a)

    def softplus(self, a: Tensor) -> Tensor:
        return torch.logaddexp(a, a.new_zeros(()))  # torch's own is a from 20 on

    def times(self, value: Tensor, weight: Tensor) -> Tensor:
        return linear(value, weight)


TENSORS = TensorNumbers()


def windowed(inputs: Tensor, size: int) -> Tensor:
    """`core.sweeps.steps.window.windowed` of tensors."""
    if size == 1:
        return inputs
    with_zeros = torch.cat([inputs, torch.zeros_like(inputs[:1])])
    rows = torch.from_numpy(window_rows(len(inputs), size).copy())
    return with_zeros[rows].transpose(1, 2).flatten(2)


class CellModule(nn.Module):
    """A recurrent module of any cell; parameter names, shapes, order, input and output layouts are those of torch's
    own modules, time-major."""

    def __init__(self, structure: Structure, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.structure = structure
        for name, shape in structure.parameter_shapes().items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape, dtype=dtype)))

    def forward(self, inputs: Tensor | PackedSequence, state: State | None = None) -> tuple[object, State]:
        """(T, N, I) or packed sequences, first states (layers·D, N, ·) → output (T, N, D·P), last states.

        The states are one tensor for each state of the cell, in its order.
        """
        if isinstance(inputs, PackedSequence):
            padded, lengths = pad_packed_sequence(inputs)
            output, last = self._unrolled(padded, state, lengths)
            return pack_padded_sequence(output, lengths, enforce_sorted=False), last
        return self._unrolled(inputs, state, None)

    def _unrolled(self, inputs: Tensor, state: State | None, lengths: Tensor | None) -> tuple[Tensor, State]:
        structure, cell = self.structure, self.structure.equations
        if state is None:
            shape = len(structure.layer_ids), inputs.shape[1]
            given: tuple[Tensor, ...] = tuple(inputs.new_zeros(*shape, structure.units(name)) for name in cell.states)
        else:
            given = (state,) if isinstance(state, Tensor) else state
        output, level = windowed(inputs, structure.window), list[Tensor]()
        lasts = list[tuple[Tensor, ...]]()
        weights = dict(self.named_parameters())
        for number, layer in enumerate(structure.layer_ids):
            first = tuple(tensor[number] for tensor in given)
            made, last = run_layer(structure, weights, layer, output, first, lengths)
            level.append(made)
            lasts.append(last)
            if len(level) == structure.directions:
                made = torch.cat(level, dim=-1) if len(level) > 1 else made
                output, level = made + output if structure.residual and layer.depth else made, []
        last_states = tuple(torch.stack(tensors) for tensors in zip(*lasts, strict=True))
        return output, last_states[0] if len(last_states) == 1 else last_states


def run_layer(
    structure: Structure,
    weights: Mapping[str, Tensor],
    layer: LayerId,
    x: Tensor,
    first: tuple[Tensor, ...],
    lengths: Tensor | None,
) -> tuple[Tensor, tuple[Tensor, ...]]:
    """One layer and direction over what it reads (T, N, ·) and first states (N, ·): output (T, N, P) and last states.

    `weights` by torch's names. Beyond `lengths` (N,) states stay and the output is 0.
    """
    cell = structure.equations
    own = {one.name: weights[f"{one.name}_{layer.text}"] for one in cell.parameters}
    begin = dict(zip(cell.states, first, strict=True))
    output, last = _Scan(cell, own, structure.hidden_size, x).run(begin, layer, lengths)
    return output, tuple(last[name] for name in cell.states)


@dataclass(frozen=True)
class _Step:
    """A step of the plan with its weights put in."""

    operation: Operation | Affine
    reads: tuple[int, ...]
    weights: list[Tensor]
    slot: int
    blocks: tuple[int, ...]

    def compute(self, values: Sequence[Tensor]) -> Tensor:
        if isinstance(self.operation, Affine):
            return torch.addmm(values[0], values[1], self.weights[0].T)
        return cast(Tensor, self.operation.compute(TENSORS, values, self.weights))


class _Scan:
    """One layer and direction, after the plan of its cell."""

    def __init__(self, cell: Cell, weights: Mapping[str, Tensor], hidden: int, x: Tensor) -> None:
        self._cell, self._weights, self._hidden, self._plan = cell, weights, hidden, plan_of(cell)
        self._known: dict[str, Tensor] = {"x": x}  # (T, N, ·)
        for node in self._plan.beforehand:
            made = self._computed(node.operation)
            alone = not node.operation.values  # from weights alone: the same at every time step
            self._known[node.name] = made.expand(*x.shape[:-1], -1) if alone else made
        for one in self._plan.sums:
            self._known[one.name] = self._computed(one.sum)
        self._steps = [
            _Step(step.operation, step.reads, self._used(step.weights), step.slot, step.blocks)
            for step in self._plan.steps
        ]

    def run(
        self, first: Mapping[str, Tensor], layer: LayerId, lengths: Tensor | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Output (T, N, P) and last states (N, ·), from the first ones."""
        plan, time_steps = self._plan, len(self._known["x"])
        if not plan.steps:  # nothing depends on the time step before
            output = self._known[self._cell.output]
            if lengths is not None:
                inside = (torch.arange(time_steps)[:, None] < lengths)[:, :, None]
                output = torch.where(inside, output, torch.zeros_like(output))
            return output, {}
        slots: list[Tensor] = [torch.empty(0)] * plan.slots
        for slot, name in plan.constants:
            slots[slot] = self._known[name]
        rows = [(slot, self._read(value, self._known).unbind(0)) for slot, value in plan.rows]
        states, made = dict(first), list[Tensor]()
        for t in range(time_steps - 1, -1, -1) if layer.reverse else range(time_steps):
            for slot, row in rows:
                slots[slot] = row[t]
            for slot, value in plan.befores:
                slots[slot] = self._read(value, states)
            for step in self._steps:
                result = step.compute([slots[slot] for slot in step.reads])
                slots[step.slot] = result
                if step.blocks:
                    for slot, part in zip(step.blocks, torch.split(result, self._hidden, -1), strict=True):
                        slots[slot] = part
            new = {name: slots[plan.at[name]] for name in states}
            output = slots[plan.at[self._cell.output]]
            if lengths is not None:  # beyond a sequence's end its state stays and its output is 0
                inside = (t < lengths)[:, None]
                new = {name: torch.where(inside, tensor, states[name]) for name, tensor in new.items()}
                output = torch.where(inside, output, torch.zeros_like(output))
            states = new
            made.append(output)
        return torch.stack(made[::-1] if layer.reverse else made), states

    def _computed(self, operation: Operation) -> Tensor:
        """(T, N, ·) of all time steps."""
        read = [self._read(value, self._known) for value in operation.values]
        return cast(Tensor, operation.compute(TENSORS, read, self._used(operation.weights)))

    def _read(self, value: Value, values: Mapping[str, Tensor]) -> Tensor:
        tensor = values[value.name]
        return tensor[..., self._cell.block_rows(value.block, self._hidden)] if value.block else tensor

    def _used(self, weights: tuple[Weight, ...]) -> list[Tensor]:
        return [
            self._weights[one.name][self._cell.block_rows(one.block, self._hidden)]
            if one.block
            else self._weights[one.name]
            for one in weights
        ]
