"""The colour bar: the colours of its table from the bottom up."""

import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QImage, QPainter
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.items.color_bar import ColorBar
from rnnviz.gui.look.theme import theme


def test_low_values_are_at_the_bottom_and_high_ones_at_the_top(qtbot: QtBot) -> None:
    table = theme("dark").signed_map()
    bar = ColorBar(theme("dark"), table)
    bar.rect = QRectF(0, 0, 60, 256)
    image = QImage(60, 256, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    bar.draw(painter)
    painter.end()
    for y in (0, 60, 200, 255):
        drawn = image.pixelColor(14, y).getRgb()[:3]
        assert drawn == pytest.approx(tuple(map(int, table[255 - y])), abs=3)  # smooth, so between two of them
