"""Marks of plots: what a line through far more points than pixels looks like."""

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage, QPainter

from rnnviz.core.arrays import Array
from rnnviz.gui.gradients.plots.marks import Curve
from rnnviz.gui.look.theme import Dash


def painted(xs: Array, ys: Array, dash: Dash = ()) -> Array:
    """(100, 120) bool: where something is."""
    image = QImage(120, 100, QImage.Format.Format_ARGB32)
    image.fill(0)
    painter = QPainter(image)
    try:
        Curve("", xs, ys, QColor("#ffffff"), 1.6, dash).paint(painter)
    finally:
        painter.end()
    return np.array([[image.pixelColor(x, y).alpha() > 90 for x in range(120)] for y in range(100)])


def test_a_crowded_line_covers_what_every_single_part_of_it_covers() -> None:
    rng = np.random.default_rng(5)
    xs = np.linspace(10, 110, 3_000)
    ys = 50 + 25 * np.sin(xs / 9) + rng.normal(size=3_000)
    ys[1400:1600] = np.nan
    crowded, alone = painted(xs, ys), np.zeros((100, 120), bool)
    for first in range(0, 3_000, 30):
        alone |= painted(xs[first : first + 31], ys[first : first + 31])
    assert (crowded & ~alone).sum() < 0.1 * crowded.sum()
    assert (alone & ~crowded).sum() < 0.2 * alone.sum()
    assert not crowded[:, 58:62].any()


@pytest.mark.parametrize("count", [60, 3_000])
def test_a_dashed_line_has_gaps_however_crowded(count: int) -> None:
    xs = np.linspace(10, 110, count)
    columns = painted(xs, np.full(count, 40.0), (4.0, 4.0)).any(axis=0)[12:108]
    assert 0.2 < columns.mean() < 0.8
    assert np.ptp(np.diff(np.flatnonzero(np.diff(columns.astype(int)) > 0))) <= 2  # none begins anew on the way
