"""Which trace is looked at: a what-if's for the model it was made for, everywhere; history for the others."""

import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from flat_state import flat_state
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from rnnviz.core.numbers import short
from rnnviz.core.stopping.marks import Breakpoint, Marks
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.cursor.what_changed import stop_words
from rnnviz.gui.look import theme
from rnnviz.gui.state.looked_at import history_of, looked_at
from rnnviz.gui.state.scopes import trace_scope
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.stops import trace_stops
from rnnviz.gui.watching.watches import Watches

sys.path.insert(0, str(Path(__file__).parents[1] / "panels"))
from panels_state import make_state, try_by_hand


@pytest.fixture
def store(qapp: QApplication) -> Store:
    theme.apply(qapp, theme.theme("dark"))
    return Store(make_state(model=1))


def test_while_nothing_is_set_each_model_is_history_and_nobody_says_so(store: Store) -> None:
    for model, trace in enumerate(store.state.recorded.traces):
        looked = looked_at(store.state, model)
        assert (looked.trace, looked.sample, looked.words) == (trace, 0, "")
        assert looked.titled("Equation") == "Equation"
    assert looked_at(store.state).trace is store.state.recorded.traces[1]
    assert looked_at(State()).trace is None


def test_a_what_if_stands_in_for_the_history_of_its_model(store: Store) -> None:
    changed = try_by_hand(store)
    assert (looked_at(store.state).trace, looked_at(store.state).words) == (changed, "what-if")
    assert looked_at(store.state, 0).trace is store.state.recorded.traces[0]
    assert looked_at(store.state, 0).titled("Vanilla") == "Vanilla, history"
    assert looked_at(history_of(store.state)).trace is store.state.recorded.traces[1]
    elsewhere = flat_state(store.state, cursor=replace(store.state.place.cursor, training_step=7))
    assert looked_at(elsewhere).words == "history"  # it was made of another training step


def test_expressions_read_the_what_if(store: Store) -> None:
    changed = try_by_hand(store)
    scope, other = trace_scope(store.state, 1), trace_scope(store.state, 0)
    assert scope is not None
    assert other is not None
    np.testing.assert_array_equal(scope.quantity("c", "l0"), changed.layer("l0").c[:, 0])
    vanilla = store.state.recorded.traces[0]
    assert vanilla is not None
    np.testing.assert_array_equal(other.quantity("h", "l0"), vanilla.layer("l0").h[:, 0])


def test_a_walk_stops_where_the_what_if_meets_a_breakpoint(store: Store) -> None:
    one = Breakpoint("condition", expression="min(c[t]) > 2.9")  # every unit: nowhere but where it was set by hand
    store.change(debugging=setting(marks=Marks(breakpoints=(one,))))
    assert trace_stops(store.state) == ()
    try_by_hand(store)
    assert [stop.cursor.time_step for stop in trace_stops(store.state)] == [39]


def test_the_table_at_the_cursor_tells_the_what_if_and_says_so(qtbot: QtBot, store: Store) -> None:
    panel = ValuesPanel(store)
    qtbot.addWidget(panel)
    assert panel.table.which == ("", "")
    before = [row.cells for row in panel.table.rows]
    changed = try_by_hand(store)
    assert panel.table.which == ("history", "what-if")
    assert [cells[0] for cells in before] == [row.cells[0] for row in panel.table.rows]
    assert [cells[1] for cells in before] != [row.cells[1] for row in panel.table.rows]
    cell = next(row for row in panel.table.rows if row.words == "cell state")
    norm = np.linalg.norm(changed.layer("l0").c[40, 0].astype(np.float64))
    assert cell.cells[1] == short(float(norm))
    assert "LSTM, what-if" in panel.row_text(0)
    store.change(trial=setting(whatif=store.state.trial.whatif.discard()))
    assert panel.table.which == ("", "")
    assert [row.cells for row in panel.table.rows] == before


def test_watches_tell_the_what_if_but_remember_history(qtbot: QtBot, store: Store) -> None:
    store.change(debugging=setting(watches=("min(c[t])", "sum(c)")))
    watches = Watches(store)
    qtbot.addWidget(watches)
    watches.show()
    changed = try_by_hand(store)
    watches.refresh()
    row = watches.cards[0].rows.rows[1]
    assert row.look.value == pytest.approx(float(changed.layer("l0").c[40, 0].min()))
    assert row.line.values[38] == pytest.approx(3.0)
    assert (row.which, row.title) == ("what-if", "LSTM, what-if")
    assert watches.cards[0].rows.rows[0].which == "history"
    assert len(watches.cards[1].rows.rows[1].line.values) <= 1  # a line over training steps is of history alone
    store.change(trial=setting(whatif=store.state.trial.whatif.discard()))
    watches.refresh()
    assert watches.cards[0].rows.rows[1].which == ""
    watches.close()


def test_what_changed_in_time_is_of_what_is_looked_at(store: Store) -> None:
    there = replace(store.state.place.cursor, time_step=39)
    history = stop_words(store.state, flat_state(store.state, cursor=there))
    try_by_hand(store)
    assert stop_words(store.state, flat_state(store.state, cursor=there)) != history
