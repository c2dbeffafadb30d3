"""Plain records: frozen records to and from the plain values of TOML and JSON, with every key and type checked."""

import dataclasses
import difflib
import types
from collections.abc import Sequence
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from rnnviz.core.errors import RnnvizError

Record = TypeVar("Record")

WORDS: dict[type, str] = {str: "a text", int: "a whole number", float: "a number", bool: "true or false"}


def plain(record: Any) -> Any:
    """`record` as dicts, lists, texts and numbers; tuples become lists."""
    if dataclasses.is_dataclass(record):
        return {field.name: plain(getattr(record, field.name)) for field in dataclasses.fields(record)}
    if isinstance(record, list | tuple):
        return [plain(entry) for entry in record]
    return record


def came(value: object) -> str:
    """What a person wrote, short enough for a sentence."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "a table"
    try:
        text = '"' + value + '"' if isinstance(value, str) else repr(value)
    except ValueError:  # a whole number of more digits than Python prints
        return "a number too large to print"
    return text if len(text) <= 60 else text[:57] + "…"


def refuse(source: str, key: str, wanted: str, value: object) -> RnnvizError:
    """The one sentence for a wrong value: file, table.key, what was wanted and what came."""
    return RnnvizError(f"{source}: {key} must be {wanted}, not {came(value)}.")


def closest(name: str, names: Sequence[str]) -> str:
    """A suggestion as the end of a sentence; without a close name, all of them."""
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean {near[0]}?" if near else f"known are {', '.join(names)}."


def listed(names: Sequence[str]) -> str:
    """ "lstm", "lstm and gru", "lstm, gru and mingru"."""
    return " and ".join((", ".join(names[:-1]), names[-1])) if names[1:] else "".join(names)


def read_record(kind: type[Record], value: object, source: str, key: str) -> Record:
    """A `kind` (a dataclass) from a table; fields with a default may be missing.

    `source` names the file and `key` the table, for the sentence of the RnnvizError that an unknown or missing key or
    a wrong type raises.
    """
    if not isinstance(value, dict):
        raise refuse(source, key or "the file", "a table", value)
    hints = get_type_hints(kind)
    known = [field.name for field in dataclasses.fields(kind)]  # type: ignore[arg-type]
    prefix = f"{key}." if key else ""
    for name in value:
        if name not in known:
            raise RnnvizError(f"{source}: unknown key {prefix}{came(name)[1:-1]}, {closest(name, known)}")
    fields = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        if field.name in value:
            fields[field.name] = _read(hints[field.name], value[field.name], source, prefix + field.name)
        elif field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING:
            raise RnnvizError(f"{source}: {prefix}{field.name} is missing.")
    return kind(**fields)


def _read(hint: Any, value: object, source: str, key: str) -> Any:
    """`value` as the type `hint`, or an RnnvizError."""
    origin, arguments = get_origin(hint), get_args(hint)
    if dataclasses.is_dataclass(hint):
        return read_record(hint, value, source, key)  # type: ignore[arg-type]
    if origin is Literal:
        return _read_choice(arguments, value, source, key)
    if origin is tuple:
        return _read_tuple(arguments, value, source, key)
    if origin in (Union, types.UnionType):
        if value is None and type(None) in arguments:
            return None
        return _read(next(a for a in arguments if a is not type(None)), value, source, key)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        try:
            return float(value)
        except OverflowError:
            raise refuse(source, key, "a number within the range of float64", value) from None
    if type(value) is not hint:
        raise refuse(source, key, WORDS[hint], value)
    return value


def _read_choice(choices: tuple[str, ...], value: object, source: str, key: str) -> object:
    if value in choices and isinstance(value, str):
        return value
    wanted = "one of " + ", ".join(f'"{choice}"' for choice in choices) if len(choices) > 1 else f'"{choices[0]}"'
    near = difflib.get_close_matches(value, choices, n=1) if isinstance(value, str) else []
    hint = f' (did you mean "{near[0]}"?)' if near else ""
    raise RnnvizError(f"{source}: {key} must be {wanted}, not {came(value)}{hint}.")


def _read_tuple(arguments: tuple[Any, ...], value: object, source: str, key: str) -> tuple[Any, ...]:
    open_ended = arguments[-1] is Ellipsis
    if not isinstance(value, list) or (not open_ended and len(value) != len(arguments)):
        raise refuse(source, key, "a list" if open_ended else f"a list of {len(arguments)}", value)
    hints = [arguments[0]] * len(value) if open_ended else list(arguments)
    return tuple(
        _read(hint, entry, source, f"{key}[{place}]")
        for place, (hint, entry) in enumerate(zip(hints, value, strict=True))
    )
