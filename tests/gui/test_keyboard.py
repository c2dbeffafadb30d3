"""By keyboard alone: areas, the order of Tab, the way back to the lanes, and how far it is to each control."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QImage
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QComboBox, QLineEdit, QWidget
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, press, small_experiment

from rnnviz.core.experiment.file import write_experiment
from rnnviz.gui.shell.app import App
from rnnviz.gui.shell.keyboard.areas import focus
from rnnviz.gui.shell.keyboard.reading_order import controls, takes_tab
from rnnviz.gui.shell.menus.command_palette import CommandPalette
from rnnviz.gui.shell.page_commands import PAGES
from rnnviz.gui.widgets.expression_field import ExpressionField
from rnnviz.gui.widgets.fields import Choice, Field
from rnnviz.gui.widgets.folded import owner_of

KEY, CONTROL = Qt.Key, Qt.KeyboardModifier.ControlModifier
NONE, SHIFT, ALT = Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.ShiftModifier, Qt.KeyboardModifier.AltModifier
MOST_PRESSES = 8


@pytest.fixture
def app(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> App:
    """The program with a finished run of two models."""
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.run.path == run_file)
    return app


@pytest.fixture
def first_screen(open_app: OpenApp, qtbot: QtBot) -> App:
    """What a person sees who has just started the program."""
    app = open_app()
    qtbot.waitUntil(lambda: bool(app.store.state.recorded.traces) and None not in app.store.state.recorded.traces)
    return app


def here() -> QWidget:
    found = QApplication.focusWidget()
    assert found is not None
    return found


def lanes(app: App) -> QWidget:
    assert app.contents is not None
    return app.contents.lanes


def to_page(app: App, number: int) -> QWidget:
    press(app, KEY(KEY.Key_0 + number), modifier=CONTROL)
    return here()


def described(widget: QWidget) -> str:
    return f"{type(widget).__name__} “{widget.accessibleName() or getattr(widget, 'text', str)()}”"


def shown_controls(app: App) -> list[QWidget]:
    """Found without the areas: whatever is seen and can take the keyboard."""
    return [one for one in app.window.findChildren(QWidget) if takes_tab(one) and one.window() is app.window]


class Presses:
    """How many presses it is to each control, found by pressing; where it was near already the way is not gone on."""

    def __init__(self, app: App) -> None:
        self._app = app
        self.least: dict[QWidget, int] = {}

    def note(self, presses: int) -> bool:
        """Whether the control that has the keyboard now is nearer than was known."""
        nearer = presses < self.least.get(here(), MOST_PRESSES + 1)
        if nearer:
            self.least[here()] = presses
        return nearer

    def tab_from(self, control: QWidget, presses: int) -> None:
        """With Tab, then with Shift and Tab."""
        for modifier in (NONE, SHIFT):
            control.setFocus()
            for more in range(1, MOST_PRESSES - presses + 1):
                press(self._app, KEY.Key_Tab, modifier=modifier)
                if not self.note(presses + more):
                    break
        control.setFocus()

    def go_round(self, start: QWidget, presses: int, areas: int) -> None:
        """With F6 over so many areas, then with Shift and F6."""
        for modifier in (NONE, SHIFT):
            start.setFocus()
            for more in range(1, areas + 1):
                press(self._app, KEY.Key_F6, modifier=modifier)
                self.note(presses + more)
                self.tab_from(here(), presses + more)
        start.setFocus()


def test_every_control_is_eight_presses_from_the_first_screen(first_screen: App, qtbot: QtBot) -> None:
    app, way = first_screen, Presses(first_screen)
    assert app.contents is not None
    assert here() is lanes(app)
    way.least[lanes(app)] = 0
    way.go_round(lanes(app), 0, 5)
    shown: set[QWidget] = set()
    for number, _page in enumerate(PAGES, 1):
        entered = to_page(app, number)
        way.note(1)
        way.tab_from(entered, 1)
        way.go_round(entered, 1, 3 if number == 1 else 1)
        shown |= set(shown_controls(app))
    assert len(shown) > 50
    assert not {described(one): way.least.get(one, "far") for one in shown if one not in way.least}
    for card in app.contents.experiment.cards:
        card.header.setFocus()
        press(app, KEY.Key_Return)
        way.note(way.least[card.header] + 1)
        way.tab_from(here(), way.least[card.header] + 1)
        assert card.rows["hidden_size"].field in way.least
        inside = controls(card)
        assert {card.rows[key].field for key in ("num_layers", "bidirectional")} < set(inside)
        for control in inside:
            way.least.setdefault(control, presses_with_the_palette(app, qtbot, control))
        assert not {described(one): way.least[one] for one in inside if way.least[one] > MOST_PRESSES}
        card.header.setChecked(False)


def presses_with_the_palette(app: App, qtbot: QtBot, control: QWidget) -> int:
    """From the lanes: the palette, the control's words, ↓ to its entry and Enter."""
    focus(lanes(app))
    press(app, KEY.Key_P, modifier=CONTROL | SHIFT)
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, CommandPalette)
    owner = owner_of(control)
    words = control.accessibleName() or control.text()  # type: ignore[attr-defined]
    QTest.keyClicks(palette.field, f"{words} {owner}")
    wanted = words if owner in words else f"{words}, {owner}"
    down = [entry.words for entry in palette.entries].index(wanted)
    for _ in range(down):
        QTest.keyClick(palette.field, KEY.Key_Down)
    QTest.keyClick(palette.field, KEY.Key_Return)
    app.window.activateWindow()  # as a popup that closes leaves it, except on the screen of the tests
    qtbot.waitUntil(lambda: QApplication.focusWidget() is control, timeout=5000)
    return 1 + down + 1


def test_the_palette_leads_to_every_setting_wherever_it_is(first_screen: App, qtbot: QtBot) -> None:
    app = first_screen
    assert app.contents is not None
    parts = app.contents
    for text in ("norm(h[t])", "norm(c[t])", "norm(dh[t])"):
        QTest.keyClicks(to_page(app, 3), text)
        press(app, KEY.Key_Return)
    QTest.keyClicks(parts.watches.breakpoints.add, "grad_norm")
    QTest.keyClick(parts.watches.breakpoints.add, KEY.Key_Return)
    breakpoint_card = parts.watches.breakpoints.cards[-1]
    breakpoint_card.edit.setChecked(False)
    to_page(app, 1)
    wanted = [
        *(row.field for card in parts.experiment.cards[1:] for row in card.rows.values() if not row.isHidden()),
        *(card.remove for card in parts.experiment.cards),
        *(parts.watches.breakpoints.add, parts.watches.watches.add, parts.watches.watches.cards[2].field),
        *(breakpoint_card.form.factor, breakpoint_card.remove, parts.training.live),
        *(parts.experiment.training_form.rows["optimiser"].field, parts.experiment.seed.field),
    ]
    assert {
        described(one): more for one in wanted if (more := presses_with_the_palette(app, qtbot, one)) > MOST_PRESSES
    } == {}
    press(app, KEY.Key_P, modifier=CONTROL | SHIFT)
    palette = QApplication.activePopupWidget()
    assert isinstance(palette, CommandPalette)
    QTest.keyClicks(palette.field, "stop training where")
    assert palette.chosen is not None
    assert (palette.chosen.words, palette.chosen.place) == ("Stop training where", "Watches")
    palette.hide()


def test_f6_goes_round_all_areas_and_back(first_screen: App) -> None:
    app = first_screen
    assert app.contents is not None
    to_page(app, 3)
    press(app, KEY.Key_Escape)
    parts = app.contents
    wanted = [
        *(parts.right.tabs, parts.watches.watches.add, parts.training.metric_choice),
        *(app.title_row.find_button, app.toolbar.program_buttons[0], parts.experiment.task_form.kind),
        *(parts.experiment.cards[0].header, parts.experiment.training_form.rows["optimiser"].field),
        *(parts.lesson.close_button, parts.strip, parts.lanes),
    ]
    for direction, order in ((NONE, wanted), (SHIFT, [*wanted[-2::-1], wanted[-1]])):
        found = []
        for _ in order:
            press(app, KEY.Key_F6, modifier=direction)
            found.append(here())
        assert found == order
    assert parts.training.live.text() == "● live"
    assert has_ring(app, parts.training.live)


def test_tab_goes_as_one_reads(app: App) -> None:
    assert app.contents is not None
    experiment = app.contents.experiment
    press(app, KEY.Key_F6)
    assert here() is app.contents.right.tabs
    focus(experiment.seed.field)
    press(app, KEY.Key_Tab)
    assert here() is experiment.cards[0].header  # drawn below the seed, though made last
    press(app, KEY.Key_Return)
    inside = [row.field for row in experiment.cards[0].rows.values() if row.isVisible()]
    assert here() is inside[0]
    buttons = [button for button in (experiment.cards[0].remove, experiment.cards[0].match) if button.isVisible()]
    for field in (*inside[1:], *buttons, experiment.cards[1].header, experiment.add_model):
        press(app, KEY.Key_Tab)
        assert here() is field
    press(app, KEY.Key_Backtab, modifier=SHIFT)
    assert here() is experiment.cards[1].header
    ring = [here()]
    while ring[0] is not ring[-1] or len(ring) == 1:
        press(app, KEY.Key_Tab)
        ring.append(here())
    assert set(ring) == set(shown_controls(app))


@pytest.mark.parametrize("end", [KEY.Key_Return, KEY.Key_Escape])
def test_out_of_every_field_the_keys_are_the_lanes_again(app: App, end: Qt.Key) -> None:
    kinds = set()
    for number, _page in enumerate(PAGES, 1):
        to_page(app, number)
        for field in shown_controls(app):
            if isinstance(field, QLineEdit | QComboBox) or field.accessibleName() in ("Variables", "Training step"):
                focus(field)
                kinds.add(type(field))
                press(app, end)
                assert here() is lanes(app), described(field)
    assert {Field, Choice, ExpressionField, QLineEdit} < kinds
    before = app.store.state.place.cursor.time_step
    press(app, KEY.Key_Right)
    assert app.store.state.place.cursor.time_step == before + 1


def test_enter_commits_and_a_wrong_text_is_mended_first(app: App) -> None:
    assert app.contents is not None
    field = app.contents.experiment.seed.field
    focus(field)
    assert isinstance(field, QLineEdit)
    for text, where in (("many", field), ("17", lanes(app))):
        field.selectAll()
        QTest.keyClicks(field, text)
        press(app, KEY.Key_Return)
        assert here() is where
    assert app.store.state.run.draft is not None
    assert app.store.state.run.draft.seed == 17
    focus(field)
    QTest.keyClicks(field, "9")
    press(app, KEY.Key_Escape)
    assert (here(), field.text()) == (lanes(app), "17")
    watch = to_page(app, 3)
    QTest.keyClicks(watch, "norm(h[t]")
    press(app, KEY.Key_Return)
    assert here() is watch  # the bracket is open
    QTest.keyClicks(watch, ")")
    press(app, KEY.Key_Return)
    assert here() is lanes(app)
    assert app.store.state.debugging.watches == ("norm(h[t])",)


def test_an_entry_taken_with_enter_leads_back_to_the_lanes(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    choice = app.contents.equations.unit
    focus(choice)
    press(app, KEY.Key_Space)
    qtbot.waitUntil(choice.view().isVisible)
    QTest.keyClick(choice.view(), KEY.Key_Down)
    QTest.keyClick(choice.view(), KEY.Key_Down)
    QTest.keyClick(choice.view(), KEY.Key_Return)
    assert app.store.state.place.unit == 1
    assert here() is lanes(app)


def test_space_trains_after_a_field(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> None:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")

    def paused() -> bool:
        return app.store.state.recorded.status is not None and app.store.state.recorded.status.state == "paused"

    qtbot.waitUntil(lambda: paused() and bool(app.store.state.recorded.traces))
    assert app.contents is not None
    focus(app.contents.experiment.training_form.rows["learning_rate"].field)
    QTest.keyClicks(here(), "0.03")
    press(app, KEY.Key_Return)
    assert app.store.state.run.experiment is not None
    assert app.store.state.run.experiment.training.learning_rate == 0.03
    assert here() is lanes(app)
    press(app, KEY.Key_Period)
    qtbot.waitUntil(lambda: app.store.state.recorded.history.last_training_step == 1 and paused())
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: app.store.state.recorded.history.last_training_step > 3)


def test_arrows_turn_pages_in_the_tabs_and_enter_goes_in(app: App) -> None:
    assert app.contents is not None
    press(app, KEY.Key_F6)
    press(app, KEY.Key_Right, 2)
    assert app.store.state.look.page == "watches"
    press(app, KEY.Key_Return)
    assert here() is app.contents.watches.watches.add
    to_page(app, 2)
    assert here() is app.contents.variables.filter
    press(app, KEY.Key_Tab)
    tree = app.contents.variables.tree
    tree.setCurrentItem(tree.topLevelItem(0))
    before = app.store.state.place.cursor
    press(app, KEY.Key_Left)
    assert not tree.topLevelItem(0).isExpanded()
    assert app.store.state.place.cursor == before


def test_pictures_have_keys(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    assert app.store.state.place.unit == -1
    press(app, KEY.Key_Down, 3, ALT)
    press(app, KEY.Key_Up, 1, ALT)
    assert app.store.state.place.unit == 1
    press(app, KEY.Key_Right, 4)
    before = lanes(app).grab().toImage()
    press(app, KEY.Key_Plus, 3)
    assert lanes(app).grab().toImage() != before
    press(app, KEY.Key_0)
    assert lanes(app).grab().toImage() == before
    focus(app.contents.training.plot)
    captured = app.store.state.recorded.history.captured
    for key, wanted in ((KEY.Key_Home, captured[0]), (KEY.Key_Right, captured[1])):
        press(app, key)
        qtbot.waitUntil(lambda wanted=wanted: app.store.state.place.cursor.training_step == wanted)
    low, high = app.contents.training.plot.getPlotItem().getViewBox().viewRange()[0]
    press(app, KEY.Key_Plus)
    zoomed = app.contents.training.plot.getPlotItem().getViewBox().viewRange()[0]
    assert zoomed[1] - zoomed[0] < high - low


def test_parts_of_a_gradient_are_one_stop(app: App, qtbot: QtBot) -> None:
    assert app.contents is not None
    press(app, KEY.Key_End, 2)
    press(app, KEY.Key_Right, 3)
    to_page(app, 5)
    units = app.contents.origin.lists[2]
    qtbot.waitUntil(units.isVisible)
    shown = [button for button in units.buttons if button.isVisible()]
    assert len(shown) > 2
    focus(shown[0])
    press(app, KEY.Key_Down)
    assert here() is shown[1]
    press(app, KEY.Key_End)
    assert here() is shown[-1]
    assert controls(units) == [shown[-1]]


def picture(app: App, control: QWidget) -> QImage:
    """The control with a little around it, as it is seen."""
    box = QRect(control.mapTo(app.window, QPoint(0, 0)), control.size()).adjusted(-3, -3, 3, 3)
    return app.window.grab(box & app.window.rect()).toImage().convertToFormat(QImage.Format.Format_RGB32)


def pixels(image: QImage) -> np.ndarray:  # type: ignore[type-arg]
    return np.frombuffer(image.constBits(), np.uint8).reshape(image.height(), image.width(), 4)[:, :, :3].astype(float)


@pytest.fixture
def not_blinking(qapp: QApplication) -> Iterator[None]:
    before = qapp.cursorFlashTime()
    qapp.setCursorFlashTime(0)
    yield
    qapp.setCursorFlashTime(before)


def has_ring(app: App, control: QWidget) -> bool:
    """Whether pixels along its edges are others with the keyboard, and much lighter or darker than without."""
    focus(control)
    seen = pixels(picture(app, control))
    app.window.setFocus()
    changed = np.abs(seen - pixels(picture(app, control))).max(axis=2) > 60
    edges = [changed[:8], changed[-8:], changed[:, :8], changed[:, -8:]]
    return sum(edge.any() for edge in edges) >= 2 and changed.sum() >= 20


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.usefixtures("not_blinking")
def test_where_the_keyboard_is_can_be_seen(app: App, theme: str) -> None:
    if theme == "light":
        press(app, KEY.Key_T, modifier=CONTROL)
    assert app.contents is not None
    app.contents.experiment.cards[0].header.setChecked(True)
    pale = []
    for number, _page in enumerate(PAGES, 1):
        to_page(app, number)
        found = shown_controls(app) if number == 1 else controls(app.contents.right.front)
        pale += [described(control) for control in found if not has_ring(app, control)]
    assert not pale
