"""Searching the past: from where it goes on."""

from types import SimpleNamespace

from flat_state import flat_state

from rnnviz.core.stopping.marks import Bookmark, Marks
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.live.searching import Searching
from rnnviz.gui.state.store import Store

MARKS = Marks(bookmarks=tuple(Bookmark(step, "forward", 1, "l0", "", "") for step in (250, 500, 750)))


def test_a_bookmark_whose_training_step_was_not_kept_is_left_again() -> None:
    """503 is shown for 500: going back from there must not come to 500 once more."""
    here = flat_state(marks=MARKS, cursor=Cursor(503, Phase.FORWARD, 1), following=False, wanted=500)
    searching = Searching(Store(here), SimpleNamespace())  # type: ignore[arg-type]
    for direction, step in ((-1, 250), (1, 750)):
        searching._direction = direction
        found = searching._bookmark_beside(here)
        assert found is not None
        assert found.training_step == step
