"""The lesson: one card at a time, with what to press and what to see."""

from functools import partial

from PySide6.QtCore import QRect, QRectF, Qt, Signal
from PySide6.QtGui import QFontMetrics, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from rnnviz.debugger.places import to_phase
from rnnviz.gui.lessons.lesson_file import Show, read_lessons
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import form_sheet, push_button
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

_MOST_SHOWN = 3  # places one card may offer
_LINE, _BUTTON = 22, 28  # pixels


class LessonCard(QWidget):
    """Shown while the experiment is that of a lesson. `command_wanted(key)` for a card's own button,
    `training_step_chosen(int)` where a card shows an earlier training step, `closed()` when it is put away."""

    command_wanted = Signal(str)
    training_step_chosen = Signal(int)
    closed = Signal()

    def __init__(self, store: Store, parent: QWidget | None = None) -> None:
        super().__init__(parent)  # with a parent, so that showing itself opens no window of its own
        self._store = store
        self.lessons = read_lessons()
        self.lesson = self.lessons[0]
        self._number = 0
        self._open = True
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.place = QLabel()
        self.place.setProperty("role", "section")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.PlainText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.close_button = push_button("", "Puts the lesson away; the Help menu brings it back", "icon")
        self.close_button.setAccessibleName("Close the lesson")
        scale.fit(self.close_button, width=20, height=20, icon=14)
        self.press = push_button("", "", "primary")
        self.next = push_button("Next", "The next card of the lesson", "primary")
        self.back = push_button("Back", "The card before")
        self.shows = [push_button("", "Moves the cursor there", "link") for _ in range(_MOST_SHOWN)]
        self._build()
        self._connect()
        self._apply_theme(store.state)
        self._turn(0)
        self._choose(store.state)
        store.changed.connect(self.show_state)

    def show_state(self, old: State, new: State) -> None:
        """Shows what differs between the two states."""
        if new.look.dress != old.look.dress:
            self._apply_theme(new)
        if new.run.experiment is not old.run.experiment:
            self._choose(new)
        if new.recorded.status is not old.recorded.status:
            self._enable(new)

    @property
    def number(self) -> int:
        """Which card is shown, 0-based."""
        return self._number

    def open(self) -> None:
        """Shows the lesson again, where it was left."""
        self._open = True
        self._appear(self._store.state)

    def _build(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self.place, 1)
        head.addWidget(self.close_button)
        line = QWidget()  # keeps its room on cards that show nothing, so that the buttons stay where they are
        scale.fit(line, height=_LINE)
        places = QHBoxLayout(line)
        places.setContentsMargins(0, 0, 0, 0)
        places.setSpacing(12)
        for show in self.shows:
            places.addWidget(show)
        places.addStretch()
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        for button in (self.press, self.next, self.back):
            scale.fit(button, height=_BUTTON)
            buttons.addWidget(button)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 20, 24)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addWidget(line)
        column.addLayout(buttons)

    def _connect(self) -> None:
        self.next.clicked.connect(lambda: self._turn(self._number + 1))
        self.back.clicked.connect(lambda: self._turn(self._number - 1))
        self.press.clicked.connect(self._press)
        self.close_button.clicked.connect(self._put_away)
        for index, button in enumerate(self.shows):
            button.clicked.connect(partial(self._show_point, index))

    def _turn(self, number: int) -> None:
        """Shows another card; a focused button that disappears leaves the focus on Next or Back."""
        cards = self.lesson.cards
        self._number = min(max(number, 0), len(cards) - 1)
        card = cards[self._number]
        self.place.setText(f"Lesson, card {self._number + 1} of {len(cards)}")
        self.text.setText(card.text)
        self.setAccessibleName(self.place.text())
        self.setAccessibleDescription(card.text)
        self.press.setVisible(card.press is not None)
        if card.press is not None:
            self.press.setText(card.press.words)
            self.press.setToolTip(f"{card.press.words}, as the command of the same name does")
        last = self._number == len(cards) - 1
        for button, visible in ((self.next, not last), (self.back, self._number > 0)):
            had_focus = button.hasFocus()
            button.setVisible(visible)
            if had_focus and not visible:
                (self.back if button is self.next else self.next).setFocus()
        for index, show in enumerate(self.shows):
            show.setVisible(index < len(card.show))
            if index < len(card.show):
                show.setText(card.show[index].words)
        self._enable(self._store.state)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        """Gives the text the room of the longest card, so that the buttons stay where they are."""
        width = self.width() - 44
        metrics = QFontMetrics(self.text.font())
        wrap = Qt.TextFlag.TextWordWrap
        heights = [
            metrics.boundingRect(QRect(0, 0, width, 9999), wrap, card.text).height() for card in self.lesson.cards
        ]
        if width > 0 and self.text.height() != max(heights) + 4:
            self.text.setFixedHeight(max(heights) + 4)

    def _enable(self, state: State) -> None:
        """A card that asks to train leads on to Next once training goes on."""
        press = self.lesson.cards[self._number].press
        running = state.recorded.status is not None and state.recorded.status.state == "running"
        done = press is not None and press.command == "train" and running
        self.press.setEnabled(not done)
        if press is not None:
            self.press.setText("Training …" if done else press.words)
        if self.next.property("primary") != (press is None or done):
            self.next.setProperty("primary", press is None or done)
            self.next.style().polish(self.next)

    def _press(self) -> None:
        press = self.lesson.cards[self._number].press
        if press is not None:
            self.command_wanted.emit(press.command)

    def _show_point(self, index: int) -> None:
        show: Show = self.lesson.cards[self._number].show[index]
        self._store.go(to_phase, self._store.state.walkable, show.phase, show.time_step)
        if show.training_step is not None:
            self.training_step_chosen.emit(show.training_step)

    def _put_away(self) -> None:
        self._open = False
        self.hide()
        self.closed.emit()

    def _choose(self, state: State) -> None:
        """Takes up the lesson of the experiment, at its first card if it is another one."""
        lesson = next((one for one in self.lessons if one.belongs_to(state.run.experiment)), None)
        if lesson is not None and lesson is not self.lesson:
            self.lesson, self._open = lesson, True
            self._turn(0)
        self._appear(state)

    def _appear(self, state: State) -> None:
        self.setVisible(self._open and self.lesson.belongs_to(state.run.experiment))

    def _apply_theme(self, state: State) -> None:
        self.setStyleSheet(form_sheet(state.look.theme))
        self.close_button.setIcon(icon("close", theme(state.look.theme).muted, 14))
        self._fit()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme(self._store.state.look.theme)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self.rect(), look.color("panel"))
        painter.setPen(QPen(look.color("line"), 1))
        painter.setBrush(look.color("raised"))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(12.5, 0.5, -12.5, -12.5), 8, 8)
