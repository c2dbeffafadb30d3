"""The sentence for what changed: the most telling facts, first."""

from dataclasses import replace

import numpy as np
import pytest

from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import Clamp, CutGradient, SetValue, SetWeight
from rnnviz.debugger.changes import facts, what_changed, what_changed_in_time


@pytest.fixture
def capture(random_capture):
    return random_capture(Structure("lstm", 2, 8), time_steps=12)


def test_an_opened_gate_is_named_by_its_unit(capture):
    shut = rebuild_changed(capture, [Clamp("l0", "f", 0.1, unit=7)])
    wide = rebuild_changed(capture, [Clamp("l0", "f", 0.98, unit=7)])
    assert "orget gate of unit 7 rose 0.10 → 0.98" in what_changed(shut, wide)
    assert "orget gate of unit 7 fell 0.98 → 0.10" in what_changed(wide, shut)


def test_a_gradient_that_grew_a_million_times_is_told_so(capture):
    small = capture.with_call(head=None, grad_output=capture.grad_output * 1e-6)
    sentence = what_changed(rebuild(small), rebuild(small.with_call(grad_output=capture.grad_output)))
    assert sentence == "∂L/∂h₁ grew 10⁶ times."
    assert what_changed(rebuild(small), rebuild(small)) == "Hardly anything changed."


def test_a_cut_gradient_becomes_zero(capture):
    lonely = capture.head.loss_weight.copy()
    lonely[:-1] = 0
    capture = capture.with_call(head=replace(capture.head, loss_weight=lonely))
    capture = capture.with_call(grad_output=rebuild(capture).head.prediction_grad @ capture.head.weight)
    sentence = what_changed(rebuild(capture).sample(0), rebuild_changed(capture, [CutGradient(6)]))
    assert sentence.startswith("∂L/∂h₁ became 0")


def test_the_layer_is_named_where_there_are_several(random_capture):
    capture = random_capture(Structure("gru", 2, 4, num_layers=2, bidirectional=True))
    before = rebuild_changed(capture, [Clamp("l1_reverse", "z", 0.02, unit=3)])
    after = rebuild_changed(capture, [Clamp("l1_reverse", "z", 0.99, unit=3)])
    assert "pdate gate of unit 3 of l1_reverse rose 0.02 → 0.99" in what_changed(before, after)


def test_a_reverse_layer_is_measured_where_it_begins(random_capture):
    capture = random_capture(Structure("lstm", 2, 4, bidirectional=True), time_steps=9)
    capture = capture.with_call(head=None)
    before = rebuild(capture)
    last = capture.grad_output.copy()
    last[-1, :, 4:] *= 1e6
    told = list(facts(before, rebuild(capture.with_call(grad_output=last)), {}, {}, 1))
    gradients = {fact.words for fact in told if fact.kind == "gradient"}
    assert any(words.startswith("∂L/∂h₉ of l0_reverse grew 10") for words in gradients)
    assert not any("h₁ of l0_reverse" in words for words in gradients)


def test_only_predictions_that_are_asked_are_counted(random_capture):
    capture = random_capture(Structure("gru", 2, 4), time_steps=7)
    weight = capture.head.loss_weight.copy()
    weight[:4] = 0
    before = rebuild(capture.with_call(head=replace(capture.head, loss_weight=weight)))
    right = before.head.prediction.argmax(axis=-1)
    for wrong, sentence in (((5,), "the prediction at t = 6 became wrong"), ((4, 6), "2 predictions became wrong")):
        targets = right.copy()
        old = rebuild(capture.with_call(head=replace(capture.head, loss_weight=weight, targets=targets)))
        prediction = old.head.prediction.copy()
        for t in (0, 2, *wrong):  # those before time step 5 nobody asks for
            prediction[t, 1] = -prediction[t, 1]
        call = replace(old.calls[0], head=replace(old.calls[0].head, prediction=prediction))
        new = replace(old, calls=(call,))
        told = [fact.words for fact in facts(old, new, {}, {}, 1) if fact.kind == "prediction"]
        assert told == [sentence]


def test_a_changed_weight_and_hidden_unit_of_a_vanilla_rnn(random_capture):
    capture = random_capture(Structure("vanilla", 2, 4))
    before = rebuild_changed(capture, [SetWeight("weight_hh_l0", (1e-3,))])
    after = rebuild_changed(capture, [SetWeight("weight_hh_l0", (1.0,))])
    assert "‖W_hh‖ grew 10³ times" in what_changed(before, after)
    low = rebuild_changed(capture, [Clamp("l0", "h", -0.9, unit=2)])
    high = rebuild_changed(capture, [Clamp("l0", "h", 0.9, unit=2)])
    assert "idden state of unit 2 rose −0.90 → 0.90" in what_changed(low, high)


@pytest.mark.parametrize(
    ("before", "after", "sentence"),
    [
        ({"loss": 0.69}, {"loss": 0.41}, "Loss fell 0.69 → 0.41."),
        ({"loss": 0.69}, {"loss": float("nan")}, "Loss became NaN."),
        ({"loss": 0.69, "accuracy": 0.5}, {"loss": 0.68, "accuracy": 0.9}, "Accuracy rose 50 % → 90 %."),
        ({"loss": 0.69}, {"loss": 0.69}, "Hardly anything changed; loss fell 0.69 → 0.69."),
        ({"accuracy": 0.0145}, {"accuracy": 0.0105}, "Hardly anything changed."),  # both read 1 %
        ({"accuracy": 0.0155}, {"accuracy": 0.0105}, "Accuracy fell 2 % → 1 %."),
        ({"grad_norm": 1.0}, {"grad_norm": float("inf")}, "Grad norm became +∞."),
        ({"loss": 1.0}, {"loss": 0.2}, "Loss shrank 5.0 times."),
        ({}, {}, "Hardly anything changed."),
    ],
)
def test_metrics_alone(before, after, sentence):
    assert what_changed(None, None, before, after) == sentence


def test_a_nan_comes_before_everything(capture):
    broken = dict(capture.weights)
    broken["weight_hh_l0"] = np.full_like(broken["weight_hh_l0"], np.nan)
    after = rebuild(replace(capture, weights=broken))
    assert what_changed(rebuild(capture), after).startswith(("∂L/∂h₁ became NaN", "Loss of the sequence became NaN"))


def test_traces_that_cannot_be_compared_leave_the_metrics(capture, random_capture):
    other = rebuild(random_capture(Structure("gru", 2, 8)))
    assert what_changed(rebuild(capture), other, {"loss": 1.0}, {"loss": 2.0}) == "Loss rose 1.00 → 2.00."


def test_between_two_time_steps_of_a_sweep(capture):
    layer = rebuild_changed(
        capture,
        [
            SetValue("l0", "i", 4, 0.02, 5),
            SetValue("l0", "i", 5, 0.99, 5),
            CutGradient(7),
        ],
    ).layers[0]
    assert "input gate of unit 5 rose 0.02 → 0.99" in what_changed_in_time(layer, 4, 5, backward=False)
    candidate = rebuild_changed(capture, [SetValue("l0", "g", 4, -0.97, 3), SetValue("l0", "g", 5, 0.98, 3)]).layers[0]
    assert "candidate of unit 3 rose −0.97 → 0.98" in what_changed_in_time(candidate, 4, 5, backward=False)
    assert "candidate" not in what_changed_in_time(candidate, 5, 4, backward=True)  # which no gradient meets
    norms = np.linalg.norm(layer.hidden_grad[:, 0], axis=-1)
    grad = np.where(np.arange(12)[:, None, None] == 6, 1e-9, layer.hidden_grad)
    scaled = replace(layer, grads={**layer.grads, "h": grad, "c": layer.cell_grad})
    assert norms[7] > 1e-3
    assert what_changed_in_time(scaled, 8, 7, backward=True).startswith("From t = 8 to 7: ∂L/∂h₇ shrank 10")
