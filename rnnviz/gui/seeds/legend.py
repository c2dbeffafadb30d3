"""Legend of the bands: each setting with its line, its solved-rate and what it came to."""

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from rnnviz.gui.look import fonts, scale
from rnnviz.gui.seeds import words
from rnnviz.gui.seeds.band_plot import Pens
from rnnviz.gui.seeds.seeds_reading import ShownSeeds

_LINE, _SWATCH, _PAD, _GAP = 22, 26, 8, 14  # pixels


class Legend(QWidget):
    """A line for each setting; `lines` is what stands there."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: tuple[tuple[str, str, str], ...] = ()  # name, rate, what it came to
        self._pens: tuple[Pens, ...] = ()
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_seeds(self, shown: ShownSeeds, pens: tuple[Pens, ...]) -> None:
        """What is known of the settings now."""
        self._pens = pens
        self.lines = tuple((one.setting.name, words.rate(one), words.spread(one)) for one in shown.settings)
        said = [", ".join(filter(None, line)) for line in self.lines]
        self.setAccessibleName("; ".join(said))
        self.setToolTip("\n".join([*said, "Solved seeds among those that have ended; the band is 10–90 % over seeds"]))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return scale.size(200, _LINE * max(1, len(self.lines)))

    def paintEvent(self, event: QPaintEvent) -> None:
        with scale.painting(self) as painter:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            strong, plain = QFontMetricsF(fonts.semibold()), QFontMetricsF(fonts.text())
            names = max((strong.horizontalAdvance(name) for name, _, _ in self.lines), default=0.0)
            names = min(names, scale.width(self) * 0.4)
            rates = max((strong.horizontalAdvance(rate) for _, rate, _ in self.lines), default=0.0)
            for number, ((name, rate, spread), pens) in enumerate(zip(self.lines, self._pens, strict=True)):
                middle = _LINE * (number + 0.5)
                ground = pens.color.toRgb()
                ground.setAlphaF(0.18)
                painter.fillRect(QRectF(_PAD, middle - 6, _SWATCH, 12), ground)
                pen = QPen(pens.color, 2)
                if pens.dash:
                    pen.setDashPattern(pens.dash)
                painter.setPen(pen)
                painter.drawLine(QPointF(_PAD, middle), QPointF(_PAD + _SWATCH, middle))
                left, foot = _PAD + _SWATCH + _PAD, middle + strong.capHeight() / 2
                painter.setFont(fonts.semibold())
                painter.drawText(QPointF(left, foot), strong.elidedText(name, Qt.TextElideMode.ElideRight, names + 1))
                painter.setPen(self.palette().windowText().color())
                painter.drawText(QPointF(left + names + _GAP, foot), rate)
                painter.setFont(fonts.text())
                painter.setPen(self.palette().placeholderText().color())
                after = left + names + rates + 2 * _GAP
                room = scale.width(self) - after
                painter.drawText(
                    QPointF(after, foot), plain.elidedText(spread, Qt.TextElideMode.ElideRight, max(0.0, room))
                )
