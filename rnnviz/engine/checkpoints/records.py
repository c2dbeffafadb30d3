"""Checkpoint records: recurrent modules as plain arrays, with where in the file each weight came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation, Structure

CheckpointKind = str  # the name of a format in `core.files.formats.CHECKPOINTS`


@dataclass(frozen=True)
class StoredTensor:
    """A tensor as the file claims it, before anything of it is copied.

    `problem` says in words why its values cannot be used ("is quantised (qint8)"), empty when they can.
    """

    shape: tuple[int, ...]
    dtype: str  # torch's name without "torch.": "float32", "bfloat16", …
    problem: str
    read: Callable[[], Array]  # a float32 or float64 array of `shape`; called only when `problem` is empty

    @property
    def rounded(self) -> bool:
        """Whether the file holds it in half precision, so that we compute with its float32 equal."""
        return self.dtype in ("float16", "bfloat16")


@dataclass(frozen=True)
class RecurrentModule:
    """One `nn.RNN`, `nn.LSTM`, `nn.GRU` or Cell of a checkpoint; a Cell has the names of a one-layer module."""

    prefix: str  # what stands before weight_ih_l0 in the file, made safe for showing; unique in the checkpoint
    structure: Structure
    is_cell: bool
    weights: Mapping[str, Array]  # torch's names and shapes, all float32 or all float64
    sources: Mapping[str, tuple[str, ...]]  # for each weight the names in the file it was made from
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint:
    """The recurrent modules of one file; `notes` are sentences a person should read beside them."""

    path: str
    kind: CheckpointKind
    modules: tuple[RecurrentModule, ...]
    notes: tuple[str, ...] = ()

    def module(self, prefix: str | None = None) -> RecurrentModule:
        """The module under `prefix` (its last dot may be left out); None: the only one. Otherwise RnnvizError."""
        there = ", ".join(repr(module.prefix) for module in self.modules)
        if prefix is None:
            if len(self.modules) == 1:
                return self.modules[0]
            raise RnnvizError(
                f"{self.path} holds {len(self.modules)} recurrent modules: wanted the prefix of one of {there}."
            )
        for module in self.modules:
            if prefix in (module.prefix, module.prefix.removesuffix(".")):
                return module
        raise RnnvizError(f"{self.path} holds no recurrent module under {prefix!r}: wanted one of {there}.")


@dataclass(frozen=True)
class StoredTensors:
    """All tensors of a file by their shown-as-stored names, and what else the reader learnt."""

    tensors: Mapping[str, StoredTensor]
    notes: tuple[str, ...] = ()
    activations: Mapping[str, Activation] | None = None  # by prefix, where the file says (files exported by rnnviz do)
