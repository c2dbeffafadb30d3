"""When the engine must end: a signal, a pipe that its window has closed or a dead parent; and how it stays behind."""

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType, TracebackType

from rnnviz.engine.own_cell.running import inside
from rnnviz.engine.training.pipe import Pipe

SIGNALS = tuple(getattr(signal, name) for name in ("SIGTERM", "SIGINT", "SIGHUP") if hasattr(signal, name))
_NICENESS = 5  # the window keeps the upper hand on a busy machine
_PR_SET_PDEATHSIG = 1


class Lifetime(AbstractContextManager["Lifetime"]):
    """While entered, SIGTERM, SIGINT and SIGHUP only set `ended`, so that the run is closed whole; a second SIGINT
    breaks into a person's code, which may never come to an end.

    `follow_parent`: also end when the starting process dies, and stay in the background. `pipe`: also end when it is
    closed.
    """

    def __init__(self, follow_parent: bool, pipe: Pipe | None = None) -> None:
        self._follow_parent = follow_parent
        self._pipe = pipe
        self._parent = os.getppid()
        self._asked = _left.is_set()
        self._handlers: dict[int, object] = {}

    @property
    def ended(self) -> bool:
        """Whether somebody asked for the end. Cheap enough for 20 times a second."""
        self._asked = self.signalled or (self._follow_parent and os.getppid() != self._parent)
        return self._asked

    @property
    def signalled(self) -> bool:
        """As `ended`, without looking at the parent: cheap enough for every training step."""
        return self._asked or (self._pipe is not None and self._pipe.closed)

    def __enter__(self) -> "Lifetime":
        if threading.current_thread() is threading.main_thread():
            for number in SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:  # as `nohup` wishes it
                    self._handlers[number] = signal.signal(number, self._ask)
        if self._follow_parent:
            stay_behind()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for number, handler in self._handlers.items():
            signal.signal(number, handler)  # type: ignore[arg-type]
        self._handlers.clear()

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self._asked and number == signal.SIGINT and inside():
            raise KeyboardInterrupt
        self._asked = True


_left = threading.Event()  # a signal came while something was starting


@contextmanager
def starting(at_once: bool = False) -> Iterator[None]:
    """While torch or Qt is loaded, and until somebody else takes them, signals end this process: with status 0, since
    somebody wished it, and with what it has claimed given up; `at_once`: it has claimed nothing."""
    handlers = {}
    if threading.current_thread() is threading.main_thread():
        wished = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        handlers = {number: signal.signal(number, _leave_at_once if at_once else _leave) for number in wished}
    try:
        yield
    except _LeftError:
        os._exit(0)  # what is loaded by half is not to be taken down
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


class _LeftError(BaseException):
    """A signal, on its way through whatever is being loaded."""


def _leave(number: int, frame: FrameType | None) -> None:
    _left.set()  # somebody on the way may not let it through: then `Lifetime` sees it
    raise _LeftError


def _leave_at_once(number: int, frame: FrameType | None) -> None:
    os._exit(0)


def stay_behind() -> None:
    """Gives way to the window on a busy machine, and ends when the process that has started this one does."""
    if hasattr(os, "nice"):
        os.nice(_NICENESS)
    end_with_parent()


def end_with_parent() -> None:
    """From now on the kernel sends SIGTERM when the process that has started this one dies, also while torch is loaded
    or a long training step keeps us from looking; before `Lifetime` takes it, that ends this process at once."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
