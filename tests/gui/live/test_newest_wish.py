"""The newest wish: what lies between is shown, nothing piles up, and a run that was left says nothing any more."""

import threading
import time
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.gui.live import background
from rnnviz.gui.live.newest_wish import NewestWish


class Slow:
    """Work that goes on when it is let; a wish below 0 is refused."""

    def __init__(self) -> None:
        self.begun: list[int] = []
        self.let = threading.Semaphore(0)

    def __call__(self, wish: int) -> int:
        self.begun.append(wish)
        self.let.acquire(timeout=10)
        if wish < 0:
            raise RnnvizError(f"{wish} is too small.")
        return 10 * wish


@pytest.fixture
def slow() -> Slow:
    return Slow()


@pytest.fixture
def wishes(qapp: object, slow: Slow) -> Iterator[NewestWish]:
    owner = QObject()
    made = NewestWish("slow", slow, owner)
    made.got = []  # type: ignore[attr-defined]
    made.answered.connect(lambda wish, answer: made.got.append((wish, answer)))  # type: ignore[attr-defined]
    made.failed.connect(lambda wish, error: made.got.append((wish, str(error))))  # type: ignore[attr-defined]
    yield made
    slow.let.release(10)
    assert made.stop()


def test_of_many_wishes_the_first_and_the_newest_are_answered(wishes: NewestWish, slow: Slow, qtbot: QtBot) -> None:
    for wish in range(1, 8):
        wishes.ask(wish)
    slow.let.release()
    qtbot.waitUntil(lambda: wishes.got == [(1, 10)])  # type: ignore[attr-defined]  # though a newer one waits
    slow.let.release()
    qtbot.waitUntil(lambda: wishes.got == [(1, 10), (7, 70)])  # type: ignore[attr-defined]
    assert slow.begun == [1, 7]
    wishes.ask(7)  # asked again, answered again
    slow.let.release()
    qtbot.waitUntil(lambda: slow.begun == [1, 7, 7] and len(wishes.got) == 3)  # type: ignore[attr-defined]


def test_a_failure_is_told_with_its_wish_and_the_next_goes_on(wishes: NewestWish, slow: Slow, qtbot: QtBot) -> None:
    wishes.ask(-3)
    wishes.ask(4)
    slow.let.release(2)
    qtbot.waitUntil(lambda: wishes.got == [(-3, "-3 is too small."), (4, 40)])  # type: ignore[attr-defined]


def test_wishes_of_a_run_that_was_left_are_not_answered(wishes: NewestWish, slow: Slow, qtbot: QtBot) -> None:
    for wish in (1, 2):
        wishes.ask(wish)
    wishes.forget()
    wishes.ask(5)
    slow.let.release(2)
    qtbot.waitUntil(lambda: wishes.got == [(5, 50)])  # type: ignore[attr-defined]
    assert slow.begun == [1, 5]


def test_what_waited_when_a_run_was_left_is_not_begun(wishes: NewestWish, slow: Slow, qtbot: QtBot) -> None:
    for wish in (1, 2):
        wishes.ask(wish)
    wishes.forget()
    slow.let.release(2)
    qtbot.waitUntil(lambda: not wishes._at_work)
    assert slow.begun == [1]
    assert wishes.got == []  # type: ignore[attr-defined]


def test_several_that_are_stuck_keep_a_closing_window_waiting_as_long_as_one(
    qapp: object, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "_PATIENCE", 0.4)
    owner = QObject()
    stuck = [NewestWish(f"stuck {number}", slow, owner) for number in range(4)]
    for wishes in stuck:
        wishes.ask(7)
    began = time.monotonic()
    with background.leaving():
        assert [wishes.stop() for wishes in stuck] == [False] * 4
    assert 0.4 <= time.monotonic() - began < 1.2  # four patiences are 1.6
    slow.let.release(10)
    assert [wishes.stop() for wishes in stuck] == [True] * 4
