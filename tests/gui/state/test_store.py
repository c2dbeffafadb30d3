"""The store: every listener is told every change once and in order, whoever makes them."""

import ast
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest
from flat_state import flat_state
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

import rnnviz.gui
from rnnviz.gui.live.child import Child
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.state.debugging import Found
from rnnviz.gui.state.run import History
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import MOST_CHAINED, Store, setting
from rnnviz.gui.watching.past_search import Past


def pairs_seen(store: Store, seen: list[tuple[int, int]]) -> None:
    store.changed.connect(lambda old, new: seen.append((old.place.sample, new.place.sample)))


def test_an_update_by_a_listener_is_told_to_all_after_the_one_that_made_it() -> None:
    store, first, last = Store(), list[tuple[int, int]](), list[tuple[int, int]]()
    states = list[int]()

    def follow(old: State, new: State) -> None:
        if new.place.sample == 1:
            store.change(place=setting(sample=2))
            states.append(store.state.place.sample)  # advances at once

    pairs_seen(store, first)
    store.changed.connect(follow)
    pairs_seen(store, last)
    store.change(place=setting(sample=1))
    assert first == last == [(0, 1), (1, 2)]
    assert states == [2]


def test_two_listeners_that_update_do_not_mix_up_the_order() -> None:
    store, seen = Store(), list[tuple[int, int]]()

    def one(old: State, new: State) -> None:
        if new.place.sample == 1:
            store.change(place=setting(sample=10))

    def two(old: State, new: State) -> None:
        if new.place.sample == 1:
            store.change(place=setting(sample=20))

    store.changed.connect(one)
    store.changed.connect(two)
    pairs_seen(store, seen)
    store.change(place=setting(sample=1))
    assert seen == [(0, 1), (1, 10), (10, 20)]


def test_what_changes_nothing_is_not_told() -> None:
    store, seen = Store(flat_state(sample=3)), list[tuple[int, int]]()
    pairs_seen(store, seen)
    store.change(place=setting(sample=3))
    assert seen == []


def test_a_listener_that_fails_holds_nobody_up(qtbot: QtBot) -> None:
    store, seen = Store(), list[tuple[int, int]]()

    def fail(old: State, new: State) -> None:
        if new.place.sample == 1:
            store.change(place=setting(sample=2))
        raise ValueError("no good")

    store.changed.connect(fail)
    pairs_seen(store, seen)
    with qtbot.captureExceptions() as raised:
        store.change(place=setting(sample=1))
    assert seen == [(0, 1), (1, 2)]
    assert [str(error) for _, error, _ in raised] == ["no good"] * 2  # what Problems tells the person
    with qtbot.captureExceptions():
        store.change(place=setting(sample=5))
    assert seen[-1] == (2, 5)


def test_listeners_that_go_round_in_a_circle_are_named(qtbot: QtBot) -> None:
    store, seen = Store(), list[tuple[int, int]]()

    def up_and_up(old: State, new: State) -> None:
        store.change(place=setting(sample=new.place.sample + 1))

    store.changed.connect(up_and_up)
    pairs_seen(store, seen)
    with qtbot.captureExceptions(), pytest.raises(RuntimeError, match="up_and_up"):
        store.change(place=setting(sample=1))
    assert seen[-1][1] == store.state.place.sample == 1 + MOST_CHAINED  # and nobody has missed anything


def test_only_the_thread_of_the_window_may_update() -> None:
    store, raised = Store(), list[str]()

    def update() -> None:
        try:
            store.change(place=setting(sample=1))
        except AssertionError as error:
            raised.append(str(error))

    thread = threading.Thread(target=update)
    thread.start()
    thread.join()
    assert len(raised) == 1
    assert store.state.place.sample == 0


def test_the_list_of_hits_is_empty_once_another_run_is_open(qtbot: QtBot) -> None:
    """It went on showing the count of the run before: it was told of the other run after it was told of no hits."""
    store = Store(flat_state(run_path=Path("one.rnnviz"), found=Found(done=40, total=40)))
    searching = Searching(store, SimpleNamespace())  # type: ignore[arg-type]
    searching._child = child = _sleeping(searching)
    store.change(debugging=setting(found=Found(done=20, total=40, running=True)))
    past = Past(store)
    qtbot.addWidget(past)
    assert "20 of 40" in past.note.text()
    store.change(run=setting(path=Path("two.rnnviz")), recorded=setting(history=History(last_training_step=7)))
    assert store.state.debugging.found is None
    assert past.note.isHidden()
    assert not child.alive


def test_no_listener_asks_the_store_for_what_it_is_told() -> None:
    """What it is told of may be behind the store's state by now: it would see one change twice and another never."""
    asking = [
        f"{path.name}:{node.lineno}"
        for path in Path(rnnviz.gui.__file__).parent.rglob("*.py")
        for listener in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(listener, ast.FunctionDef) and listener.name in ("show_state", "draw")
        for node in ast.walk(listener)
        if isinstance(node, ast.Attribute) and ast.unparse(node).endswith("store.state")
    ]
    assert asking == []


def _sleeping(parent: QObject) -> Child:
    """A child process that searches for a long time."""
    child = Child([], parent)
    child._process.setArguments(["-c", "import time; time.sleep(60)"])
    child.start()
    assert child._process.waitForStarted(5000)
    return child
