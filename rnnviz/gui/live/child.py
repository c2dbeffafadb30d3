"""Child: one run of `rnnviz …` as a process: what must not happen in the window happens there, and can be cancelled."""

import contextlib
import os
import signal
import sys
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, QProcess, QProcessEnvironment, Signal, Slot

ROOM_FOR_SENTENCE = 2000  # characters of standard error that are looked at

Output = Literal["whole", "lines", "none"]


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


@dataclass(frozen=True)
class Ending:
    """How a child ended."""

    status: int | None  # its exit status; None: it was killed, crashed, or never started
    how: str  # "exit status 1", "killed by signal 9", "not started"
    said: str  # the last sentence it wrote to standard error, or why it could not be started
    output: bytes = b""  # its standard output, where that was wanted whole

    @property
    def sentence(self) -> str:
        """What to tell a person for whom it had no answer."""
        return self.said or f"The process that read the file ended unexpectedly ({self.how})."


class Child(QObject):
    """`ended(Ending)` once, unless it is cancelled; `lines(list of bytes)` for what came of standard output where lines
    are wanted; `complained(sentence)` for what it writes to standard error while it lives."""

    ended = Signal(object)
    lines = Signal(object)
    complained = Signal(str)

    def __init__(
        self,
        arguments: list[str],
        parent: QObject | None = None,
        said: str | None = "",
        output: Output = "whole",
        alone: bool = True,
    ) -> None:
        """`said`: what it reads from standard input; None: that stays open until `close_input`. `alone`: in a session
        of its own, so that cancelled it takes the processes it has started with it."""
        super().__init__(parent)
        self._input = said
        self._by_lines = output == "lines"
        self._heard = b""
        self._over = False  # its end is told, or nobody wants to know
        self._deaf = False  # nor what it says
        self._process = rnnviz_process(arguments, self)
        if alone and sys.platform != "win32":
            self._process.setUnixProcessParameters(QProcess.UnixProcessFlag.CreateNewSession)
        self._alone = alone
        if output == "none":
            self._process.setStandardOutputFile(QProcess.nullDevice())
        self._process.readyReadStandardOutput.connect(self._read_lines)
        self._process.readyReadStandardError.connect(self._listen)
        self._process.finished.connect(self._finished)
        self._process.errorOccurred.connect(self._error)

    def start(self) -> None:
        self._process.start()
        if self._input is not None and self.alive:
            self._process.write(self._input.encode())
            self.close_input()

    @property
    def alive(self) -> bool:
        return self._process.state() is not QProcess.ProcessState.NotRunning

    def write(self, line: bytes) -> None:
        """To its standard input, as soon as it reads."""
        self._process.write(line)

    def close_input(self) -> None:
        """Says with the end of standard input that nothing more comes."""
        self._process.closeWriteChannel()

    def terminate(self) -> None:
        self._process.terminate()

    def kill(self) -> None:
        if self._alone and sys.platform != "win32" and self._process.processId() > 0:
            with contextlib.suppress(ProcessLookupError, PermissionError):  # not yet in its session: alone, then
                os.killpg(self._process.processId(), signal.SIGKILL)
        self._process.kill()

    def cancel(self) -> None:
        """Ends the process now and waits until it is gone; no signal follows."""
        self.hush()
        self._deaf = True
        if self.alive:
            self.kill()
            self.wait(2.0)

    def hush(self) -> None:
        """Nothing is said of its end any more."""
        self._over = True

    def wait(self, seconds: float) -> bool:
        """Whether it is gone, after so long at most."""
        return not self.alive or self._process.waitForFinished(max(1, int(1000 * seconds)))

    @Slot()
    def _read_lines(self) -> None:
        came = []
        while self._by_lines and self._process.canReadLine():
            came.append(bytes(self._process.readLine().data()))
        if came and not self._deaf:
            self.lines.emit(came)

    @Slot()
    def _listen(self) -> None:
        new = bytes(self._process.readAllStandardError().data())
        self._heard = (self._heard + new)[-4 * ROOM_FOR_SENTENCE :]
        sentence = last_sentence(new.decode("utf-8", "replace"))
        if sentence and self.alive and not self._over:
            self.complained.emit(sentence)

    @Slot(QProcess.ProcessError)
    def _error(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart:
            sentence = f"{self._process.program()} cannot be started: {self._process.errorString()}."
            self._end(Ending(None, "not started", sentence))

    @Slot(int, QProcess.ExitStatus)
    def _finished(self, code: int, status: QProcess.ExitStatus) -> None:
        self._listen()
        self._read_lines()
        said = last_sentence(self._heard.decode("utf-8", "replace"))
        if status is QProcess.ExitStatus.CrashExit:
            self._end(Ending(None, f"killed by signal {code}" if code else "crashed", said))
        else:
            output = b"" if self._by_lines else bytes(self._process.readAllStandardOutput().data())
            self._end(Ending(code, f"exit status {code}", said, output))

    def _end(self, ending: Ending) -> None:
        if not self._over:
            self._over = True
            self.ended.emit(ending)
