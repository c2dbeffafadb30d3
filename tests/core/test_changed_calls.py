"""What-ifs in traces of several calls, with masks and ways around layers, against finite differences."""

from dataclasses import replace

import numpy as np
import pytest
from several_calls import encoder_decoder

from rnnviz.core.errors import RnnvizError
from rnnviz.core.sweeps.capture import Embedding
from rnnviz.core.sweeps.scans.flow import loss_parts
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_capture import changed_weights, settable_parameters
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed, recompute
from rnnviz.core.sweeps.what_if.interventions import (
    Clamp,
    CutGradient,
    SetInput,
    SetState,
    SetValue,
    SetWeight,
    one_hot,
)

STEP = 1e-6


def layered(cell="lstm", **more):
    """Two layers of each call, with a way around the second and masks between them."""
    capture = encoder_decoder(cell, **more)
    calls = []
    for number, call in enumerate(capture.calls):
        structure = replace(call.structure, residual=True)
        shape = 1, *call.inputs.shape[:2], structure.directions * structure.output_size
        kept = np.random.default_rng(number).random(shape) < 0.7
        calls.append(replace(call, structure=structure, masks=kept / 0.7))
    return replace(capture, calls=tuple(calls))


def loss(capture, interventions, sample):
    return float(np.sum(rebuild_changed(capture, interventions, sample).head.losses))


# What is set to a value, and where its gradient is in the changed trace.
SET = {
    "a value of the encoder": (
        lambda value: SetValue("l0", "h", 2, value, 3),
        lambda trace: trace.layer("l0").grad("h")[1, 0, 2],
    ),
    "a value of its reverse layer": (
        lambda value: SetValue("l1_reverse", "c", 1, value, 1),
        lambda trace: trace.layer("l1_reverse").grad("c")[0, 0, 0],
    ),
    "a value of the decoder": (
        lambda value: SetValue("decoder.l0", "f", 6, value, 2),
        lambda trace: trace.layer("decoder.l0").grad("f")[5, 0, 1],
    ),
    "an input of the encoder": (
        lambda value: SetInput(1, (0.2, value, -0.4)),
        lambda trace: trace.calls[0].input_grad[0, 0, 1],
    ),
    "an input of the decoder": (
        lambda value: SetInput(5, (value, 0.1)),
        lambda trace: trace.calls[1].input_grad[4, 0, 0],
    ),
    "a first state": (
        lambda value: SetState("l1", "h", (value, 0.0, 0.3, 0.1)),
        lambda trace: trace.layer("l1").initial_grads["h"][0, 0],
    ),
    "a weight of the decoder": (
        lambda value: SetWeight("decoder.weight_ih_l1", (value,), 3, 2),
        lambda trace: trace.layer("decoder.l1").weight_grads["weight_ih"][2, 1],
    ),
    "a weight of the bridge": (
        lambda value: SetWeight("bridge.weight_c", (value,), 6, 3),
        lambda trace: trace.calls[1].bridge.weight_grads["weight_c"][1, 1, 2],
    ),
    "a weight of attention": (
        lambda value: SetWeight("attention.score", (value,), 2, 5),
        lambda trace: trace.head.attention.weight_grads["score"][1, 4],
    ),
    "a weight of the head": (
        lambda value: SetWeight("head.weight", (value,), 2, 1),
        lambda trace: trace.head.weight_grads["weight"][1, 0],
    ),
}


@pytest.mark.parametrize("what", SET)
@pytest.mark.parametrize("embedding", [False, True])
def test_the_loss_follows_what_is_set_anywhere(what, embedding):
    capture, sample = layered(lengths=(np.array([4, 4]), np.array([3, 3])), embedding=embedding), 1
    make, gradient = SET[what]
    found = gradient(rebuild_changed(capture, [make(0.35)], sample))
    values = [loss(capture, [make(0.35 + sign * STEP)], sample) for sign in (1, -1)]
    assert abs(found) > 1e-6
    assert found == pytest.approx((values[0] - values[1]) / (2 * STEP), rel=1e-5)


def test_a_what_if_in_the_encoder_changes_the_decoder_and_nothing_before():
    capture = layered()  # the encoder of sequence 0 has 2 time steps, so that the decoder begins at 3
    history = recompute(capture, (), 0)
    np.testing.assert_allclose(history.head.losses, rebuild(capture).sample(0).head.losses, rtol=1e-12)
    changed = rebuild_changed(capture, [SetValue("l0", "h", 2, 0.9)], 0)
    for name in ("l0", "l1"):
        before, after = history.layer(name).h, changed.layer(name).h
        np.testing.assert_array_equal(before[0], after[0])
        assert (before[1] != after[1]).any()
    assert (history.layer("decoder.l0").h[2:] != changed.layer("decoder.l0").h[2:]).all()
    assert (history.head.losses[2:] != changed.head.losses[2:]).all()
    late = rebuild_changed(capture, [Clamp("decoder.l0", "h", 0.2, first=1, unit=2)], 0)
    np.testing.assert_array_equal(late.calls[0].output, history.calls[0].output)
    assert (late.layer("decoder.l0").h[2:, 0, 1] == 0.2).all()
    assert late.notes[-1] == "Not history: h[1…T, 2] of decoder.l0 = 0.2."


def test_the_gradient_of_the_hand_over_can_be_cut():
    capture = layered(attention=False)
    whole, cut = (rebuild_changed(capture, [one], 1) for one in (SetValue("l0", "i", 1, 0.5), CutGradient(4, "l0")))
    assert whole.layer("l0").hidden_grad[3].any()
    assert not cut.layer("l0").arriving["h"][3].any()
    assert cut.layer("l1").arriving["h"][3].any()
    np.testing.assert_array_equal(
        cut.layer("l0").hidden_grad[3],
        cut.layer("l0").direct_grad[3],
    )
    hidden, arriving = loss_parts(cut.layer("l0"), 3, 0)
    np.testing.assert_allclose(hidden.sum(axis=0), cut.layer("l0").direct_grad[3, 0], rtol=1e-10)
    assert not arriving["h"].any()
    assert loss_parts(whole.layer("l0"), 3, 0)[1]["c"][4:].any()
    everywhere = rebuild_changed(capture, [CutGradient(4)], 1)
    assert not everywhere.layer("l1").grad("h").any()
    np.testing.assert_array_equal(everywhere.head.losses, recompute(capture, (), 1).head.losses)


def test_a_table_and_a_symbol_are_set():
    capture = layered()
    embedding, n = capture.calls[0].embedding, 1
    symbol, other = int(embedding.symbols[0, n]), int(embedding.symbols[0, n] + 1) % 5
    as_symbol = rebuild_changed(capture, [one_hot(1, other + 1, 5)], n)
    np.testing.assert_array_equal(as_symbol.layers[0].x[0, 0], embedding.table[other])
    assert as_symbol.calls[0].embedding.symbols[0, 0] == other
    rows = rebuild_changed(capture, [SetWeight("front.weight", (0.5, -0.2, 0.1), row=symbol + 1)], n)
    here = rows.calls[0].embedding.symbols[:, 0] == symbol
    assert (rows.layers[0].x[here, 0] == [0.5, -0.2, 0.1]).all()
    assert here[0]
    plain = rebuild_changed(capture, [SetInput(1, (0.5, -0.2, 0.1))], n)
    assert plain.calls[0].embedding.symbols[0, 0] == -1
    weights = changed_weights(capture, [SetWeight("front.weight", (0.5,), row=symbol + 1)])
    assert (weights["front.weight"][symbol] == 0.5).all()
    assert {"recurrent.weight_hh_l1_reverse", "decoder.weight_hh_l0", "bridge.bias_c", "attention.combine"} < set(
        weights
    )
    assert settable_parameters(capture)["bridge.weight_h"] == (8, 8)


@pytest.mark.parametrize("table", [False, True])
def test_a_decoder_that_reads_its_own_output_reads_that_of_the_what_if(table):
    capture = encoder_decoder("gru", lengths=(None, None), attention=False)
    first, second = capture.calls
    draw, told = np.random.default_rng(3), np.array([[True, True], [False, True], [False, False]])
    rows = draw.normal(size=(4, 2)) * 3 if table else np.eye(4)
    weights = {**capture.weights}
    if not table:
        structure = replace(second.structure, input_size=4)
        weights["decoder.weight_ih_l0"] = draw.normal(size=(12, 4)) * 3
        second = replace(second, structure=structure)
    symbols = np.zeros((3, 2), int)
    embedding = Embedding(symbols, rows) if table else None
    second = replace(second, inputs=rows[symbols], embedding=embedding, told=told)
    capture = replace(capture, weights=weights, calls=(first, second))
    for value in (-3.0, 3.0):
        for n in range(2):
            trace = rebuild_changed(capture, [SetValue("l1", "h", 4, value)], n)
            answers = trace.head.prediction[4:, 0].argmax(axis=-1)
            wanted = [0, *(answers[:-1] + 1)]
            wanted = [own if not known else 0 for own, known in zip(wanted, told[:, n], strict=True)]
            np.testing.assert_array_equal(trace.layer("decoder.l0").x[4:, 0], rows[wanted])
    by_hand = rebuild_changed(capture, [SetInput(6, (0.25,))], 0)
    assert (by_hand.layer("decoder.l0").x[5, 0] == 0.25).all()


def test_what_does_not_fit_is_refused_in_a_sentence():
    capture = layered()
    for one, sentence in (
        (SetValue("l0", "h", 3, 0.1), r"h\[3\] of l0 = 0.1: the time step must be from 1 to 2, not 3"),
        (SetValue("decoder.l0", "h", 2, 0.1), "the time step must be from 3 to 5, not 2"),
        (SetValue("decoder.l2", "h", 3, 0.1), "there is no layer 'decoder.l2'; there are l0, l0_reverse, .*decoder.l1"),
        (SetState("decoder.l0", "h", (0.1,)), "h₀ of decoder.l0 = 0.1: it begins with what is handed over"),
        (SetInput(6, (0.1,)), "the time step must be from 1 to 5, not 6"),
        (CutGradient(4, "l0"), "the time step must be from 1 to 2, not 4"),
        (
            SetWeight("weight_hh", (0.1,)),
            "there is no parameter weight_hh; there are weight_ih_l0, .*decoder.weight_ih_l0",
        ),
    ):
        with pytest.raises(RnnvizError, match=sentence):
            rebuild_changed(capture, [one], 0)
