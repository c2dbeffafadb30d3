"""Running: a person's code with its errors as one sentence of file and line, and what it prints kept back."""

import io
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from types import FrameType

from rnnviz.core.errors import RnnvizError

BACK = "going back, "  # what a person's code was doing
MOST_WORDS = 200  # characters of an error's own


class Kept(io.TextIOBase):
    """Standard output for a person's code: nothing of it reaches ours, which the window reads."""

    def __init__(self, file: str) -> None:
        super().__init__()
        self._file = file
        self.line = 0  # of the file, that printed first; 0: none did

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if not self.line:
            self.line = _line_of(sys._getframe(1), self._file) or -1
        return len(text)


_inside = [0]  # how deep in a person's code this process is


def inside() -> bool:
    """Whether a person's code is running, which may never come to an end."""
    return _inside[0] > 0


@contextmanager
def running(file: str, doing: str, kept: Kept) -> Iterator[None]:
    """While a person's code runs: whatever it raises becomes an RnnvizError of one sentence."""
    _inside[0] += 1
    try:
        with redirect_stdout(kept):
            yield
    except RnnvizError:
        raise
    except KeyboardInterrupt as error:
        raise RnnvizError(f"{_where(error, file)}: it was stopped while it ran.") from None
    except BaseException as error:  # whatever a person's code raises: it is told in one sentence
        raise RnnvizError(told(error, file, doing)) from None
    finally:
        _inside[0] -= 1


def told(error: BaseException, file: str, doing: str) -> str:
    """ "my_cell.py, line 12: in forward, ValueError: …"."""
    if isinstance(error, SyntaxError) and error.filename == file:
        return f"{file}, line {error.lineno}: {type(error).__name__}: {error.msg}."
    try:
        words = " ".join(str(error).encode("utf-8", "backslashreplace").decode("utf-8").split())
    except Exception:  # its class is a person's own, too
        words = ""
    words = words if len(words) <= MOST_WORDS else words[: MOST_WORDS - 1] + "…"
    said = f"{type(error).__name__}: {words}" if words else type(error).__name__
    return f"{_where(error, file)}: {doing}{said}{'' if said.endswith(('.', '…', '!', '?')) else '.'}"


def _where(error: BaseException, file: str) -> str:
    """The file, with the line an error came from."""
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == file]
    return f"{file}, line {lines[-1]}" if lines else file


def _line_of(frame: FrameType | None, file: str) -> int:
    while frame is not None:
        if frame.f_code.co_filename == file:
            return frame.f_lineno
        frame = frame.f_back
    return 0
