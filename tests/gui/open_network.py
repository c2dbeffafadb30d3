"""An open network view on a state, as the window has it."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pytestqt.qtbot import QtBot

from rnnviz.debugger.cursor import Cursor
from rnnviz.gui.network.network_view import NetworkView
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

Opened = Callable[..., tuple[NetworkView, Store]]
SIZE = (744, 460)  # what 1280 × 800 leaves


def open_network(qtbot: QtBot, state: State, size: tuple[int, int] = SIZE, **look: Any) -> tuple[NetworkView, Store]:
    """Without movement, so that what is drawn is what is seen."""
    store = Store(replace(state, look=replace(state.look, animated=False, view="network", **look)))
    view = NetworkView(store)
    qtbot.addWidget(view)
    view.resize(*size)
    view.show()
    return view, store


def at(state: State, cursor: Cursor, **place: Any) -> State:
    """The state with the cursor there."""
    return replace(state, place=replace(state.place, cursor=cursor, **place))
