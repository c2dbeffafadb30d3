"""Named controls: every field and button of the panels, those in closed cards and on other pages too, to be gone to."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from rnnviz.gui.shell.keyboard.areas import focus
from rnnviz.gui.shell.keyboard.reading_order import in_lines
from rnnviz.gui.widgets.folded import opener_of, owner_of


@dataclass(frozen=True)
class NamedControl:
    """A control by its words, "Forget bias, LSTM"; `enter` opens what hides it and gives it the keyboard."""

    words: str
    place: str
    about: str
    enter: Callable[[], None]


def named_controls(root: QWidget, place: str, show: Callable[[], None] | None = None) -> Iterator[NamedControl]:
    """Those in `root`, in reading order; `show` brings `root` to the front first."""
    for control in in_lines(_reachable(root), root):
        owner = owner_of(control)
        words = control.accessibleName() or (control.text() if isinstance(control, QAbstractButton) else "")
        if owner and owner not in words:
            words = f"{words}, {owner}"
        if words:
            about = control.toolTip() or control.accessibleDescription()
            yield NamedControl(words, place, about.partition("\n")[0], _entering(control, root, show))


def _reachable(root: QWidget) -> Iterable[QWidget]:
    """What takes Tab once what hides it is open."""
    for widget in root.findChildren(QWidget):
        tabbed = widget.focusPolicy().value & Qt.FocusPolicy.TabFocus.value and widget.focusProxy() is None
        openers = [opener_of(one) for one in _hiding(widget, root)]
        if tabbed and widget.isEnabled() and all(one is not None and one.isEnabled() for one in openers):
            yield widget


def _hiding(widget: QWidget, root: QWidget) -> list[QWidget]:
    """What is hidden in itself between `root` and `widget`, the innermost first."""
    found, one = list[QWidget](), cast("QWidget | None", widget)
    while one is not None and one is not root:
        if one.isHidden():
            found.append(one)
        one = one.parentWidget()
    return found


def _entering(control: QWidget, root: QWidget, show: Callable[[], None] | None) -> Callable[[], None]:
    def enter() -> None:
        if show is not None:
            show()
        for hidden in reversed(_hiding(control, root)):
            if (opener := opener_of(hidden)) is not None:
                opener.setChecked(True)
        focus(control)

    return enter
