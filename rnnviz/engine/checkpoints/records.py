"""Checkpoint records: recurrent modules as plain arrays, with where in the file each weight came from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation, Structure
from rnnviz.engine.checkpoints.names import shown

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
    notes: tuple[str, ...] = ()  # what takes something from the numbers
    read_by: tuple[str, ...] = ()  # sentences on what it is taken for: as the file says, or as a guess
    guess: str = ""  # what the file does not say and is assumed, for the source of a run: "tanh is a guess"
    hint: str = ""  # where the file says the activation: "hyper_parameters.nonlinearity"; empty where it does not


@dataclass(frozen=True)
class Hint:
    """What a file says in passing of an activation, in its settings or metadata."""

    where: str  # made safe for showing
    activation: Activation
    certain: bool  # torch's own name for it; any other may mean another layer


@dataclass(frozen=True)
class Unused:
    """A tensor of the file that no recurrent module reads; names and titles are made safe for showing."""

    name: str
    shape: tuple[int, ...]
    role: str = ""  # what name and shape make of it: one of `aside.ROLES`; empty where they say nothing
    module: str = ""  # the title of the recurrent module it stands beside
    words: str = ""  # the role as a phrase: "by its shape a head after rnn"


@dataclass(frozen=True)
class Checkpoint:
    """The recurrent modules of one file; `notes` are sentences a person should read beside them."""

    path: str
    kind: CheckpointKind
    modules: tuple[RecurrentModule, ...]
    notes: tuple[str, ...] = ()
    unused: tuple[Unused, ...] = ()
    more_unused: int = 0  # that are not named, where there are very many

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
class Found:
    """The modules of a file that can be used, a sentence for each that cannot, and the names that belong to either."""

    modules: tuple[RecurrentModule, ...]
    problems: tuple[str, ...]
    claimed: frozenset[str]


@dataclass(frozen=True)
class StoredTensors:
    """All tensors of a file by their shown-as-stored names, and what else the reader learnt."""

    tensors: Mapping[str, StoredTensor]
    notes: tuple[str, ...] = ()
    activations: Mapping[str, Activation] | None = None  # by prefix, where the file says (early exports of rnnviz do)
    hints: tuple[Hint, ...] = ()
    structures: Mapping[str, Structure] | None = None  # by prefix, where the file says (exports of rnnviz do)

    def beside(self, other: "StoredTensors", where: str) -> "StoredTensors":
        """Both together; RnnvizError naming `where` the other comes from, for a tensor that is in both."""
        twice = next((name for name in other.tensors if name in self.tensors), None)
        if twice is not None:
            raise RnnvizError(f"{where} holds {shown(twice)!r}, which another part holds too: wanted each tensor once.")
        return StoredTensors(
            {**self.tensors, **other.tensors},
            tuple(dict.fromkeys(self.notes + other.notes)),
            {**(self.activations or {}), **(other.activations or {})},
            self.hints + other.hints,
            {**(self.structures or {}), **(other.structures or {})},
        )
