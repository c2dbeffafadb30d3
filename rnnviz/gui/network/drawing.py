"""Drawing: what a picture is made of, as values; it is painted on whatever a painter paints on, screen or page."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import hypot
from typing import Protocol

import numpy as np
from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPen, QPolygonF

from rnnviz.core.arrays import Array
from rnnviz.gui.canvas.items.canvas_item import pen
from rnnviz.gui.widgets import marked_text

_CORNER = 5.0  # pixels by which the corners of a wire are rounded
_AIR = 2.0  # pixels around a text that no other one enters


@dataclass(frozen=True, slots=True)
class Target:
    """What lies at a place: a click goes there. What it does not say stays as it is."""

    model: int | None = None  # index among the models shown
    layer: str = ""
    time_step: int | None = None
    operation: str | None = None
    node: str = ""  # whose values are there: what-if and origin
    parameter: str = ""  # torch's name without the layer; "head.weight"
    phase: str = ""  # "loss" or "update"
    level: str = ""  # of the view


@dataclass(eq=False, slots=True)  # frozen ones take three times as long to make, some hundred a frame
class Text:
    """Markup on its baseline, to the right of x, to its left, or around it. One that is `spare` goes where room is
    short: first to one of its `spots`, another x and baseline, then out of the picture."""

    key: str
    x: float
    baseline: float
    markup: str
    size: int
    color: QColor
    align: float = 0.0  # 0: begins at x, 0.5: is centred there, 1: ends there
    bold: bool = False
    spare: bool = False
    spots: tuple[tuple[float, float], ...] = ()

    @property
    def width(self) -> float:
        return marked_text.width(self.markup, self.size, bold=self.bold)

    @property
    def rect(self) -> QRectF:
        wide = self.width
        return QRectF(self.x - self.align * wide, self.baseline - 0.8 * self.size, wide, self.size)


@dataclass(eq=False, slots=True)
class Box:
    """A rounded rectangle."""

    key: str
    rect: QRectF
    border: QColor | None
    width: float = 1.3
    fill: QColor | None = None
    radius: float = 7.0


@dataclass(eq=False, slots=True)
class Strip:
    """Values as a row of colours."""

    key: str
    rect: QRectF
    image: QImage  # of one row
    pixels: Array  # what the image shows; Qt does not copy it
    values: Array  # (U,) as they are coloured


@dataclass(eq=False, slots=True)
class Line:
    """Straight parts with rounded corners; a `head` at the end."""

    key: str
    points: tuple[QPointF, ...]
    color: QColor
    width: float = 1.4
    head: float = 0.0  # pixels of its length
    dashed: bool = False


@dataclass(eq=False, slots=True)
class Circle:
    """A disc: an operation without a symbol of its own, or where a wire branches."""

    key: str
    centre: QPointF
    radius: float
    border: QColor | None
    width: float = 1.3
    fill: QColor | None = None


class Painted(Protocol):
    """A mark that paints itself: what only some pictures have."""

    key: str

    def paint(self, painter: QPainter) -> None: ...


Mark = Text | Box | Strip | Line | Circle | Painted


@dataclass(eq=False, slots=True)
class Region:
    """A place that can be pressed or hovered, and what it is in words."""

    rect: QRectF
    target: Target
    words: str = ""


@dataclass(eq=False)
class Drawing:
    """Marks in the order in which they are painted, and the places among them."""

    marks: list[Mark] = field(default_factory=list)
    regions: list[Region] = field(default_factory=list)

    def add(self, *marks: Mark) -> None:
        self.marks.extend(marks)

    def place(self, rect: QRectF, target: Target, words: str = "") -> None:
        """Something that can be pressed; what comes later lies above."""
        self.regions.append(Region(rect, target, words))

    def at(self, point: QPointF) -> Region | None:
        """What is under a point."""
        return next((region for region in reversed(self.regions) if region.rect.contains(point)), None)

    @property
    def texts(self) -> dict[str, str]:
        """By key what is written."""
        return {mark.key: mark.markup for mark in self.marks if isinstance(mark, Text)}

    def mark(self, key: str) -> Mark:
        """The mark of this key; KeyError where there is none."""
        found = next((mark for mark in self.marks if mark.key == key), None)
        if found is None:
            raise KeyError(key)
        return found

    def without_overlaps(self) -> "Drawing":
        """The same without the spare texts that would lie on another text, a strip, a line or the border of a box."""
        spare = [mark for mark in self.marks if isinstance(mark, Text) and mark.spare]
        if not spare:
            return self
        fixed: list[QRectF] = []
        for mark in self.marks:
            if isinstance(mark, Strip) or (isinstance(mark, Text) and not mark.spare):
                fixed.append(mark.rect)
            elif isinstance(mark, Line):
                fixed += _covered(mark)
            elif isinstance(mark, Box) and mark.border is not None:
                fixed += _border(mark)
        taken = np.zeros((len(fixed) + len(spare), 4))
        taken[: len(fixed)] = [_edges(rect) for rect in fixed]
        count, places = len(fixed), dict[int, Text | None]()
        for text in spare:
            found = next((one for one in _tried(text) if not _meets(one, taken[:count])), None)
            places[id(text)] = found
            if found is not None:
                taken[count] = _edges(_with_air(found))
                count += 1
        marks = [places.get(id(mark), mark) for mark in self.marks]
        return Drawing([mark for mark in marks if mark is not None], self.regions)

    def paint(self, painter: QPainter) -> None:
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for mark in self.marks:
            match mark:
                case Text():
                    _paint_text(painter, mark)
                case Line():
                    _paint_line(painter, mark)
                case Strip():
                    _paint_strip(painter, mark)
                case Box():
                    _outline(painter, mark.border, mark.width, mark.fill)
                    painter.drawRoundedRect(mark.rect, mark.radius, mark.radius)
                case Circle():
                    _outline(painter, mark.border, mark.width, mark.fill)
                    painter.drawEllipse(mark.centre, mark.radius, mark.radius)
                case _:
                    mark.paint(painter)


def _paint_text(painter: QPainter, mark: Text) -> None:
    x = mark.x - (mark.align * mark.width if mark.align else 0.0)
    marked_text.draw(painter, x, mark.baseline, mark.markup, mark.size, mark.color, bold=mark.bold)


def _outline(painter: QPainter, border: QColor | None, width: float, fill: QColor | None) -> None:
    painter.setPen(Qt.PenStyle.NoPen if border is None else pen(border, width))
    painter.setBrush(Qt.BrushStyle.NoBrush if fill is None else fill)


def _paint_strip(painter: QPainter, mark: Strip) -> None:
    painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, False)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
    painter.drawImage(mark.rect, mark.image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing, True)


def _paint_line(painter: QPainter, mark: Line) -> None:
    style = Qt.PenStyle.DashLine if mark.dashed else Qt.PenStyle.SolidLine
    painter.setPen(QPen(mark.color, mark.width, style, Qt.PenCapStyle.FlatCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    points = list(mark.points)
    if mark.head:
        points[-1] = _short_of(points[-2], points[-1], mark.head * 0.7)
    if len(points) == 2:
        painter.drawLine(points[0], points[1])
    else:
        painter.drawPath(_rounded(points))
    if mark.head:
        _paint_head(painter, mark.points[-2], mark.points[-1], mark.head, mark.color)


def _paint_head(painter: QPainter, before: QPointF, tip: QPointF, length: float, color: QColor) -> None:
    long = _length(before, tip) or 1.0
    dx, dy = (tip.x() - before.x()) / long, (tip.y() - before.y()) / long
    base, half = QPointF(tip.x() - length * dx, tip.y() - length * dy), 0.5 * length
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(color)
    left = QPointF(base.x() - half * dy, base.y() + half * dx)
    right = QPointF(base.x() + half * dy, base.y() - half * dx)
    painter.drawPolygon(QPolygonF([tip, left, right]))


def _edges(rect: QRectF) -> tuple[float, float, float, float]:
    return rect.left(), rect.top(), rect.right(), rect.bottom()


def _tried(text: Text) -> Iterator[Text]:
    """A spare text where it belongs, then at its other spots."""
    yield text
    for x, baseline in text.spots:
        yield replace(text, x=x, baseline=baseline)


def _with_air(text: Text) -> QRectF:
    return text.rect.adjusted(-_AIR, 0, _AIR, 0)


def _meets(text: Text, taken: Array) -> bool:
    """Whether a text lies on anything of `taken`, (N, 4) edges."""
    left, top, right, bottom = _edges(_with_air(text))
    meets = (taken[:, 0] < right) & (taken[:, 2] > left) & (taken[:, 1] < bottom) & (taken[:, 3] > top)
    return bool(meets.any())


def _covered(mark: Line) -> Iterator[QRectF]:
    """What a line covers, part by part."""
    half = max(mark.width, 1.0) / 2
    for one, other in zip(mark.points, mark.points[1:], strict=False):
        yield QRectF(one, other).normalized().adjusted(-half, -half, half, half)
    if mark.head:
        before, tip = mark.points[-2:]
        base = _short_of(before, tip, mark.head)
        side = mark.head / 2
        across = QPointF(side, 0) if abs(tip.y() - before.y()) > abs(tip.x() - before.x()) else QPointF(0, side)
        yield QRectF(base - across, tip + across).normalized()


def _border(mark: Box) -> Iterator[QRectF]:
    """The four sides of a box."""
    half = mark.width / 2
    left, top, right, bottom = _edges(mark.rect)
    for side in (
        (left, top, right, top),
        (left, bottom, right, bottom),
        (left, top, left, bottom),
        (right, top, right, bottom),
    ):
        yield QRectF(QPointF(*side[:2]), QPointF(*side[2:])).adjusted(-half, -half, half, half)


def _short_of(before: QPointF, tip: QPointF, by: float) -> QPointF:
    long = _length(before, tip)
    return before + (tip - before) * (max(long - by, 0.0) / long if long else 0.0)


def _rounded(points: Sequence[QPointF]) -> QPainterPath:
    path = QPainterPath(points[0])
    for before, here, after in zip(points, points[1:], points[2:], strict=False):
        cut = min(_CORNER, _length(before, here) / 2, _length(here, after) / 2)
        path.lineTo(_short_of(before, here, cut))
        path.quadTo(here, _short_of(after, here, cut))
    path.lineTo(points[-1])
    return path


def _length(one: QPointF, other: QPointF) -> float:
    return hypot(other.x() - one.x(), other.y() - one.y())


# from one drawing to another


def between(old: Drawing, new: Drawing, share: float) -> Drawing:
    """What is seen on the way from one to the other: what both have moves, the rest fades out or in."""
    if share >= 1:
        return new
    before = {mark.key: mark for mark in old.marks}
    after = {mark.key for mark in new.marks}
    marks: list[Mark] = [_faded(mark, 1 - 2 * share) for mark in old.marks if mark.key not in after and share < 0.5]
    for mark in new.marks:
        found = before.get(mark.key)
        if found is None or type(found) is not type(mark):
            marks.append(_faded(mark, 2 * share - 1 if share > 0.5 else 0.0))
        else:
            marks.append(_moved(found, mark, share))
    return Drawing(marks, new.regions)


def _faded(mark: Mark, opacity: float) -> Mark:
    opacity = min(max(opacity, 0.0), 1.0)
    match mark:
        case Text() | Line():
            return replace(mark, color=_thin(mark.color, opacity))
        case Box() | Circle():
            return replace(mark, border=_thin(mark.border, opacity), fill=_thin(mark.fill, opacity))
        case Strip():
            return mark if opacity > 0.5 else replace(mark, rect=QRectF())
        case _:
            return mark


def _thin(color: QColor | None, opacity: float) -> QColor:
    found = QColor(color) if color is not None else QColor(0, 0, 0, 0)
    found.setAlphaF(found.alphaF() * opacity)
    return found


def _moved(old: Mark, new: Mark, share: float) -> Mark:
    match old, new:
        case Text(), Text():
            x, y = _mixed(old.x, new.x, share), _mixed(old.baseline, new.baseline, share)
            return replace(new, x=x, baseline=y)
        case Box(), Box():
            return replace(new, rect=_mixed_rect(old.rect, new.rect, share))
        case Strip(), Strip():
            return replace(new, rect=_mixed_rect(old.rect, new.rect, share))
        case Circle(), Circle():
            return replace(new, centre=old.centre + (new.centre - old.centre) * share)
        case Line(), Line() if len(old.points) == len(new.points):
            pairs = zip(old.points, new.points, strict=True)
            return replace(new, points=tuple(one + (other - one) * share for one, other in pairs))
    return new


def _mixed(one: float, other: float, share: float) -> float:
    return one + (other - one) * share


def _mixed_rect(one: QRectF, other: QRectF, share: float) -> QRectF:
    return QRectF(
        _mixed(one.left(), other.left(), share),
        _mixed(one.top(), other.top(), share),
        _mixed(one.width(), other.width(), share),
        _mixed(one.height(), other.height(), share),
    )
