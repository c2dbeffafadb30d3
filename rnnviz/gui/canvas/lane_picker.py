"""Lane picker: the lanes of one group as a list with a box for each, and a filter where there are many."""

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rnnviz.gui.canvas.lanes.selection import LaneChoice, lane_choices, toggled
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.state.store import Store, setting

_WIDTH = 340
_ITEM = 26  # pixels of one lane in the list
_FEWEST, _MOST = 4, 12  # lanes that are seen at once
_MANY = 8  # lanes from which on a filter helps
_CHECKED, _UNCHECKED = Qt.CheckState.Checked, Qt.CheckState.Unchecked


class LanePicker(QDialog):
    """Switches lanes at once as their boxes are checked."""

    def __init__(self, store: Store, group: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self._group = store, group
        self.setWindowTitle(f"{group} shown as lanes")
        self.filter = QLineEdit()
        self.filter.setProperty("role", "field")
        self.filter.setPlaceholderText("Filter by name")
        self.filter.setToolTip("Lists only names that contain these letters")
        self.filter.setAccessibleName("Filter by name")
        self.filter.setClearButtonEnabled(True)
        self.list = QListWidget()
        self.list.setAccessibleName(self.windowTitle())
        self.list.setToolTip("Space switches the lane the keyboard is at")
        self.said = QLabel()
        self.said.setProperty("role", "note")
        self.none_button = push_button("None", "Switches off every lane that is listed")
        self.close_button = push_button("Close", "Leaves the lanes as they are now (Esc)", "primary")
        self._fill()
        self._build()
        self.filter.setVisible(self.list.count() > _MANY)
        self.filter.textChanged.connect(self._narrow)
        self.list.itemChanged.connect(self._switch)
        self.none_button.clicked.connect(self._switch_off)
        self.close_button.clicked.connect(self.accept)
        self.list.setFocus()

    @property
    def _choices(self) -> list[LaneChoice]:
        return [choice for choice in lane_choices(self._store.state) if choice.group == self._group]

    def _fill(self) -> None:
        for choice in self._choices:
            item = QListWidgetItem(choice.words)
            item.setToolTip(choice.words)
            item.setSizeHint(QSize(0, scale.px(_ITEM)))
            item.setData(Qt.ItemDataRole.UserRole, choice.key)
            item.setFlags(Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(_CHECKED if choice.on else _UNCHECKED)
            self.list.addItem(item)
        self.list.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.list.setCurrentRow(0)
        scale.fit(self.list, least_height=6 + _ITEM * _FEWEST)
        self._count()

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.setSpacing(8)
        for widget in (self.filter, self.list, self.said):
            column.addWidget(widget)
        buttons = QHBoxLayout()
        buttons.addWidget(self.none_button)
        buttons.addStretch()
        buttons.addWidget(self.close_button)
        column.addLayout(buttons)
        self.close_button.setDefault(True)
        self.resize(scale.size(_WIDTH, 132 + _ITEM * min(_MOST, max(_FEWEST, self.list.count()))))

    def _narrow(self, text: str) -> None:
        for row in range(self.list.count()):
            item = self.list.item(row)
            item.setHidden(text.strip().lower() not in item.text().lower())

    def _switch(self, item: QListWidgetItem) -> None:
        self._set([item], item.checkState() == _CHECKED)

    def _switch_off(self) -> None:
        items = [self.list.item(row) for row in range(self.list.count())]
        listed = [item for item in items if not item.isHidden() and item.checkState() == _CHECKED]
        blocked = self.list.blockSignals(True)
        for item in listed:
            item.setCheckState(_UNCHECKED)
        self.list.blockSignals(blocked)
        self.list.viewport().update()
        self._set(listed, False)

    def _set(self, items: list[QListWidgetItem], on: bool) -> None:
        """Brings the lanes of `items` to what their boxes say, in one change."""
        keys = {str(item.data(Qt.ItemDataRole.UserRole)) for item in items}
        hidden = self._store.state.look.hidden_lanes
        for choice in self._choices:
            if choice.key in keys and choice.on != on:
                hidden = toggled(hidden, choice)
        self._store.change(look=setting(hidden_lanes=hidden))
        self._count()

    def _count(self) -> None:
        on = [choice.on for choice in self._choices]
        self.said.setText(f"{sum(on)} of {len(on)} shown")
