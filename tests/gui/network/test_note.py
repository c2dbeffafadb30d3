"""The note of a cell: what it is and cannot, where it is drawn and where it is chosen."""

import pytest
from every_cell import CHOICES
from open_network import at, open_network
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state

from rnnviz.core.cells import CELLS, cell_kinds
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.structure import Structure
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.experiment.model_card import ModelCard
from rnnviz.gui.network.reading import keeping
from rnnviz.gui.widgets.fields import Choice
from rnnviz.gui.widgets.marked_text import plain


def notes(qtbot: QtBot, choice: dict[str, object], size: tuple[int, int]) -> str:
    structure = Structure(input_size=1, hidden_size=7, **choice)  # type: ignore[arg-type]
    traced = traced_state("characters", (structure,), gains=(1.2,)).state
    view, _ = open_network(qtbot, at(traced, Cursor(TRAINING_STEP, Phase.BACKWARD, 5)), size, level="inside")
    texts = view.drawing.texts
    return " ".join(texts[key] for key in sorted(texts) if key.startswith("note "))


@pytest.mark.parametrize("choice", CHOICES.values(), ids=CHOICES.keys())
def test_it_stands_below_the_diagram_where_there_is_room(qtbot: QtBot, choice: dict[str, object]) -> None:
    note = CELLS[str(choice["cell"])].note
    assert note.endswith(".")
    assert notes(qtbot, choice, (1400, 760)) == note


def test_where_there_is_none_it_is_not_cut(qtbot: QtBot) -> None:
    assert notes(qtbot, CHOICES["peephole_lstm"], (640, 330)) == ""


def test_the_list_of_cells_and_the_chosen_one_say_it(qtbot: QtBot) -> None:
    card = ModelCard(ModelSettings("A", "vanilla"))
    qtbot.addWidget(card)
    choice = card.rows["cell"].field
    assert isinstance(choice, Choice)
    told = {choice.itemData(row): choice.itemData(row, Qt.ItemDataRole.ToolTipRole) for row in range(choice.count())}
    assert told == {name: plain(kind.note) for name, kind in cell_kinds().items()}
    for cell in ("lru", "vanilla", "minlstm"):
        card.set_settings(ModelSettings("A", cell))
        assert choice.toolTip() == f"{plain(CELLS[cell].note)}\nThe recurrent cell; needs a restart"


@pytest.mark.parametrize(
    ("cell", "state", "kept"),
    [("gru_reset_before", "h", "z"), ("gru", "h", "z"), ("minlstm", "h", "f′"), ("ssm", "s", "Ā"), ("lru", "re", "")],
)
def test_by_what_a_state_is_kept(cell: str, state: str, kept: str) -> None:
    """The reset gate of the GRU lets h into the new state; it does not keep it. Λ is no gate between 0 and 1."""
    traced = traced_state("characters", (Structure(cell, 1, 5),), gains=(1.0,)).state
    found = keeping(traced.recorded.traces[0].layers[0], state)
    assert (found.symbol if found is not None else "") == kept
