"""What a recurrent module looks like: cell, sizes, depth and directions, with torch's parameter names."""

from dataclasses import dataclass
from typing import Literal

CellName = Literal["vanilla", "lstm", "gru"]
Activation = Literal["tanh", "relu", "sigmoid"]

BLOCKS: dict[CellName, int] = {"vanilla": 1, "lstm": 4, "gru": 3}  # how many (H, ·) blocks each weight stacks


@dataclass(frozen=True)
class Structure:
    """The shape of one `nn.RNN`, `nn.LSTM` or `nn.GRU` (or of a vanilla RNN with sigmoid, which torch lacks).

    `proj_size` is torch's for the LSTM: 0 means no projection, otherwise h has that many units.
    """

    cell: CellName
    input_size: int
    hidden_size: int
    num_layers: int = 1
    bidirectional: bool = False
    bias: bool = True
    activation: Activation = "tanh"  # of the vanilla cell; the others always use tanh
    proj_size: int = 0

    @property
    def directions(self) -> int:
        return 2 if self.bidirectional else 1

    @property
    def output_size(self) -> int:
        """Units of h in one direction: `proj_size` where there is one, else `hidden_size`."""
        return self.proj_size or self.hidden_size

    @property
    def layer_names(self) -> tuple[str, ...]:
        """torch's suffixes in torch's order: l0, l0_reverse, l1, …"""
        suffixes = ("", "_reverse") if self.bidirectional else ("",)
        return tuple(f"l{layer}{suffix}" for layer in range(self.num_layers) for suffix in suffixes)

    def layer_input_size(self, name: str) -> int:
        """Inputs of the layer called `name`: I for the first, all directions of the layer below for the others."""
        layer = int(name[1:].split("_")[0])
        return self.input_size if layer == 0 else self.output_size * self.directions

    def parameter_shapes(self) -> dict[str, tuple[int, ...]]:
        """torch's parameter names with their shapes, for example weight_hh_l0: (4H, H)."""
        rows = BLOCKS[self.cell] * self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        for name in self.layer_names:
            shapes[f"weight_ih_{name}"] = (rows, self.layer_input_size(name))
            shapes[f"weight_hh_{name}"] = (rows, self.output_size)
            if self.bias:
                shapes[f"bias_ih_{name}"] = (rows,)
                shapes[f"bias_hh_{name}"] = (rows,)
            if self.proj_size:
                shapes[f"weight_hr_{name}"] = (self.proj_size, self.hidden_size)
        return shapes
