"""Where the cursor is, in words, with the colour of its phase; pressing it asks where to go."""

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QLabel, QWidget

from rnnviz.core.structure import LayerId
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.marked_text import plain

_FULL, _NARROW = 300, 224  # pixels
_AROUND, _BESIDE = 42, 26  # pixels beside and between the three labels, and beside them
_GAP = 8  # between them
_TIP = "Where the cursor stands in this training step; press to go elsewhere  (T)"
PHASE_TOKENS = {
    Phase.FORWARD: "accent",
    Phase.LOSS: "bad",
    Phase.BACKWARD: "cursor",
    Phase.ACCUMULATE: "forget",
    Phase.UPDATE: "good",
}
_SHOWN = Fields(
    "place.cursor",
    "recorded.traces",
    "place.sample",
    "place.kind",
    "place.parameter",
    "look.theme",
    "look.scale",
    "run.models",
    "place.model",
)


class CursorLabel(QFrame):
    """ "Backward  time step 41 of 64 · layer 0 · sequence 2 of 4". `clicked` when it is pressed."""

    clicked = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("cursor_label")
        scale.fit(self, width=_FULL, height=34)
        self._words = "", "", ""
        self._batch = ""  # which training batch is shown
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(_TIP)
        self._phase, self._where, self._what = QLabel(), QLabel(), QLabel()
        self._phase.setObjectName("cursor_phase")
        self._what.setObjectName("cursor_what")
        scale.fit(self._phase, font=fonts.semibold())
        self._rows = QGridLayout(self)
        self._rows.setContentsMargins(10, 0, 12, 0)
        self._rows.setHorizontalSpacing(_GAP)
        self._rows.setVerticalSpacing(0)
        self._rows.setColumnStretch(2, 1)
        self._rows.addWidget(self._phase, 0, 0)
        self._rows.addWidget(self._where, 0, 1)
        self._rows.addWidget(self._what, 0, 3)
        store.changed.connect(self.show_state)
        self._show(store.state)

    @property
    def full_width(self) -> int:
        """Pixels it would like."""
        return scale.px(_FULL)

    @property
    def narrow_width(self) -> int:
        """Pixels it can do with."""
        return scale.px(_NARROW)

    @property
    def text(self) -> str:
        """All of it, as a person reads it."""
        return "  ".join(label.text() for label in (self._phase, self._where, self._what) if label.text())

    def set_narrow(self, narrow: bool) -> None:
        """Whether it takes less room than it would like; what is cut is in its tooltip."""
        scale.fit(self, width=_NARROW if narrow else _FULL)
        self._set_words()

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._show(new)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self.clicked.emit()
        event.accept()

    def _show(self, state: State) -> None:
        self._words = place_words(state)
        batch = state.walkable.batch_words(state.place.cursor.training_step)
        self._batch = f"Shown are {batch}" if batch else ""
        self._set_words()
        colors = theme(state.look.theme)
        token = PHASE_TOKENS[state.place.cursor.phase]
        color = getattr(colors, token)
        sheet = (
            f"#cursor_label {{ background: {colors.raised}; border: 1px solid {colors.border};"
            f" border-left: 3px solid {color}; border-radius: 4px; }} QLabel {{ color: {colors.text}; }}"
            f" #cursor_phase {{ color: {colors.text_color(token).name()}; }} #cursor_what {{ color: {colors.muted}; }}"
        )
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)

    def _set_words(self) -> None:
        phase, where, what = self._words
        self._phase.setText(phase)
        room = self.width() - _BESIDE - QFontMetrics(self._phase.font()).horizontalAdvance(phase) - _GAP
        shown = QFontMetrics(self._where.font()).elidedText(where, Qt.TextElideMode.ElideRight, room)
        self._where.setText(shown)
        self._set_what(what)
        told = [where if shown != where else "", what, self._batch]
        self.setToolTip("\n".join([*filter(None, told), _TIP]))

    def _set_what(self, what: str) -> None:
        """Behind the place where there is room, else below it in small letters: nothing is cut."""
        taken = sum(QFontMetrics(label.font()).horizontalAdvance(label.text()) for label in (self._phase, self._where))
        below = QFontMetrics(scale.font(fonts.text())).horizontalAdvance(what) > self.width() - _AROUND - taken
        font = fonts.text(fonts.SMALL if below else fonts.BODY)
        scale.fit(self._what, font=font)
        self._rows.addWidget(self._what, *((1, 0, 1, 4) if below else (0, 3, 1, 1)))
        room = self.width() - _BESIDE
        self._what.setText(QFontMetrics(scale.font(font)).elidedText(what, Qt.TextElideMode.ElideRight, room))


def place_words(state: State) -> tuple[str, str, str]:
    """Phase, place and what is looked at, in words."""
    cursor, last = state.place.cursor, state.program.time_steps
    if all(trace is None for trace in state.recorded.traces):
        return "", "no trace yet", ""
    match cursor.phase:
        case Phase.FORWARD | Phase.BACKWARD:
            where = f"time step {cursor.time_step} of {last}"
        case Phase.LOSS:
            where = "prediction against target"
        case Phase.ACCUMULATE:
            where = f"weight gradient, summed over {last - state.program.edge}"
        case Phase.UPDATE:
            where = "the weights change"
    parts = []
    if len(state.walkable.layer_names) > 1:
        parts.append(state.walkable.words(cursor.layer))
    operation = state.walkable.operation(state.place)
    cuts = state.walkable.cuts_in(state.place.sample)
    if cursor.phase is Phase.BACKWARD and cuts is not None:
        beside = cursor.time_step - (not LayerId.read(cursor.layer).reverse)  # the border it is on its way to
        if cuts.words(cursor.time_step):
            parts.append("beyond the cut")
        elif beside in cuts.edges:
            parts.append("cut here")
    if operation is not None:
        parts = [*(parts if cursor.phase.swept else ()), operation.words.partition(":")[0]]
        where = f"t = {cursor.time_step} of {last}" if len(parts) > 1 else f"time step {cursor.time_step} of {last}"
        if cursor.phase is Phase.UPDATE:
            where = f"of {_updated(state)}"
    elif words := state.walkable.sequence_words(state.place):
        parts.append(words)
    return cursor.phase.words, where, " · ".join(parts)


def _updated(state: State) -> str:
    """The parameter whose update is shown."""
    from rnnviz.debugger.updating import parameter_shown  # late: the window starts without traces

    trace = looked_at(state).trace
    return (
        "" if trace is None else plain(parameter_shown(trace, state.place.cursor.layer, state.place.parameter).symbol)
    )
