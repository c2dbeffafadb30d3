"""The picture of a run: its losses as curves over one range, read again where it is kept."""

from pathlib import Path

import numpy as np
import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication

from rnnviz.gui.library.thumbnail import SIZE, draw, thumbnail
from rnnviz.gui.look.theme import theme
from rnnviz.runs.library.summary import ModelSummary, RunSummary

LOOK = theme("light")
STEPS = (0, 20, 60, 80)


def run(*losses: tuple[float, ...]) -> RunSummary:
    cells = ("vanilla", "gru")
    models = [ModelSummary(f"net {n}", cells[n], 5, STEPS, one) for n, one in enumerate(losses)]
    return RunSummary("/runs/one.rnnviz", "trained", models=tuple(models))


@pytest.mark.parametrize(
    ("losses", "log"),
    [
        (((3.0, 1.0, 2.0, 1.5), (0.9, 2.2, 0.5, 0.7)), False),
        (((3.0, 1e-1, 1e-2, 1e-3), (2.0, 1e-2, 1e-3, 2e-4)), True),
        (((3.0, 0.0, 1.0, 2.5), (2.0, 1.0, 1e-3, 1.4)), False),
    ],
)
def test_each_curve_has_the_heights_of_its_losses(
    qapp: QApplication, losses: tuple[tuple[float, ...], ...], log: bool
) -> None:
    made = run(*losses)
    picture = draw(made, LOOK)
    values = np.log10(losses) if log else np.array(losses)
    for model, color in enumerate(LOOK.model_colors(["vanilla", "gru"])):
        for step, value in zip(STEPS, values[model], strict=True):
            x = 3.5 + step / 80 * (SIZE.width() - 7)
            y = 4.5 + (values.max() - value) / (values.max() - values.min()) * (SIZE.height() - 9)
            columns = [min(max(round(2 * x) + beside, 0), picture.width() - 1) for beside in (-2, -1, 0, 1)]
            near = [
                row / 2
                for column in columns
                for row in range(picture.height())
                if close(picture.pixelColor(column, row), color)
            ]
            assert min(abs(row - y) for row in near) < 1.5


def close(one: QColor, other: QColor) -> bool:
    return sum(abs(a - b) for a, b in zip(one.getRgb(), other.getRgb(), strict=True)) < 60


def test_a_picture_that_is_kept_is_shown_and_a_broken_one_drawn_again(qapp: QApplication, tmp_path: Path) -> None:
    made, kept = run((3.0, 1.0, 2.0, 1.5)), tmp_path / "pictures" / "one.png"
    drawn = thumbnail(made, LOOK, kept)
    assert drawn == draw(made, LOOK)
    assert QImage(str(kept)).size() == 2 * SIZE
    other = QImage(2 * SIZE, QImage.Format.Format_RGB32)
    other.fill(QColor("#123456"))
    other.save(str(kept))
    again = thumbnail(made, LOOK, kept)
    assert (again.pixelColor(9, 9).name(), again.devicePixelRatio()) == ("#123456", drawn.devicePixelRatio())
    kept.write_bytes(b"no picture")
    assert thumbnail(made, LOOK, kept) == drawn
    assert QImage(str(kept)).size() == 2 * SIZE
    broken = RunSummary("/runs/two.rnnviz", "broken")
    assert thumbnail(broken, LOOK, tmp_path / "broken.png") != drawn
    assert not (tmp_path / "broken.png").exists()
