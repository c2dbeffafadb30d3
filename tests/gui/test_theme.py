"""Theme, fonts, numbers and colour maps: tokens as designed, contrast that can be read, maps that can be told apart."""

import itertools
import math

import numpy as np
import pytest
from PySide6.QtCore import QRectF
from PySide6.QtGui import QColor, QFontMetrics, QImage, QPainter, QPalette
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.cells import CELLS
from rnnviz.core.numbers import power, short, tick, whole
from rnnviz.gui.look import color_maps, fonts
from rnnviz.gui.look.model_bar import paint_model_bar
from rnnviz.gui.look.theme import Theme, apply, dress, model_dashes, theme

BOTH = pytest.mark.parametrize("look", [theme("dark"), theme("light")], ids=lambda look: look.name)


@pytest.mark.parametrize(("value", "words"),
    [
        (0, "0"), (-0.0, "0"), (0.58, "0.58"), (-0.5, "−0.50"), (9.69, "9.69"), (44.44, "44.4"), (148.2, "148"),
        (5.3e-8, "5.3·10⁻⁸"), (4e-17, "4.0·10⁻¹⁷"), (-2.7e-3, "−2.7·10⁻³"), (123456, "1.2·10⁵"), (5e-324, "4.9·10⁻³²⁴"),
        (math.nan, "NaN"), (math.inf, "+∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_numbers_are_short_and_never_lose_their_size(value: float, words: str) -> None:
    assert short(value) == words


@pytest.mark.parametrize(
    ("value", "words"),
    [(1, "1"), (-1, "−1"), (0.5, "0.5"), (1e-5, "10⁻⁵"), (2e38, "2.0·10³⁸"), (0, "0"), (7.0, "7")],
)
def test_ticks_carry_no_zeros(value: float, words: str) -> None:
    assert tick(value) == words


def test_powers_and_whole_numbers() -> None:
    assert (power(-17), whole(23744), whole(-5)) == ("10⁻¹⁷", "23,744", "−5")


@BOTH
def test_text_can_be_read_on_every_ground(look: Theme) -> None:
    for ground in (look.background, look.panel, look.raised):
        assert contrast(look.text, ground) >= 10
        assert contrast(look.muted, ground) >= 4.5
        for color in (*look.models, look.good, look.bad):
            assert contrast(color, ground) >= 3.3, color
    assert contrast(look.on_accent, look.accent) >= 4.5


@BOTH
def test_maps_run_in_steps_of_equal_perceived_size(look: Theme) -> None:
    for table in (look.gate_map("forget"), look.gate_map("input"), look.magnitude_map()):
        lab = np.array([color_maps.oklab(QColor(*map(int, color)).name()) for color in table[::15]])
        steps = np.linalg.norm(np.diff(lab, axis=0), axis=1)
        assert steps.max() < 1.5 * steps.mean()
        assert steps.min() > 0.6 * steps.mean()


@BOTH
def test_the_signed_map_is_neutral_in_the_middle_and_safe_for_colour_blind_people(look: Theme) -> None:
    table = look.signed_map()
    assert abs(table[128].astype(int) - QColor(look.panel).getRgb()[:3]).max() <= 2
    low, high = (deuteranopic(table[n]) for n in (0, 255))
    assert np.linalg.norm(low - high) > 80


def test_the_second_model_of_a_cell_has_a_dashed_line_and_bar() -> None:
    cells = ["lstm", "vanilla", "lstm", "gru", "lstm"]
    first, other, second, third, fourth = model_dashes(cells)
    assert first == other == third == ()
    assert len({first, second, fourth}) == 3
    image = QImage(4, 60, QImage.Format.Format_RGB32)
    for dash in (first, second):
        image.fill(QColor("#ffffff"))
        painter = QPainter(image)
        paint_model_bar(painter, QRectF(0, 0, 4, 60), QColor("#000000"), dash)
        painter.end()
        column = [image.pixelColor(1, y).lightness() for y in range(60)]
        assert (max(column) > 200) == bool(dash)
        assert min(column) == 0


def test_models_of_one_cell_can_be_told_apart() -> None:
    colors = theme("dark").model_colors(["lstm", "vanilla", "lstm", "gru"])
    assert colors[0] == QColor(theme("dark").models[1])
    assert colors[1] == QColor(theme("dark").models[0])
    assert len({color.name() for color in colors}) == 4


@BOTH
def test_eight_models_of_whatever_cells_can_be_told_apart_and_read(look: Theme) -> None:
    """Also where cells share a hue: 0.075 in OKLab is what the palette's own hues are apart."""
    chosen = np.random.default_rng(3)
    runs = [chosen.choice(list(CELLS), 8, replace=number % 2 == 0).tolist() for number in range(40)]
    for cells in [*runs, ["jordan", "tdnn"] * 4, ["lstm"] * 8]:
        colors = [color.name() for color in look.model_colors(cells)]
        labs = [color_maps.oklab(color) for color in colors]
        assert min(float(np.linalg.norm(one - other)) for one, other in itertools.combinations(labs, 2)) > 0.075, cells
        assert min(contrast(color, ground) for color in colors for ground in look.grounds) >= 4.5


@BOTH
def test_the_application_gets_font_palette_and_sheet(qtbot: QtBot, look: Theme) -> None:
    application = QApplication.instance()
    assert isinstance(application, QApplication)
    apply(application, look)
    assert application.palette().color(QPalette.ColorRole.Window) == QColor(look.panel)
    assert application.style().objectName().lower() in ("fusion", "")
    assert fonts.load() == fonts.FAMILY
    window = QWidget()
    qtbot.addWidget(window)
    dress(window, look)
    assert look.panel in window.styleSheet()
    assert "@" not in window.styleSheet()
    metrics = QFontMetrics(fonts.text())
    assert all(metrics.inFontUcs4(ord(sign)) for sign in "∂⊙‖·⁻⁸ₜ×−")
    assert len({metrics.horizontalAdvance(digit * 10) for digit in "0123456789"}) == 1


def contrast(color: str, ground: str) -> float:
    """WCAG 2 contrast ratio."""
    lighter, darker = sorted((luminance(color), luminance(ground)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def luminance(color: str) -> float:
    srgb = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(srgb <= 0.04045, srgb / 12.92, ((srgb + 0.055) / 1.055) ** 2.4)
    return float(linear @ (0.2126, 0.7152, 0.0722))


def deuteranopic(color: np.ndarray) -> np.ndarray:
    """How a person without green cones sees it, roughly (Viénot 1999), in sRGB."""
    matrix = np.array([[0.29275, 0.70725, 0.0], [0.29275, 0.70725, 0.0], [-0.02234, 0.02234, 1.0]])
    linear = matrix @ (color.astype(float) / 255) ** 2.2
    return np.asarray(255 * np.clip(linear, 0, 1) ** (1 / 2.2))


@BOTH
@pytest.mark.parametrize("color", ["#ff8800", "#0010c0"])
def test_a_colour_laid_over_a_ground_is_between_both_in_each_channel(look: Theme, color: str) -> None:
    above, ground = QColor(color), QColor(look.raised)
    for share in (0.0, 0.3, 1.0):
        mixed = look.mixed(above, share, "raised").getRgb()
        wanted = [share * one + (1 - share) * other for one, other in zip(above.getRgb(), ground.getRgb(), strict=True)]
        assert mixed == pytest.approx(wanted, abs=1)
