"""Watches as a person uses them: typed with completions, mended where they are wrong, read at the cursor."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close

from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.run import History
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.watching.watches import Watches
from rnnviz.gui.watching.watches_page import WatchesPage

KEY = Qt.Key


@pytest.fixture
def watches(qtbot: QtBot, store: Store) -> Iterator[Watches]:
    page = WatchesPage(store)
    qtbot.addWidget(page)
    page.resize(304, 700)
    page.show()
    qtbot.waitUntil(page.isActiveWindow)
    page.watches.add.setFocus()
    yield page.watches
    page.close()


def settle(qtbot: QtBot) -> None:
    qtbot.wait(20)


def test_a_typed_expression_has_its_value_in_every_model(qtbot: QtBot, store: Store, watches: Watches) -> None:
    QTest.keyClicks(watches.add, "norm(dh[t])")
    QTest.keyClick(watches.add, KEY.Key_Return)
    settle(qtbot)
    assert store.state.debugging.watches == ("norm(dh[t])",)
    assert watches.add.text() == ""
    rows = watches.cards[0].rows.rows
    assert [row.model for row in rows] == ["Vanilla", "LSTM"]
    for row, trace in zip(rows, store.state.recorded.traces, strict=True):
        assert trace is not None
        lane = np.linalg.norm(trace.layer("l0").hidden_grad[:, 0].astype(np.float64), axis=1)
        assert row.look.value == pytest.approx(lane[40], rel=1e-9)
        np.testing.assert_allclose(row.line.values, lane, rtol=1e-9)
        assert row.line.over == "time steps"
        assert row.line.marked == 41


def test_a_metric_that_is_not_recorded_yet_has_no_value(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(recorded=setting(history=History()), debugging=setting(watches=("loss < 0.1", "1 + 1")))
    settle(qtbot)
    assert [row.words for row in watches.cards[0].rows.rows] == ["–", "–"]
    assert "loss" in watches.cards[0].rows.rows[0].tooltip
    assert watches.cards[1].rows.rows[0].words == "2"


def test_an_example_is_watched_and_the_keyboard_stays_here(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=()))
    example = watches.examples[0]
    QTest.mouseClick(example, Qt.MouseButton.LeftButton)
    settle(qtbot)
    assert store.state.debugging.watches == (example.text(),)
    assert watches.add.hasFocus()


def test_a_gate_that_a_model_lacks_has_no_value_there(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=("max(f)",)))
    settle(qtbot)
    vanilla, lstm = watches.cards[0].rows.rows
    assert vanilla.words == "–"
    assert "no forget gate" in vanilla.tooltip
    assert lstm.words.startswith("0.9")


def test_values_that_changed_since_the_last_stop_are_marked(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=("norm(h[t])", "T")))
    settle(qtbot)
    assert [row.before for card in watches.cards for row in card.rows.rows] == [""] * 4
    was = watches.cards[0].rows.rows[0].words
    store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=40)))
    settle(qtbot)
    moving, fixed = (card.rows.rows for card in watches.cards)
    assert moving[0].before == was != moving[0].words
    assert f"before: {was}" in moving[0].tooltip
    assert [row.before for row in fixed] == ["", ""]
    store.change(look=setting(theme="light"))  # no stop
    settle(qtbot)
    assert watches.cards[0].rows.rows[0].before == was


def test_metrics_make_a_line_over_training_steps(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=("loss < 0.05", "median(grad_norm, 10)")))
    settle(qtbot)
    yes_no, number = (card.rows.rows[1] for card in watches.cards)
    curve = store.state.recorded.history.curves[1, "loss"]
    assert yes_no.look.value == bool(curve.values[741] < 0.05)
    assert set(yes_no.line.values) == {0.0, 1.0}
    assert number.line.over == "training steps"
    assert number.look.value == pytest.approx(
        np.median(store.state.recorded.history.curves[1, "grad_norm"].values[732:742])
    )


def test_what_is_one_number_of_a_trace_gets_a_point_at_every_training_step_seen(
    qtbot: QtBot, store: Store, watches: Watches
) -> None:
    store.change(debugging=setting(watches=("norm(dh[1])",)))
    settle(qtbot)
    assert len(watches.cards[0].rows.rows[0].line.values) == 1
    store.change(
        recorded=setting(traces=store.state.recorded.traces[::-1]),
        place=setting(cursor=replace(store.state.place.cursor, training_step=700)),
    )
    settle(qtbot)
    line = watches.cards[0].rows.rows[0].line
    assert line.x.tolist() == [700, 742]
    assert line.values[0] != line.values[1]
    store.change(run=setting(path=Path("another.rnnviz")))
    settle(qtbot)
    assert len(watches.cards[0].rows.rows[0].line.values) == 1


def test_completions_show_shapes_and_tab_takes_one(qtbot: QtBot, watches: Watches) -> None:
    field = watches.add
    QTest.keyClicks(field, "norm(dh_d")
    assert field.completions.isVisible()
    assert field.completions.model().index(0, 0).data() == "dh_direct"
    assert field.completions.model().index(0, 0).data(Qt.ItemDataRole.UserRole).shape == "T × 12 numbers"
    field.completions.grab()
    QTest.keyClick(field, KEY.Key_Tab)
    assert field.text() == "norm(dh_direct"
    assert not field.completions.isVisible()
    assert field.hasFocus()


def test_arrows_choose_a_completion_and_enter_takes_it(qtbot: QtBot, store: Store, watches: Watches) -> None:
    field = watches.add
    QTest.keyClicks(field, "lo")
    offers = [field.completions.model().index(row, 0).data() for row in range(3)]
    QTest.keyClick(field, KEY.Key_Down)
    QTest.keyClick(field, KEY.Key_Down)
    QTest.keyClick(field, KEY.Key_Return)
    assert field.text() == offers[1]
    assert store.state.debugging.watches == ()
    QTest.keyClick(field, KEY.Key_Escape)
    assert field.text() == ""


def test_a_click_takes_a_completion(qtbot: QtBot, watches: Watches) -> None:
    field = watches.add
    QTest.keyClicks(field, "1 + gra")
    index = field.completions.model().index(0, 0)
    place = field.completions.visualRect(index).center()
    QTest.mouseClick(field.completions.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert field.text() == "1 + grad_norm"


def test_a_wrong_expression_is_underlined_where_it_is_wrong_and_not_watched(
    qtbot: QtBot, store: Store, watches: Watches
) -> None:
    field = watches.add
    field.setFocus()
    QTest.keyClicks(field, "norm(dq[1])")
    plain = field.grab().toImage()
    assert field.problem is not None
    assert field.text()[field.problem.start : field.problem.end] == "dq"
    assert "dq" in watches.problem.text()
    assert watches.problem.isVisible()
    red = theme("dark").color("bad")
    marked = [x for x in range(plain.width()) for y in range(plain.height()) if near(plain.pixelColor(x, y), red)]
    ratio = plain.devicePixelRatio()
    start, end = (place(field, column) * ratio for column in (5, 7))
    assert marked
    assert start - 3 <= min(marked) <= max(marked) <= end + 3
    QTest.keyClick(field, KEY.Key_Return)
    assert store.state.debugging.watches == ()
    field.setCursorPosition(7)
    QTest.keyClick(field, KEY.Key_Backspace)
    QTest.keyClick(field, KEY.Key_H)
    QTest.keyClick(field, KEY.Key_Return)
    assert store.state.debugging.watches == ("norm(dh[1])",)
    assert not watches.problem.isVisible()


def near(color: object, other: object) -> bool:
    return all(abs(one - two) < 60 for one, two in zip(color.getRgb()[:3], other.getRgb()[:3], strict=True))  # type: ignore[attr-defined]


def place(field: object, column: int) -> int:
    """The pixel where this column of the text begins."""
    return next(x for x in range(400) if field.cursorPositionAt(QPoint(x, 10)) >= column)  # type: ignore[attr-defined]


def test_a_watch_is_changed_in_place_and_goes_with_its_cross(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=("loss", "accuracy")))
    settle(qtbot)
    card = watches.cards[0]
    card.field.selectAll()
    QTest.keyClicks(card.field, "log10(loss)")
    QTest.keyClick(card.field, KEY.Key_Return)
    assert store.state.debugging.watches == ("log10(loss)", "accuracy")
    settle(qtbot)
    QTest.mouseClick(watches.cards[1].remove, Qt.MouseButton.LeftButton)
    assert store.state.debugging.watches == ("log10(loss)",)
    settle(qtbot)
    watches.cards[0].field.selectAll()
    QTest.keyClick(watches.cards[0].field, KEY.Key_Delete)
    QTest.keyClick(watches.cards[0].field, KEY.Key_Return)
    assert store.state.debugging.watches == ()
    assert watches.examples[0].isVisible()
    QTest.mouseClick(watches.examples[0], Qt.MouseButton.LeftButton)
    assert store.state.debugging.watches == (watches.examples[0].text(),)


def test_a_watch_that_other_models_do_not_know_says_so(qtbot: QtBot, store: Store, watches: Watches) -> None:
    store.change(debugging=setting(watches=("max(f)",)))
    settle(qtbot)
    vanilla = store.state.run.models[:1]
    store.change(run=setting(models=vanilla), recorded=setting(traces=store.state.recorded.traces[:1]))
    settle(qtbot)
    card = watches.cards[0]
    assert "forget gate" in card.problem.text()
    assert card.problem.isVisible()
    assert card.rows.rows == ()


@pytest.mark.parametrize("look", ["dark", "light"])
def test_the_page_is_drawn_without_traces_and_with_hostile_values(qtbot: QtBot, store: Store, look: str) -> None:
    store.change(
        debugging=setting(watches=("1 / 0", "0 / 0", "h", "losses", "norm(dh[t]) * inf")),
        recorded=setting(traces=()),
        look=setting(theme=look),
    )
    page = WatchesPage(store)
    qtbot.addWidget(page)
    page.resize(264, 500)
    page.show()
    settle(qtbot)
    assert not page.grab().isNull()
    assert page.watches.cards[0].rows.rows[0].words == "+∞"
    assert page.watches.cards[1].rows.rows[0].words == "NaN"
    assert "nothing was captured" in page.watches.cards[2].rows.rows[0].tooltip
    assert page.findChildren(QLabel)


def test_watches_are_remembered_between_two_starts(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    app.store.change(look=setting(page="watches"))
    assert app.contents is not None
    watches = app.contents.watches.watches
    watches.add.setFocus()
    QTest.keyClicks(watches.add, "norm(h[t])")
    QTest.keyClick(watches.add, KEY.Key_Return)
    rows = watches.cards[0].rows
    qtbot.waitUntil(lambda: bool(rows.rows) and all(row.look.value is not None for row in rows.rows))
    value = watches.cards[0].rows.rows[0].words
    app.window.setFocus()
    QTest.keyClick(app.window, KEY.Key_Right)
    qtbot.waitUntil(lambda: watches.cards[0].rows.rows[0].before == value)
    close(app)
    again = open_app(run_file)
    assert again.store.state.debugging.watches == ("norm(h[t])",)
    assert again.contents is not None
    assert [card.text for card in again.contents.watches.watches.cards] == ["norm(h[t])"]
