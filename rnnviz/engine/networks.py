"""The networks that are trained: torch's recurrent modules and a linear readout, initialised from their own seed."""

import math
from typing import cast

import torch
from torch import Tensor, nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import ModelSettings
from rnnviz.core.structure import Activation, CellName, Structure

_MODULES: dict[CellName, type[nn.RNN] | type[nn.LSTM] | type[nn.GRU]] = {
    "vanilla": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
}
_CELLS: dict[CellName, type[nn.RNNCell] | type[nn.LSTMCell] | type[nn.GRUCell]] = {
    "vanilla": nn.RNNCell,
    "lstm": nn.LSTMCell,
    "gru": nn.GRUCell,
}


class SigmoidRNN(nn.Module):
    """h_t = σ(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), unrolled in Python: torch has no fused vanilla RNN with sigmoid.

    Parameter names, shapes, order, input and output layouts are those of a time-major `nn.RNN`.
    """

    def __init__(self, structure: Structure, dtype: torch.dtype = torch.float32) -> None:
        super().__init__()
        self.structure = structure
        for name, shape in structure.parameter_shapes().items():
            self.register_parameter(name, nn.Parameter(torch.zeros(shape, dtype=dtype)))

    def forward(self, inputs: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """(T, N, I), (layers·D, N, H) → output (T, N, D·H), last hidden states (layers·D, N, H)."""
        structure = self.structure
        if state is None:
            state = inputs.new_zeros(len(structure.layer_names), inputs.shape[1], structure.hidden_size)
        output, last = inputs, []
        for layer in range(structure.num_layers):
            first = layer * structure.directions
            names = structure.layer_names[first : first + structure.directions]
            directions = [self._direction(output, state[first + d], name) for d, name in enumerate(names)]
            output = torch.cat([hidden for hidden, _ in directions], dim=-1)
            last += [final for _, final in directions]
        return output, torch.stack(last)

    def _direction(self, inputs: Tensor, h: Tensor, name: str) -> tuple[Tensor, Tensor]:
        weight_ih, weight_hh = self.get_parameter(f"weight_ih_{name}"), self.get_parameter(f"weight_hh_{name}")
        from_inputs = inputs @ weight_ih.T  # (T, N, H)
        if self.structure.bias:
            from_inputs = from_inputs + self.get_parameter(f"bias_ih_{name}") + self.get_parameter(f"bias_hh_{name}")
        backwards = name.endswith("_reverse")
        states: list[Tensor] = []
        for a in reversed(from_inputs.unbind(0)) if backwards else from_inputs.unbind(0):
            h = torch.sigmoid(torch.addmm(a, h, weight_hh.T))
            states.append(h)
        return torch.stack(states[::-1] if backwards else states), h


class SequenceModel(nn.Module):
    """A recurrent module and a linear readout; state-dict names "recurrent.weight_ih_l0", …, "head.weight"."""

    def __init__(self, recurrent: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.recurrent = recurrent
        self.head = head

    def states(self, inputs: Tensor) -> Tensor:
        """(T, N, I) → output of the recurrent module (T, N, D·H), from a zero initial state."""
        return cast(Tensor, self.recurrent(inputs)[0])

    def forward(self, inputs: Tensor) -> Tensor:
        """(T, N, I) → predictions at every time step (T, N, V)."""
        return cast(Tensor, self.head(self.states(inputs)))


def build(settings: ModelSettings, input_size: int, output_size: int, seed: int) -> SequenceModel:
    """The model of `settings`, with torch's own initial distributions drawn from `seed` alone.

    All weights of the recurrent module are uniform in ±1/√H, those of the readout in ±1/√(D·H); an LSTM's forget bias
    is then added to the forget-gate part of bias_ih. torch's global generator is neither read nor moved.
    """
    structure = Structure(
        cell=settings.cell,
        input_size=input_size,
        hidden_size=settings.hidden_size,
        num_layers=settings.num_layers,
        bidirectional=settings.bidirectional,
        activation=settings.activation if settings.cell == "vanilla" else "tanh",
    )
    recurrent = plain_module(structure, torch.float32)
    width = structure.directions * structure.output_size
    head = cast(nn.Linear, _unset(nn.Linear, width, output_size))
    generator = torch.Generator().manual_seed(seed)
    _fill_uniform(recurrent, 1 / math.sqrt(structure.hidden_size), generator)
    _fill_uniform(head, 1 / math.sqrt(width), generator)
    if settings.cell == "lstm":
        _add_forget_bias(recurrent, structure, settings.forget_bias)
    return SequenceModel(recurrent, head)


def plain_module(structure: Structure, dtype: torch.dtype) -> nn.Module:
    """torch's module of this structure, time-major, without dropout, its weights not yet set.

    torch's global generator is not moved, as a constructor with initialisation would.
    """
    if structure.cell == "vanilla" and structure.activation == "sigmoid":
        return SigmoidRNN(structure, dtype)
    options: dict[str, object] = {}
    if structure.cell == "vanilla":
        options["nonlinearity"] = structure.activation
    if structure.proj_size:
        options["proj_size"] = structure.proj_size
    return _unset(
        _MODULES[structure.cell],
        structure.input_size,
        structure.hidden_size,
        num_layers=structure.num_layers,
        bias=structure.bias,
        bidirectional=structure.bidirectional,
        dtype=dtype,
        **options,
    )


def structure_of(module: nn.Module) -> Structure:
    """The structure of an `nn.RNN`, `nn.LSTM`, `nn.GRU`, one of their Cells, or of our SigmoidRNN.

    Raises RnnvizError for any other module and for a subclass with its own forward, whose equations are not known.
    """
    if isinstance(module, SigmoidRNN):
        return module.structure
    for cell, kind in _MODULES.items():
        if isinstance(module, kind) and type(module).forward is kind.forward:
            return Structure(
                cell=cell,
                input_size=module.input_size,
                hidden_size=module.hidden_size,
                num_layers=module.num_layers,
                bidirectional=module.bidirectional,
                bias=module.bias,
                activation=_activation(module.mode.removeprefix("RNN_").lower()) if cell == "vanilla" else "tanh",
                proj_size=module.proj_size,
            )
    for cell, single in _CELLS.items():
        if isinstance(module, single) and type(module).forward is single.forward:
            activation = str(module.nonlinearity) if isinstance(module, nn.RNNCell) else "tanh"
            return Structure(
                cell, module.input_size, module.hidden_size, 1, False, module.bias, _activation(activation)
            )
    raise RnnvizError(
        f"The module: wanted torch's nn.RNN, nn.LSTM, nn.GRU or one of their Cells with torch's own forward, "
        f"came {type(module).__module__}.{type(module).__qualname__}."
    )


def is_cell(module: nn.Module) -> bool:
    """Whether `module` is one of torch's Cells, which computes one time step a call."""
    return isinstance(module, nn.RNNCellBase)


def parameter_count(model: nn.Module) -> int:
    return sum(parameter.numel() for parameter in model.parameters())


def _unset(kind: type[nn.Module], *sizes: int, **options: object) -> nn.Module:
    # On the meta device the constructor's own initialisation has nothing to fill and draws no random numbers.
    return kind(*sizes, device="meta", **options).to_empty(device="cpu")


def _activation(name: str) -> Activation:
    if name not in ("tanh", "relu"):
        raise RnnvizError(f"The module's nonlinearity: wanted tanh or relu, came {name!r}.")
    return cast(Activation, name)


def _fill_uniform(module: nn.Module, bound: float, generator: torch.Generator) -> None:
    with torch.no_grad():
        for parameter in module.parameters():
            parameter.uniform_(-bound, bound, generator=generator)


def _add_forget_bias(module: nn.Module, structure: Structure, forget_bias: float) -> None:
    hidden = structure.hidden_size
    with torch.no_grad():
        for name in structure.layer_names:
            module.get_parameter(f"bias_ih_{name}")[hidden : 2 * hidden] += forget_bias
