"""Where the name of a curve goes: near its own curve, away from the others and from names already placed."""

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QFont, QFontMetricsF

from rnnviz.core.arrays import Array

_GAP = 4.0  # pixels between a curve and its name
_TRIES = 17  # places along the curve that are tried
_LOWEST_SCORE = -8.0  # a name that would lie on a curve is left out: the colour is explained in the header
_CLEAR = 2.0  # pixels that must be free around a name for it to stay where it is

Shape = tuple[str, Array, Array]  # name, x and y in pixels


def place_labels(
    shapes: Sequence[Shape], frame: QRectF, font: QFont, before: Mapping[str, QRectF], lines: Sequence[float] = ()
) -> dict[str, QRectF]:
    """A box for each named curve, inside `frame`, rather not on one of the grid `lines` (pixels y).

    Boxes of `before` are kept while they are clear of all curves.
    """
    metrics = QFontMetricsF(font)
    places: dict[str, QRectF] = {}
    for name, x, y in shapes:
        if not name or not np.isfinite(y).any():
            continue
        width, height = metrics.horizontalAdvance(name) + 6, metrics.height()
        kept = before.get(name)
        if kept is not None and room_around(kept, shapes, places) >= _CLEAR and _distance(kept, x, y) < 26:
            places[name] = kept
            continue
        best, best_score = None, -np.inf
        for box in _candidates(x, y, width, height, frame):
            room = room_around(box, shapes, places)
            middle = abs(box.center().x() - frame.center().x()) / frame.width()
            struck = any(box.top() + 4 < line < box.bottom() - 4 for line in lines)
            score = min(room, 10.0) - 3.0 * middle - 0.15 * _distance(box, x, y) - 1.5 * struck
            if score > best_score:
                best, best_score = box, score
        if best is not None and best_score > _LOWEST_SCORE:
            places[name] = best
    return places


def _candidates(x: Array, y: Array, width: float, height: float, frame: QRectF) -> list[QRectF]:
    """Boxes just above and just below the curve at places spread over the frame."""
    boxes = []
    for left in np.linspace(frame.left() + 8, frame.right() - width - 8, _TRIES):
        under = np.isfinite(y) & (x >= left) & (x <= left + width)
        if not under.any():
            continue
        above, below = y[under].min() - _GAP - height, y[under].max() + _GAP
        for top in (above, below):
            box = QRectF(left, top, width, height)
            if frame.contains(box):
                boxes.append(box)
    return boxes


def room_around(box: QRectF, shapes: Sequence[Shape], places: Mapping[str, QRectF]) -> float:
    """Pixels between the box and the nearest curve or name; negative where they overlap."""
    room = 40.0
    for _, x, y in shapes:
        room = min(room, _distance(box, x, y))
    for other in places.values():
        if other.adjusted(-6, -2, 6, 2).intersects(box):
            return -20.0
    return room


def _distance(box: QRectF, x: Array, y: Array) -> float:
    """Vertical pixels between the box and the part of a curve that runs above or below it; −10 where it crosses."""
    near = np.isfinite(y) & (x >= box.left() - 4) & (x <= box.right() + 4)
    if not near.any():
        return 40.0
    part = y[near]
    crossing = (part.min() <= box.bottom()) & (part.max() >= box.top())
    if crossing:
        return -10.0
    return float(min(np.abs(part - box.top()).min(), np.abs(part - box.bottom()).min()))
