"""The page "Variables": every array at the cursor as a tree, with its norm, its ends and a heat strip."""

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPoint, QRectF, QSize, Qt, Slot
from PySide6.QtGui import QFontMetricsF, QImage, QKeySequence, QPainter, QPen, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QMenu,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
)

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.places import to_operation
from rnnviz.gui.canvas.lanes.selection import lane_choices, toggled
from rnnviz.gui.cursor.value_rows import Colors
from rnnviz.gui.cursor.value_strips import Strip, levels, strip_image
from rnnviz.gui.cursor.variables import Facts, Variable, facts, layer_variables, numpy_text
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme, theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.widgets import marked_text
from rnnviz.gui.widgets.column_page import ColumnPage

_VARIABLE, _LAYER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1
_HIGH, _LAYER_HIGH = 50, 28  # pixels
_STRIP_VALUES = 400  # more than a strip has pixels for


class VariablesPage(ColumnPage):
    """Follows the cursor while it is in front. Enter or a double click goes to the operation that computes a row."""

    shows = Fields("recorded.traces", "place.cursor", "place.sample", "place.model", "run.models", "look.page", "trial")
    only_in_front = True

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._built: tuple[object, ...] = ()
        self._trace: Trace | None = None
        self._known: dict[tuple[str, str], tuple[Array, Facts, QImage]] = {}
        self.heading = QLabel()
        self.heading.setProperty("role", "section")
        self.filter = QLineEdit()
        self.filter.setPlaceholderText("Filter: forget, ∂L, W …")
        self.filter.setClearButtonEnabled(True)
        self.filter.setAccessibleName("Filter of the variables")
        self.filter.textChanged.connect(self._filter)
        self.tree = QTreeWidget()
        self.tree.setHeaderHidden(True)
        self.tree.setAccessibleName("Variables")
        self.tree.setAccessibleDescription("→ opens a row, ← closes it, Enter goes to the operation that computes it")
        self.tree.setIndentation(14)
        self.tree.setUniformRowHeights(False)
        self.tree.setFrameShape(QTreeWidget.Shape.NoFrame)
        self.tree.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.tree.setVerticalScrollMode(QTreeWidget.ScrollMode.ScrollPerPixel)
        self.tree.setItemDelegate(_VariableRow(self))
        self.tree.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
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
        column.addWidget(self.tree, 1)
        self.begin()

    def known(self, index: QModelIndex | QPersistentModelIndex) -> tuple[Array, Facts, QImage] | None:
        """The numbers of a row, what is said of them and their strip; None where this model has none."""
        variable, layer_name = index.data(_VARIABLE), index.data(_LAYER)
        if self._trace is None or variable is None:
            return None
        place = (layer_name, variable.key)
        if place not in self._known:
            time_step = min(max(self._store.state.place.cursor.time_step, 1), self._trace.sequence_length(0))
            layer = self._trace.find_layer(layer_name) or self._trace.layers[0]
            if variable.phase is Phase.BACKWARD:  # as everywhere: the float64 rebuild where float32 has lost it
                layer = self._trace.holding(layer.name, time_step - 1).layer(layer.name)
            values = variable.read(layer, time_step - 1)
            if values is None or not values.size:
                return None
            look = theme(self._store.state.look.theme)
            self._known[place] = (values, facts(values, variable.gate), _strip(variable, values, look))
        return self._known[place]

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
            text = numpy_text(index.data(_VARIABLE), found[0], self._store.state.place.cursor.time_step)
            QApplication.clipboard().setText(text)

    def draw(self, state: State) -> None:
        looked = looked_at(state)
        self._trace = looked.sequence
        self._known = {}
        if self._trace is None:
            self.heading.setText("The variables appear with the first trace.")
            self.tree.clear()
            self._built = ()
            return
        where = looked.titled(f", time step {state.place.cursor.time_step}")
        self.heading.setText(
            (state.run.models[state.place.model].name if state.place.model < len(state.run.models) else "Model") + where
        )
        if self._built != (self._trace.structure, state.place.model):
            self._built = (self._trace.structure, state.place.model)
            self._build(self._trace)
        self.tree.viewport().update()

    def _build(self, trace: Trace) -> None:
        self.tree.clear()
        for layer in trace.layers:
            top = QTreeWidgetItem(self.tree, [layer.id.words])
            for variable in layer_variables(layer):
                _hang(top, variable, layer.name)
            top.setExpanded(True)
        self._filter(self.filter.text())

    @Slot(str)
    def _filter(self, text: str) -> None:
        wanted = text.strip().lower()
        for number in range(self.tree.topLevelItemCount()):
            item = self.tree.topLevelItem(number)
            if item is not None:
                _hide(item, wanted, wanted in item.text(0).lower())

    @Slot(QTreeWidgetItem)
    def _go_to(self, item: QTreeWidgetItem) -> None:
        variable = item.data(0, _VARIABLE)
        if variable is not None and variable.operation:
            self._store.go(to_operation, variable.phase, item.data(0, _LAYER), variable.operation)

    @Slot(QPoint)
    def _offer(self, point: QPoint) -> None:
        item = self.tree.itemAt(point)
        variable = item.data(0, _VARIABLE) if item is not None else None
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


class _VariableRow(QStyledItemDelegate):
    """Symbol and words with the norm at the right, the strip, and below it what is said of the numbers."""

    def __init__(self, page: VariablesPage) -> None:
        super().__init__(page)
        self._page = page

    def sizeHint(self, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> QSize:
        return QSize(160, _LAYER_HIGH if index.data(_VARIABLE) is None else _HIGH)

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        variable = index.data(_VARIABLE)
        if variable is None:
            super().paint(painter, option, index)
            return
        look, box = self._page.look, QRectF(option.rect).adjusted(4, 0, -12, 0)
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, look.color("raised"))
        color = look.gate_color(variable.gate.family) if variable.gate else look.color("text")
        base = box.top() + 16
        marked_text.draw(painter, box.left(), base, variable.symbol, fonts.BODY, color)
        after = box.left() + marked_text.width(variable.symbol, fonts.BODY) + 8
        found = self._page.known(index)
        norm = f"‖·‖ {short(found[1].norm)}" if found is not None else "–"
        wide = QFontMetricsF(fonts.text()).horizontalAdvance(norm)
        painter.setFont(fonts.text())
        painter.setPen(look.color("text"))
        painter.drawText(QRectF(box.right() - wide - 2, box.top(), wide + 2, 22), Qt.AlignmentFlag.AlignVCenter, norm)
        small = fonts.text(fonts.SMALL + 1)
        painter.setFont(small)
        painter.setPen(look.color("muted"))
        room = max(0.0, box.right() - wide - 10 - after)
        words = QFontMetricsF(small).elidedText(variable.words, Qt.TextElideMode.ElideRight, room)
        painter.drawText(QRectF(after, box.top(), room, 23), Qt.AlignmentFlag.AlignVCenter, words)
        if found is not None:
            strip = QRectF(box.left(), box.top() + 23, box.width(), 8)
            painter.drawImage(strip, found[2])
            painter.setPen(QPen(look.color("line"), 1))
            painter.drawRect(strip.adjusted(-0.5, -0.5, 0.5, 0.5))
            painter.setPen(look.color("muted"))
            painter.setFont(fonts.text(fonts.SMALL))
            painter.drawText(
                QRectF(box.left(), box.top() + 32, box.width(), 16), Qt.AlignmentFlag.AlignVCenter, found[1].text
            )
        painter.restore()


def _hang(above: QTreeWidgetItem, variable: Variable, layer: str) -> None:
    item = QTreeWidgetItem(above, [f"{marked_text.plain(variable.symbol)} {variable.words}"])
    item.setData(0, _VARIABLE, variable)
    item.setData(0, _LAYER, layer)
    for part in variable.parts:
        _hang(item, part, layer)


def _hide(item: QTreeWidgetItem, wanted: str, all_of_it: bool) -> bool:
    """Hides what does not contain `wanted` and holds nothing that does; returns whether it is hidden."""
    here = all_of_it or wanted in item.text(0).lower()
    hidden = [_hide(item.child(n), wanted, all_of_it) for n in range(item.childCount())]
    below = not all(hidden) if hidden else False
    item.setHidden(not here and not below)
    if wanted and below and not all_of_it:
        item.setExpanded(True)
    return item.isHidden()


def _strip(variable: Variable, values: Array, look: Theme) -> QImage:
    flat = values.reshape(-1)
    if flat.size > _STRIP_VALUES:  # of each stretch the value farthest from zero: the one that matters
        edges = np.arange(_STRIP_VALUES) * flat.size // _STRIP_VALUES
        highest, lowest = np.maximum.reduceat(flat, edges), np.minimum.reduceat(flat, edges)
        flat = np.where(highest >= -lowest, highest, lowest)
    colors: Colors = "unit" if variable.gate is not None and variable.gate.limits == (0.0, 1.0) else "signed"
    strip = Strip("", look.color("text"), flat)
    return strip_image(flat, levels(colors, [strip]), colors, variable.gate.family if variable.gate else "", look)
