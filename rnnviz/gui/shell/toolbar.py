"""The bar on top: the training controls, the debugger controls, and in words where the cursor is."""

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from rnnviz.core.numbers import whole
from rnnviz.gui.commands.actions import MAIN, Actions
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.cursor_label import CursorLabel

_TRAINING = (MAIN, "training_step", "reset")
_PROGRAM = ("program_start", "phase_start", "step_back", "step_forward", "phase_end", "program_end")
_DEPTH = ("step_into", "step_out")
_HEIGHT = 46
_SHOWN = Fields("recorded.status", "recorded.history", "place.cursor", "place.following", "look.theme", "look.scale")


class Toolbar(QFrame):
    """Training, debugger, cursor; every button is one of the commands, and none of them ever moves."""

    def __init__(self, store: Store, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        scale.fit(self, icon_height=_HEIGHT)
        self._step = StepCount(store)
        self.cursor_label = CursorLabel(store)
        self._buttons: dict[str, QToolButton] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 8)
        row.setSpacing(8)
        row.addWidget(self._group([actions[key] for key in _TRAINING]))
        row.addWidget(self._step)
        row.addStretch(1)
        row.addWidget(self._group([actions[key] for key in _PROGRAM]))
        row.addWidget(self._group([actions[key] for key in _DEPTH]))
        row.addStretch(1)
        row.addWidget(self.cursor_label)
        self._buttons[MAIN].setProperty("primary", True)
        self._buttons[MAIN].setFixedWidth(44)
        store.changed.connect(self.show_state)
        self._dress(store.state)

    def button(self, key: str) -> QToolButton:
        """The button of the command called `key`."""
        return self._buttons[key]

    @property
    def training_buttons(self) -> tuple[QToolButton, ...]:
        return tuple(button for key, button in self._buttons.items() if key not in (*_PROGRAM, *_DEPTH))

    @property
    def program_buttons(self) -> tuple[QToolButton, ...]:
        return tuple(self._buttons[key] for key in (*_PROGRAM, *_DEPTH))

    @property
    def buttons(self) -> tuple[QToolButton, ...]:
        return tuple(self._buttons.values())

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.dress != old.look.dress:
            self._dress(new)

    def _group(self, actions: Sequence[QAction]) -> QWidget:
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(5)
        for action in actions:
            row.addWidget(self._button(action))
        return group

    def _button(self, action: QAction) -> QToolButton:
        button = QToolButton()
        button.setDefaultAction(action)
        button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
        button.setIconSize(QSize(20, 20))
        button.setFixedSize(34, 34)
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the arrows to the lanes
        self._buttons[action.property("command")] = button
        return button

    def _dress(self, state: State) -> None:
        colors = theme(state.look.theme)
        self.setStyleSheet(
            f"#toolbar {{ background: {colors.panel}; border: none; border-bottom: 1px solid {colors.line}; }}"
        )


class StepCount(QWidget):
    """The training step in big digits, with how many there are a second, or of how many when looking back."""

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._caption = QLabel("training step")
        scale.fit(self._caption, font=fonts.text(fonts.SMALL))
        self._number = QLabel()
        scale.fit(self._number, font=fonts.semibold(fonts.TITLE))
        self._rate = QLabel()
        scale.fit(self._rate, font=fonts.text(fonts.SMALL))
        numbers = QHBoxLayout()
        numbers.setSpacing(8)
        numbers.addWidget(self._number)
        numbers.addWidget(self._rate, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self._caption)
        column.addLayout(numbers)
        scale.fit(self, width=94)  # so that growing numbers move nothing
        store.changed.connect(self.show_state)
        self._show(store.state)

    @property
    def text(self) -> str:
        return f"{self._number.text()} {self._rate.text()}".strip()

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._show(new)

    def _show(self, state: State) -> None:
        newest = state.recorded.history.last_training_step
        if state.place.following:
            step = max(newest, state.recorded.status.training_step if state.recorded.status is not None else 0)
            running = state.recorded.status is not None and state.recorded.status.state == "running"
            rate = (
                f"{state.recorded.status.steps_per_second:.0f}/s"
                if running and state.recorded.status is not None
                else ""
            )
        else:
            step, rate = state.place.cursor.training_step, f"of {whole(newest)}"
        self._number.setText(whole(step))
        self._rate.setText(rate)
        sheet = f"color: {theme(state.look.theme).muted};"
        for label in (self._caption, self._rate):
            if label.styleSheet() != sheet:
                label.setStyleSheet(sheet)
