"""The lesson: one card at a time, with what to press and what to see."""

from functools import partial

from PySide6.QtCore import QRectF, Qt, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen, QResizeEvent, QTextDocument
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from rnnviz.debugger.places import to_phase
from rnnviz.gui.lessons.lesson_file import Card, Lesson, Press, Show, read_lessons
from rnnviz.gui.look import scale
from rnnviz.gui.look.form_style import push_button, set_role
from rnnviz.gui.look.icons import icon
from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.widgets.marked_text import plain, rich

_ASKED = Fields("recorded.status", "recorded.history", "place.following")  # by what a card sees what was done
_MOST_SHOWN = 3  # places one card may offer
_BUTTON = 28  # pixels
_BACK = 64  # of the width


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
        self._trained = 0  # training steps when the card was turned to
        self.setProperty("role", "panel")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Maximum)
        self.place = QLabel()
        self.place.setProperty("role", "section")
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.text.setTextFormat(Qt.TextFormat.RichText)
        self.text.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.close_button = push_button("", "Closes the lesson; the Help menu brings it back", "icon")
        self.close_button.setAccessibleName("Close the lesson")
        scale.fit(self.close_button, width=20, height=20, icon=14)
        self.press = push_button("", "")
        self.next = push_button("Next", "")
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
        if _ASKED.changed(old, new):
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
        asked = QWidget()  # keeps its room on cards that ask and show nothing, so that the buttons stay where they are
        scale.fit(asked, height=_BUTTON)
        what = QHBoxLayout(asked)
        what.setContentsMargins(0, 0, 0, 0)
        what.setSpacing(12)
        for button in (self.press, *self.shows):
            what.addWidget(button)
        what.addStretch()
        ways = QHBoxLayout()
        ways.setSpacing(8)
        for button in (self.press, self.back, self.next):
            scale.fit(button, height=_BUTTON)
        scale.fit(self.back, width=_BACK)
        ways.addWidget(self.back)
        ways.addWidget(self.next, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 12, 20, 24)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self.text)
        column.addWidget(asked)
        column.addLayout(ways)

    def _connect(self) -> None:
        self.next.clicked.connect(self._go_on)
        self.back.clicked.connect(lambda: self._turn(self._number - 1))
        self.press.clicked.connect(self._press)
        self.close_button.clicked.connect(self._put_away)
        for index, button in enumerate(self.shows):
            button.clicked.connect(partial(self._show_point, index))

    def _turn(self, number: int) -> None:
        """Shows another card. The buttons stay where they are; the focus goes on where one of them cannot be pressed
        any more."""
        cards = self.lesson.cards
        self._number = min(max(number, 0), len(cards) - 1)
        card = cards[self._number]
        self._trained = self._store.state.recorded.history.last_training_step if self._number else 0
        self.place.setText(f"Lesson, card {self._number + 1} of {len(cards)}")
        self.text.setText(rich(card.text))
        self.setAccessibleName(self.place.text())
        self.setAccessibleDescription(plain(card.text))
        self._show_asked(card)
        self._name_next()
        if self.back.hasFocus() and not self._number:
            self.next.setFocus()
        self.back.setEnabled(self._number > 0)
        self._enable(self._store.state)
        self._fit()

    def _show_asked(self, card: Card) -> None:
        """What the card asks for and shows; what goes, goes first, for all of it side by side would widen the panel."""
        wanted = {self.press: card.press, **dict(zip(self.shows, card.show, strict=False))}
        for button in (self.press, *self.shows):
            button.setVisible(button.isVisible() and wanted.get(button) is not None)
        for button, record in wanted.items():
            if record is not None:
                button.setText(record.words)
                button.setVisible(True)
        if card.press is not None:
            self.press.setToolTip(f"{card.press.words}, as the command of the same name does")

    def _name_next(self) -> None:
        """The last card leads to the next lesson, that of the last lesson puts it away."""
        words, tooltip = "Next", "The next card of the lesson"
        if self._number == len(self.lesson.cards) - 1:
            following = self._next_lesson
            words = "Next lesson" if following else "Finish"
            tooltip = f"Begins the lesson {following.title}" if following else "Closes the lesson"
        self.next.setText(words)
        self.next.setToolTip(tooltip)

    @property
    def _next_lesson(self) -> Lesson | None:
        place = self.lessons.index(self.lesson) + 1
        return self.lessons[place] if place < len(self.lessons) else None

    def _go_on(self) -> None:
        if self._number < len(self.lesson.cards) - 1:
            self._turn(self._number + 1)
        elif following := self._next_lesson:
            self.command_wanted.emit(f"lesson_{following.name}")
        else:
            self._put_away()

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._fit()

    def _fit(self) -> None:
        """Gives the text the room of the longest card, so that the buttons stay where they are."""
        width = self.width() - 44
        if width <= 0:
            return
        self.text.ensurePolished()
        paper = QTextDocument()
        paper.setDocumentMargin(0)
        paper.setDefaultFont(self.text.font())
        paper.setTextWidth(width)
        heights = []
        for card in self.lesson.cards:
            paper.setHtml(rich(card.text))
            heights.append(int(paper.size().height()) + 1)
        if self.text.height() != max(heights) + 4:
            self.text.setFixedHeight(max(heights) + 4)

    def _enable(self, state: State) -> None:
        """In the accent's colour is what the card asks for: its own command, and once that was given, Next."""
        press = self.lesson.cards[self._number].press
        running = _is_training(state)
        training = press is not None and press.command == "train" and running
        done = press is None or training or self._given(press, state)
        self.press.setEnabled(not training)
        if press is not None:
            self.press.setText("Training …" if training else press.words)
        _accent(self.press, not done)
        _accent(self.next, done and not (running and press is not None and press.until_paused))

    def _given(self, press: Press, state: State) -> bool:
        """Whether what the card asks for was done."""
        if press.command == "live":
            return state.place.following
        return state.recorded.history.last_training_step > self._trained

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
        self.close_button.setIcon(icon("close", theme(state.look.theme).muted, 14))
        self._fit()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        look = theme(self._store.state.look.theme)
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(look.color("line"), 1))
            painter.setBrush(look.color("raised"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(12.5, 0.5, -12.5, -12.5), 8, 8)


def _is_training(state: State) -> bool:
    """Whether the models learn right now."""
    return state.recorded.status is not None and state.recorded.status.state == "running"


def _accent(button: QPushButton, on: bool) -> None:
    if bool(button.property("primary")) != on:
        set_role(button, "primary", on)
