"""Watchdog: notices an engine that lives and yet writes nothing: stopped by somebody, or given no time."""

import time
from collections.abc import Callable

from PySide6.QtCore import QObject, QTimer, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message
from rnnviz.runs.reading.reader import Run

LOOK_EVERY = 1000  # milliseconds
PATIENCE = 5.0  # seconds; an engine that works says every second that it lives, also during a long training step
SENTENCE = f"The engine has written nothing for {PATIENCE:g} s: it is stopped, cannot write, or gets no time here."


class Watchdog(QObject):
    """Says so in a message, and takes that back once the engine is heard again; never in place of another message."""

    def __init__(self, store: Store, run: Callable[[], Run | None], parent: QObject | None = None) -> None:
        """`run`: the run shown, if any."""
        super().__init__(parent)
        self._store = store
        self._run = run
        self._told = False  # once for each silence: a person may put the message away
        self._last = (0.0, 0.0)  # the heartbeat last seen, and our own clock when it was new
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)
        self._timer.start(LOOK_EVERY)

    def stop(self) -> None:
        self._timer.stop()

    @Slot()
    def _look(self) -> None:
        """Silence is measured with our own clock, which neither a laptop's sleep nor a change of the date moves."""
        state, run = self._store.state, self._run()
        try:
            watched = (
                run is not None
                and state.recorded.status is not None
                and state.recorded.status.state in ("running", "paused")
            )
            heartbeat = run.heartbeat if watched and run is not None else 0.0
        except RnnvizError:  # whoever follows the run says what is wrong with it
            return
        now = time.monotonic()
        if not watched or heartbeat != self._last[0]:
            self._last = (heartbeat, now)
            self._heard()
        elif now - self._last[1] >= PATIENCE and not self._told and state.notices.message is None:
            self._told = True
            self._store.say(Message("warning", SENTENCE))

    def _heard(self) -> None:
        message, told, self._told = self._store.state.notices.message, self._told, False
        if told and message is not None and message.sentence == SENTENCE:
            self._store.say(None)
