"""Reads a foreign checkpoint in a child process with limits on memory, CPU time, wall time, files and file sizes."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO

import rnnviz
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Activation
from rnnviz.engine.checkpoints import Checkpoint, CheckpointKind, checkpoint_kind, transport
from rnnviz.engine.checkpoints.names import shown
from rnnviz.engine.checkpoints.parts import parts_of

READY = b"\n"  # the child says that its libraries are loaded and its limits stand
JUDGING_SECONDS = 10.0
_START_SECONDS = 120.0  # for importing torch on a slow or busy machine; nothing of the file is looked at meanwhile
_MEMORY_SLACK = 1024**3
_MEMORY_FACTOR = 6  # read once, widened to float32, handed on
_OPEN_FILES = 64


def read_confined(
    path: str | Path,
    activation: Activation | None = None,
    with_weights: bool = True,
    seconds: float = JUDGING_SECONDS,
) -> Checkpoint:
    """`read_checkpoint` in a child process; a file that exceeds its limits or kills its reader is a RnnvizError.

    What is no checkpoint by its first bytes is refused here, without a child. The child ends with this process.
    """
    kind = checkpoint_kind(path)
    size = sum(os.stat(part).st_size for part in parts_of(Path(path)))
    arguments = [str(path), str(size), kind, activation or "", "weights" if with_weights else ""]
    with subprocess.Popen(
        [sys.executable, "-P", "-m", "rnnviz.engine.checkpoints", *arguments, str(seconds)],
        stdin=subprocess.PIPE,  # held open: its end tells the child that we are gone
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_environment(),
    ) as child:
        assert child.stdout is not None  # because of PIPE
        try:
            return _answer(child, child.stdout, seconds)
        except EOFError:
            child.kill()
            raise RnnvizError(_why_ended(path, kind, child.wait(), seconds)) from None
        finally:
            child.kill()


def confine(file_bytes: int, seconds: float) -> None:
    """Limits this process from now on: memory by the size of the file, CPU and wall time, open files, no writing.

    Linux and macOS; macOS does not enforce the memory limit. On Windows there are none but the wall time that the
    parent keeps. The default actions of SIGALRM and SIGXCPU end the process, also in the middle of C code.
    """
    if sys.platform == "win32":
        return
    import resource

    used = resource.getrusage(resource.RUSAGE_SELF)
    cpu = int(used.ru_utime + used.ru_stime + seconds) + 2
    memory = _address_space() + _MEMORY_SLACK + _MEMORY_FACTOR * file_bytes
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    for limit, most in (
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, _OPEN_FILES),
        (resource.RLIMIT_CPU, cpu),
        (resource.RLIMIT_AS, memory),
    ):
        _, hard = resource.getrlimit(limit)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        try:
            resource.setrlimit(limit, (most, most))
        except (ValueError, OSError):
            if sys.platform != "darwin":  # which refuses RLIMIT_AS below what is mapped already
                raise


def _address_space() -> int:
    """Bytes mapped by this process now; where the system does not tell, what torch takes at most."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    except OSError:
        return 16 * 1024**3
    return pages * os.sysconf("SC_PAGE_SIZE")


def _environment() -> dict[str, str]:
    """Ours, with this very rnnviz first on the path, and without switches that would make torch load code."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TORCH_FORCE_")}
    home = str(Path(rnnviz.__file__).resolve().parents[1])
    path = os.pathsep.join([home, *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"PYTHONPATH": path, "OMP_NUM_THREADS": "1", "PYTHONDONTWRITEBYTECODE": "1"}


def _answer(child: subprocess.Popen[bytes], stream: IO[bytes], seconds: float) -> Checkpoint:
    """What the child says; it is killed when it starts or judges for too long."""
    timer = threading.Timer(_START_SECONDS, child.kill)
    timer.start()
    try:
        ready = stream.read(len(READY))
        timer.cancel()
        if ready != READY:
            raise EOFError("the child did not start")
        timer = threading.Timer(seconds + 1.0, child.kill)
        timer.start()
        return transport.read(stream)
    finally:
        timer.cancel()


def _why_ended(path: str | Path, kind: CheckpointKind, code: int, seconds: float) -> str:
    """One sentence for a child that ended without an answer."""
    name = shown(str(path), 400)
    if sys.platform != "win32" and -code in (signal.SIGALRM, signal.SIGXCPU, signal.SIGKILL):
        return f"{name} was given up: wanted a {kind} that can be read within {seconds:g} s, got one that takes longer."
    ended = signal.Signals(-code).name if code < 0 else f"exit status {code}"
    return f"{name} made its reader fail ({ended}): it is damaged, hostile or needs more memory than its size allows."
