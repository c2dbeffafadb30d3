"""Pipe to the window that has started this engine: commands come and statuses go, whatever the disk does."""

import os
import signal
import stat
import threading
from collections import deque

from rnnviz.core.errors import RnnvizError
from rnnviz.runs.file.engine_commands import TakenCommand
from rnnviz.runs.file.engine_pipe import Answer, Said, Told, read_command_line, told_line

_MOST_WAITING = 1 << 16  # bytes for a window that does not read


class Pipe:
    """Nothing here waits, neither for the window to write nor for it to read.

    `closed` once the window has closed its end, which is the wish that the engine ends; while `starting`, it is sent
    SIGTERM then, too.
    """

    def __init__(self, reading: int, writing: int) -> None:
        """File descriptors. What else writes to `writing` would be taken for the engine's words."""
        self._reading, self._writing = reading, writing
        self._came: deque[bytes] = deque()
        self._out = bytearray()
        self.starting = True
        self.closed = False
        if hasattr(os, "set_blocking"):
            os.set_blocking(writing, False)
        threading.Thread(target=self._read, name="pipe", daemon=True).start()

    @property
    def waiting(self) -> bool:
        """Whether commands have come: cheap enough for every training step."""
        return bool(self._came)

    def take(self) -> list[TakenCommand]:
        """The commands that came since the last call; one that makes no sense is answered and left out."""
        taken = []
        while self._came:
            line = self._came.popleft()
            try:
                taken.append(read_command_line(line))
            except RnnvizError as error:
                self.tell(Answer(0, str(error)))
        return taken

    def done(self, number: int, sentence: str = "") -> None:
        """Says that a command was carried out, or in a sentence why it was not."""
        self.tell(Answer(number, sentence))

    def tell(self, told: Told) -> None:
        """Writes a line, or keeps it until there is room; a status is let go where the window reads none."""
        if not (isinstance(told, Said) and len(self._out) > _MOST_WAITING):
            self._out += told_line(told)
        try:
            while self._out:
                del self._out[: os.write(self._writing, self._out)]
        except BlockingIOError:
            return
        except OSError:  # nobody reads any more
            self._out.clear()

    def _read(self) -> None:
        try:
            with open(self._reading, "rb", closefd=False) as stream:
                for line in stream:
                    self._came.append(line)
        except OSError:
            pass  # as at its end: nobody speaks any more
        self.closed = True
        if self.starting:
            os.kill(os.getpid(), signal.SIGTERM)  # as `lifetime.starting` takes it


def pipe_of_window() -> Pipe | None:
    """Standard input and output, where they are pipes; what else is printed goes to standard error from now on, and who
    else reads finds nothing."""
    if not _is_pipe(0):
        return None
    writing = os.dup(1) if _is_pipe(1) else os.open(os.devnull, os.O_WRONLY)
    os.dup2(2, 1)
    reading, nothing = os.dup(0), os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return Pipe(reading, writing)


def _is_pipe(number: int) -> bool:
    """A terminal, a file or none at all is nobody who talks to us."""
    try:
        mode = os.fstat(number).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)
