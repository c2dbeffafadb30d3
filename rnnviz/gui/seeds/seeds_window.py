"""Seeds window: several seeds of an experiment as bands with the solved-rate, and every seed as a row to open."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QItemSelectionModel, QModelIndex, Qt, Signal, Slot
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QDialog,
    QHBoxLayout,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from rnnviz.core.numbers import whole
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.form_style import push_button, set_role
from rnnviz.gui.look.theme import model_dashes, theme
from rnnviz.gui.seeds import words
from rnnviz.gui.seeds.band_plot import BandPlot, Pens, Pointed
from rnnviz.gui.seeds.legend import Legend
from rnnviz.gui.seeds.seed_table import ROW, SEED, SeedTable, SeedView, SortedSeeds
from rnnviz.gui.seeds.seeds_reading import SeedsReading, ShownSeeds
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.training.metric_words import metric_words
from rnnviz.gui.widgets.fields import Choice

_SIZE = (1080, 660)
_TABLE = 380  # pixels


class SeedsWindow(QDialog):
    """`open_wanted(path)` for the run a person chose; `train_wanted()` and `cancel_wanted()` about those that are not
    trained yet. `ours`: whether this program trains the folder."""

    open_wanted = Signal(object)
    train_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, store: Store, path: Path, ours: Callable[[], bool], parent: QWidget) -> None:
        super().__init__(parent)
        self._store, self.path, self._ours = store, path, ours
        self.shown: ShownSeeds | None = None
        look = theme(store.state.look.theme)
        self.setWindowTitle(f"Seeds: {path.name}")
        self.setObjectName("seeds")
        self.resize(*_SIZE)
        self.reading = SeedsReading(path, self)
        self.title, self.state, self.criterion, self.said = (_label(role) for role in ("title", "", "note", "note"))
        self.progress = QProgressBar(textVisible=False)
        self.metric_choice = Choice(flat=True)
        self.log = push_button("log", "A logarithmic axis of values", "link")
        self.each = push_button("each seed", "A thin line for every seed", "link")
        self.cancel_button = push_button("Cancel", "Ends the training; what is trained stays, and can be gone on with")
        self.train_button = push_button("Train the rest", "Trains the seeds that are not finished, two at a time")
        self.open_button = push_button("Open", "Opens the run of the chosen seed in the window  (Enter)", "primary")
        self.legend = Legend()
        self.plot = BandPlot(look)
        self.table = SeedTable(look, self)
        self.sorted = SortedSeeds(self)
        self.sorted.setSourceModel(self.table)
        self.view = SeedView()
        self.view.setModel(self.sorted)
        self.view.arrange()
        self._build()
        self._connect()
        self._dress(store.state)
        self._show_state()
        self.reading.start()

    @property
    def chosen(self) -> Pointed | None:
        """The setting and seed of the row that is selected."""
        index = self.view.currentIndex()
        return _pointed(index) if index.isValid() else None

    def stop(self) -> bool:
        """Ends the reading; False if it did not end in time."""
        return self.reading.stop()

    def tell(self, sentence: str, problem: bool = False) -> None:
        """Says something below the plot."""
        self.said.setText(sentence)
        set_role(self.said, "role", "problem" if problem else "note")
        self._show_state()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.view.setFocus()

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.dress != old.look.dress:
            self._dress(new)

    def _build(self) -> None:
        self.metric_choice.setAccessibleName("Metric")
        self.metric_choice.setToolTip("Which metric is drawn")
        scale.fit(self.metric_choice, width=104)
        for button, name in ((self.log, "Logarithmic axis"), (self.each, "Each seed")):
            button.setCheckable(True)
            button.setProperty("switch", True)
            button.setAccessibleName(name)
        self.progress.setAccessibleName("Progress of the training")
        self.progress.setFixedWidth(180)
        self.criterion.setToolTip("When a seed counts as solved: as soon as this holds for the first time")
        head = QHBoxLayout()
        head.setSpacing(12)
        self.title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head.addWidget(self.title, 1)
        for widget in (self.state, self.progress, self.cancel_button, self.train_button):
            head.addWidget(widget)
        above = QHBoxLayout()
        above.setSpacing(8)
        above.addWidget(self.metric_choice)
        above.addWidget(self.log)
        above.addWidget(self.each)
        above.addStretch()
        above.addWidget(self.criterion)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(6)
        column.addLayout(above)
        column.addWidget(self.plot, 1)
        column.addWidget(self.legend)
        self.split = QSplitter(Qt.Orientation.Horizontal, childrenCollapsible=False)
        self.split.addWidget(left)
        self.split.addWidget(self.view)
        self.split.setStretchFactor(0, 1)
        self.split.setSizes([_SIZE[0] - _TABLE, _TABLE])
        self.view.setMinimumWidth(scale.px(_TABLE - 40))
        foot = QHBoxLayout()
        self.said.setWordWrap(True)
        foot.addWidget(self.said, 1)
        foot.addWidget(self.open_button)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(20, 16, 20, 16)
        outer.setSpacing(10)
        outer.addLayout(head)
        outer.addWidget(self.split, 1)
        outer.addLayout(foot)

    def _connect(self) -> None:
        self.reading.came.connect(self._take)
        self.reading.failed.connect(self._fail)
        self.reading.stepped.connect(self._show_reading)
        self.metric_choice.chosen.connect(self.reading.show_metric)
        self.log.toggled.connect(self.plot.show_log)
        self.each.toggled.connect(self.plot.show_each)
        self.plot.pointed.connect(self._point)
        self.plot.chosen.connect(self._open)
        self.view.activated.connect(self._open_row)
        self.view.clicked.connect(self._open_row)
        self.view.entered.connect(self._enter_row)
        self.view.selectionModel().currentChanged.connect(self._select)
        self.cancel_button.clicked.connect(self.cancel_wanted)
        self.train_button.clicked.connect(self.train_wanted)
        self.open_button.clicked.connect(self._open_chosen)
        self._store.changed.connect(self.show_state)

    @Slot(object)
    def _take(self, shown: ShownSeeds) -> None:
        self.shown = shown
        experiments = [one.experiment() for one in shown.folder.index.experiments]
        seeds = len(shown.folder.index.seeds)
        names = " and ".join(dict.fromkeys(one.name for one in experiments))
        self.title.setText(f"{names} · {seeds} seed{'' if seeds == 1 else 's'}")
        asked = dict.fromkeys(one.result.criterion.words for one in shown.settings)
        self.criterion.setText(f"solved: {' · '.join(asked)}")
        self._offer_metrics(shown)
        self._draw(shown)
        if not self.view.currentIndex().isValid() and self.sorted.rowCount():
            flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
            self.view.selectionModel().setCurrentIndex(self.sorted.index(0, SEED), flags)
        self._show_state()

    def _draw(self, shown: ShownSeeds) -> None:
        look = theme(self._store.state.look.theme)
        cells = [one.setting.cell for one in shown.settings]
        colors = look.model_colors(cells)
        pens = tuple(Pens(color, dash) for color, dash in zip(colors, model_dashes(cells), strict=True))
        self.table.take(shown, colors, look)
        self.plot.show_seeds(shown, pens, look)
        self.legend.show_seeds(shown, pens)

    def _offer_metrics(self, shown: ShownSeeds) -> None:
        names = list(shown.folder.metrics) or [shown.metric]
        if [self.metric_choice.itemData(place) for place in range(self.metric_choice.count())] != names:
            self.metric_choice.set_options([(name, metric_words(name)) for name in names])
        self.metric_choice.set_value(shown.metric)

    def _show_state(self) -> None:
        """How far the folder is, and what can be done about it."""
        shown, ours = self.shown, self._ours()
        going = ours or (shown is not None and shown.going)
        missing = shown is not None and any(seed.state != "finished" for seed in shown.folder.seeds)
        self.state.setText("Reading …" if shown is None else words.progress(shown))
        if shown is not None:
            done, total = shown.folder.progress
            self.progress.setRange(0, 1000)
            self.progress.setValue(1000 * done // max(1, total))
            if going and not ours:
                self.state.setText(f"{words.progress(shown)} · by process {shown.folder.index.trainer.number}")
        self.progress.setVisible(going or shown is None)
        self.cancel_button.setVisible(ours)
        self.train_button.setVisible(missing and not going)
        self._enable()

    @Slot(int, int)
    def _show_reading(self, done: int, of: int) -> None:
        """While the folder is read for the first time, which may take a while."""
        if self.shown is None:
            self.progress.setRange(0, of)
            self.progress.setValue(done)
            self.state.setText(f"Reading {whole(done)} of {whole(of)} runs …")

    @Slot(str)
    def _fail(self, sentence: str) -> None:
        self.tell(sentence, problem=True)
        if self.shown is None:
            self.state.setText("")
            self.progress.hide()

    @Slot(object)
    def _point(self, under: Pointed | None) -> None:
        """The curve under the pointer, else that of the row that is selected."""
        self.plot.mark(under or self.chosen)

    @Slot(QModelIndex)
    def _enter_row(self, index: QModelIndex) -> None:
        self.plot.mark(_pointed(index))

    @Slot(QModelIndex, QModelIndex)
    def _select(self, index: QModelIndex, _before: QModelIndex) -> None:
        self.plot.mark(_pointed(index) if index.isValid() else None)
        self._enable()

    @Slot(QModelIndex)
    def _open_row(self, index: QModelIndex) -> None:
        if index.isValid():
            self._open(_pointed(index))

    @Slot()
    def _open_chosen(self) -> None:
        if (chosen := self.chosen) is not None:
            self._open(chosen)

    @Slot(object)
    def _open(self, pointed: Pointed) -> None:
        """Shows the run of a seed in the window; one that is not there yet cannot be."""
        if self._can_open(pointed) and self.shown is not None:
            setting = self.shown.settings[pointed[0]]
            path = setting.of(pointed[1]).seed.run.path
            self.tell(f"{path.name} is in the window: {setting.setting.name}, seed {pointed[1]}.")
            self.open_wanted.emit(path)

    def _can_open(self, pointed: Pointed) -> bool:
        if self.shown is None or pointed[0] >= len(self.shown.settings):
            return False
        return self.shown.settings[pointed[0]].of(pointed[1]).seed.state not in ("waiting", "foreign")

    @Slot()
    def _enable(self) -> None:
        chosen = self.chosen
        self.open_button.setEnabled(chosen is not None and self._can_open(chosen))

    def _dress(self, state: State) -> None:
        scale.fit(self.title, font=fonts.semibold(fonts.TITLE))
        if self.shown is not None:
            self._draw(self.shown)


def _pointed(index: QModelIndex) -> Pointed:
    number, result = index.data(ROW)
    return number, result.seed.run.seed


def _label(role: str) -> QLabel:
    label = QLabel()
    if role:
        label.setProperty("role", role)
    label.setTextFormat(Qt.TextFormat.PlainText)  # a name may look like HTML
    return label
