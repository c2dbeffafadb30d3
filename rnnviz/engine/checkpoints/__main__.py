"""Confined process: reads one checkpoint under limits and hands its numbers to the parent through a pipe."""

import ctypes
import os
import signal
import sys
import threading
from typing import cast

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints import read_checkpoint, reader, transport
from rnnviz.engine.checkpoints.sandbox import READY, confine

_PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def main(arguments: list[str]) -> int:
    """`arguments`: file, its size in bytes, format, activation or "", "weights" or "", seconds for judging."""
    path, size, kind, activation, weights, seconds = arguments
    answer = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever a library prints must not get between the numbers
    _end_with_parent()
    reader(kind)  # before the limits: its libraries may need more than any checkpoint
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
    confine(int(size), float(seconds))
    answer.write(READY)
    answer.flush()
    try:
        checkpoint = read_checkpoint(path, cast(Activation, activation) if activation else None)
        transport.write(checkpoint, answer, bool(weights))
    except RnnvizError as problem:
        transport.write_refusal(str(problem), answer)
    except MemoryError:
        transport.write_refusal(f"{path} would need more memory than a checkpoint of its size may take.", answer)
    return 0


def _end_with_parent() -> None:
    """Linux kills us with the parent, also inside C code; elsewhere a thread sees it, once Python code runs again."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
    threading.Thread(target=_end_with_input, daemon=True).start()


def _end_with_input() -> None:
    """The parent holds our standard input open and never writes to it: its end is the parent's end."""
    while os.read(0, 4096):
        pass
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
