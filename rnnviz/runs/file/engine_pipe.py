"""Engine's pipe: lines of JSON between a window and the engine it has started, so that a bad disk cannot block them.

To the engine: commands, numbered by the window. From it: what it says of itself, answers, and what it could not write.
"""

import json
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain, read_record
from rnnviz.runs.file.engine_commands import EngineCommand, TakenCommand, command_row, read_command
from rnnviz.runs.file.records import EngineStatus


@dataclass(frozen=True)
class Said:
    """What the engine says of itself, and of which run; `kind`: of the event its sentence is, if any."""

    run: str
    status: EngineStatus
    kind: str = ""


@dataclass(frozen=True)
class Answer:
    """Command `number` is done; `sentence` says why it was not carried out, "": it was."""

    number: int
    sentence: str = ""


@dataclass(frozen=True)
class Unwritten:
    """What the run at the engine's end does not hold, in words."""

    sentence: str


Told = Said | Answer | Unwritten
_KINDS: dict[str, type[Told]] = {"said": Said, "answer": Answer, "unwritten": Unwritten}


def command_line(number: int, command: EngineCommand) -> bytes:
    """A command as the window writes it."""
    return json.dumps([number, *command_row(command)]).encode() + b"\n"


def read_command_line(line: bytes) -> TakenCommand:
    """The command in a line. Raises RnnvizError for what is none."""
    try:
        number, name, arguments = json.loads(line)
    except (ValueError, TypeError, RecursionError):
        raise RnnvizError(f"{line[:60]!r} is not a command of this rnnviz.") from None
    return TakenCommand(int(number), read_command(name, arguments))


def told_line(told: Told) -> bytes:
    """What the engine tells, as it writes it."""
    name = next(name for name, kind in _KINDS.items() if kind is type(told))
    return json.dumps([name, plain(told)]).encode() + b"\n"


def read_told(line: bytes) -> Told | None:
    """What the engine tells in a line; None for anything else that came through the pipe."""
    try:
        name, table = json.loads(line)
        return read_record(_KINDS[name], table, "the engine", name)
    except (ValueError, TypeError, KeyError, RecursionError, RnnvizError):
        return None
