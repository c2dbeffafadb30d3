"""What nobody foresaw: one sentence in the message bar and the details in the log, never a dialog and never a crash."""

import logging
import sys
import threading
from logging.handlers import RotatingFileHandler
from pathlib import Path
from types import TracebackType
from typing import Any

from PySide6.QtCore import QObject, Signal, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message

_LOG_BYTES = 1_000_000


class Problems(QObject):
    """Takes `sys.excepthook` until `release`: a RnnvizError is shown as it is, anything else is logged."""

    _arrived = Signal(object)

    def __init__(self, store: Store, log: Path, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store = store
        self._log = log
        self._logger = logging.getLogger("rnnviz.window")
        self._handler: logging.Handler | None = None
        self._arrived.connect(self._show)  # queued when it comes from another thread
        self._before = (sys.excepthook, threading.excepthook)
        sys.excepthook = self._hook
        threading.excepthook = self._thread_hook

    def release(self) -> None:
        """Gives the hooks back and closes the log."""
        sys.excepthook, threading.excepthook = self._before
        if self._handler is not None:
            self._logger.removeHandler(self._handler)
            self._logger.propagate = True
            self._handler.close()

    def _hook(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            self._before[0](kind, error, trace)
            return
        if not isinstance(error, RnnvizError):
            self._write(error)
        self._arrived.emit(error)

    def _thread_hook(self, arguments: Any) -> None:
        self._hook(arguments.exc_type, arguments.exc_value, arguments.exc_traceback)

    def _write(self, error: BaseException) -> None:
        if self._handler is None:
            try:
                self._log.parent.mkdir(parents=True, exist_ok=True)
                self._handler = RotatingFileHandler(self._log, maxBytes=_LOG_BYTES, backupCount=1, encoding="utf-8")
            except OSError:
                self._handler = logging.StreamHandler()
            self._handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
            self._logger.addHandler(self._handler)
            self._logger.propagate = False
        self._logger.error("unexpected", exc_info=error)

    @Slot(object)
    def _show(self, error: Exception) -> None:
        if isinstance(error, RnnvizError):
            sentence = str(error)
        else:
            kind = type(error).__name__
            sentence = f"Something went wrong that should not ({kind}: {error}); the details are in {self._log}."
        shown = self._store.state.notices.message
        if shown is None or shown.sentence != sentence:  # else what goes wrong at each painting is painted for ever
            self._store.say(Message("error", sentence))
