"""Reading order of what can take the keyboard: line by line, as it is drawn and not as it was made."""

from collections.abc import Iterable

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtWidgets import QWidget


def controls(root: QWidget) -> list[QWidget]:
    """`root` and what lies in it, as far as Tab may go there now, in reading order, or in that of its own `stops`."""
    own: list[QWidget] | None = getattr(root, "stops", None)
    if own is not None:
        return [widget for widget in own if takes_tab(widget)]
    found = [widget for widget in (root, *root.findChildren(QWidget)) if takes_tab(widget)]
    return in_lines(found, root.window()) if len(found) > 1 else found


def takes_tab(widget: QWidget) -> bool:
    """Whether a person can get to `widget` with Tab as things are."""
    tabbed = Qt.FocusPolicy.TabFocus.value & widget.focusPolicy().value
    return bool(tabbed) and widget.isVisible() and widget.isEnabled() and widget.focusProxy() is None


def in_lines(widgets: Iterable[QWidget], window: QWidget) -> list[QWidget]:
    """From top to bottom; what lies beside the highest of a line, from left to right."""
    places = [(QRect(widget.mapTo(window, QPoint(0, 0)), widget.size()), widget) for widget in widgets]
    lines: list[list[tuple[QRect, QWidget]]] = []
    for place, widget in sorted(places, key=lambda each: (each[0].top(), each[0].left())):
        if not lines or place.center().y() > lines[-1][0][0].bottom():
            lines.append([])
        lines[-1].append((place, widget))
    return [widget for line in lines for _, widget in sorted(line, key=lambda each: each[0].left())]
