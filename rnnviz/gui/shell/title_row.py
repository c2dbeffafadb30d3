"""Title row: the menu bar, what is trained, and the button that finds a command; one quiet line on top."""

from PySide6.QtCore import Qt, Slot
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QToolButton, QWidget

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.experiment.experiment_words import source_words
from rnnviz.gui.look import fonts, scale
from rnnviz.gui.look.theme import theme
from rnnviz.gui.shell.menus.menu_bar import MenuBar
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.elided_label import ElidedLabel

_HEIGHT = 32


class TitleRow(QWidget):
    """The title stands in the middle of the window where the menus leave that free, else as near as it can."""

    def __init__(self, store: Store, actions: Actions, menu_bar: MenuBar, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("title_row")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        scale.fit(self, height=_HEIGHT)
        self.title = ElidedLabel(fonts.semibold(fonts.TITLE), fonts.text(fonts.BODY))
        self.find_button = QToolButton(autoRaise=True)
        self.find_button.setDefaultAction(actions["find_command"])
        self.find_button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        scale.fit(self.find_button, icon=14)
        self.find_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 2, 8, 2)
        row.setSpacing(8)
        self.find_button.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        row.addWidget(menu_bar)
        row.addStretch(1)
        row.addWidget(self.title)
        row.addStretch(1)
        row.addWidget(self.find_button)
        store.changed.connect(self.show_state)
        self._show_title(store.state)
        self._dress(store.state)

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if new.run.source is not old.run.source:
            self._show_title(new)
        if new.look.dress != old.look.dress:
            self._dress(new)

    def _show_title(self, state: State) -> None:
        self.title.set_texts(*source_words(state.run.source))

    def _dress(self, state: State) -> None:
        colors = theme(state.look.theme)
        self.title.set_colors(colors.color("text"), colors.color("muted"))
        self.setStyleSheet(
            f"#title_row {{ background: {colors.panel}; }}"
            f" #title_row QToolButton {{ background: transparent; border: 1px solid transparent; color: {colors.muted};"
            f" padding: 2px 8px; }}"
            f" #title_row QToolButton:hover {{ color: {colors.text}; border-color: {colors.line}; }}"
            f" #title_row QToolButton:focus {{ color: {colors.text}; border: 2px solid {colors.focus};"
            f" padding: 1px 7px; }}"
        )
