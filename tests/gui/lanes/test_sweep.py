"""How far the cursor's sweep has come, in a layer that reads forward and in one that reads backward."""

import pytest
from flat_state import flat_state

from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.canvas.lanes.shown import resolve


@pytest.mark.parametrize(
    ("phase", "layer", "done"),
    [
        (Phase.FORWARD, "l0", [1, 2]),
        (Phase.FORWARD, "l0_reverse", [4, 5]),
        (Phase.BACKWARD, "l0", [4, 5]),
        (Phase.BACKWARD, "l0_reverse", [1, 2]),
        (Phase.LOSS, "l0_reverse", [1, 2, 3, 4, 5]),
    ],
)
def test_what_is_done_lies_behind_the_cursor(phase: Phase, layer: str, done: list[int]) -> None:
    shown = resolve(flat_state(cursor=Cursor(0, phase, 3, layer)))
    object.__setattr__(shown, "time_steps", 5)
    assert list(shown.sweep.done) == done
