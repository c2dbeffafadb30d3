"""Batch recording: has engines record the training batch with each capture while it is followed, or as wished."""

import contextlib
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.live.engines import Engines
from rnnviz.gui.live.following import Following
from rnnviz.gui.state.store import Store
from rnnviz.runs.file.engine_commands import EngineCommand, RecordBatches
from rnnviz.runs.writing.commands import CommandSender


class BatchRecording(QObject):
    """`send` gives the engine behind the run shown a command."""

    def __init__(
        self,
        store: Store,
        following: Following,
        engines: Engines,
        send: Callable[[EngineCommand], None],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._store, self._following, self._engines, self._send = store, following, engines, send
        self._of: Path | None = None  # the run whose training batches are recorded because they are followed
        self._stranger = False  # whether an engine of somebody else's trains it
        self._wished = False  # whether a person asked for them in any case
        store.changed.connect(self.look)

    def wish(self) -> None:
        """From now on they are recorded in any case. RnnvizError where no engine can do that."""
        self._send(RecordBatches())
        self._wished = True

    @Slot()
    def look(self) -> None:
        """Begins or ends, by what is followed now."""
        state = self._store.state
        wanted = self._following.kind == "batch" and state.place.following
        path = state.run.path if state.recorded.engine_lives and not self._following.awaiting else None
        if wanted == (self._of is not None and self._of == path) or (wanted and path is None):
            return
        self.end()
        if wanted and path is not None:
            self._of, self._stranger = path, not self._engines.has(path)
            with contextlib.suppress(RnnvizError):  # a file that takes no commands: what was recorded is shown
                self._send(RecordBatches())

    def end(self) -> None:
        """The engine that was asked records fewer of them again."""
        path, self._of = self._of, None
        if path is None or self._wished:
            return
        with contextlib.suppress(RnnvizError):  # it is gone
            if self._stranger:
                send_by_file(path, RecordBatches(False))
            elif self._engines.has(path):
                self._engines.send(RecordBatches(False))


def send_by_file(path: Path, command: EngineCommand) -> None:
    """To an engine that another program has started. RnnvizError."""
    sender = CommandSender(path)
    try:
        sender.send(command)
    finally:
        sender.close()
