"""The program strip: where the cursor stands in it, and where a click in it leads."""

from dataclasses import replace

import pytest
from panels_state import make_state
from programs import program_of
from PySide6.QtCore import QPoint, Qt
from pytestqt.qtbot import QtBot
from staged_state import staged_state

from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks
from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.stepping.program_marks import program_marks
from rnnviz.gui.stepping.program_strip import ProgramStrip, segments
from rnnviz.runs.file.records import Event


@pytest.fixture
def store() -> Store:
    return Store(make_state(cursor=Cursor(0, Phase.FORWARD, 1)))


@pytest.fixture
def strip(qtbot: QtBot, store: Store) -> ProgramStrip:
    strip = ProgramStrip(store)
    strip.resize(740, strip.height())
    qtbot.addWidget(strip)
    strip.show()
    return strip


def test_every_point_has_its_place_and_its_place_leads_back(strip: ProgramStrip, store: Store) -> None:
    program = store.state.program
    seen = []
    for number in range(len(program)):
        cursor = program.at(number, store.state.place.cursor)
        store.change(place=setting(cursor=cursor))
        seen.append(strip.cursor_x)
        assert strip.cursor_at(strip.cursor_x) == cursor
    assert seen == sorted(seen)
    assert len(set(seen)) == len(program)


def test_operations_lie_between_two_time_steps(strip: ProgramStrip, store: Store) -> None:
    program = store.state.program
    cursor, before = store.state.place.cursor, 0.0
    for number in range(len(program.operations) + 1, 3 * (len(program.operations) + 1)):
        store.change(place=setting(cursor=program.fine_at(number, cursor)))
        assert strip.cursor_x > before
        before = strip.cursor_x


@pytest.mark.parametrize("phase", [Phase.LOSS, Phase.UPDATE])
def test_the_operations_of_the_loss_and_of_the_update_lie_inside_their_bars(
    strip: ProgramStrip, store: Store, phase: Phase
) -> None:
    program, bar = store.state.program, next(each for each in strip.segments if each.phase is phase)
    whole, before = program.at(program.first_of(phase), store.state.place.cursor), bar.left
    for key in ("", *program.operations_in(phase)):
        store.change(place=setting(cursor=replace(whole, operation=key)))
        assert before < strip.cursor_x < bar.left + bar.width
        before = strip.cursor_x
        assert strip.cursor_at(before) == whole


def test_a_click_chooses_a_point(strip: ProgramStrip, store: Store, qtbot: QtBot) -> None:
    chosen: list[Cursor] = []
    strip.chosen.connect(chosen.append)
    bars = {each.phase: each for each in strip.segments}
    for phase in (Phase.LOSS, Phase.BACKWARD, Phase.UPDATE):
        bar = bars[phase]
        qtbot.mouseClick(strip, Qt.MouseButton.LeftButton, pos=QPoint(round(bar.left + 2), 15))
        assert chosen[-1].phase is phase
    assert chosen[1].time_step == 64  # the backward sweep begins at the end
    image = strip.grab().toImage()
    assert image.pixelColor(round(strip.cursor_x), 15) == image.pixelColor(round(strip.cursor_x), 20)


def test_layers_and_directions_lie_one_after_the_other() -> None:
    program = program_of(5, Structure("gru", 3, 4, num_layers=2, bidirectional=True))
    forward, *_rest, update = segments(program, 100.0, 600.0)
    assert (forward.count, update.first) == (20, len(program) - 1)
    assert update.left + update.width == pytest.approx(700.0)


def test_breakpoints_hits_and_bookmarks_are_marked_and_told(strip: ProgramStrip, store: Store) -> None:
    place = Breakpoint("place", phase="backward", time_step=-4)
    off = Breakpoint("place", time_step=3, enabled=False)
    noted = Bookmark(0, "forward", 20, note="here it forgets")
    elsewhere = Bookmark(7, "forward", 20, note="later")
    hits = (
        Event(1, 0, "hit", "LSTM: loss is 0.04.", {"model": "LSTM", "time_step": 0}),
        Event(2, 0, "hit", "Vanilla, t = 9.", {"model": "Vanilla", "time_step": 9, "breakpoint": {"kind": "data"}}),
    )
    before = strip.grab().toImage()
    store.change(debugging=setting(marks=Marks((place, off), (), (noted, elsewhere))), recorded=setting(events=hits))
    found = {mark.kind: mark for mark in program_marks(store.state)}
    assert len(program_marks(store.state)) == 3  # that of the LSTM is not stepped through
    assert found["breakpoint"].cursor == Cursor(0, Phase.BACKWARD, 61)
    assert found["hit"].cursor == Cursor(0, Phase.FORWARD, 9)
    assert "here it forgets" in strip.tooltip(strip.x_of(found["bookmark"].cursor))
    after = strip.grab().toImage()
    for mark in found.values():
        spot = round(strip.x_of(mark.cursor) + (3 if mark.kind == "breakpoint" else 0)), 29
        assert before.pixelColor(*spot) != after.pixelColor(*spot)
    store.change(place=setting(model=1))
    assert "loss is 0.04" in strip.tooltip(strip.segments[-1].left + 5)


def test_a_line_between_two_layers_leaves_the_word_of_its_bar_free(qtbot: QtBot) -> None:
    state = staged_state()
    strip = ProgramStrip(Store(state))
    qtbot.addWidget(strip)
    strip.resize(640, strip.height())
    strip.show()
    image, free = strip.grab().toImage(), set()
    bar = next(each for each in strip.segments if each.phase is Phase.BACKWARD)
    for border in state.program.borders(Phase.BACKWARD):
        column = [image.pixelColor(int(bar.x(border)), y) for y in range(11, 24)]
        if column[1] not in column[4:-4]:  # the line's colour, near the upper edge of the bar
            free.add(border)
    word = bar.left + bar.width / 2 - 20, bar.left + bar.width / 2 + 20
    assert free == {each for each in state.program.borders(Phase.BACKWARD) if word[0] < bar.x(each) < word[1]}
    assert free
