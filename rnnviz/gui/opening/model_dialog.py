"""Model dialog: which recurrent module of a checkpoint, which input to give it, and where its loss stands."""

from collections.abc import Callable, Mapping
from pathlib import Path, PurePath
from typing import Any, Literal

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractItemView,
    QButtonGroup,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QLineEdit,
    QRadioButton,
    QStackedWidget,
    QTableWidget,
    QTableWidgetItem,
    QVBoxLayout,
    QWidget,
)

from rnnviz.core.cells import CELLS
from rnnviz.core.source import GIVEN_LOSS, Given, GivenInput
from rnnviz.core.tasks.task import LONGEST
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.opening.activation_choice import ActivationChoice
from rnnviz.gui.widgets.fields import Field, Row, section_label
from rnnviz.gui.widgets.fitted_dialog import FittedDialog
from rnnviz.gui.widgets.parsing import last_or_whole, or_last, whole

_ITEM = 28  # pixels of one module in the table
_WIDE = 320  # pixels of the fields
_HEADINGS = ("Module", "Cell", "Inputs", "Hidden", "Layers", "Directions")
_SOURCES: tuple[tuple[Literal["text", "csv", "random"], str], ...] = (
    ("text", "Typed text"),
    ("csv", "CSV file"),
    ("random", "Random numbers"),
)


class OpenModelDialog(FittedDialog):
    """Asks how to trace a checkpoint that `rnnviz inspect` has looked into; `given` and `prefix` are the answer."""

    def __init__(
        self,
        inspection: Mapping[str, Any],
        parent: QWidget | None = None,
        find: Callable[[QWidget], Path | None] = lambda _window: None,
    ) -> None:
        """`find` asks for a CSV file."""
        super().__init__(parent)
        self._find = find
        self._inspection = inspection
        self._modules: list[Mapping[str, Any]] = list(inspection["modules"])
        self._alphabet_typed = False
        self.setWindowTitle("Open a model")
        scale.fit(self, least_width=560)
        self.modules = QTableWidget(len(self._modules), len(_HEADINGS))
        self.sources = QButtonGroup(self)
        self.pages = QStackedWidget()
        self.text, self.alphabet, self.file, self.columns = (_line() for _ in range(4))
        self.said = _note("")  # of the chosen module
        self.activation = ActivationChoice()
        self.length = Field(whole("Length", 1, LONGEST))
        self.length.set_value(GivenInput().length)
        self.loss_at = Field(or_last(whole("The time step", 1, LONGEST)), last_or_whole)
        self.loss_at.set_value(0)
        self.problem = QLabel()
        self.problem.setProperty("role", "problem")
        self.problem.setWordWrap(True)
        self.accept_button = push_button("Trace", "Runs the input through the model once, forward and back", "primary")
        self.cancel_button = push_button("Cancel", "Leaves everything as it is (Esc)")
        self._fill_modules()
        self._build()
        self._connect()
        self._choose_module()

    @property
    def prefix(self) -> str:
        """The chosen module as `rnnviz trace --module` wants it."""
        return str(self._module["prefix"])

    @property
    def source(self) -> Literal["text", "csv", "random"]:
        return _SOURCES[self.sources.checkedId()][0]

    @property
    def given(self) -> Given:
        """The chosen module with the input as it is chosen; what belongs to another source is left empty."""
        return Given(str(self._inspection["path"]), self._input, self.prefix, self.activation.chosen)

    @property
    def _input(self) -> GivenInput:
        loss = _whole(self.loss_at)
        if self.source == "text":
            return GivenInput("text", text=self.text.text(), alphabet=self.alphabet.text(), loss_time_step=loss)
        if self.source == "csv":
            return GivenInput("csv", file=self.file.text(), columns=self._names(), loss_time_step=loss)
        return GivenInput(length=_whole(self.length), loss_time_step=loss)

    @property
    def _module(self) -> Mapping[str, Any]:
        return self._modules[max(0, self.modules.currentRow())]

    @property
    def _inputs(self) -> int:
        return int(self._module["input_size"])

    def _fill_modules(self) -> None:
        table = self.modules
        table.setHorizontalHeaderLabels(_HEADINGS)
        table.setAccessibleName("Recurrent modules")
        table.verticalHeader().hide()
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setTabKeyNavigation(False)
        table.setShowGrid(False)
        table.setToolTip("The recurrent parts of this file; choose the one to trace")
        header = table.horizontalHeader()
        header.setSectionResizeMode(QHeaderView.ResizeMode.ResizeToContents)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setHighlightSections(False)
        scale.fit(table, rows=_ITEM)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for row, module in enumerate(self._modules):
            title = str(module.get("title") or module["prefix"] or "the module itself")
            directions = "both" if module.get("bidirectional") else "forward"
            cells = [title, cell_words(str(module["cell"]))]
            cells += [str(module[key]) for key in ("input_size", "hidden_size", "num_layers")]
            for column, words in enumerate([*cells, directions]):
                item = QTableWidgetItem(words)
                if 2 <= column <= 4:
                    item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
                item.setToolTip("\n".join(str(note) for note in module.get("notes", ())))
                table.setItem(row, column, item)
        scale.fit(table, height=36 + _ITEM * min(6, max(2, len(self._modules))))
        table.selectRow(0)

    def _build(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(8)
        self.title = QLabel(PurePath(str(self._inspection["path"])).name)
        self.title.setProperty("role", "title")
        self.title.setTextFormat(Qt.TextFormat.PlainText)
        notes = _note("\n".join([str(self._inspection["kind"]), *map(str, self._inspection.get("notes", ()))]))
        for widget in (self.title, notes, self.modules, self.said, self.activation, section_label("Input")):
            column.addWidget(widget)
        line = QHBoxLayout()
        line.setSpacing(24)
        for number, (_, words) in enumerate(_SOURCES):
            button = QRadioButton(words)
            button.setToolTip(f"Gives the model {words.lower()}")
            self.sources.addButton(button, number)
            line.addWidget(button)
        line.addStretch()
        column.addLayout(line)
        self.pages.addWidget(
            _page(
                _row("Text", self.text, "One character is one time step"),
                _row("Alphabet", self.alphabet, "The symbol of each input, in the model's order"),
            )
        )
        names = "Names with commas between; every numeric one if empty"
        self.pages.addWidget(_page(self._file_row(), _row("Columns", self.columns, names)))
        self.pages.addWidget(_page(Row("Length", self.length, "Time steps, drawn from a fixed seed")))
        column.addWidget(self.pages)
        column.addWidget(section_label("Loss"))
        column.addWidget(_note(f"{GIVEN_LOSS}. One sequence, initial states of zero."))
        column.addWidget(Row("Norm of h at time step", self.loss_at, "L is the norm of h at this time step; or “last”"))
        column.addWidget(self.problem)
        buttons = QHBoxLayout()
        buttons.addStretch()
        buttons.addWidget(self.cancel_button)
        buttons.addWidget(self.accept_button)
        column.addLayout(buttons)
        self.accept_button.setDefault(True)

    def _file_row(self) -> QWidget:
        choose = push_button("Choose…", "Looks for a CSV file")
        choose.setAutoDefault(False)
        choose.clicked.connect(self._choose_file)
        row = _row("File", self.file, "A CSV file, one row a time step", _WIDE - 96)
        line = QWidget()
        layout = QHBoxLayout(line)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(row, 1)
        layout.addWidget(choose)
        return line

    def _connect(self) -> None:
        self.accept_button.clicked.connect(self.accept)
        self.cancel_button.clicked.connect(self.reject)
        self.sources.idToggled.connect(self._choose_source)
        self.modules.currentCellChanged.connect(lambda *_: self._choose_module())
        self.alphabet.textEdited.connect(self._type_alphabet)
        self.text.textChanged.connect(self._propose_alphabet)
        for line in (self.text, self.alphabet, self.file, self.columns, self.length, self.loss_at):
            line.textChanged.connect(lambda text: self._judge())
        self.sources.button(2).setChecked(True)

    def _choose_module(self) -> None:
        """Says what is to be known of the module, and asks for the activation of one that has several."""
        self.said.setText("\n".join(map(str, self._module.get("notes", ()))))
        self.said.setVisible(bool(self.said.text()))
        self.activation.show_module(self._module)
        self.adjustSize()
        self._judge()

    def _choose_source(self, number: int, checked: bool) -> None:
        if checked:
            self.pages.setCurrentIndex(number)
            self._judge()

    def _choose_file(self) -> None:
        path = self._find(self)
        if path is not None:
            self.file.setText(str(path))

    def _type_alphabet(self, text: str) -> None:
        self._alphabet_typed = bool(text)

    def _propose_alphabet(self, text: str) -> None:
        if not self._alphabet_typed:
            self.alphabet.setText("".join(sorted(set(text))))

    def _names(self) -> tuple[str, ...]:
        return tuple(name.strip() for name in self.columns.text().split(",") if name.strip())

    def _judge(self) -> None:
        """Says what is wrong as long as something is; the button waits for that."""
        sentence = self._input_problem() or self.loss_at.judge() or self._loss_problem()
        self.problem.setText(sentence)
        self.accept_button.setEnabled(not sentence)

    def _input_problem(self) -> str:
        if self.source == "random":
            return self.length.judge()
        if self.source == "csv":
            names = self._names()
            if not self.file.text():
                return "Choose a CSV file."
            if names and len(names) != self._inputs:
                return f"This module reads {self._inputs} inputs: name {self._inputs} columns, not {len(names)}."
            if len(set(names)) != len(names):
                return "A column is named twice."
            return ""
        text, alphabet = self.text.text(), self.alphabet.text()
        if not text:
            return "Type a text of at least one character."
        if len(set(alphabet)) != len(alphabet):
            return "The alphabet names a character twice."
        if len(alphabet) != self._inputs:
            came = f"{len(alphabet)} characters" if len(alphabet) != 1 else "1 character"
            return f"This module reads {self._inputs} inputs, one for each character of the alphabet, which has {came}."
        missing = next((character for character in text if character not in alphabet), "")
        return f"The text has “{missing}”, which is not in the alphabet." if missing else ""

    def _loss_problem(self) -> str:
        if self.source == "csv":
            return ""  # only the engine reads the file
        length = len(self.text.text()) if self.source == "text" else _whole(self.length)
        if _whole(self.loss_at) > length:
            return f"The sequence has {length} time steps: the loss cannot stand at {self.loss_at.text()}."
        return ""


def _whole(field: Field) -> int:
    return int(str(field.typed))


def _note(text: str) -> QLabel:
    label = QLabel(text)
    label.setProperty("role", "note")
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setWordWrap(True)
    return label


def _line() -> QLineEdit:
    line = QLineEdit()
    line.setProperty("role", "field")
    return line


def _row(words: str, field: QLineEdit, tooltip: str, width: int = _WIDE) -> Row:
    return Row(words, field, tooltip, width)


def _page(*rows: QWidget) -> QWidget:
    page = QWidget()
    column = QVBoxLayout(page)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(4)
    for row in rows:
        column.addWidget(row)
    column.addStretch()
    return page


def cell_words(name: str) -> str:
    """What a cell is called; its name where it is none of ours."""
    return CELLS[name].words if name in CELLS else name
