"""Tidy dialog: which runs are untitled, old or large; it says what would go, and how much, before anything goes."""

import time
from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import (
    QCheckBox,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QSpinBox,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rnnviz.core.numbers import file_size, whole
from rnnviz.gui.library import words
from rnnviz.gui.look.form_style import push_button
from rnnviz.runs.library.summary import RunSummary
from rnnviz.runs.library.tidying import Wish, days_old, may_go, to_tidy

_RUN = Qt.ItemDataRole.UserRole
_MB = 1_000_000
_WIDTHS = (100, 90, 130)  # of the columns after the first
_NUMBERS = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter


class TidyDialog(QDialog):
    """`to_go`: the runs a person has agreed to move to the trash."""

    def __init__(self, runs: Sequence[RunSummary], pinned: Collection[str], shown: str, parent: QWidget) -> None:
        super().__init__(parent)
        self._runs, self._pinned, self._shown, self._now = list(runs), pinned, shown, time.time()
        self.setWindowTitle("Tidy up runs")
        self.setMinimumSize(680, 480)
        begin = Wish()
        self.untitled = QCheckBox("untitled")
        self.untitled.setToolTip("Nobody has given them a name")
        self.old = QCheckBox("not written for")
        self.days = QSpinBox(minimum=1, maximum=9999, value=begin.older_than_days or 30, suffix=" days")
        self.days.setAccessibleName("Days since a run was last written")
        self.large = QCheckBox("larger than")
        self.megabytes = QSpinBox(minimum=1, maximum=99_999, value=50, suffix=" MB")
        self.megabytes.setAccessibleName("Size of a run in MB")
        self.untitled.setChecked(begin.untitled)
        self.old.setChecked(begin.older_than_days is not None)
        self.list = QTreeWidget()
        self.list.setHeaderLabels(("Run", "Training step", "Size", "Last written"))
        self.list.setRootIsDecorated(False)
        self.list.setUniformRowHeights(True)
        self.list.setAccessibleName("Runs to move to the trash")
        self.list.setStyleSheet("QTreeView::item { padding: 4px 6px; }")
        self.total = QLabel()
        self.stay = QLabel(wordWrap=True)
        self.stay.setProperty("role", "note")
        self.accept_button = push_button("Move to the trash", "Moves what is ticked; Undo brings it back", "primary")
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._build()
        for box in (self.untitled, self.old, self.large):
            box.toggled.connect(self._propose)
        for number in (self.days, self.megabytes):
            number.valueChanged.connect(self._propose)
        self.list.itemChanged.connect(self._sum_up)
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self._propose()

    @property
    def wish(self) -> Wish:
        return Wish(
            self.untitled.isChecked(),
            self.days.value() if self.old.isChecked() else None,
            self.megabytes.value() * _MB if self.large.isChecked() else None,
        )

    @property
    def to_go(self) -> list[RunSummary]:
        """The proposed runs that are ticked."""
        items = (self.list.topLevelItem(row) for row in range(self.list.topLevelItemCount()))
        return [item.data(0, _RUN) for item in items if item and item.checkState(0) == Qt.CheckState.Checked]

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(10)
        column.addWidget(QLabel("Runs of the data folder that are all of this:"))
        line = QHBoxLayout()
        line.setSpacing(8)
        for widget in (self.untitled, self.old, self.days, self.large, self.megabytes):
            if widget in (self.old, self.large):
                line.addSpacing(16)
            line.addWidget(widget)
        line.addStretch()
        column.addLayout(line)
        head = self.list.header()
        head.setStretchLastSection(False)
        head.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for number, width in enumerate(_WIDTHS, 1):
            head.setSectionResizeMode(number, QHeaderView.ResizeMode.Fixed)
            head.resizeSection(number, width)
        for number in (1, 2):
            self.list.headerItem().setTextAlignment(number, _NUMBERS)
        column.addWidget(self.list, 1)
        column.addWidget(self.total)
        column.addWidget(self.stay)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        column.addLayout(buttons)
        self.cancel_button.setDefault(True)

    @Slot()
    def _propose(self) -> None:
        self.days.setEnabled(self.old.isChecked())
        self.megabytes.setEnabled(self.large.isChecked())
        found = to_tidy(self._runs, self._pinned, self._shown, self.wish, self._now)
        self.list.blockSignals(True)
        self.list.clear()
        for run in found:
            item = QTreeWidgetItem(self._row(run))
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable)
            item.setCheckState(0, Qt.CheckState.Checked)
            item.setData(0, _RUN, run)
            item.setToolTip(0, words.about(run))
            for column in (1, 2):
                item.setTextAlignment(column, _NUMBERS)
            self.list.addTopLevelItem(item)
        self.list.blockSignals(False)
        if first := self.list.topLevelItem(0):
            self.list.setCurrentItem(first)
        self._sum_up()

    @Slot()
    def _sum_up(self) -> None:
        going = self.to_go
        self.total.setText(
            f"{words.runs(going)} {'goes' if len(going) == 1 else 'go'} to the trash."
            if going
            else "Nothing goes: no run is ticked."
            if self.list.topLevelItemCount()
            else "Nothing goes: no run is all of this."
        )
        held = [run for run in self._runs if not may_go(run, self._pinned, self._shown)]
        stays = f" {len(held)} of {len(self._runs)} runs stay for that." if held else ""
        self.stay.setText(
            "Pinned runs, the run in the window, runs being trained, files that are not runs, and runs elsewhere "
            f"always stay.{stays}"
        )
        self.accept_button.setEnabled(bool(going))

    def _row(self, run: RunSummary) -> list[str]:
        days = days_old(run, self._now)
        ago = f"{days} day{'' if days == 1 else 's'} ago" if days else words.when(run.changed, self._now)
        return [run.words, whole(run.training_step) if run.kind == "trained" else "–", file_size(run.bytes), ago]
