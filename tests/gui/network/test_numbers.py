"""Every number in the network view is the trace's: what is written is read and compared with autograd's arrays."""

import re

import numpy as np
import pytest
from open_network import at, open_network
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, Traced, traced_state, trained_by

from rnnviz.core.numbers import short
from rnnviz.core.optimising.optimisers import OptimiserName
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.places import to_operation, to_phase
from rnnviz.gui.network.drawing import Strip, Text
from rnnviz.gui.network.network_view import NetworkView
from rnnviz.gui.network.reading import at as written_at
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting
from rnnviz.gui.state.updating import update_at

CELLS = {
    "vanilla": Structure("vanilla", 1, 5, activation="relu"),
    "lstm": Structure("lstm", 1, 5),
    "gru": Structure("gru", 1, 6),
    "peephole_lstm": Structure("peephole_lstm", 1, 5, proj_size=3),
    "mingru": Structure("mingru", 1, 4),
}
PAIR = ("lstm", "gru")
GAINS = (1.1, 1.6)


def traced(*names: str, kind: str = "characters") -> Traced:
    return traced_state(kind, tuple(CELLS[name] for name in names), gains=GAINS[: len(names)])


def norm(values: np.ndarray) -> str:
    return short(float(np.linalg.norm(np.asarray(values, np.float64))))


def layer_of(state: State, model: int) -> Layer:
    sequence = looked_at(state, model).sequence
    assert sequence is not None
    return sequence.layers[0]


@pytest.mark.parametrize("sample", [0, 1])
def test_unrolled_forward(qtbot: QtBot, sample: int) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, Phase.FORWARD, 6), sample=sample)
    view, _ = open_network(qtbot, state, (1100, 600))
    texts, seen = view.drawing.texts, 0
    for model in range(2):
        layer = layer_of(state, model)
        for t in range(1, 14):
            for node in layer.equations.states:
                written = texts.get(f"{model} {node} {t} size")
                if written is not None:
                    seen += 1
                    assert written == f"‖{node}‖ {norm(layer.value(node)[t - 1, 0])}"
    assert seen > 10
    gate, z = layer_of(state, 0), layer_of(state, 1)
    assert texts["0 c 6 kept"] == f"f {short(float(gate.gates['f'][5, 0].mean()))}"
    assert texts["1 h 6 kept"] == f"z {short(float(z.gates['z'][5, 0].mean()))}"


@pytest.mark.parametrize("sample", [0, 1])
def test_unrolled_backward_each_way_apart(qtbot: QtBot, sample: int) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, Phase.BACKWARD, 4), sample=sample)
    view, _ = open_network(qtbot, state, (1100, 600))
    texts = view.drawing.texts
    lstm, gru = layer_of(state, 0), layer_of(state, 1)
    for t in (4, 5, 6):  # from t + 1 to t
        assert texts[f"0 c along {t} size"] == norm((lstm.gates["f"] * lstm.grad("c"))[t, 0])
        assert texts[f"0 h weights {t} size"] == norm(lstm.grad("a")[t, 0] @ lstm.weights["weight_hh"])
        assert texts[f"1 h along {t} size"] == norm((gru.gates["z"] * gru.grad("h"))[t, 0])
        assert texts[f"0 c {t} size"] == f"∂ {norm(lstm.grad('c')[t - 1, 0])}"
        assert texts[f"1 h {t} size"] == f"∂ {norm(gru.hidden_grad[t - 1, 0])}"
    assert "0 c along 3 size" not in texts, "the sweep has not come there"


def test_a_reverse_layer_runs_its_own_way(qtbot: QtBot) -> None:
    structure = Structure("gru", 1, 6, bidirectional=True)
    state = traced_state("characters", (structure,), gains=(1.3,)).state
    state = at(state, Cursor(TRAINING_STEP, Phase.BACKWARD, 6, "l0_reverse"))
    view, _ = open_network(qtbot, state, (1100, 400))
    sequence = looked_at(state, 0).sequence
    assert sequence is not None
    layer, texts = sequence.layer("l0_reverse"), view.drawing.texts
    for t in (4, 5):  # from t to t + 1, for the layer reads from the end
        assert texts[f"0 h along {t} size"] == norm((layer.gates["z"] * layer.grad("h"))[t - 1, 0])


def test_a_symbol_stands_at_its_time_step_and_its_neighbour_where_the_layer_came_from() -> None:
    assert written_at("h_{t−1}", 51) == "h_{50}"
    assert written_at("h_{t−1}", 51, reverse=True) == "h_{52}"
    assert written_at("∂L/∂h_{t+1}", 51) == "∂L/∂h_{52}"
    assert written_at("∂L/∂h_{t+1}", 51, reverse=True) == "∂L/∂h_{50}"
    assert [written_at(symbol, 51) for symbol in ("h_t", "f_{i,t}")] == ["h_{51}", "f_{i,51}"]


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.BACKWARD])
def test_inside_the_cell(qtbot: QtBot, name: str, phase: Phase) -> None:
    state = at(traced(name).state, Cursor(TRAINING_STEP, phase, 7), sample=1)
    view, _ = open_network(qtbot, state, (1500, 900), level="inside")
    texts, layer, seen = view.drawing.texts, layer_of(state, 0), 0
    backward = phase is Phase.BACKWARD
    for node in layer.equations.nodes:
        written = texts.get(f"node {node.name} size")
        if written is None:
            continue
        seen += 1
        values = layer.grad(node.name)[6, 0] if backward else layer.value(node.name)[6, 0]
        mean = node.role == "gate" and not backward
        assert written == (short(float(np.mean(values, dtype=np.float64))) if mean else norm(values)), node.name
    assert seen >= 0.6 * len(layer.equations.nodes)
    for key, written in texts.items():
        wire = re.fullmatch(r"wire (.+) → (.+) (\d) size", key)
        if wire is not None:
            source = wire[1].removeprefix("before ")
            use = next(
                use for use in layer.equations.uses[source]
                if use.node.name == wire[2] and use.place == int(wire[3]) and use.value.before == (source != wire[1])
            )  # fmt: skip
            assert written == norm(layer.passed_back(use)[6, 0]), key
    for state_name in layer.equations.states:
        came = layer.arriving[state_name][6, 0] if backward else layer.value(state_name)[6, 0]
        assert texts[f"after {state_name} size"] == norm(came)
        gone = layer.arriving[state_name][5, 0] if backward else layer.before[state_name][6, 0]
        if backward:
            assert texts["direct"] == f"direct {norm(layer.direct_grad[6, 0])}"
        assert texts[f"before {state_name} size"] == norm(gone)


def test_a_what_if_shows_what_it_made(qtbot: QtBot) -> None:
    state = traced(*PAIR).what_if(1, 0, difference=False)
    state = at(state, Cursor(TRAINING_STEP, Phase.FORWARD, 6), model=1)
    view, _ = open_network(qtbot, state, (1100, 600))
    found = state.what_if
    assert found is not None
    assert found.original is not None
    assert found.changed is not None
    texts = view.drawing.texts
    for row, trace in enumerate((found.original, found.changed)):
        assert texts[f"{row} h 6 size"] == f"‖h‖ {norm(trace.sample(0).layers[0].h[5, 0])}"
    assert texts["0 h 6 size"] != texts["1 h 6 size"]


def test_prediction_target_and_loss(qtbot: QtBot) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, Phase.LOSS, 6), sample=1)
    view, _ = open_network(qtbot, state, (1100, 600))
    sequence = looked_at(state, 0).sequence
    assert sequence is not None
    head, texts, seen = sequence.head, view.drawing.texts, 0
    assert head is not None
    assert head.probabilities is not None
    for t in range(1, 20):
        written = texts.get(f"0 output {t} loss")
        if written is not None:
            seen += 1
            assert written.endswith(f"L {short(float(head.losses[t - 1, 0]))}")
            chance = short(float(head.probabilities[t - 1, 0].max()))
            assert texts[f"0 output {t} prediction"].endswith(chance)
    assert seen > 2


def test_a_lit_weight_shows_each_time_steps_share(qtbot: QtBot) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, Phase.BACKWARD, 6))
    view, _ = open_network(qtbot, state, (1100, 600))
    hover(view, qtbot, "weight_hh")
    texts = view.drawing.texts
    for model in range(2):
        shares = layer_of(state, model).weight_grad_shares["weight_hh"]
        for t in (5, 6, 7):
            assert texts[f"{model} share {t}"] == short(float(shares[t - 1]))
        assert texts[f"{model} shares"] == "share in ∂L/∂W_{hh}"
        assert texts[f"{model} most"] == f"most at t = {1 + int(np.argmax(shares))}"


@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.BACKWARD, Phase.ACCUMULATE])
def test_folded(qtbot: QtBot, phase: Phase) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, phase, 4))
    view, _ = open_network(qtbot, state, (1100, 600), level="folded")
    texts = view.drawing.texts
    for model in range(2):
        layer = layer_of(state, model)
        for name in ("weight_ih", "weight_hh"):
            weight = layer.weights[name]
            rows, columns = weight.shape
            assert texts[f"{model} {name} size"] == f"{rows} × {columns}, ‖·‖ {norm(weight.reshape(-1))}"
            if phase is Phase.FORWARD:
                assert f"{model} {name} so far" not in texts
                continue
            so_far = layer.weight_grad_so_far[name]
            now = so_far[3 if phase is Phase.BACKWARD else 0]
            assert texts[f"{model} {name} so far"] == f"‖∂L/∂W‖ {short(float(now))} of {short(float(so_far[0]))}"


def hover(view: NetworkView, qtbot: QtBot, parameter: str) -> None:
    """The mouse over the symbol of a weight."""
    region = next(region for region in view.drawing.regions if region.target.parameter == parameter)
    view._light(region.target.parameter)  # what `mouseMoveEvent` asks for
    assert [mark for mark in view.drawing.marks if isinstance(mark, Text) and "share" in mark.key]


def test_inside_the_loss(qtbot: QtBot) -> None:
    state = at(traced(*PAIR).state, Cursor(TRAINING_STEP, Phase.LOSS, 13, "l0", "softmax"), sample=0, model=1)
    view, _ = open_network(qtbot, state, (900, 500), level="inside")
    sequence = looked_at(state, 1).sequence
    assert sequence is not None
    head, texts = sequence.head, view.drawing.texts
    assert head is not None
    assert head.probabilities is not None
    delta, read = head.prediction_grad[12, 0], head.output[12, 0]
    assert np.abs(delta).max() > 0
    for key, values in {
        "read": read,
        "logits": head.prediction[12, 0],
        "softmax": head.probabilities[12, 0],
        "prediction_grad": delta,
        "weight_grads": np.outer(delta, read),
        "output_grad": delta @ head.parameters["weight"],
    }.items():
        assert texts[f"loss {key} size"] == norm(np.asarray(values).reshape(-1)), key
    assert texts["loss loss size"] == short(float(head.losses[12, 0]))
    lit, other = view.drawing.mark("loss softmax"), view.drawing.mark("loss logits")
    assert lit.border != other.border  # type: ignore[union-attr]


@pytest.mark.parametrize("optimiser", ["sgd", "adam"])
def test_inside_the_update(qtbot: QtBot, optimiser: OptimiserName) -> None:
    state = trained_by(traced(*PAIR).state, optimiser, step=0)
    state = at(state, Cursor(0, Phase.UPDATE, 1, "l0", "delta"), model=1, parameter="head.weight")
    view, store = open_network(qtbot, state, (900, 500), level="inside")
    shown, texts = update_at(state, 1), view.drawing.texts
    assert shown is not None
    assert texts["inside title"] == "The update of W_{ho}"
    for key, name in {"gradient": "gradient", "clip": "clipped", "delta": "delta", "weights": "weights_after"}.items():
        values = shown.find("head.weight", name)
        assert values is not None
        assert texts[f"update {key} size"] == norm(values.reshape(-1))
    store.change(look=setting(level="folded"))
    folded = view.drawing.texts
    for model in range(2):
        found = update_at(state, model)
        assert found is not None
        for shown_as, name in (("weight_hh", "weight_hh_l0"), ("head.weight", "head.weight")):
            delta = found.find(name, "delta")
            assert delta is not None
            assert folded[f"{model} {shown_as} delta"].endswith(f"‖ {norm(delta.reshape(-1))}")
        assert folded[f"{model} clip"].startswith(f"‖g‖ {short(found.update.norm)}, ")


def test_what_the_optimiser_had_gathered_and_nobody_kept_is_a_dash(qtbot: QtBot) -> None:
    state = trained_by(traced(*PAIR).state, "adam", step=TRAINING_STEP)
    state = at(state, Cursor(TRAINING_STEP, Phase.UPDATE, 1, "l0", "delta"), model=0)
    view, _ = open_network(qtbot, state, (900, 500), level="inside")
    texts = view.drawing.texts
    assert texts["update gradient size"] != "–"
    assert [texts[f"update {key} size"] for key in ("mean", "delta", "weights")] == ["–"] * 3
    assert "is not kept in this run" in texts["update unknown"]
    view, _ = open_network(qtbot, state, (900, 500), level="folded")
    assert view.drawing.texts["0 head.weight delta"].endswith("‖ –")
    assert view.drawing.texts["update unknown"] == texts["update unknown"]


def test_a_weight_that_is_pressed_shows_its_own_update(qtbot: QtBot) -> None:
    state = trained_by(traced(*PAIR).state, "adam", step=0)
    state = at(state, Cursor(0, Phase.UPDATE, 1, "l0"), model=0)
    view, store = open_network(qtbot, state, (900, 500), level="folded")
    for name, own, symbol in (("head.weight", "head.weight", "W_{ho}"), ("weight_ih", "weight_ih_l0", "W_{ih}")):
        store.change(look=setting(level="folded"))
        places = [one for one in view.drawing.regions if one.target.parameter == name and one.target.model == 1]
        QTest.mouseClick(view, Qt.MouseButton.LeftButton, pos=places[0].rect.center().toPoint())
        assert (store.state.place.model, store.state.place.parameter) == (1, own)
        assert store.state.look.level == "inside"
        assert view.drawing.texts["inside title"] == f"The update of {symbol}"


def test_what_the_optimiser_gathered_is_coloured_however_small_it_is(qtbot: QtBot) -> None:
    state = trained_by(traced(*PAIR).state, "adam", step=0)
    view, _ = open_network(qtbot, at(state, Cursor(0, Phase.UPDATE, 1, "l0"), model=0), (900, 500), level="inside")
    for key in ("mean", "mean square"):
        strip = view.drawing.mark(f"update {key} strip")
        assert isinstance(strip, Strip)
        assert np.abs(strip.values).max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("name", "gates"),
    [
        ("lstm", {"before c → kept 1": "f", "g → written 1": "i", "tanh_c → h 1": "o"}),
        ("gru", {"before h → h 2": "z", "n → h 1": "1 − z", "u → reset 1": "r"}),
        ("mingru", {"before h → h 1": "1 − z", "n → h 2": "z"}),
    ],
)
def test_backward_the_gate_that_let_the_gradient_through_stands_at_the_wire(
    qtbot: QtBot, name: str, gates: dict[str, str]
) -> None:
    state = at(traced(name).state, Cursor(TRAINING_STEP, Phase.BACKWARD, 7), sample=1)
    view, store = open_network(qtbot, state, (1500, 900), level="inside")
    layer, texts = layer_of(state, 0), view.drawing.texts
    for wire, symbol in gates.items():
        mean = layer.value(symbol[-1])[6, 0].mean(dtype=np.float64)
        assert texts[f"wire {wire} factor"] == f"⊙ {symbol} {short(float(1 - mean if '−' in symbol else mean))}"
    assert len([key for key in texts if key.endswith(" factor")]) == len(gates)
    store.go(to_phase, store.state.walkable, Phase.FORWARD, 7)
    assert not [key for key in view.drawing.texts if key.endswith(" factor")]


def test_the_wires_of_the_operation_stepped_through_keep_their_numbers(qtbot: QtBot) -> None:
    state = at(traced("lstm").state, Cursor(TRAINING_STEP, Phase.BACKWARD, 7), sample=1)
    view, store = open_network(qtbot, state, (1500, 900), level="inside")
    usual = {key for key in view.drawing.texts if key.startswith("wire ")}
    for operation in ("c", "h"):
        store.go(to_operation, store.state.walkable, Phase.BACKWARD, "l0", operation)
        assert store.state.place.cursor.operation == operation
        assert usual <= set(view.drawing.texts)
