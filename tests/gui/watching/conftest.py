"""What the tests of watching share: the panels' state with two traces."""

import sys
from pathlib import Path

import pytest
from PySide6.QtWidgets import QApplication

from rnnviz.gui.look import theme
from rnnviz.gui.state.store import Store

sys.path.insert(0, str(Path(__file__).parents[1] / "panels"))
from panels_state import make_state


@pytest.fixture
def store(qapp: QApplication) -> Store:
    """Two traces, stopped in the backward phase at time step 41 of training step 742."""
    theme.apply(qapp, theme.theme("dark"))
    return Store(make_state())
