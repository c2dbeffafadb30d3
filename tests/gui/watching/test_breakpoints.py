"""Breakpoints as a person sets them, and the real engine that stops at them."""

import shutil
import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot
from whole_program import OpenApp, close, press, small_experiment

from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.stopping.marks import NOT_FINITE, Bookmark, Breakpoint, Marks
from rnnviz.core.stopping.marks_file import shortened
from rnnviz.gui.look.scale import set_text_scale
from rnnviz.gui.shell.app import App
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.watching.watches_page import WatchesPage
from rnnviz.runs.file.records import Event
from rnnviz.runs.reading.reader import open_run

KEY = Qt.Key


@pytest.fixture
def page(qtbot: QtBot, store: Store) -> Iterator[WatchesPage]:
    page = WatchesPage(store)
    qtbot.addWidget(page)
    page.resize(304, 900)
    page.show()
    qtbot.waitUntil(page.isActiveWindow)
    yield page
    page.close()


def type_into(field: object, text: str) -> None:
    field.setFocus()  # type: ignore[attr-defined]
    field.selectAll()  # type: ignore[attr-defined]
    QTest.keyClicks(field, text)
    QTest.keyClick(field, KEY.Key_Return)


def test_nan_is_a_breakpoint_that_can_only_be_switched_off(store: Store, page: WatchesPage) -> None:
    (card,) = page.breakpoints.cards
    assert card.dot.isChecked()
    assert not card.remove.isVisible()
    QTest.mouseClick(card.dot, Qt.MouseButton.LeftButton)
    assert store.state.debugging.marks.breakpoints == (Breakpoint("not finite", enabled=False),)
    assert not page.breakpoints.cards[0].dot.isChecked()
    QTest.mouseClick(page.breakpoints.cards[0].dot, Qt.MouseButton.LeftButton)
    assert store.state.debugging.marks == Marks()


@pytest.mark.parametrize(
    "one",
    [
        Breakpoint("not finite", "norm(h[T])"),
        Breakpoint("place", phase="backward", time_step=-2),
        Breakpoint("place", "norm(h[t]) > 3", phase="loss"),
        Breakpoint("condition", "loss < 0.05"),
        Breakpoint("data", "grad_norm", factor=10),
    ],
)
def test_every_other_kind_can_be_edited_and_removed_and_says_what_it_waits_for(
    store: Store, page: WatchesPage, one: Breakpoint
) -> None:
    store.change(debugging=setting(marks=Marks(breakpoints=(one,))))
    QApplication.processEvents()  # a new card is shown then
    first, card = page.breakpoints.cards
    assert not any(widget.isVisible() for widget in (first.remove, first.edit, first.field))
    assert card.remove.isVisible()
    assert card.edit.isVisible()
    typed = one.kind != "place"
    assert (card.field.isVisible(), card.words.isVisible()) == (typed, not typed)
    assert (card.field.text() if typed else card.words.text()) == (one.expression if typed else one.words)
    QTest.mouseClick(card.remove, Qt.MouseButton.LeftButton)
    assert store.state.debugging.marks == Marks()


def test_what_there_is_nothing_of_takes_no_room(store: Store, page: WatchesPage) -> None:
    titles = {label.text(): label for label in page.findChildren(QLabel) if label.property("role") == "section"}
    events, marks = (Event(1, 7, "hit", "at 7", {"model": "LSTM"}),), Marks(bookmarks=(Bookmark(7),))
    for some_events, some_marks in (((), Marks()), (events, Marks()), ((), marks), (events, marks), ((), Marks())):
        store.change(recorded=setting(events=some_events), debugging=setting(marks=some_marks))
        QApplication.processEvents()
        assert {titles["Stops and log"].isVisible(), page.log.isVisible()} == {bool(some_events)}
        assert {titles["Bookmarks"].isVisible(), page.bookmarks.isVisible()} == {some_marks == marks}
        assert titles["Watches"].isVisible()
        assert titles["Hits in the recorded past"].isVisible()


def test_a_metric_is_known_once_it_is_recorded(store: Store, page: WatchesPage) -> None:
    breakpoints, watches = page.breakpoints, page.watches
    for field, problem in ((breakpoints.add, breakpoints.problem), (watches.add, watches.problem)):
        field.setFocus()
        QTest.keyClicks(field, "margin > 2")
        assert "margin" in problem.text()
    history = store.state.recorded.history
    curve = history.curves[0, "loss"]
    store.change(recorded=setting(history=replace(history, curves={**history.curves, (0, "margin"): curve})))
    assert (breakpoints.problem.text(), watches.problem.text()) == ("", "")
    for field in (breakpoints.add, watches.add):
        field.setFocus()
        QTest.keyClick(field, KEY.Key_Return)
    assert store.state.debugging.marks.breakpoints == (Breakpoint("condition", "margin > 2"),)
    assert store.state.debugging.watches == ("margin > 2",)


def test_a_yes_or_no_is_a_condition_and_can_be_switched_off_changed_and_removed(
    store: Store, page: WatchesPage
) -> None:
    type_into(page.breakpoints.add, "loss < 0.05")
    assert store.state.debugging.marks.breakpoints == (Breakpoint("condition", "loss < 0.05"),)
    assert page.breakpoints.add.text() == ""
    card = page.breakpoints.cards[1]
    QTest.mouseClick(card.dot, Qt.MouseButton.LeftButton)
    assert store.state.debugging.marks.breakpoints == (Breakpoint("condition", "loss < 0.05", enabled=False),)
    type_into(card.field, "loss < 0.01")
    assert store.state.debugging.marks.breakpoints == (Breakpoint("condition", "loss < 0.01", enabled=False),)
    QTest.mouseClick(card.remove, Qt.MouseButton.LeftButton)
    assert store.state.debugging.marks == Marks()
    assert len(page.breakpoints.cards) == 1


def test_a_number_is_a_data_breakpoint_whose_threshold_is_asked_for(store: Store, page: WatchesPage) -> None:
    type_into(page.breakpoints.add, "norm(dh[1]) / norm(dh[T])")
    card = page.breakpoints.cards[1]
    assert not card.form.isHidden()
    assert store.state.debugging.marks.breakpoints[0].factor == 10
    card.form.when.setFocus()
    QTest.keyClicks(card.form.when, "rises")
    card.form.when.chosen.emit("up")
    type_into(card.form.threshold, "1e-3")
    card.form.model.chosen.emit("LSTM")
    type_into(card.form.every, "3")
    (one,) = store.state.debugging.marks.breakpoints
    assert one == Breakpoint("data", "norm(dh[1]) / norm(dh[T])", crosses=1e-3, direction="up", model="LSTM", every=3)
    assert card.note.text() == "rises above 10⁻³ (LSTM), every 3rd time"
    assert card.form.rows[2].isHidden()
    store.change(debugging=setting(marks=Marks(breakpoints=(replace(one, crosses=0.25, every=7),))))
    (_, card) = page.breakpoints.cards
    assert [float(field.text()) for field in (card.form.threshold, card.form.every)] == [0.25, 7]


def test_a_line_to_log_makes_a_logpoint_and_a_wrong_one_is_said(store: Store, page: WatchesPage) -> None:
    type_into(page.breakpoints.add, "k % 100 == 0")
    card = page.breakpoints.cards[1]
    QTest.mouseClick(card.edit, Qt.MouseButton.LeftButton)
    type_into(card.form.message, "loss is {lss}")
    assert store.state.debugging.marks.breakpoints[0].message == ""
    assert "lss" in card.form.rows[-1].sentence.text()
    type_into(card.form.message, "loss is {loss}")
    assert store.state.debugging.marks.breakpoints[0].message == "loss is {loss}"
    assert "log: loss is {loss}" in card.note.text()
    assert card.dot.logs


def test_what_cannot_stop_is_refused_while_it_is_typed(store: Store, page: WatchesPage) -> None:
    type_into(page.breakpoints.add, "f > 0.99")
    assert "any(f > 0.99)" in page.breakpoints.problem.text()
    assert page.breakpoints.problem.isVisible()
    assert store.state.debugging.marks == Marks()


def test_hits_are_counted_and_a_click_wishes_the_moment_back(qtbot: QtBot, store: Store, page: WatchesPage) -> None:
    one = Breakpoint("condition", "loss < 0.05")
    details = {"breakpoint": shortened(one), "model": "LSTM", "time_step": 7}
    store.change(
        debugging=setting(marks=Marks(breakpoints=(one,))),
        recorded=setting(
            events=tuple(Event(n, step, "hit", f"at {step}", details) for n, step in enumerate((200, 268)))
        ),
    )
    assert page.breakpoints.cards[1].note.text() == "any model · stopped 2 times, last at 268"
    assert [page.log.item(row).text() for row in range(2)] == ["at 268", "at 200"]
    with qtbot.waitSignal(page.log.moment_wanted) as caught:
        place = page.log.visualItemRect(page.log.item(1)).center()
        QTest.mouseClick(page.log.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert caught.args == [200, "LSTM", 7]
    before = page.log.height()
    page.log.setStyleSheet("QListWidget::item { padding: 9px; }")  # as another theme's may
    assert page.log.height() >= before + 2 * 2 * 9


@pytest.fixture
def ready(open_app: OpenApp, qtbot: QtBot, tmp_path: Path) -> App:
    write_experiment(small_experiment(), tmp_path / "small.toml")
    app = open_app(tmp_path / "small.toml")
    qtbot.waitUntil(lambda: len(app.store.state.recorded.traces) == 2)
    app.store.change(look=setting(page="watches"))
    return app


def stopped_at(app: App) -> int:
    status = app.store.state.recorded.status
    return status.training_step if status is not None and status.state == "paused" else -1


def test_training_stops_at_the_breakpoint_and_a_click_on_the_stop_goes_back(ready: App, qtbot: QtBot) -> None:
    app = ready
    assert app.contents is not None
    page = app.contents.watches
    type_into(page.breakpoints.add, "k == 40 and norm(h[T]) > 0")
    type_into(page.breakpoints.add, "k % 10 == 0")
    card = page.breakpoints.cards[2]
    QTest.mouseClick(card.edit, Qt.MouseButton.LeftButton)
    type_into(card.form.message, "loss {loss}")
    app.window.setFocus()
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: stopped_at(app) == 40)
    qtbot.waitUntil(lambda: any(event.kind == "hit" for event in app.store.state.recorded.events))
    hit = next(event for event in app.store.state.recorded.events if event.kind == "hit")
    assert hit.training_step == 40
    assert "training step 40" in app.message_bar.sentence
    logged = sorted({event.training_step for event in app.store.state.recorded.events if event.kind == "log"})
    assert logged == [10, 20, 30, 40]
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    card = page.breakpoints.cards[1]
    assert "last at 40" in card.note.text()

    press(app, KEY.Key_Period)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 41)
    row = next(row for row in range(page.log.count()) if page.log.item(row).text() == hit.sentence)
    item = page.log.item(row)
    page.log.scrollToItem(item)
    QTest.mouseClick(page.log.viewport(), Qt.MouseButton.LeftButton, pos=page.log.visualItemRect(item).center())
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)

    old = app.store.state.run.path
    press(app, KEY.Key_R, modifier=Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: app.store.state.run.path != old)
    assert [card.breakpoint.expression for card in page.breakpoints.cards] == [
        NOT_FINITE.expression, "k == 40 and norm(h[T]) > 0", "k % 10 == 0"
    ]  # fmt: skip
    assert app.store.state.recorded.events == ()
    app.window.setFocus()
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: stopped_at(app) == 40)  # of the new run
    close(app)
    assert old is not None
    with open_run(old) as run:
        assert [one.expression for one in run.marks().breakpoints] == ["k == 40 and norm(h[T]) > 0", "k % 10 == 0"]


def test_a_run_brings_its_breakpoints_and_stops_back(ready: App, open_app: OpenApp, qtbot: QtBot) -> None:
    app = ready
    assert app.contents is not None
    type_into(app.contents.watches.breakpoints.add, "k == 5")
    type_into(app.contents.watches.watches.add, "norm(h[t])")
    app.window.setFocus()
    press(app, KEY.Key_Space)
    qtbot.waitUntil(lambda: stopped_at(app) == 5)
    path = app.store.state.run.path
    close(app)
    again = open_app(path)
    qtbot.waitUntil(lambda: again.store.state.run.path == path)
    assert [one.expression for one in again.store.state.debugging.marks.breakpoints] == ["k == 5"]
    assert again.store.state.debugging.watches == ("norm(h[t])",)
    assert [event.training_step for event in again.store.state.recorded.events] == [5, 5]  # one a model


def test_hits_are_found_in_the_recorded_past_and_reverse_continue_goes_back_to_them(
    open_app: OpenApp, qtbot: QtBot, run_file: Path
) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    assert app.contents is not None
    page = app.contents.watches
    app.store.change(look=setting(page="watches"))
    type_into(page.breakpoints.add, "k % 10 == 0 and model == lstm")
    QTest.mouseClick(page.past.buttons["find_hits"], Qt.MouseButton.LeftButton)
    assert page.past.note.text() == "Searching …"
    qtbot.waitUntil(
        lambda: app.store.state.debugging.found is not None and not app.store.state.debugging.found.running,
    )
    assert app.store.state.debugging.found is not None
    assert [hit.training_step for hit in app.store.state.debugging.found.hits] == [10, 20, 30, 40]
    assert page.past.note.text() == "4 hits in 40 training steps"
    item = page.past.hits.item(0)
    assert item.text().startswith("Training step 10: in LSTM, k % 10 == 0 and model == lstm (k % 10 is 0)")
    QTest.mouseClick(
        page.past.hits.viewport(), Qt.MouseButton.LeftButton, pos=page.past.hits.visualItemRect(item).center()
    )
    captured = app.store.state.recorded.history.captured
    nearest = int(captured[abs(captured - 10).argmin()])
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == nearest)

    app.session.show_training_step(40)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    app.window.setFocus()
    press(app, KEY.Key_F3, modifier=Qt.KeyboardModifier.ShiftModifier)
    qtbot.waitUntil(lambda: "Training step 30" in app.message_bar.sentence)
    nearest = int(captured[abs(captured - 30).argmin()])
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == nearest)
    app.session.show_training_step(40)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    press(app, KEY.Key_F3)
    qtbot.waitUntil(lambda: app.message_bar.sentence == "No breakpoint is met after training step 40.")


def test_where_a_hit_was_not_kept_the_nearest_training_step_is_named_until_it_is_left(
    open_app: OpenApp, qtbot: QtBot, run_file: Path, tmp_path: Path
) -> None:
    path = Path(shutil.copy(run_file, tmp_path / "thinned.rnnviz"))
    with sqlite3.connect(path) as connection:
        connection.execute("DROP TABLE contents")  # which would miss them
        connection.execute("DELETE FROM captures WHERE training_step BETWEEN 14 AND 22")
    connection.close()
    app = open_app(path)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    assert app.contents is not None
    page = app.contents.watches
    app.store.change(look=setting(page="watches"))
    type_into(page.breakpoints.add, "k == 15 and model == lstm")
    app.actions["previous_hit"].trigger()
    not_kept = "Training step 15 was not kept: 13, the nearest that was, is shown."
    qtbot.waitUntil(lambda: app.message_bar.sentence.endswith(not_kept))
    assert app.message_bar.sentence.startswith("Training step 15: in LSTM, ")
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 13)
    press(app, KEY.Key_Right)  # along the time axis: it is still shown, and named
    assert app.message_bar.sentence.endswith(not_kept)

    app.walker.go_to("k=21")
    assert app.message_bar.sentence == "Training step 21 was not kept: 23, the nearest that was, is shown."
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 23)
    app.session.show_training_step(9)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 9)
    assert app.message_bar.sentence == ""
    app.session.show_training_step(14)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 13)
    app.session.back_to_live()
    assert app.message_bar.sentence == ""

    QTest.mouseClick(page.past.buttons["find_hits"], Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: page.past.hits.count() == 1)
    words = "Training step 15 was not kept; go to 13, the nearest that was"
    assert page.past.hits.item(0).toolTip() == words


def test_reverse_continue_stops_at_bookmarks_when_asked(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    assert app.contents is not None
    app.store.change(look=setting(page="watches"))
    type_into(app.contents.watches.breakpoints.add, "k == 20 and model == lstm")
    place = Bookmark(35, "backward", 2, "l0", "", "look here")
    app.store.change(debugging=setting(marks=replace(app.store.state.debugging.marks, bookmarks=(place,))))
    app.actions["previous_hit"].trigger()
    qtbot.waitUntil(lambda: "Training step 20" in app.message_bar.sentence)
    app.session.show_training_step(40)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    app.actions["stop_at_bookmarks"].trigger()
    app.actions["previous_hit"].trigger()
    qtbot.waitUntil(lambda: app.message_bar.sentence == "Bookmark at training step 35: look here")
    captured = app.store.state.recorded.history.captured
    nearest = int(captured[abs(captured - 35).argmin()])
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == nearest)
    assert (app.store.state.place.cursor.phase.value, app.store.state.place.cursor.time_step) == ("backward", 2)


def test_a_search_is_cancelled_and_leaves_no_process(open_app: OpenApp, qtbot: QtBot, run_file: Path) -> None:
    app = open_app(run_file)
    qtbot.waitUntil(lambda: app.store.state.place.cursor.training_step == 40)
    assert app.contents is not None
    app.store.change(look=setting(page="watches"))
    past = app.contents.watches.past
    QTest.mouseClick(past.buttons["find_hits"], Qt.MouseButton.LeftButton)
    assert past.cancel.isVisible()
    QTest.mouseClick(past.cancel, Qt.MouseButton.LeftButton)
    assert app.store.state.debugging.found is not None
    assert not app.store.state.debugging.found.running
    QTest.mouseClick(past.buttons["find_hits"], Qt.MouseButton.LeftButton)
    close(app)  # the test fails where a process is left behind


@pytest.mark.parametrize("text_scale", [0.8, 1.0, 1.5, 2.0])
@pytest.mark.parametrize("words", ["at 268", "Stopped at training step 268: in LSTM, any(f > 0.99) came true, " * 2])
def test_the_list_of_stops_scrolls_only_where_there_are_many(
    qapp: QApplication, store: Store, page: WatchesPage, text_scale: float, words: str
) -> None:
    qapp.processEvents()
    set_text_scale(text_scale)
    try:
        store.change(look=setting(text_scale=text_scale))
        for count, scrolls in ((1, False), (2, False), (40, True)):
            store.change(
                recorded=setting(events=tuple(Event(n, n, "hit", words, {"model": "LSTM"}) for n in range(count)))
            )
            qapp.processEvents()
            assert page.log.isVisible()
            assert (page.log.verticalScrollBar().maximum() > 0) == scrolls
            assert page.log.verticalScrollBar().isVisible() == scrolls
    finally:
        set_text_scale(1.0)
