"""The window of several seeds: what is drawn is what the runs hold, each seed is opened, every state is said."""

import itertools
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot
from seed_folders import accuracies, experiment, write_folder, write_run

from rnnviz.gui.look.theme import theme
from rnnviz.gui.seeds.seed_table import FINAL, SEED, SETTING, SOLVED
from rnnviz.gui.seeds.seeds_reading import SeedsReading
from rnnviz.gui.seeds.seeds_window import SeedsWindow
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting
from rnnviz.gui.state.window import Appearance
from rnnviz.runs.file.process import WriterProcess, own_process
from rnnviz.runs.seeds.folder import begin, claim, finish, seed_runs
from rnnviz.runs.seeds.index import NAME, Refusal, read_index, write_index

OpenSeeds = Callable[..., SeedsWindow]

KEY = Qt.Key


def rows(window: SeedsWindow) -> list[list[str]]:
    return [
        [str(window.sorted.index(row, column).data()) for column in range(4)] for row in range(window.sorted.rowCount())
    ]


def _marked(window: SeedsWindow) -> list[float]:
    """The values of the line of the one seed that is drawn, each once."""
    values = window.plot._marked_line.yData
    return [] if values is None else sorted({round(float(value), 6) for value in values})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three seeds of two settings; the LSTM is solved with two of them."""
    path = tmp_path / "three"
    write_folder(path, [experiment()], (2, 3, 9), lambda run, model: 10 * run.seed if model and run.seed < 9 else None)
    return path


def test_the_bands_and_the_rows_are_those_of_the_runs(folder: Path, open_seeds: OpenSeeds) -> None:
    window = open_seeds(folder)
    assert window.title.text() == "Adding · 3 seeds"
    assert window.criterion.text() == "solved: accuracy ≥ 0.99, mean of 5 training steps"
    assert window.state.text() == "3 runs trained"
    assert rows(window) == [
        ["Vanilla", "2", "0.27", "not solved"],
        ["Vanilla", "3", "0.28", "not solved"],
        ["Vanilla", "9", "0.34", "not solved"],
        ["LSTM", "2", "1.00", "✓ 24"],
        ["LSTM", "3", "1.00", "✓ 34"],
        ["LSTM", "9", "0.34", "not solved"],
    ]
    assert window.legend.lines == (
        ("Vanilla", "0 of 3 solved", "median accuracy 0.28, 10–90 %: 0.27 to 0.33"),
        ("LSTM", "2 of 3 solved", "median accuracy 1.00, 10–90 %: 0.47 to 1.00"),
    )
    assert [label.text for label in window.plot.names.labels] == ["Vanilla 0 of 3", "LSTM 2 of 3", "seed 2", "solved"]
    values = np.stack([accuracies(seed, 60, 10 * seed if seed < 9 else None)["accuracy"] for seed in (2, 3, 9)])
    means = np.stack([[row[max(0, at - 4) : at + 1].mean() for at in range(60)] for row in values])
    band = window.plot.bands[1]
    np.testing.assert_array_equal(band.training_steps, np.arange(1, 61))
    np.testing.assert_allclose(
        np.stack([band.low, band.median, band.high]), np.percentile(means, (10, 50, 90), axis=0), rtol=1e-12
    )


def test_another_metric_is_drawn_and_the_solved_line_goes(folder: Path, open_seeds: OpenSeeds, qtbot: QtBot) -> None:
    window = open_seeds(folder)
    assert [window.metric_choice.itemData(place) for place in range(2)] == ["loss", "accuracy"]
    assert window.metric_choice.currentData() == "accuracy"
    window.metric_choice.chosen.emit("loss")
    qtbot.waitUntil(lambda: window.shown is not None and window.shown.metric == "loss")
    losses = np.stack([accuracies(seed, 60, None)["loss"] for seed in (2, 3, 9)])
    np.testing.assert_allclose(window.plot.bands[0].median[-1], np.median(losses[:, -5:].mean(axis=1)))
    assert [label.text for label in window.plot.names.labels] == ["Vanilla 0 of 3", "LSTM 2 of 3", "seed 2"]
    assert rows(window)[3][2] == "1.00"  # what is judged stays
    window.log.click()
    drawn = window.plot._items[-1].yData
    np.testing.assert_allclose(drawn, np.log10(window.plot.bands[1].median))


def test_rows_are_sorted_by_their_numbers(folder: Path, open_seeds: OpenSeeds) -> None:
    window = open_seeds(folder)
    window.view.sortByColumn(SOLVED, Qt.SortOrder.AscendingOrder)
    assert [row[SOLVED] for row in rows(window)][:3] == ["✓ 24", "✓ 34", "not solved"]
    window.view.sortByColumn(FINAL, Qt.SortOrder.DescendingOrder)
    assert [row[FINAL] for row in rows(window)] == ["1.00", "1.00", "0.34", "0.34", "0.28", "0.27"]
    window.view.sortByColumn(SEED, Qt.SortOrder.DescendingOrder)
    assert {row[SETTING] for row in rows(window)[:2]} == {"Vanilla", "LSTM"}


def test_enter_and_a_click_open_the_run_of_a_seed(folder: Path, open_seeds: OpenSeeds) -> None:
    window = open_seeds(folder)
    wanted: list[Path] = []
    window.open_wanted.connect(wanted.append)
    assert window.view.hasFocus()
    QTest.keyClick(window.view, KEY.Key_Down)
    QTest.keyClick(window.view, KEY.Key_Return)
    assert [path.name for path in wanted] == ["adding-seed-3.rnnviz"]
    box = window.view.visualRect(window.sorted.index(5, SEED))
    QTest.mouseClick(window.view.viewport(), Qt.MouseButton.LeftButton, pos=box.center())
    assert wanted[-1].name == "adding-seed-9.rnnviz"
    window.open_button.click()
    assert len(wanted) == 3
    assert window.isVisible()
    assert window.said.text() == "adding-seed-9.rnnviz is in the window: LSTM, seed 9."


def test_a_click_on_a_curve_opens_its_seed_and_pointing_at_it_draws_its_line(
    folder: Path, open_seeds: OpenSeeds, qtbot: QtBot
) -> None:
    window = open_seeds(folder)
    wanted: list[Path] = []
    window.open_wanted.connect(wanted.append)
    view, viewport = window.plot._view, window.plot.plot.viewport()
    aside = itertools.cycle((QPoint(0, 0), QPoint(1, 0)))  # pyqtgraph leaves out a move that follows another at once

    def place() -> QPoint:
        """Where seed 9 is at training step 50, once the window is laid out."""
        return window.plot.plot.mapFromScene(view.mapViewToScene(QPointF(50.0, 0.34)))

    def pointed() -> bool:
        QTest.mouseMove(viewport, place() + next(aside))
        return _marked(window) == [0.34]

    qtbot.waitUntil(pointed)
    assert "seed 9" in window.plot.tooltip(place())
    assert "10–90 %" in window.plot.tooltip(place())
    QTest.mouseClick(viewport, Qt.MouseButton.LeftButton, pos=place())
    qtbot.waitUntil(lambda: len(wanted) == 1)
    assert wanted[0].name == "adding-seed-9.rnnviz"
    assert not window.plot.tooltip(QPoint(-500, 5)).count("seed 9")


def test_the_line_of_the_selected_seed_is_drawn_and_that_of_each_on_request(
    folder: Path, open_seeds: OpenSeeds
) -> None:
    window = open_seeds(folder)
    window.view.selectRow(3)
    assert _marked(window)[-1] == 1.0
    before = len(window.plot._items)
    window.each.click()
    assert len(window.plot._items) == before + 6


def test_one_seed_is_no_band(tmp_path: Path, open_seeds: OpenSeeds) -> None:
    write_folder(tmp_path / "one", [experiment()], (4,), lambda run, model: 9)
    window = open_seeds(tmp_path / "one")
    assert window.title.text() == "Adding · 1 seed"
    assert window.legend.lines[0] == ("Vanilla", "1 of 1 solved", "accuracy 1.00, one seed: no band")
    assert np.isnan(window.plot.bands[0].low).all()
    assert np.isfinite(window.plot.bands[0].median).all()
    place = window.plot.plot.mapFromScene(window.plot._view.sceneBoundingRect().center())
    assert "(one seed: no band)" in window.plot.tooltip(place)


def test_waiting_half_done_failed_and_foreign_seeds_are_said_and_not_opened(
    tmp_path: Path, open_seeds: OpenSeeds
) -> None:
    index = begin(tmp_path, [experiment()], (1, 2, 3, 4, 5, 6), "accuracy >= 0.99 over 5")
    runs = seed_runs(tmp_path, index)
    write_run(index, runs[0], [accuracies(1, 60, 3)] * 2)
    write_run(index, runs[1], [accuracies(2, 20, 3)] * 2, "stopped")
    broken = accuracies(3, 30, None) | {"loss": np.full(30, math.nan)}
    write_run(index, runs[2], [broken] * 2, "failed", "The loss of LSTM is NaN.")
    finish(tmp_path, [Refusal(runs[3].path.name, "No memory.")])
    runs[4].path.write_text("a letter")
    window = open_seeds(tmp_path)
    assert [row[SOLVED] for row in rows(window)][:6] == [
        "✓ 7",
        "interrupted at 20",
        "failed at 30",
        "failed",
        "another file",
        "waiting",
    ]
    assert window.legend.lines[0][1] == "1 of 3 solved so far, 2 failed"
    assert window.state.text() == "3 of 6 runs trained, 55 %"
    assert window.train_button.isVisible()
    assert not window.progress.isVisible()
    tip = window.sorted.index(2, SEED).data(Qt.ItemDataRole.ToolTipRole)
    assert "The loss of LSTM is NaN." in tip
    wanted: list[Path] = []
    window.open_wanted.connect(wanted.append)
    for row, opens in ((4, False), (5, False), (1, True), (2, True)):
        window.view.selectRow(row)
        assert window.open_button.isEnabled() == opens
        QTest.keyClick(window.view, KEY.Key_Return)
        assert len(wanted) == {4: 0, 5: 0, 1: 1, 2: 2}[row]
    asked: list[bool] = []
    window.train_wanted.connect(lambda: asked.append(True))
    window.train_button.click()
    assert asked == [True]


def test_a_folder_of_which_nothing_is_trained_yet(tmp_path: Path, open_seeds: OpenSeeds) -> None:
    begin(tmp_path, [experiment()], (1, 2))
    window = open_seeds(tmp_path)
    assert window.legend.lines[0] == ("Vanilla", "no seed has ended yet", "")
    assert window.state.text() == "0 of 2 runs trained, 0 %"
    assert not window.open_button.isEnabled()
    assert not any(len(band.median) for band in window.plot.bands)
    assert window.metric_choice.currentData() == "accuracy"


def test_while_many_runs_are_read_it_says_how_far(tmp_path: Path, qtbot: QtBot) -> None:
    write_folder(tmp_path, [experiment()], range(1, 7), lambda run, model: None)
    parent = QWidget()
    reading = SeedsReading(tmp_path, parent)
    told: list[tuple[int, int]] = []
    reading.stepped.connect(lambda done, of: told.append((done, of)))
    with qtbot.waitSignal(reading.came):
        reading.look()
    assert told == [(done, 6) for done in range(1, 7)]
    assert reading.stop()
    parent.deleteLater()


def test_it_is_live_while_somebody_trains_the_folder(tmp_path: Path, open_seeds: OpenSeeds, qtbot: QtBot) -> None:
    index = begin(tmp_path, [experiment()], (1, 2), "accuracy >= 0.99 over 5")
    claim(tmp_path, index)
    window = open_seeds(tmp_path)
    assert window.progress.isVisible()
    assert not window.train_button.isVisible()
    assert f"by process {own_process().number}" in window.state.text()
    window.view.selectRow(1)
    runs = seed_runs(tmp_path, index)
    write_run(index, runs[0], [accuracies(1, 60, 3)] * 2)
    qtbot.waitUntil(lambda: rows(window)[0][SOLVED] == "✓ 7")
    assert window.view.currentIndex().row() == 1  # what was selected stays
    assert window.progress.value() == 500
    write_run(index, runs[1], [accuracies(2, 60, None)] * 2)
    finish(tmp_path)
    qtbot.waitUntil(lambda: window.legend.lines[0][1] == "1 of 2 solved" and not window.progress.isVisible())


def test_what_this_program_trains_can_be_cancelled(tmp_path: Path, open_seeds: OpenSeeds) -> None:
    begin(tmp_path, [experiment()], (1, 2))
    ours = [True]
    window = open_seeds(tmp_path, ours=lambda: ours[0])
    asked: list[bool] = []
    window.cancel_wanted.connect(lambda: asked.append(True))
    window.cancel_button.click()
    assert asked == [True]
    ours[0] = False
    window.tell("It was ended.")
    assert not window.cancel_button.isVisible()
    assert window.train_button.isVisible()


def test_a_folder_that_goes_bad_is_said(folder: Path, open_seeds: OpenSeeds, qtbot: QtBot) -> None:
    window = open_seeds(folder)
    good = (folder / NAME).read_text()
    (folder / NAME).write_text("seeds = ")
    qtbot.waitUntil(lambda: "is not TOML" in window.said.text())
    assert window.said.property("role") == "problem"
    (folder / NAME).write_text(good)
    write_index(folder, replace(read_index(folder), seeds=(2, 3, 9, 11)))
    qtbot.waitUntil(lambda: len(rows(window)) == 8)


@pytest.mark.parametrize("name", ["dark", "light"])
def test_the_lines_are_drawn_in_the_colours_of_their_models(folder: Path, open_seeds: OpenSeeds, name: str) -> None:
    window, look = open_seeds(folder, State(look=Appearance(theme=name))), theme(name)  # type: ignore[arg-type]
    colors = look.model_colors(["vanilla", "lstm"])
    assert [pens.color for pens in window.plot._pens] == list(colors)
    image = window.plot.plot.grab().toImage()
    seen = {image.pixelColor(x, y).name() for x in range(image.width()) for y in range(image.height())}
    assert {colors[0].name(), colors[1].name(), look.panel} <= seen
    other = "light" if name == "dark" else "dark"
    window._store.change(look=setting(theme=other))
    assert [pens.color for pens in window.plot._pens] == list(theme(other).model_colors(["vanilla", "lstm"]))  # type: ignore[arg-type]


def test_settings_of_several_experiments_are_named_apart(tmp_path: Path, open_seeds: OpenSeeds) -> None:
    experiments = [experiment(), experiment("Longer", steps=90)]
    write_folder(tmp_path, experiments, (1, 2), lambda run, model: 5 if run.experiment else None)
    window = open_seeds(tmp_path)
    assert window.title.text() == "Adding and Longer · 2 seeds"
    assert [line[:2] for line in window.legend.lines] == [
        ("Adding · Vanilla", "0 of 2 solved"),
        ("Adding · LSTM", "0 of 2 solved"),
        ("Longer · Vanilla", "2 of 2 solved"),
        ("Longer · LSTM", "2 of 2 solved"),
    ]
    assert [band.training_steps[-1] for band in window.plot.bands] == [60, 60, 90, 90]


def test_a_trainer_elsewhere_is_believed(tmp_path: Path, open_seeds: OpenSeeds) -> None:
    index = begin(tmp_path, [experiment()], (1,))
    write_index(tmp_path, replace(index, trainer=WriterProcess(77, 0, "elsewhere")))
    assert "by process 77" in open_seeds(tmp_path).state.text()
