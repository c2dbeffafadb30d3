"""Finding of recurrent modules among named tensors: the prefix by torch's parameter names, the cell by the shapes."""

import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from itertools import count

import numpy as np

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.cells import Activation, cell_kind
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.checkpoints.aside import names_and_sizes, of_optimiser
from rnnviz.engine.checkpoints.assumptions import Assumptions, assumptions
from rnnviz.engine.checkpoints.extras import cell_words, other_cell
from rnnviz.engine.checkpoints.grouping import OPENED, Group, extras_of, own_groups, recurrent_groups
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.parametrisations import Recipe, recipe
from rnnviz.engine.checkpoints.records import Found, RecurrentModule, StoredTensor, StoredTensors
from rnnviz.engine.fused import FUSED_CELLS, TORCH_PARAMETERS, chosen_activation, fused_blocks

MOST_MODULES = 500  # a mixture of experts has dozens; a file with more is not meant for eyes


def find_modules(stored: StoredTensors, activation: Activation | None, most_bytes: int) -> Found:
    """The modules that can be used, and one sentence for each that cannot.

    `activation`: the vanilla cell's, where the person knows it; `most_bytes` bounds what may be copied in all.
    """
    tensors, said = stored.tensors, own_groups(stored)
    groups = recurrent_groups(tensors) | {(prefix, False): group for prefix, group in said.items()}
    claimed = {name for group in groups.values() for parts in group.values() for name in parts.values()}
    extras = extras_of(groups, [name for name in tensors if name not in claimed and not of_optimiser(name)])
    modules: list[RecurrentModule] = []
    problems: list[str] = []
    for (prefix, is_cell), group in groups.items():
        assumed = assumptions(
            activation or (stored.activations or {}).get(prefix), stored.hints, prefix, (one for one, _ in groups)
        )
        try:
            structure = None if is_cell or prefix not in said else (stored.structures or {})[prefix]
            module = _module(prefix, is_cell, group, tensors, assumed, most_bytes, structure)
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


def _module(
    prefix: str,
    is_cell: bool,
    group: Group,
    tensors: Mapping[str, StoredTensor],
    assumed: Assumptions,
    most_bytes: int,
    said: Structure | None,
) -> RecurrentModule:
    """`said`: its structure, where the file says that."""
    recipes: dict[str, Recipe] = {}
    for parameter, parts in group.items():
        try:
            recipes[parameter] = recipe({part: tensors[name] for part, name in parts.items()})
        except RnnvizError as problem:
            raise RnnvizError(f"{parameter} {problem}") from None
        spare = [name for part, name in parts.items() if part and part not in recipes[parameter].parts]
        if spare and "" in recipes[parameter].parts:
            held = names_and_sizes(spare, tensors)
            raise RnnvizError(f"it also holds {held}, and nothing says what it does to {parameter}")
    shapes = {name: one.shape for name, one in recipes.items()}
    if said is None:
        structure = infer_structure(shapes, assumed.activation)
    else:
        structure = replace(said, activation=chosen_activation(said.cell, assumed.activation))
        _check_shapes(structure, shapes)
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
        doubts + assumed.read_by(structure, said is not None),
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
    _check_shapes(structure, shapes)
    return structure


def _check_shapes(structure: Structure, shapes: Mapping[str, tuple[int, ...]]) -> None:
    """RnnvizError (a phrase) unless `shapes` are those of all parameters there are."""
    wanted = structure.parameter_shapes()
    for name, shape in wanted.items():
        if name not in shapes:
            raise RnnvizError(f"{name} is missing")
        if shapes[name] != shape:
            raise RnnvizError(f"{name} has shape {shapes[name]}, wanted {shape}")
    for name in shapes:
        if name not in wanted:
            layers = f"{structure.num_layers} layer{'s' if structure.num_layers > 1 else ''}"
            raise RnnvizError(f"it also holds {name}, which {cell_words(structure.cell)} of {layers} does not have")


def _cell(blocks: int, names: AbstractSet[str]) -> str | None:
    """The cell whose weights have so many blocks: torch's, or one of ours that has all its further parameters."""
    for name, cell in OPENED.items():
        own = cell.parameter_named.keys() - set(TORCH_PARAMETERS)
        if own and own <= names and blocks == len(cell.blocks):
            return name
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
