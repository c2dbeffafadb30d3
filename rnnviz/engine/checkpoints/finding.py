"""Finding of recurrent modules among named tensors: the prefix by torch's parameter names, the cell by the shapes."""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import count

import numpy as np

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.cells import CELLS, Activation, Options, cell_kind, cell_made
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints.aside import of_optimiser
from rnnviz.engine.checkpoints.assumptions import assumptions
from rnnviz.engine.checkpoints.extras import other_cell, under_prefixes
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.parametrisations import Recipe, recipe
from rnnviz.engine.checkpoints.records import Found, RecurrentModule, StoredTensor, StoredTensors
from rnnviz.engine.fused import FUSED_CELLS, TORCH_PARAMETERS, chosen_activation, fused_blocks

# torch's parameters and those of our own cells, which a module of torch's must not have
_NAMES = set(TORCH_PARAMETERS) | {
    parameter.name for name in CELLS for parameter in cell_made(name, Options()).parameters
}
_PARAMETER = rf"(?P<parameter>{'|'.join(sorted(_NAMES))})(?P<layer>_l\d{{1,4}}(?:_reverse)?)?"
_PLAIN = re.compile(rf"(?P<prefix>(?:.*[^A-Za-z0-9])?){_PARAMETER}(?P<part>|_g|_v|_u|_orig|_mask|_raw)", re.DOTALL)
_PARAMETRISED = re.compile(
    rf"(?P<prefix>(?:.*\.)?)parametrizations\.{_PARAMETER}(?P<part>\.(?:original\d?|0\.[A-Za-z_]{{1,40}}))", re.DOTALL
)
_PEEPHOLE = re.compile(
    r"(?P<prefix>(?:.*\.)?)(?:(?:w|weight)_?(?:c|p|peep(?:hole)?)|p|peep(?:hole)?)_?(?P<gate>[ifo])", re.DOTALL | re.I
)
MOST_MODULES = 500  # a mixture of experts has dozens; a file with more is not meant for eyes

Group = dict[str, dict[str, str]]  # parameter with its layer → part → name in the file


def find_modules(stored: StoredTensors, activation: Activation | None, most_bytes: int) -> Found:
    """The modules that can be used, and one sentence for each that cannot.

    `activation`: the vanilla cell's, where the person knows it; `most_bytes` bounds what may be copied in all.
    """
    tensors, groups = stored.tensors, _recurrent_groups(stored.tensors)
    claimed = {name for group in groups.values() for parts in group.values() for name in parts.values()}
    extras = _extras(groups, [name for name in tensors if name not in claimed and not of_optimiser(name)])
    modules: list[RecurrentModule] = []
    problems: list[str] = []
    for (prefix, is_cell), group in groups.items():
        try:
            module = _module(prefix, is_cell, group, stored, activation, most_bytes)
            if other := other_cell(prefix, module.structure, extras[prefix, is_cell], tensors):
                raise RnnvizError(other)
        except RnnvizError as problem:
            problems.append(f"The module {shown(prefix)!r}: {problem}." if prefix else f"{problem}.")
            claimed.update(extras[prefix, is_cell])
            continue
        most_bytes -= sum(weight.nbytes for weight in module.weights.values())
        modules.append(module)
        if len(modules) == MOST_MODULES:
            problems.append(f"Only the first {MOST_MODULES} recurrent modules are looked at.")
            break
    return Found(tuple(_with_unique_prefixes(modules)), tuple(problems), frozenset(claimed))


def _recurrent_groups(tensors: Mapping[str, StoredTensor]) -> dict[tuple[str, bool], Group]:
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


def _add_peepholes(groups: Mapping[tuple[str, bool], Group], tensors: Mapping[str, StoredTensor]) -> None:
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


def _extras(groups: Mapping[tuple[str, bool], Group], names: Sequence[str]) -> dict[tuple[str, bool], list[str]]:
    """By group, the further tensors below its prefix; for a Cell also those beside it, in the module that holds it."""
    below = under_prefixes(names, (prefix for prefix, _ in groups))
    holders = {prefix: f"{prefix.removesuffix('.').rpartition('.')[0]}." for prefix, is_cell in groups if is_cell}
    holders = {prefix: "" if holder == "." else holder for prefix, holder in holders.items()}
    beside = under_prefixes(names, set(holders.values()) - set(below))
    return {
        (prefix, is_cell): below[prefix] + (beside.get(holders[prefix], []) if is_cell and prefix else [])
        for prefix, is_cell in groups
    }


def _groups(tensors: Mapping[str, StoredTensor]) -> dict[tuple[str, bool], Group]:
    """Names of parameters by (prefix, whether they are a Cell's, which have no layer)."""
    groups: dict[tuple[str, bool], Group] = {}
    for name in tensors:
        match = _PARAMETRISED.fullmatch(name) or _PLAIN.fullmatch(name)
        if match:
            layer = match["layer"]
            group = groups.setdefault((match["prefix"], layer is None), {})
            group.setdefault(match["parameter"] + (layer or "_l0"), {})[match["part"]] = name
    return groups


def _module(
    prefix: str,
    is_cell: bool,
    group: Group,
    stored: StoredTensors,
    asked: Activation | None,
    most_bytes: int,
) -> RecurrentModule:
    tensors = stored.tensors
    recipes: dict[str, Recipe] = {}
    for parameter, parts in group.items():
        try:
            recipes[parameter] = recipe({part: tensors[name] for part, name in parts.items()})
        except RnnvizError as problem:
            raise RnnvizError(f"{parameter} {problem}") from None
    said = asked or (stored.activations or {}).get(prefix)
    assumed = assumptions(said, stored.hints, prefix)
    structure = infer_structure({name: one.shape for name, one in recipes.items()}, assumed.activation)
    needed = {parameter: {part: group[parameter][part] for part in one.parts} for parameter, one in recipes.items()}
    _check_tensors(tensors, needed, most_bytes)
    weights = _one_precision(
        {
            parameter: _compute(parameter, recipes[parameter], needed, tensors)
            for parameter in structure.parameter_shapes()
        }
    )
    guess, doubts = assumed.guessed(structure)
    notes = _notes(recipes, needed, tensors, weights)
    sources = {parameter: tuple(shown(name) for name in needed[parameter].values()) for parameter in weights}
    return RecurrentModule(
        shown(prefix),
        structure,
        is_cell,
        frozen_mapping(weights),
        sources,
        notes,
        doubts + assumed.read_by(structure),
        guess,
        assumed.hint if cell_kind(structure.cell).activations else "",
    )


def infer_structure(shapes: Mapping[str, tuple[int, ...]], activation: Activation = "tanh") -> Structure:
    """The structure whose parameter shapes are exactly `shapes`; RnnvizError (a phrase) where there is none."""
    for name in ("weight_ih_l0", "weight_hh_l0"):
        if name not in shapes:
            raise RnnvizError(f"{name} is missing")
        if len(shapes[name]) != 2 or 0 in shapes[name]:
            raise RnnvizError(f"{name} has shape {shapes[name]}, wanted a matrix with rows and columns")
    projection = shapes.get("weight_hr_l0")
    if projection is not None and (len(projection) != 2 or 0 in projection):
        raise RnnvizError(f"weight_hr_l0 has shape {projection}, wanted a matrix with rows and columns")
    rows, width = shapes["weight_hh_l0"]
    hidden = projection[1] if projection else width
    cell = _cell(rows // hidden, {re.sub(r"_l\d.*", "", name) for name in shapes}) if rows % hidden == 0 else None
    if cell is None or (projection and not cell_kind(cell).projection):
        *others, last = (f"{blocks} (nn.{FUSED_CELLS[one]})" for blocks, one in sorted(fused_blocks().items()))
        raise RnnvizError(
            f"weight_hh_l0 has {rows} rows for {hidden} hidden units, wanted {', '.join(others)} or {last} "
            "times as many"
        )
    structure = Structure(
        cell=cell,
        input_size=shapes["weight_ih_l0"][1],
        hidden_size=hidden,
        num_layers=1 + max(int(re.sub(r"\D", "", name)) for name in shapes),
        bidirectional=any(name.endswith("_reverse") for name in shapes),
        bias=any(name.startswith("bias") for name in shapes),
        activation=chosen_activation(cell, activation),
        proj_size=projection[0] if projection else 0,
    )
    wanted = structure.parameter_shapes()
    for name, shape in wanted.items():
        if name not in shapes:
            raise RnnvizError(f"{name} is missing")
        if shapes[name] != shape:
            raise RnnvizError(f"{name} has shape {shapes[name]}, wanted {shape}")
    for name in shapes:
        if name not in wanted:
            layers = f"{structure.num_layers} layer{'s' if structure.num_layers > 1 else ''}"
            raise RnnvizError(f"{name} does not belong to a module of {cell_kind(cell).words} cells of {layers}")
    return structure


def _cell(blocks: int, names: AbstractSet[str]) -> str | None:
    """The cell whose weights have so many blocks: torch's, or one of ours that has all its further parameters."""
    for name, kind in CELLS.items():
        own = {parameter.name for parameter in cell_made(name, Options()).parameters} - set(TORCH_PARAMETERS)
        if own and own <= names and blocks == len(cell_made(name, Options()).blocks):
            return kind.name
    return fused_blocks().get(blocks)


def _check_tensors(
    tensors: Mapping[str, StoredTensor], needed: Mapping[str, Mapping[str, str]], most_bytes: int
) -> None:
    """RnnvizError before anything is copied, when a needed tensor is unusable or all together are too large."""
    total = 0
    for parts in needed.values():
        for name in parts.values():
            tensor = tensors[name]
            if tensor.problem:
                raise RnnvizError(f"{shown(name)} {tensor.problem}")
            total += int(np.prod(tensor.shape, dtype=object)) * (8 if tensor.dtype == "float64" else 4)
    if total > most_bytes:
        raise RnnvizError(f"its weights claim {total:,} bytes, wanted at most {most_bytes:,} for a file of this size")


def _compute(
    parameter: str, one: Recipe, needed: Mapping[str, Mapping[str, str]], tensors: Mapping[str, StoredTensor]
) -> Array:
    arrays = [tensors[name].read() for name in needed[parameter].values()]
    try:
        with np.errstate(all="ignore"):  # what is not finite is counted and said afterwards
            return one.compute(arrays)
    except RnnvizError as problem:
        raise RnnvizError(f"{parameter} {problem}") from None


def _one_precision(weights: Mapping[str, Array]) -> dict[str, Array]:
    dtype = np.result_type(*weights.values())
    return {name: np.ascontiguousarray(weight, dtype=dtype) for name, weight in weights.items()}


def _notes(
    recipes: Mapping[str, Recipe],
    needed: Mapping[str, Mapping[str, str]],
    tensors: Mapping[str, StoredTensor],
    weights: Mapping[str, Array],
) -> tuple[str, ...]:
    notes = []
    ways = sorted({one.words for one in recipes.values() if one.words})
    if ways:
        notes.append(f"Weights were rebuilt from {' and '.join(ways)}.")
    rounded = sorted(
        {tensors[name].dtype for parts in needed.values() for name in parts.values() if tensors[name].rounded}
    )
    if rounded:
        notes.append(f"The weights are {' and '.join(rounded)} and are computed with in float32.")
    for name, weight in weights.items():
        wrong = weight.size - int(np.count_nonzero(np.isfinite(weight)))
        if wrong:
            nans = int(np.count_nonzero(np.isnan(weight)))
            notes.append(f"{name} is not finite: {nans} NaN and {wrong - nans} infinite of {weight.size} values.")
    return tuple(notes)


def _with_unique_prefixes(modules: list[RecurrentModule]) -> list[RecurrentModule]:
    """Two names that are shown alike (or a Cell beside a module) get a number, so that each can be chosen."""
    taken: set[str] = set()
    unique = []
    for module in modules:
        numbered = (f"{module.prefix}~{number}" for number in count(2))
        prefix = module.prefix if module.prefix not in taken else next(one for one in numbered if one not in taken)
        taken.add(prefix)
        unique.append(replace(module, prefix=prefix))
    return unique
