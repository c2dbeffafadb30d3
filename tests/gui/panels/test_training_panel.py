"""Curves and scrubber: dragging chooses captures, and the handle stays where it was left while data streams in."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from panels_state import make_history
from PySide6.QtCore import QEvent, QPoint, QPointF, Qt
from PySide6.QtGui import QImage, QMouseEvent
from PySide6.QtWidgets import QApplication, QDockWidget, QMainWindow, QWidget
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.source import Given, Trained
from rnnviz.core.tasks.info import Baseline
from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.run import History, MetricCurve
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.training.margin_labels import MarginLabel
from rnnviz.gui.training.scrubber import Scrubber
from rnnviz.gui.training.training_panel import TrainingPanel


@pytest.fixture
def panel(store: Store, qtbot: QtBot) -> TrainingPanel:
    made = TrainingPanel(store)
    qtbot.addWidget(made)
    made.resize(900, 168)
    made.show()
    qtbot.waitExposed(made)
    return made


def chosen_by(panel: TrainingPanel) -> list[int]:
    chosen: list[int] = []
    panel.training_step_chosen.connect(chosen.append)
    return chosen


def point(panel: TrainingPanel, training_step: float) -> QPoint:
    return QPoint(round(panel.scrubber.x_of(training_step)), 13)


def test_dragging_chooses_recorded_training_steps_only(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    chosen = chosen_by(panel)
    qtbot.mousePress(panel.scrubber, Qt.MouseButton.LeftButton, pos=point(panel, 300))
    for training_step in (310, 352, 500):
        place = QPointF(point(panel, training_step))
        left = Qt.MouseButton.LeftButton
        move = QMouseEvent(QEvent.Type.MouseMove, place, place, left, left, Qt.KeyboardModifier.NoModifier)
        QApplication.sendEvent(panel.scrubber, move)
    qtbot.mouseRelease(panel.scrubber, Qt.MouseButton.LeftButton, pos=point(panel, 500))
    captured = set(store.state.recorded.history.captured.tolist())
    assert chosen
    assert set(chosen) <= captured
    assert abs(chosen[0] - 300) <= 4
    assert abs(chosen[-1] - 500) <= 4
    assert len(chosen) == len(set(chosen))


def test_the_handle_stays_while_data_streams_in(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    before = panel.scrubber.training_step
    for last in (1200, 1700, 4000):
        store.change(recorded=setting(history=make_history(last)))
        assert panel.scrubber.training_step == before
    qtbot.waitUntil(lambda: panel.plot.viewRange()[0][1] >= 4000)
    assert panel.scrubber.training_step == before == store.state.place.cursor.training_step


def test_the_axis_stands_still_while_the_handle_is_held(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    chosen = chosen_by(panel)
    qtbot.mousePress(panel.scrubber, Qt.MouseButton.LeftButton, pos=point(panel, 300))
    held, pixel = panel.scrubber.training_step, panel.scrubber.x_of(300)
    store.change(
        recorded=setting(history=make_history(4000)),
        place=setting(cursor=replace(store.state.place.cursor, training_step=4000), following=True),
    )
    qtbot.wait(150)
    assert (panel.scrubber.training_step, panel.scrubber.x_of(300)) == (held, pixel)
    qtbot.mouseRelease(panel.scrubber, Qt.MouseButton.LeftButton, pos=point(panel, 300))
    assert panel.scrubber.x_of(300) < pixel
    assert len(chosen) == 1


def test_keys_walk_from_capture_to_capture(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, training_step=700)))
    chosen = chosen_by(panel)
    keys = (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_PageUp, Qt.Key.Key_Home, Qt.Key.Key_Left, Qt.Key.Key_End)
    for key in keys:
        qtbot.keyClick(panel.scrubber, key)
    assert chosen == [693, 700, 770, 0, 994]


def test_page_keys_go_ten_captures(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    store.change(place=setting(cursor=replace(store.state.place.cursor, training_step=700)))
    chosen = chosen_by(panel)
    for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
        qtbot.keyClick(panel.scrubber, key)
    assert chosen == [630, 560, 630]


def test_a_click_into_the_curves_goes_there(panel: TrainingPanel, qtbot: QtBot) -> None:
    chosen = chosen_by(panel)
    middle = QPoint(panel.plot.width() // 2, panel.plot.height() // 2)
    qtbot.mouseClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert len(chosen) == 1
    assert abs(chosen[0] - 500) <= 4


def test_live_asks_to_go_back_and_says_when_it_is(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    asked: list[bool] = []
    panel.live_wanted.connect(lambda: asked.append(True))
    assert panel.live.text() == "live ▸"
    qtbot.mouseClick(panel.live, Qt.MouseButton.LeftButton)
    assert asked == [True]
    store.change(place=setting(following=True))
    assert panel.live.text() == "● live"


def test_names_stand_at_the_ends_of_the_curves(panel: TrainingPanel, qtbot: QtBot) -> None:
    heights = {label.text: label.y for label in panel.names.labels}
    assert set(heights) == {"Vanilla", "LSTM", "chance"}
    assert abs(heights["Vanilla"] - heights["chance"]) < 3
    assert heights["LSTM"] > heights["Vanilla"] + 50
    panel.metric_choice.set_value("accuracy")
    panel.metric_choice.activated.emit(1)
    heights = {label.text: label.y for label in panel.names.labels}
    assert heights["LSTM"] < heights["Vanilla"] - 30


def test_a_logarithmic_axis_is_labelled_in_powers(panel: TrainingPanel, qtbot: QtBot) -> None:
    qtbot.mouseClick(panel.log, Qt.MouseButton.LeftButton)
    assert "10⁻¹" in [label.text for label in panel.values.labels]
    assert not any(label.text == "0.5" for label in panel.values.labels)


def test_nan_and_infinity_are_marked_where_they_begin(panel: TrainingPanel, store: Store) -> None:
    steps = np.arange(1, 201)
    values = np.ones(200)
    values[120:] = np.nan
    values[50] = np.inf
    store.change(
        recorded=setting(history=History({(0, "loss"): MetricCurve(steps, values)}, np.array([0, 200]), 200)),
        run=setting(path=None, task=None),
    )
    marks = panel.curves[0].marks
    assert marks.tolist() == [51.0, 121.0]
    panel.grab()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 0.0, 5e-324, 1e308])
@pytest.mark.parametrize("log", [False, True])
def test_any_value_can_be_drawn(panel: TrainingPanel, store: Store, value: float, log: bool) -> None:
    panel.log.setChecked(log)
    curve = MetricCurve(np.arange(1, 11), np.full(10, value))
    store.change(
        recorded=setting(history=History({(0, "loss"): curve, (1, "loss"): curve}, np.array([0]), 10)),
        run=setting(task=None),
    )
    panel.grab()


def test_an_empty_run_can_be_drawn(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    chosen = chosen_by(panel)
    store.change(
        recorded=setting(history=History()),
        run=setting(models=(), task=None),
        place=setting(cursor=replace(store.state.place.cursor, training_step=0)),
    )
    panel.grab()
    qtbot.mouseClick(panel.scrubber, Qt.MouseButton.LeftButton)
    assert chosen == []


def test_streaming_is_drawn_at_most_ten_times_a_second(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    drawn: list[int] = []
    original = panel.curves[0].set_curve
    panel.curves[0].set_curve = lambda *what: (drawn.append(1), original(*what))  # type: ignore[assignment, func-returns-value]
    for last in range(1001, 1041):
        store.change(recorded=setting(history=make_history(last)))
    assert len(drawn) <= 3
    qtbot.waitUntil(lambda: panel.curves[0].values.size == 1040)


def test_zooming_stays_until_a_double_click(panel: TrainingPanel, store: Store, qtbot: QtBot) -> None:
    view = panel.plot.getPlotItem().getViewBox()
    view.setXRange(100, 200, padding=0)
    view.sigRangeChangedManually.emit([True, False])
    store.change(recorded=setting(history=make_history(1300)))
    qtbot.wait(150)
    assert panel.plot.viewRange()[0] == [100, 200]
    middle = QPoint(200, 40)
    qtbot.mouseDClick(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    qtbot.mouseRelease(panel.plot.viewport(), Qt.MouseButton.LeftButton, pos=middle)
    assert panel.plot.viewRange()[0] == [0, 1500]


def test_the_plan_is_the_end_of_the_axis(panel: TrainingPanel, store: Store) -> None:
    store.change(recorded=setting(history=make_history(1300)))
    training = TrainingSettings(training_steps=1400)
    experiment = store.state.run.experiment
    assert experiment is not None
    store.change(run=setting(source=Trained(replace(experiment, training=training))))
    assert panel.plot.viewRange()[0] == [0, 1400]


def test_the_tooltip_reads_all_models(panel: TrainingPanel) -> None:
    text = panel.tooltip(panel.plot.width() / 2)
    assert text.startswith("training step 500, loss")
    assert "Vanilla: 1.3" in text or "Vanilla: 1.4" in text
    assert "LSTM: 0.0" in text


def test_the_theme_reaches_the_plot(panel: TrainingPanel, store: Store) -> None:
    store.change(look=setting(theme="light"))
    assert panel.plot.grab().toImage().pixelColor(5, 60).name() == theme("light").panel


def test_before_the_first_training_step_the_metrics_to_come_are_offered(panel: TrainingPanel, store: Store) -> None:
    store.change(
        recorded=setting(history=History()),
        place=setting(cursor=replace(store.state.place.cursor, training_step=0)),
        run=setting(path=Path("new.rnnviz")),
    )
    assert panel.metric_choice.currentText() == "loss"
    assert [panel.metric_choice.itemData(n) for n in range(panel.metric_choice.count())] == [
        "loss",
        "accuracy",
        "grad_norm",
    ]
    assert [label.text for label in panel.values.labels] == ["0", "0.5", "1"]  # with the chance level at 1.386


def test_a_loaded_model_has_no_curves_but_a_sentence(panel: TrainingPanel, store: Store) -> None:
    store.change(
        run=setting(source=Given("net.pt"), path=Path("net.rnnviz")),
        recorded=setting(history=History(captured=np.array([0]))),
    )
    assert panel.nothing.isVisible()
    assert not panel.plot.isVisible()
    assert not panel.scrubber.isVisible()
    store.change(run=setting(source=Trained(first_lesson()), path=Path("other.rnnviz")))
    assert panel.plot.isVisible()
    assert not panel.nothing.isVisible()


def test_a_run_without_an_engine_is_not_called_live(panel: TrainingPanel, store: Store) -> None:
    store.change(recorded=setting(status=None), place=setting(following=True))
    assert panel.live.text() == "newest"


def test_a_long_baseline_is_written_in_two_lines(panel: TrainingPanel, store: Store) -> None:
    label = MarginLabel(40.0, "same as last year", theme("dark").color("muted"))
    lines = panel.names._lines(label)
    assert lines == ["same as", "last year"]
    other = MarginLabel(41.0, "LSTM", theme("dark").model_color(1))
    panel.names.set_labels([label, other])
    above, below = panel.names._middles([2, 1])
    assert below - above == pytest.approx(1.5 * 14 + 5, abs=0.1)  # the two labels do not run together


def test_a_million_points_are_thinned_to_the_pixels_and_zooming_shows_all_again(
    panel: TrainingPanel, store: Store
) -> None:
    steps = np.arange(1, 1_000_001)
    values = np.ones(1_000_000)
    values[700_000] = 3.0
    curve = MetricCurve(steps, values)
    store.change(
        recorded=setting(history=History({(0, "loss"): curve}, np.array([0, 1_000_000]), 1_000_000)),
        run=setting(task=None),
    )
    panel._draw(store.state)
    drawn = panel.curves[0]._raw
    assert len(drawn.xData) <= 2 * panel.plot.width() + 4
    assert drawn.yData.max() == 3.0
    panel.plot.getPlotItem().getViewBox().setXRange(699_900, 700_100, padding=0)
    assert 200 <= len(drawn.xData) <= 210
    assert drawn.xData[int(np.argmax(drawn.yData))] == 700_001


TESTED = (
    Baseline("loss", 0.4, "same as last row"),
    Baseline("loss", 1.0, "always the mean"),
    Baseline("test_loss", 1.2, "same as last row"),
    Baseline("test_loss", 40.0, "always the mean"),
)


def with_test_part(store: Store, baselines: tuple[Baseline, ...] = TESTED) -> None:
    steps, tested = np.arange(1, 201), np.arange(25, 201, 25)
    curves = {(model, "loss"): MetricCurve(steps, np.full(200, 0.5 + 0.1 * model)) for model in range(2)}
    for model in range(2):
        curves[model, "test_loss"] = MetricCurve(tested, np.full(8, 0.8 + 0.1 * model))
        curves[model, "skill"] = MetricCurve(tested, np.full(8, 0.25 + 0.1 * model))
        curves[model, "lag"] = MetricCurve(tested, np.full(8, 1.0))
    task = store.state.run.task
    assert task is not None
    task = replace(task, metrics=("loss", "test_loss", "skill", "lag"), baselines=baselines)
    store.change(recorded=setting(history=History(curves, np.array([0, 200]), 200)), run=setting(task=task))


def test_where_there_is_a_test_part_both_losses_are_in_one_picture(panel: TrainingPanel, store: Store) -> None:
    assert [curve.dotted for curve in panel.curves] == [False, False]
    assert not panel.legend.isVisible()
    with_test_part(store)
    panel.metric_choice.set_value("loss")
    panel.metric_choice.activated.emit(0)
    assert [(curve.dotted, curve.end) for curve in panel.curves] == [
        (False, pytest.approx(0.5)),
        (False, pytest.approx(0.6)),
        (True, pytest.approx(0.8)),
        (True, pytest.approx(0.9)),
    ]
    assert panel.legend.isVisible()
    text = panel.tooltip(panel.plot.width() / 2)
    assert "LSTM: 0.60, validation 0.90, skill 0.35, lag 1.00" in text
    assert "validation, always the mean: 40.0" in text
    panel.metric_choice.set_value("test_loss")
    panel.metric_choice.activated.emit(1)
    assert [(curve.dotted, curve.end) for curve in panel.curves] == [
        (False, pytest.approx(0.8)),
        (False, pytest.approx(0.9)),
    ]
    assert {label.text for label in panel.names.labels} == {"Vanilla", "LSTM", "same as last row"}


def test_a_ring_marks_the_best_validation_of_each_model(panel: TrainingPanel, store: Store) -> None:
    with_test_part(store)
    curves = dict(store.state.recorded.history.curves)
    steps = np.arange(25, 200, 25)
    losses = {0: [0.9, 0.5, np.nan, 0.3, 0.3, 0.6, 0.7], 1: [0.8, 0.2, 0.4, 0.5, 0.6, np.inf, 0.2]}
    for model, values in losses.items():
        curves[model, "test_loss"] = MetricCurve(steps, np.array(values))
        curves[model, "test_accuracy"] = MetricCurve(steps, 1 - np.array(values))
        curves[model, "accuracy"] = curves[model, "loss"]
    store.change(recorded=setting(history=History(curves, np.array([0, 200]), 200)))
    panel._draw(store.state)
    for log in (False, True):
        panel.choose_curves("loss", log=log)
        assert [curve.best for curve in panel.curves] == [None, None, (100, 0.3), (50, 0.2)]
        heights = [curve._ring.getData()[1][0] for curve in panel.curves[2:]]
        assert heights == pytest.approx(np.log10([0.3, 0.2]) if log else [0.3, 0.2])
    words = panel.tooltip(10)
    assert "Vanilla, best validation loss: 0.30 at 100" in words
    assert "LSTM, best validation loss: 0.20 at 50" in words
    panel.choose_curves("test_accuracy")
    assert [curve.best for curve in panel.curves] == [(100, 0.7), (50, 0.8)]
    assert "LSTM, best validation accuracy: 0.80 at 50" in panel.tooltip(10)
    panel.choose_curves("skill")
    assert [curve.best for curve in panel.curves] == [None, None]


def test_each_part_has_its_own_baselines_and_the_best_of_each_is_always_named(
    panel: TrainingPanel, store: Store
) -> None:
    with_test_part(store)
    drawn = sorted(float(line.value()) for line in panel._bases)
    assert drawn == [0.4, 1.0, 1.2]  # one of 40 would leave nothing of the curves
    assert [line.pen.style() for line in panel._bases] == [
        Qt.PenStyle.DashLine,
        Qt.PenStyle.DashLine,
        Qt.PenStyle.DotLine,
    ]
    assert panel.plot.viewRange()[1][1] < 2
    heights = {label.text: label.y for label in panel.names.labels}
    assert {"same as last row", "validation: same as last row"} <= set(heights)
    assert heights["validation: same as last row"] < heights["Vanilla"] < heights["same as last row"]
    panel.resize(900, 400)
    QApplication.processEvents()
    assert "always the mean" in {label.text for label in panel.names.labels}
    panel.log.setChecked(True)
    assert sorted(float(line.value()) for line in panel._bases)[0] == pytest.approx(np.log10(0.4))


def test_the_scrubbers_ticks_stand_at_the_captures_in_a_zoomed_range(qtbot: QtBot) -> None:
    scrubber = Scrubber()
    qtbot.addWidget(scrubber)
    scrubber.set_theme(theme("dark"))
    scrubber.resize(501, scrubber.sizeHint().height())
    scrubber.set_range(400.0, 500.0)
    scrubber.set_training_step(300)  # the handle is out of sight
    image: list[QImage] = []
    for captured in ((), (40, 410, 455, 490, 600)):
        scrubber.set_captured(np.array(captured, np.int64))
        image.append(scrubber.grab().toImage())
    without, with_ticks = image
    differing = {x for x in range(501) if any(without.pixel(x, y) != with_ticks.pixel(x, y) for y in range(40))}
    assert differing == {50, 274, 450}  # of 0…500, on even pixels


def test_without_a_training_it_is_one_line_that_says_so_and_as_high_as_before_with_one(
    store: Store, qtbot: QtBot
) -> None:
    window = QMainWindow()
    qtbot.addWidget(window)
    panel, dock = TrainingPanel(store), QDockWidget()
    dock.setWidget(panel)
    window.setCentralWidget(QWidget())
    window.addDockWidget(Qt.DockWidgetArea.BottomDockWidgetArea, dock)
    window.resize(900, 700)
    window.show()
    window.resizeDocks([dock], [230], Qt.Orientation.Vertical)
    qtbot.waitUntil(lambda: 190 < panel.height() < 240)
    high, source = panel.height(), store.state.run.source
    store.change(run=setting(source=Given("net.pt"), path=Path("net.rnnviz")))
    qtbot.waitUntil(lambda: panel.height() <= 40)
    assert panel.nothing.isVisible()
    assert not panel.plot.isVisible()
    store.change(run=setting(source=source, path=Path("other.rnnviz")))
    qtbot.waitUntil(lambda: abs(panel.height() - high) <= 2)
    qtbot.waitUntil(lambda: panel.minimumHeight() < high)  # it may be made lower again
