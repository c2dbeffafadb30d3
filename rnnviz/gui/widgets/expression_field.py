"""Expression field: completions below it, and what is wrong underlined where it is wrong."""

from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, Qt, Signal, Slot
from PySide6.QtGui import QFocusEvent, QInputMethodEvent, QKeyEvent, QTextCharFormat
from PySide6.QtWidgets import QLineEdit

from rnnviz.core.expressions import ExpressionError, Vocabulary, parse
from rnnviz.core.expressions.completion import Completion, complete, signature
from rnnviz.core.expressions.suggesting.refusals import refusal
from rnnviz.core.expressions.suggesting.suggestion import Check, suggest
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.widgets.completion_list import CompletionList


class ExpressionField(QLineEdit):
    """`entered(text)` when a right or empty text is finished; `judged(sentence)` at every change, "" while it is right.

    Down goes to the completions, Tab takes the first or the chosen one, Enter the chosen one; Escape puts the list
    away, and then the text back as it was. Without a list Tab takes the right text that is suggested for a wrong one.
    What Enter and Escape end there, they leave to the window.
    """

    entered = Signal(str)
    judged = Signal(str)

    def __init__(
        self,
        vocabulary: Callable[[], Vocabulary],
        theme: Callable[[], Theme],
        text: str = "",
        check: Check = parse,
        offers: Callable[[str, int, Vocabulary], tuple[Completion, ...]] = complete,
        suggests: Callable[[str, Vocabulary, Check], str] = suggest,
        refuses: Callable[[ExpressionError, str, str, Vocabulary, Check], str] = refusal,
    ) -> None:
        """`check` raises ExpressionError for a text that cannot be taken; `offers` says what may be typed next and
        `suggests` what a wrong text was meant to be; `refuses` says what is wrong with it."""
        super().__init__(text)
        self._vocabulary, self.look, self._check = vocabulary, theme, check
        self._offers, self._suggests, self._refuses = offers, suggests, refuses
        self._entered = text
        self.problem: ExpressionError | None = None
        self.suggestion = ""  # the right text that a wrong one comes near to
        self.sentence = ""  # what is wrong with the text; "" while it is right
        self.setProperty("role", "field")
        self.completions = CompletionList(self)
        self.completions.chosen.connect(self._insert)
        self.textEdited.connect(self._offer)
        self.textChanged.connect(self.judge)
        self.judge()

    @Slot()
    def judge(self) -> None:
        """Asks the text anew: other models may lack what it names."""
        self.problem, self.suggestion, self.sentence = None, "", ""
        if self.text().strip():
            try:
                self._check(self.text(), self._vocabulary())
            except ExpressionError as problem:
                self.problem = problem
                asked = self.text(), self._vocabulary(), self._check
                self.suggestion = self._suggests(*asked)
                self.sentence = self._refuses(problem, self.suggestion, *asked)
        self._underline()
        self.setToolTip(signature(self.text(), self.cursorPosition()))
        self.judged.emit(self.sentence)

    def take_suggestion(self, and_enter: bool = False) -> None:
        """The right text in place of the wrong one, to go on typing, or entered at once."""
        if self.suggestion:
            self.setText(self.suggestion)
            if and_enter:
                self._finish()

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent):
            key = Qt.Key(event.key())
            if event.type() == QEvent.Type.ShortcutOverride and key is Qt.Key.Key_Escape and self._has_own_escape:
                event.accept()
                return True
            if event.type() == QEvent.Type.KeyPress and self._take(key):
                event.accept()
                return True
        return super().event(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        self.completions.hide()
        super().focusOutEvent(event)
        if event.reason() != Qt.FocusReason.PopupFocusReason:
            self._finish()

    @property
    def _has_own_escape(self) -> bool:
        return self.completions.isVisible() or self.text() != self._entered

    def _take(self, key: Qt.Key) -> bool:
        """Whether the key meant the completions, the end of typing or its undoing."""
        listed = self.completions.isVisible()
        if listed and key in (Qt.Key.Key_Down, Qt.Key.Key_Up):
            self.completions.move_choice(1 if key is Qt.Key.Key_Down else -1)
        elif listed and key is Qt.Key.Key_Tab:
            self.completions.accept()
        elif key is Qt.Key.Key_Tab and self.suggestion:
            self.take_suggestion()
        elif key is Qt.Key.Key_Down:
            self._offer()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if self.completions.has_choice:
                self.completions.accept()
            else:
                self._finish()
                return self.problem is not None
        elif key is Qt.Key.Key_Escape and self._has_own_escape:
            if listed:
                self.completions.hide()
            else:
                self.setText(self._entered)
            return listed
        else:
            return False
        return True

    def _finish(self) -> None:
        self.completions.hide()
        text = self.text().strip()
        if self.problem is None and text != self._entered:
            self._entered = text
            self.entered.emit(text)

    def show_entered(self, text: str) -> None:
        """Shows `text` as what was entered last, unless somebody is typing."""
        if text != self._entered and not self.hasFocus():
            self._entered = text
            self.setText(text)

    def start_anew(self) -> None:
        """An empty field for the next expression."""
        self._entered = ""
        self.clear()

    @Slot()
    def _offer(self) -> None:
        offers = self._offers(self.text(), self.cursorPosition(), self._vocabulary())
        typed = self.text()[: self.cursorPosition()]
        if any(offer.insert == typed[offer.start :] for offer in offers[:1]) and len(offers) == 1:
            offers = ()  # it stands there already
        self.completions.offer(offers, self.mapToGlobal(QPoint(0, self.height() + 2)), self.look())

    @Slot(object)
    def _insert(self, offer: Completion) -> None:
        text = self.text()
        self.setText(text[: offer.start] + offer.insert + text[offer.end :])
        self.setCursorPosition(offer.start + len(offer.insert))

    def _underline(self) -> None:
        """A wave below the wrong columns, drawn by the field itself, so that it scrolls with the text."""
        attributes = []
        bad = self.problem
        if bad is not None:
            look = QTextCharFormat()
            look.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
            look.setUnderlineColor(self.look().color("bad"))
            start = min(bad.start, max(len(self.text()) - 1, 0))
            count = max(min(bad.end, len(self.text())) - start, 1)
            kind = QInputMethodEvent.AttributeType.TextFormat
            attributes.append(QInputMethodEvent.Attribute(kind, start - self.cursorPosition(), count, look))
        self.inputMethodEvent(QInputMethodEvent("", attributes))
