"""The numbers at the cursor are those of the trace, and follow it."""

from dataclasses import replace

import numpy as np
import pytest
from panels_state import HIDDEN, SYMBOLS, TIME_STEPS, make_capture, make_structures, make_task
from PySide6.QtCore import QEvent, QPointF, Qt
from PySide6.QtGui import QColor, QMouseEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QScrollArea
from pytestqt.qtbot import QtBot

from rnnviz.core.numbers import short
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.capture import Head, LossName
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks.info import Scale
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.value_rows import value_rows
from rnnviz.gui.cursor.value_strips import Strip, ValueStrips, describe, levels, strip_image
from rnnviz.gui.cursor.value_table import row_name
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store, setting

LOSS = Cursor(0, Phase.LOSS, 1)


@pytest.fixture
def panel(store: Store, qtbot: QtBot) -> ValuesPanel:
    made = ValuesPanel(store)
    qtbot.addWidget(made)
    made.resize(312, 800)
    made.show()
    return made


def cells(panel: ValuesPanel, key: str) -> tuple[str | None, ...]:
    return panel.table.rows[[row.key for row in panel.rows].index(key)].cells


def point_at(panel: ValuesPanel, key: str) -> None:
    """Moves the pointer over a row without pressing."""
    place = QPointF(panel.table.row_center([row.key for row in panel.rows].index(key)))
    none = Qt.MouseButton.NoButton
    move = QMouseEvent(QEvent.Type.MouseMove, place, place, none, none, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(panel.table, move)


def press(panel: ValuesPanel, key: str) -> None:
    place = panel.table.row_center([row.key for row in panel.rows].index(key))
    QTest.mouseClick(panel.table, Qt.MouseButton.LeftButton, pos=place)


def test_prediction_target_and_its_probability_stand_in_the_table_in_both_phases(
    panel: ValuesPanel, store: Store
) -> None:
    labels = ("XX", "XY", "YX", "YY")
    heads = [trace.head for trace in store.state.recorded.traces if trace is not None and trace.head is not None]
    for phase in (Phase.FORWARD, Phase.BACKWARD):
        for time_step in (5, TIME_STEPS):
            cursor = replace(store.state.place.cursor, time_step=time_step, phase=phase)
            store.change(place=setting(cursor=cursor))
            logits = [
                head.output[time_step - 1, 0] @ head.parameters["weight"].T + head.parameters["bias"] for head in heads
            ]
            chances = [np.exp(one - one.max()) / np.exp(one - one.max()).sum() for one in logits]
            assert cells(panel, "prediction") == tuple(labels[int(np.argmax(one))] for one in chances)
            assert cells(panel, "target") == ("XX", "XX")  # asked once, at the end: it is the one there
            assert cells(panel, "target_probability") == tuple(short(float(one[0])) for one in chances)
            rows = {row.key: row for row in panel.rows}
            assert ("at t = 64" in rows["target"].words) == (time_step == 5)
            best = int(np.argmax(chances[0]))
            tip = panel.tooltip(list(rows).index("prediction"))
            assert f"{labels[best]} {short(float(chances[0][best]))}, " in tip
    given = [rebuild(make_capture(head.structure, 5).with_call(head=None)) for head in store.state.recorded.traces]
    store.change(recorded=setting(traces=tuple(given)))
    assert not [row for row in panel.rows if row.group == "prediction"]


@pytest.mark.parametrize("columns", [1, 3])
def test_of_numbers_prediction_target_and_error_are_in_the_units_of_the_data(
    panel: ValuesPanel, store: Store, columns: int
) -> None:
    random, names = np.random.default_rng(7), ("rain", "wind", "sun")[:columns]
    asked = np.ones((TIME_STEPS, 1), np.float32)
    asked[30:50] = 0.0
    traces = []
    for number, structure in enumerate(make_structures()):
        targets = random.normal(size=(TIME_STEPS, 1, columns)).astype(np.float32)
        weight, bias = random.normal(size=(columns, HIDDEN)).astype(np.float32), np.ones(columns, np.float32)
        head = Head(weight, bias, "mean squared error", targets, asked / asked.sum())
        traces.append(rebuild(make_capture(structure, 3 + number).with_call(head=head)))
    scales = tuple(Scale(10.0 * (n + 1), 4.0 + n) for n in range(columns))
    task = replace(
        make_task(), output_kind="values", output_labels=names, output_scales=scales, loss="mean squared error"
    )
    store.change(recorded=setting(traces=tuple(traces)), run=setting(task=task))
    for time_step in (12, 40):
        store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=time_step)))
        heads = [trace.head for trace in traces if trace.head is not None]
        said = [head.prediction[time_step - 1, 0].astype(float) for head in heads]
        true = [head.targets[time_step - 1, 0].astype(float) for head in heads]
        if columns == 1:
            predicted = tuple(short(10 + 4 * float(one[0])) for one in said)
            wanted = tuple(short(10 + 4 * float(one[0])) for one in true)
            apart = tuple(
                short(4 * float(np.float32(a[0]) - np.float32(b[0]))) for a, b in zip(said, true, strict=True)
            )
        else:
            predicted, wanted = (tuple(short(float(np.linalg.norm(one))) for one in each) for each in (said, true))
            apart = tuple(short(float(np.linalg.norm(a - b))) for a, b in zip(said, true, strict=True))
            tip = panel.tooltip([row.key for row in panel.rows].index("prediction"))
            assert f"wind {short(20 + 5 * float(said[0][1]))}" in tip
        assert cells(panel, "prediction") == predicted
        assert cells(panel, "target") == (wanted if time_step == 12 else (None, None))  # nothing is asked at 40
        assert cells(panel, "error") == (apart if time_step == 12 else (None, None))


def test_the_shares_of_other_parameters_are_folded_a_click_or_enter_away(panel: ValuesPanel, qtbot: QtBot) -> None:
    def shares() -> list[str]:
        return [row.key.partition(":")[2] for row in panel.rows if row.key.startswith("share:")]

    every = {"weight_ih", "weight_hh", "bias_ih", "bias_hh"}
    assert shares() == ["weight_hh"]
    assert next(row.words for row in panel.rows if row.key == "fold") == "▸ shares in W_{ih}, b_{ih}, b_{hh}"
    height = panel.table.height()
    press(panel, "fold")
    assert set(shares()) == every
    assert panel.table.height() == height + 6 * 23
    press(panel, "hidden")  # no other row folds
    assert set(shares()) == every
    panel.table.setFocus()
    for _ in range(40):
        if panel.rows[panel.table.shown_row].key == "fold":
            break
        qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    qtbot.keyClick(panel.table, Qt.Key.Key_Return)
    assert shares() == ["weight_hh"]


def test_a_phase_that_begins_scrolls_to_its_rows(panel: ValuesPanel, store: Store) -> None:
    panel.resize(312, 420)
    panel.grab()

    def seen() -> set[str]:
        places = [(row.key, panel.table.row_center(number)) for number, row in enumerate(panel.rows)]
        return {key for key, place in places if panel.table.visibleRegion().contains(place)}

    for phase, key, out in ((Phase.FORWARD, "input", "cell_grad"), (Phase.BACKWARD, "cell_grad", "input")):
        store.change(place=setting(cursor=replace(store.state.place.cursor, phase=phase)))
        assert key in seen()
        assert out not in seen()


def test_numbers_are_norms_of_the_trace(panel: ValuesPanel, store: Store) -> None:
    for time_step in (1, 41, TIME_STEPS):
        store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=time_step)))
        at = time_step - 1
        first, second = (trace.layers[0] for trace in store.state.recorded.traces if trace is not None)
        assert cells(panel, "hidden") == tuple(short(np.linalg.norm(layer.h[at, 0])) for layer in (first, second))
        assert second.c is not None
        assert cells(panel, "cell") == (None, short(np.linalg.norm(second.c[at, 0])))
        assert cells(panel, "gate:f") == (None, short(second.gates["f"][at, 0].mean()))
        assert cells(panel, "direct_grad")[0] == short(np.linalg.norm(first.direct_grad[at, 0]))
        assert cells(panel, "share:weight_hh")[1] == short(second.weight_grad_shares["weight_hh"][at])


def test_a_parameter_is_called_as_the_equations_call_it() -> None:
    trace = rebuild(make_capture(Structure("peephole_lstm", len(SYMBOLS), HIDDEN), 3))
    words = [row.words for row in value_rows((trace,), "l0", 1) if row.key.startswith("share:")]
    symbols = ("W_{ih}", "W_{hh}", "b_{ih}", "b_{hh}", "p_i", "p_f", "p_o")
    assert words == [f"share in ∂L/∂{symbol}" for symbol in symbols]


@pytest.mark.parametrize(("first", "second", "words"), [("gru", "mingru", "new state"), ("mingru", "gru", "candidate")])
def test_a_gate_of_two_models_is_called_as_in_the_first(first: str, second: str, words: str) -> None:
    traces = [rebuild(make_capture(Structure(cell, len(SYMBOLS), HIDDEN), 3)) for cell in (first, second)]
    assert [row.words for row in value_rows(traces, "l0", 1) if row.key == "gate:n"] == [words]


def test_at_the_first_time_step_everything_has_been_added(panel: ValuesPanel, store: Store) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=1)))
    names = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    press(panel, "fold")
    assert {cells(panel, f"so_far:{name}") for name in names} == {("1.00", "1.00")}


def test_the_gradient_is_direct_plus_carried(panel: ValuesPanel, store: Store) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=TIME_STEPS)))
    assert cells(panel, "carried_grad") == ("0", "0")
    assert cells(panel, "hidden_grad") == cells(panel, "direct_grad")
    store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=20)))
    assert cells(panel, "direct_grad") == ("0", "0")
    assert cells(panel, "hidden_grad") == cells(panel, "carried_grad")


@pytest.mark.parametrize("loss", ["binary cross-entropy", "mean squared error"])
def test_one_hot_classes_are_classes(panel: ValuesPanel, store: Store, loss: LossName) -> None:
    traces = []
    for trace, seed in zip(store.state.recorded.traces, (1, 2), strict=True):
        assert trace is not None
        capture = make_capture(trace.structure, seed)
        head = capture.calls[0].head
        assert head is not None
        targets = np.eye(4, dtype=np.float32)[np.full_like(head.targets, 2)]
        traces.append(rebuild(capture.with_call(head=replace(head, loss=loss, targets=targets))))
    last = replace(store.state.place.cursor, time_step=TIME_STEPS)
    store.change(recorded=setting(traces=tuple(traces)), place=setting(cursor=last))
    scores = [trace.head.scores[-1, 0] for trace in traces if trace.head is not None]
    labels = ("XX", "XY", "YX", "YY")
    assert cells(panel, "prediction") == tuple(labels[int(np.argmax(one))] for one in scores)
    assert cells(panel, "target") == ("YX", "YX")
    assert cells(panel, "target_probability") == tuple(short(float(one[2])) for one in scores)
    words = next(row.words for row in panel.rows if row.key == "target_probability")
    assert words == ("its value" if loss == "mean squared error" else "its probability")


def test_a_loss_says_what_it_is_divided_by_and_what_it_is_alone(panel: ValuesPanel, store: Store) -> None:
    assert [row.words for row in panel.rows if row.group == "loss"] == ["loss", "of this sequence alone"]
    traces = []
    for trace, seed in zip(store.state.recorded.traces, (1, 2), strict=True):
        assert trace is not None
        capture = make_capture(trace.structure, seed)
        head = capture.calls[0].head
        assert head is not None
        traces.append(rebuild(capture.with_call(head=replace(head, loss_weight=head.loss_weight / 4))))
    last = replace(store.state.place.cursor, time_step=TIME_STEPS)
    store.change(recorded=setting(traces=tuple(traces)), place=setting(cursor=last))
    assert next(row.words for row in panel.rows if row.group == "loss") == "loss, ÷ 4 sequences"
    losses = [float(trace.head.losses[-1, 0]) for trace in traces if trace.head is not None]
    assert cells(panel, "loss") == tuple(short(loss) for loss in losses)
    assert cells(panel, "own_loss") == tuple(short(4 * loss) for loss in losses)
    said = ["".join(word.markup + " " for word in line.words) for line in equation_lines(traces[1], LOSS, None, None)]
    assert said[0].strip() == "L = Σ_t L_t, mean over 4 sequences"
    assert f"alone {short(4 * losses[1])}" in said[2]
    store.change(place=setting(cursor=replace(last, time_step=3)))
    assert cells(panel, "loss") == (None, None)  # nothing is asked there


def test_what_comes_directly_is_called_by_where_it_comes_from() -> None:
    shallow = rebuild(make_capture(Structure("lstm", 8, 5), 4))
    deep = rebuild(make_capture(Structure("gru", 8, 5, num_layers=2, bidirectional=True), 7))
    given = rebuild(make_capture(Structure("gru", 8, 5, num_layers=2), 2).with_call(head=None))

    def words(layer: str, *traces: Trace) -> str:
        return next(row.words for row in value_rows(traces, layer, 41) if row.key == "direct_grad")

    assert words("l0", shallow) == words("l1", deep) == words("l1_reverse", shallow, deep) == "direct, from L_{41}"
    assert words("l0", deep) == words("l0_reverse", shallow, deep) == words("l0", given) == "direct, from layer 1"
    assert words("l0", shallow, deep) == "direct, from L_{41} or layer 1"
    assert words("l1", given) == "direct, from the given ∂L/∂output_{41}"


def test_the_tooltip_says_where_each_models_direct_part_comes_from(panel: ValuesPanel, store: Store) -> None:
    deep = rebuild(make_capture(Structure("gru", 8, 5, num_layers=2), 4))
    store.change(recorded=setting(traces=(store.state.recorded.traces[0], deep)))
    first, second = panel.tooltip([row.key for row in panel.rows].index("direct_grad")).splitlines()[1:3]
    assert first.endswith(f"; from L_{store.state.place.cursor.time_step}")
    assert second.endswith("; from layer 1")


def test_the_input_is_its_symbol(panel: ValuesPanel, store: Store) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, time_step=11)))
    assert cells(panel, "input") == ("X", "X")


@pytest.mark.parametrize(
    ("phase", "bright"),
    [
        (Phase.FORWARD, {"state", "gates", "prediction"}),
        (Phase.LOSS, {"prediction", "loss"}),
        (Phase.BACKWARD, {"prediction", "gradient", "weights"}),
        (Phase.UPDATE, {"weights"}),
    ],
)
def test_rows_of_the_phase_are_bright(panel: ValuesPanel, store: Store, phase: Phase, bright: set[str]) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, phase=phase)))
    shown = {row.group for row, line in zip(panel.rows, panel.table.rows, strict=True) if line.active}
    assert shown == bright


@pytest.mark.parametrize(
    ("phase", "operation", "bright"),
    [
        (Phase.LOSS, "softmax", {"prediction"}),
        (Phase.LOSS, "loss", {"loss", "own_loss"}),
        (Phase.LOSS, "output_grad", {"direct_grad"}),
        (Phase.UPDATE, "gradient", {"clip:norm"}),
        (Phase.UPDATE, "clip", {"clip:factor", "clip:clipped"}),
        (Phase.FORWARD, "f", {"state", "gates", "prediction"}),
    ],
)
def test_rows_of_an_operation_of_the_loss_or_update_are_bright(
    panel: ValuesPanel, store: Store, phase: Phase, operation: str, bright: set[str]
) -> None:
    cursor = replace(store.state.place.cursor, phase=phase, operation=operation)
    store.change(place=setting(cursor=cursor, model=1))
    shown = [row for row, line in zip(panel.rows, panel.table.rows, strict=True) if line.active]
    assert {row.key if row.key in bright else row.group for row in shown} == bright


def test_pointing_at_a_row_shows_its_values(panel: ValuesPanel) -> None:
    assert panel.strips.title == "hidden state"
    point_at(panel, "gate:f")
    assert panel.strips.title == "forget gate"
    assert [strip.name for strip in panel.strips.strips] == ["LSTM"]
    QApplication.sendEvent(panel.table, QEvent(QEvent.Type.Leave))
    assert panel.strips.title == "hidden state"
    assert [strip.name for strip in panel.strips.strips] == ["Vanilla", "LSTM"]


def test_the_keyboard_walks_the_rows_and_copies(panel: ValuesPanel, store: Store, qtbot: QtBot) -> None:
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_Down)
    assert panel.strips.title == "cell state"
    qtbot.keyClick(panel.table, Qt.Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = [line.split("\t") for line in QApplication.clipboard().text().split("\n")]
    trace = store.state.recorded.traces[1]
    assert trace is not None
    assert trace.layers[0].c is not None
    assert lines[0] == ["cell state ‖c_41‖", "Vanilla", "LSTM"]
    assert lines[2][0] == "LSTM"
    np.testing.assert_array_equal(np.array(lines[2][1:], float), trace.layers[0].c[40, 0])


def test_the_tooltip_tells_shape_range_and_what_was_added(panel: ValuesPanel) -> None:
    keys = [row.key for row in panel.rows]
    assert f"({HIDDEN})" in panel.tooltip(keys.index("hidden"))
    assert "in the end" in panel.tooltip(keys.index("so_far:weight_hh"))


def test_a_deeper_model_offers_its_layers(panel: ValuesPanel, store: Store) -> None:
    deep = rebuild(make_capture(Structure("gru", 8, 5, num_layers=2, bidirectional=True), 4))
    store.change(recorded=setting(traces=(store.state.recorded.traces[0], deep)))
    names = [panel.layer.itemData(index) for index in range(panel.layer.count())]
    assert names == ["l0", "l0_reverse", "l1", "l1_reverse"]
    panel.layer.set_value("l1_reverse")
    panel.layer.activated.emit(panel.layer.currentIndex())
    assert store.state.place.cursor.layer == "l1_reverse"
    assert cells(panel, "hidden")[0] is None
    assert cells(panel, "hidden")[1] == short(np.linalg.norm(deep.layer("l1_reverse").h[40, 0]))
    assert panel.rows[[row.key for row in panel.rows].index("carried_grad")].words == "carried, from t = 40"
    assert LayerId.read("l1_reverse").words == "layer 1, reverse"


def test_without_a_trace_it_says_so(panel: ValuesPanel, store: Store) -> None:
    store.change(recorded=setting(traces=(None, None)))
    assert not panel.table.isVisible()
    assert panel.empty.isVisible()


def test_a_batch_shows_the_sequence_looked_at(panel: ValuesPanel, store: Store) -> None:
    capture = make_capture(Structure("vanilla", 8, HIDDEN), 1)
    other = make_capture(Structure("vanilla", 8, HIDDEN), 9)
    both = capture.with_call(
        inputs=np.concatenate([capture.inputs, other.inputs], axis=1),
        initial={"h": np.concatenate([capture.initial["h"], other.initial["h"]], axis=1)},
        grad_output=np.concatenate([capture.grad_output, other.grad_output], axis=1),
        head=None,
    )
    trace = rebuild(both)
    store.change(
        recorded=setting(traces=(trace,)), run=setting(models=store.state.run.models[:1]), place=setting(sample=1)
    )
    assert cells(panel, "hidden") == (short(np.linalg.norm(trace.layers[0].h[40, 1])),)
    assert cells(panel, "loss") == (None,)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 5e-324, 1e38])
def test_every_value_can_be_drawn(panel: ValuesPanel, store: Store, value: float) -> None:
    capture = make_capture(Structure("lstm", 8, 3), 1)
    with np.errstate(under="ignore"):
        weights = {**capture.weights, "weight_hh_l0": np.full((12, 3), value).astype(np.float32)}
    trace = rebuild(replace(capture, weights=weights))
    store.change(recorded=setting(traces=(trace, trace)))
    for key in ("hidden", "cell", "hidden_grad", "share:weight_hh"):
        point_at(panel, key)
        panel.grab()


def test_what_is_not_finite_stands_out_in_a_strip() -> None:
    look = theme("dark")
    image = strip_image(np.array([0.0, np.nan]), (-1.0, 1.0), "signed", "", look)
    assert image.pixelColor(1, 0).name() == look.not_finite
    middle = image.pixelColor(0, 0)
    assert [middle.red(), middle.green(), middle.blue()] == look.signed_map()[128].tolist()
    assert describe(np.array([0.5, np.nan])).endswith("1 not finite")


def test_all_models_share_the_levels_of_a_strip(panel: ValuesPanel) -> None:
    panel.table.hover([row.key for row in panel.rows].index("cell_grad"))
    strips = panel.strips.strips
    low, high = levels("signed", strips)
    assert (low, high) == (-high, max(float(np.abs(strip.values).max()) for strip in strips))


def test_a_model_that_explodes_leaves_the_strip_of_the_other_its_colours(qtbot: QtBot) -> None:
    look, calm, wild = theme("light"), np.array([-1.9, 0.0, 1.9]), np.array([-4.0e6, np.nan, 3.0])
    strips = [Strip("calm", QColor("#123456"), calm), Strip("wild", QColor("#654321"), wild)]
    shown = ValueStrips()
    qtbot.addWidget(shown)
    shown.set_content("cell state", "c_3", strips, "signed", "", look)
    assert shown.knee == 2.0
    one, other = shown._images
    colors = [one.pixelColor(n, 0) for n in range(3)]
    assert min(colors[0].blue() - colors[0].red(), colors[2].red() - colors[2].blue()) > 60
    assert other.pixelColor(0, 0) == QColor(*map(int, look.signed_map()[0]))
    assert other.pixelColor(1, 0) == QColor(look.not_finite)
    shown.set_content("cell state", "c_3", [strips[0], replace(strips[0], values=10 * calm)], "signed", "", look)
    assert shown.knee == 0.0


def test_what_was_added_so_far_is_told_as_a_ratio_of_norms(panel: ValuesPanel, store: Store) -> None:
    number = [row.key for row in panel.rows].index("so_far:weight_hh")
    words = panel.tooltip(number)
    trace = store.state.recorded.traces[1]
    assert trace is not None
    so_far = trace.layers[0].weight_grad_so_far["weight_hh"]
    now, end = short(float(so_far[40])), short(float(so_far[0]))
    assert f"norm {now} so far, {end} in the end, before clipping; the number is their ratio" in words


def test_the_input_is_read_in_words(panel: ValuesPanel, store: Store) -> None:
    assert cells(panel, "input")[0] in SYMBOLS
    number = [row.key for row in panel.rows].index("input")
    assert "one-hot: column" in panel.tooltip(number)
    assert store.state.run.task is not None
    names = tuple(f"c{k}" for k in range(len(SYMBOLS)))
    scales = tuple(Scale(100.0 * k, 10.0) for k in range(len(SYMBOLS)))
    store.change(
        run=setting(task=replace(store.state.run.task, input_kind="values", input_labels=names, input_scales=scales))
    )
    trace = store.state.recorded.traces[0]
    assert trace is not None
    value = 200 + 10 * float(trace.layers[0].x[40, 0, 2])
    assert f"c2 {short(value)}" in panel.tooltip(number)
    assert panel.rows[number].symbol == "‖x_{41}‖"


def test_the_names_of_the_models_stay_at_the_top_of_a_table_that_is_scrolled(panel: ValuesPanel, store: Store) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, phase=Phase.FORWARD)))
    panel.resize(312, 420)
    panel.grab()
    scroll = panel.findChild(QScrollArea)
    assert scroll is not None
    scroll.verticalScrollBar().setValue(0)
    names = scroll.viewport().grab().toImage().copy(8, 4, 280, 22)
    scroll.verticalScrollBar().setValue(104)
    assert scroll.verticalScrollBar().value() == 104
    assert scroll.viewport().grab().toImage().copy(8, 0, 280, 22) == names
    assert panel.table.row_at(110) == -1  # the row below them is not what one points at
    assert panel.table.row_at(150) > 2


def test_among_many_models_a_row_is_called_by_its_symbol(qapp: QApplication) -> None:
    words, symbol = "hidden gradient", "‖∂L/∂h_{16}‖"
    assert row_name(words, symbol, 200) == (words, symbol)
    assert row_name(words, symbol, 110) == (words, "")
    assert row_name(words, symbol, 75) == (symbol, "")
    assert row_name(words, symbol, 40)[0].endswith("…")
    assert row_name("of this sequence alone", "", 75)[0].endswith("…")
