"""The message over the lanes: one sentence, at most one button, and what slow thing goes on."""

from PySide6.QtCore import QEvent, QObject, QRect, Qt, QTimer, Slot
from PySide6.QtGui import QAccessible, QAccessibleEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QProgressBar, QPushButton, QToolButton, QWidget

from rnnviz.gui.commands.actions import Actions
from rnnviz.gui.look.icons import icon, pixmap
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

_INFO_SECONDS = 8  # a good word goes by itself, a problem stays until it is put away
_MARGIN = 12  # pixels to the sides and below
_BUSY_DELAY = 150  # milliseconds: what is faster than this is never announced
_TOKENS = {"info": ("info", "accent"), "warning": ("warning", "warning"), "error": ("error", "bad")}


class MessageBar(QFrame):
    """Shows `state.message`, or `state.busy` with a button to cancel; hidden when there is neither.

    It lies at the foot of `parent`, over whatever else is there, and moves nothing.
    """

    def __init__(self, store: Store, actions: Actions, parent: QWidget) -> None:
        super().__init__(parent)
        self._below = parent
        parent.installEventFilter(self)
        self._store = store
        self._actions = actions
        self.setObjectName("message_bar")
        self._mark = QLabel()
        self._sentence = QLabel(wordWrap=True, textInteractionFlags=Qt.TextInteractionFlag.TextSelectableByMouse)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)  # a file's name may look like HTML
        self._progress = QProgressBar(minimum=0, maximum=0, textVisible=False)
        self._progress.setFixedWidth(120)
        self.button = QPushButton()
        self.button.clicked.connect(self._press)
        self._close = QToolButton(autoRaise=True)
        self._close.setAccessibleName("Dismiss")
        self._close.clicked.connect(actions["dismiss"].trigger)
        self._close.setToolTip(actions.explanation("dismiss"))
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(14, 6, 8, 6)
        self._row.setSpacing(10)
        self._row.addWidget(self._mark)
        self._row.addWidget(self._sentence, 1)
        for widget in (self._progress, self.button, self._close):
            self._row.addWidget(widget)
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

    @Slot(object, object)
    def show_state(self, old: State, new: State) -> None:
        if (new.notices.message, new.notices.busy, new.look.theme) != (
            old.notices.message,
            old.notices.busy,
            old.look.theme,
        ):
            self._show(new)

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
        command = message.command if message.command in self._actions.commands else ""
        self.button.setVisible(bool(command))
        self.button.setText(self._actions.words(command) if command else "")
        self.button.setToolTip(self._actions.explanation(command) if command else "")
        self._progress.hide()
        self._close.show()
        self._appear()
        if message.level == "info" and not command:
            self._fade.start()

    @Slot()
    def _announce(self) -> None:
        self._dress("info", "accent")
        self._sentence.setText(self._store.state.notices.busy)
        self._progress.show()
        self.button.setText("Cancel")
        self.button.setToolTip("gives it up  (Esc)")
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
        """As wide as its sentence where there is room, in the middle of the foot."""
        around = self._below.rect().adjusted(_MARGIN, 0, -_MARGIN, -_MARGIN)
        self._row.activate()
        words = self._sentence.fontMetrics().horizontalAdvance(self._sentence.text()) + 4
        others = self.minimumSizeHint().width() - self._sentence.minimumSizeHint().width()
        width = min(others + words, around.width())
        height = max(self._row.heightForWidth(width), self.minimumSizeHint().height())
        self.setGeometry(QRect(around.center().x() - width // 2, around.bottom() + 1 - height, width, height))
        self.raise_()

    def _dress(self, name: str, token: str) -> None:
        colors = theme(self._store.state.look.theme)
        color = colors.color(token).name()
        self._mark.setPixmap(pixmap(name, color, 18, self.devicePixelRatioF()))
        self._close.setIcon(icon("close", colors.muted))
        self.setStyleSheet(
            f"#message_bar {{ background: {colors.raised}; border: 1px solid {colors.muted};"
            f" border-left: 3px solid {color}; border-radius: 6px; }}"
        )

    @Slot()
    def _press(self) -> None:
        message = self._store.state.notices.message
        if message is None:
            self._actions["dismiss"].trigger()
            return
        self._store.say(None)
        self._actions[message.command].trigger()

    @Slot()
    def _put_away(self) -> None:
        self._store.say(None)
