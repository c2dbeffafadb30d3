"""The page "Variables": every array at the cursor as a tree, with its norm, its ends and a heat strip."""

from collections.abc import Callable, Iterator, Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, Qt, Slot
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLabel, QLineEdit, QMenu, QTreeWidgetItem, QVBoxLayout

from rnnviz.core.optimising.update import UpdateRule, operations
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.phase_operations import head_input, headed
from rnnviz.debugger.places import to_operation, to_parameter
from rnnviz.debugger.updating import updated_parameters
from rnnviz.gui.canvas.lanes.selection import lane_choices, toggled
from rnnviz.gui.cursor.named_variables import call_variables, head_variables, update_variables
from rnnviz.gui.cursor.variable_tree import LAYER, VARIABLE, Known, VariableTree, picture
from rnnviz.gui.cursor.variables import Variable, chosen, facts, layer_variables, numpy_text
from rnnviz.gui.look.theme import Theme, theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.state.updating import update_at
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.column_page import ColumnPage

_UPDATE = "update"
_OF_CALL = "call "  # before the number of the call that a row is read of
_OPENS_GRADIENTS = frozenset({Phase.BACKWARD, Phase.ACCUMULATE})


class VariablesPage(ColumnPage):
    """Follows the cursor while it is in front. Enter or a double click goes to the operation that computes a row.

    In the backward sweep the gradients stand open; afterwards what is open is as it was before.
    """

    shows = Fields(
        "recorded.traces",
        "recorded.gathered",
        "recorded.clip_changes",
        "recorded.rate_changes",
        "place.cursor",
        "place.sample",
        "place.model",
        "run.models",
        "run.source",
        "look.page",
        "trial",
    )
    only_in_front = True

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._built: tuple[object, ...] = ()
        self._trace: Trace | None = None
        self._known: dict[tuple[str, str], Known] = {}
        self._fresh: set[tuple[str, str]] = set()  # of `_known`, what has been read at this cursor
        self._update: QTreeWidgetItem | None = None  # above the variables of the update
        self._dressed = ""  # the theme of the pictures
        self._open_before: set[tuple[str, str]] | None = None  # what was open before the backward sweep
        self.heading = QLabel()
        self.heading.setProperty("role", "section")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: forget, ∂L, W …")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter of the variables")
        self.filter.textChanged.connect(self._filter)
        self.nothing = QLabel()
        self.nothing.setProperty("role", "note")
        self.nothing.setWordWrap(True)
        self.nothing.setContentsMargins(16, 4, 12, 4)
        self.nothing.hide()
        self.tree = VariableTree(self.known, lambda: self.look)
        self.tree.customContextMenuRequested.connect(self._offer)
        self.tree.itemActivated.connect(self._go_to)
        copy = QShortcut(QKeySequence.StandardKey.Copy, self.tree)
        copy.setContext(Qt.ShortcutContext.WidgetShortcut)
        copy.activated.connect(self.copy)
        head = QHBoxLayout()
        head.setContentsMargins(16, 8, 12, 4)
        head.addWidget(self.heading)
        head.addStretch(1)
        field = QHBoxLayout()
        field.setContentsMargins(12, 0, 12, 6)
        field.addWidget(self.filter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addLayout(field)
        column.addWidget(self.nothing)
        column.addWidget(self.tree, 1)
        self.begin()

    def known(self, index: QModelIndex | QPersistentModelIndex) -> Known | None:
        """The numbers of a row, what is said of them and their picture; None where this model has none."""
        variable, layer_name = index.data(VARIABLE), index.data(LAYER)
        if self._trace is None or variable is None:
            return None
        place = (layer_name, variable.key)
        if place not in self._fresh:
            time_step = min(max(self._store.state.place.cursor.time_step, 1), self._trace.sequence_length(0))
            source = self._source(self._trace, variable, layer_name, time_step)
            values = None if source is None else variable.read(source, time_step - 1)
            if values is None or not values.size:
                return None
            before = self._known.get(place)
            if before is None or before[0] is not values:  # a parameter is the same at every time step
                cut = variable.phase is Phase.BACKWARD and bool(self._trace.cuts(0).words(time_step))
                self._known[place] = (values, facts(values, variable.gate, cut), picture(variable, values, self.look))
            self._fresh.add(place)
        return self._known[place]

    def _source(self, trace: Trace, variable: Variable, layer_name: str, time_step: int) -> object | None:
        """What a variable is read of; None where it does not exist at the time step."""
        if variable.phase is Phase.LOSS:
            head = trace.head
            return head if variable.timeless or (head and head.start < time_step <= head.stop) else None
        if variable.phase is Phase.UPDATE:
            return update_at(self._store.state)
        if layer_name.startswith(_OF_CALL):
            return trace.calls[int(layer_name.removeprefix(_OF_CALL))]
        layer = trace.find_layer(layer_name) or trace.layers[0]
        if time_step - 1 not in layer.times():
            return layer if variable.timeless else None
        if variable.phase is Phase.BACKWARD:  # as everywhere: the float64 rebuild where float32 has lost it
            return trace.holding(layer.name, time_step - 1).layer(layer.name)
        return layer

    @property
    def look(self) -> Theme:
        """The theme in use."""
        return theme(self._store.state.look.theme)

    @Slot()
    def copy(self) -> None:
        """Puts the row that is chosen on the clipboard, as numpy text."""
        index = self.tree.currentIndex()
        found = self.known(index)
        if found is not None:
            text = numpy_text(index.data(VARIABLE), found[0], self._store.state.place.cursor.time_step)
            QApplication.clipboard().setText(text)

    def draw(self, state: State) -> None:
        looked = looked_at(state)
        if looked.sequence is not self._trace or self._dressed != state.look.theme:
            self._known = {}
        self._trace, self._dressed, self._fresh = looked.sequence, state.look.theme, set()
        self.tree.dress()
        if self._trace is None:
            self.heading.setText("The variables appear with the first trace.")
            self.tree.clear()
            self._built, self._open_before, self._update = (), None, None
            return
        where = looked.titled(f", time step {state.place.cursor.time_step}")
        self.heading.setText(
            (state.run.models[state.place.model].name if state.place.model < len(state.run.models) else "Model") + where
        )
        rule = None if state.run.training is None else state.run.training.rule
        having = tuple(one.key for one in operations(rule)) if rule is not None else None
        built = self._trace.network, state.place.model, self._trace.head is None, having
        if self._built != built:
            self._built = built
            self._build(self._trace, rule)
        if self._update is not None and state.place.cursor.phase is Phase.UPDATE:
            self._update.setExpanded(True)
        self._say_what_has_ended(self._trace, state.place.cursor.time_step)
        self._open_gradients(state.place.cursor.phase in _OPENS_GRADIENTS)
        self.tree.viewport().update()

    def _say_what_has_ended(self, trace: Trace, time_step: int) -> None:
        """Behind the name of each layer that does not exist at the time step, why."""
        for number in range(self.tree.topLevelItemCount() if trace.network.several else 0):
            top = self.tree.topLevelItem(number)
            layer = None if top is None else trace.find_layer(str(top.data(0, LAYER)))
            if top is None or layer is None:
                continue
            said = "" if time_step > layer.start else " · has not begun"
            said = " · has ended" if time_step > layer.times().stop else said
            top.setText(0, f"{trace.network.words(layer.name)}{said}")

    def _build(self, trace: Trace, rule: UpdateRule | None) -> None:
        self.tree.clear()
        self._open_before = None
        for number, call in enumerate(trace.calls):
            for words, variables in call_variables(call).items():
                self._top(words, variables, f"{_OF_CALL}{number}").setExpanded(True)
            for layer in call.layers:
                self._top(trace.network.words(layer.name), layer_variables(layer), layer.name).setExpanded(True)
        head, self._update = trace.head, None
        if head is not None:
            variables = head_variables(head.kind, head_input(headed(trace)), head.outputs)
            self._top("head", variables).setExpanded(True)
        if rule is not None:
            self._update = self._top(_UPDATE, update_variables(rule, updated_parameters(trace), trace.network.words))
        self._filter(self.filter.text())

    def _top(self, words: str, variables: Sequence[Variable], layer: str = "") -> QTreeWidgetItem:
        """A row at the left edge with the variables below it."""
        top = QTreeWidgetItem(self.tree, [words])
        top.setData(0, LAYER, layer)
        for variable in variables:
            _hang(top, variable, layer or words)
        return top

    def _open_gradients(self, backward: bool) -> None:
        """Opens every operation when the backward sweep begins, and shuts those again that were not open before it."""
        if backward == (self._open_before is not None):
            return
        rows = [item for item in self._rows() if item.childCount() and item.data(0, LAYER) != _UPDATE]
        operations = {_place(item): item for item in rows}
        if backward:
            self._open_before = {place for place, item in operations.items() if item.isExpanded()}
        for place, item in operations.items():
            item.setExpanded(backward or place in (self._open_before or ()))
        if not backward:
            self._open_before = None

    def _rows(self) -> list[QTreeWidgetItem]:
        """Every variable, those of all layers, of the head and of the update."""
        tops = [self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount())]
        return [item for top in tops if top is not None for item in _items(top)]

    @Slot(str)
    def _filter(self, text: str) -> None:
        """A symbol first, W or h, as it is written; words where no symbol is called so. Every word has to fit."""
        rows = self._rows()
        variables = [item.data(0, VARIABLE) for item in rows]
        terms = [(word.lower(), chosen(variables, word)) for word in text.split()]

        def wanted(item: QTreeWidgetItem) -> bool:
            variable, layer = item.data(0, VARIABLE), item
            while layer.parent() is not None:
                layer = layer.parent()
            return all(
                (variable is not None and variable.key in keys)
                if keys is not None
                else word in item.text(0).lower() or word in layer.text(0).lower()
                for word, keys in terms
            )

        tops = [self.tree.topLevelItem(number) for number in range(self.tree.topLevelItemCount())]
        hidden = [_hide(top, wanted, bool(terms)) for top in tops if top is not None]
        self.nothing.setText(f"No variable is called “{text.strip()}”.")
        self.nothing.setVisible(bool(hidden) and all(hidden))

    @Slot(QTreeWidgetItem)
    def _go_to(self, item: QTreeWidgetItem) -> None:
        variable = item.data(0, VARIABLE)
        if variable is None or not variable.operation:
            return
        layer = item.data(0, LAYER) if variable.phase.swept else self._store.state.place.cursor.layer
        self._store.go(to_operation, self._store.state.walkable, variable.phase, layer, variable.operation)
        if variable.parameter:
            self._store.go(to_parameter, variable.parameter)

    @Slot(QPoint)
    def _offer(self, point: QPoint) -> None:
        item = self.tree.itemAt(point)
        variable = item.data(0, VARIABLE) if item is not None else None
        if item is None or variable is None:
            return
        self.tree.setCurrentItem(item)
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Copy as numpy text").triggered.connect(self.copy)
        if variable.operation:
            menu.addAction("Go to its operation").triggered.connect(lambda: self._go_to(item))
        choice = next((each for each in lane_choices(self._store.state) if each.key == variable.lane), None)
        if choice is not None:
            pin = menu.addAction("Show as a lane")
            pin.setCheckable(True)
            pin.setChecked(choice.on)
            pin.triggered.connect(
                lambda: self._store.change(
                    look=setting(hidden_lanes=toggled(self._store.state.look.hidden_lanes, choice))
                )
            )
        menu.popup(self.tree.viewport().mapToGlobal(point))


def _hang(above: QTreeWidgetItem, variable: Variable, layer: str) -> None:
    item = QTreeWidgetItem(above, [f"{marked_text.plain(variable.symbol)} {variable.words}"])
    item.setData(0, VARIABLE, variable)
    item.setData(0, LAYER, layer)
    for part in variable.parts:
        _hang(item, part, layer)


def _place(item: QTreeWidgetItem) -> tuple[str, str]:
    return item.data(0, LAYER), item.data(0, VARIABLE).key


def _items(above: QTreeWidgetItem) -> Iterator[QTreeWidgetItem]:
    """Every row below one."""
    for number in range(above.childCount()):
        yield above.child(number)
        yield from _items(above.child(number))


def _hide(item: QTreeWidgetItem, wanted: Callable[[QTreeWidgetItem], bool], filtered: bool) -> bool:
    """Hides what is not `wanted` and holds nothing that is; opens what does. Returns whether it is hidden."""
    hidden = [_hide(item.child(n), wanted, filtered) for n in range(item.childCount())]
    below = not all(hidden) if hidden else False
    item.setHidden(not wanted(item) and not below)
    if filtered and below:
        item.setExpanded(True)
    return item.isHidden()
