"""Finding: which of several cards is worked on, and what of a long work is handed on."""

from collections.abc import Iterator, Mapping
from time import sleep
from typing import Any, ClassVar

from fake_states import fake_state
from pytestqt.qtbot import QtBot

from rnnviz.gui.canvas.lanes.shown import ShownModel, resolve
from rnnviz.gui.gradients.card import Card, Partial, seldom
from rnnviz.gui.gradients.finding import Finding, Wish
from rnnviz.gui.state.laboratory import Laboratory


class Counting(Card):
    """A card whose numbers come in so many parts."""

    def __init__(self, key: str, parts: int) -> None:
        self.key = key  # type: ignore[misc]
        self.parts = parts

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        for part in range(1, self.parts + 1):
            sleep(0.005)
            yield Partial(part, part / self.parts)


def test_a_card_that_takes_long_does_not_hold_up_those_after_it(qtbot: QtBot) -> None:
    model = resolve(fake_state()).models[0]
    slow, fast = (Wish(card, model, Laboratory()) for card in (Counting("slow", 30), Counting("fast", 3)))
    finding, seen = Finding(), list[tuple[float, float]]()
    finding.found.connect(lambda: seen.append((finding.of(slow).share, finding.of(fast).share)))
    finding.want([slow, fast])
    qtbot.waitUntil(lambda: finding.done(slow) and finding.done(fast))
    assert finding.stop()
    assert min(share for share, other in seen if other == 1) < 0.5
    assert finding.of(slow).value == 30


def test_parts_that_follow_each_other_closely_are_passed_over_but_for_the_last() -> None:
    assert [part.value for part in seldom(Partial(n, n / 50) for n in range(1, 51))] == [50]


class Logged(Counting):
    """Tells when its work begins."""

    begun: ClassVar[list[str]] = []

    def find(self, model: ShownModel, laboratory: Laboratory, options: Mapping[str, Any]) -> Iterator[Partial]:
        self.begun.append(self.key)
        yield from super().find(model, laboratory, options)


def test_with_each_new_trace_the_card_that_was_whole_longest_ago_comes_first(qtbot: QtBot) -> None:
    first, second = Logged("first", 1), Logged("second", 1)
    finding = Finding()
    for cards in ([first], [first, second], [first, second]):
        model = resolve(fake_state()).models[0]  # of a trace of its own
        wishes = [Wish(card, model, Laboratory()) for card in cards]
        finding.want(wishes)
        qtbot.waitUntil(lambda wishes=wishes: all(map(finding.done, wishes)))
    assert finding.stop()
    assert Logged.begun == ["first", "second", "first", "second", "first"]
