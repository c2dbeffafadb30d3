"""What the panels' tests share: a state with two traces, and a store that holds it."""

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from rnnviz.gui.look import theme
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import Store

sys.path.insert(0, str(Path(__file__).parent))
from panels_state import make_state


@pytest.fixture
def state(qapp: QApplication) -> State:
    """Two traces, stopped in the backward phase at time step 41 of training step 742."""
    theme.apply(qapp, theme.theme("dark"))
    return make_state()


@pytest.fixture
def store(state: State) -> Store:
    return Store(state)
