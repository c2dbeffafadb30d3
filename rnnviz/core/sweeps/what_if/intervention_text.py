"""Interventions as text: one line each, every digit of their values in it, to be copied, kept and read again."""

import re
from collections.abc import Sequence

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.what_if.interventions import (
    Clamp,
    CutGradient,
    Intervention,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    check_numbers,
)

LONGEST = 100_000  # characters of a text
EXAMPLE = "f[1…T, 7] of l0 = 1"

_VALUES = r"\s*=\s*(?P<values>.+)"
_HELD = re.compile(
    r"(?P<quantity>\w+)\s*\[\s*(?P<first>[0-9]{1,9})(?:\s*(?:…|\.\.\.?|:)\s*(?P<last>[0-9]{1,9}|T))?\s*"
    r"(?:,\s*(?P<unit>[0-9]{1,9}|:|all)\s*)?\]\s+of\s+(?P<layer>\w+)" + _VALUES
)
_CUT = re.compile(r"gradient cut at t\s*=\s*(?P<time>[0-9]{1,9})(?:\s+in\s+(?P<layer>\w+))?")
_STATE = re.compile(r"(?P<quantity>\w+?)(?:₀|_0)\s+of\s+(?P<layer>\w+)" + _VALUES)
_INPUT = re.compile(r"x\s*\[\s*(?P<time>[0-9]{1,9})\s*\]" + _VALUES)
_WEIGHT = re.compile(
    r"(?P<parameter>[\w.]+)(?:\s*\[\s*(?P<row>[0-9]{1,9}|:)\s*,\s*(?P<column>[0-9]{1,9}|:)\s*\])?" + _VALUES
)


def written(interventions: Sequence[Intervention]) -> str:
    """A line for each, "f[1…T, 7] of l0 = 1"; `read` makes the same again."""
    return "\n".join(map(_line, interventions))


def read(text: str) -> tuple[Intervention, ...]:
    """The interventions of such lines; empty lines do not matter. RnnvizError names the first line that is none."""
    if len(text) > LONGEST:
        raise RnnvizError(f"what-if: wanted at most {LONGEST:,} characters, got {len(text):,}")
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise RnnvizError(f'what-if: wanted lines such as "{EXAMPLE}", got nothing')
    return tuple(map(_read, lines))


def _line(one: Intervention) -> str:
    match one:
        case SetValue():
            return f"{one.quantity}[{one.time_step}{_unit(one.unit)}] of {one.layer} = {one.value!r}"
        case Clamp():
            last = "T" if one.last is None else one.last
            return f"{one.quantity}[{one.first}…{last}{_unit(one.unit)}] of {one.layer} = {one.value!r}"
        case CutGradient():
            return one.words
        case SetState():
            return f"{one.quantity}₀ of {one.layer} = {_numbers(one.values)}"
        case SetInput():
            return f"x[{one.time_step}] = {_numbers(one.values)}"
        case SetWeight():
            row, column = (":" if place is None else str(place) for place in (one.row, one.column))
            return f"{one.parameter}[{row}, {column}] = {_numbers(one.values)}"


def _read(line: str) -> Intervention:
    found = _intervention(line)
    if found is None:
        raise RnnvizError(f'what-if: wanted a line such as "{EXAMPLE}", got "{line[:80]}"')
    check_numbers(found)
    return found


def _intervention(line: str) -> Intervention | None:
    if held := _HELD.fullmatch(line):
        values, unit = _values(line, held["values"]), _number(held["unit"])
        if len(values) != 1:
            return None
        first = int(held["first"])
        if held["last"] is None:
            return SetValue(held["layer"], held["quantity"], first, values[0], unit)
        return Clamp(held["layer"], held["quantity"], values[0], first, _number(held["last"]), unit)
    if cut := _CUT.fullmatch(line):
        return CutGradient(int(cut["time"]), cut["layer"] or "")
    if state := _STATE.fullmatch(line):
        return SetState(state["layer"], state["quantity"], _values(line, state["values"]))
    if given := _INPUT.fullmatch(line):
        return SetInput(int(given["time"]), _values(line, given["values"]))
    if weight := _WEIGHT.fullmatch(line):
        values = _values(line, weight["values"])
        return SetWeight(weight["parameter"], values, _number(weight["row"]), _number(weight["column"]))
    return None


def _values(line: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(part) for part in text.replace("−", "-").strip("() ").split(","))
    except ValueError:
        raise RnnvizError(f'what-if: wanted numbers with commas between, got "{text[:40]}" in "{line[:60]}"') from None


def _number(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdigit() else None


def _unit(unit: int | None) -> str:
    return "" if unit is None else f", {unit}"


def _numbers(values: tuple[float, ...]) -> str:
    return ", ".join(map(repr, values))
