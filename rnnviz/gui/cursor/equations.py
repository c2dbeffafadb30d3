"""The equation at the cursor: of its operation or of the whole time step, forward or backward, with the numbers."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout

from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import NO_UNIT, to_model, to_parameter, to_unit
from rnnviz.debugger.updating import parameter_shown, updated_parameters
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equation_view import EquationView
from rnnviz.gui.look import scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.clipping import clipping
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.updating import update_at
from rnnviz.gui.widgets.column_page import ColumnPage
from rnnviz.gui.widgets.fields import Choice
from rnnviz.gui.widgets.marked_text import plain

_HIGHEST = 190  # pixels; more lines scroll


class EquationsPanel(ColumnPage):
    """Below the values. Model and unit can be chosen here as well as by a click in the lanes."""

    shows = Fields(
        "recorded.traces",
        "recorded.gathered",
        "recorded.clip_changes",
        "recorded.rate_changes",
        "place.cursor",
        "place.sample",
        "place.model",
        "place.unit",
        "place.parameter",
        "run.models",
        "run.source",
        "trial",
    )

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.view = EquationView()
        self.model, self.unit, self.parameter = Choice(flat=True), Choice(flat=True), Choice(flat=True)
        self.model.setAccessibleName("Model of the equations")
        self.model.setToolTip("Whose equations are shown and stepped through  (M)")
        self.unit.setAccessibleName("Unit of the equations")
        self.unit.setToolTip("Which unit's numbers stand in the equations; a click on its row in a lane chooses it too")
        self.parameter.setAccessibleName("Parameter of the update")
        self.parameter.setToolTip("Whose update stands in the equations")
        self.parameter.chosen.connect(self._choose_parameter)
        self.model.chosen.connect(self._choose_model)
        self.unit.chosen.connect(self._choose_unit)
        self._build()
        if looked_at(store.state).trace is None:
            self.hide()
        self.begin()

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if self.shows.changed(old, new):
            self.setVisible(looked_at(new).trace is not None)
        super().show_state(old, new)

    def _build(self) -> None:
        self.title = QLabel("Equation")
        self.title.setProperty("role", "section")
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 12, 0)
        head.setSpacing(0)
        head.addWidget(self.title)
        head.addStretch(1)
        for choice in (self.parameter, self.model, self.unit):
            head.addWidget(choice)
        self._scroll = QScrollArea()
        self._scroll.setWidgetResizable(True)
        self._scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._scroll.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._scroll.setProperty("card", True)
        self._scroll.setWidget(self.view)
        frame = QHBoxLayout()
        frame.setContentsMargins(8, 0, 8, 8)
        frame.addWidget(self._scroll)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 4, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addLayout(frame)

    def draw(self, state: State) -> None:
        trace = looked_at(state).sequence
        if trace is None:
            return
        self._offer(state, trace)
        self.title.setText(looked_at(state).titled("Equation"))
        size = trace.structure.hidden_size
        unit = state.place.unit if 0 <= state.place.unit < size else None
        training = state.run.training or TrainingSettings()
        clipped, place = clipping(state, state.place.model), state.place
        update = update_at(state) if place.cursor.phase is Phase.UPDATE and place.cursor.operation else None
        lines = equation_lines(trace, place.cursor, unit, training.rule, clipped, update, place.parameter)
        self.view.set_lines(lines, theme(state.look.theme))
        self._scroll.setFixedHeight(min(self.view.height() + 2, scale.px(_HIGHEST)))

    def _offer(self, state: State, trace: Trace) -> None:
        names = [(number, model.name) for number, model in enumerate(state.run.models)]
        if [(self.model.itemData(n), self.model.itemText(n)) for n in range(self.model.count())] != names:
            self.model.set_options(names)
        self.model.set_value(state.place.model)
        self.model.setVisible(len(names) > 1)
        updates = state.place.cursor.phase is Phase.UPDATE and state.walkable.operation(state.place) is not None
        self.parameter.setVisible(updates)
        if updates:
            self._offer_parameters(state, trace)
        size = trace.structure.hidden_size
        if self.unit.count() != size + 1:
            self.unit.set_options([(NO_UNIT, "norms"), *((n, f"unit {n + 1}") for n in range(size))])
        self.unit.set_value(state.place.unit if state.place.unit < size else NO_UNIT)

    def _offer_parameters(self, state: State, trace: Trace) -> None:
        several = len(trace.layers) > 1
        options = [
            (one.name, plain(one.symbol) + (f", {trace.network.words(one.layer)}" if several and one.layer else ""))
            for one in updated_parameters(trace)
        ]
        if [(self.parameter.itemData(n), self.parameter.itemText(n)) for n in range(self.parameter.count())] != options:
            self.parameter.set_options(options)
        self.parameter.set_value(parameter_shown(trace, state.place.cursor.layer, state.place.parameter).name)

    def _choose_parameter(self, name: object) -> None:
        self._store.go(to_parameter, str(name))

    def _choose_model(self, number: object) -> None:
        assert isinstance(number, int)
        self._store.go(to_model, number)

    def _choose_unit(self, unit: object) -> None:
        assert isinstance(unit, int)
        self._store.go(to_unit, unit)
