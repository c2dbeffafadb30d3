"""Spoken names: what a screen reader is told of choices, and of the parts of pictures that are painted in one go."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Protocol, runtime_checkable

from PySide6.QtCore import QObject, QRect
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QAccessibleInterface, QWindow
from PySide6.QtWidgets import QAccessibleWidget, QComboBox, QWidget

_Text = QAccessible.Text


@dataclass(frozen=True)
class Part:
    """A part of a picture: a cell of a table, a lane. `rect` is in the pixels of the picture."""

    name: str
    rect: QRect = field(default_factory=QRect)
    role: QAccessible.Role = QAccessible.Role.Cell
    description: str = ""
    selected: bool = False


@runtime_checkable
class HasParts(Protocol):
    """A widget that paints its parts itself."""

    spoken_role: QAccessible.Role

    def spoken_parts(self) -> Sequence[Part]:
        """As they are now, in reading order."""
        ...


@cache
def teach_screen_readers() -> None:
    """Called by what needs it, done once: Qt asks for the names when a screen reader does."""
    QAccessible.installFactory(_interface)


def announce(widget: QWidget, words: str) -> None:
    """Has `words` read aloud, where somebody listens."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))


def _interface(_class_name: str, thing: QObject) -> QAccessibleInterface | None:
    if isinstance(thing, QComboBox):
        return _SpokenChoice(thing)
    if isinstance(thing, QWidget) and hasattr(thing, "spoken_parts") and isinstance(thing, HasParts):
        return _SpokenPicture(thing)  # the protocol is asked last: it takes its time, and Qt asks of every widget
    return None


class _SpokenChoice(QAccessibleWidget):
    """A combo box: on Linux Qt's own would give what is chosen as the name and forget the label."""

    def __init__(self, choice: QComboBox) -> None:
        super().__init__(choice, QAccessible.Role.ComboBox)

    @property
    def _choice(self) -> QComboBox:
        choice = self.object()
        assert isinstance(choice, QComboBox)
        return choice

    def text(self, kind: QAccessible.Text) -> str:
        if kind is _Text.Value:
            return self._choice.currentText()
        said = super().text(kind)
        if kind is _Text.Description:
            return f"{self._choice.currentText()}. {said}" if said else self._choice.currentText()
        return said

    def childCount(self) -> int:
        return 1

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return QAccessible.queryAccessibleInterface(self._choice.view()) if index == 0 else None


class _SpokenPicture(QAccessibleWidget):
    """A painted widget with its parts as children."""

    def __init__(self, picture: QWidget) -> None:
        assert isinstance(picture, HasParts)
        super().__init__(picture, picture.spoken_role)
        self._children: list[_SpokenPart] = []

    @property
    def parts(self) -> Sequence[Part]:
        picture = self.object()
        return picture.spoken_parts() if isinstance(picture, HasParts) else ()

    def childCount(self) -> int:
        return len(self.parts)

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        if not 0 <= index < len(self.parts):
            return None
        while len(self._children) <= index:
            made = _SpokenPart(self, len(self._children))
            QAccessible.registerAccessibleInterface(made)
            self._children.append(made)
        return self._children[index]

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return next((number for number, one in enumerate(self._children) if one is child), -1)

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        corner = self.rect().topLeft()
        for number, part in enumerate(self.parts):
            if part.rect.translated(corner).contains(x, y):
                return self.child(number)
        return None


class _SpokenPart(QAccessibleInterface):
    """The part of number `index`, whatever stands there now."""

    def __init__(self, picture: _SpokenPicture, index: int) -> None:
        super().__init__()
        self._picture, self._index = picture, index

    @property
    def _part(self) -> Part:
        parts = self._picture.parts
        return parts[self._index] if self._index < len(parts) else Part("")

    def isValid(self) -> bool:
        return self._picture.isValid() and self._index < len(self._picture.parts)

    def object(self) -> QObject | None:  # type: ignore[override]
        return None

    def window(self) -> QWindow:
        return self._picture.window()

    def parent(self) -> QAccessibleInterface:
        return self._picture

    def child(self, index: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def childAt(self, x: int, y: int) -> QAccessibleInterface | None:  # type: ignore[override]
        return None

    def childCount(self) -> int:
        return 0

    def indexOfChild(self, child: QAccessibleInterface) -> int:
        return -1

    def role(self) -> QAccessible.Role:
        return self._part.role

    def state(self) -> QAccessible.State:
        state = QAccessible.State()
        state.selected = self._part.selected
        return state

    def rect(self) -> QRect:
        return self._part.rect.translated(self._picture.rect().topLeft())

    def text(self, kind: QAccessible.Text) -> str:
        if kind is _Text.Name:
            return self._part.name
        return self._part.description if kind is _Text.Description else ""

    def setText(self, kind: QAccessible.Text, text: str) -> None:
        pass
