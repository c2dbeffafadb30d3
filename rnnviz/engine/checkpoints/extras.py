"""Extras: tensors below a recurrent module's prefix that torch's own lacks, and what they say of the cell."""

import re
from collections.abc import Iterable, Mapping, Sequence

from rnnviz.core.cells import cell_kind
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints.aside import names_and_sizes
from rnnviz.engine.checkpoints.records import StoredTensor
from rnnviz.engine.fused import FUSED_CELLS

_MOST_LEVELS = 64  # of a name's dots that are looked at
# What such a cell computes beside its gates, by a word in the name of a tensor below its prefix.
_KINDS: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(rf"(^|[^a-z])({words})", re.IGNORECASE), what)
    for words, what in (
        (r"bn|batch_?norm|running_(mean|var)|num_batches", "batch normalisation"),
        (r"ln|layer_?norm|rms_?norm|norm|gamma|beta", "layer normalisation"),
        (r"peep\w*|w(eight)?_?p_?[ifo]|[wp]_?c_?[ifo]|weight_c\w", "peepholes"),
        (r"zone\w*", "zoneout"),
        (r"attn|attention|query|key|value", "attention"),
        (r"(weight_)?(hr|ho)$|proj\w*", "a projection"),
        (r"h_?0|c_?0|(init|initial|learned)\w*|hx|cx", "an initial state of its own"),
        (r"bias\w*$|b$", "a bias of another form"),
    )
)
# Of a module that is at once cell and model: what stands before or after the recurrent part.
_AROUND = re.compile(
    r"(emb\w*|encoder|head|fc\d*|linear\w*|lin|out\w*|decoder|dense\w*|classifier|lm_head|i2o|h2o|readout|dropout)"
    r"(\.\d+)?\.(weight|bias)",
    re.IGNORECASE,
)


def under_prefixes(names: Iterable[str], prefixes: Iterable[str]) -> dict[str, list[str]]:
    """The names below each prefix, each name for the longest one."""
    owners: dict[str, list[str]] = {prefix: [] for prefix in prefixes}
    for name in names:
        end = len(name)
        for _ in range(_MOST_LEVELS):
            end = name.rfind(".", 0, end)
            if name[: end + 1] in owners:
                owners[name[: end + 1]].append(name)
                break
            if end < 0:
                break
    return owners


def other_cell(prefix: str, structure: Structure, names: Sequence[str], tensors: Mapping[str, StoredTensor]) -> str:
    """Why a module with these further tensors is no plain one, as a phrase; empty where they may stand around it.

    `names` begin with `prefix`, or with the prefix of the module that holds it.
    """
    judged = {name: _inside(prefix, structure, name, tensors[name].shape) for name in names}
    inside = {name: what for name, what in judged.items() if what is not None}
    if not inside:
        return ""
    known = list(dict.fromkeys(what for what in inside.values() if what))
    return (
        f"it also holds {names_and_sizes(inside, tensors)}: {' and '.join(known) or 'parameters'} inside the cell, "
        f"which {cell_words(structure.cell)} does not have, so its numbers would be wrong if it were traced as one"
    )


def cell_words(cell: str) -> str:
    """ "a plain nn.LSTM", "a plain peephole LSTM"."""
    return f"a plain {f'nn.{FUSED_CELLS[cell]}' if cell in FUSED_CELLS else cell_kind(cell).words}"


def _inside(prefix: str, structure: Structure, name: str, shape: tuple[int, ...]) -> str | None:
    """What a tensor makes of the cell ("" where only its place says so); None where it may stand around the cell."""
    rest = name.removeprefix(prefix)
    what = next((words for pattern, words in _KINDS if pattern.search(rest)), "")
    hidden, rows = structure.hidden_size, len(structure.equations.blocks) * structure.hidden_size
    if not name.startswith(prefix):  # beside it, in the module that holds it; a norm of H numbers may come after
        sizes = (hidden,) if what == "peepholes" else (rows,) if rows > hidden else ()
        return what if what and shape in {(size,) for size in sizes} else None
    if _AROUND.fullmatch(rest):
        return None
    if prefix.endswith("."):
        return what
    fits = all(side in (1, hidden, rows) for side in shape)  # anything may lie in one dictionary with a module's names
    return what if what and fits else None
