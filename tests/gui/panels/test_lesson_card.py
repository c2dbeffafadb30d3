"""The lesson: cards can be walked, their buttons do what they say, and it can be put away and brought back."""

import re
from dataclasses import replace

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from pytestqt.qtbot import QtBot

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.resources import resource
from rnnviz.core.source import Trained, read_source
from rnnviz.core.tasks import Adding
from rnnviz.debugger.cursor import Phase
from rnnviz.gui.lessons.lesson_card import LessonCard
from rnnviz.gui.lessons.lesson_file import LESSONS, read_lesson, read_lessons
from rnnviz.gui.look.theme import dress, theme
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.widgets.marked_text import rich

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def card(store: Store, qtbot: QtBot) -> LessonCard:
    store.change(recorded=setting(status=replace(store.state.recorded.status, state="paused")))
    made = LessonCard(store)
    qtbot.addWidget(made)
    dress(made, theme(store.state.look.theme))  # as its window is
    made.resize(224, 300)
    made.show()
    return made


def go_to(card: LessonCard, number: int, qtbot: QtBot) -> None:
    while card.number < number:
        qtbot.mouseClick(card.next, LEFT)


def test_next_and_back_walk_all_cards(card: LessonCard, qtbot: QtBot) -> None:
    count = len(card.lesson.cards)
    assert 5 <= count <= 6
    assert not card.back.isEnabled()
    seen = [card.accessibleDescription()]
    for _ in range(count - 1):
        qtbot.mouseClick(card.next, LEFT)
        seen.append(card.accessibleDescription())
    assert seen == [one.text for one in card.lesson.cards]
    assert card.next.text() == "Next lesson"
    assert card.place.text() == f"Lesson, card {count} of {count}"
    qtbot.mouseClick(card.back, LEFT)
    assert card.number == count - 2


def test_every_card_is_shown_whole_and_its_buttons_stay(card: LessonCard, qtbot: QtBot) -> None:
    places = set()
    for number in range(len(card.lesson.cards)):
        go_to(card, number, qtbot)
        card.resize(224, card.sizeHint().height())
        QCoreApplication.processEvents()
        assert card.text.heightForWidth(card.text.width()) <= card.text.height()
        places.add(tuple(button.geometry().getRect() for button in (card.back, card.next)))
        for button in (card.back, card.next, *(one for one in (card.press, *card.shows) if one.isVisible())):
            assert button.width() >= button.fontMetrics().horizontalAdvance(button.text())
            assert card.rect().contains(button.mapTo(card, button.rect().bottomRight()))
    assert len(places) == 1


def in_accent(card: LessonCard) -> list[str]:
    """The buttons in the accent's colour: there is one, which does what the card asks for, or none while it waits."""
    buttons = {"press": card.press, "next": card.next, "back": card.back}
    return [name for name, button in buttons.items() if button.isVisible() and button.property("primary")]


def train_to(store: Store, training_step: int, state: str) -> None:
    status = replace(store.state.recorded.status, state=state)
    history = replace(store.state.recorded.history, last_training_step=training_step)
    store.change(recorded=setting(status=status, history=history))


def test_the_button_in_colour_is_what_the_card_asks_for(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    wanted: list[str] = []
    card.command_wanted.connect(wanted.append)
    train_to(store, 0, "paused")
    assert (card.press.text(), in_accent(card)) == ("Train", ["press"])
    qtbot.mouseClick(card.press, LEFT)
    assert wanted == ["train"]
    train_to(store, 3, "running")
    assert not card.press.isEnabled()
    assert (card.press.text(), in_accent(card)) == ("Training …", ["next"])
    train_to(store, 70, "paused")  # it is done: what is left is to go on
    assert (card.press.text(), in_accent(card)) == ("Train", ["next"])
    for number in range(1, 5):
        go_to(card, number, qtbot)
        assert in_accent(card) == ["next"]
    store.change(place=lambda place: replace(place, following=False))
    go_to(card, 5, qtbot)
    assert (card.press.text(), in_accent(card)) == ("Back to live", ["press"])
    store.change(place=lambda place: replace(place, following=True))
    assert in_accent(card) == ["next"]
    qtbot.mouseClick(card.next, LEFT)
    assert wanted[-1] == "lesson_the-gate-opens"


def test_a_card_that_waits_for_a_stop_leads_on_once_it_came(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    store.change(run=setting(source=read_source(resource("experiments/the-gate-opens.toml"))))
    train_to(store, 0, "paused")
    assert in_accent(card) == ["press"]
    train_to(store, 400, "running")
    assert in_accent(card) == []
    train_to(store, 1006, "paused")
    assert in_accent(card) == ["next"]
    go_to(card, 5, qtbot)
    assert (card.press.text(), in_accent(card)) == ("Train on", ["press"])
    train_to(store, 1020, "paused")
    assert in_accent(card) == ["next"]
    assert card.next.text() == "Finish"
    qtbot.mouseClick(card.next, LEFT)
    assert not card.isVisible()


def test_symbols_are_set_as_elsewhere(card: LessonCard, store: Store, qtbot: QtBot) -> None:
    store.change(run=setting(source=read_source(resource("experiments/the-gate-opens.toml"))))
    go_to(card, 1, qtbot)
    assert (
        "<nobr>‖∂L/∂h<sub><big>1</big></sub>‖</nobr> / <nobr>‖∂L/∂h<sub><big>T</big></sub>‖</nobr>" in card.text.text()
    )
    for lesson in card.lessons:
        for one in lesson.cards:
            assert "_" not in rich(one.text)


def test_watches_that_a_card_names_are_watched_in_its_lesson() -> None:
    for lesson in read_lessons():
        ships = {path.stem: path for path in resource("experiments/adding.toml").parent.glob("*.toml")}
        source = read_source(ships[lesson.name]) if lesson.name in ships else Trained(first_lesson())
        known = {watch.expression for watch in source.marks.watches}
        known |= {mark.expression for mark in source.marks.breakpoints}
        for card in lesson.cards:
            named = re.findall(
                r"(?:\b(?:max|argmax|mean)\([^)]*\)|(?<![\w(])f\[[^\]]*\])", card.text.replace("\u00a0", " ")
            )
            assert set(named) <= known, card.text


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
    assert "An LSTM reads" in card.accessibleDescription()
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
