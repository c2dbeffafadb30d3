"""Model card: one model of the experiment: its colour, name and number; pressed, it opens to be edited."""

import itertools
from collections.abc import Collection
from dataclasses import replace
from pathlib import PurePath
from typing import Any

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from rnnviz.core.cells import OWN, cell_kind, cell_kinds
from rnnviz.core.experiment.forms import meaningless
from rnnviz.core.experiment.heads import choices
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Task
from rnnviz.core.files.code import recent
from rnnviz.core.setting import settings_of
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.model_bar import paint_model_bar
from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.widgets.fields import Choice, Field, Row
from rnnviz.gui.widgets.folded import fold, set_owner
from rnnviz.gui.widgets.setting_rows import setting_rows

_HEADER_HEIGHT = 56
_BAR = 4  # width of the colour bar
_FIELD_WIDTH = 92
_WIDE = 112  # of the fields of name and cell, whose labels are short
_OF_HEAD = ("pooling",)  # which of them is offered depends on the task
_OF_FORMS = ("residual", "dropout", "embedding", "convolution", "attention")  # likewise, and on the other settings
_CHOOSE = "\0choose"  # no file can be called so
_FIRST = ("name", "cell")  # before what makes the equations of a cell


def summary(settings: ModelSettings, trained: bool = True) -> str:
    """What the model is, in a few words: "tanh, 12 units" or "12 units, forget bias 1".

    How its cell begins is told where that is not as usual, and only of a model `trained` here: of a loaded one nobody
    knows it.
    """
    own, usual = settings_of(type(settings.own)), type(settings.own)()
    parts = [
        f"{one.short} {one.show(getattr(settings.own, key))}".strip() for key, one in own.items() if not one.begins
    ]
    parts.append("1 unit" if settings.hidden_size == 1 else f"{settings.hidden_size} units")
    if settings.num_layers > 1:
        parts.append(f"{settings.num_layers} layers")
    if settings.bidirectional:
        parts.append("both ways")
    common = settings_of(ModelSettings)
    parts += [
        common[key].short if value is True else f"{common[key].short} {common[key].show(value)}"
        for key in _OF_FORMS
        if (value := getattr(settings, key)) != getattr(ModelSettings, key)
    ]
    if settings.pooling != "last":
        parts.append(POOLINGS[settings.pooling].words)
    parts += [
        f"{one.label[0].lower()}{one.label[1:]} {one.show(getattr(settings.own, key))}"
        for key, one in own.items()
        if trained and one.begins and one.applies(settings.own) and getattr(settings.own, key) != getattr(usual, key)
    ]
    return ", ".join(parts)


def card_rows() -> dict[str, Row]:
    """The rows of all cells: what makes its equations before the size, how it begins after it."""
    common = setting_rows(ModelSettings, _FIELD_WIDTH)
    making, beginning = dict[str, Row](), dict[str, Row]()
    for kind in cell_kinds().values():
        own = settings_of(kind.settings)
        for key, row in setting_rows(kind.settings, _FIELD_WIDTH).items():
            (beginning if own[key].begins else making).setdefault(key, row)
    first = {key: common.pop(key) for key in _FIRST}
    for row in first.values():
        scale.fit(row.field, field_width=_WIDE)
    size = {"hidden_size": common.pop("hidden_size")}
    return {**first, **making, **size, **beginning, **common}


class CardHeader(QAbstractButton):
    """Name and number of a model; a press opens or closes the card. `entered` when Enter has opened it."""

    entered = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        scale.fit(self, height=_HEADER_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.name, self.words, self.number, self.metric_name = "", "", "", ""
        self.colors: tuple[QColor, QColor, QColor] = (QColor(), QColor(), QColor())  # model, text, muted

    def sizeHint(self) -> QSize:
        return scale.size(192, _HEADER_HEIGHT)

    def keyPressEvent(self, event: Any) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.click()
            if self.isChecked():
                self.entered.emit()
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            model, text, muted = self.colors
            space = scale.rect(self).adjusted(14, 8, -10, -8)
            left, right = Qt.AlignmentFlag.AlignLeft, Qt.AlignmentFlag.AlignRight
            painter.setFont(fonts.semibold(fonts.TITLE))
            painter.setPen(model)
            painter.drawText(space, right | Qt.AlignmentFlag.AlignTop, self.number)
            room = space.width() - painter.fontMetrics().horizontalAdvance(self.number) - 8
            painter.setPen(text)
            name = painter.fontMetrics().elidedText(self.name, Qt.TextElideMode.ElideRight, room)
            painter.drawText(space, left | Qt.AlignmentFlag.AlignTop, name)
            painter.setFont(fonts.text(fonts.BODY - 1))
            painter.setPen(muted)
            painter.drawText(space, right | Qt.AlignmentFlag.AlignBottom, self.metric_name)
            room = space.width() - painter.fontMetrics().horizontalAdvance(self.metric_name) - 4
            words = painter.fontMetrics().elidedText(self.words, Qt.TextElideMode.ElideRight, room)
            painter.drawText(space, left | Qt.AlignmentFlag.AlignBottom, words)


class ModelCard(QFrame):
    """`changed(ModelSettings)` for each valid edit, `removed()` when the person takes the model out, `match_wanted()`
    when the others are to have as many parameters, `file_wanted()` when the file of a cell is to be chosen."""

    changed = Signal(object)
    removed = Signal()
    match_wanted = Signal()
    file_wanted = Signal()

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self._settings = settings
        self._not_offered: frozenset[str] = frozenset(_OF_HEAD)
        self._task: Task | None = None
        self._theme: Theme | None = None
        self._color = QColor()
        self._dash: Dash = ()
        self.header = CardHeader()
        self.rows = card_rows()
        self.remove = push_button("Remove", "Removes this model from the experiment; needs a restart", "link")
        self.remove.clicked.connect(self.removed)
        self.match = push_button(
            "Match the others",
            "Sets the hidden units of the other models so that they have as many parameters as this one, or nearly; "
            "needs a restart",
            "link",
        )
        self.match.clicked.connect(self.match_wanted)
        self.parameters = QLabel()
        self.parameters.setAlignment(Qt.AlignmentFlag.AlignRight)
        self._parameters_row = Row(
            "Parameters", self.parameters, "Numbers the model learns, those of its head included", _FIELD_WIDTH
        )
        self._editor = QWidget()
        column = QVBoxLayout(self._editor)
        column.setContentsMargins(14, 0, 8, 8)
        column.setSpacing(0)
        for key, row in self.rows.items():
            column.addWidget(row)
            if isinstance(row.field, Field):
                row.field.entered.connect(lambda value, key=key: self._edit(key, value))
            elif isinstance(row.field, Choice):
                row.field.chosen.connect(lambda value, key=key: self._edit(key, value))
        column.addWidget(self._parameters_row)
        line = QHBoxLayout()
        line.addWidget(self.remove)
        line.addStretch()
        line.addWidget(self.match)
        column.addLayout(line)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.setSpacing(0)
        outer.addWidget(self.header)
        outer.addWidget(self._editor)
        fold(self._editor, self.header)
        self.header.entered.connect(self._enter)
        self.set_settings(settings)

    @property
    def settings(self) -> ModelSettings:
        return self._settings

    def set_task(self, task: Task | None) -> None:
        """Offers of its head what fits a task; None: it was not trained here, and nothing is known of its head."""
        heads = choices(task) if task is not None else {}
        self._not_offered = frozenset(key for key in _OF_HEAD if len(heads.get(key, ())) < 2)
        self._task = task

    def set_settings(self, settings: ModelSettings, trained: bool = True) -> None:
        """Shows `settings`, of a model `trained` here or loaded; bad texts that are being mended stay."""
        self._settings = settings
        set_owner(self, settings.name)
        common, own = settings_of(ModelSettings), settings_of(type(settings.own))
        kind = cell_kind(settings.cell)
        refused = {"bidirectional"} if kind.one_direction else set[str]()
        refused |= {"num_layers"} if kind.one_layer else set[str]()
        refused |= set(_OF_FORMS if self._task is None else meaningless(self._task, settings))
        for key, row in self.rows.items():
            if key == "file" and settings.cell == OWN.name and isinstance(row.field, Choice):
                self._fill_files(row.field, settings.own.file)
            elif isinstance(row.field, Field | Choice) and (key in common or key in own):
                row.field.set_value(getattr(settings if key in common else settings.own, key))
            used = key in own and own[key].applies(settings.own)
            row.setVisible(used or (key in common and key not in refused | self._not_offered))
        self.header.name, self.header.words = settings.name, summary(settings, trained)
        self.header.setAccessibleName(f"{settings.name}, {self.header.words}")
        words = f"{settings.name}: {cell_kind(settings.cell).words}, {self.header.words}"
        self.header.setToolTip(f"{words}. Press to edit (Enter)")
        self.header.update()

    def set_parameters(self, count: int | None, several: bool) -> None:
        """Shows how many parameters the model has, None where that is not known; `several`: there are other models."""
        self._parameters_row.setVisible(count is not None)
        self.match.setVisible(count is not None and several)
        self.parameters.setText("" if count is None else f"{count:,}")

    def set_number(self, number: str, metric: str, tooltip: str) -> None:
        """Shows how well the model does: "0.26", "accuracy"."""
        if (number, metric) != (self.header.number, self.header.metric_name):
            self.header.number, self.header.metric_name = number, metric
            self.header.setAccessibleDescription(f"{metric} {number}; {tooltip}")
            self.header.update()

    def set_look(self, theme: Theme, color: QColor, dash: Dash, removable: bool) -> None:
        """Puts theme, model colour and the dash of its curves on the card."""
        self._theme, self._color, self._dash = theme, color, dash
        self.header.colors = (color, theme.color("text"), theme.color("muted"))
        self.remove.setEnabled(removable)
        self.update()
        self.header.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            focused = self.header.hasFocus()
            edge = "focus" if focused else "muted" if self.header.underMouse() else "line"
            painter.setPen(QPen(self._theme.color(edge), 2 if focused else 1))
            painter.setBrush(self._theme.color("raised"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 0.5, -0.5, -0.5), 6, 6)
            paint_model_bar(painter, QRectF(0, 0, _BAR, self.height()), self._color, self._dash)

    def _enter(self) -> None:
        self.rows[_FIRST[0]].field.setFocus(Qt.FocusReason.TabFocusReason)

    @staticmethod
    def _fill_files(choice: Choice, chosen: str) -> None:
        """The file that is chosen, those that were run before, and the way to another."""
        files = dict.fromkeys((*([chosen] if chosen else []), *recent()))
        named = [(file, PurePath(file).name) for file in files]
        choice.set_options([*([] if chosen else [("", "none yet")]), *named, (_CHOOSE, "Choose a file…")])
        choice.set_tips({file: file for file in files})
        choice.set_value(chosen)

    def _edit(self, key: str, value: Any) -> None:
        if key == "file" and value == _CHOOSE:
            self.set_settings(self._settings)  # shows the present one again until another one is really chosen
            self.file_wanted.emit()
            return
        if key == "cell":
            settings = self._settings.with_cell(value)
        elif key in settings_of(ModelSettings):
            settings = replace(self._settings, **{key: value})
        else:
            settings = self._settings.with_own(key, value)
        if key == "cell" and _follows(self._settings):
            settings = replace(settings, name=default_name(settings.cell))
        self.set_settings(settings)
        self.changed.emit(settings)


def default_name(cell: str, taken: Collection[str] = ()) -> str:
    """The name a new model of this cell gets: Vanilla, LSTM, GRU; with a number where it is `taken`."""
    words = cell_kind(cell).words
    first = words[0].upper() + words[1:] if words.split()[0].islower() else words  # minGRU is written so
    names = (f"{first} {number}" if number > 1 else first for number in itertools.count(1))
    return next(name for name in names if name not in taken)


def _follows(settings: ModelSettings) -> bool:
    """Whether a model is called after its cell, as "LSTM" or "LSTM 2", so that its name follows the cell."""
    rest = settings.name.casefold().removeprefix(default_name(settings.cell).casefold())
    return rest != settings.name.casefold() and (not rest or rest.strip().isdigit())
