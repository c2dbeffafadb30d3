"""At the cursor: the numbers of this time step in every model, and the values behind the row one points at."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import to_layer
from rnnviz.gui.cursor.value_rows import Group, ValueRow, ValueSource, value_rows
from rnnviz.gui.cursor.value_strips import Strip, ValueStrips, describe
from rnnviz.gui.cursor.value_table import TableRow, ValueTable
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
_FOLLOWED = "hidden"  # the row whose values are shown while nobody points at one
_ACTIVE: dict[Phase, frozenset[Group]] = {
    Phase.FORWARD: frozenset({"state", "gates"}),
    Phase.LOSS: frozenset({"loss"}),
    Phase.BACKWARD: frozenset({"gradient", "weights"}),
    Phase.ACCUMULATE: frozenset({"weights"}),
    Phase.UPDATE: frozenset({"weights"}),
}


class ValuesPanel(ColumnPage):
    """The right column. Rows that belong to the cursor's phase are bright, the others muted, never hidden."""

    shows = Fields("recorded.traces", "place.cursor", "place.sample", "run.task", "trial")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.rows: list[ValueRow] = []
        self._sources: list[ValueSource | None] = []
        self._names: list[str] = []  # of the columns
        self.setMinimumWidth(NARROWEST)
        self.table = ValueTable()
        self.strips = ValueStrips()
        self.layer = Choice()
        self.layer.setToolTip("Which layer the numbers are of")
        self.layer.setAccessibleName("Layer")
        self.layer.setFixedWidth(_LAYER_WIDTH)
        self.layer.chosen.connect(self._choose_layer)
        self.empty = QLabel("The numbers appear with the first trace.")
        self.empty.setProperty("role", "note")
        self._build()
        self._tip = LiveTip(self.table, self._words_at)
        self.table.row_shown.connect(lambda row: self._show_strips(self._store.state))
        self.table.copy_wanted.connect(self.copy)
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
        self._scroll = scroll
        self._layers = QWidget()
        line = QHBoxLayout(self._layers)
        line.setContentsMargins(16, 8, 16, 0)
        line.addWidget(self.layer)
        line.addStretch()
        foot = QVBoxLayout()
        foot.setContentsMargins(8, 8, 8, 8)
        foot.addWidget(self.strips)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self._layers)
        outer.addWidget(scroll, 1)
        outer.addLayout(foot)
        outer.addStretch(0)

    def draw(self, state: State) -> None:
        look = theme(state.look.theme)
        looked = [looked_at(state, model) for model in range(len(state.recorded.traces))]
        traces = [each.sequence for each in looked]
        models = state.run.models
        names = [models[n].name if n < len(models) else f"model {n + 1}" for n in range(len(traces))]
        self._names = [each.titled(name) for each, name in zip(looked, names, strict=True)]
        self._offer_layers([trace for trace in traces if trace is not None], state.place.cursor.layer)
        has_trace = any(trace is not None for trace in traces)
        for widget in (self.table, self.strips):
            widget.setVisible(has_trace)
        self.empty.setVisible(not has_trace)
        self._sources = [
            None
            if trace is None
            else ValueSource(
                trace,
                trace.find_layer(state.place.cursor.layer),
                _held(trace, state),
                state.run.task,
                clipping(state, model),
            )
            for model, trace in enumerate(traces)
        ]
        if not has_trace:
            self.rows = []
            return
        self.rows = [
            row
            for row in value_rows(traces, state.place.cursor.layer, state.place.cursor.time_step, state.run.task)
            if not row.key.startswith("clip:") or any(each and each.clipping for each in self._sources)
        ]
        active = _ACTIVE[state.place.cursor.phase]
        colors = look.model_colors(trace.structure.cell if trace else "" for trace in traces)
        rows, group = [], ""
        for row in self.rows:
            cells = tuple(None if source is None else row.number(source) for source in self._sources)
            rows.append(TableRow(row.words, row.symbol, cells, row.part, row.group in active, row.group != group))
            group = row.group
        self.table.set_content(rows, list(zip(names, colors, strict=True)), look, [each.words for each in looked])
        self._scroll.setMaximumHeight(
            self.table.height() + 12
        )  # the strips follow close below, however high the window
        self.strips.set_models(len(traces))
        self._show_strips(state)
        self._tip.refresh()

    def _offer_layers(self, traces: list[Trace], chosen: str) -> None:
        names = list(dict.fromkeys(layer.name for trace in traces for layer in trace.layers))
        if [self.layer.itemData(index) for index in range(self.layer.count())] != names:
            self.layer.set_options([(name, LayerId.read(name).words) for name in names])
        self.layer.set_value(chosen)
        self._layers.setVisible(len(names) > 1)

    def _choose_layer(self, name: object) -> None:
        self._store.go(to_layer, str(name))

    def _show_strips(self, state: State) -> None:
        if not self.rows:
            return
        number = self.table.shown_row
        if number < 0:
            number = next((index for index, row in enumerate(self.rows) if row.key == _FOLLOWED), 0)
        elif self.table.hasFocus():
            self._scroll.ensureVisible(0, self.table.row_center(number).y(), 0, 24)
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


def _held(trace: Trace, state: State) -> int:
    return min(max(state.place.cursor.time_step, 1), trace.sequence_length(0))
