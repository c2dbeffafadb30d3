"""Seeds dialog: how many seeds of the experiment, where their runs lie, and when one counts as solved."""

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QDialog, QGridLayout, QHBoxLayout, QLabel, QLineEdit, QSpinBox, QVBoxLayout, QWidget

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.estimate import estimate
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.numbers import whole
from rnnviz.core.seeds.criterion import check_criterion, read_criterion, usual_criterion, usual_words
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.runs.seeds.index import LARGEST_SEED, MOST_SEEDS

USUAL = 10
_NUMBER = 110  # pixels of a field
_SOLVED_TIP = (
    'A metric, a relation and a number: a seed is solved as soon as it holds. With "over 20" the mean of 20 training '
    "steps counts, since one batch alone is right by luck; empty: the usual one of the task"
)


class SeedsDialog(QDialog):
    """`wanted_seeds`, `folder` and `solved` are what a person has agreed to."""

    def __init__(
        self,
        experiment: Experiment,
        info: TaskInfo | None,
        folder: Path,
        choose: Callable[[QWidget], Path | None],
        parent: QWidget,
    ) -> None:
        """`info`: of the task, where it is known; `folder`: the proposal; `choose` asks for another one."""
        super().__init__(parent)
        self._experiment, self._info, self._choose = experiment, info, choose
        self.setWindowTitle("Several seeds")
        self.setMinimumWidth(560)
        self.count = QSpinBox(minimum=1, maximum=MOST_SEEDS, value=USUAL)
        self.first = QSpinBox(minimum=0, maximum=LARGEST_SEED, value=1)
        self.place = QLineEdit(str(folder))
        self.choose_button = push_button("Choose …", "Another folder, which must be new, empty or of these seeds")
        self.criterion = QLineEdit(placeholderText="the usual one of the task")
        self.note, self.problem = QLabel(wordWrap=True), QLabel(wordWrap=True)
        self.train_button = push_button("Train", "Trains all of them in the background, two at a time", "primary")
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._propose_criterion()
        self._build()
        for spin in (self.count, self.first):
            spin.valueChanged.connect(self._judge)
        for field in (self.place, self.criterion):
            field.textChanged.connect(self._judge)
        self.choose_button.clicked.connect(self._ask_folder)
        self.train_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self._judge()

    @property
    def wanted_seeds(self) -> range:
        return range(self.first.value(), self.first.value() + self.count.value())

    @property
    def folder(self) -> Path:
        return Path(self.place.text().strip()).expanduser().absolute()

    @property
    def solved(self) -> str:
        return self.criterion.text().strip()

    def refuse(self, sentence: str) -> None:
        """Says what is wrong with what was asked for."""
        self.problem.setText(sentence)
        self.problem.setVisible(bool(sentence))

    def _propose_criterion(self) -> None:
        if self._info is None:
            return
        try:
            self.criterion.setText(usual_criterion(self._info).text)
        except RnnvizError:
            return  # of this task a person has to say it

    def _build(self) -> None:
        rows = (
            ("Seeds", self.count, "How many: each is one run in which all models are trained"),
            ("First seed", self.first, "The others follow it"),
            ("Solved when", self.criterion, _SOLVED_TIP),
            ("Folder", self.place, "Where the runs and their index lie; training can be gone on with there later"),
        )
        grid = QGridLayout()
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for number, (words, field, tooltip) in enumerate(rows):
            label = QLabel(words)
            label.setProperty("role", "label")
            label.setBuddy(field)
            for widget in (label, field):
                widget.setToolTip(tooltip)
            field.setAccessibleName(words)
            grid.addWidget(label, number, 0)
            if isinstance(field, QSpinBox):
                scale.fit(field, width=_NUMBER)
                grid.addWidget(field, number, 1, Qt.AlignmentFlag.AlignLeft)
            else:
                grid.addWidget(field, number, 1)
        grid.addWidget(self.choose_button, len(rows) - 1, 2)
        heading = QLabel(f"“{self._experiment.name}”")
        heading.setProperty("role", "title")
        heading.setTextFormat(Qt.TextFormat.PlainText)
        self.note.setProperty("role", "note")
        self.problem.setProperty("role", "problem")
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(heading)
        column.addLayout(grid)
        column.addWidget(self.note)
        column.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.train_button)
        column.addLayout(buttons)
        self.train_button.setDefault(True)

    @Slot()
    def _judge(self) -> None:
        """What would be trained, and what is wrong with it."""
        names = ", ".join(model.name for model in self._experiment.models)
        count, steps = self.count.value(), self._experiment.training.training_steps
        lines = [
            f"{whole(count)} run{'s of' if count > 1 else ' of'} {names}: {whole(steps)} training steps each, in the "
            "background, two at a time."
        ]
        took = estimate(self._experiment)
        if took.asked:
            lines.append(f"Each takes {took.words}.")
        usual = usual_words(self._info) if self._info is not None else ""
        if usual and self._info is not None and self.solved == usual_criterion(self._info).text:
            lines.append(f"Solved is {usual}.")
        self.note.setText("\n".join(lines))
        sentence = self._wrong()
        self.refuse(sentence)
        self.train_button.setEnabled(not sentence)

    def _wrong(self) -> str:
        if not self.place.text().strip():
            return "Wanted a folder for the runs."
        if self.first.value() + self.count.value() - 1 > LARGEST_SEED:
            return f"Wanted seeds up to {whole(LARGEST_SEED)}."
        if not self.solved:
            return ""
        try:
            criterion = read_criterion(self.solved, "Solved when")
            if self._info is not None:
                check_criterion(criterion, self._info, "Solved when")
        except RnnvizError as error:
            return str(error)
        return ""

    @Slot()
    def _ask_folder(self) -> None:
        chosen = self._choose(self)
        if chosen is not None:
            self.place.setText(str(chosen))
