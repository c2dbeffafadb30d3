"""Whether the process that writes a run is still alive, even if its number was given to another one since."""

import os
import socket
import sys
import time
from dataclasses import dataclass
from pathlib import Path

HEARTBEAT_SECONDS = 1.0  # how often a writer says that it lives
FRESH_SECONDS = 10.0  # a heartbeat older than this is no sign of life
NOTHING_YET = 0.0  # the sign of life of a writer that has not written anything after the beginning of its run


@dataclass(frozen=True)
class WriterProcess:
    """Who writes a run file. `number` 0: nobody."""

    number: int  # process id
    started: int  # the system's own start time of that process, 0 where it does not tell
    host: str

    def alive(self, heartbeat: float) -> bool:
        """Whether it still writes; `heartbeat` is its last sign of life in seconds since the epoch.

        On this machine the process itself is asked, so that one that is stopped or cannot write for lack of disk still
        counts. Elsewhere, or where the system does not tell start times, only a fresh heartbeat does.
        """
        if self.number <= 0:
            return False
        fresh = abs(time.time() - heartbeat) < FRESH_SECONDS
        if self.host != socket.gethostname():
            return fresh
        if self.started:
            return process_start(self.number) == self.started
        return fresh and process_exists(self.number)


NOBODY = WriterProcess(0, 0, "")


def own_process() -> WriterProcess:
    """This process."""
    return WriterProcess(os.getpid(), process_start(os.getpid()), socket.gethostname())


def process_start(number: int) -> int:
    """When process `number` started, in the system's ticks; 0 if there is none, it is a zombie, or /proc is missing."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
        return 0 if fields[0] in "ZX" else int(fields[19])  # state, then starttime: fields 3 and 22 of proc(5)
    except (OSError, IndexError, ValueError):
        return 0


def process_exists(number: int) -> bool:
    """Whether a process of that number exists; True where it cannot be asked without harm (Windows)."""
    if sys.platform == "win32":
        return True
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except (OSError, OverflowError):
        return True
    return True
