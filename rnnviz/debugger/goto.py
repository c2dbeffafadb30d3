"""Going to a place by typing it: `k=1200 b t=17 l1 o`, and the same words for where a cursor is."""

import difflib
import re
from dataclasses import replace

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import LayerId
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program

_PHASES = {name: phase for phase in Phase for name in (phase.value, phase.value[0])}
_NUMBER = re.compile(r"(?P<name>[kt])=?(?P<number>[-−]?[0-9]{1,15})")
_LAYER = re.compile(r"l(?P<number>[0-9]+)(?:_?r(?:everse)?)?")


def words(cursor: Cursor) -> str:
    """The cursor as it would be typed: "k=1200 b t=17 l1 o"; `go_to` understands it again."""
    said = f"k={cursor.training_step} {cursor.phase.value[0]} t={cursor.time_step} {cursor.layer}"
    return f"{said} {_typed(cursor.operation)}" if cursor.operation else said


def go_to(text: str, program: Program, cursor: Cursor) -> Cursor:
    """The place that `text` names; what it does not name stays as at `cursor`, but for the operation.
    A time step or an operation asked for in a phase without any is the nearer sweep's.

    In this order, any of it may be missing: k=1200 (training step, 0 or more), the phase (forward, loss, backward,
    accumulate, update or their first letters), t=17 (time step; t=-1 is the last), the layer (l1, l1_reverse), the
    operation (by its key, spaces left out). An f is the phase, unless a phase, time step or layer is named before it.
    RnnvizError says what was wanted and what came.
    """
    tokens = re.sub(r"\s*=\s*", "=", text.strip()).split()
    if not tokens:
        raise RnnvizError('go to: wanted a place such as "k=1200 b t=17 l1 o", got nothing')
    parts: dict[str, str] = {}
    for token in tokens:
        name, value = _part(token, parts, program)
        if name in parts:
            raise RnnvizError(f"go to: wanted one {name}, got {parts[name]} and {value}")
        parts[name] = value
    return _placed(parts, program, cursor)


def _part(token: str, parts: dict[str, str], program: Program) -> tuple[str, str]:
    """Which part of a place a word names, and its canonical spelling."""
    lower = token.lower()
    number = _NUMBER.fullmatch(lower)
    if number:
        return "training step" if number["name"] == "k" else "time step", number["number"].replace("−", "-")
    placed = any(name in parts for name in ("phase", "time step", "layer"))
    if lower in _PHASES and not placed:
        return "phase", _PHASES[lower].value
    key = _operation(token, program)
    if key:
        return "operation", key
    if lower in _PHASES:
        return "phase", _PHASES[lower].value
    layer = _LAYER.fullmatch(lower)
    if layer:
        return "layer", LayerId(int(layer["number"]), "r" in lower).text
    raise RnnvizError(_unknown(token, program))


def _operation(token: str, program: Program) -> str:
    """The key of the operation that is meant, "" if none is: as it is written, else with any capitals."""
    typed = {_typed(key): key for key in program.operations}
    lower = {name.lower(): key for name, key in typed.items()}
    return typed.get(token) or lower.get(token.lower(), "")


def _placed(parts: dict[str, str], program: Program, cursor: Cursor) -> Cursor:
    found = replace(cursor, operation=parts.get("operation", ""))
    if "training step" in parts:
        wanted = int(parts["training step"])
        if wanted < 0:
            raise RnnvizError(f"go to: wanted a training step from 0 on, got k={wanted}")
        found = replace(found, training_step=wanted)
    if "phase" in parts:
        found = replace(found, phase=Phase(parts["phase"]))
    elif "time step" in parts or "operation" in parts:
        found = replace(found, phase=program.to_time_step(found, found.time_step).phase)
    if "time step" not in parts and not found.phase.swept:
        found = replace(found, time_step=program.at(program.point(found), found).time_step)
    if "time step" in parts:
        found = replace(found, time_step=_time_step(int(parts["time step"]), program.time_steps))
    if "layer" in parts:
        if program.layers and parts["layer"] not in program.layers:
            raise RnnvizError(f"go to: wanted one of the layers {', '.join(program.layers)}, got {parts['layer']}")
        found = replace(found, layer=parts["layer"])
    if found.operation and not found.phase.swept:
        raise RnnvizError(
            f"go to: wanted an operation in the forward or backward sweep, "
            f"got {_typed(found.operation)} in the phase {found.phase.value}"
        )
    return found


def _time_step(wanted: int, last: int) -> int:
    if not (1 <= wanted <= last or -last <= wanted <= -1):
        raise RnnvizError(f"go to: wanted a time step from 1 to {last}, or -1 for the last, got t={wanted}")
    return wanted if wanted > 0 else last + 1 + wanted


def _typed(key: str) -> str:
    return key.replace(" ", "")


def _unknown(token: str, program: Program) -> str:
    known = [*(phase.value for phase in Phase), *program.layers, *map(_typed, program.operations)]
    near = difflib.get_close_matches(token.lower(), known, n=1, cutoff=0.6)
    operations = f", an operation ({', '.join(map(_typed, program.operations))})" if program.operations else ""
    layers = f" ({', '.join(program.layers)})" if program.layers else " such as l0"
    meant = f"; did you mean {near[0]}?" if near else ""
    return f'go to: wanted k=…, a phase (f, l, b, a, u), t=…, a layer{layers}{operations}, got "{token[:40]}"{meant}'
