"""What an item draws, written down instead of painted: texts, areas, lines, dots and pictures in scene pixels."""

from dataclasses import dataclass, field

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QImage, QPen, QPolygonF, QTransform

from rnnviz.gui.canvas.items.canvas_item import CanvasItem

Point = tuple[float, float]
_SUPERSCRIPTS = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹−", "-0123456789-")


@dataclass(frozen=True)
class Text:
    """`x` is where it begins, ends or has its middle, as it is aligned; `y` the middle of its box or its base line."""

    words: str
    x: float
    y: float
    color: QColor


@dataclass(frozen=True)
class Area:
    """A filled rectangle, or one with a frame."""

    rect: QRectF
    color: QColor | None  # None: not filled
    frame: QColor | None


@dataclass(frozen=True)
class Stroke:
    """A line through `points`."""

    points: tuple[Point, ...]
    color: QColor


@dataclass(frozen=True)
class Shape:
    """A filled polygon."""

    points: tuple[Point, ...]
    color: QColor


@dataclass(frozen=True)
class Dot:
    """A filled circle around a point."""

    place: Point
    color: QColor


@dataclass(frozen=True)
class Picture:
    """An image, of which `source` is drawn into `rect`."""

    rect: QRectF
    image: QImage
    source: QRectF

    def color_at(self, x: float, y: float) -> str:
        """#rrggbb at a scene pixel, neither smoothed nor rounded."""
        across, down = (x - self.rect.left()) / self.rect.width(), (y - self.rect.top()) / self.rect.height()
        column, row = (
            self.source.left() + across * self.source.width(),
            self.source.top() + down * self.source.height(),
        )
        return self.image.pixelColor(int(column), int(row)).name()


@dataclass
class Drawn:
    """Stands in for a painter, and keeps what it is told to draw, in order."""

    texts: list[Text] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    strokes: list[Stroke] = field(default_factory=list)
    dots: list[Dot] = field(default_factory=list)
    shapes: list[Shape] = field(default_factory=list)
    pictures: list[Picture] = field(default_factory=list)
    _pen: QColor | None = None
    _brush: QColor | None = None

    def setPen(self, pen: QPen | QColor | Qt.PenStyle) -> None:
        none = pen == Qt.PenStyle.NoPen
        self._pen = None if none else QColor(pen.color() if isinstance(pen, QPen) else pen)  # type: ignore[arg-type]

    def setBrush(self, brush: QBrush | QColor | Qt.BrushStyle) -> None:
        self._brush = QColor(brush) if isinstance(brush, QColor) else None

    def drawText(self, place: QRectF | QPointF, *rest: object) -> None:
        assert self._pen is not None
        words = str(rest[-1])
        if isinstance(place, QPointF):
            self.texts.append(Text(words, place.x(), place.y(), self._pen))
            return
        aligned = rest[0]
        assert isinstance(aligned, Qt.AlignmentFlag)
        x = place.center().x() if aligned & Qt.AlignmentFlag.AlignHCenter else place.left()
        x = place.right() if aligned & Qt.AlignmentFlag.AlignRight else x
        self.texts.append(Text(words, x, place.center().y(), self._pen))

    def fillRect(self, rect: QRectF, color: QColor) -> None:
        self.areas.append(Area(QRectF(rect), QColor(color), None))

    def drawRect(self, rect: QRectF) -> None:
        self.areas.append(Area(QRectF(rect), self._brush, self._pen))

    def drawRoundedRect(self, rect: QRectF, _across: float, _down: float) -> None:
        self.drawRect(rect)

    def drawLine(self, start: QPointF, end: QPointF) -> None:
        self.drawPolyline(QPolygonF([start, end]))

    def drawPoint(self, place: QPointF) -> None:
        self.drawPolyline(QPolygonF([place]))

    def drawPolyline(self, points: QPolygonF) -> None:
        assert self._pen is not None
        self.strokes.append(Stroke(tuple((point.x(), point.y()) for point in points.toList()), self._pen))

    def drawPolygon(self, points: QPolygonF | list[QPointF]) -> None:
        corners = points.toList() if isinstance(points, QPolygonF) else points
        self.shapes.append(Shape(tuple((point.x(), point.y()) for point in corners), self._brush or QColor()))

    def drawEllipse(self, middle: QPointF, _across: float, _down: float) -> None:
        assert self._brush is not None
        self.dots.append(Dot((middle.x(), middle.y()), self._brush))

    def drawImage(self, rect: QRectF, image: QImage, source: QRectF | None = None) -> None:
        source = QRectF(source or image.rect())
        self.pictures.append(Picture(QRectF(rect), image.copy(), source))

    def deviceTransform(self) -> QTransform:
        return QTransform()

    def ignore(self, *_arguments: object) -> None:
        """What has no place of its own."""

    setFont = setClipRect = setRenderHint = drawPath = save = restore = ignore


def drawn_by(item: CanvasItem) -> Drawn:
    """All that an item draws where it lies; nothing where it is hidden."""
    drawn = Drawn()
    if item.isVisible():
        item._exposed = item.boundingRect()
        item.draw(drawn)  # type: ignore[arg-type]
    return drawn


def number(words: str) -> float:
    """A number as it is written beside an axis: −0.5, 10⁻⁵, 1.2·10⁷."""
    words = words.replace("·10", "e").translate(_SUPERSCRIPTS) if "·10" in words else words
    if words.startswith("10") and len(words) > 2 and words[2] in "⁻⁰¹²³⁴⁵⁶⁷⁸⁹":
        words = "1e" + words[2:]
    return float(words.translate(_SUPERSCRIPTS))
