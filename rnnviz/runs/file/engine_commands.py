"""Commands to the engine: wishes of the window, carried out between two training steps, as frozen records.

In the commands table a command is its name in `NAMES` and its fields as JSON.
"""

import json
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import plain, read_record


@dataclass(frozen=True)
class Train:
    """Goes on training up to `until`, or up to the planned end and past it."""

    until: int | None = None


@dataclass(frozen=True)
class Pause:
    """Stops between two training steps. `process` asks for it, as of WriterProcess, 0: nobody is named; a training
    without a window of its own goes on once that process is gone or leaves."""

    process: int = 0
    started: int = 0
    host: str = ""


@dataclass(frozen=True)
class Leave:
    """That process looks at the run no longer: what it has paused there goes on, unless the engine is a window's."""

    process: int = 0
    started: int = 0
    host: str = ""


@dataclass(frozen=True)
class Step:
    """Makes `count` training steps."""

    count: int = 1


@dataclass(frozen=True)
class Set:
    """Changes what can be changed while the models learn; None: as it is."""

    learning_rate: float | None = None
    clip_norm: float | None = None
    training_steps: int | None = None
    patience: int | None = None


@dataclass(frozen=True)
class Restart:
    """Begins a new run with another experiment, in the same warm process."""

    experiment: str  # as TOML
    path: str  # of the new run file


@dataclass(frozen=True)
class BranchOff:
    """Goes on in a new run from a training step of this one, with the weights of one model as they are in a file, and
    with other settings; None: as they are."""

    path: str  # of the new run file
    training_step: int | None = None  # None: the one the engine is at
    model: str = ""
    weights: str = ""  # path of safetensors
    learning_rate: float | None = None
    clip_norm: float | None = None
    training_steps: int | None = None
    patience: int | None = None


@dataclass(frozen=True)
class TakeCapture:
    """Captures this training step for good."""


@dataclass(frozen=True)
class RecordBatches:
    """Captures the training batch now, and from now on with each capture; not `on`: only where training rests."""

    on: bool = True


@dataclass(frozen=True)
class Quit:
    """Ends the engine."""


EngineCommand = Train | Pause | Leave | Step | Set | Restart | BranchOff | TakeCapture | RecordBatches | Quit

NAMES: dict[str, type[EngineCommand]] = {
    "train": Train,
    "pause": Pause,
    "leave": Leave,
    "step": Step,
    "set": Set,
    "restart": Restart,
    "branch": BranchOff,
    "capture": TakeCapture,
    "record batches": RecordBatches,
    "quit": Quit,
}


@dataclass(frozen=True)
class TakenCommand:
    """A command as the engine takes it; `number` is that of its row, for the answer."""

    number: int
    command: EngineCommand


def command_name(command: EngineCommand) -> str:
    """Its name in a run file."""
    return next(name for name, kind in NAMES.items() if kind is type(command))


def command_row(command: EngineCommand) -> tuple[str, str]:
    """Its name and its fields as JSON."""
    return command_name(command), json.dumps(plain(command))


def read_command(name: object, arguments: object) -> EngineCommand:
    """The command of a row. Raises RnnvizError for an unknown name, or fields that do not fit."""
    try:
        table = json.loads(arguments) if isinstance(arguments, str) else None
    except (ValueError, RecursionError):
        table = None
    if name not in NAMES or not isinstance(table, dict):
        raise RnnvizError(f"{str(name)[:40]} with {str(arguments)[:40]} is not a command of this rnnviz.")
    return read_record(NAMES[str(name)], table, "the command", str(name))
