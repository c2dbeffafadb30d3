"""Heads that pool over time and losses of one-hot classes, in the network view and beside it: what is drawn and
written is the trace's."""

from dataclasses import replace

import numpy as np
import pytest
from open_network import at, open_network
from pytestqt.qtbot import QtBot
from traced_states import TRAINING_STEP, traced_state, with_heads

from rnnviz.core.numbers import short
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import LossName, Pooling
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.network.drawing import Line, Text
from rnnviz.gui.state.looked_at import looked_at
from rnnviz.gui.state.state import State
from rnnviz.gui.state.store import setting

PAIR = (Structure("lstm", 1, 5), Structure("gru", 1, 6, bidirectional=True))
LAST = 13  # time step at which the first sequence is asked
HEADS = [("cross entropy", "mean"), ("cross entropy", "max"), ("mean squared error", "max"),
         ("binary cross-entropy", "mean"), ("mean squared error", "last")]  # fmt: skip


def pooled(loss: LossName, pooling: Pooling, weighs: bool = True) -> State:
    """Two models asked for a class at the end, with such heads."""
    return with_heads(traced_state("symbols", PAIR, gains=(1.1, 1.6)), loss, pooling, weighs).state


def head_of(state: State, model: int) -> HeadTrace:
    sequence = looked_at(state, model).sequence
    assert sequence is not None
    assert sequence.head is not None
    return sequence.head


def size(values: np.ndarray) -> str:
    if values.size == 1:
        return short(float(values.reshape(-1)[0]))
    return short(float(np.linalg.norm(values.astype(np.float64))))


@pytest.mark.parametrize(("loss", "pooling"), HEADS)
@pytest.mark.parametrize("weighs", [True, False])
@pytest.mark.parametrize("model", [0, 1])
def test_inside_the_loss(qtbot: QtBot, loss: LossName, pooling: Pooling, weighs: bool, model: int) -> None:
    cursor = Cursor(TRAINING_STEP, Phase.LOSS, LAST, "l0", "loss")
    state = at(pooled(loss, pooling, weighs), cursor, sample=0, model=model)
    view, _ = open_network(qtbot, state, (1000, 500), level="inside")
    head, texts = head_of(state, model), view.drawing.texts
    assert texts["loss read size"] == size(head.output[LAST - 1, 0])
    forward, backward = forward_operations(head.kind), backward_operations(head.kind)
    for operation in (*forward, *backward):
        if operation.key == "weight_grads" and len(backward) > len(forward):
            continue  # no room
        values = head.value(operation.equations[0].result.name, LAST - 1)
        assert texts[f"loss {operation.key} size"] == size(values), operation.key
    assert ("loss pooling size" in texts) == (pooling != "last")


@pytest.mark.parametrize("pooling", ["mean", "max"])
@pytest.mark.parametrize("phase", [Phase.FORWARD, Phase.BACKWARD])
def test_between_the_cells_and_the_prediction(qtbot: QtBot, pooling: Pooling, phase: Phase) -> None:
    state = at(pooled("cross entropy", pooling), Cursor(TRAINING_STEP, phase, LAST), sample=0)
    view, store = open_network(qtbot, state, (1900, 700))
    words = POOLINGS[pooling].words
    for model in range(2):
        assert view.drawing.texts[f"{model} {LAST} pooling words"] == words
        got = np.linalg.norm(head_of(state, model).output_grad[:, 0].astype(np.float64), axis=-1)
        lines = {t: view.drawing.mark(f"{model} pooling {t}") for t in range(1, LAST + 1)}
        assert all(isinstance(line, Line) for line in lines.values())
        up = {t: line.points[0].y() > line.points[-1].y() for t, line in lines.items()}  # type: ignore[union-attr]
        assert set(up.values()) == {phase is Phase.FORWARD}
        if phase is Phase.BACKWARD and pooling == "max":
            widest = max(lines, key=lambda t: lines[t].width)  # type: ignore[union-attr]
            assert widest == int(np.argmax(got)) + 1
    place = next(one for one in view.drawing.regions if one.target.operation == "pooling" and one.target.model == 1)
    view._go(place.target)  # what a press does
    place_now = store.state.place
    assert (place_now.model, place_now.cursor.phase, place_now.cursor.time_step) == (1, Phase.LOSS, LAST)
    assert place_now.cursor.operation == "pooling"
    store.change(look=setting(level="folded"))
    assert [view.drawing.texts[f"{model} pooling words"] for model in range(2)] == [words] * 2


FIVE = (*PAIR, Structure("vanilla", 1, 6), Structure("mingru", 1, 4), Structure("ssm", 1, 3))


@pytest.mark.parametrize("count", [3, 5])
@pytest.mark.parametrize("level", ["folded", "unrolled"])
def test_a_pooling_without_room_for_its_rail_is_said(qtbot: QtBot, level: str, count: int) -> None:
    traced = traced_state("symbols", FIVE[:count], gains=(1.1, 1.6, 1.2, 1.1, 1.3)[:count])
    state = at(
        with_heads(traced, "cross entropy", "max", True).state, Cursor(TRAINING_STEP, Phase.BACKWARD, 4), sample=0
    )
    view, _ = open_network(qtbot, state, level=level)
    texts = view.drawing.texts
    for model in range(count):
        said = [key for key, words in texts.items() if key.startswith(f"{model} ") and "maximum over time" in words]
        drawn = any(mark.key == f"{model} pooling line" for mark in view.drawing.marks)
        assert bool(said) != drawn, model
        if drawn:  # apart from the loss that stands at its end
            mark, loss = (view.drawing.mark(f"{model} {what}") for what in ("pooling", "loss 0"))
            assert isinstance(mark, Text)
            assert isinstance(loss, Text)
            assert mark.rect.bottom() + 4 < loss.rect.top() or mark.rect.right() + 4 < loss.rect.left()


@pytest.mark.parametrize(("loss", "pooling"), HEADS)
def test_every_operation_of_the_loss_has_its_equations_with_numbers(loss: LossName, pooling: Pooling) -> None:
    state = pooled(loss, pooling)
    sequence = looked_at(state, 1).sequence
    assert sequence is not None
    program = state.walkable.program(replace(state.place, model=1))
    for key in program.loss:
        assert "=" in _said(sequence, key)
    said = _said(sequence, "pooling") + _said(sequence, "output_grad")
    if pooling == "mean":
        assert said.count("of time steps 1 to 13, all alike") == 2
    if pooling == "max":
        head = sequence.head
        assert head is not None
        held = int(np.argmax(head.output[:LAST, 0, 2])) + 1  # of unit 3 of the forward direction
        assert said.count(f"of this unit time step {held} holds the maximum") == 2
        assert short(float(head.pooled[LAST - 1, 0, 2])) in said
    if pooling != "last":
        assert program.loss[0] == "pooling"
        assert {"pooled_grad", "output_grad"} <= set(program.loss)


def _said(sequence: Trace, key: str) -> str:
    lines = equation_lines(sequence, Cursor(TRAINING_STEP, Phase.LOSS, LAST, "l0", key), 2, None)
    return " ".join(word.markup for line in lines for word in line.words)
