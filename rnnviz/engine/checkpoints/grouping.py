"""Grouping: tensors by the recurrent module whose parameter their names say they are."""

import re
from collections.abc import Mapping, Sequence

from rnnviz.core.cells import CELLS, Options, cell_made
from rnnviz.engine.checkpoints.extras import under_prefixes
from rnnviz.engine.checkpoints.records import StoredTensor, StoredTensors
from rnnviz.engine.fused import TORCH_PARAMETERS

# the cells a file is opened as, by name: those with torch's matrices, whose prediction is made outside of them
OPENED = {
    name: cell
    for name, kind in CELLS.items()
    if "weight_hh" in (cell := cell_made(name, Options())).parameter_named and not kind.reads_out
}
# torch's parameters and those of our own cells, which a module of torch's must not have
_NAMES = set(TORCH_PARAMETERS) | {parameter.name for cell in OPENED.values() for parameter in cell.parameters}
_PARAMETER = rf"(?P<parameter>{'|'.join(sorted(_NAMES))})(?P<layer>_l\d{{1,4}}(?:_reverse)?)?"
_PLAIN = re.compile(rf"(?P<prefix>(?:.*[^A-Za-z0-9])?){_PARAMETER}(?P<part>|_g|_v|_u|_orig|_mask|_raw)", re.DOTALL)
_PARAMETRISED = re.compile(
    rf"(?P<prefix>(?:.*\.)?)parametrizations\.{_PARAMETER}(?P<part>\.(?:original\d?|0\.[A-Za-z_]{{1,40}}))", re.DOTALL
)
_PEEPHOLE = re.compile(
    r"(?P<prefix>(?:.*\.)?)(?:(?:w|weight)_?(?:c|p|peep(?:hole)?)|p|peep(?:hole)?)_?(?P<gate>[ifo])", re.DOTALL | re.I
)

Key = tuple[str, bool]  # prefix, and whether it is a Cell's, whose parameters have no layer
Group = dict[str, dict[str, str]]  # parameter with its layer → part → name in the file


def recurrent_groups(tensors: Mapping[str, StoredTensor]) -> dict[Key, Group]:
    """The groups that are a recurrent module's. What weight drop keeps outside its `module` is put back into it."""
    groups = _groups(tensors)
    for (prefix, is_cell), group in list(groups.items()):
        inner = groups.get((f"{prefix}module.", is_cell))
        if inner is not None and all(set(parts) == {"_raw"} for parts in group.values()):
            for parameter, parts in group.items():
                inner.setdefault(parameter, {}).update(parts)
            del groups[prefix, is_cell]
    _add_peepholes(groups, tensors)
    return {key: group for key, group in groups.items() if any(name.startswith("weight_hh") for name in group)}


def own_groups(stored: StoredTensors) -> dict[str, Group]:
    """By prefix the tensors of the modules whose structure the file says, each named as the parameter it is."""
    found: dict[str, Group] = {}
    for prefix in stored.structures or {}:
        names = [name for name in stored.tensors if name.startswith(prefix)]
        group = {rest: {"": prefix + rest} for name in names if "." not in (rest := name.removeprefix(prefix))}
        if group:
            found[prefix] = group
    return found


def extras_of(groups: Mapping[Key, Group], names: Sequence[str]) -> dict[Key, list[str]]:
    """By group, the further tensors below its prefix; for a Cell also those beside it, in the module that holds it."""
    below = under_prefixes(names, (prefix for prefix, _ in groups))
    holders = {prefix: f"{prefix.removesuffix('.').rpartition('.')[0]}." for prefix, is_cell in groups if is_cell}
    holders = {prefix: "" if holder == "." else holder for prefix, holder in holders.items()}
    beside = under_prefixes(names, set(holders.values()) - set(below))
    return {
        (prefix, is_cell): below[prefix] + (beside.get(holders[prefix], []) if is_cell and prefix else [])
        for prefix, is_cell in groups
    }


def _groups(tensors: Mapping[str, StoredTensor]) -> dict[Key, Group]:
    """Names of parameters by (prefix, whether they are a Cell's, which have no layer)."""
    groups: dict[Key, Group] = {}
    for name in tensors:
        match = _PARAMETRISED.fullmatch(name) or _PLAIN.fullmatch(name)
        if match:
            layer = match["layer"]
            group = groups.setdefault((match["prefix"], layer is None), {})
            group.setdefault(match["parameter"] + (layer or "_l0"), {})[match["part"]] = name
    return groups


def _add_peepholes(groups: Mapping[Key, Group], tensors: Mapping[str, StoredTensor]) -> None:
    """Peepholes under another name than ours, such as W_ci, to the Cell they stand under, where all three are."""
    found: dict[str, dict[str, str]] = {}
    for name in tensors:
        if match := _PEEPHOLE.fullmatch(name):
            found.setdefault(match["prefix"], {}).setdefault(f"weight_c{match['gate'].lower()}_l0", name)
    for (prefix, is_cell), group in groups.items():
        peepholes = found.get(prefix, {})
        if is_cell and len(peepholes) == 3:
            for parameter, name in peepholes.items():
                group.setdefault(parameter, {"": name})
