"""When the engine must end: a signal, a closed standard input or a dead parent; and how it stays in the background."""

import ctypes
import os
import select
import signal
import stat
import sys
import threading
from contextlib import AbstractContextManager
from types import FrameType, TracebackType

_NICENESS = 5  # the window keeps the upper hand on a busy machine
_PR_SET_PDEATHSIG = 1


class Lifetime(AbstractContextManager["Lifetime"]):
    """While entered, SIGTERM and SIGINT only set `ended`, so that the run is closed whole.

    `follow_parent`: also end when the starting process dies or closes our standard input, and stay in the background.
    """

    def __init__(self, follow_parent: bool) -> None:
        self._follow_parent = follow_parent
        self._parent = os.getppid()
        self._asked = False
        self._handlers: dict[int, object] = {}

    @property
    def ended(self) -> bool:
        """Whether somebody asked for the end. Cheap enough for 20 times a second."""
        if self._follow_parent and not self._asked:
            self._asked = os.getppid() != self._parent or _closed_input()
        return self._asked

    @property
    def signalled(self) -> bool:
        """As `ended`, without looking at parent and input: cheap enough for every training step."""
        return self._asked

    def __enter__(self) -> "Lifetime":
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGTERM, signal.SIGINT):
                self._handlers[number] = signal.signal(number, self._ask)
        if self._follow_parent:
            _stay_behind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self._asked = True


def _stay_behind() -> None:
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    if sys.platform == "linux":
        # The kernel tells us when the window dies, also while a long training step keeps us from looking.
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _closed_input() -> bool:
    """Whether standard input is a pipe whose other end was closed; a terminal, a file or none at all does not count."""
    try:
        mode = os.fstat(0).st_mode
        if not (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)):
            return False
        readable, _, _ = select.select([0], [], [], 0)
        return bool(readable) and os.read(0, 4096) == b""
    except OSError:
        return False
