"""An open Gradients view on a state, with everything found."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from pytestqt.qtbot import QtBot

from rnnviz.gui.gradients.card_frame import CardFrame
from rnnviz.gui.gradients.page import GradientsView
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

SIZE = (820, 560)  # about what 1280 × 800 leaves


def with_cards(state: State, cards: Sequence[str], **laboratory: Any) -> State:
    """The state with these cards on the page."""
    chosen = replace(state.look.laboratory, cards=tuple(cards), **laboratory)
    return replace(state, look=replace(state.look, view="gradients", laboratory=chosen))


def open_gradients(
    qtbot: QtBot, state: State, cards: Sequence[str], size: tuple[int, int] = SIZE, **laboratory: Any
) -> tuple[GradientsView, Store]:
    """The view with every number of these cards found."""
    store = Store(with_cards(state, cards, **laboratory))
    view = GradientsView(store)
    qtbot.addWidget(view, before_close_func=lambda view: view.stop())
    view.resize(*size)
    view.show()
    wait_until_found(qtbot, view)
    return view, store


def wait_until_found(qtbot: QtBot, view: GradientsView) -> None:
    """Until every card in sight has all its numbers, or says why it has none."""
    qtbot.waitUntil(lambda: not view.waiting, timeout=20_000)


def frame_of(view: GradientsView, key: str, number: int | None = None) -> CardFrame:
    """The frame of a card, of one model where each has its own."""
    return next(frame for frame in view.frames if (frame.card.key, frame.number) == (key, number))
