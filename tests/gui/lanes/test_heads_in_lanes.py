"""Lanes of classes learnt with other losses: what is drawn are the head's probabilities, or what it predicts."""

import numpy as np
import pytest
from held_by_lanes import lanes_of
from open_lanes import open_lanes
from pytestqt.qtbot import QtBot
from traced_states import traced_state, with_heads

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import LossName
from rnnviz.gui.canvas.lanes.head.class_probabilities import ClassProbabilitiesLane
from rnnviz.gui.canvas.lanes.head.loss import LossLane
from rnnviz.gui.canvas.lanes.head.next_symbols import NextSymbolsLane
from rnnviz.gui.state.looked_at import looked_at

PAIR = (Structure("lstm", 1, 5), Structure("gru", 1, 6))


@pytest.mark.parametrize("loss", ["binary cross-entropy", "mean squared error"])
def test_the_class_that_is_wanted_is_found_in_one_hot_targets(qtbot: QtBot, loss: LossName) -> None:
    state = with_heads(traced_state("symbols", PAIR), loss, "max").state
    stack, _ = open_lanes(qtbot, state)
    lanes = [lane for lane in lanes_of(stack) if isinstance(lane, ClassProbabilitiesLane)]
    assert len(lanes) == 2
    for number, lane in enumerate(lanes):
        sequence = looked_at(state, number).sequence
        assert sequence is not None
        head = sequence.head
        assert head is not None
        last = len(head.losses) - 1
        target = int(np.argmax(head.targets[last, 0]))
        score = head.prediction if loss == "mean squared error" else 1 / (1 + np.exp(-head.prediction))
        hit = int(np.argmax(score[last, 0])) == target
        said = lane.label.subtitle if hit else lane.label.note
        assert said.startswith(f"{('XX', 'XY', 'YX', 'YY')[target]}: {short(float(score[last, 0, target]))}, ")
        assert said.endswith("right" if hit else "wrong")


def test_the_next_symbols_are_counted(qtbot: QtBot) -> None:
    state = with_heads(traced_state("characters", PAIR), "mean squared error").state
    stack, _ = open_lanes(qtbot, state)
    lanes = [lane for lane in lanes_of(stack) if isinstance(lane, NextSymbolsLane)]
    for number, lane in enumerate(lanes):
        sequence = looked_at(state, number).sequence
        assert sequence is not None
        head = sequence.head
        assert head is not None
        right = (head.prediction[:, 0].argmax(axis=-1) == head.targets[:, 0].argmax(axis=-1))[
            head.loss_weight[:, 0] > 0
        ]
        assert lane.label.subtitle == f"top 3, {right.sum()} of {right.size} right"
    (loss,) = (lane for lane in lanes_of(stack) if isinstance(lane, LossLane))
    assert loss.label.words.startswith("Loss, squared error: L = Σₜ Lₜ")
