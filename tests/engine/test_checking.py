"""The check: right traces are right, and every kind of wrong number is found."""

from dataclasses import replace
from pathlib import Path

import every_cell
import numpy as np
import pytest
from live_engine import SMALL
from several_calls import encoder_decoder
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head, LossName, OwnPass, Pooling
from rnnviz.core.sweeps.heads.losses import LOSSES
from rnnviz.core.sweeps.heads.pooling import POOLINGS
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.engine.tracing import checking
from rnnviz.engine.tracing.capture import trace
from rnnviz.engine.tracing.checking import GradientCheck, check_capture, check_run, report_table
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.reading.reader import open_run


def capture_of(
    structure: Structure, lengths: list[int] | None = None, dtype: str = "float64", time_steps: int = 6
) -> Capture:
    draw = np.random.default_rng(1)
    rows, sequences = structure.num_layers * structure.directions, 2
    width = structure.directions * structure.output_size

    def numbers(*shape: int) -> np.ndarray:
        return (0.6 * draw.normal(size=shape)).astype(dtype)

    return Capture.of_one(
        {name: numbers(*shape) for name, shape in structure.parameter_shapes().items()},
        structure=structure,
        inputs=numbers(time_steps, sequences, structure.input_size),
        lengths=None if lengths is None else np.array(lengths),
        initial={state: numbers(rows, sequences, structure.units(state)) for state in structure.equations.states},
        grad_output=numbers(time_steps, sequences, width),
    )


STRUCTURES = {
    "lstm": Structure("lstm", 3, 4),
    "vanilla": Structure("vanilla", 3, 4, 2),
    "peephole lstm": Structure("peephole_lstm", 3, 4),
    **every_cell.STRUCTURES,
}


@pytest.mark.parametrize("structure", STRUCTURES.values(), ids=STRUCTURES)
@pytest.mark.parametrize("lengths", [None, [4, 2]], ids=["whole", "packed"])
def test_every_cell_is_right(structure: Structure, lengths: list[int] | None) -> None:
    report = check_capture(capture_of(structure, lengths, time_steps=4))
    assert report.right, report.verdict
    names = {check.name for check in report.checks}
    assert set(structure.parameter_shapes()) | {"inputs", *(f"h_{name}" for name in structure.layer_names)} <= names
    assert all(check.differences == check.differences for check in report.checks)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_ways_around_layers_and_dropout_masks_are_right(dtype: str) -> None:
    structure = Structure("gru", 3, 2, 3, True, residual=True)
    capture = capture_of(structure, [4, 3], dtype, time_steps=4)
    kept = np.random.default_rng(4).random((2, 4, 2, 4)) < 0.7
    masked = capture.with_call(masks=(kept / 0.7).astype(dtype))
    report = check_capture(masked)
    assert report.right, report.verdict
    plain = rebuild(capture.with_call(structure=replace(structure, residual=False)))
    grads = [one.layers[0].weight_grads["weight_hh"] for one in (rebuild(masked), rebuild(capture), plain)]
    assert not any(np.allclose(one, other) for one, other in zip(grads, [*grads[1:], grads[0]], strict=True))
    assert max(check.autograd for check in report.checks) < 1e-13


def test_a_loss_of_its_own() -> None:
    capture = capture_of(Structure("gru", 3, 4), dtype="float32")
    head = Head(
        np.array([[1, -2, 3, 1], [2, 1, -1, 0]], np.float32),
        np.zeros(2, np.float32),
        "cross entropy",
        np.array([[9, 9]] * 5 + [[0, 1]]),
        np.array([[0, 0]] * 5 + [[0.5, 0.5]], np.float32),
    )
    shown = rebuild(capture.with_call(head=head))
    assert shown.head is not None
    grad = (shown.head.prediction_grad @ head.weight).astype(np.float32)
    report = check_capture(capture.with_call(head=head, grad_output=grad))
    assert report.right, report_table(report)
    assert {"head.weight", "head.bias"} <= {check.name for check in report.checks}
    wrong = check_capture(capture.with_call(head=head, grad_output=2 * grad))
    assert not wrong.right  # what is shown is not the gradient of this loss
    assert "gradients are wrong: " in wrong.verdict
    assert "  wrong" in report_table(wrong)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("weighs", [True, False])
def test_a_head_that_pools(loss: LossName, pooling: Pooling, weighs: bool) -> None:
    draw = np.random.default_rng(4)
    capture = capture_of(Structure("gru", 2, 2, bidirectional=True), [4, 3], time_steps=4)
    outputs = 3 if weighs else 4
    targets = draw.integers(0, outputs, (4, 2)) if loss == "cross entropy" else draw.uniform(size=(4, 2, outputs))
    asked = np.where(np.arange(4)[:, None] < capture.lengths, 0.2, 0.0)
    parameters = (draw.normal(size=(3, 4)), draw.normal(size=3)) if weighs else (None, None)
    capture = capture.with_call(head=Head(*parameters, loss, targets, asked, pooling))
    head = rebuild(capture).head
    assert head is not None
    report = check_capture(capture.with_call(grad_output=head.output_grad))
    assert report.right, report_table(report)
    assert max(check.autograd for check in report.checks) < 1e-12
    assert ("head.weight" in {check.name for check in report.checks}) == weighs
    assert not check_capture(capture.with_call(grad_output=1.01 * head.output_grad)).right


def test_a_wrong_rebuild_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def bad(capture: Capture) -> Trace:
        trace = rebuild(capture)
        layer, call = trace.layers[0], trace.calls[0]
        grads = {**layer.grads, **{name: layer.grad(name) for name in layer.equations.by_name}}
        wrong = replace(layer, grads=grads | {"h": layer.hidden_grad * (1 + 1e-6)})
        return replace(trace, calls=(replace(call, layers=(wrong,)),))

    monkeypatch.setattr(checking, "rebuild", bad)
    report = check_capture(capture_of(Structure("lstm", 3, 4)))
    assert [check.name for check in report.checks if not check.right] == ["h_l0"]
    assert report.verdict == "1 of 13 gradients are wrong: h_l0."


@pytest.mark.parametrize(
    ("error", "limit"),
    [
        ("autograd", checking.AUTOGRAD_LIMIT),
        ("differences", checking.DIFFERENCES_LIMIT),
        ("rounding", checking.ROUNDING_LIMIT),
    ],
)
def test_each_error_of_a_gradient_has_its_own_limit(error: str, limit: float) -> None:
    unseen = GradientCheck("weight_hh_l0", 0.0, np.nan, np.nan)
    assert unseen.right
    assert replace(unseen, **{error: limit}).right
    assert not replace(unseen, **{error: 1.01 * limit}).right


def test_values_that_are_not_finite_are_said_as_the_trace_says_them() -> None:
    capture = capture_of(Structure("lstm", 3, 4))
    inputs = np.array(capture.inputs)
    inputs[2, 1, 0] = np.nan
    report = check_capture(capture.with_call(inputs=inputs))
    assert not report.right
    words = "cannot be compared: first non-finite at time step 3 of sequence 2, the input: NaN"
    assert report.verdict == f"The trace {words}."
    assert report.plain["trace"] == "cannot be compared"
    assert (report.plain["model"], report.plain["training_step"]) == ("", 0)
    assert rebuild(capture.with_call(inputs=inputs)).verdict.words == words
    shown = capture_of(Structure("vanilla", 3, 4, activation="relu"), dtype="float32")
    large = {**shown.weights, "weight_hh_l0": np.full((4, 4), 1e30, np.float32)}  # products only float64 has
    report = check_capture(replace(shown, weights=large))
    assert "first non-finite at time step" in report.verdict


def test_what_was_recorded_beside_a_right_trace_is_part_of_the_verdict() -> None:
    draw = np.random.default_rng(7)
    capture = trace(nn.GRU(3, 4), draw.normal(size=(6, 2, 3)).astype(np.float32)).check.capture
    report = check_capture(capture)
    assert " gradients are right: " in report.verdict
    assert (report.plain["model"], report.plain["training_step"]) == ("", 0)  # of a capture by itself
    off = replace(capture, grads={**capture.grads, "bias_ih_l0": 1.5 * capture.grads["bias_ih_l0"]})
    report = check_capture(off)
    assert not report.right
    assert report.verdict.endswith(" The trace differs from autograd: 0.33 in bias_ih_l0.")
    report = check_capture(replace(capture, own=OwnPass(doubts=("tanh is a guess",))))
    assert report.right  # of what was traced, whether or not that is the person's pass
    assert report.verdict.endswith(" The trace is not your own pass: tanh is a guess.")


def test_a_gradient_that_float32_cannot_hold_is_not_wrong() -> None:
    capture = capture_of(Structure("vanilla", 3, 4), dtype="float32")
    weights = {name: weight * np.float32(1e-9) for name, weight in capture.weights.items()}
    grad = np.zeros_like(capture.grad_output)
    grad[-1] = 1
    report = check_capture(replace(capture.with_call(grad_output=grad), weights=weights))
    assert report.right, report_table(report)
    assert report.verdict.endswith("; float32 holds nothing of h0.")
    assert "lost" in report_table(report)
    assert [one["rounding"] for one in report.plain["gradients"] if one["name"] == "h0"] == [None]


def test_a_run(tmp_path: Path) -> None:
    run_training(SMALL, tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        reports = check_run(run)
        assert [(report.model, report.training_step) for report in reports] == [("Vanilla", 40), ("LSTM", 40)]
        assert all(report.right for report in reports), [report.verdict for report in reports]
        assert [report.model for report in check_run(run, 0, "LSTM")] == ["LSTM"]
        with pytest.raises(RnnvizError, match="no model GRU"):
            check_run(run, 0, "GRU")
        with pytest.raises(RnnvizError, match="no capture"):
            check_run(run, 10**6)


def test_two_calls_of_which_one_follows_the_other() -> None:
    structure = Structure("lstm", 3, 4, 2)
    first, second = capture_of(structure), capture_of(structure)
    final = {
        state: np.stack([layer.value(state)[-1] for layer in rebuild(first).layers]) for state in ("h", "c")
    }  # what the second begins with
    draw = np.random.default_rng(2)
    head = Head(draw.normal(size=(2, 4)), np.ones(2), "mean squared error", np.zeros((6, 2, 2)), np.ones((6, 2)))
    encoder = replace(first.calls[0], module="encoder")
    decoder = replace(
        second.calls[0],
        name="decoder",
        module="decoder",
        start=6,
        follows=0,
        initial=final,
        head=head,
        grad_final={"c": draw.normal(size=(2, 2, 4))},
    )
    weights = {f"encoder.{name}": weight for name, weight in first.weights.items()}
    weights |= {f"decoder.{name}": weight + 0.1 for name, weight in second.weights.items()}
    capture = Capture(weights, (encoder, decoder))
    shown = rebuild(capture).calls[1].head
    assert shown is not None
    decoder = replace(decoder, grad_output=shown.prediction_grad[6:] @ head.weight)
    report = check_capture(replace(capture, calls=(encoder, decoder)))
    assert report.right, report_table(report)
    names = {check.name for check in report.checks}
    assert {"encoder.weight_hh_l1", "f_decoder.l1", "decoder.inputs", "decoder.head.weight", "c0"} <= names
    assert "decoder.h0" not in names
    wrong = replace(decoder, follows=None)
    assert not check_capture(replace(capture, calls=(encoder, replace(wrong, grad_output=2 * wrong.grad_output)))).right


def test_a_truncated_pass_is_right_and_one_cut_elsewhere_is_not() -> None:
    capture = capture_of(Structure("gru", 2, 2, bidirectional=True), [5, 4], time_steps=5)
    cut = np.array([False, True, False, True, False])  # of which the second is no cut where a sequence ends
    capture = capture.with_call(grad_final={"h": np.random.default_rng(6).normal(size=(2, 2, 2))})
    report = check_capture(capture.with_call(cut=cut))
    assert report.right, report_table(report)
    assert all(check.differences <= checking.DIFFERENCES_LIMIT for check in report.checks), "differences see the cut"
    elsewhere = rebuild(capture.with_call(cut=np.roll(cut, 1))).check.weight_grads
    report = check_capture(replace(capture.with_call(cut=cut), grads=elsewhere))
    assert report.trace.kind == "differs"


@pytest.mark.parametrize(
    ("cell", "both_ways", "attention", "ends"),
    [
        ("lstm", True, True, True),
        ("gru", False, True, False),
        ("vanilla", True, False, True),
        ("minlstm", True, True, True),
    ],
)
def test_an_encoder_and_a_decoder_with_all_that_lies_between(
    cell: str, both_ways: bool, attention: bool, ends: bool
) -> None:
    lengths = (np.array([2, 4]), np.array([3, 2])) if ends else (None, None)
    depth = 2 if cell == "vanilla" else 1
    capture = encoder_decoder(cell, depth=depth, both_ways=both_ways, attention=attention, lengths=lengths)
    report = check_capture(capture)
    assert report.right, report_table(report)
    names = {check.name for check in report.checks}
    assert {"embedding.table", "decoder.inputs", "decoder.head.weight", "h0"} <= names
    assert ({"decoder.bridge.weight_h", "decoder.bridge.bias_h"} <= names) == both_ways
    assert ({"decoder.attention.score", "decoder.attention.combine"} <= names) == attention
    assert max(check.autograd for check in report.checks) < 1e-12
    if attention:
        encoder = capture.calls[0]
        wrong = replace(encoder, grad_output=encoder.grad_output * 1.001)
        trace = rebuild(replace(capture, calls=(wrong, capture.calls[1])))
        assert not trace.faithful
        assert "the gradient of the output" in trace.verdict.words
