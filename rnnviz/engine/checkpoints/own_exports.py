"""Own exports: the structures of its recurrent modules, which a file that rnnviz wrote says, and how they are read."""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation, Structure, read_structure
from rnnviz.engine.checkpoints.names import shown
from rnnviz.version import __version__

RECURRENT = "recurrent."  # what stands before the parameters of the first recurrent module in an export
_MOST_MODULES = 16
_MARK = "rnnviz"  # the key that says which version wrote the file
_SIZES = [field.name for field in fields(Structure) if field.name != "own"]
_TEXTS = ("cell", "activation")
_MOST_CHARACTERS = 40  # of one of these values


def said_in_texts(structures: Mapping[str, Structure]) -> dict[str, str]:
    """The structures by what stands before their parameters, as a safetensors file holds them, whose metadata are
    texts: those of the first module have nothing in front; nothing of a user's own cell, which its file alone makes."""
    if any(structure.own is not None for structure in structures.values()):
        return {}
    return {_MARK: __version__} | {
        f"{prefix.removeprefix(RECURRENT)}{name}": value if name in _TEXTS else json.dumps(value)
        for prefix, structure in structures.items()
        for name, value in _sizes(structure).items()
    }


def said_in_values(structure: Structure) -> dict[str, Any]:
    """The same as the metadata of a state dict hold it."""
    return {} if structure.own is not None else {_MARK: __version__} | _sizes(structure)


def _sizes(structure: Structure) -> dict[str, Any]:
    return {name: value for name, value in asdict(structure).items() if name in _SIZES}


def structures_in_texts(metadata: object, path: str) -> dict[str, Structure]:
    """What `said_in_texts` wrote; {} where rnnviz did not write it. RnnvizError, a sentence, for what is wrong."""
    if not isinstance(metadata, Mapping) or _MARK not in metadata:
        return {}
    named = [key.removesuffix("cell") for key in metadata if isinstance(key, str) and key.endswith(".cell")]
    found = {}
    for prefix in [RECURRENT, *named[:_MOST_MODULES]]:
        said = {name: metadata.get(f"{prefix.removeprefix(RECURRENT)}{name}") for name in _SIZES}
        for name, value in said.items():
            if value is not None and not isinstance(value, str):
                raise RnnvizError(f"{path}: {prefix}{name} is not a text: wanted the metadata that rnnviz writes.")
        table = {name: _value(name, value) for name, value in said.items() if isinstance(value, str)}
        structure = _read(table, path, prefix)
        if structure is not None:
            found[prefix] = structure
    return found


def structure_in_values(entry: object, path: str) -> Structure | None:
    """What `said_in_values` wrote, likewise."""
    if not isinstance(entry, Mapping) or _MARK not in entry:
        return None
    return _read({name: entry[name] for name in _SIZES if name in entry}, path, RECURRENT)


def said_activation(entry: object) -> Activation | None:
    """The activation, all that earlier versions said."""
    activation = entry.get("activation") if isinstance(entry, Mapping) else None
    return activation if activation in ("tanh", "relu", "sigmoid") else None


def _value(name: str, text: str) -> object:
    """The plain value of a text; the text itself, which is then refused, where there is none."""
    if name in _TEXTS or len(text) > _MOST_CHARACTERS:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _read(table: Mapping[str, object], path: str, prefix: str) -> Structure:
    plain = {name: shown(value, _MOST_CHARACTERS) if isinstance(value, str) else value for name, value in table.items()}
    return read_structure(plain, path, shown(prefix.removesuffix("."), _MOST_CHARACTERS))
