"""Warm Python: a process that has torch loaded and forks for each `python -m rnnviz …` that a test has started.

Loading torch is most of what a short training costs, and many tests start one. A `WarmPython` writes a program that
takes the words `python` takes: the modules of `SERVED` run in a fork of the warm process, anything else in Python
itself. The program stays for as long as the fork does: it hands on its words, environment and standard streams, passes
signals on and ends as the fork ends; killed, it takes the fork with it. SIGSTOP does not reach the fork, and the fork's
parent is the warm process: tests of that start Python itself, as do those of how the program starts.
"""

import contextlib
import gc
import importlib
import os
import pkgutil
import runpy
import selectors
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from io import FileIO, TextIOWrapper
from pathlib import Path

PYTHON = sys.executable
SERVED = ("rnnviz", "rnnviz.engine.training", "rnnviz.engine.checkpoints")
LOADED = ("rnnviz.core", "rnnviz.runs", "rnnviz.debugger", "rnnviz.engine", "rnnviz.headless", "rnnviz.command_line")
MESSAGE = 1 << 17  # bytes, of words and environment

PROGRAM = """#!{python} -ISE
import os, sys
words = [word for word in sys.argv[1:] if word != "-P"]
if words[:1] != ["-m"] or words[1] not in {served}:
    os.execv({python!r}, [{python!r}, *sys.argv[1:]])
import _socket, array, signal
server = _socket.socket(_socket.AF_UNIX, _socket.SOCK_SEQPACKET)
server.connect({address!r})
leads = "leads" if os.getsid(0) == os.getpid() else ""
environment = [f"{{name}}={{value}}" for name, value in os.environ.items()]
said = [leads, os.getcwd(), os.path.abspath(__file__), str(len(words) - 1), *words[1:], *environment]
streams = (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
server.sendmsg([os.fsencode("\\0".join(said))], [streams])
fork = int(server.recv(20))
for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
    signal.signal(number, lambda number, frame: os.kill(fork, number))
code = int(server.recv(20))
if code < 0:
    if -code != signal.SIGKILL:
        signal.signal(-code, signal.SIG_DFL)
    os.kill(os.getpid(), -code)
os._exit(code)
"""


@contextmanager
def warm_python(folder: Path) -> Iterator[str]:
    """The path of the program; where the system has no pidfds, that of Python."""
    if sys.platform != "linux":
        yield PYTHON
        return
    address, program = folder / "warm.socket", folder / "python"
    program.write_text(PROGRAM.format(python=PYTHON, served=SERVED, address=str(address)))
    program.chmod(0o700)
    with subprocess.Popen([PYTHON, __file__, str(address)], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as start:
        assert start.stdout is not None
        assert start.stdout.read(1) == b"."  # it listens
        start.wait()  # and is no child of ours
        yield str(program)
        start.communicate()  # until it is gone


class Server:
    """Forks for who connects, until standard input ends."""

    def __init__(self, address: str) -> None:
        self._forks: dict[int, int] = {}  # by the file descriptor of who asked
        self._selector = selectors.DefaultSelector()
        self._listening = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._listening.bind(address)
        self._listening.listen(20)
        self._selector.register(self._listening, selectors.EVENT_READ, self._accept)
        self._selector.register(0, selectors.EVENT_READ, self._leave)

    def serve(self) -> None:
        while True:
            for key, _ in self._selector.select():
                key.data()

    def _accept(self) -> None:
        asked, _ = self._listening.accept()
        self._selector.register(asked, selectors.EVENT_READ, lambda: self._hear(asked))

    def _hear(self, asked: socket.socket) -> None:
        if asked.fileno() in self._forks:  # it is gone
            os.kill(self._forks[asked.fileno()], signal.SIGKILL)
            self._selector.unregister(asked)
            return
        said, streams, *_ = socket.recv_fds(asked, MESSAGE, 3)
        if not streams:  # it was gone before it said anything
            self._selector.unregister(asked)
            asked.close()
            return
        fork = os.fork()
        if not fork:
            _run(os.fsdecode(said).split("\0"), streams)
        for stream in streams:
            os.close(stream)
        self._forks[asked.fileno()] = fork
        watched = os.pidfd_open(fork)
        self._selector.register(watched, selectors.EVENT_READ, lambda: self._reap(asked, watched))
        _tell(asked, fork)

    def _reap(self, asked: socket.socket, watched: int) -> None:
        fork = self._forks.pop(asked.fileno())
        _, status = os.waitpid(fork, 0)
        self._selector.unregister(watched)
        os.close(watched)
        if asked in self._selector.get_map():
            self._selector.unregister(asked)
            _tell(asked, os.waitstatus_to_exitcode(status))
        asked.close()

    def _leave(self) -> None:
        for fork in self._forks.values():
            os.kill(fork, signal.SIGKILL)
        os._exit(0)


def _tell(asked: socket.socket, number: int) -> None:
    with contextlib.suppress(BrokenPipeError):  # killed meanwhile, which is heard next
        asked.send(str(number).encode())


def _run(said: list[str], streams: list[int]) -> None:
    """In the fork: what `python -m` does, with the streams, folder and environment of who asked."""
    status = 1
    try:
        leads, folder, program, count, *rest = said
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
        os.closerange(3, 1024)
        if leads:
            os.setsid()
        os.chdir(folder)
        words, environment = rest[: int(count)], dict(entry.split("=", 1) for entry in rest[int(count) :])
        os.environ.clear()
        os.environ.update(environment)
        sys.executable, sys.path[0] = program, folder
        sys.argv = [*words]
        sys.stdin, sys.stdout, sys.stderr = TextIOWrapper(FileIO(0)), _output(1), _output(2, "backslashreplace")
        signal.signal(signal.SIGINT, signal.default_int_handler)
        runpy.run_module(words[0], run_name="__main__", alter_sys=True)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        if isinstance(end.code, str):
            print(end.code, file=sys.stderr)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)


def _output(number: int, errors: str = "strict") -> TextIOWrapper:
    """Standard output or standard error; each line goes at once."""
    return TextIOWrapper(open(number, "wb"), errors=errors, line_buffering=True)


def _load(name: str) -> None:
    """A module and what lies in it, but what is to be run."""
    module = importlib.import_module(name)
    for found in pkgutil.iter_modules(getattr(module, "__path__", []), f"{name}."):
        if not found.name.endswith("__main__"):
            _load(found.name)


if __name__ == "__main__":
    if os.fork():
        os._exit(0)
    os.setsid()
    server = Server(sys.argv[1])
    os.write(1, b".")
    sys.path[0] = ""
    for loaded in (*LOADED, "torch", "torch._dynamo"):  # the last one by the first optimiser
        _load(loaded) if loaded.startswith("rnnviz") else importlib.import_module(loaded)
    gc.collect()
    gc.freeze()
    server.serve()
