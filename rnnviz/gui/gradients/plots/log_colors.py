"""Colours of magnitudes: log₁₀ between two powers of ten, and what lies on no such scale in colours no map contains."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF
from PySide6.QtGui import QColor, QImage

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import power
from rnnviz.gui.gradients.plots.marks import Raster
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Theme
from rnnviz.gui.network.drawing import Box, Drawing, Line, Text

# In this order: where a picture has fewer pixels than cells, the last of the cells of a pixel wins.
NOTHING, ZERO, LOST, DENORMAL, _FIRST = 0, 1, 2, 3, 4
_LAST = _FIRST + 255
INFINITE, NAN = _LAST + 1, _LAST + 2
WORDS = {
    ZERO: "exactly 0",
    LOST: "0 in float32",
    DENORMAL: "denormal",
    INFINITE: "+∞",
    NAN: "NaN",
}
_BAR, _BESIDE = 9.0, 5.0
BAR_ROOM = 46.0  # pixels that a colour bar takes with its words
_ODD = 10_000.0  # beyond all log₁₀, for what is no magnitude
_LEAST_DECADES = 4


@dataclass(frozen=True)
class LogColors:
    """The colours of 10^low to 10^high; smaller and larger values do not occur, so nothing is clipped."""

    low: float
    high: float

    @staticmethod
    def of(magnitudes: Sequence[Array]) -> "LogColors":
        """Whole powers of ten that hold all finite magnitudes but zero."""
        ends = []
        for array in magnitudes:
            known = array[np.isfinite(array) & (array > 0)]
            if known.size:
                ends.append((float(np.log10(known.min())), float(np.log10(known.max()))))
        return LogColors.between(ends)

    @staticmethod
    def between(ends: Sequence[tuple[float, float]]) -> "LogColors":
        """Whole powers of ten that hold all stretches of log₁₀ magnitudes."""
        if not ends:
            return LogColors(-float(_LEAST_DECADES), 0.0)
        high = float(np.ceil(max(end for _, end in ends) - 1e-9))
        return LogColors(min(float(np.floor(min(start for start, _ in ends) + 1e-9)), high - _LEAST_DECADES), high)

    def places(self, magnitudes: Array, marks: Array | None = None) -> Array:
        """Places in `table`, of the shape of `magnitudes`; `marks` of the same shape hold ZERO, LOST, … or 0, which
        says nothing."""
        with np.errstate(all="ignore"):
            found = self.log_places(np.log10(np.asarray(magnitudes, np.float64)))
        found[magnitudes == 0] = ZERO
        found[np.isposinf(magnitudes)] = INFINITE
        found[np.isnan(magnitudes)] = NAN
        if marks is not None:
            found = np.where(marks > 0, marks, found)
        return np.asarray(found)

    def log_places(self, logs: Array) -> Array:
        """The same of finite log₁₀ magnitudes; what is not finite lies at an end, to be marked."""
        with np.errstate(all="ignore"):
            share = np.rint((logs - self.low) * (255 / (self.high - self.low)))
        held = np.clip(np.nan_to_num(share, nan=0, posinf=255, neginf=0), 0, 255)
        return np.asarray(_FIRST + held.astype(np.int32))

    def places_of(self, standing: Array) -> Array:
        """Places of what `standing` orders."""
        found = np.clip(self.log_places(standing), _FIRST, _LAST)
        odd = np.abs(standing) >= _ODD
        found[odd] = np.rint(np.where(standing[odd] > 0, standing[odd] - _ODD, standing[odd] + 2 * _ODD)).astype(int)
        return found


def standing(logs: Array, marks: Array, reached: Array) -> Array:
    """float32 of the shape of log₁₀ magnitudes, the larger the more a cell stands out: first those not `reached`, then
    marks below the scale, magnitudes, and marks above it."""
    found = np.where(marks > _LAST, marks + _ODD, np.where(marks > 0, marks - 2 * _ODD, logs))
    return np.where(reached, found, -2 * _ODD).astype(np.float32)


def table(look: Theme) -> Array:
    """(N,) uint32 0xffRRGGBB by place."""
    odd = QColor(look.not_finite)
    good = look.color("good")
    special = [look.color("panel"), look.mixed(good, 0.13), look.mixed(good, 0.45), look.mixed(good, 0.8)]
    colors = np.concatenate([_rgb(special), look.magnitude_map().astype(np.uint32), _rgb([odd.lighter(135), odd])])
    return np.asarray(0xFF000000 | colors[:, 0] << 16 | colors[:, 1] << 8 | colors[:, 2], dtype=np.uint32)


def color_of(look: Theme, place: int) -> QColor:
    """The colour of a place of the table."""
    return QColor.fromRgba(int(table(look)[place]))


def _rgb(colors: Sequence[QColor]) -> Array:
    return np.array([[c.red(), c.green(), c.blue()] for c in colors], np.uint32)


def raster(key: str, rect: QRectF, values: Array, places: Array, look: Theme) -> Raster:
    """The picture of (rows, columns) `places`, row 0 at the top; no finer than the screen: of the cells of a pixel that
    is shown which stands out most, so that no picture drops the one that matters."""
    shown = most(places, rect)
    pixels = np.ascontiguousarray(table(look)[shown])
    rows, columns = pixels.shape
    image = QImage(pixels.data, columns, rows, 4 * columns, QImage.Format.Format_RGB32)
    return Raster(key, rect, image, pixels, values)


def most(order: Array, rect: QRectF) -> Array:
    """(rows, columns) no finer than two a pixel of `rect`, each the most of its cells."""
    return _most(_most(order, max(int(2 * rect.height()), 1), 0), max(int(2 * rect.width()), 1), 1)


def _most(places: Array, bins: int, axis: int) -> Array:
    length = places.shape[axis]
    if length <= bins:
        return places
    return np.asarray(np.maximum.reduceat(places, np.arange(bins) * length // bins, axis=axis))


def draw_bar(
    drawing: Drawing,
    area: QRectF,
    colors: LogColors,
    look: Theme,
    odd: Sequence[int] = (),
    threshold: float | None = None,
) -> None:
    """The colour bar from below to above, below it what lies on no scale: `odd` places that occur, each with its word.

    `threshold`: log₁₀, a mark beside the bar.
    """
    muted = look.color("muted")
    below = 15.0 * len(odd)
    bar = QRectF(area.left() + _BESIDE, area.top(), _BAR, max(area.height() - below - (4 if odd else 0), 12))
    places = np.arange(_LAST, _FIRST - 1, -1)[:, None]
    drawing.add(raster("bar", bar, places, places, look))
    drawing.add(Box("bar frame", bar, look.color("line"), 1.0, radius=0.0))
    step = max(1, int(np.ceil((colors.high - colors.low) / max(bar.height() / 26, 1))))
    for decade in range(int(colors.high), int(colors.low) - 1, -step):
        y = bar.bottom() - (decade - colors.low) / (colors.high - colors.low) * bar.height()
        baseline = min(max(y + 4, bar.top() + 9), bar.bottom())
        drawing.add(Text(f"decade {decade}", bar.right() + _BESIDE, baseline, power(decade), fonts.SMALL, muted))
    if threshold is not None and colors.low < threshold < colors.high:
        y = bar.bottom() - (threshold - colors.low) / (colors.high - colors.low) * bar.height()
        ends = QPointF(bar.left() - 3, y), QPointF(bar.right() + 3, y)
        drawing.add(Line("threshold", ends, look.color("text"), 1.6))
    for number, place in enumerate(sorted(odd)):
        y = bar.bottom() + 6 + 15 * number
        drawing.add(
            Box(f"odd {place}", QRectF(bar.left(), y, _BAR, 9), look.color("line"), 1.0, color_of(look, place), 0.0)
        )
        words = {ZERO: "0", LOST: "lost", DENORMAL: "tiny"}.get(place, WORDS[place])
        drawing.add(Text(f"odd word {place}", bar.right() + _BESIDE, y + 8.5, words, fonts.SMALL, muted))


def odd_places(places: Sequence[Array]) -> tuple[int, ...]:
    """Which of the marks occur."""
    found = set[int]()
    for array in places:
        present = np.bincount(array.ravel(), minlength=NAN + 1) > 0
        found |= {place for place in WORDS if present[place]}
    return tuple(sorted(found))
