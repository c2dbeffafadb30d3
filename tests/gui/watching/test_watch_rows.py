"""The rows of a watch in pixels: its line goes through its values, straight or as logarithms, and says which."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from pytestqt.qtbot import QtBot

from rnnviz.core.stopping.conditions import Look
from rnnviz.gui.look.theme import theme
from rnnviz.gui.watching.watch_rows import ROW, WatchRow, WatchRows
from rnnviz.gui.watching.watch_values import WatchLine

LOOK, COLOR = theme("dark"), QColor("#ff00ff")
LEFT, WIDTH, TOP, HIGH = 84, 84, 5, ROW - 10  # pixels of the line in its row
NAN, INF = np.nan, np.inf
LINES = {  # values, and whether they are drawn as logarithms
    "few decades": ([1.0, 40.0, 900.0, 20.0], False),
    "many decades": ([1e-6, 1e-3, 1e-1, 1e-4], True),
    "negative": ([-2.0, 1e-5, 1e3, -1.0], False),
    "zero among many decades": ([1e-6, 1e-3, 0.0, 0.0, 1e-2, 1e-4], True),
    "gaps": ([NAN, 1.0, 2.0, NAN, 3.0, 2.5, INF], False),
    "none": ([NAN, INF, NAN], False),
}


def grabbed(qtbot: QtBot, *shown: tuple[list[float], float]) -> tuple[WatchRows, QImage]:
    """Rows of these values with the cursor at these places."""
    rows = WatchRows()
    qtbot.addWidget(rows)
    lines = [WatchLine(np.arange(10, 10 + len(one)), np.array(one), marked, "time steps") for one, marked in shown]
    rows.set_content([WatchRow("net 1", COLOR, Look(0.5), line) for line in lines], LOOK)
    rows.resize(320, len(lines) * ROW)
    return rows, rows.grab().toImage()


def ink(image: QImage, x: float, row: int) -> list[int]:
    """The heights in a column, from the row's top, where something is drawn."""
    ground = image.pixelColor(LEFT - 4, 1).getRgb()
    column = [image.pixelColor(int(x), row * ROW + y).getRgb() for y in range(ROW)]
    return [y for y, one in enumerate(column) if sum(abs(a - b) for a, b in zip(one, ground, strict=True)) > 60]


@pytest.mark.parametrize("key", LINES)
def test_the_line_goes_through_its_values_and_says_whether_they_are_logarithms(qtbot: QtBot, key: str) -> None:
    values, log = LINES[key]
    rows, image = grabbed(qtbot, ([1.0, 2.0], NAN), (values, NAN))
    assert rows.rows[1].tooltip == "net 1: 0.5\nline over time steps" + (", log₁₀" if log else "")
    with np.errstate(divide="ignore"):
        drawn = np.log10(values) if log else np.array(values)
    finite = np.isfinite(drawn)
    for number, value in enumerate(drawn):
        x = LEFT + number / (len(drawn) - 1) * WIDTH
        heights = [height for beside in (-1, 0, 1) for height in ink(image, x + beside, 1)]
        if np.isfinite(value):
            low, high = drawn[finite].min(), drawn[finite].max()
            assert np.mean(heights) == pytest.approx(TOP + HIGH * (high - value) / (high - low), abs=2)
        else:
            assert heights == []


def test_where_there_is_no_value_the_tooltip_says_why() -> None:
    row = WatchRow("net 2", COLOR, Look(None, "There is no f."), before="0.7", which="what-if")
    assert row.tooltip == "net 2, what-if: There is no f.\nbefore: 0.7"
    assert (row.words, row.title) == ("–", "net 2, what-if")


def test_the_cursor_stands_at_its_place_on_the_line(qtbot: QtBot) -> None:
    places = {9: None, 10: 0, 13: 3, 14: 4, 15: None}
    _, image = grabbed(qtbot, *(([0.0, 1.0, 0.0, 1.0, 0.0], marked) for marked in places))
    for row, place in enumerate(places.values()):
        high = [x for x in range(LEFT - 3, LEFT + WIDTH + 4) if len(ink(image, x, row)) > HIGH]
        assert len(high) == (0 if place is None else 2)
        if place is not None:
            assert np.mean(high) + 0.5 == pytest.approx(LEFT + WIDTH * place / 4, abs=0.6)
