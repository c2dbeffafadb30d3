"""The equation at the cursor: which one it is, its numbers, and that the numbers in it come to its result."""

import pytest
from panels_state import make_capture, make_state, try_by_hand
from pytestqt.qtbot import QtBot

from rnnviz.core.equations.operations import operations
from rnnviz.core.magnitude import l2
from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store, setting


@pytest.fixture
def store() -> Store:
    return Store(make_state())


@pytest.fixture
def panel(qtbot: QtBot, store: Store) -> EquationsPanel:
    panel = EquationsPanel(store)
    panel.resize(304, 300)
    qtbot.addWidget(panel)
    panel.show()
    return panel


def test_forward_and_backward_forms_with_the_numbers_of_a_unit(panel: EquationsPanel, store: Store) -> None:
    lstm = store.state.recorded.traces[1].layers[0]
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.FORWARD, 41, "l0", "f")))
    symbols, numbers = panel.view.text.split("\n")
    assert symbols == "f_t = σ(a_f,t)"
    assert numbers.startswith(f"{short(float(lstm.gates['f'][40, 0, 6]))} = σ(")
    assert [word.markup for word in panel.view.lines[0].words if word.active] == ["f_t"]
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    symbols, numbers = panel.view.text.split("\n")
    assert symbols == "∂L/∂c_t = ∂L/∂h_t ⊙ o_t ⊙ (1 − tanh²(c_t)) + f_t+1 ⊙ ∂L/∂c_t+1"
    assert numbers.startswith(f"{short(float(lstm.cell_grad[40, 0, 6]))} = ")
    assert numbers.count("·") > 3
    assert "⊙" not in numbers


def test_another_theme_dresses_the_same_equations(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    for look, other in (("light", "dark"), ("dark", "light")):
        store.change(look=setting(theme=look))
        image = panel.view.grab().toImage()
        inks = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
        assert {theme(look).text, theme(look).muted} <= inks
        assert not {theme(other).text, theme(other).muted} & inks


def test_below_the_top_the_direct_part_is_what_the_layer_above_reads() -> None:
    capture = make_capture(Structure("gru", 8, 5, num_layers=3, bidirectional=True), 4)
    trace = rebuild(capture)

    def shown(trace: Trace, layer: str) -> tuple[str, str]:
        symbols, numbers, *_ = equation_lines(trace, Cursor(0, Phase.BACKWARD, 41, layer, "h"), None, "adam")
        return tuple("".join(word.markup for word in line.words).replace(" ", "") for line in (symbols, numbers))

    for layer, symbol in (("l0", "∂L/∂x_t^{(1)}"), ("l1_reverse", "∂L/∂x_t^{(2)}"), ("l2", "∂L_t/∂h_t")):
        symbols, numbers = shown(trace, layer)
        assert symbols.startswith(f"∂L/∂h_t={symbol}+")
        assert f"‖{symbol}‖{short(float(l2(trace.layer(layer).direct_grad[40, 0])))}," in numbers
    assert shown(rebuild(capture.with_call(head=None)), "l2")[0].startswith("∂L/∂h_t=∂L/∂output_t+")


def test_a_whole_time_step_is_summed_up_and_matrices_are_given_by_norms(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=2, cursor=Cursor(0, Phase.FORWARD, 3)))
    assert [line.split(" = ")[0] for line in panel.view.text.split("\n")[::2]] == ["c_t", "h_t"]
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 3, "l0", "W x")))
    assert "‖W_ih‖" in panel.view.text
    store.change(place=setting(cursor=Cursor(0, Phase.BACKWARD, 3, "l0", "U h")))
    assert "added up so far" in panel.view.text
    assert "‖∂L/∂a_t‖" in panel.view.text  # no single unit's value among norms


def test_model_and_unit_are_chosen_in_the_panel(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(cursor=Cursor(0, Phase.FORWARD, 3, "l0", "h")))
    panel.model.setFocus()
    panel.model.setCurrentIndex(1)
    panel.model.activated.emit(1)
    assert (store.state.place.model, store.state.place.cursor.operation) == (1, "")
    panel.unit.activated.emit(4)
    assert store.state.place.unit == 3
    assert panel.unit.currentText() == "unit 4"
    panel.unit.activated.emit(0)
    assert store.state.place.unit == -1


def test_every_operation_of_every_phase_can_be_set(store: Store) -> None:
    for model, trace in enumerate(store.state.recorded.traces):
        one = trace.sample(0)
        for phase in Phase:
            for key in ("", *(each.key for each in operations(trace.structure) if phase.swept)):
                for unit in (None, 0):
                    lines = equation_lines(one, Cursor(0, phase, 64, "l0", key), unit, "adam")
                    assert lines, (model, phase, key)
                    said = "".join(word.markup for line in lines for word in line.words)
                    assert "nan" not in said.lower()


def test_a_long_equation_is_broken_before_a_sign_and_nothing_is_cut(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=0, cursor=Cursor(0, Phase.BACKWARD, 41, "l0", "c")))
    view = panel.view
    assert view.height() > 4 * 19  # two lines each
    placed = view._placed
    assert all(word.x < view.width() - 12 for word in placed)
    assert {word.word.markup for word in placed if word.x == 28} <= {"+", "⊙", "·"}


def test_a_what_if_puts_its_own_numbers_in_and_says_so(panel: EquationsPanel, store: Store) -> None:
    store.change(place=setting(model=1, unit=6, cursor=Cursor(0, Phase.FORWARD, 41, "l0", "f")))
    history = panel.view.text
    changed = try_by_hand(store)
    assert panel.title.text() == "Equation, what-if"
    assert panel.view.text != history
    assert panel.view.text.split("\n")[1].startswith(short(float(changed.layers[0].gates["f"][40, 0, 6])))
    store.change(place=setting(model=0, cursor=Cursor(0, Phase.FORWARD, 41)))
    assert panel.title.text() == "Equation, history"  # the other model is as it was
