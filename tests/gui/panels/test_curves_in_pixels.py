"""Training curves in pixels: each model's own numbers, at the height and training step that the axes say."""

from typing import Any

import numpy as np
import pytest
from drawn_by_items import number
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from rnnviz.gui.look.theme import theme
from rnnviz.gui.state.store import Store
from rnnviz.gui.training.margin_labels import MarginLabel, MarginLabels
from rnnviz.gui.training.training_panel import TrainingPanel

LOOK = theme("dark")


def expect_ink(image: QImage, heights: list[float]) -> None:
    """Something is written around each height, and its middle lies there."""
    ground = image.pixelColor(0, 0)
    rows = [
        y
        for y in range(image.height())
        for x in range(image.width() - 30, image.width())
        if image.pixelColor(x, y) != ground
    ]
    for height in heights:
        if 8 < height < image.height() - 8:  # else it is moved in
            near = [y for y in rows if abs(y - height) < 8]
            assert abs(np.mean(near) - height) < 2.0


@pytest.mark.parametrize("view", [(0, 1000), (303, 372)])
def test_numbers_stand_below_their_training_steps(store: Store, qtbot: QtBot, view: tuple[int, int]) -> None:
    panel = TrainingPanel(store)
    qtbot.addWidget(panel)
    panel.resize(900, 200)
    with qtbot.waitExposed(panel):
        panel.show()
    plot: Any = panel.plot
    plot.getPlotItem().getViewBox().setXRange(*view, padding=0)
    image, (low, high) = panel.scrubber.grab().toImage(), view
    ground = image.pixelColor(2, image.height() - 1)

    def written(training_step: int) -> bool:
        x = round((training_step - low) / (high - low) * image.width())
        rows, columns = range(30, 38), range(max(x - 6, 0), min(x + 7, image.width()))
        return any(image.pixelColor(column, row) != ground for column in columns for row in rows)

    apart = 20 if high - low < 100 else 200
    numbers = [step for step in range(0, high + 1, apart) if step > low]
    assert len(numbers) >= 3
    for step in numbers:
        assert written(step)
        assert not written(step - apart // 2)


@pytest.mark.parametrize("log", [False, True])
@pytest.mark.parametrize("metric", ["loss", "accuracy", "grad_norm"])
def test_each_curve_is_its_models_at_the_height_the_axis_says(
    store: Store, qtbot: QtBot, metric: str, log: bool
) -> None:
    panel = TrainingPanel(store)
    qtbot.addWidget(panel)
    panel.resize(900, 200)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.log.setChecked(log)
    panel.metric_choice.set_value(metric)
    panel.metric_choice.activated.emit(panel.metric_choice.currentIndex())
    colors = LOOK.model_colors(model.structure.cell for model in store.state.run.models)
    plot: Any = panel.plot
    (_, _), (lowest, highest) = plot.viewRange()

    def y_of(value: float) -> float:
        return (highest - value) / (highest - lowest) * plot.height()

    labels = {label.text: label for label in panel.names.labels}
    first, last = 303, 372
    plot.getPlotItem().getViewBox().setXRange(first, last, padding=0)
    for n, (curve, color) in enumerate(zip(panel.curves, colors, strict=True)):
        recorded = store.state.recorded.history.curves[n, metric]
        steps, values = recorded.training_steps, np.asarray(recorded.values, np.float64)
        raw, mean = curve._raw, curve._mean
        inside = (steps >= first - 1) & (steps <= last + 1)
        drawn, places = np.unique(raw.xData, return_index=True)
        np.testing.assert_array_equal(drawn, steps[inside])
        np.testing.assert_allclose(raw.yData[places], np.log10(values[inside]) if log else values[inside])
        assert (raw.opts["pen"].color().name(), mean.opts["pen"].color().name()) == (color.name(), color.name())
        half = len(values) // 160
        for x, y in zip(mean.xData[20:-20:50], mean.yData[20:-20:50], strict=True):
            around = values[(steps >= x - half) & (steps <= x + half)].mean()
            assert y == pytest.approx(np.log10(around) if log else around)
        name = labels[store.state.run.models[n].name]
        ending = values[-1 - half :].mean()
        assert name.y == pytest.approx(y_of(np.log10(ending) if log else ending))
        assert name.color == color
    expect_ink(panel.values.grab().toImage(), [label.y for label in panel.values.labels])
    for label in panel.values.labels:
        value = number(label.text)
        assert label.y == pytest.approx(y_of(np.log10(value) if log else value))
    assert len(panel.values.labels) >= 2
    assert store.state.run.task is not None
    for baseline in store.state.run.task.baselines:
        if baseline.metric == metric:
            height = np.log10(baseline.value) if log else baseline.value
            assert labels[baseline.label].y == pytest.approx(y_of(height))
            assert any(line.value() == pytest.approx(height) for line in panel._bases)


@pytest.mark.parametrize("left", [False, True])
def test_a_label_at_or_beyond_an_end_is_written_whole(qtbot: QtBot, left: bool) -> None:
    labels = MarginLabels(left)
    qtbot.addWidget(labels)
    labels.resize(90, 120)
    ink = []
    for height in (60.0, -3.0, 119.0, 400.0):
        labels.set_labels([MarginLabel(height, "LSTM", LOOK.color("text"))])
        image = labels.grab().toImage()
        ground = image.pixelColor(image.width() // 2, 90 if height < 60 else 30)
        written = [(x, y) for x in range(90) for y in range(120) if image.pixelColor(x, y) != ground]
        rows = [y for _, y in written]
        ink.append((max(rows) - min(rows), len({x for x, _ in written})))
    assert len(set(ink)) == 1


@pytest.mark.parametrize(
    ("texts", "needed"),
    [
        (("LSTM",), 14),
        (("LSTM", "GRU"), 33),
        (("LSTM", "GRU", "tanh", "ReLU"), 71),
        (("same as the last value", "GRU"), 47),
    ],
)
def test_labels_have_room_where_their_lines_and_what_is_between_them_fit(
    qtbot: QtBot, texts: tuple[str, ...], needed: int
) -> None:
    labels = MarginLabels(False)
    qtbot.addWidget(labels)
    wanted = [MarginLabel(20.0, text, LOOK.color("text"), strong=True) for text in texts]
    for height in (needed - 1, needed):
        labels.resize(110, height)
        assert labels.has_room_for(wanted) == (height == needed)
