"""The lesson: cards can be walked, their buttons do what they say, and it can be put away and brought back."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.resources import resource
from rnnviz.core.source import Trained, read_source
from rnnviz.core.tasks import Adding
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.lessons.lesson_card import LessonCard
from rnnviz.gui.lessons.lesson_file import LESSONS, read_lesson, read_lessons
from rnnviz.gui.state.store import Store, setting

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def card(store: Store, qtbot: QtBot) -> LessonCard:
    store.change(recorded=setting(status=replace(store.state.recorded.status, state="paused")))
    made = LessonCard(store)
    qtbot.addWidget(made)
    made.resize(224, 300)
    made.show()
    return made


def go_to(card: LessonCard, number: int, qtbot: QtBot) -> None:
    while card.number < number:
        qtbot.mouseClick(card.next, LEFT)


def test_next_and_back_walk_all_cards(card: LessonCard, qtbot: QtBot) -> None:
    count = len(card.lesson.cards)
    assert 5 <= count <= 6
    assert card.back.isHidden()
    seen = [card.text.text()]
    for _ in range(count - 1):
        qtbot.mouseClick(card.next, LEFT)
        seen.append(card.text.text())
    assert seen == [one.text for one in card.lesson.cards]
    assert card.next.isHidden()
    assert card.place.text() == f"Lesson, card {count} of {count}"
    qtbot.mouseClick(card.back, LEFT)
    assert card.number == count - 2


def test_every_card_is_shown_whole_and_its_buttons_stay(card: LessonCard, qtbot: QtBot) -> None:
    heights = set()
    for _ in card.lesson.cards:
        assert card.text.heightForWidth(card.text.width()) <= card.text.height()
        heights.add(card.sizeHint().height())
        qtbot.mouseClick(card.next, LEFT)
    assert len(heights) == 1


def test_the_first_card_trains_and_then_leads_on(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    wanted: list[str] = []
    card.command_wanted.connect(wanted.append)
    assert card.press.text() == "Train"
    qtbot.mouseClick(card.press, LEFT)
    assert wanted == ["train"]
    store.change(recorded=setting(status=replace(store.state.recorded.status, state="running")))
    assert not card.press.isEnabled()
    assert card.next.property("primary")


def test_show_me_moves_the_cursor(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    go_to(card, 2, qtbot)
    qtbot.mouseClick(card.shows[1], LEFT)
    assert (store.state.place.cursor.phase, store.state.place.cursor.time_step) == (Phase.BACKWARD, 15)
    go_to(card, 3, qtbot)
    qtbot.mouseClick(card.shows[0], LEFT)
    assert (store.state.place.cursor.phase, store.state.place.cursor.time_step) == (Phase.BACKWARD, 1)


def test_show_me_the_loss_stands_at_the_loss(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    go_to(card, 1, qtbot)
    qtbot.mouseClick(card.shows[0], LEFT)
    assert (store.state.place.cursor.phase, store.state.place.cursor.time_step) == (
        Phase.LOSS,
        store.state.program.time_steps,
    )


def test_show_me_an_earlier_training_step(card: LessonCard, qtbot: QtBot) -> None:
    chosen: list[int] = []
    card.training_step_chosen.connect(chosen.append)
    go_to(card, 4, qtbot)
    qtbot.mouseClick(card.shows[0], LEFT)
    assert chosen == [0]


def test_a_time_step_beyond_the_sequence_is_the_last(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    store.change(recorded=setting(traces=(None, None)))
    go_to(card, 2, qtbot)
    qtbot.mouseClick(card.shows[0], LEFT)
    assert store.state.place.cursor.time_step == 1


def test_it_can_be_put_away_and_brought_back(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    closed: list[bool] = []
    card.closed.connect(lambda: closed.append(True))
    qtbot.mouseClick(card.next, LEFT)
    qtbot.mouseClick(card.close_button, LEFT)
    assert (card.isVisible(), closed) == (False, [True])
    card.open()
    assert card.isVisible()
    assert card.number == 1


def test_it_belongs_to_its_own_task(card: LessonCard, store: Store) -> None:
    lesson = store.state.run.experiment
    assert lesson is not None
    store.change(run=setting(source=Trained(replace(lesson, task=Adding()))))
    assert not card.isVisible()
    store.change(run=setting(source=Trained(lesson)))
    assert card.isVisible()


def test_another_lesson_begins_at_its_first_card(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    first = store.state.run.experiment
    go_to(card, 3, qtbot)
    qtbot.mouseClick(card.close_button, LEFT)
    store.change(run=setting(source=read_source(resource("experiments/the-gate-opens.toml"))))
    assert card.isVisible()
    assert (card.lesson.title, card.number) == ("The gate opens", 0)
    assert "An LSTM reads" in card.text.text()
    test_every_card_is_shown_whole_and_its_buttons_stay(card, qtbot)
    store.change(run=setting(source=Trained(first)))
    assert (card.lesson.task, card.number) == ("temporal order", 0)


def test_an_experiment_without_a_lesson_shows_none(card: LessonCard, store: Store) -> None:
    store.change(run=setting(source=read_source(resource("experiments/adding.toml"))))
    assert not card.isVisible()


def test_every_lesson_has_its_file_and_a_few_cards() -> None:
    files = {path.stem for path in resource("lessons/who-remembers.toml").parent.glob("*.toml")}
    assert set(LESSONS) == files
    lessons = read_lessons()
    assert len({lesson.title for lesson in lessons}) == len(lessons)
    assert all(5 <= len(lesson.cards) <= 6 for lesson in lessons)


def test_a_missing_lesson_is_named() -> None:
    with pytest.raises(RnnvizError, match="no-such"):
        read_lesson("no-such")
