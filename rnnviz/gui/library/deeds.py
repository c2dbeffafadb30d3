"""Deeds of the library: rename, pin, delete and forget runs; each can be undone."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.library import words
from rnnviz.gui.library.trash import Trashed, put_back, to_trash
from rnnviz.gui.state.store import Store, setting
from rnnviz.runs.library.remembered import Memory, Remembered
from rnnviz.runs.library.summary import RunSummary
from rnnviz.runs.writing.commands import save_name

_Undo = tuple[str, Callable[[], None]]  # what is said when it was undone, and how


class Deeds(QObject):
    """`said(sentence, problem)` after each; `changed()` when the runs or the pins are others now."""

    said = Signal(str, bool)
    changed = Signal()

    def __init__(self, store: Store, memory: Memory, parent: QObject) -> None:
        super().__init__(parent)
        self._store, self._memory = store, memory
        self._done: list[_Undo] = []
        self._failed = False
        self.remembered = memory.read()

    def look(self) -> None:
        """Reads what is remembered anew: another window may have changed it."""
        self.remembered = self._memory.read()

    @property
    def can_undo(self) -> bool:
        return bool(self._done)

    @property
    def offers_undo(self) -> bool:
        """Whether what was said last is of something that can be undone; not where nothing was done."""
        return self.can_undo and not self._failed

    @property
    def shown(self) -> str:
        """The path of the run in the window; "" for none."""
        path = self._store.state.run.path
        return str(path) if path is not None else ""

    def rename(self, run: RunSummary, name: str) -> bool:
        """Gives the run a name, "" for none; False where it cannot be written."""
        name = " ".join(name.split())
        if name == run.name:
            return True
        done = self._try(lambda: self._name(run, name))
        if done:
            back = f"The run is called “{run.words}” again."
            self._done.append((back, lambda: self._name(run, run.name)))
            self._tell(f"The run is called “{name}” now." if name else "The run has no name of its own any more.")
        return done

    def pin(self, runs: Sequence[RunSummary], on: bool) -> None:
        """Pins runs, which are never tidied away then, or lets them go."""
        paths = [run.path for run in runs]
        before = self.remembered.pinned
        if self._try(lambda: self._remember(lambda known: known.pinning(paths, on))):
            which = words.quoted(runs[0]) if len(runs) == 1 else f"{len(runs)} runs"
            self._done.append(("The pins are as before.", lambda: self._set_pins(before)))
            is_are = "is" if len(runs) == 1 else "are"
            self._tell(
                f"{which} {is_are} pinned and never tidied away." if on else f"{which} {is_are} no longer pinned."
            )

    def delete(self, runs: Sequence[RunSummary]) -> None:
        """Moves runs to the trash; those that are shown or written stay, which is said."""
        held = [run for run in runs if run.live or run.path == self.shown]
        moved: list[Trashed] = []
        gone: list[RunSummary] = []
        problem = ""
        for run in runs:
            if run in held:
                continue
            try:
                moved += to_trash(Path(run.path)) if Path(run.path).exists() else ()
            except RnnvizError as error:
                problem = str(error)
                break
            gone.append(run)
        if gone:
            self._forget(gone, tuple(moved))
        self._tell(
            " ".join(filter(None, (_gone(gone, bool(moved)), _kept(held, self.shown), problem))),
            bool(held or problem),
            failed=not gone,
        )

    def undo(self) -> None:
        """Takes the last deed back; one that cannot be taken back now stays to be tried again."""
        if self._done:
            sentence, back = self._done[-1]
            if self._try(back, failed=False):
                self._done.pop()
                self._tell(sentence)

    def reveal(self, run: RunSummary) -> None:
        """Shows its file in the system's file manager."""
        path = Path(run.path)
        if sys.platform == "darwin" and path.exists():
            subprocess.run(["open", "-R", str(path)], check=False)
        elif sys.platform == "win32" and path.exists():
            subprocess.run(["explorer", f"/select,{path}"], check=False)
        elif not QDesktopServices.openUrl(QUrl.fromLocalFile(str(path.parent))):
            self._tell(f"No file manager could be opened; the run is {path}.", True, failed=True)

    def _forget(self, runs: Sequence[RunSummary], moved: tuple[Trashed, ...]) -> None:
        before = self.remembered
        paths = [run.path for run in runs]
        self._remember(lambda known: known.without(paths))

        def back() -> None:
            put_back(moved)
            self._remember(lambda known: _with_again(known, before, paths))

        which = words.quoted(runs[0]) if len(runs) == 1 else words.runs(runs)
        self._done.append((f"{which} {'is' if len(runs) == 1 else 'are'} back.", back))

    def _name(self, run: RunSummary, name: str) -> None:
        save_name(run.path, name)
        if run.path == self.shown:
            self._store.change(run=setting(name=name))

    def _set_pins(self, pinned: tuple[str, ...]) -> None:
        self._remember(lambda known: Remembered(known.elsewhere, pinned, known.last, known.last_at))

    def _remember(self, change: Callable[[Remembered], Remembered]) -> None:
        self.remembered = self._memory.change(change)

    def _try(self, deed: Callable[[], None], failed: bool = True) -> bool:
        try:
            deed()
        except RnnvizError as error:
            self._tell(str(error), True, failed)
            return False
        return True

    def _tell(self, sentence: str, problem: bool = False, failed: bool = False) -> None:
        """`failed`: nothing was done that an Undo beside the sentence could mean."""
        self._failed = failed
        self.changed.emit()
        self.said.emit(sentence, problem)


def _with_again(known: Remembered, before: Remembered, paths: Sequence[str]) -> Remembered:
    """With what was forgotten of these runs."""
    for path in reversed([one for one in before.elsewhere if one in paths]):
        known = known.with_run(Path(path))
    return known


def _gone(runs: Sequence[RunSummary], trashed: bool) -> str:
    if not runs:
        return ""
    which = words.quoted(runs[0]) if len(runs) == 1 else words.runs(runs)
    if not trashed:
        return f"{which} {'is' if len(runs) == 1 else 'are'} forgotten."
    return f"{which} moved to the trash."


def _kept(runs: Sequence[RunSummary], shown: str) -> str:
    if not runs:
        return ""
    if len(runs) > 1:
        return f"{len(runs)} runs stay: they are shown in a window or being trained."
    why = "is shown in the window" if runs[0].path == shown else "is open in another window, or being trained"
    return f"{words.quoted(runs[0])} stays: it {why}."
