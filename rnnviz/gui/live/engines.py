"""Engines: this window's own one, kept warm from run to run, and those that were asked to leave."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.experiment.settings import Experiment
from rnnviz.gui.live.train_on_request import TrainOnRequest
from rnnviz.runs.file.engine_commands import EngineCommand

if TYPE_CHECKING:
    from rnnviz.gui.live.engine import Engine, Heard


class Engines(QObject):
    """`ended(how, said)`, `refused(sentence)`, `complained(sentence)`: of the window's own engine, as `Engine` says
    them; before `ended` it is forgotten."""

    ended = Signal(str, str)
    refused = Signal(str)
    complained = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._own: Engine | None = None
        self._leaving: list[Engine] = []  # asked to end, not gone yet

    @property
    def there(self) -> bool:
        """Whether the window has an engine."""
        return self._own is not None

    def has(self, path: Path) -> bool:
        """Whether the run at `path` is that of the window's own engine."""
        return self._own is not None and self._own.run_path == path

    def writes(self, path: Path) -> bool:
        """Whether the window's own engine, which is alive, writes the run at `path`."""
        return self._own is not None and self._own.alive and self._own.run_path == path

    def run(self, wanted: Experiment | TrainOnRequest, path: Path) -> bool:
        """Has `wanted` trained into a new run file; True if an engine is started for it, and not warm already."""
        if self._own is not None:
            if isinstance(wanted, TrainOnRequest):
                self._own.branch(wanted, path)
            else:
                self._own.restart(wanted, path)
            return False
        from rnnviz.gui.live.engine import Engine  # late: the window is on the screen before an engine starts

        self._own = Engine(wanted, path, self)
        self._own.ended.connect(self._ended)
        self._own.refused.connect(self.refused)
        self._own.complained.connect(self.complained)
        self._own.start()
        return True

    def send(self, command: EngineCommand) -> None:
        """Gives the window's own engine a command; RnnvizError if its run file cannot be written."""
        assert self._own is not None
        self._own.send(command)

    def heard(self, path: Path) -> "Heard | None":
        """What the window's own engine last said of the run at `path`."""
        return self._own.heard(path) if self._own is not None else None

    def appeared(self) -> None:
        """The newest run of the window's own engine is on the screen."""
        assert self._own is not None
        self._own.appeared()

    def leave(self) -> None:
        """Asks the window's own engine to end and forgets it; its run becomes one whole file."""
        engine, self._own = self._own, None
        if engine is not None:
            self._leaving.append(engine)
            engine.left.connect(self._left)
            engine.leave()

    def ask_all_to_leave(self) -> "Sequence[Engine]":
        """Asks every engine to end and forgets them; they are to be waited for with `Engine.end`."""
        engines = [*self._leaving, *([self._own] if self._own is not None else [])]
        self._own, self._leaving = None, []
        for engine in engines:
            engine.ask_to_leave()
        return engines

    @Slot()
    def _left(self) -> None:
        for engine in [engine for engine in self._leaving if not engine.alive]:
            self._leaving.remove(engine)
            if engine.unwritten:
                self.complained.emit(engine.unwritten)
            engine.deleteLater()

    @Slot(str, str)
    def _ended(self, how: str, said: str) -> None:
        engine, self._own = self._own, None
        if engine is not None:
            engine.deleteLater()
            self.ended.emit(how, said)
