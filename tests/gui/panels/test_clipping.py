"""What the clip norm made of the update at the cursor: in the table, in its equation and beside the curve."""

from dataclasses import replace

import numpy as np
import pytest
from panels_state import make_history
from pytestqt.qtbot import QtBot

from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.numbers import short
from rnnviz.core.optimising.optimisers import Momentum
from rnnviz.core.source import Trained
from rnnviz.core.tasks import Parity
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equations import EquationsPanel
from rnnviz.gui.cursor.values import ValuesPanel
from rnnviz.gui.state.clipping import clip_changes, clipping
from rnnviz.gui.state.run import History, MetricCurve
from rnnviz.gui.state.store import Store, setting
from rnnviz.gui.training.training_panel import TrainingPanel
from rnnviz.runs.file.records import Event

NORMS = {743: (3.2, 0.4), 742: (0.8, 7.0), 1000: (2.0, 9.0)}  # of both models, by training step
CHANGES = (
    Event(4, 500, "setting", "…", {"clip_norm": [1.0, 0.5]}),
    Event(5, 742, "setting", "…", {"clip_norm": [0.5, 0.25]}),
    Event(6, 800, "setting", "…", {}),
    Event(7, 900, "setting", "…", {"clip_norm": [0.25, 0.0]}),
)


@pytest.fixture
def store(store: Store) -> Store:
    """Stopped at training step 742, its norms as above, the clip norm changed along the way."""
    history = make_history()
    curves = dict(history.curves)
    for model in range(2):
        norms = np.full(1000, 0.1)
        for step, values in NORMS.items():
            norms[step - 1] = values[model]
        curves[model, "grad_norm"] = MetricCurve(np.arange(1, 1001), norms)
    training = TrainingSettings(clip_norm=0.75, optimiser="sgd")
    store.change(
        run=setting(source=Trained(replace(first_lesson(), training=training))),
        recorded=setting(history=History(curves, history.captured, 1000), clip_changes=clip_changes(CHANGES)),
        place=setting(cursor=Cursor(742, Phase.UPDATE, 1)),
    )
    return store


def test_the_clip_norm_is_the_one_of_that_training_step(store: Store) -> None:
    found = [clipping(store.state, 0, step) for step in (743, 742, 501, 500, 3, 901)]
    assert [one.clip_norm for one in found if one is not None] == [0.25, 0.5, 0.5, 1.0, 1.0, 0.0]
    store.change(recorded=setting(clip_changes=()))
    unchanged = clipping(store.state, 1, 3)
    assert unchanged is not None
    assert unchanged.clip_norm == 0.75
    store.change(place=setting(cursor=Cursor(1000, Phase.UPDATE, 1)))  # the next one is not made yet
    newest = clipping(store.state, 1)
    assert newest is not None
    assert (newest.training_step, newest.norm) == (1000, 9.0)
    store.change(recorded=setting(history=History()))
    assert clipping(store.state, 1) is None


def test_the_table_has_both_norms_and_the_factor(store: Store, qtbot: QtBot) -> None:
    panel = ValuesPanel(store)
    qtbot.addWidget(panel)

    def row(key: str) -> tuple[str | None, ...]:
        return panel.table.rows[[row.key for row in panel.rows].index(key)].cells

    assert row("clip:norm") == ("3.20", "0.40")
    assert row("clip:factor") == (short(0.25 / 3.2), short(0.25 / 0.4))
    assert row("clip:clipped") == ("0.25", "0.25")
    tooltip = panel.tooltip([row.key for row in panel.rows].index("clip:norm"))
    assert (
        "training step 743, its batch: ‖g‖ 3.20 before clipping, × 0.08 = ‖g̃‖ 0.25 after it; clip norm 0.25" in tooltip
    )
    store.change(recorded=setting(history=History()), place=setting(cursor=Cursor(0, Phase.UPDATE, 1)))
    assert not any(row.key.startswith("clip") for row in panel.rows)


def test_the_equation_of_the_update_begins_with_the_clip(store: Store, qtbot: QtBot) -> None:
    panel = EquationsPanel(store)
    qtbot.addWidget(panel)
    assert panel.view.text.split("\n") == [
        "g̃ = ∂L/∂W · min(1, θ / (‖g‖ + 10⁻⁶))",
        "training step 743, its batch: ‖g‖ 3.20 before clipping, × 0.08 = ‖g̃‖ 0.25 after it; clip norm 0.25",
        "W ← W − η g̃",
    ]
    store.change(place=setting(cursor=Cursor(999, Phase.UPDATE, 1), model=1))
    assert "training step 1,000, its batch: ‖g‖ 9.00; no clip norm is set" in panel.view.text
    store.change(place=setting(cursor=Cursor(600, Phase.UPDATE, 1)))
    assert "‖g‖ 0.10, not above the clip norm 0.5: not clipped" in panel.view.text
    more = TrainingSettings("momentum", clip_value=0.03, gradient_noise=0.2, own=Momentum(0.1, 0.7, 0.01))
    store.change(run=setting(source=Trained(replace(first_lesson(), training=more))))
    assert panel.view.text.split("\n")[1:] == [
        "training step 601, its batch: ‖g‖ 0.10, not above the clip norm 0.5: not clipped; then each entry is kept "
        "within ±0.03",
        "g̃ ← max(−θ_v, min(θ_v, g̃))",
        "g̃ ← g̃ + σ_s ξ_s",
        "b ← μ b + (g̃ + λ W), W ← W − η b",
    ]


def test_the_curve_says_what_its_loss_is(store: Store, qtbot: QtBot) -> None:
    panel = TrainingPanel(store)
    qtbot.addWidget(panel)
    panel.metric_choice.set_value("loss")
    panel.metric_choice.chosen.emit("loss")
    assert "Loss: cross entropy, mean over the sequences of a batch\n" in panel.tooltip(300)
    experiment = store.state.run.experiment
    assert experiment is not None
    often = replace(experiment, task=Parity())
    for training, words in (
        (often.training, "cross entropy, mean over the time steps and sequences of a batch"),
        (
            replace(often.training, loss="binary cross-entropy", reduction="sum"),
            "binary cross-entropy, sum over the time steps, mean over the sequences of a batch",
        ),
    ):
        store.change(run=setting(source=Trained(replace(often, training=training))))
        assert f"Loss: {words}\n" in panel.tooltip(300)


def test_the_curve_has_the_clip_norm_as_a_line_and_says_what_it_made(store: Store, qtbot: QtBot) -> None:
    panel = TrainingPanel(store)
    qtbot.addWidget(panel)
    panel.resize(900, 168)
    panel.show()
    panel.metric_choice.set_value("grad_norm")
    panel.metric_choice.chosen.emit("grad_norm")
    assert "clip norm 0.75" in [label.text for label in panel.names.labels]
    low, high = panel._view.viewRange()[0]
    words = panel.tooltip((743 - low) / (high - low) * panel.plot.width())
    assert "× 0.08 = ‖g̃‖ 0.25 after it; clip norm 0.25" in words
    assert "‖g‖ 0.40 before clipping" in words
