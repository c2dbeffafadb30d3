"""One run of `rnnviz …` as a child process: what must not happen in the window happens there, and can be cancelled."""

import contextlib
import os
import signal
import sys

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

ROOM_FOR_SENTENCE = 2000  # characters of standard error that are looked at


def rnnviz_process(arguments: list[str], parent: QObject) -> QProcess:
    """A process ready to start `python -m rnnviz …` with the window's own Python."""
    process = QProcess(parent)
    process.setProgram(sys.executable)
    process.setArguments(["-m", "rnnviz", *arguments])
    environment = QProcessEnvironment.systemEnvironment()
    environment.insert("PYTHONUNBUFFERED", "1")
    process.setProcessEnvironment(environment)
    return process


def last_sentence(standard_error: str) -> str:
    """The last line a child wrote to standard error that says something, without the program's name."""
    lines = [line.strip() for line in standard_error[-ROOM_FOR_SENTENCE:].splitlines() if line.strip()]
    return lines[-1].removeprefix("rnnviz: ") if lines else ""


def ending(process: QProcess) -> str:
    """How a process ended, in words: "killed by signal 9", "exit status 1"."""
    if process.exitStatus() is QProcess.ExitStatus.CrashExit:
        return f"killed by signal {process.exitCode()}" if process.exitCode() else "crashed"
    return f"exit status {process.exitCode()}"


class Child(QObject):
    """`finished(standard output)` or `failed(sentence)`, exactly one of them, unless it is cancelled.

    `answers`: the exit statuses that come with an answer on standard output.
    """

    finished = Signal(bytes)
    failed = Signal(str)

    def __init__(
        self,
        arguments: list[str],
        parent: QObject | None = None,
        answers: frozenset[int] = frozenset({0}),
        said: str = "",
    ) -> None:
        """`said`: what it reads from standard input."""
        super().__init__(parent)
        self._input = said.encode()
        self._answers = answers
        self._said = b""
        self._cancelled = False
        self._process = rnnviz_process(arguments, self)
        if sys.platform != "win32":  # a session of its own: cancelled, it takes the processes it has started with it
            self._process.setUnixProcessParameters(QProcess.UnixProcessFlag.CreateNewSession)
        self._process.readyReadStandardError.connect(self._listen)
        self._process.finished.connect(self._ended)
        self._process.errorOccurred.connect(self._error)

    def start(self) -> None:
        self._process.start()
        if self._input:
            self._process.write(self._input)
        self._process.closeWriteChannel()

    def cancel(self) -> None:
        """Ends the process now and waits until it is gone; neither signal follows."""
        self._cancelled = True
        if self._process.state() is not QProcess.ProcessState.NotRunning:
            self._kill_all()
            self._process.waitForFinished(2000)

    def _kill_all(self) -> None:
        if sys.platform != "win32" and self._process.processId() > 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # not yet in its session: alone, then
                os.killpg(self._process.processId(), signal.SIGKILL)
        self._process.kill()

    @Slot()
    def _listen(self) -> None:
        self._said = (self._said + self._process.readAllStandardError().data())[-4 * ROOM_FOR_SENTENCE :]

    @Slot(QProcess.ProcessError)
    def _error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and not self._cancelled:
            self.failed.emit(f"{self._process.program()} cannot be started: {self._process.errorString()}.")

    @Slot(int, QProcess.ExitStatus)
    def _ended(self, _code: int, _status: QProcess.ExitStatus) -> None:
        if self._cancelled:
            return
        self._listen()
        ended = self._process.exitStatus() is QProcess.ExitStatus.NormalExit
        if ended and self._process.exitCode() in self._answers:
            self.finished.emit(self._process.readAllStandardOutput().data())
        else:
            sentence = last_sentence(self._said.decode("utf-8", "replace"))
            self.failed.emit(
                sentence or f"The process that read the file ended unexpectedly ({ending(self._process)})."
            )
