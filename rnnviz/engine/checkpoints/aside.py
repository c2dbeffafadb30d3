"""Left aside: the tensors of a file that no recurrent module reads, in words, with what their shapes make of them."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.names import plain_title, shown
from rnnviz.engine.checkpoints.records import Found, RecurrentModule, StoredTensor

MOST_NAMED = 6
_INITIAL = re.compile(r"(^|[^a-z])([hc]_?0|[hc]x|(init|initial)_?\w*)$", re.IGNORECASE)
_OPTIMISER = re.compile(r"(^|\.)(optim\w*|opt_state|lr_sched\w*|ema_optim\w*)\.|\.(exp_avg(_sq)?|momentum_buffer)$")


def left_aside(tensors: Mapping[str, StoredTensor], found: Found) -> tuple[str, ...]:
    """One sentence on the tensors that belong to no module, whether that can be used or not; none where all do."""
    names = [name for name, one in tensors.items() if name not in found.claimed and one.shape]
    rest = [name for name in names if not of_optimiser(name)]
    words = [
        sized(name, tensors[name].shape, _role(name, tensors[name].shape, found.modules)) for name in rest[:MOST_NAMED]
    ]
    if rest[MOST_NAMED:]:
        words.append(f"{len(rest) - MOST_NAMED:,} more")
    if len(names) > len(rest):
        words.append(f"{len(names) - len(rest):,} of an optimiser")
    return (f"Left aside: {listed(words)}.",) if words else ()


def of_optimiser(name: str) -> bool:
    """Whether a tensor of that name belongs to the state of an optimiser or its schedule."""
    return _OPTIMISER.search(name) is not None


def sized(name: str, shape: Sequence[int], role: str = "") -> str:
    """ "head.weight (20 × 12, after rnn)"."""
    size = " × ".join(map(str, shape[:6])) or "one number"
    return f"{shown(name)} ({size}{', ' if role else ''}{role})"


def names_and_sizes(names: Iterable[str], tensors: Mapping[str, StoredTensor], most: int = MOST_NAMED) -> str:
    """The first few names with their sizes, and how many more there are."""
    every = list(names)
    words = [sized(name, tensors[name].shape) for name in every[:most]]
    return listed([*words, *([f"{len(every) - most:,} more"] if every[most:] else [])])


def _role(name: str, shape: Sequence[int], modules: Sequence[RecurrentModule]) -> str:
    """Whether a matrix fits before or after a module: an embedding gives what it reads, a head reads what it gives."""
    if _INITIAL.search(name) and shape[-1] in {one.structure.output_size for one in modules}:
        return "by its name an initial state, for which the trace has zeros"
    if len(shape) != 2 or not name.endswith("weight"):
        return ""
    for module in sorted(modules, key=lambda one: -_common(one.prefix, name)):
        structure = module.structure
        title = plain_title(module.prefix) or "the module"
        gives, reads = shape[1] == structure.directions * structure.output_size, shape[1] == structure.input_size
        if reads and gives and "emb" not in name.lower():
            return f"by its shape an embedding before {title} or a head after it"
        if reads or gives:
            return f"by its shape {'an embedding before' if reads else 'a head after'} {title}"
    return ""


def _common(first: str, second: str) -> int:
    """With how many letters both begin."""
    return next((place for place, (a, b) in enumerate(zip(first, second, strict=False)) if a != b), len(first))
