"""Legend: which colour or line is what, in as many rows as the width asks for."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor

from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.look import fonts
from rnnviz.gui.look.theme import Dash, Theme
from rnnviz.gui.network.drawing import Box, Drawing, Text
from rnnviz.gui.widgets import marked_text

ROW = fonts.SMALL + 5.0  # pixels
_SAMPLE, _BESIDE, _APART = 9.0, 4.0, 9.0
_LONG = 18.0  # of the sample of a line


@dataclass(frozen=True)
class Entry:
    """A colour in a box, or as a line; without one words alone."""

    words: str
    color: QColor | None = None
    line: bool = False
    dash: Dash = ()

    @property
    def sample(self) -> float:
        """Pixels that the colour takes."""
        return 0.0 if self.color is None else (_LONG if self.line else _SAMPLE) + _BESIDE

    @property
    def width(self) -> float:
        return self.sample + marked_text.width(self.words, fonts.SMALL)


def legend_height(entries: Sequence[Entry], width: float) -> float:
    """Pixels that it takes."""
    return ROW * (_placed(entries, width)[-1][1] + 1) if entries else 0.0


def draw_legend(drawing: Drawing, area: QRectF, entries: Sequence[Entry], look: Theme) -> None:
    """From the upper left of `area`."""
    for number, (entry, (x, row)) in enumerate(zip(entries, _placed(entries, area.width()), strict=True)):
        left, baseline = area.left() + x, area.top() + (row + 1) * ROW - 4
        if entry.color is not None and entry.line:
            ends = np.array([left, left + _LONG]), np.full(2, baseline - 3.5)
            drawing.add(Curve(f"sample {number}", *ends, entry.color, 1.6, entry.dash))
        elif entry.color is not None:
            box = QRectF(left, baseline - 8, _SAMPLE, _SAMPLE)
            drawing.add(Box(f"sample {number}", box, look.color("line"), 1.0, entry.color, 0.0))
        words = marked_text.shortened(entry.words, fonts.SMALL, area.width() - x - entry.sample)
        muted = look.color("muted")
        drawing.add(Text(f"legend {number}", left + entry.sample, baseline, words, fonts.SMALL, muted))


def _placed(entries: Sequence[Entry], width: float) -> list[tuple[float, int]]:
    """Where each begins, and in which row."""
    found, x, row = list[tuple[float, int]](), 0.0, 0
    for entry in entries:
        if x and x + entry.width > width:
            x, row = 0.0, row + 1
        found.append((x, row))
        x += entry.width + _APART
    return found
