"""Model settings: one model of an experiment, its cell, its sizes and what lies around its recurrent layers."""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from rnnviz.core.cells import cell_kind, cell_kinds
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import came
from rnnviz.core.setting import OneLine, OneOf, RealNumber, WholeNumber, setting
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Pooling
from rnnviz.core.sweeps.heads.pooling import POOLINGS


@dataclass(frozen=True)
class CellChoice:
    """The name of one of the cells there are."""

    @property
    def words(self) -> Mapping[str, str]:
        return {kind.name: kind.words for kind in cell_kinds().values()}

    @property
    def notes(self) -> Mapping[str, str]:
        """What each is and what it can and cannot, as markup."""
        return {kind.name: kind.note for kind in cell_kinds().values()}

    def check(self, value: str, source: str, key: str) -> None:
        known = cell_kinds()
        if value not in known:
            names = ", ".join(f'"{name}"' for name in known)
            near = difflib.get_close_matches(value, known, n=1)
            hint = f' (did you mean "{near[0]}"?)' if near else ""
            raise RnnvizError(f"{source}: {key} must be one of {names}, not {came(value)}{hint}.")

    def show(self, value: str) -> str:
        return self.words.get(value, value)


@dataclass(frozen=True)
class ModelSettings:
    """One model of the experiment: a recurrent module and a linear head."""

    name: str = field(
        metadata=setting(
            "Name",
            OneLine(200),
            "The model's name everywhere in the window",
            form=OneLine(40),
            subject="A model's name",
        )
    )
    cell: str = field(metadata=setting("Cell", CellChoice(), "The recurrent cell; needs a restart"))
    hidden_size: int = field(
        default=12,
        metadata=setting(
            "Hidden units",
            WholeNumber(1, 4096),
            "H, units of the hidden state; needs a restart",
            short="hidden units",
            step=1,
            slider=(1, 256),
        ),
    )
    num_layers: int = field(
        default=1,
        metadata=setting(
            "Layers",
            WholeNumber(1, 8),
            "Recurrent layers, stacked; needs a restart",
            short="layers",
            step=1,
        ),
    )
    bidirectional: bool = field(
        default=False,
        metadata=setting(
            "Direction",
            OneOf({False: "forward", True: "both"}),
            "Whether a second layer reads the sequence backwards; needs a restart",
            short="direction",
        ),
    )
    own: Any = None  # the settings of its cell, a record of its kind's type; None: all as usual
    pooling: Pooling = field(
        default="last",
        metadata=setting(
            "Head reads",
            OneOf({name: kind.short for name, kind in POOLINGS.items()}),
            "What the head reads of the outputs: that at the end, or their mean or maximum over all time steps up to "
            "then; needs a restart",
            short="what the head reads",
        ),
    )

    residual: bool = field(
        default=False,
        metadata=setting(
            "Residual",
            OneOf({False: "none", True: "around layers"}),
            "Whether each layer but the first adds what it reads to what it gives, so that gradients have a way around "
            "it; needs a restart",
            short="residual connections",
        ),
    )
    dropout: float = field(
        default=0.0,
        metadata=setting(
            "Dropout",
            RealNumber(0.0, 1.0, high_excluded=True),
            "Share of the outputs between two layers that are set to 0 in training, anew in each training step; the "
            "probe is read without; needs a restart",
            form=RealNumber(0.0, 0.9),
            short="dropout",
            zero="off",
            step="1-2-5",
            slider=(0.01, 0.9),
        ),
    )
    embedding: int = field(
        default=0,
        metadata=setting(
            "Embedding",
            WholeNumber(0, 4096),
            "E, learnt numbers that stand for each symbol, “one-hot” for a column of its own instead; needs a restart",
            short="embedding",
            zero="one-hot",
            step=1,
            slider=(1, 256),
        ),
    )
    convolution: int = field(
        default=0,
        metadata=setting(
            "Convolution",
            WholeNumber(0, 256),
            "C, learnt 3 × 3 kernels that a picture goes through before it is read (then ReLU, and the largest of each "
            "2 × 2), “pixels” to read it as it is; needs a restart",
            short="convolution",
            zero="pixels",
            step=1,
            slider=(1, 64),
        ),
    )
    attention: bool = field(
        default=False,
        metadata=setting(
            "Attention",
            OneOf({False: "none", True: "general"}),
            "Whether the decoder's head looks back at all outputs of the encoder (Luong 2015, general score); needs a "
            "restart",
            short="attention",
        ),
    )

    def __post_init__(self) -> None:
        if self.own is None and self.cell in cell_kinds():
            object.__setattr__(self, "own", cell_kind(self.cell).settings())

    def with_cell(self, cell: str) -> "ModelSettings":
        """With another cell; its own settings stay where both cells have the same."""
        kind = cell_kind(cell)
        own = self.own if type(self.own) is kind.settings else kind.settings()
        layers = 1 if kind.one_layer else self.num_layers
        both = self.bidirectional and not kind.one_direction
        return replace(self, cell=cell, own=own, num_layers=layers, bidirectional=both)

    def structure(self, inputs: int, outputs: int) -> Structure:
        """What its recurrent module looks like with so many columns in and out: that of the encoder where there is a
        decoder."""
        kind, read = cell_kind(self.cell), inputs
        if self.embedding:
            read = self.embedding
        elif self.convolution:
            read = self.convolution * (inputs // 4)  # of each 2 × 2 pixels the largest
        return Structure(
            cell=self.cell,
            input_size=read,
            hidden_size=self.hidden_size,
            num_layers=self.num_layers,
            bidirectional=self.bidirectional,
            activation=getattr(self.own, "activation", "tanh") if kind.activations else "tanh",
            proj_size=outputs if kind.reads_out else 0,
            window=getattr(self.own, "window", 1),
            residual=self.residual and self.num_layers > 1,
        )

    def decoder(self, outputs: int) -> Structure:
        """What the decoder's recurrent module looks like: of the same cell, units and layers, and one direction."""
        read = self.embedding or outputs + 1
        return replace(self.structure(1, outputs), input_size=read, bidirectional=False)

    def with_own(self, key: str, value: Any) -> "ModelSettings":
        """With one of its cell's own settings changed."""
        return replace(self, own=replace(self.own, **{key: value}))
