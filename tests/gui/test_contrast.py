"""Contrast of the whole window: whatever is written, on the ground it is written on, in both themes.

What Python paints is taken down word for word with its colour, and its ground is read from the picture. Of labels and
buttons, which Qt paints, the darkest or brightest pixel counts; of every style sheet the colours it names.
"""

import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QImage, QPainter
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QRadioButton,
    QTabBar,
    QVBoxLayout,
    QWidget,
)
from pytestqt.qtbot import QtBot
from test_theme import BOTH, contrast
from whole_program import OpenApp, press

from rnnviz.gui.look.form_style import push_button
from rnnviz.gui.look.theme import Theme, ThemeName, apply, dress, theme
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import setting
from rnnviz.gui.widgets.fields import Choice

READABLE, VISIBLE = 4.5, 3.0  # WCAG 2: texts; marks and borders of controls
_SOFTENED = 0.85  # of a thin letter's contrast that its strongest pixel has at least
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_HEX = r"#[0-9a-fA-F]{6}"
RUN = Path(__file__).parents[1] / "data" / "pictures" / "kept.rnnviz"
# each phase, each page of the right column and operations of the cell
THEMES: tuple[ThemeName, ...] = ("dark",) * 2 + ("light",) * 4
PLACES = ("f t=5 f", "l", "b t=6 f", "f t=5 f", "u", "b t=9")
KEYS = (Qt.Key.Key_1, Qt.Key.Key_3, Qt.Key.Key_1, Qt.Key.Key_2, Qt.Key.Key_4, Qt.Key.Key_5)


@dataclass(frozen=True)
class Written:
    """A text, its colour, and where it stands in the picture."""

    words: str
    color: QColor
    box: QRect


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> list[Written]:
    """What `QPainter.drawText` is told from now on."""
    found: list[Written] = []
    draw = QPainter.drawText

    def take_down(painter: QPainter, place: QRectF | QPointF, *rest: object) -> object:
        words = str(rest[-1])
        if isinstance(place, QPointF | QPoint):
            box = QFontMetricsF(painter.font()).boundingRect(words).translated(QPointF(place))
        else:
            box = QRectF(painter.boundingRect(QRectF(place), int(rest[0]), words))  # type: ignore[call-overload]
        seen = painter.deviceTransform().mapRect(box).toAlignedRect()
        if words.strip() and in_sight(painter.device(), seen):
            found.append(Written(words, painter.pen().color(), seen.adjusted(-2, 0, 2, 0)))
        return draw(painter, place, *rest)

    monkeypatch.setattr(QPainter, "drawText", take_down)
    return found


def in_sight(device: object, box: QRect) -> bool:
    """Whether all of `box`, in pixels of the window, can be seen of the widget that paints it."""
    if not isinstance(device, QWidget):
        return True
    visible = device.visibleRegion().boundingRect().translated(device.mapTo(device.window(), QPoint()))
    return bool(visible.contains(box))


def packed(image: QImage) -> np.ndarray:
    """(height, width) 0xffRRGGBB."""
    image = image.convertToFormat(QImage.Format.Format_RGB32)
    rows = np.frombuffer(image.constBits(), np.uint32).reshape(image.height(), image.bytesPerLine() // 4)
    return rows[:, : image.width()].copy()


def colors_in(picture: np.ndarray, box: QRect) -> list[str]:
    """The colours in `box`, the most frequent first."""
    part = picture[max(box.top(), 0) : box.bottom() + 1, max(box.left(), 0) : box.right() + 1]
    found, counts = np.unique(part, return_counts=True)
    return [QColor(int(color)).name() for color in found[np.argsort(-counts)]]


def laid_over(color: QColor, ground: str) -> str:
    below, share = QColor(ground), color.alphaF()
    parts = zip(color.getRgbF()[:3], below.getRgbF()[:3], strict=True)
    return QColor.fromRgbF(*(share * over + (1 - share) * under for over, under in parts)).name()


def texts(window: QWidget) -> Iterator[tuple[str, QRect]]:
    """What Qt itself writes: labels, buttons and fields that can be seen and used, and where they are inside."""
    for kind in (QLabel, QPushButton, QLineEdit, QTabBar):
        for widget in window.findChildren(kind):
            words = widget.tabText(0) if isinstance(widget, QTabBar) else widget.text()
            if words.strip() and widget.isVisible() and widget.isEnabled() and not widget.visibleRegion().isEmpty():
                seen = widget.visibleRegion().boundingRect().adjusted(3, 3, -3, -3)
                if seen.height() >= 10:
                    yield words, seen.translated(widget.mapTo(window, QPoint()))


def sheet_rules(sheet: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Selector and declarations of each rule that holds for what is enabled."""
    for selector, body in _RULE.findall(sheet):
        pairs = (part.split(":", 1) for part in body.split(";") if ":" in part)
        if ":disabled" not in selector:
            yield selector.strip(), {key.strip(): value.strip() for key, value in pairs}


def check_sheet(sheet: str, look: Theme) -> None:
    """Every colour with the ground of its own rule, else that of what it lies in, else all the theme has."""
    rules = list(sheet_rules(sheet))
    grounds = {
        selector: found.group() for selector, rule in rules if (found := re.search(_HEX, rule.get("background", "")))
    }
    for selector, rule in rules:
        around = [ground for outer, ground in grounds.items() if selector.startswith(f"{outer} ")]
        for ink, ground in (("color", "background"), ("selection-color", "selection-background-color")):
            if ink in rule:
                own = re.findall(_HEX, rule.get(ground, "")) or around or [look.background, look.panel, look.raised]
                for each in own:
                    assert contrast(rule[ink], each) >= READABLE, (selector, ink, rule[ink], each)


def check_window(app: App, written: list[Written], look: Theme) -> int:
    """Everything in the window as it stands; how many texts that are."""
    written.clear()
    picture = packed(app.window.grab().toImage())
    weak = set()
    for text in written:
        if grounds := colors_in(picture, text.box):
            ratio = contrast(laid_over(text.color, grounds[0]), grounds[0])
            weak |= {(text.words, text.color.name(), grounds[0], round(ratio, 2))} if ratio < READABLE else set()
    for words, box in texts(app.window):
        ground, *inks = colors_in(picture, box)
        ratio = max((contrast(ink, ground) for ink in inks), default=1.0)
        weak |= {(words, ground, round(ratio, 2))} if ratio < READABLE * _SOFTENED else set()
    assert not weak, (look.name, sorted(map(str, weak)))
    return len(written)


def test_every_text_of_the_window_can_be_read_on_its_ground(
    open_app: OpenApp, qtbot: QtBot, tmp_path: Path, written: list[Written]
) -> None:
    app = open_app(Path(shutil.copy(RUN, tmp_path / RUN.name)))
    app.store.change(look=setting(hidden_lanes=frozenset({"+loss", "+share", "+gates: g", "+prediction"})))
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces) and None not in app.store.state.recorded.traces)
    assert app.contents is not None
    counted = 0
    for name, place, key in zip(THEMES, PLACES, KEYS, strict=True):
        app.store.change(look=setting(theme=name), place=setting(model=1, unit=1 if place.endswith("f") else -1))
        app.walker.go_to(place)
        press(app, key, modifier=Qt.KeyboardModifier.ControlModifier)
        app.contents.lanes.set_cached(False)  # else what is kept as a picture is not written again
        counted += check_window(app, written, theme(name))
        for sheet in {widget.styleSheet() for widget in app.window.findChildren(QWidget) if widget.isVisible()}:
            check_sheet(sheet, theme(name))
    assert counted > 100 * len(PLACES)


@BOTH
def test_every_colour_of_the_style_sheets_can_be_read_on_its_ground(qtbot: QtBot, look: Theme) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    dress(window, look)
    check_sheet(window.styleSheet(), look)


@BOTH
def test_marks_borders_and_the_ring_can_be_seen(look: Theme) -> None:
    for ground in (look.background, look.panel, look.raised):
        for token in ("border", "focus", "cursor", "accent", "bad", "good", "what_if"):
            assert contrast(getattr(look, token), ground) >= VISIBLE, (token, ground)
    assert QColor(look.focus).hsvSaturation() < 90 < QColor(look.accent).hsvSaturation()


@BOTH
def test_every_model_of_every_cell_can_be_read(look: Theme) -> None:
    for hue in range(len(look.models)):
        colors = [look.model_color(hue, index).name() for index in range(5)]
        assert len(set(colors)) == 5
        for color in colors:
            assert min(contrast(color, ground) for ground in (look.background, look.panel, look.raised)) >= READABLE


@BOTH
@pytest.mark.parametrize("share", [0.0, 0.3, 0.55, 0.7, 1.0])
def test_a_letter_on_a_shade_can_be_read(look: Theme, share: float) -> None:
    for color in map(QColor, look.models):
        ground = look.mixed(color, share)
        assert contrast(look.text_on(ground).name(), ground.name()) >= READABLE


def controls() -> list[QWidget]:
    """One of each kind that takes the keyboard."""
    choice = Choice([(1, "one"), (2, "two")])
    page = QTabBar()
    page.addTab("Cursor")
    kinds = [push_button("press", "", role) for role in ("", "primary", "link", "icon")]
    flat = QPushButton("flat")
    flat.setProperty("flat", True)
    field = QLineEdit("7")
    field.setProperty("role", "field")
    return [
        *kinds,
        flat,
        field,
        QLineEdit("8"),
        QPlainTextEdit("9"),
        QCheckBox("log"),
        QRadioButton("mean"),
        choice,
        page,
    ]


@BOTH
def test_what_has_the_keyboard_has_a_ring(qtbot: QtBot, qapp: QApplication, look: Theme) -> None:
    """A neutral line at least as long as two sides of the control, which is not there without the keyboard."""
    apply(qapp, look)
    window = QWidget()
    dress(window, look)
    qtbot.addWidget(window)
    column = QVBoxLayout(window)
    for control in controls():
        control.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        control.setFixedWidth(120)
        column.addWidget(control)
    window.show()
    qtbot.waitUntil(window.isActiveWindow)
    for control in window.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
        control.setFocus()
        with_it = ring_pixels(control, look)
        control.clearFocus()
        assert with_it - ring_pixels(control, look) >= 2 * control.width() * 0.8, (
            type(control),
            control.property("role"),
        )


def ring_pixels(control: QWidget, look: Theme) -> int:
    """Of the four outermost pixels of each edge, how many have the ring's colour."""
    image, ring = control.grab().toImage(), QColor(look.focus).rgb()
    inner = image.rect().adjusted(4, 4, -4, -4)
    places = ((x, y) for x in range(image.width()) for y in range(image.height()))
    return sum(image.pixel(x, y) == ring for x, y in places if not inner.contains(x, y))
