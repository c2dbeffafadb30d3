"""Text scale: how much larger than designed text is drawn, and what holds it; one for the whole window.

A widget of Qt's own gets its font and its fixed sizes by `fit`, which are kept and made anew when the scale changes.
A widget that paints itself goes on in the pixels it was designed in: `painting`, `width` and `height` are in those.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import cache
from typing import Any
from weakref import WeakKeyDictionary

from PySide6.QtCore import QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QPainter
from PySide6.QtWidgets import QAbstractItemView, QWidget
from shiboken6 import isValid

from rnnviz.gui.look.painting import painting as painting_of

_PAGES_TO, _FORMS_TO = 1.5, 1.7
_NARROWED = 0.85
STEPS = (0.8, 0.9, 1.0, 1.1, 1.25, 1.5, 1.75, 2.0)

_now = [1.0]
_fitted: WeakKeyDictionary[QWidget, dict[str, Any]] = WeakKeyDictionary()


def text_scale() -> float:
    """What holds now; 1 is as designed."""
    return _now[0]


def stepped(scale: float, steps: int) -> float:
    """The scale so many steps above `scale`, or below; the last one where there are no more."""
    place = min(range(len(STEPS)), key=lambda one: abs(STEPS[one] - scale))
    return STEPS[min(max(place + steps, 0), len(STEPS) - 1)]


def px(pixels: float) -> int:
    """Pixels of the screen for so many of the design."""
    return round(pixels * _now[0])


def to_design(pixels: float) -> float:
    """Pixels of the design for so many of the screen."""
    return pixels if _now[0] == 1.0 else pixels / _now[0]


def set_text_scale(scale: float) -> None:
    """Fits every widget anew; the fonts and style sheets of the application are its caller's."""
    if scale == _now[0]:
        return
    _now[0] = scale
    for widget, sizes in list(_fitted.items()):
        if isValid(widget):
            _apply(widget, sizes)


@contextmanager
def as_designed() -> Iterator[None]:
    """What is made meanwhile is as large as designed: a figure, whose texts have a scale of their own."""
    before, _now[0] = _now[0], 1.0
    try:
        yield
    finally:
        _now[0] = before


def fit(
    widget: QWidget,
    *,
    width: int | None = None,
    height: int | None = None,
    least_width: int | None = None,
    least_height: int | None = None,
    most_height: int | None = None,
    least_form: int | None = None,
    field_width: int | None = None,
    icon: int | None = None,
    icon_height: int | None = None,
    rows: int | None = None,
    wraps: bool | None = None,
    sideways: bool | None = None,
    font: QFont | None = None,
) -> None:
    """Gives the widget sizes and a font in pixels of the design, now and at every other scale.

    `least_width`, of a form `least_form`, and what a field of `field_width` can do with stop growing before the text
    does, so that columns leave the lanes some room; `icon_height`: of a row of icons, which never become smaller;
    `rows`: the height of an item view's rows; `wraps`: large words may stand in two lines; `sideways`:
    what is scrolled is so sideways too, where it is large.
    """
    wanted = {
        "width": width,
        "height": height,
        "least_width": least_width,
        "least_height": least_height,
        "most_height": most_height,
        "least_form": least_form,
        "field_width": field_width,
        "icon": icon,
        "icon_height": icon_height,
        "rows": rows,
        "wraps": wraps,
        "sideways": sideways,
        "font": font,
    }
    changed = {name: value for name, value in wanted.items() if value is not None}
    _fitted.setdefault(widget, {}).update(changed)
    _apply(widget, changed)


def painting(widget: QWidget) -> AbstractContextManager[QPainter]:
    """Paints on `widget` in pixels of the design, as a paintEvent does."""
    return painting_of(widget, _now[0])


def width(widget: QWidget) -> int:
    """In pixels of the design."""
    return round(to_design(widget.width()))


def height(widget: QWidget) -> int:
    """In pixels of the design."""
    return round(to_design(widget.height()))


def rect(widget: QWidget) -> QRect:
    """In pixels of the design."""
    return QRect(0, 0, width(widget), height(widget))


def seen(widget: QWidget) -> QRectF:
    """What is seen of it, in pixels of the design."""
    box = QRectF(widget.visibleRegion().boundingRect())
    return QRectF(to_design(box.left()), to_design(box.top()), to_design(box.width()), to_design(box.height()))


def row_box(painter: QPainter, box: QRect) -> QRect:
    """Makes `painter` draw in pixels of the design, and returns the box of a row in those."""
    if _now[0] == 1.0:
        return box
    painter.translate(box.topLeft())
    painter.scale(_now[0], _now[0])
    return QRect(0, 0, round(to_design(box.width())), round(to_design(box.height())))


def font(designed: QFont) -> QFont:
    """The font for text that Qt lays out, or that is painted in pixels of the screen."""
    result = QFont(designed)
    result.setPixelSize(max(1, px(designed.pixelSize())))
    return result


def size(width: float, height: float) -> QSize:
    """A size hint of so many pixels of the design."""
    return QSize(px(width), px(height))


@cache
def _sheet(text: str, scale: float) -> str:
    def scaled(found: re.Match[str]) -> str:
        return f"{found[1]}: {round(int(found[2]) * scale)}px"

    lines = text.split("\n")
    return "\n".join(line if line.startswith("QScrollBar") else _SIZES.sub(scaled, line) for line in lines)


def in_sheet(text: str) -> str:
    """A style sheet with its fonts, and the boxes that belong to a line of text, at the scale; its borders,
    paddings and scroll bars stay."""
    return text if _now[0] == 1.0 else _sheet(text, _now[0])


_SIZES = re.compile(
    r"(font-size|margin-top|border-radius|(?<![-\w])width|(?<![-\w])height|min-height|max-height): ([7-9]|\d\d+)px"
)


def _set_least_width(widget: QWidget, pixels: int) -> None:
    wanted = round(pixels * min(_now[0], _PAGES_TO))
    widget.setMinimumWidth(wanted if _now[0] <= 1.0 else min(wanted, widget.screen().availableSize().width()))


def _set_field_width(widget: QWidget, pixels: int) -> None:
    widget.setMinimumWidth(round(_NARROWED * pixels * min(_now[0], _PAGES_TO)))  # beside a long label
    widget.setMaximumWidth(px(pixels))


def _set_sideways(widget: Any, sideways: bool) -> None:
    policies = Qt.ScrollBarPolicy
    large = sideways and _now[0] > 1.0
    widget.setHorizontalScrollBarPolicy(policies.ScrollBarAsNeeded if large else policies.ScrollBarAlwaysOff)


def _set_rows(widget: Any, pixels: int) -> None:
    widget.verticalHeader().setDefaultSectionSize(px(pixels))


_SETTERS: Mapping[str, Callable[[Any, Any], None]] = {
    "width": lambda widget, pixels: widget.setFixedWidth(px(pixels)),
    "height": lambda widget, pixels: widget.setFixedHeight(px(pixels)),
    "least_width": _set_least_width,
    "least_form": lambda widget, pixels: widget.setMinimumWidth(round(pixels * min(_now[0], _FORMS_TO))),
    "field_width": _set_field_width,
    "icon": lambda widget, pixels: widget.setIconSize(QSize(px(pixels), px(pixels))),
    "icon_height": lambda widget, pixels: widget.setFixedHeight(max(pixels, px(pixels))),
    "sideways": _set_sideways,
    "wraps": lambda widget, wraps: widget.setWordWrap(wraps and _now[0] > 1.0),
    "least_height": lambda widget, pixels: widget.setMinimumHeight(px(pixels)),
    "most_height": lambda widget, pixels: widget.setMaximumHeight(px(pixels)),
    "rows": _set_rows,
    "font": lambda widget, designed: widget.setFont(font(designed)),
}


def _apply(widget: QWidget, sizes: Mapping[str, Any]) -> None:
    for name, value in sizes.items():
        _SETTERS[name](widget, value)
    if isinstance(widget, QAbstractItemView):
        widget.scheduleDelayedItemsLayout()
