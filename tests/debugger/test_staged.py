"""An encoder–decoder with everything around its cells: what there is to step through, to stop at and to update."""

from dataclasses import replace

import numpy as np
import pytest
from several_calls import encoder_decoder
from staged import with_everything

from rnnviz.core.equations.around import AROUND_KEYS
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.expressions.scope import FixedMetrics
from rnnviz.core.stopping.breakpoints import Guard, arm
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.core.stopping.moment import Moment
from rnnviz.core.sweeps.borders.learnt import learnt
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.debugger.breakpoints import points_of
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.goto import go_to
from rnnviz.debugger.places import Walkable, begun, to_operation, to_phase
from rnnviz.debugger.updating import parameter_shown, update_shown, updated_parameters

TRACE = rebuild(with_everything("lstm"))
WALKABLE = Walkable.of((TRACE.network,), (TRACE,), rule=TrainingSettings("sgd").rule)
HERE = begun()
PROGRAM = WALKABLE.program(HERE)


def test_the_operations_of_each_layer_are_those_it_has():
    inside = {row.layer: [key for key in (*row.opening, *row.operations) if key in AROUND_KEYS] for row in PROGRAM.rows}
    assert inside == {
        "l0": ["embedding", "mask"],
        "l0_reverse": ["mask"],
        "l1": ["residual"],
        "l1_reverse": ["residual"],
        "decoder.l0": ["hand-over", "mask"],
        "decoder.l1": ["hand-over", "residual"],
    }
    for number in range(PROGRAM.fine_length):
        cursor = PROGRAM.fine_at(number, HERE.cursor)
        place = to_operation(HERE, WALKABLE, cursor.phase, cursor.layer, cursor.operation)
        assert not cursor.operation or WALKABLE.operation(place).key == cursor.operation
    assert PROGRAM.loss[:5] == ("scores", "attention", "context", "attended", "logits")


def test_they_are_gone_to_and_stopped_at_where_they_are():
    assert go_to("t 4 dropout mask forward", PROGRAM, HERE.cursor) == Cursor(0, Phase.FORWARD, 4, "decoder.l0", "mask")
    assert go_to("hand-over decoder layer 1", PROGRAM, HERE.cursor).operation == "hand-over"
    assert go_to("hand-over", PROGRAM, HERE.cursor) == Cursor(0, Phase.FORWARD, 3, "decoder.l0", "hand-over")
    with pytest.raises(
        RnnvizError, match=r"hand-over is at time step 3 of decoder\.l0; got time step 4 of decoder\.l0"
    ):
        go_to("t 4 hand-over", PROGRAM, HERE.cursor)
    here = HERE.cursor

    def places(operation, time_step):
        one = Breakpoint("place", phase="backward", time_step=time_step, operation=operation)
        return [(place.layer, place.time_step) for place in points_of(one, PROGRAM, here)]

    assert places("hand-over", 3) == [("decoder.l0", 3), ("decoder.l1", 3)]
    assert places("hand-over", 4) == []
    assert places("mask", 2) == [("l0", 2), ("l0_reverse", 2)]
    assert to_phase(HERE, WALKABLE, Phase.LOSS, 1).cursor.time_step == 3  # the first one that is answered


def test_every_parameter_is_updated():
    names = {name.removeprefix("recurrent.") for name in learnt(TRACE.check.capture)}
    having = {one.name: one for one in updated_parameters(TRACE)}
    assert set(having) == names
    assert {having[name].symbol for name in ("bridge.weight_c", "attention.combine", "front.weight")} == {
        "B_c", "W_c", "E"
    }  # fmt: skip
    shown = update_shown(TRACE.sample(1), TrainingSettings("sgd", learning_rate=0.5, clip_norm=0.0).rule, {})
    assert not shown.unknown
    before = {name.removeprefix("recurrent."): array for name, array in learnt(TRACE.check.capture).items()}
    for name, one in having.items():
        moved = shown.find(name, "weights_after") - before[name]
        assert moved.shape == one.shape
        np.testing.assert_allclose(moved, shown.find(name, "delta"), atol=1e-12)
        assert np.abs(moved).max() > 0
    assert parameter_shown(TRACE, "decoder.l1").name == "decoder.weight_hh_l1"


def test_training_stops_at_a_place_where_a_walk_does():
    moment = Moment(FixedMetrics({}), 7, "it", 1, TRACE.network, lambda: TRACE)
    keys = ("", *AROUND_KEYS, "f", "h", "r")
    swept = [
        Breakpoint("place", phase=phase, time_step=t, layer=layer, operation=key, sequence=2)
        for phase in ("forward", "backward")
        for t in (1, -3, 5, 6, 7)
        for layer in ("", *TRACE.network.layer_names, "l2")
        for key in keys
    ]
    loss = [Breakpoint("place", phase="loss", operation=key) for key in ("", "scores", "softmax", "pooling", "f")]
    there = begun(), WALKABLE.program(replace(begun(), sample=1))
    for one in [*swept, *loss]:
        said = replace(one, message="here")
        hits, _ = Guard((arm(said),)).examine(moment)
        assert bool(hits) == bool(points_of(one, there[1], there[0].cursor)), one
    plain = rebuild(encoder_decoder("lstm", attention=False))
    moment = Moment(FixedMetrics({}), 7, "it", 1, plain.network, lambda: plain)
    for key, phase in (("mask", "forward"), ("residual", "backward"), ("attention", "loss"), ("scores", "loss")):
        asked = Breakpoint("place", "T > 0", phase=phase, operation=key)
        assert not Guard((arm(asked),)).examine(moment)[0], key
