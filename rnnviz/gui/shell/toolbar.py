"""The bar on top: the training controls, the debugger controls, and in words where the cursor is."""

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QToolButton, QVBoxLayout, QWidget

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
_AROUND, _BETWEEN, _WITHIN = 12, 8, 5  # pixels: at both ends, between the groups, between buttons of a group
# What goes from a bar that is too narrow, the first one first; commands are then in the menu at its end.
_LEAVING = (
    _DEPTH, ("program_start", "program_end"), ("phase_start", "phase_end"), ("cursor label",),
    ("step count",), ("step_back", "step_forward"), ("reset",), ("training_step",),
)  # fmt: skip
_SHOWN = Fields("recorded.status", "recorded.history", "place.cursor", "place.following", "look.theme", "look.scale")


class Toolbar(QFrame):
    """Training, debugger, cursor; every button is one of the commands, and none of them moves while the width stays.

    What has no room is in a menu behind "»".
    """

    def __init__(self, store: Store, actions: Actions, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("toolbar")
        scale.fit(self, icon_height=_HEIGHT)
        self._step = StepCount(store)
        self.cursor_label = CursorLabel(store)
        self._buttons: dict[str, QToolButton] = {}
        self._groups: list[tuple[QWidget, tuple[str, ...]]] = []
        self.more = self._overflow()
        row = QHBoxLayout(self)
        row.setContentsMargins(_AROUND, 4, _AROUND, 8)
        row.setSpacing(_BETWEEN)
        row.addWidget(self._group(actions, _TRAINING))
        row.addWidget(self._step)
        row.addStretch(1)
        row.addWidget(self._group(actions, _PROGRAM))
        row.addWidget(self._group(actions, _DEPTH))
        row.addWidget(self.more)
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
        return (*(self._buttons[key] for key in (*_PROGRAM, *_DEPTH)), self.more)

    @property
    def buttons(self) -> tuple[QToolButton, ...]:
        return tuple(self._buttons.values())

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.look.dress != old.look.dress:
            self._dress(new)
            self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        """As much as there is room for."""
        gone = set[str]()
        for leaving in ((), *_LEAVING):
            gone.update(leaving)
            if self._wide(gone) <= self.width():
                break
        self.cursor_label.set_narrow("cursor label" in gone)
        self._step.setVisible("step count" not in gone)
        for group, keys in self._groups:
            for key in keys:
                self._buttons[key].setVisible(key not in gone)
            group.setVisible(not gone.issuperset(keys))
        menu, wanted = self.more.menu(), [self._buttons[key].defaultAction() for key in self._buttons if key in gone]
        self.more.setVisible(bool(wanted))
        if menu.actions() != wanted:
            menu.clear()
            menu.addActions(wanted)

    def _wide(self, gone: set[str]) -> int:
        """Pixels that are taken without `gone`."""
        label = self.cursor_label
        parts = [label.narrow_width if "cursor label" in gone else label.full_width]
        parts += [] if "step count" in gone else [self._step.width()]
        parts += [self.more.width()] if gone.intersection(self._buttons) else []
        for _, keys in self._groups:
            widths = [self._buttons[key].width() for key in keys if key not in gone]
            parts += [sum(widths) + _WITHIN * (len(widths) - 1)] if widths else []
        return 2 * _AROUND + sum(parts) + _BETWEEN * (len(parts) - 1)

    def _overflow(self) -> QToolButton:
        button = QToolButton()
        button.setText("»")
        button.setFont(fonts.semibold(fonts.TITLE))
        button.setToolTip("The buttons there is no room for")
        button.setAccessibleName("More buttons")
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFixedSize(34, 34)
        button.setStyleSheet("QToolButton::menu-indicator { image: none; }")
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setMenu(QMenu(button))
        button.hide()
        return button

    def _group(self, actions: Actions, keys: tuple[str, ...]) -> QWidget:
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_WITHIN)
        for key in keys:
            row.addWidget(self._button(actions[key]))
        self._groups.append((group, keys))
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
