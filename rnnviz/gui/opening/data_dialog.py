"""Data dialog: which part of a file is learned: columns of a table, the length of a window, the trained share."""

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLabel, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from rnnviz.core.setting import settings_of
from rnnviz.core.tasks import DataTask, data_task
from rnnviz.core.tasks.task import LONGEST
from rnnviz.gui.look.form_style import form_sheet, push_button
from rnnviz.gui.look.theme import ThemeName
from rnnviz.gui.widgets.fields import section_label
from rnnviz.gui.widgets.setting_rows import setting_row, typed_field

_ITEM = 24  # pixels of one column in the list


class DataDialog(QDialog):
    """Asks about a CSV or text file that `rnnviz inspect` has looked into; `task` is the answer."""

    def __init__(self, inspection: Mapping[str, Any], theme_name: ThemeName, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._inspection = inspection
        preset = data_task(str(inspection["kind"]))
        assert preset is not None  # or nobody would ask
        self._preset = preset
        self._table = "columns" in settings_of(type(self._preset))
        self.setWindowTitle("Learn from this file")
        self.setStyleSheet(form_sheet(theme_name))
        self.setMinimumWidth(380)
        self.columns = QListWidget(self)
        self._rows = {key: setting_row(type(preset), key) for key in ("length", "train_share")}
        self.length, self.train_share = map(typed_field, self._rows.values())
        self.length.set_value(max(1, min(preset.length, self._longest(preset))))
        self.train_share.set_value(preset.train_share)
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.accept_button = push_button(
            "Use it", "Makes the file the experiment's data; training starts anew", "primary"
        )
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._build()
        self.accept_button.setDefault(True)
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self.columns.itemChanged.connect(lambda item: self._judge())
        for field in (self.length, self.train_share):
            field.textChanged.connect(lambda text: self._judge())
        self._judge()

    @property
    def task(self) -> DataTask:
        """The task as it is chosen; every numeric column chosen means every column."""
        task = self._windows()
        return task.changed(columns=self._chosen()) if self._table else task

    def _windows(self) -> DataTask:
        """The task with length and share as they are typed."""
        task = self._preset.with_file(str(self._inspection["path"]))
        return task.changed(length=self.length.typed, train_share=self.train_share.typed)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        title = QLabel(PurePath(str(self._inspection["path"])).name)
        title.setProperty("role", "title")
        title.setTextFormat(Qt.TextFormat.PlainText)
        about = QLabel(self._summary())
        about.setProperty("role", "note")
        about.setWordWrap(True)
        column.addWidget(title)
        column.addWidget(about)
        self.columns.setVisible(self._table)
        if self._table:
            column.addWidget(section_label("Columns"))
            self._fill_columns()
            column.addWidget(self.columns)
        for row in self._rows.values():
            column.addWidget(row)
        column.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        column.addLayout(buttons)

    def _summary(self) -> str:
        if self._table:
            return (
                f"A table of {self._found:,} rows. Each row becomes one time step; the networks predict the next one."
            )
        alphabet = str(self._inspection.get("alphabet", ""))
        return (
            f"A text of {self._found:,} characters, {len(alphabet)} different ones. The networks predict the next one."
        )

    @property
    def _found(self) -> int:
        return int(self._inspection.get("rows" if self._table else "characters", 0))

    def _longest(self, task: DataTask) -> int:
        return min(task.longest_window(self._found), LONGEST)

    def _fill_columns(self) -> None:
        self.columns.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        self.columns.setToolTip("Each chosen column is an input and is predicted")
        time_column = self._inspection.get("time_column")
        for column in self._inspection["columns"]:
            name, numeric = str(column["name"]), bool(column["numeric"])
            is_time = name == time_column
            item = QListWidgetItem(name + ("  (time)" if is_time else "" if numeric else "  (text: cannot be learned)"))
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setSizeHint(QSize(0, _ITEM))
            flags = Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
            item.setFlags(flags if numeric else Qt.ItemFlag.NoItemFlags)
            checked = numeric and not is_time
            item.setCheckState(Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked)
            self.columns.addItem(item)
        self.columns.setFixedHeight(_ITEM * min(8, max(2, self.columns.count())) + 6)

    def _chosen(self) -> tuple[str, ...]:
        items = [self.columns.item(row) for row in range(self.columns.count())]
        return tuple(
            str(item.data(Qt.ItemDataRole.UserRole)) for item in items if item.checkState() == Qt.CheckState.Checked
        )

    def _judge(self) -> None:
        """Says what is wrong as long as something is; the button waits for that."""
        sentence = self.length.judge() or self.train_share.judge()
        if not sentence and self._table and not self._chosen():
            sentence = "Choose at least one column with numbers."
        if not sentence:
            task = self._windows()
            longest = self._longest(task)
            if longest < 1:
                sentence = "There is too little in this file to learn from it."
            elif task.length > longest:
                sentence = f"With this train share the length can be at most {longest:,} time steps."
        self.problem.setText(sentence)
        self.accept_button.setEnabled(not sentence)
