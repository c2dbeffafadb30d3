"""Cell module: any cell's nodes evaluated on tensors and unrolled in Python, for the cells that torch lacks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.nn.functional import linear
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Matrix, Numbers, Operation, Sum, Value
from rnnviz.core.structure import LayerId, Structure

State = Tensor | tuple[Tensor, ...]  # alone where a cell has one state, as torch has it


class TensorNumbers:
    """`Numbers` of torch."""

    def sigmoid(self, a: Tensor) -> Tensor:
        return torch.sigmoid(a)

    def tanh(self, a: Tensor) -> Tensor:
        return torch.tanh(a)

    def relu(self, a: Tensor) -> Tensor:
        return torch.relu(a)

    def times(self, value: Tensor, weight: Tensor) -> Tensor:
        return linear(value, weight)


TENSORS = TensorNumbers()


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
        output, below = inputs, list[Tensor]()
        lasts: dict[str, list[Tensor]] = {name: [] for name in cell.states}
        for number, layer in enumerate(structure.layer_ids):
            first = {name: tensor[number] for name, tensor in zip(cell.states, given, strict=True)}
            weights = {one.name: self.get_parameter(f"{one.name}_{layer.text}") for one in cell.parameters}
            made, last = _Scan(cell, weights, structure.hidden_size, output).run(first, layer, lengths)
            below.append(made)
            for name, tensor in last.items():
                lasts[name].append(tensor)
            if len(below) == structure.directions:
                output, below = torch.cat(below, dim=-1) if len(below) > 1 else below[0], []
        last_states = tuple(torch.stack(tensors) for tensors in lasts.values())
        return output, last_states[0] if len(last_states) == 1 else last_states


class _Affine:
    """A product of a matrix added to what is known."""

    def compute(self, numbers: Numbers, values: Sequence[Tensor], weights: Sequence[Tensor]) -> Tensor:
        return torch.addmm(values[0], values[1], weights[0].T)


@dataclass
class _Step:
    """One node of a time step: where its values stand among the slots, and where its own goes."""

    name: str
    operation: Operation | _Affine
    reads: list[int]
    weights: list[Tensor]
    slot: int
    blocks: list[int] = field(default_factory=list)  # the slots of its blocks, if any are read


class _Scan:
    """One layer and direction: what depends on x alone for all time steps at once, the rest one after the other.

    Every value that is read has a slot in a list. The part of a sum that is known for all time steps is added up
    beforehand, and a value that is read block by block is split once.
    """

    def __init__(self, cell: Cell, weights: Mapping[str, Tensor], hidden: int, x: Tensor) -> None:
        self._cell, self._weights, self._hidden = cell, weights, hidden
        self._slots: dict[Value, int] = {}
        self._whole: dict[str, Tensor] = {"x": x}  # (T, N, ·)
        self._rows: dict[int, Sequence[Tensor]] = {}  # by slot what is known of every time step
        self._constant: dict[int, Tensor] = {}
        self._steps: list[_Step] = []
        for node in cell.nodes:
            used = [self._weight(one.name, one.block) for one in node.operation.weights]
            if node.name not in cell.recurrent:
                read = [self._known(value) for value in node.operation.values]
                self._whole[node.name] = node.operation.compute(TENSORS, read, used)
            else:
                self._steps.append(self._step(node.name, node.operation, used))
        for step in self._steps:  # now that all reads have their slots
            blocks = [Value(step.name, block=block) for block in cell.blocks]
            if any(value in self._slots for value in blocks):
                step.blocks = [self._slot(value) for value in blocks]
        self._own = {name: self._slot(Value(name)) for name in (*cell.states, cell.output)}
        for value, slot in self._slots.items():
            if not value.before and value.name in self._whole:
                self._rows[slot] = self._known(value).unbind(0)

    def run(
        self, first: Mapping[str, Tensor], layer: LayerId, lengths: Tensor | None
    ) -> tuple[Tensor, Mapping[str, Tensor]]:
        """Output (T, N, P) and last states (N, ·), from the first ones."""
        cell, time_steps = self._cell, len(self._whole["x"])
        slots: list[Tensor] = [torch.empty(0)] * len(self._slots)
        for slot, tensor in self._constant.items():
            slots[slot] = tensor
        befores = [(value, slot) for value, slot in self._slots.items() if value.before]
        states, made = dict(first), list[Tensor]()
        order = range(time_steps - 1, -1, -1) if layer.reverse else range(time_steps)
        for t in order:
            for slot, rows in self._rows.items():
                slots[slot] = rows[t]
            for value, slot in befores:
                slots[slot] = self._block(states[value.name], value.block)
            for step in self._steps:
                value = step.operation.compute(TENSORS, [slots[slot] for slot in step.reads], step.weights)
                slots[step.slot] = value
                if step.blocks:
                    for slot, part in zip(step.blocks, torch.split(value, self._hidden, -1), strict=True):
                        slots[slot] = part
            new = {name: slots[self._own[name]] for name in states}
            output = slots[self._own[cell.output]]
            if lengths is not None:  # beyond a sequence's end its state stays and its output is 0
                inside = (t < lengths)[:, None]
                new = {name: torch.where(inside, tensor, states[name]) for name, tensor in new.items()}
                output = torch.where(inside, output, torch.zeros_like(output))
            states = new
            made.append(output)
        return torch.stack(made[::-1] if layer.reverse else made), states

    def _slot(self, value: Value) -> int:
        return self._slots.setdefault(value, len(self._slots))

    def _weight(self, name: str, block: str) -> Tensor:
        weight = self._weights[name]
        return weight[self._cell.block_rows(block, self._hidden)] if block else weight

    def _block(self, tensor: Tensor, block: str) -> Tensor:
        return tensor[..., self._cell.block_rows(block, self._hidden)] if block else tensor

    def _known(self, value: Value) -> Tensor:
        """(T, N, ·) what is known of all time steps."""
        return self._block(self._whole[value.name], value.block)

    def _step(self, name: str, operation: Operation, used: list[Tensor]) -> _Step:
        values = operation.values
        if isinstance(operation, Sum):
            known = tuple(value for value in values if not value.before and value.name in self._whole)
            rest = tuple(value for value in values if value not in known)
            if known or used:
                values = (Value(f"known of {name}"), *rest)
                total = Sum((*known, *operation.weights)).compute(
                    TENSORS, [self._known(value) for value in known], used
                )
                if known:
                    self._whole[values[0].name] = total
                else:
                    self._constant[self._slot(values[0])] = total
                operation, used = Sum(values), []
                product = self._only_product(rest)
                if product is not None:
                    self._steps.remove(product)
                    return _Step(
                        name,
                        _Affine(),
                        [self._slot(values[0]), *product.reads],
                        product.weights,
                        self._slot(Value(name)),
                    )
        return _Step(name, operation, [self._slot(value) for value in values], used, self._slot(Value(name)))

    def _only_product(self, rest: tuple[Value, ...]) -> _Step | None:
        """The matrix product that is all the rest of a sum and is read nowhere else, so that both are one call."""
        if len(rest) != 1 or rest[0].block or rest[0].before or len(self._cell.uses[rest[0].name]) > 1:
            return None
        if rest[0].name in (*self._cell.states, self._cell.output):
            return None
        if not isinstance(self._cell.node(rest[0].name).operation, Matrix):
            return None
        return next(step for step in self._steps if step.name == rest[0].name)
