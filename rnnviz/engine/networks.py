"""The networks that are trained: torch's recurrent modules and a linear head, initialised from their own seed."""

import math
from dataclasses import dataclass
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.core.cells import OWN, Activation, cell_kind
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.forms import reads_whole
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.sizes import DECODER, KERNEL
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Pooling
from rnnviz.core.tasks import TaskSettings
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.decoding import AttentionModule, BridgeModule
from rnnviz.engine.fronts import ConvolutionFront, EmbeddingFront, Front
from rnnviz.engine.fused import FUSED, FUSED_CELLS, fused_name
from rnnviz.engine.layered import Given, run_module, zeros
from rnnviz.engine.own_cell.module import OwnCellModule
from rnnviz.engine.pooling import pooled, pooled_at_end
from rnnviz.engine.what_came import what_came


@dataclass(frozen=True)
class DecoderParts:
    """What a model with a decoder has beside its encoder."""

    structure: Structure
    recurrent: nn.Module
    front: EmbeddingFront | None  # its own table, where its inputs are embedded
    bridge: BridgeModule | None  # where its encoder reads in both directions
    attention: AttentionModule | None


class SequenceModel(nn.Module):
    """A recurrent module and a head, which reads its outputs as they are or pooled over time, and has weights or none;
    with a decoder, where there is one, whose outputs the head reads then. State-dict names "recurrent.weight_ih_l0",
    …, "head.weight", and "front.weight", "decoder.weight_ih_l0", "decoder_front.weight", "bridge.weight_h",
    "attention.score"."""

    def __init__(
        self,
        structure: Structure,
        recurrent: nn.Module,
        head: nn.Linear | nn.Identity,
        pooling: Pooling = "last",
        front: Front | None = None,
        decoding: DecoderParts | None = None,
    ) -> None:
        super().__init__()
        self.structure = structure
        self.decoder_structure = None if decoding is None else decoding.structure
        self.front = front
        self.recurrent = recurrent
        self.decoder = None if decoding is None else decoding.recurrent
        self.decoder_front = None if decoding is None else decoding.front
        self.bridge = None if decoding is None else decoding.bridge
        self.attention = None if decoding is None else decoding.attention
        self.head = head
        self.pooling = pooling

    @property
    def modules_by_name(self) -> dict[str, tuple[Structure, nn.Module]]:
        """Its recurrent modules in the order in which they are called; the first has no name."""
        found = {"": (self.structure, self.recurrent)}
        if self.decoder is not None and self.decoder_structure is not None:
            found[DECODER] = (self.decoder_structure, self.decoder)
        return found

    def read_in(self, inputs: Tensor) -> Tensor:
        """(T, N, I) of the task → what the recurrent module reads."""
        return inputs if self.front is None else self.front(inputs)

    def states(self, inputs: Tensor) -> Tensor:
        """(T, N, I) of whole sequences → output of the recurrent module (T, N, D·H), from a zero initial state."""
        inputs = self.read_in(inputs)
        if not self.structure.residual:
            return cast(Tensor, self.recurrent(inputs)[0])
        return run_module(self.recurrent, self.structure, inputs, Given(zeros(self.structure, inputs)))[0]

    def handed_over(self, final: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """The encoder's final states → the decoder's first ones."""
        return final if self.bridge is None else cast(tuple[Tensor, ...], self.bridge(final))

    def answers(self, states: Tensor, read: Tensor, lengths: Tensor | None) -> Tensor:
        """The decoder's outputs (U, N, H), the encoder's (S, N, D·H) → predictions (U, N, V)."""
        return self.predictions(states if self.attention is None else self.attention(states, read, lengths))

    def predictions(self, states: Tensor) -> Tensor:
        """(T, N, D·H) → predictions at every time step (T, N, V)."""
        return cast(Tensor, self.head(pooled(states, self.pooling)))

    def last_prediction(self, states: Tensor, lengths: Tensor | None = None) -> Tensor:
        """(T, N, D·H) → that of the last time step of each sequence alone (N, V)."""
        return cast(Tensor, self.head(pooled_at_end(states, self.pooling, lengths)))

    def forward(self, inputs: Tensor) -> Tensor:
        """(T, N, I) → predictions at every time step (T, N, V)."""
        return self.predictions(self.states(inputs))


def build(
    settings: ModelSettings, input_size: int, output_size: int, seed: int, task: TaskSettings | None = None
) -> SequenceModel:
    """The model of `settings` for `task`, with the initial distributions of its cell drawn from `seed` alone.

    The weights of the head are uniform in ±1/√(D·H), as torch's, and so those of bridge, attention and convolution by
    what each reads; embeddings are standard normal. What the cell's own settings make of these numbers, such as an
    LSTM's forget bias, comes afterwards. torch's global generator is neither read nor moved.
    """
    structure = settings.structure(input_size, output_size)
    if settings.cell == OWN.name:
        own = OwnCellModule(structure, settings.own.file, seed)
        recurrent: nn.Module = own
        structure = own.structure
    else:
        recurrent = plain_module(structure, torch.float32)
    decodes = task is not None and reads_whole(task)
    width = structure.output_size * (1 if decodes else structure.directions)
    reads_out = cell_kind(settings.cell).reads_out
    head = nn.Identity() if reads_out else cast(nn.Linear, _unset(nn.Linear, width, output_size))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        if settings.cell != OWN.name:  # whose constructor has drawn its own
            _draw(recurrent, structure, generator)
        for parameter in head.parameters():
            _uniform(parameter, width, generator)
        _begin(recurrent, structure, settings, np.random.default_rng(seed))
        front = _front(settings, input_size, None if task is None else task.picture, generator)
        decoding = _decoding(settings, structure, output_size, seed, generator) if decodes else None
    return SequenceModel(structure, recurrent, head, settings.pooling, front, decoding)


def _front(
    settings: ModelSettings, inputs: int, picture: tuple[int, int] | None, generator: torch.Generator
) -> Front | None:
    """What stands before the recurrent module, its weights drawn."""
    if settings.embedding:
        return _table(inputs, settings.embedding, generator)
    if not settings.convolution or picture is None:
        return None
    made = ConvolutionFront(settings.convolution, picture, KERNEL)
    _uniform(made.weight, math.prod(KERNEL), generator)
    return made


def _decoding(
    settings: ModelSettings, encoder: Structure, outputs: int, seed: int, generator: torch.Generator
) -> DecoderParts:
    """The decoder and what lies between it and its encoder, all weights drawn."""
    structure = settings.decoder(outputs)
    recurrent = plain_module(structure, torch.float32)
    _draw(recurrent, structure, generator)
    _begin(recurrent, structure, settings, np.random.default_rng([seed, 1]))
    front = _table(outputs + 1, settings.embedding, generator) if settings.embedding else None
    bridge = attention = None
    if encoder.bidirectional:
        units = [(state, structure.units(state)) for state in structure.equations.states]
        bridge = BridgeModule(units, structure.num_layers)
        for state, size in units:
            for parameter in (bridge.weight(state), bridge.bias(state)):
                _uniform(parameter, 2 * size, generator)
    if settings.attention:
        attention = AttentionModule(structure.output_size, encoder.directions * encoder.output_size)
        for parameter in attention.parameters():
            _uniform(parameter, parameter.shape[1], generator)
    return DecoderParts(structure, recurrent, front, bridge, attention)


def _table(symbols: int, size: int, generator: torch.Generator) -> EmbeddingFront:
    made = EmbeddingFront(symbols, size)
    made.weight.normal_(generator=generator)
    return made


def _uniform(parameter: Tensor, width: int, generator: torch.Generator) -> None:
    """In ±1/√width."""
    parameter.uniform_(-1 / math.sqrt(width), 1 / math.sqrt(width), generator=generator)


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


def _begin(module: nn.Module, structure: Structure, settings: ModelSettings, random: np.random.Generator) -> None:
    """Puts in what the cell's own settings make of the weights that were drawn, layer by layer."""
    kind = cell_kind(structure.cell)
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
