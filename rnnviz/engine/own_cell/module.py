"""Own cell module: a person's `forward(x_t, state)` unrolled over time, with the layout of torch's own modules."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from rnnviz.core.cells.own import check_parts
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.own_cell.loading import drawn_from, made_cell
from rnnviz.engine.own_cell.probing import Probing
from rnnviz.engine.own_cell.running import BACK, Kept, running
from rnnviz.engine.own_cell.stepper import States, Stepper

State = Tensor | tuple[Tensor, ...]


@dataclass
class KeptPass:
    """The tensors of every time step of a whole pass, as autograd knows them."""

    inputs: list[Tensor] = field(default_factory=list)  # (N, I)
    before: list[States] = field(default_factory=list)
    after: list[States] = field(default_factory=list)  # as the person's code gave them
    lengths: Tensor | None = None


class OwnCellModule(nn.Module):
    """A recurrent module of one layer; its parameters are the person's own, by their names with _ for each dot.

    What runs the person's code raises RnnvizError with file and line.
    """

    def __init__(self, structure: Structure, file: str, seed: int) -> None:
        """`structure` without the parts of the cell, which the file tells. `seed`: what its weights are drawn from."""
        super().__init__()
        kept = Kept(file)
        cell, digest = made_cell(file, structure.input_size, structure.hidden_size, seed, kept)
        self.stepper = Stepper(cell, file, kept)  # no submodule: its parameters stand under names of ours
        self.passes: list[KeptPass] = []  # while `recording`
        parameters = _parameters(cell, file)
        with drawn_from(seed):
            parts = Probing(self.stepper, structure).parts()
        shapes = tuple((name, tuple(one.shape)) for name, one in parameters.items())
        parts = replace(parts, parameters=shapes, digest=digest, called=type(cell).__name__)
        check_parts(parts, structure.hidden_size, file)
        self.structure = replace(structure, own=parts)
        for name, one in parameters.items():
            self.register_parameter(f"{name}_l0", one)
        self._units = dict(parts.states)

    @property
    def note(self) -> str:
        """What is said of a file that prints; "" of one that does not."""
        return self.stepper.note

    def double(self) -> "OwnCellModule":
        """In float64, its own buffers too."""
        self.stepper.cell.double()
        return self

    def forward(self, inputs: Tensor | PackedSequence, state: State | None = None) -> tuple[Any, State]:
        """(T, N, I) or packed sequences, first states (1, N, ·) → output (T, N, H), last states (1, N, ·)."""
        given: States = () if state is None else (state,) if isinstance(state, Tensor) else tuple(state)
        if isinstance(inputs, PackedSequence):
            padded, lengths = pad_packed_sequence(inputs)
            output, states = self.run(padded, given, lengths)
            return pack_padded_sequence(output, lengths, enforce_sorted=False), _alone(states)
        output, states = self.run(inputs, given)
        return output, _alone(states)

    def run(
        self, inputs: Tensor, given: States = (), lengths: Tensor | None = None, cut: Tensor | None = None
    ) -> tuple[Tensor, States]:
        """(T, N, I), first states (1, N, ·), () for zeros → output (T, N, H), last states (1, N, ·); `cut` (T,): where
        nothing is carried back to the states from the time step after."""
        sequences = inputs.shape[1]
        states = tuple(one[0] for one in given) or tuple(inputs.new_zeros(sequences, n) for n in self._units.values())
        keeping = self.passes[-1] if self.passes else None
        if keeping is not None:
            keeping.lengths = lengths
            inputs = inputs if inputs.requires_grad else inputs.clone().requires_grad_()
        outputs = list[Tensor]()
        for t, x in enumerate(inputs.unbind(0)):
            if t and cut is not None and bool(cut[t - 1]):
                states = tuple(one.detach() for one in states)
            if keeping is not None:  # tensors of its own, whose gradient is what this time step sends back
                states = tuple(one.clone().requires_grad_() for one in states)
            new = self.stepper.step(x, states)
            if keeping is not None:
                keeping.inputs.append(x)
                keeping.before.append(states)
                keeping.after.append(new)
            output = new[0]
            if lengths is not None:  # beyond a sequence's end its state stays and its output is 0
                inside = (t < lengths)[:, None]
                new = tuple(torch.where(inside, one, before) for one, before in zip(new, states, strict=True))
                output = torch.where(inside, output, torch.zeros_like(output))
            states = new
            outputs.append(output)
        return torch.stack(outputs), tuple(one[None] for one in states)

    @contextmanager
    def recording(self) -> Iterator[KeptPass]:
        """While a pass is made whose tensors are kept."""
        self.passes.append(KeptPass())
        try:
            yield self.passes[-1]
        finally:
            self.passes.pop()


def going_back(model: nn.Module) -> Callable[[Tensor], None]:
    """What `backward` of a model's loss is; what a person's code raises in it becomes an RnnvizError."""
    own = next((one for one in model.modules() if isinstance(one, OwnCellModule)), None)
    if own is None:
        return Tensor.backward
    stepper = own.stepper

    def back(loss: Tensor) -> None:
        with running(stepper.file, BACK, stepper.kept):
            loss.backward()  # type: ignore[no-untyped-call]

    return back


def _alone(states: States) -> State:
    """As torch has them: alone where there is one."""
    return states[0] if len(states) == 1 else states


def _parameters(cell: nn.Module, file: str) -> dict[str, nn.Parameter]:
    """By names that are identifiers; RnnvizError for none, or of another kind than float32."""
    found = dict[str, nn.Parameter]()
    for name, one in cell.named_parameters():
        if is_lazy(one):
            raise RnnvizError(f"{file}: the parameter {name} must have its size once the cell is made, not later.")
        plain = name.replace(".", "_")
        while plain in found:
            plain += "_"
        if one.dtype != torch.float32 or one.device.type != "cpu" or not one.requires_grad or not one.numel():
            raise RnnvizError(f"{file}: the parameter {name} must be float32, on the CPU, and one that is learnt.")
        found[plain] = one
    if not found:
        raise RnnvizError(f"{file}: the cell has no parameters; wanted at least one nn.Parameter to learn.")
    return found
