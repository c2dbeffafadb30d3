"""Restart bar: which edits wait for a restart."""

from collections.abc import Sequence

from PySide6.QtCore import QRectF, Signal
from PySide6.QtGui import QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QVBoxLayout, QWidget

from rnnviz.gui.look.form_style import push_button, set_role
from rnnviz.gui.look.painting import painting
from rnnviz.gui.look.theme import Theme

_SHOWN = 4  # phrases; more are counted


class RestartBar(QWidget):
    """`restart()` and `undo()` when their buttons are pressed; hidden while nothing waits."""

    restart = Signal()
    undo = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._theme: Theme | None = None
        self.sentence = QLabel()
        self.sentence.setWordWrap(True)
        self.restart_button = push_button(
            "Restart", "Starts a new run with these settings; the old run stays a file", "primary"
        )
        self.undo_button = push_button("Undo", "Undoes these edits")
        self.restart_button.clicked.connect(self.restart)
        self.undo_button.clicked.connect(self.undo)
        buttons = QHBoxLayout()
        buttons.setSpacing(8)
        buttons.addWidget(self.restart_button)
        buttons.addWidget(self.undo_button)
        buttons.addStretch()
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 12, 10)
        column.setSpacing(8)
        column.addWidget(self.sentence)
        column.addLayout(buttons)
        self.hide()

    def set_theme(self, theme: Theme) -> None:
        self._theme = theme
        self.update()

    def set_changes(self, phrases: Sequence[str], problem: str = "", meaning: str = "") -> None:
        """Says what waits, one phrase a change, or the `problem` that forbids it; hides the bar when nothing waits.
        `meaning`: what a restart does, where it is more than to begin again."""
        shown = list(phrases[:_SHOWN])
        if len(phrases) > _SHOWN:
            shown.append(f"{len(phrases) - _SHOWN} more")
        self.sentence.setText(problem or f"{meaning or 'Needs a restart'}: {', '.join(shown)}")
        set_role(self.sentence, "problem" if problem else "plain")
        self.restart_button.setEnabled(not problem)
        self.sentence.setToolTip("\n".join(phrases))
        self.setVisible(bool(phrases))

    def paintEvent(self, event: QPaintEvent) -> None:
        if self._theme is None:
            return
        with painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setPen(QPen(self._theme.color("line"), 1))
            painter.setBrush(self._theme.color("raised"))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(2.5, 0.5, -0.5, -0.5), 6, 6)
            painter.fillRect(QRectF(0, 0, 4, self.height()), self._theme.color("warning"))
