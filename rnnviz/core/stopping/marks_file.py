"""Marks file: breakpoints, watches and bookmarks as TOML: strict reading, and writing that leaves out what is as usual.

[[breakpoints]]                                   [[watches]]                 [[bookmarks]]
kind = "data"                                     expression = "norm(dh[t])"  training_step = 812
expression = "norm(dh[1]) / norm(dh[T])"                                      note = "the gate opens"
crosses = 1e-3
direction = "up"
model = "LSTM"
"""

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar, get_args

import tomli_w

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.toml_text import read_toml
from rnnviz.core.plain_records import came, closest, plain, read_record, refuse
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, BreakpointKind, Marks, Watch

if TYPE_CHECKING:
    from rnnviz.core.expressions import ExpressionError, Vocabulary
    from rnnviz.core.expressions.suggesting.suggestion import Check
    from rnnviz.core.stopping.breakpoints import Armed

KEYS = ("breakpoints", "watches", "bookmarks")
MOST = {"breakpoints": 100, "watches": 100, "bookmarks": 1000}
LONGEST_NOTE = 500  # characters

# which kinds listen to a key; all to one that is not here
_KINDS: dict[str, tuple[BreakpointKind, ...]] = {
    "crosses": ("data",),
    "direction": ("data",),
    "factor": ("data",),
    "phase": ("place",),
    "time_step": ("place",),
    "operation": ("place",),
}

Record = TypeVar("Record", Breakpoint, Watch, Bookmark)


def parse_marks(text: str, source: str, models: Sequence[str] = ()) -> Marks:
    """The marks in TOML that holds nothing else. `source` and errors as for `experiment.file.parse_experiment`."""
    table = read_toml(text, source)
    for key in table:
        if key not in KEYS:
            raise RnnvizError(f"{source}: unknown key {came(key)[1:-1]}, {closest(key, KEYS)}")
    marks = read_marks(table, source)
    check_marks(marks, models, source)
    return marks


def marks_toml(marks: Marks) -> str:
    """`marks` as TOML text; "" for none."""
    return tomli_w.dumps(marks_table(marks))


def read_marks(table: Mapping[str, Any], source: str) -> Marks:
    """The marks among the tables of an experiment, types and keys checked; `check_marks` checks the values."""
    breakpoints = _records(Breakpoint, table, "breakpoints", source)
    for number, one in enumerate(breakpoints):
        for name in _usual(Breakpoint):
            kinds = _KINDS.get(name, get_args(BreakpointKind))
            if one.kind not in kinds and name in table["breakpoints"][number]:
                wanted = f"left out of the kind {one.kind} (it belongs to {' and '.join(kinds)})"
                raise refuse(source, f"breakpoints[{number}].{name}", wanted, getattr(one, name))
    return Marks(breakpoints, _records(Watch, table, "watches", source), _records(Bookmark, table, "bookmarks", source))


def marks_table(marks: Marks) -> dict[str, list[dict[str, Any]]]:
    """`marks` as tables for TOML, without what is as usual and without empty lists."""
    tables = {key: [shortened(record) for record in getattr(marks, key)] for key in KEYS}
    return {key: records for key, records in tables.items() if records}


def check_marks(marks: Marks, models: Sequence[str], source: str, unknown: bool = False) -> None:
    """RnnvizError with the first value that is out of range, or the first expression that is wrong.

    `models`: the names there are; none given: any name is taken. `unknown`: as of `Vocabulary`.
    """
    for key in KEYS:
        _check_number(len(getattr(marks, key)), source, key)
    if marks.breakpoints or marks.watches:
        _check_expressions(marks, models, source, unknown)
    for number, bookmark in enumerate(marks.bookmarks):
        _check_bookmark(bookmark, source, f"bookmarks[{number}]")


def _check_expressions(marks: Marks, models: Sequence[str], source: str, unknown: bool) -> None:
    """As `check_marks`, of breakpoints and watches."""
    from rnnviz.core.expressions import ExpressionError, Vocabulary, parse  # late: the window starts without

    vocabulary = Vocabulary(models=tuple(models), unknown=unknown)
    for number, one in enumerate(marks.breakpoints):
        key = f"breakpoints[{number}]"
        _check_breakpoint(one, source, key)
        _check_model(one.model, models, source, key)
        try:
            _armed_with(one, one.expression, vocabulary)
        except ExpressionError as problem:
            raise _wrong(problem, one.expression, partial(_armed_with, one), vocabulary, f"{source}: {key}") from None
    for number, watch in enumerate(marks.watches):
        try:
            parse(watch.expression, vocabulary)
        except ExpressionError as problem:
            raise _wrong(problem, watch.expression, parse, vocabulary, f"{source}: watches[{number}]") from None


def _check_number(number: int, source: str, key: str) -> None:
    if number > MOST[key]:
        raise RnnvizError(f"{source}: {key} are at most {MOST[key]}, not {number}.")


def _check_breakpoint(one: Breakpoint, source: str, key: str) -> None:
    if one.kind == "data" and (one.crosses is None) == (one.factor is None):
        raise RnnvizError(f"{source}: {key} of the kind data must have either crosses or factor.")
    if one.direction != "either" and one.crosses is None:
        raise refuse(source, f"{key}.direction", "left out with factor", one.direction)
    _whole(one.every, 1, source, f"{key}.every")
    _whole(one.sequence, 1, source, f"{key}.sequence")
    _whole(one.time_step, -(10**9), source, f"{key}.time_step")
    _line(one.layer, source, f"{key}.layer")
    _line(one.operation, source, f"{key}.operation")


def _check_bookmark(one: Bookmark, source: str, key: str) -> None:
    _whole(one.training_step, 0, source, f"{key}.training_step")
    _whole(one.time_step, 1, source, f"{key}.time_step")
    for name in ("layer", "operation", "note"):
        _line(getattr(one, name), source, f"{key}.{name}")


def _check_model(model: str, models: Sequence[str], source: str, key: str) -> None:
    if model and models and model not in models:
        raise RnnvizError(f'{source}: {key}.model is "{model[:60]}", {closest(model, list(models))}')


def _whole(value: int, least: int, source: str, key: str) -> None:
    if not least <= value < 2**63:
        raise refuse(source, key, f"a whole number from {least} on", value)


def _line(value: str, source: str, key: str) -> None:
    if len(value) > LONGEST_NOTE or (value and not value.isprintable()):
        raise refuse(source, key, f"one line of at most {LONGEST_NOTE:,} characters", value)


def check_typed(one: Breakpoint, vocabulary: "Vocabulary", where: str) -> None:
    """RnnvizError unless the breakpoint that somebody typed is right of these models: `where` it stands, what is wrong
    and what was probably meant."""
    from rnnviz.core.expressions import ExpressionError

    _check_breakpoint(one, where, "breakpoint")
    _check_model(one.model, vocabulary.models, where, "breakpoint")
    try:
        _typed_with(one, one.expression, vocabulary)
    except ExpressionError as problem:
        raise _wrong(problem, one.expression, partial(_typed_with, one), vocabulary, where) from None


def _typed_with(one: Breakpoint, text: str, vocabulary: "Vocabulary") -> "Armed":
    from rnnviz.core.expressions.suggesting.sentences import check_shares

    check_shares(text)
    return _armed_with(one, text, vocabulary)


def _armed_with(one: Breakpoint, text: str, vocabulary: "Vocabulary") -> "Armed":
    from rnnviz.core.stopping.breakpoints import arm

    return arm(replace(one, expression=text), vocabulary)


def _wrong(problem: "ExpressionError", text: str, check: "Check", vocabulary: "Vocabulary", where: str) -> RnnvizError:
    from rnnviz.core.expressions.suggesting.refusals import refusal
    from rnnviz.core.expressions.suggesting.suggestion import suggest

    guess = suggest(text, vocabulary, check)
    hint = f' Did you mean "{guess}"?' if guess else ""
    return RnnvizError(f"{where}, column {problem.start + 1}: {refusal(problem, guess, text, vocabulary, check)}{hint}")


def _records(kind: type[Record], table: Mapping[str, Any], key: str, source: str) -> tuple[Record, ...]:
    given = table.get(key, [])
    if not isinstance(given, list):
        raise refuse(source, key, f"a list of tables ([[{key}]])", given)
    _check_number(len(given), source, key)  # before each is read
    return tuple(read_record(kind, one, source, f"{key}[{number}]") for number, one in enumerate(given))


def _usual(kind: type[Breakpoint | Watch | Bookmark]) -> dict[str, object]:
    return {field.name: field.default for field in fields(kind)}


def shortened(record: Breakpoint | Watch | Bookmark) -> dict[str, Any]:
    """A record as a table without what is as usual; `read_record` makes it whole again."""
    usual = _usual(type(record))
    return {name: value for name, value in plain(record).items() if value != usual[name]}
