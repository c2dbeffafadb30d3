"""The message over the lanes: one sentence, at most three buttons, and what slow thing goes on."""

from functools import partial

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QWidget

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.look import scale
from rnnviz.gui.look.icons import icon, pixmap
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.fields import Fields
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.window import Message

_INFO_SECONDS = 8  # a good word goes by itself, a problem stays until it is put away
_MARGIN = 12  # pixels to the sides and below
_READABLE = 240  # pixels of a sentence beside which buttons may stand
_BUSY_DELAY = 150  # milliseconds: what is faster than this is never announced
_MOST_BUTTONS = 3
_STAYING = ("go_to_stop", "disable_stop")  # after these the message still says what there is to go on with
_SHOWN = Fields("notices", "look.theme", "look.scale")
_TOKENS = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("error", "bad")}


class MessageBar(QFrame):
    """Shows `state.message`, or `state.busy` with a button to cancel; hidden when there is neither.

    It lies at the foot of `parent`, over whatever else is there, and moves nothing. A person may push it up and down,
    off what they want to see; there it stays.
    """

    def __init__(self, store: Store, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = parent
        parent.installEventFilter(self)
        self._lifted = 0  # pixels that it was pushed up from the foot
        self._held_at: float | None = None  # where the mouse has it, as pixels from the foot's
        self._store = store
        self._actions = actions
        self.setObjectName("message_bar")
        self.setCursor(Qt.CursorShape.SizeVerCursor)
        self.setToolTip("Drag it up or down, off what it covers; Esc puts it away")
        self._mark = QLabel()
        self._sentence = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like HTML
        self._progress = QProgressBar(minimum=0, maximum=0, textVisible=False)
        scale.fit(self._progress, width=120)
        self.buttons = tuple(QPushButton() for _ in range(_MOST_BUTTONS))
        self.button = self.buttons[0]
        for number, button in enumerate(self.buttons):
            button.clicked.connect(partial(self._press, number))
        self._keys: tuple[str, ...] = ()  # of the commands behind them
        self._close = QToolButton(autoRaise=True)
        self._close.setAccessibleName("Dismiss")
        self._close.clicked.connect(actions["dismiss"].trigger)
        self._close.setToolTip(actions.explanation("dismiss"))
        self._offers = QWidget()
        row = QHBoxLayout(self._offers)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        for widget in (self._progress, *self.buttons):
            row.addWidget(widget)
        for widget in (self._offers, self._close):
            widget.setCursor(Qt.CursorShape.ArrowCursor)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 6, 8, 6)
        self._grid.setHorizontalSpacing(10)
        self._grid.setColumnStretch(1, 1)
        self._grid.addWidget(self._mark, 0, 0)
        self._grid.addWidget(self._sentence, 0, 1)
        self._grid.addWidget(self._close, 0, 3)
        self._arrange(True)
        self._fade = QTimer(self, singleShot=True, interval=_INFO_SECONDS * 1000)
        self._fade.timeout.connect(self._put_away)
        self._delay = QTimer(self, singleShot=True, interval=_BUSY_DELAY)
        self._delay.timeout.connect(self._announce)
        self.hide()
        store.changed.connect(self.show_state)
        self._show(store.state)

    @property
    def sentence(self) -> str:
        """What a person reads in the bar; empty while it is hidden."""
        return self._sentence.text() if not self.isHidden() else ""

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() in (QEvent.Type.Resize, QEvent.Type.ChildAdded) and not self.isHidden():
            self._place()  # a child that comes later would lie above it
        return super().eventFilter(watched, event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._held_at = event.globalPosition().y() + self._lifted

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        if self._held_at is not None:
            self._lifted = round(self._held_at - event.globalPosition().y())
            self._place()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        self._held_at = None

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if _SHOWN.changed(old, new):
            self._show(new)
        elif self._keys and new.notices.message is not None:
            self._offer(new.notices.message)
            self._place()

    def _show(self, state: State) -> None:
        message = state.notices.message
        self._fade.stop()
        if message is None:
            if not state.notices.busy or state.run.path is None:  # before the first run the empty lanes say it
                self._delay.stop()
                self.hide()
            elif self.isHidden() and not self._delay.isActive():
                self._delay.start()
            elif not self.isHidden():
                self._announce()
            return
        self._delay.stop()
        name, token = _TOKENS[message.level]
        self._dress(name, token)
        self._sentence.setText(message.sentence)
        self._offer(message)
        self._progress.hide()
        self._close.show()
        self._appear()
        if message.level == "info" and not self._keys:
            self._fade.start()

    def _offer(self, message: Message) -> None:
        """Its commands as buttons; one that can do nothing right now is there, but not to be pressed."""
        self._keys = tuple(key for key in message.commands if key in self._actions.commands)[:_MOST_BUTTONS]
        for number, button in enumerate(self.buttons):
            key = self._keys[number] if number < len(self._keys) else ""
            button.setVisible(bool(key))
            button.setText(self._actions.words(key) if key else "")
            button.setToolTip(self._actions.explanation(key) if key else "")
            button.setEnabled(not key or self._actions.commands[key].enabled(self._store.state))

    @Slot()
    def _announce(self) -> None:
        self._dress("info", "accent")
        self._sentence.setText(self._store.state.notices.busy)
        self._progress.show()
        self._keys = ()
        for button in self.buttons:
            button.hide()
        self.button.setText("Cancel")
        self.button.setToolTip("cancels it  (Esc)")
        self.button.setEnabled(True)
        self.button.show()
        self._close.hide()
        self._appear()

    def _appear(self) -> None:
        """Shows what it says now; a screen reader says it once."""
        self._place()
        self.show()
        if self.accessibleName() != self._sentence.text():
            self.setAccessibleName(self._sentence.text())
            QAccessible.updateAccessibility(QAccessibleEvent(self, QAccessible.Event.Alert))

    def _place(self) -> None:
        """As wide as its sentence where there is room, in the middle of the foot or where it was pushed to."""
        around = self._below.rect().adjusted(_MARGIN, 0, -_MARGIN, -_MARGIN)
        words = self._sentence.fontMetrics().horizontalAdvance(self._sentence.text()) + 4
        self._arrange(True)
        if self._others() + min(words, scale.px(_READABLE)) > around.width():
            self._arrange(False)
            if self.minimumSizeHint().width() > around.width():
                self._arrange(False, idle=False)
        width = min(max(self._others() + words, self.minimumSizeHint().width()), around.width())
        height = max(self._grid.heightForWidth(width), self.minimumSizeHint().height())
        self._lifted = min(max(self._lifted, 0), max(around.height() - height, 0))
        top = around.bottom() + 1 - height - self._lifted
        self.setGeometry(QRect(around.center().x() - width // 2, top, width, height))
        self.raise_()

    def _others(self) -> int:
        """Pixels that are taken beside the sentence."""
        beside = [self._mark, self._close, self._offers] if self._beside else [self._mark, self._close]
        seen = [part.sizeHint().width() for part in beside if not part.isHidden()]
        margins = self._grid.contentsMargins()
        return sum(seen) + 10 * len(seen) + margins.left() + margins.right() + 2 * self.frameWidth()

    def _arrange(self, beside: bool, idle: bool = True) -> None:
        """The buttons beside the sentence or below it; with or without those that can do nothing now."""
        self._beside = beside
        self._grid.removeWidget(self._offers)
        if beside:
            self._grid.addWidget(self._offers, 0, 2)
        else:
            self._grid.addWidget(self._offers, 1, 1, 1, 3, Qt.AlignmentFlag.AlignLeft)
        for button, _ in zip(self.buttons, self._keys, strict=False):
            button.setVisible(idle or button.isEnabled())
        self._grid.activate()

    def _dress(self, name: str, token: str) -> None:
        colors = theme(self._store.state.look.theme)
        color = colors.color(token).name()
        self._mark.setPixmap(pixmap(name, color, 18, self.devicePixelRatioF()))
        self._close.setIcon(icon("close", colors.muted))
        self.setStyleSheet(
            f"#message_bar {{ background: {colors.raised}; border: 1px solid {colors.muted};"
            f" border-left: 3px solid {color}; border-radius: 6px; }}"
        )

    def _press(self, number: int) -> None:
        message = self._store.state.notices.message
        if message is None or number >= len(self._keys):
            self._actions["dismiss"].trigger()
            return
        key = self._keys[number]
        self._actions[key].trigger()
        if key not in _STAYING and self._store.state.notices.message is message:
            self._store.say(None)

    @Slot()
    def _put_away(self) -> None:
        self._store.say(None)
