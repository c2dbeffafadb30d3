"""What the empty lanes say while there is nothing to draw."""

from dataclasses import replace
from pathlib import Path

from rnnviz.gui.canvas.lane_stack import waiting_sentence
from rnnviz.gui.state.state import State


def test_a_run_without_captures_is_not_said_to_wait_for_an_engine() -> None:
    starting = State()
    assert waiting_sentence(starting) == "The engine is starting …"
    opened = replace(starting, run=replace(starting.run, path=Path("mine.rnnviz")))
    assert waiting_sentence(opened) == "No training step of this run was captured: there are no lanes to draw."
