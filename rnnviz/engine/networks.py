"""The networks that are trained: torch's recurrent modules and a linear head, initialised from their own seed."""

import math
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.core.cells import Activation, cell_kind
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import ModelSettings
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Pooling
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.fused import FUSED, FUSED_CELLS, fused_name
from rnnviz.engine.layered import Given, run_module, zeros
from rnnviz.engine.pooling import pooled, pooled_at_end
from rnnviz.engine.what_came import what_came


class SequenceModel(nn.Module):
    """A recurrent module and a head, which reads its outputs as they are or pooled over time, and has weights or none;
    state-dict names "recurrent.weight_ih_l0", …, "head.weight"."""

    def __init__(
        self, structure: Structure, recurrent: nn.Module, head: nn.Linear | nn.Identity, pooling: Pooling = "last"
    ) -> None:
        super().__init__()
        self.structure = structure
        self.recurrent = recurrent
        self.head = head
        self.pooling = pooling

    def states(self, inputs: Tensor) -> Tensor:
        """(T, N, I) of whole sequences → output of the recurrent module (T, N, D·H), from a zero initial state."""
        if not self.structure.residual:
            return cast(Tensor, self.recurrent(inputs)[0])
        return run_module(self.recurrent, self.structure, inputs, Given(zeros(self.structure, inputs)))[0]

    def predictions(self, states: Tensor) -> Tensor:
        """(T, N, D·H) → predictions at every time step (T, N, V)."""
        return cast(Tensor, self.head(pooled(states, self.pooling)))

    def last_prediction(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(T, N, D·H) → that of the last time step of each sequence alone (N, V)."""
        return cast(Tensor, self.head(pooled_at_end(states, self.pooling, lengths)))

    def forward(self, inputs: Tensor) -> Tensor:
        """(T, N, I) → predictions at every time step (T, N, V)."""
        return self.predictions(self.states(inputs))


def build(settings: ModelSettings, input_size: int, output_size: int, seed: int) -> SequenceModel:
    """The model of `settings`, with the initial distributions of its cell drawn from `seed` alone.

    The weights of the head are uniform in ±1/√(D·H), as torch's. What the cell's own settings make of these numbers,
    such as an LSTM's forget bias, comes afterwards. torch's global generator is neither read nor moved.
    """
    structure = settings.structure(input_size, output_size)
    recurrent = plain_module(structure, torch.float32)
    width = structure.directions * structure.output_size
    reads_out = cell_kind(settings.cell).reads_out
    head = nn.Identity() if reads_out else cast(nn.Linear, _unset(nn.Linear, width, output_size))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        _draw(recurrent, structure, generator)
        for parameter in head.parameters():
            parameter.uniform_(-1 / math.sqrt(width), 1 / math.sqrt(width), generator=generator)
        _begin(recurrent, structure, settings, seed)
    return SequenceModel(structure, recurrent, head, settings.pooling)


def plain_module(structure: Structure, dtype: torch.dtype) -> nn.Module:
    """The module of this structure, torch's own where it has one, time-major, without dropout, its weights not yet set.

    torch's global generator is not moved, as a constructor with initialisation would.
    """
    name = fused_name(structure)
    if name is None:
        return CellModule(structure, dtype)
    options: dict[str, object] = {}
    if cell_kind(structure.cell).activations:
        options["nonlinearity"] = structure.activation
    if structure.proj_size:
        options["proj_size"] = structure.proj_size
    return _unset(
        getattr(nn, name),
        structure.input_size,
        structure.hidden_size,
        num_layers=structure.num_layers,
        bias=structure.bias,
        bidirectional=structure.bidirectional,
        dtype=dtype,
        **options,
    )


def structure_of(module: nn.Module) -> Structure:
    """The structure of an `nn.RNN`, `nn.LSTM`, `nn.GRU`, one of their Cells, or of our CellModule.

    Raises RnnvizError for any other module, naming its part to pass if it has one, and for a subclass with its own
    forward, whose equations are not known.
    """
    structure = _known_structure(module)
    if structure is not None:
        return structure
    came = what_came(module, lambda part: _known_structure(part) is not None)
    raise RnnvizError(
        f"The module: wanted torch's nn.RNN, nn.LSTM, nn.GRU or one of their Cells with torch's own forward, {came}."
    )


def _known_structure(module: nn.Module) -> Structure | None:
    """None for a module whose equations are not known."""
    if isinstance(module, CellModule):
        return module.structure
    for cell, name in FUSED_CELLS.items():
        whole, single = getattr(nn, name), getattr(nn, f"{name}Cell")
        if isinstance(module, nn.RNNBase) and isinstance(module, whole) and type(module).forward is whole.forward:
            return Structure(
                cell=cell,
                input_size=module.input_size,
                hidden_size=module.hidden_size,
                num_layers=module.num_layers,
                bidirectional=module.bidirectional,
                bias=module.bias,
                activation=_activation(cell, module.mode.removeprefix("RNN_").lower()),
                proj_size=module.proj_size,
            )
        if isinstance(module, nn.RNNCellBase) and isinstance(module, single) and type(module).forward is single.forward:
            activation = _activation(cell, str(getattr(module, "nonlinearity", "")))
            return Structure(cell, module.input_size, module.hidden_size, 1, False, module.bias, activation)
    return None


def is_cell(module: nn.Module) -> bool:
    """Whether `module` is one of torch's Cells, which computes one time step a call."""
    return isinstance(module, nn.RNNCellBase)


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _unset(kind: type[nn.Module], *sizes: int, **options: object) -> nn.Module:
    # On the meta device the constructor's own initialisation has nothing to fill and draws no random numbers.
    return kind(*sizes, device="meta", **options).to_empty(device="cpu")


def _activation(cell: str, name: str) -> Activation:
    """What torch calls a module's nonlinearity, where its cell has more than one."""
    known = [activation for one, activation in FUSED if one == cell]
    if len(known) == 1:
        return known[0]
    for activation in known:
        if activation == name:
            return activation
    raise RnnvizError(f"The module's nonlinearity: wanted {' or '.join(known)}, got {name!r}.")


def _draw(module: nn.Module, structure: Structure, generator: torch.Generator) -> None:
    """Each parameter from its own distribution, in torch's order."""
    for layer in structure.layer_names:
        for parameter in structure.equations.parameters:
            bound = parameter.initial.bound(structure.hidden_size)
            module.get_parameter(f"{parameter.name}_{layer}").uniform_(-bound, bound, generator=generator)


def _begin(module: nn.Module, structure: Structure, settings: ModelSettings, seed: int) -> None:
    """Puts in what the cell's own settings make of the weights that were drawn, layer by layer."""
    kind, random = cell_kind(structure.cell), np.random.default_rng(seed)
    if kind.begin is None:
        return
    cell, hidden = structure.equations, structure.hidden_size
    rows = {block: cell.block_rows(block, hidden) for block in cell.blocks}
    for layer in structure.layer_names:
        own = {one.name: module.get_parameter(f"{one.name}_{layer}") for one in cell.parameters}
        weights = {name: parameter.detach().numpy().astype(np.float64) for name, parameter in own.items()}
        drawn = Drawn(hidden, rows, weights, random)
        for name, values in kind.begin(settings.own, drawn).items():
            own[name].copy_(torch.from_numpy(values))
