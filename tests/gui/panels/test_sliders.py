"""Sliders of number fields: what stands where, what keys and the mouse do, what is entered while one is dragged."""

import itertools
import time
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.cells import CELLS
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OPTIMISERS
from rnnviz.core.optimising.schedules import SCHEDULES
from rnnviz.core.setting import RealNumber, Span, WholeNumber, setting, settings_of
from rnnviz.core.tasks import TASKS
from rnnviz.gui.experiment.experiment_panel import ExperimentPanel
from rnnviz.gui.look.theme import dress, theme
from rnnviz.gui.state.store import Store
from rnnviz.gui.state.store import setting as set_group
from rnnviz.gui.widgets.fields import Row
from rnnviz.gui.widgets.number_field import NumberField, NumberSlider, SliderPopup
from rnnviz.gui.widgets.setting_rows import setting_row, setting_rows
from rnnviz.gui.widgets.slider_scale import SliderScale, scale_of, with_part

LEFT, NONE, CONTROL = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ControlModifier
OWN = tuple(kind.settings for kind in CELLS.values())
RULES = (*OPTIMISERS.values(), *SCHEDULES.values())
RECORDS = (Experiment, ModelSettings, TrainingSettings, *OWN, *RULES, *TASKS.values())
NUMBERS = [
    (record, name)
    for record in RECORDS
    for name, one in settings_of(record).items()
    if isinstance(one.form, WholeNumber | RealNumber | Span)
]


@dataclass(frozen=True)
class Made:
    """Settings of every kind."""

    rate: float = field(
        default=0.02,
        metadata=setting("Rate", RealNumber(0, low_excluded=True), "How fast", step="1-2-5", slider=(1e-4, 10.0)),
    )
    norm: float = field(
        default=3.0,
        metadata=setting("Norm", RealNumber(0, 1e6), "At most", zero="off", step="1-2-5", slider=(0.1, 50.0)),
    )
    share: float = field(default=0.7, metadata=setting("Share", RealNumber(0.05, 0.99), "Of all"))
    units: int = field(default=12, metadata=setting("Units", WholeNumber(2, 4000), "H", step=3, slider=(2, 300)))
    layers: int = field(default=2, metadata=setting("Layers", WholeNumber(1, 8), "Stacked", step=1))
    first: tuple[int, int] = field(
        default=(3, 6), metadata=setting("Marks", Span(0, 5000), "Where", row="marks", slider=(0, 90))
    )
    last: tuple[int, int] = field(
        default=(8, 9), metadata=setting("Marks", Span(0, 5000), "Where", row="marks", slider=(0, 90))
    )


class Form:
    """The rows of `Made` and what is entered in them."""

    def __init__(self, qtbot: QtBot) -> None:
        self.entered: list[object] = []
        self.rows = setting_rows(Made)
        made, self.window = Made(), QWidget()
        column = QVBoxLayout(self.window)
        qtbot.addWidget(self.window)
        for key, row in self.rows.items():
            column.addWidget(row)
            value = (made.first, made.last) if key == "marks" else getattr(made, key)
            number_field(row).set_value(value)
            number_field(row).entered.connect(self.entered.append)
        self.window.show()
        self.window.activateWindow()
        qtbot.waitUntil(self.window.isActiveWindow)

    def open(self, key: str) -> tuple[NumberField, list[NumberSlider]]:
        """Opens the sliders of a row by its handle."""
        opened = number_field(self.rows[key])
        opened.setFocus()
        QTest.mouseClick(opened.handle, LEFT)
        return opened, sliders(opened)


@pytest.fixture
def form(qtbot: QtBot) -> Form:
    return Form(qtbot)


def number_field(row: Row) -> NumberField:
    assert isinstance(row.field, NumberField)
    return row.field


def sliders(opened: NumberField) -> list[NumberSlider]:
    popups = [popup for popup in opened.findChildren(SliderPopup) if popup.isVisible()]
    return popups[0].sliders if popups else []


def at(slider: NumberSlider, share: float) -> QPoint:
    """Where a share of a slider's way lies, the round of its handle left out."""
    return QPoint(round(7 + share * (slider.width() - 14)), slider.height() // 2)


@pytest.mark.parametrize(("record", "name"), NUMBERS)
def test_every_place_of_a_slider_is_a_number_its_form_takes_and_leads_back_to_it(
    record: type, name: str, qtbot: QtBot
) -> None:
    row = setting_rows(record)[settings_of(record)[name].row or name]
    qtbot.addWidget(row)
    typed, one = number_field(row), settings_of(record)[name]
    for number, part in enumerate(typed.sliders):
        scale, before = part.scale, -1.0
        for place in range(scale.last + 1):
            value = scale.value(place)
            assert value >= before or place == 0
            before = value
            assert scale.value(scale.place(value)) == pytest.approx(value, rel=0.03)
            if isinstance(one.form, Span):
                assert one.form.low <= value <= one.form.high
            else:
                assert typed.takes(one.show(value)), (number, value)


def test_a_scale_has_the_ends_that_are_said_and_those_of_the_form_elsewhere() -> None:
    def ends(name: str) -> tuple[float, float]:
        (part,) = number_field(setting_row(Made, name)).sliders
        return part.scale.value(0), part.scale.value(part.scale.last)

    assert [ends(name) for name in ("rate", "norm", "share", "units", "layers")] == [
        (1e-4, 10.0),
        (0.0, 50.0),
        (0.05, 0.99),
        (2, 300),
        (1, 8),
    ]


def test_a_logarithmic_scale_gives_every_power_of_ten_the_same_way() -> None:
    scale = SliderScale(1e-4, 10.0, whole=False, log=True)
    places = [scale.place(10.0**power) for power in range(-4, 2)]
    assert [after - before for before, after in itertools.pairwise(places)] == [80] * 5
    assert (scale.place(1e-9), scale.place(1e9)) == (0, 400)


def test_a_wide_range_is_walked_by_the_logarithm_around_its_usual_value() -> None:
    one = setting("Step", RealNumber(1e-6, 1e4), "Δ")["setting"]
    assert scale_of(one, 0.02) == SliderScale(2e-5, 20.0, whole=False, log=True)
    assert scale_of(replace(one, slider=(1e-3, 1.0)), 0.02) == SliderScale(1e-3, 1.0, whole=False, log=True)
    narrow = setting("Share", RealNumber(0.5, 20.0), "Of all")["setting"]
    assert not scale_of(narrow, 0.9).log


def test_alt_down_opens_the_sliders_and_escape_leads_back(form: Form, qtbot: QtBot) -> None:
    opened = number_field(form.rows["units"])
    opened.setFocus()
    qtbot.keyClick(opened, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    (slider,) = sliders(opened)
    assert slider.accessibleName() == "Slider of Units"
    assert slider.accessibleDescription() == "12, 2 to 300, spaced by powers of ten"
    assert slider.toolTip().startswith("2 to 300, spaced by powers of ten; numbers beyond are typed")
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Escape)
    assert sliders(opened) == []
    assert form.entered == [15]
    assert opened.text() == "15"


@pytest.mark.parametrize(
    ("key", "pressed", "wanted"),
    [
        ("rate", "right right left", [0.05, 0.1, 0.05]),
        ("rate", "pageup pagedown home left end right", [0.2, 0.02, 1e-4, 10.0]),
        ("norm", "home right up left down", [0.0, 0.1, 0.2, 0.1, 0.0]),
        ("share", "right pageup end left", [0.71, 0.81, 0.99, 0.98]),
        ("units", "left up pageup pagedown home", [9, 12, 20, 10, 2]),
        ("layers", "pageup left home left", [8, 7, 1]),
    ],
)
def test_keys_move_a_slider(form: Form, qtbot: QtBot, key: str, pressed: str, wanted: list[float]) -> None:
    _, (slider,) = form.open(key)
    for name in pressed.split():
        qtbot.keyClick(
            slider, getattr(Qt.Key, "Key_" + {"pageup": "PageUp", "pagedown": "PageDown"}.get(name, name.title()))
        )
    assert form.entered == wanted
    assert [type(value) for value in form.entered] == [type(value) for value in wanted]


def test_a_drag_is_entered_at_an_even_pace_and_taken_back_at_once(form: Form, qtbot: QtBot) -> None:
    opened, (slider,) = form.open("units")
    qtbot.mousePress(slider, LEFT, NONE, at(slider, 0.5))
    assert form.entered == [24]
    opened.set_value(99)  # from outside, because data came in
    assert opened.text() == "24"
    began = time.monotonic()
    for step in range(51, 100):
        qtbot.mouseMove(slider, at(slider, step / 100))
        QApplication.processEvents()
        opened.set_value(24)
    assert len(form.entered) <= 3 + (time.monotonic() - began) / 0.06
    assert opened.text() == "280"
    qtbot.mouseRelease(slider, LEFT, NONE, at(slider, 0.99))
    assert form.entered[-1] == opened.value == 280
    assert slider.value() == pytest.approx(0.99 * 400, abs=2)
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    qtbot.keyClick(slider, Qt.Key.Key_Z, CONTROL)
    assert form.entered[-2:] == [283, 280]
    qtbot.keyClick(slider, Qt.Key.Key_Z, CONTROL)
    assert form.entered[-1] == 12
    assert (opened.text(), slider.value()) == ("12", SliderScale(2, 300, True, log=True).place(12))


def test_what_is_dragged_to_is_entered_before_the_mouse_is_let_go(form: Form, qtbot: QtBot) -> None:
    _, (slider,) = form.open("layers")
    qtbot.mousePress(slider, LEFT, NONE, at(slider, 0))
    qtbot.mouseMove(slider, at(slider, 1 / 7))
    qtbot.mouseMove(slider, at(slider, 5 / 7))
    qtbot.waitUntil(lambda: form.entered == [1, 6])
    qtbot.mouseRelease(slider, LEFT, NONE, at(slider, 5 / 7))
    assert form.entered == [1, 6]


def test_a_number_typed_beyond_the_slider_stays_until_it_is_dragged(form: Form, qtbot: QtBot) -> None:
    opened = number_field(form.rows["units"])
    opened.setText("2000")
    opened.editingFinished.emit()
    _, (slider,) = form.open("units")
    assert (opened.text(), slider.value()) == ("2000", slider.maximum())
    qtbot.keyClick(slider, Qt.Key.Key_Right)
    assert opened.text() == "2003"
    qtbot.keyClick(slider, Qt.Key.Key_End)
    assert form.entered == [2000, 2003, 300]


def test_each_end_of_each_span_has_a_slider_and_the_other_gives_way(form: Form, qtbot: QtBot) -> None:
    opened, four = form.open("marks")
    assert [slider.accessibleName() for slider in four] == [
        "Marks, first from",
        "Marks, first to",
        "Marks, last from",
        "Marks, last to",
    ]
    assert [slider.value() for slider in four] == [3, 6, 8, 9]
    qtbot.mousePress(four[0], LEFT, NONE, at(four[0], 20 / 90))
    qtbot.mouseRelease(four[0], LEFT, NONE, at(four[0], 20 / 90))
    assert form.entered == [((20, 20), (8, 9))]
    qtbot.keyClick(four[3], Qt.Key.Key_Home)
    assert opened.value == ((20, 20), (0, 0))
    assert [slider.value() for slider in four] == [20, 20, 0, 0]
    assert with_part((3, 6), 1, 5) == (3, 5)


def test_the_handle_shows_while_the_field_has_the_focus_and_not_while_it_cannot_be_used(
    form: Form, qtbot: QtBot
) -> None:
    first, other = number_field(form.rows["rate"]), number_field(form.rows["norm"])
    first.setFocus()
    qtbot.waitUntil(lambda: first.handle.isVisible())
    assert not other.handle.isVisible()
    other.setFocus()
    qtbot.waitUntil(lambda: not first.handle.isVisible())
    first.setEnabled(False)
    first.open_sliders()
    assert sliders(first) == []


def test_a_bad_text_is_mended_before_its_slider_opens(form: Form, qtbot: QtBot) -> None:
    opened = number_field(form.rows["layers"])
    opened.setFocus()
    opened.selectAll()
    qtbot.keyClicks(opened, "90")
    qtbot.keyClick(opened, Qt.Key.Key_Down, Qt.KeyboardModifier.AltModifier)
    assert sliders(opened) == []
    assert opened.bad.startswith("Layers must be a whole number from 1 to 8")


@pytest.fixture
def panel(store: Store, qtbot: QtBot) -> ExperimentPanel:
    made = ExperimentPanel(store)
    qtbot.addWidget(made)
    dress(made, theme(store.state.look.theme))  # as its window is
    made.resize(224, 800)
    made.show()
    return made


def test_a_dragged_rate_reaches_the_engine_while_curves_grow(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    live: list[tuple[str, float]] = []
    panel.live_setting.connect(lambda name, value: live.append((name, value)))
    opened = number_field(panel.training_form.rows["learning_rate"])
    opened.open_sliders()
    (slider,) = sliders(opened)
    qtbot.mousePress(slider, LEFT, NONE, at(slider, 0.2))
    texts = []
    for step in range(21, 61):
        qtbot.mouseMove(slider, at(slider, step / 100))
        texts.append((before := opened.text(), slider.value()))
        grown: Any = store.state.recorded.history
        store.change(recorded=set_group(history=grown), place=set_group(following=step % 2 == 0))
        store.change(run=set_group(models=tuple(store.state.run.models)))
        assert (opened.text(), slider.value()) == (before, texts[-1][1])
    qtbot.mouseRelease(slider, LEFT, NONE, at(slider, 0.6))
    assert {name for name, _ in live} == {"learning_rate"}
    assert live[0][1] == pytest.approx(1e-4, rel=0.1)  # by the pixels at a fifth and at three fifths of the way
    assert live[-1][1] == pytest.approx(0.01, rel=0.1)
    assert len(live) < 30
    assert store.state.run.draft is None
    assert store.state.run.experiment.training.learning_rate == live[-1][1]


def test_a_dragged_hidden_size_waits_for_a_restart_and_one_undo_takes_it_back(
    panel: ExperimentPanel, store: Store, qtbot: QtBot
) -> None:
    opened = number_field(panel.cards[1].rows["hidden_size"])
    panel.cards[1].header.setChecked(True)
    opened.open_sliders()
    (slider,) = sliders(opened)
    qtbot.mousePress(slider, LEFT, NONE, at(slider, 0.5))
    for step in range(51, 76):
        qtbot.mouseMove(slider, at(slider, step / 100))
    qtbot.mouseRelease(slider, LEFT, NONE, at(slider, 0.75))
    assert store.state.run.draft is not None
    found = store.state.run.draft.models[1].hidden_size
    assert 60 <= found <= 70  # by the pixel at three quarters of the way
    assert [card.settings.hidden_size for card in panel.cards] == [12, found]
    qtbot.keyClick(slider, Qt.Key.Key_Z, CONTROL)
    assert store.state.run.draft is None
    assert opened.text() == "12"
