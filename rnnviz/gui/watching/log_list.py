"""Where training stopped, what logpoints wrote, what a search found; a click goes back to that moment."""

from collections.abc import Sequence
from typing import Literal

from PySide6.QtCore import QEvent, Qt, Signal, Slot
from PySide6.QtGui import QPainter, QPixmap, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QAbstractItemView, QListWidget, QListWidgetItem

from rnnviz.core.numbers import whole
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.run import History
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.runs.file.records import Event

_MOST = 500  # lines
_HEIGHT = 190  # pixels of the longest list
_LEAST = 24
_EVENT = Qt.ItemDataRole.UserRole


class LogList(QListWidget):
    """`moment_wanted(training step, model's name, time step)`, the time step 0 where there is none."""

    moment_wanted = Signal(int, str, int)

    def __init__(self, store: Store, what: Literal["events", "found"] = "events") -> None:
        """`what` happened in the run, or what a search found in its past, the oldest first."""
        super().__init__()
        self._what = what
        self._fitted = -1  # the width it was fitted at
        self._shown = Fields("look.theme", "look.scale", "recorded.events" if what == "events" else "debugging.found")
        self.setAccessibleName("Stops and log" if what == "events" else "Hits in the past")
        self.setWordWrap(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setSpacing(1)
        self.itemClicked.connect(self._go)
        self.itemActivated.connect(self._go)
        self._fill(store.state)
        store.changed.connect(self.show_state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if self._shown.changed(old, new):
            self._fill(new)

    def _fill(self, state: State) -> None:
        self.clear()
        look = theme(state.look.theme)
        pictures = {
            kind: _mark(look.color(token).name())
            for kind, token in (("hit", "bad"), ("passed", "bad"), ("log", "muted"))
        }
        for event in self._lines(state):
            item = QListWidgetItem(pictures[event.kind], _line(event))
            item.setData(_EVENT, event)
            item.setToolTip(_where(event.training_step, state.recorded.history))
            self.addItem(item)
        self._fit()

    def _lines(self, state: State) -> Sequence[Event]:
        if self._what == "events":
            return state.recorded.events[: -_MOST - 1 : -1]
        return state.debugging.found.hits[:_MOST] if state.debugging.found is not None else ()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.width() != self._fitted:  # not where only its scroll bar came or went, which fitting itself may cause
            self._fit()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.StyleChange, QEvent.Type.FontChange) and self._fitted >= 0:
            self._fit()  # a line is as high as its style says

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As high as its lines need, which scroll only where that is too much."""
        self._fitted = self.width()
        policies = Qt.ScrollBarPolicy
        self.setVerticalScrollBarPolicy(policies.ScrollBarAlwaysOff)  # while the width for the lines is found out
        self.doItemsLayout()  # a line's height follows from the width it is broken at
        lines = self.contentsSize().height()
        self.setVerticalScrollBarPolicy(policies.ScrollBarAlwaysOn if lines > _HEIGHT else policies.ScrollBarAlwaysOff)
        self.setFixedHeight(min(max(lines, _LEAST), _HEIGHT) + 2 * self.frameWidth())

    @Slot(QListWidgetItem)
    def _go(self, item: QListWidgetItem) -> None:
        event: Event = item.data(_EVENT)
        details = event.details
        model, time_step = details.get("model", ""), details.get("time_step", 0)
        self.moment_wanted.emit(
            event.training_step, str(model), time_step if isinstance(time_step, int) and time_step > 0 else 0
        )


def _where(training_step: int, history: History) -> str:
    """What a click does."""
    nearest = history.nearest_captured(training_step)
    if nearest in (None, training_step):
        return f"Go to training step {whole(training_step)}"
    return f"Training step {whole(training_step)} was not kept; go to {whole(nearest)}, the nearest that was"


def _line(event: Event) -> str:
    return f"{whole(event.training_step)}: {event.sentence}" if event.kind == "log" else event.sentence


def _mark(color: str) -> QPixmap:
    picture = QPixmap(10, 10)
    picture.fill(Qt.GlobalColor.transparent)
    with QPainter(picture) as painter:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        painter.drawEllipse(1, 1, 8, 8)
    return picture
