"""The status bar: the engine, the run file, and how far the trace agrees with autograd."""

from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QLabel, QStatusBar, QWidget

from rnnviz.core.numbers import file_size, whole
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import Theme, theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.writing.thinning import BUDGET_BYTES

if TYPE_CHECKING:
    from rnnviz.core.sweeps.verdicts.verdict import VerdictKind

# What the engine says of itself: words and the colour of the dot.
_ENGINE = {
    "starting": ("engine starting", "warning"),
    "paused": ("engine paused", "accent"),
    "running": ("engine running", "good"),
    "finished": ("training finished", "good"),
    "stopped": ("engine stopped", "muted"),
    "failed": ("engine ended unexpectedly", "bad"),
}
# By what is said of a trace, the worst first: the colour of the badge.
_BADGE: "dict[VerdictKind, str]" = {
    "differs": "bad",
    "cannot be compared": "warning",
    "not your own pass": "warning",
    "right": "good",
}


class StatusBar(QStatusBar):
    """Dot and words of the engine, name and size of the run, and the badge of fidelity."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setSizeGripEnabled(False)
        scale.fit(self, height=28)
        self.engine, self.run, self.badge = QLabel(), QLabel(), QLabel()
        for label in (self.engine, self.run):
            self.addWidget(label)
        self.run.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like HTML
        self.addPermanentWidget(self.badge)
        store.changed.connect(self.show_state)
        self._show_engine(store.state)
        self._show_run(store.state)
        self._show_badge(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        dressed = new.look.dress != old.look.dress
        if dressed or new.recorded.status is not old.recorded.status or new.run.path != old.run.path:
            self._show_engine(new)
        if dressed or (new.run.path, new.recorded.bytes) != (old.run.path, old.recorded.bytes):
            self._show_run(new)
        if dressed or new.recorded.traces is not old.recorded.traces:
            self._show_badge(new)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """The file's name, which the window's title has too, goes where there is no room for all of it."""
        parts = (self.engine, self.run, self.badge)
        self.run.setVisible(sum(part.sizeHint().width() + 8 for part in parts) <= self.width())

    def _show_engine(self, state: State) -> None:
        colors = theme(state.look.theme)
        if state.recorded.status is not None:
            words, token = _ENGINE[state.recorded.status.state]
            if state.recorded.status.state == "failed" and state.run.path is None:
                words = "no engine: it could not start"
            planned = state.run.planned_steps
            if state.recorded.status.state == "paused" and 0 < planned == state.recorded.status.training_step:
                words = f"{whole(planned)} training steps done. Train continues."
        else:
            words, token = (
                ("Recorded run (not training)", "muted") if state.run.path is not None else _ENGINE["starting"]
            )
        self._set(self.engine, f"{_colored('●', token, colors)}&nbsp; {words}", colors.muted)

    def _show_run(self, state: State) -> None:
        colors = theme(state.look.theme)
        path = state.run.path
        self._set(
            self.run, f"{path.name}   {file_size(state.recorded.bytes)}" if path is not None else "", colors.muted
        )
        kept = "" if state.run.kept else "\nNot saved by name yet: File → Save run as …"
        origin = f"\n{state.run.origin.words}" if state.run.origin is not None else ""
        budget = f"\nCaptures take at most {file_size(BUDGET_BYTES)}, older ones are thinned out; metrics come on top."
        self.run.setToolTip(f"{path}{origin}{budget}{kept}" if path is not None else "")

    def _show_badge(self, state: State) -> None:
        colors = theme(state.look.theme)
        named = [
            (model.name, trace)
            for model, trace in zip(state.run.models, state.recorded.traces, strict=False)
            if trace is not None
        ]
        if not named:
            self._set(self.badge, "", colors.muted)
            self.badge.setToolTip("")
            return
        verdicts = [trace.verdict for _, trace in named]
        kind = next(kind for kind in _BADGE if any(verdict.kind == kind for verdict in verdicts))
        worst = max((one for one in verdicts if one.kind == kind), key=lambda one: one.difference)
        notes = [f"{name}: {note}" for name, trace in named for note in trace.notes]
        remarks = [f"{name}: {one}" for name, trace in named for one in trace.check.capture.remarks]
        tick = (" ✓" + (" · approximate" if notes else "")) if worst.right else ""
        self._set(self.badge, f"trace {worst.brief}{tick}", getattr(colors, _BADGE[kind]))
        each = [f"{name} {verdict.words}" for (name, _), verdict in zip(named, verdicts, strict=True)]
        explained = (
            "What is drawn here, beside torch's own outputs and gradients; a number is the largest relative difference."
        )
        taken = sum(trace.bytes for _, trace in named)
        memory = f"In memory: {file_size(taken)}; the bound is at View → Memory for traces …"
        self.badge.setToolTip("\n".join([explained, *each, *notes, *remarks, memory]))

    def _set(self, label: QLabel, text: str, color: str) -> None:
        if label.text() != text:
            label.setText(text)
        if (sheet := f"color: {color}; padding: 0px 12px;") != label.styleSheet():
            label.setStyleSheet(sheet)
        self._fit()


def _colored(text: str, token: str, colors: Theme) -> str:
    return f'<span style="color: {getattr(colors, token)}">{text}</span>'
