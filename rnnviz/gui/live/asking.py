"""Asks the engine for the step Jacobians of a user's own cell: `rnnviz jacobians` as a child process, with progress."""

import tempfile
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, QTimer, Slot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import cell_files
from rnnviz.core.files import code
from rnnviz.core.numbers import whole
from rnnviz.gui.live.child import Child, Ending
from rnnviz.gui.live.files import Files
from rnnviz.gui.live.session import is_running
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting

if TYPE_CHECKING:
    from rnnviz.core.sweeps.layer import Layer
    from rnnviz.core.sweeps.scans.asked import Asked

ASK_COMMAND = "Ask for step Jacobians"
_REST = 150  # milliseconds that a trace stays before the engine is asked about it
_MOST = 8  # answers that are kept


@dataclass(frozen=True)
class _Key:
    """What is asked for."""

    path: Path
    model: int
    name: str
    training_step: int
    sample: int
    kind: str  # of the capture: "probe", "batch"


class Asking(QObject):
    """One question at a time, while the Gradients view shows a model of a user's own cell and nothing is trained; how
    far it is stands in `state.recorded.asking`. Nothing is run that its person has not allowed."""

    def __init__(self, store: Store, files: Files, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._store, self._files = store, files
        self._known: OrderedDict[_Key, Asked] = OrderedDict()
        self._failed: dict[_Key, str] = {}
        self._child: Child | None = None
        self._at: _Key | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(_REST)
        self._rest.timeout.connect(self._ask_next)
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        """Asks about what is shown, once it stays."""
        same = old.recorded.traces is new.recorded.traces and old.place.sample == new.place.sample
        resting = is_running(old) == is_running(new)
        if same and resting and old.look.view == new.look.view and old.run.path == new.run.path:
            return
        wanted = [key for key, _ in self._wanted(new)]
        if self._at is not None and self._at not in wanted:
            self._end()
        if wanted or new.recorded.asking:
            self._rest.start()

    def ask(self) -> None:
        """Asks in plain words whether the code may be run, where it was not allowed, and then the engine. RnnvizError
        where there is nothing to ask."""
        state = self._store.state
        experiment = state.run.experiment
        if experiment is None or not any(True for _ in self._recorded(state)):
            raise RnnvizError("No model of a user's own cell is shown.")
        self._failed.clear()
        self._files.when_code_allowed(state.run.title, experiment, self._ask_next)

    @Slot()
    def cancel(self) -> None:
        """Gives up the question under way."""
        if self._at is not None:
            self._failed[self._at] = f"The engine was not asked to the end; “{ASK_COMMAND}”, menu Training, asks it."
            self._end()
            self._tell()

    def stop(self) -> None:
        """Ends everything."""
        self._rest.stop()
        self._end()

    def _recorded(self, state: State) -> "Iterator[tuple[_Key, Layer]]":
        """The models of own cells that are shown, with the layer of the sequence looked at."""
        if state.run.path is None:
            return
        for model in state.run.models:
            if not model.structure.equations.recorded:
                continue
            seen = looked_at(state, model.number)
            if seen.sequence is not None:
                step, kind = state.place.cursor.training_step, seen.sequence.check.capture.kind
                key = _Key(state.run.path, model.number, model.name, step, seen.sample, kind)
                yield key, seen.sequence.layers[0]

    def _wanted(self, state: State) -> "list[tuple[_Key, Layer]]":
        """Those whose answer is not there."""
        if state.look.view != "gradients":
            return []
        return [(key, layer) for key, layer in self._recorded(state) if layer.asked is None]

    @Slot()
    def _ask_next(self) -> None:
        from rnnviz.core.sweeps.recorded import RecordedLayer  # late: the window starts without the sweeps

        state = self._store.state
        for key, layer in self._wanted(state):
            if key in self._known and isinstance(layer, RecordedLayer):
                layer.answer(self._known[key])
        self._tell()
        if self._at is not None or is_running(state) or self._not_allowed(state):
            return
        left = [key for key, _ in self._wanted(state) if key not in self._failed]
        if left:
            self._start(left[0])

    def _not_allowed(self, state: State) -> str:
        """The file that nobody has allowed to run; "" where all are."""
        experiment = state.run.experiment
        return next(iter(code.to_ask_about(cell_files(experiment))), "") if experiment is not None else ""

    def _start(self, key: _Key) -> None:
        self._at = key
        self._folder = tempfile.TemporaryDirectory(prefix="rnnviz-")
        arguments = ["jacobians", str(key.path), "--model", key.name, "--training-step", str(key.training_step)]
        arguments += ["--sequence", str(key.sample + 1), "--kind", key.kind, "--json-lines", "-o", str(self._answer)]
        self._child = Child(arguments, self, output="lines")
        self._child.lines.connect(self._listen)
        self._child.ended.connect(self._ended)
        self._child.start()
        self._tell()

    @property
    def _answer(self) -> Path:
        assert self._folder is not None  # a question is under way
        return Path(self._folder.name) / "jacobians.safetensors"

    @Slot(object)
    def _listen(self, lines: list[bytes]) -> None:
        from rnnviz.core.child_answers import jacobians_share  # late: nobody has asked a child yet

        try:
            share = jacobians_share(lines[-1])
        except RnnvizError:
            return
        self._tell(f"{100 * share:.0f} %")

    @Slot(object)
    def _ended(self, ending: Ending) -> None:
        from rnnviz.runs.file.asked_payload import read_asked  # late: nobody has asked before

        key = self._at
        if key is None:
            return
        try:
            if ending.status != 0:
                raise RnnvizError(ending.said or f"The engine ended unexpectedly ({ending.how}).")
            self._known[key] = read_asked(self._answer)
            while len(self._known) > _MOST:
                self._known.popitem(last=False)
        except RnnvizError as error:
            self._failed[key] = str(error)
        self._end()
        self._ask_next()

    def _end(self) -> None:
        child, self._child, self._at = self._child, None, None
        if child is not None:
            child.cancel()
            child.deleteLater()
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None

    def _tell(self, far: str = "") -> None:
        """Says of each model that waits how far it is."""
        state = self._store.state
        forbidden = self._not_allowed(state)
        said = tuple((key.model, self._words(key, far, forbidden, state)) for key, _ in self._wanted(state))
        if said != state.recorded.asking:
            self._store.change(recorded=setting(asking=said))

    def _words(self, key: _Key, far: str, forbidden: str, state: State) -> str:
        asked = f"Step Jacobians of {key.name} are asked of the engine"
        if key in self._failed:
            return self._failed[key]
        if is_running(state):
            return f"{asked} once training rests."
        if forbidden:
            return f"{asked}, which runs {Path(forbidden).name}: “{ASK_COMMAND}”, menu Training, asks you first."
        if key == self._at:
            return f"{asked}, training step {whole(key.training_step)} … {far}".rstrip()
        return f"{asked} …"
