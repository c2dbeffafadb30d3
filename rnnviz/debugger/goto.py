"""Going to a place by typing it: `step 500 t 17 backward`, and the same words for where a cursor is."""

import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from rnnviz.core.errors import RnnvizError
from rnnviz.core.network import ENCODER
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import KIND_WORDS, CaptureKind
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.place_text import plain_place
from rnnviz.debugger.program import Program

EXAMPLE = "step 500 t 17 backward"

_PHASES = {name: phase for phase in Phase for name in (phase.value, phase.value[0])} | {
    "fwd": Phase.FORWARD, "forwards": Phase.FORWARD, "bwd": Phase.BACKWARD, "backwards": Phase.BACKWARD,
    "bptt": Phase.BACKWARD, "backprop": Phase.BACKWARD, "backpropagation": Phase.BACKWARD,
    "accumulation": Phase.ACCUMULATE,
}  # fmt: skip
_NUMBERS = {  # part of a place → what people write before its number
    "training step": "training step|trainingstep|train step|training|iteration|iter|epoch|step|k|s",
    "time step": "time step|timestep|time|t",
    "unit": "units|unit|neuron|u",
    "sequence": "sequence|sample|seq|n",
}
_NUMBER = {
    part: re.compile(rf"(?:{names})\s*[=:#]?\s*([-−]?[0-9]{{1,15}})(?![\w.]|,[0-9])")
    for part, names in _NUMBERS.items()
}
_NAMED = re.compile(rf"({'|'.join(_NUMBERS.values())})(?!\w)\s*[=:#]?\s*([^\s=:#]*)")
_KINDS: tuple[CaptureKind, ...] = ("probe", "batch")
_KIND = re.compile(r"(?:probe|(?:training\s*)?batch)(?!\w)")
_BARE = re.compile(r"([-−]?[0-9]{1,15})(?![\w.])")
_LAYER = re.compile(
    r"(?:(?P<call>[a-z]\w*?)[ .,_]+)??(?:layer\s*|l)(?P<depth>[0-9]+)(?P<reverse>_?r(?:everse)?|[ ,]+reverse)?(?![\w.])"
)
_FILLERS = frozenset({
    "go", "to", "goto", "jump", "move", "take", "show", "me", "please", "the", "of", "in", "at", "on", "and", "sweep",
    "phase", "pass", "=", ":", ",",
})  # fmt: skip


@dataclass(frozen=True)
class Target:
    """A place and what is looked at there; None: as it is."""

    cursor: Cursor
    unit: int | None = None  # counted from 1, as typed
    sequence: int | None = None  # counted from 1
    model: int | None = None  # its number, 0-based
    kind: CaptureKind | None = None  # whose sequences


def words(cursor: Cursor, kind: CaptureKind = "probe") -> str:
    """The cursor as it would be typed: "step 1,200 t 17 backward l1 o training batch"; `target` understands it
    again."""
    said = f"step {cursor.training_step:,} t {cursor.time_step} {cursor.phase.value} {cursor.layer}"
    parts = (said, _typed(cursor.operation), "" if kind == "probe" else KIND_WORDS[kind])
    return " ".join(filter(None, parts))


def place_words(cursor: Cursor) -> str:
    """Where a cursor stands in its training step: "time step 17, backward sweep"."""
    inside = f", operation {_typed(cursor.operation)}" if cursor.operation else ""
    if not cursor.phase.swept:
        return f"the phase {cursor.phase.value}{inside}"
    layer = "" if cursor.layer == "l0" else f", {LayerId.read(cursor.layer).words}"
    return f"time step {cursor.time_step:,}, {cursor.phase.value} sweep{layer}{inside}"


def go_to(text: str, program: Program, cursor: Cursor) -> Cursor:
    """The place that `text` names, as `target` has it."""
    return target(text, program, cursor).cursor


def target(text: str, program: Program, cursor: Cursor, models: tuple[str, ...] = ()) -> Target:
    """What `text` names; what it does not name stays as at `cursor`, but for the operation.
    A time step or an operation asked for in a phase without any is the nearer sweep's; an operation of the loss or the
    update is there.

    In any order: step 1200 (training step, 0 or more; k=1200, s1200, last step), t 17 (time step; t=-1, "last" and
    "end" are the last, "start of backward" is where that sweep begins),
    the phase (forward, loss, backward, accumulate, update or their first letters), the layer (l1, layer 1 reverse), the
    operation (by its key, spaces left out, or its words), unit 7, sequence 2, a model's name, probe or training batch.
    A bare number is a time
    step, or where it is none and of two the first, a training step. An f is the phase, unless a phase, time step or
    layer is named before it. RnnvizError says what was wanted, with an example, and what came.
    """
    parts, bare = dict[str, str](), list[str]()
    for name, value in _parts(plain_place(text, program, cursor), program, models):
        if name == "number":
            bare.append(value)
        elif name in parts:
            raise RnnvizError(f"go to: wanted one {name}, got {parts[name]} and {value}")
        else:
            parts[name] = value
    parts |= _named(bare, parts, program)
    if not parts:
        raise RnnvizError(f'go to: wanted a place such as "{EXAMPLE}", got nothing')
    return Target(
        _placed(parts, program, cursor),
        _counted("unit", parts),
        _counted("sequence", parts),
        int(parts["model"]) if "model" in parts else None,
        next((kind for kind in _KINDS if kind == parts.get("kind")), None),
    )


def _parts(text: str, program: Program, models: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Each part of the place with its canonical spelling, as it is typed."""
    rest, before = text, set[str]()
    while rest := rest.lstrip():
        found = _first(rest, before, program, models)
        if found is None:
            raise RnnvizError(_no_number(rest) or _unknown(rest.split()[0], program))
        name, value, length = found
        before.add(name)
        rest = rest[length:]
        if name:
            yield name, value


def _first(rest: str, before: set[str], program: Program, models: tuple[str, ...]) -> tuple[str, str, int] | None:
    """The part that `rest` begins with: (which, canonical spelling, its length); "" for a word without a meaning.
    `before`: the parts before it."""
    lower = rest.lower()
    token = rest.split()[0]
    placed = not before.isdisjoint(("phase", "time step", "layer"))
    if kind := _KIND.match(lower):
        return "kind", "probe" if kind[0] == "probe" else "batch", kind.end()
    for part, pattern in _NUMBER.items():
        if number := pattern.match(lower):
            return part, number[1].replace("−", "-"), number.end()
    if bare := _BARE.match(lower):
        return "number", bare[1].replace("−", "-"), bare.end()
    key, length = _operation(rest, program)
    phase = _PHASES.get(token.lower())
    whole = phase is not None and phase.value == token.lower() and "phase" not in before
    if phase is not None and (whole or not placed) and length <= len(token):  # "update gate" is longer
        return "phase", phase.value, len(token)
    if layer := _layer(lower, program):
        return layer
    if key:
        return "operation", key, length
    if phase is not None:
        return "phase", phase.value, len(token)
    named = [number for number, name in enumerate(models) if re.match(rf"{re.escape(name.lower())}(?!\w)", lower)]
    if named:
        longest = max(named, key=lambda number: len(models[number]))
        return "model", str(longest), len(models[longest])
    return ("", "", len(token)) if token.lower() in _FILLERS else None


def _layer(lower: str, program: Program) -> tuple[str, str, int] | None:
    """The layer that begins the text: l1, decoder.l1, decoder layer 1, decoder; None: none does."""
    stages = {LayerId.read(layer).call or ENCODER for layer in program.layers} if program.several else set[str]()
    if (found := _LAYER.match(lower)) and (found["call"] is None or found["call"] in stages):
        stage, layer = found["call"] or "", LayerId(int(found["depth"]), bool(found["reverse"]))
    elif (found := re.match(r"[a-z]+(?![\w.])", lower)) and found[0] in stages:
        stage, layer = found[0], LayerId(0)
    else:
        return None
    return "layer", replace(layer, call="" if stage == ENCODER else stage).text, found.end()


def _named(bare: list[str], parts: dict[str, str], program: Program) -> dict[str, str]:
    """What numbers without a word before them are."""
    free = [name for name in ("training step", "time step") if name not in parts]
    if len(bare) > len(free):
        raise RnnvizError(f'go to: wanted words before the numbers, for example "{EXAMPLE}"; got {" and ".join(bare)}')
    if len(bare) == 1 and len(free) == 2:
        known, number = program.training_steps, int(bare[0])
        far = number > program.time_steps and len(known) > 0 and number <= known[-1]
        free = ["training step" if far else "time step"]
    return dict(zip(free, bare, strict=False))


def _counted(name: str, parts: dict[str, str]) -> int | None:
    if name not in parts:
        return None
    if int(parts[name]) < 1:
        raise RnnvizError(f'go to: {name}s count from 1, for example "{name} 7"; got {parts[name]}')
    return int(parts[name])


def _operation(rest: str, program: Program) -> tuple[str, int]:
    """The key of the operation that is meant and how long its name is: as it is written, else with any capitals, else
    by its words; ("", 0): none is."""
    token = rest.split()[0]
    typed = {_typed(key): key for key in reversed(_keys(program))}
    lower = {name.lower(): key for name, key in typed.items()}
    key = typed.get(token) or lower.get(token.lower(), "")
    named = [(called, key) for key in _keys(program) for called in (key, key.replace("_", " "))]
    named += program.spoken
    for called, other in named:
        if len(called) > len(token) and re.match(rf"{re.escape(called.lower())}(?!\w)", rest.lower()):
            return other, len(called)
    return key, len(token) if key else 0


def _keys(program: Program) -> tuple[str, ...]:
    """Those of all operations, the cell's first."""
    return (*program.operations, *program.loss, *program.update)


def _placed(parts: dict[str, str], program: Program, cursor: Cursor) -> Cursor:
    found = replace(cursor, operation=parts.get("operation", ""))
    if "training step" in parts:
        wanted = int(parts["training step"])
        if wanted < 0:
            raise RnnvizError(f'go to: wanted a training step from 0 on, for example "step 500"; got {wanted}')
        found = replace(found, training_step=wanted)
    if "phase" in parts:
        found = replace(found, phase=Phase(parts["phase"]))
    elif "time step" in parts or "operation" in parts:
        found = replace(found, phase=_phase(program, found))
    if "time step" not in parts and not found.phase.swept:
        found = replace(found, time_step=program.at(program.first_of(found.phase), cursor).time_step)
    if "time step" in parts:
        time_step = _time_step(int(parts["time step"]), program.time_steps)
        found = replace(found, time_step=time_step)
        if "layer" not in parts and found.phase.swept:
            found = replace(program.to_time_step(found, time_step), operation=found.operation)
        elif found.phase is Phase.LOSS and program.answered(time_step) != time_step:
            first, last = program.stretch(program.layers[-1])
            raise RnnvizError(f"go to: losses are at the time steps {first} to {last}; got {time_step}")
    if "layer" in parts:
        found = _in_layer(program, found, parts["layer"], "time step" in parts)
    if found.operation and found.operation not in program.operations_in(found.phase):
        having = " or ".join(one.value for one in Phase if found.operation in program.operations_in(one))
        raise RnnvizError(
            f"go to: wanted an operation in the {having}{' sweep' if 'forward' in having else ''}, "
            f"got {_typed(found.operation)} in the phase {found.phase.value}"
        )
    if found.operation and found.phase.swept and found.operation not in program.operations_at(found):
        return _having(found.operation, program, found, parts)
    return found


def _having(operation: str, program: Program, cursor: Cursor, parts: dict[str, str]) -> Cursor:
    """The nearest point of the cursor's sweep that has an operation which not every time step has, in the layer and at
    the time step that were named."""
    points = range(program.first_of(cursor.phase), program.last_of(cursor.phase) + 1)
    every = [one for one in (program.at(point, cursor) for point in points) if operation in program.operations_at(one)]
    fitting = [one for one in every if one.layer == cursor.layer] if "layer" in parts else every
    fitting = [one for one in fitting if one.time_step == cursor.time_step] if "time step" in parts else fitting
    if not fitting:
        where = f"is at time step {every[0].time_step} of {every[0].layer}" if every else "is nowhere in this sweep"
        raise RnnvizError(f"go to: {_typed(operation)} {where}; got time step {cursor.time_step} of {cursor.layer}")
    here = program.point(replace(cursor, operation=""))
    return replace(min(fitting, key=lambda one: abs(program.point(one) - here)), operation=operation)


def _in_layer(program: Program, cursor: Cursor, layer: str, timed: bool) -> Cursor:
    """The cursor in a layer; `timed`: its time step was named, too, and is not another for that."""
    if program.layers and layer not in program.layers:
        raise RnnvizError(f"go to: wanted one of the layers {', '.join(program.layers)}, got {layer}")
    found = program.to_layer(cursor, layer)
    if timed and found.time_step != cursor.time_step:
        first, last = program.stretch(layer)
        raise RnnvizError(f"go to: {layer} goes through the time steps {first} to {last}; got {cursor.time_step}")
    return found


def _phase(program: Program, cursor: Cursor) -> Phase:
    """That of the cursor's operation where none is named, the nearest of them; without one the nearer sweep."""
    near = program.to_time_step(cursor, cursor.time_step).phase
    having = [one for one in (cursor.phase, near, *Phase) if cursor.operation in program.operations_in(one)]
    return having[0] if having else near


def _time_step(wanted: int, last: int) -> int:
    if not (1 <= wanted <= last or -last <= wanted <= -1):
        example = f'"t {last}" or "step 500" for a training step'
        raise RnnvizError(
            f"go to: wanted a time step from 1 to {last}, or −1 for the last, for example {example}; got {wanted}"
        )
    return wanted if wanted > 0 else last + 1 + wanted


def _typed(key: str) -> str:
    return key.replace(" ", "")


def _no_number(rest: str) -> str:
    """What came instead of a number behind the word that a number belongs to; "" where there is no such word."""
    named = _NAMED.match(rest.lower())
    if named is None:
        return ""
    word, came = rest[: named.end(1)], rest[named.start(2) : named.end(2)]
    example = "t 17" if re.fullmatch(_NUMBERS["time step"], named[1]) else f"{word} 7"
    got = f"“{came[:40]}”" if came else "nothing"
    return f"go to: wanted a whole number after “{word}”, for example “{example}”; got {got}"


def _unknown(token: str, program: Program) -> str:
    known = [*(phase.value for phase in Phase), *program.layers, *map(_typed, _keys(program))]
    near = difflib.get_close_matches(token.lower(), known, n=1, cutoff=0.6)
    operations = f", an operation ({', '.join(map(_typed, _keys(program)))})" if _keys(program) else ""
    layers = f" ({', '.join(program.layers)})" if program.layers else " (l0)"
    meant = f"; did you mean {near[0]}?" if near else "."
    return (
        f"go to: “{token[:40]}” names no place{meant} Wanted a training step (step 500), a time step (t 17), a phase "
        f"(forward, loss, backward, accumulate, update), a layer{layers}, a unit (unit 7){operations}, for example "
        f"“{EXAMPLE}”."
    )
