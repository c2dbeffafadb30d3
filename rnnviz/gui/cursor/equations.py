"""The equation at the cursor: of its operation or of the whole time step, forward or backward, with the numbers."""

from dataclasses import replace

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QLabel, QScrollArea, QVBoxLayout, QWidget

from rnnviz.core.experiment.settings import TrainingSettings
from rnnviz.core.sweeps.trace import Trace
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equation_view import EquationView
from rnnviz.gui.cursor.origin_page import looked_at
from rnnviz.gui.look.form_style import form_sheet
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import State, Store
from rnnviz.gui.widgets.fields import Choice

_HIGHEST = 190  # pixels; more lines scroll
_NORMS = -1  # in place of a unit


class EquationsPanel(QWidget):
    """Below the values. Model and unit can be chosen here as well as by a click in the lanes."""

    def __init__(self, store: Store) -> None:
        super().__init__()
        self._store = store
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.view = EquationView()
        self.model, self.unit = Choice(flat=True), Choice(flat=True)
        self.model.setAccessibleName("Model of the equations")
        self.model.setToolTip("Whose equations are shown and stepped through  (M)")
        self.unit.setAccessibleName("Unit of the equations")
        self.unit.setToolTip("Which unit's numbers stand in the equations; a click on its row in a lane chooses it too")
        self.model.chosen.connect(self._choose_model)
        self.unit.chosen.connect(self._choose_unit)
        self._build()
        store.changed.connect(self.show_state)
        if self._trace(store.state) is None:
            self.hide()
        self._show(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        names = ("traces", "cursor", "sample", "theme", "model", "unit", "models", "experiment", "recomputed", "whatif")
        if any(getattr(old, name) is not getattr(new, name) for name in names):
            self.setVisible(self._trace(new) is not None)
            self._show(new)

    def _build(self) -> None:
        self.title = QLabel("Equation")
        self.title.setProperty("role", "section")
        head = QHBoxLayout()
        head.setContentsMargins(16, 0, 12, 0)
        head.setSpacing(0)
        head.addWidget(self.title)
        head.addStretch(1)
        head.addWidget(self.model)
        head.addWidget(self.unit)
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

    def _show(self, state: State) -> None:
        if self.property("themeName") != state.theme:
            self.setProperty("themeName", state.theme)
            self.setStyleSheet(form_sheet(state.theme))
        trace = self._trace(state)
        if trace is None:
            return
        self._offer(state, trace)
        changed = state.what_if is not None and looked_at(state)[0] is state.what_if.changed
        self.title.setText("Equation, what-if" if changed else "Equation")
        size = trace.structure.hidden_size
        unit = state.unit if 0 <= state.unit < size else None
        lines = equation_lines(trace, state.cursor, unit, (state.source.training or TrainingSettings()).optimiser)
        self.view.set_lines(lines, theme(state.theme))
        self._scroll.setFixedHeight(min(self.view.height() + 2, _HIGHEST))

    def _trace(self, state: State) -> Trace | None:
        """The sequence looked at, of the model that is stepped through; of a what-if the changed one."""
        trace, sample = looked_at(state)
        return None if trace is None else trace.sample(sample)

    def _offer(self, state: State, trace: Trace) -> None:
        names = [(number, model.name) for number, model in enumerate(state.models)]
        if [(self.model.itemData(n), self.model.itemText(n)) for n in range(self.model.count())] != names:
            self.model.set_options(names)
        self.model.set_value(state.model)
        self.model.setVisible(len(names) > 1)
        size = trace.structure.hidden_size
        if self.unit.count() != size + 1:
            self.unit.set_options([(_NORMS, "norms"), *((n, f"unit {n + 1}") for n in range(size))])
        self.unit.set_value(state.unit if state.unit < size else _NORMS)

    def _choose_model(self, number: object) -> None:
        cursor = replace(self._store.state.cursor, operation="")
        self._store.update(model=number, unit=_NORMS, cursor=cursor)

    def _choose_unit(self, unit: object) -> None:
        self._store.update(unit=unit)
