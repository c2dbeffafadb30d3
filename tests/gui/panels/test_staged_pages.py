"""The right column beside an encoder–decoder: every point of a training step, and what its pages say there."""

import pytest
from staged_state import staged_state

from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import to_layer, to_point, to_time_step, walked
from rnnviz.debugger.walking import StepCommand, step
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.cursor.variables_page import VariablesPage
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.store import Store
from rnnviz.gui.stepping.cursor_label import place_words


def stand(phase, time_step, layer="l0", operation=""):
    return Cursor(3, phase, time_step, layer, operation)


def written(state, unit=None):
    """The lines of the equation at the cursor as plain text."""
    lines = equation_lines(looked_at(state).sequence, state.place.cursor, unit, state.run.training.rule)
    return ["".join((" " if word.spaced else "") + word.markup for word in line.words) for line in lines]


@pytest.fixture
def store():
    return Store(staged_state("vanilla"))


@pytest.fixture
def pages(qtbot, store):
    """Equation, values and variables, as they are seen."""
    found = [page(store) for page in (EquationsPanel, ValuesPanel, VariablesPage)]
    for page in found:
        page.resize(304, 700)
        qtbot.addWidget(page)
        page.show()
        qtbot.waitUntil(page.isVisible)
    return found


def test_a_whole_training_step_is_stepped_through_and_back(store, pages):
    there, words = [store.state.place.cursor], [place_words(store.state)]
    while (walk := step(store.state.program, store.state.place.walk, StepCommand.INTO)).moved:
        store.go(walked, walk)
        there.append(store.state.place.cursor)
        words.append(place_words(store.state))
        state = store.state
        if state.place.cursor.phase.swept:
            assert state.program.exists(state.place.cursor.layer, state.place.cursor.time_step)
            assert state.walkable.operation(state.place) is not None or not state.place.cursor.operation
            assert not pages[1].absent.text()
    assert len(there) == len(set(there)) == store.state.program.fine_length
    assert ("Forward", "t = 3 of 5", "decoder, layer 1 · hand-over") in words
    assert ("Backward", "t = 2 of 5", "encoder, layer 0, reverse · dropout mask") in words
    back = []
    while (walk := step(store.state.program, store.state.place.walk, StepCommand.INTO, -1)).moved:
        store.go(walked, walk)
        back.append(store.state.place.cursor)
    assert back == there[-2::-1]


@pytest.mark.parametrize(
    ("cursor", "unit", "lines"),
    [
        (stand(Phase.FORWARD, 1, "l0", "embedding"), None, ["x_t = E_{s_t}", None, "row 1 of the table"]),
        (
            stand(Phase.FORWARD, 2, "l0_reverse", "mask"),
            2,
            ["x_t^{(1)} = m_t ⊙ h_t", "0 = 0 · 0.06", "dropped in this training step"],
        ),
        (
            stand(Phase.FORWARD, 3, "decoder.l1", "hand-over"),
            None,
            [
                "h_0 = B_h h^{enc}_S + b_h",
                None,
                "from encoder, layer 1 and encoder, layer 1, reverse, at t = 2 and, read from the end, t = 1",
            ],
        ),
        (stand(Phase.FORWARD, 4, "decoder.l1", "residual"), 0, ["output_t = h_t + x_t", None]),
        (
            stand(Phase.BACKWARD, 5, "decoder.l0", "mask"),
            None,
            ["(∂L/∂h_t)^{up} = m_t ⊙ ∂L/∂x_t^{(1)}", None, "1 of 4 units dropped in this training step"],
        ),
        (
            stand(Phase.LOSS, 5, "decoder.l1", "attention"),
            None,
            ["α_{t,s} = softmax_s(score_t)", None, "of s = 2, the time step with the largest attention weight, 0.99"],
        ),
    ],
)
def test_operations_around_the_cells_are_written_with_their_numbers(cursor, unit, lines):
    store = Store(staged_state())
    store.go(to_point, cursor)
    found = written(store.state, unit)
    assert len(found) == len(lines)
    assert all(wanted in (None, line) for line, wanted in zip(found, lines, strict=True)), found


def test_what_comes_to_the_encoder_is_told_by_where_it_comes_from(store, pages):
    def words(cursor):
        store.go(to_point, cursor)
        return {row.key: row.words for row in pages[1].rows if row.key in ("direct_grad", "carried_grad")}

    handed = {"direct_grad": "direct, from attention", "carried_grad": "carried, through the hand-over"}
    assert words(stand(Phase.BACKWARD, 2, "l1")) == handed
    assert words(stand(Phase.BACKWARD, 1, "l1_reverse")) == handed
    assert words(stand(Phase.BACKWARD, 1, "l1"))["carried_grad"] == "carried, from t = 2"
    assert words(stand(Phase.BACKWARD, 4, "decoder.l1"))["direct_grad"] == "direct, from L_{4}"


def test_a_layer_that_has_ended_says_so(store, pages):
    _, values, variables = pages
    assert [values.layer.itemText(n) for n in (0, 4)] == ["encoder, layer 0", "decoder, layer 0"]
    store.go(to_time_step, store.state.walkable, 4)
    assert store.state.place.cursor.layer == "decoder.l0"
    assert values.absent.text() == ""
    store.go(to_point, stand(Phase.LOSS, 5, "decoder.l1", "logits"))
    store.go(to_layer, store.state.walkable, "l1")
    assert values.absent.text() == "The encoder has ended: its last time step is 2."
    rows = {row.key: row.number(values._sources[0]) for row in values.rows}
    assert rows["hidden"] is None
    assert rows["hidden_grad"] is None
    tops = [variables.tree.topLevelItem(n) for n in range(variables.tree.topLevelItemCount())]
    assert [top.text(0) for top in tops][:2] == ["embedding", "encoder, layer 0 · has ended"]
    assert "bridge" in [top.text(0) for top in tops]
    own = {top.text(0): top.child(0) for top in tops}  # x_t, and the table
    known = {name: variables.known(variables.tree.indexFromItem(item)) is not None for name, item in own.items()}
    assert known == {
        "embedding": True,
        "bridge": True,
        "head": True,
        "update": True,
        **{f"encoder, layer {place} · has ended": False for place in ("0", "0, reverse", "1", "1, reverse")},
        **{f"decoder, layer {depth}": True for depth in (0, 1)},
    }
