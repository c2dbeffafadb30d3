"""At the cursor: the numbers of this time step in every model, and the values behind the row one points at."""

from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.core.network import ENCODER, Stretch
from rnnviz.core.sweeps.trace import Layer, Trace
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import to_layer
from rnnviz.gui.cursor.value_row import Group, ValueRow, ValueSource
from rnnviz.gui.cursor.value_rows import FOLD, folded_rows, value_rows
from rnnviz.gui.cursor.value_strips import Strip, ValueStrips, describe
from rnnviz.gui.cursor.value_table import TableRow, ValueTable
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import model_dashes, theme
from rnnviz.gui.state.clipping import clipping
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.column_page import NARROWEST, ColumnPage
from rnnviz.gui.widgets.fields import Choice
from rnnviz.gui.widgets.live_tip import LiveTip
from rnnviz.gui.widgets.marked_text import plain

_LAYER_WIDTH = 160  # pixels: "layer 1, reverse" and its arrow
_LEAST_TABLE = 110  # pixels of the table that are seen where large text leaves no more
_AROUND_ROW = 56  # pixels above and below a row that is scrolled to: the head of the table, another row
_FOLLOWED = "hidden"  # the row whose values are shown while nobody points at one
_ACTIVE: dict[Phase, frozenset[Group]] = {
    Phase.FORWARD: frozenset({"state", "gates", "prediction"}),
    Phase.LOSS: frozenset({"prediction", "loss"}),
    Phase.BACKWARD: frozenset({"prediction", "gradient", "weights"}),
    Phase.ACCUMULATE: frozenset({"weights"}),
    Phase.UPDATE: frozenset({"weights"}),
}
_OF_OPERATION = {  # what belongs to an operation of the loss or of the update: groups, or rows by their keys
    (Phase.LOSS, "logits"): {"prediction"},
    (Phase.LOSS, "softmax"): {"prediction"},
    (Phase.LOSS, "sigmoid"): {"prediction"},
    (Phase.LOSS, "loss"): {"loss"},
    (Phase.LOSS, "output_grad"): {"direct_grad"},
    (Phase.UPDATE, "gradient"): {"clip:norm"},
    (Phase.UPDATE, "clip"): {"clip:factor", "clip:clipped"},
}


class ValuesPanel(ColumnPage):
    """The page "Cursor" of the right column: the table, `below_table`, the values behind a row, and `below` them.

    Rows that belong to the cursor's phase are bright, the others muted; of the parameters all but the leading one are
    folded away, a click from being shown.
    """

    shows = Fields("recorded.traces", "place.cursor", "place.sample", "run.task", "trial")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.rows: list[ValueRow] = []
        self._phase: Phase | None = None  # that the table was scrolled for
        self.unfolded = False  # whether every parameter has its rows
        self._sources: list[ValueSource | None] = []
        self._names: list[str] = []  # of the columns
        scale.fit(self, least_width=NARROWEST)
        self.table = ValueTable()
        self.strips = ValueStrips()
        self.layer = Choice()
        self.layer.setToolTip("Which layer the numbers are of")
        self.layer.setAccessibleName("Layer")
        scale.fit(self.layer, width=_LAYER_WIDTH)
        self.layer.chosen.connect(self._choose_layer)
        self.empty = QLabel("The numbers appear with the first trace.")
        self.absent = QLabel()
        for note in (self.empty, self.absent):
            note.setProperty("role", "note")
        self._build()
        self._tip = LiveTip(self.table, self._words_at)
        self.table.row_shown.connect(self._point)
        self.table.copy_wanted.connect(self.copy)
        self.table.row_pressed.connect(self._press)
        self.begin()

    def row_text(self, number: int) -> str:
        """A row as lines for a spreadsheet: its numbers, then the values of each model, tabulators between."""
        row = self.rows[number]
        lines = ["\t".join([plain(f"{row.words} {row.symbol}".strip()), *self._names])]
        lines.append("\t".join(["", *("–" if p is None else (row.number(p) or "–") for p in self._sources)]))
        for name, source in zip(self._names, self._sources, strict=True):
            values = None if source is None else row.vector(source)
            if values is not None:
                lines.append("\t".join([name, *(repr(float(value)) for value in values)]))
        return "\n".join(lines)

    def copy(self) -> None:
        """Puts the row that is pointed at on the clipboard."""
        if self.rows:
            QApplication.clipboard().setText(self.row_text(max(0, self.table.shown_row)))

    def _words_at(self, place: QPoint) -> str:
        number = self.table.row_at(place.y())
        return self.tooltip(number) if number >= 0 else ""

    def tooltip(self, number: int) -> str:
        """Shape, smallest, largest and mean of each model's values in a row."""
        row = self.rows[number]
        if row.key == FOLD:
            return f"{plain(row.words[2:]).capitalize()}: a click or Enter {'folds' if self.unfolded else 'shows'} them"
        lines = [plain(f"{row.words} {row.symbol}".strip())]
        for name, source in zip(self._names, self._sources, strict=True):
            values = None if source is None else row.vector(source)
            note = row.note(source) if source is not None else ""
            if said := "; ".join(part for part in (describe(values) if values is not None else "", note) if part):
                lines.append(f"{name}: {said}")
        return "\n".join([*lines, "Ctrl+C copies the row"])

    def _build(self) -> None:
        content = QWidget()
        column = QVBoxLayout(content)
        column.setContentsMargins(8, 4, 8, 0)
        column.addWidget(self.table)
        column.addWidget(self.empty, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch()
        scroll = QScrollArea()
        scroll.setProperty("role", "panel")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        scroll.setWidget(content)
        scroll.verticalScrollBar().valueChanged.connect(self.table.update)  # its head stays at the top
        self._scroll = scroll
        self._layers = QWidget()
        line = QHBoxLayout(self._layers)
        line.setContentsMargins(16, 8, 16, 0)
        line.addWidget(self.layer)
        line.addStretch()
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._layers)
        outer.addWidget(self.absent)
        outer.addWidget(scroll, 1)
        self.below_table = QVBoxLayout()
        outer.addLayout(self.below_table)
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 4, 8, 0)
        foot.addWidget(self.strips)
        outer.addLayout(foot)
        self.below = QVBoxLayout()
        outer.addLayout(self.below)
        outer.addStretch(0)

    def draw(self, state: State) -> None:
        look = theme(state.look.theme)
        looked = [looked_at(state, model) for model in range(len(state.recorded.traces))]
        traces = [each.sequence for each in looked]
        models = state.run.models
        names = [models[n].name if n < len(models) else f"model {n + 1}" for n in range(len(traces))]
        self._names = [each.titled(name) for each, name in zip(looked, names, strict=True)]
        self._offer_layers(state, [trace for trace in traces if trace is not None])
        has_trace = any(trace is not None for trace in traces)
        for widget in (self.table, self.strips):
            widget.setVisible(has_trace)
        self.empty.setVisible(not has_trace)
        absent = _absent(traces, state)
        self.absent.setText(absent)
        self.absent.setVisible(bool(absent))
        self._sources = [
            None
            if trace is None
            else ValueSource(
                trace,
                _layer(trace, state),
                _held(trace, state),
                state.run.task,
                clipping(state, model),
            )
            for model, trace in enumerate(traces)
        ]
        if not has_trace:
            self.rows = []
            return
        self.rows = self._shown_rows(state, traces)
        cursor = state.place.cursor
        active = _OF_OPERATION.get((cursor.phase, cursor.operation), _ACTIVE[cursor.phase])
        colors = look.model_colors(trace.structure.cell if trace else "" for trace in traces)
        rows, group = [], ""
        for row in self.rows:
            cells = tuple(None if source is None else row.number(source) for source in self._sources)
            bright = row.group in active or row.key in active
            rows.append(TableRow(row.words, row.symbol, cells, row.part, bright, row.group != group))
            group = row.group
        self.table.set_content(rows, list(zip(names, colors, strict=True)), look, [each.words for each in looked])
        self._scroll.setMaximumHeight(
            self.table.height() + 12
        )  # the strips follow close below, however high the window
        self._scroll.setMinimumHeight(scale.px(_LEAST_TABLE) if scale.text_scale() > 1.0 else 0)
        if state.place.cursor.phase is not self._phase:
            self._phase = state.place.cursor.phase
            self._reveal([number for number, row in enumerate(rows) if row.active])
        self.strips.set_models(len(traces))
        self._show_strips(state)
        self._tip.refresh()

    def _reveal(self, active: list[int]) -> None:
        """Scrolls to the rows of a phase that has just begun; to the gradients where not all of them fit."""
        gradients = [number for number in active if self.rows[number].group == "gradient"]
        for number in [*active[:1], *gradients[-1:]]:
            self._scroll.ensureVisible(0, self.table.row_center(number).y(), 0, scale.px(_AROUND_ROW) + 16)

    def _shown_rows(self, state: State, traces: Sequence[Trace | None]) -> list[ValueRow]:
        """Without what clipping made of the update where that is not known, and without the parameters folded away."""
        rows = value_rows(traces, state.place.cursor.layer, state.place.cursor.time_step, state.run.task)
        clipped = any(each and each.clipping for each in self._sources)
        named = (trace.find_layer(state.place.cursor.layer) for trace in traces if trace is not None)
        layers = [layer for layer in named if layer is not None]
        shown = [row for row in rows if clipped or not row.key.startswith("clip:")]
        return folded_rows(shown, layers, self.unfolded)

    def _point(self, number: int) -> None:
        """The values behind the row that is pointed at; one that the keyboard is on can be seen."""
        if number >= 0 and self.table.hasFocus():
            self._scroll.ensureVisible(0, self.table.row_center(number).y(), 0, scale.px(_AROUND_ROW))
        self._show_strips(self._store.state)

    def _press(self, number: int) -> None:
        """Folds or unfolds, on the row that says so."""
        if self.rows[number].key == FOLD:
            self.unfolded = not self.unfolded
            self.draw(self._store.state)

    def _offer_layers(self, state: State, traces: list[Trace]) -> None:
        names = list(dict.fromkeys(layer.name for trace in traces for layer in trace.layers))
        if [self.layer.itemData(index) for index in range(self.layer.count())] != names:
            self.layer.set_options([(name, state.walkable.words(name)) for name in names])
        self.layer.set_value(state.place.cursor.layer)
        self._layers.setVisible(len(names) > 1)

    def _choose_layer(self, name: object) -> None:
        self._store.go(to_layer, self._store.state.walkable, str(name))

    def _show_strips(self, state: State) -> None:
        if not self.rows:
            return
        number = self.table.shown_row
        if number < 0:
            number = next((index for index, row in enumerate(self.rows) if row.key == _FOLLOWED), 0)
        row = self.rows[number]
        look = theme(state.look.theme)
        cells = [source.trace.structure.cell if source else "" for source in self._sources]
        looks = zip(look.model_colors(cells), model_dashes(cells), strict=True)
        strips = []
        for name, (color, dash), source in zip(self._names, looks, self._sources, strict=True):
            values = None if source is None else row.vector(source)
            if source is not None and values is not None:
                strips.append(Strip(name, color, values, source.row if row.over_time else -1, row.note(source), dash))
        words = f"{row.words}, time steps 1 to {state.program.time_steps}" if row.over_time else row.words
        self.strips.set_content(words, "" if row.over_time else row.symbol, strips, row.colors, row.family, look)


def _layer(trace: Trace, state: State) -> Layer | None:
    """The layer looked at, where there is one so called at this time step."""
    found = trace.find_layer(state.place.cursor.layer)
    return found if found is not None and _held(trace, state) - 1 in found.times() else None


def _absent(traces: Sequence[Trace | None], state: State) -> str:
    """Why no layer has values here: its stage has ended, or not begun."""
    for trace in traces:
        found = trace.find_layer(state.place.cursor.layer) if trace is not None and trace.network.several else None
        if trace is not None and found is not None:
            own = Stretch(found.start, found.times().stop, found.id.call or ENCODER)
            return own.outside(_held(trace, state))
    return ""


def _held(trace: Trace, state: State) -> int:
    return min(max(state.place.cursor.time_step, 1), trace.sequence_length(0))
