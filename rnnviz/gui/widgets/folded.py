"""Folded: a part of a card that a button opens, and the name of what a card is about."""

from PySide6.QtWidgets import QAbstractButton, QWidget

_OPENER, _OWNER = "opened_by", "about"


def fold(part: QWidget, opener: QAbstractButton) -> None:
    """Hides `part` until `opener` is checked."""
    part.setProperty(_OPENER, opener)
    part.hide()
    opener.toggled.connect(part.setVisible)


def opener_of(part: QWidget) -> QAbstractButton | None:
    """What opens `part`; None where nothing does."""
    found = part.property(_OPENER)
    return found if isinstance(found, QAbstractButton) else None


def set_owner(card: QWidget, name: str) -> None:
    """Says whose settings `card` holds."""
    card.setProperty(_OWNER, name)


def owner_of(control: QWidget) -> str:
    """Whose setting it is: the model's name; "" where it is nobody's alone."""
    one: QWidget | None = control
    while one is not None:
        if isinstance(name := one.property(_OWNER), str):
            return name
        one = one.parentWidget()
    return ""
