"""Payloads: what goes in comes out to the last bit, and nothing that does not fit comes out."""

import json
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from sample_runs import capture, models, probe, same

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.runs.file.capture_payload import from_payload, to_payload
from rnnviz.runs.file.payload import chunks, optimiser_payload, probe_payload, read_optimiser, read_probe
from rnnviz.runs.file.records import OptimiserSnapshot, Probe, RunModel

MODEL = models()[1]


@pytest.mark.parametrize("model", models())
def test_a_capture_comes_back_to_the_last_bit(model: RunModel) -> None:
    before = capture(model.structure, 1)
    assert same(from_payload(to_payload(before, probe(), 3, model.number), 3, model, probe()), before)


def test_not_finite_numbers_come_back() -> None:
    before = capture(MODEL.structure, 1)
    odd = np.array([np.nan, np.inf, -np.inf, 1e-45, -0.0], np.float32)
    initial = {**before.initial, "h": np.resize(odd, before.initial["h"].shape)}
    before = before.with_call(initial=initial)
    assert same(from_payload(to_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


def test_a_capture_without_head_output_and_gradients_comes_back() -> None:
    before = capture(MODEL.structure, 1).with_call(head=None, output=None)
    before = replace(before, grads={}, notes=())
    assert same(from_payload(to_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


def test_the_pooling_and_the_reduction_of_a_head_come_back() -> None:
    before = capture(MODEL.structure, 1)
    assert before.head is not None
    weighed = before.with_call(head=replace(before.head, pooling="max", reduction="sum"))
    bare = replace(before.head, weight=None, bias=None, loss="binary cross-entropy", pooling="mean")
    bare = replace(bare, targets=np.zeros((7, 2, 5), np.float32))
    for one in (weighed, before.with_call(head=bare)):
        assert same(from_payload(to_payload(one, probe(), 0, 1), 0, MODEL, probe()), one)


def test_a_head_of_an_older_file_reads_each_time_step_and_takes_the_mean() -> None:
    before = capture(MODEL.structure, 1)
    tensors = safetensors.numpy.load(to_payload(before, probe(), 0, 1))
    details = json.loads(tensors["details"].tobytes())
    for call in details["calls"]:
        assert (call.pop("pooling"), call.pop("reduction")) == ("last", "mean")
    tensors["details"] = np.frombuffer(json.dumps(details).encode(), np.uint8)
    assert same(from_payload(safetensors.numpy.save(tensors), 0, MODEL, probe()), before)


def test_lengths_of_a_packed_batch_come_back() -> None:
    packed = replace(probe(), lengths=np.array([7, 3]))
    before = capture(MODEL.structure, 1, packed)
    assert same(from_payload(to_payload(before, packed, 0, 1), 0, MODEL, packed), before)
    assert same(from_payload(to_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


def test_a_deep_bidirectional_float64_capture_comes_back() -> None:
    structure = Structure("gru", 3, 4, num_layers=2, bidirectional=True)
    model = RunModel(0, "deep", structure, 1)
    random = np.random.default_rng(0)
    plain = capture(Structure("gru", 3, 4), 1, Probe(random.normal(size=(7, 2, 3)), None, None, None))
    weights = {name: random.normal(size=shape) for name, shape in structure.parameter_shapes().items()}
    before = plain.with_call(
        structure=structure,
        initial={"h": random.normal(size=(4, 2, 4))},
        grad_output=random.normal(size=(7, 2, 8)),
        output=random.normal(size=(7, 2, 8)),
        head=None,
    )
    before = replace(before, weights=weights, grads={})
    assert same(from_payload(to_payload(before, probe(), 0, 0), 0, model, probe()), before)


def test_the_probe_comes_back() -> None:
    for before in (probe(), replace(probe(), targets=None, loss_weight=None, lengths=np.array([7, 1]))):
        after = read_probe(probe_payload(before))
        for name in ("inputs", "lengths", "targets", "loss_weight"):
            np.testing.assert_array_equal(getattr(after, name), getattr(before, name))


@given(st.integers(0, 3 * 512 * 1024 + 1))
def test_chunks_put_together_are_the_payload(size: int) -> None:
    payload = np.random.default_rng(size).bytes(size)
    pieces = list(chunks(payload))
    assert b"".join(piece for _, _, piece in pieces) == payload
    assert [place for place, _, _ in pieces] == list(range(len(pieces)))
    assert all(len(piece) <= 512 * 1024 for _, _, piece in pieces)


CHANGES = {
    "weight shape": (
        {"weights.recurrent.weight_hh_l0": np.zeros((20, 4), np.float32)},
        r"weights[weight_hh_l0]: wanted float32 (20, 5), got float32 (20, 4)",
    ),
    "weight missing": (
        {"weights.recurrent.bias_hh_l0": None},
        "weights[bias_hh_l0]: wanted float32 (20,), got nothing",
    ),
    "weight added": (
        {"weights.recurrent.weight_hh_l1": np.zeros((20, 5), np.float32)},
        "weights[weight_hh_l1]: wanted none of that name",
    ),
    "no c0": ({"recurrent.initial.c": None}, "lacks initial.c"),
    "h0 dtype": ({"recurrent.initial.h": np.zeros((1, 2, 5), np.int64)}, "h0: wanted float32"),
    "mixed dtypes": (
        {"recurrent.grad_output": np.zeros((7, 2, 5))},
        "grad_output: wanted float32 (7, 2, 5), got float64",
    ),
    "gradient shape": (
        {"recurrent.grad_output": np.zeros((6, 2, 5), np.float32)},
        "grad_output: wanted float32 (7, 2, 5)",
    ),
    "inputs": ({"recurrent.inputs": np.zeros((7, 2, 9), np.float32)}, "inputs: wanted float32 (7, 2, 8)"),
    "no time steps": ({"recurrent.inputs": np.zeros((0, 2, 8), np.float32)}, "T and N at least 1"),
    "parameter gradient": (
        {"grads.recurrent.weight_ih_l0": np.zeros((1, 1), np.float32)},
        "grads[weight_ih_l0]: wanted float32 (20, 8)",
    ),
    "head": ({"recurrent.head.weight": np.zeros((4, 9), np.float32)}, "head.weight: wanted (4, 5), got (4, 9)"),
    "no head": ({"recurrent.head.bias": None}, "lacks head.bias"),
    "targets outside": ({"recurrent.head.targets": np.full((7, 2), 4)}, "whole numbers from 0 to 3"),
    "targets as numbers": ({"recurrent.head.targets": np.zeros((7, 2), np.float32)}, "whole numbers"),
    "lengths": ({"recurrent.lengths": np.array([7, 8])}, "lengths: wanted 2 numbers from 1 to 7"),
    "lengths as numbers": ({"recurrent.lengths": np.array([7.0, 2.0])}, "lengths: wanted 2 numbers from 1 to 7"),
    "details": ({"details": np.frombuffer(b"[", np.uint8)}, "not JSON of rnnviz"),
    "no details": ({"details": None}, "lacks details"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_refused(name: str) -> None:
    changes, words = CHANGES[name]
    packed = Probe(probe().inputs + 1, np.array([7, 3]), probe().targets, probe().loss_weight)
    whole = to_payload(capture(MODEL.structure, 1, packed), None, 0, 1)  # nothing of it is the probe's
    tensors = safetensors.numpy.load(whole)
    tensors |= {key: array for key, array in changes.items() if array is not None}
    payload = safetensors.numpy.save({key: array for key, array in tensors.items() if changes.get(key, 0) is not None})
    assert from_payload(whole, 0, MODEL, None)
    with pytest.raises(RnnvizError) as caught:
        from_payload(payload, 0, MODEL, None)
    assert words in str(caught.value)


def test_a_capture_of_another_training_step_or_model_is_refused() -> None:
    payload = to_payload(capture(MODEL.structure, 1), probe(), 5, 1)
    with pytest.raises(RnnvizError, match="of training step 5 and model 1"):
        from_payload(payload, 6, MODEL, probe())


@pytest.mark.parametrize("payload", [b"", b"1234567", b"\xff" * 100, (10).to_bytes(8, "little") + b"{}"])
def test_bytes_that_are_no_tensors_are_refused(payload: bytes) -> None:
    with pytest.raises(RnnvizError, match="safetensors"):
        from_payload(payload, 0, MODEL, probe())


def test_an_array_of_the_probe_is_stored_as_its_name() -> None:
    before = capture(MODEL.structure, 1)
    payload = to_payload(before, probe(), 0, 1)
    names = safetensors.numpy.load(payload)
    assert not {"recurrent.inputs", "recurrent.head.targets", "recurrent.head.loss_weight"} & set(names)
    assert {"recurrent.initial.h", "weights.recurrent.weight_hh_l0", "grads.recurrent.weight_hh_l0"} <= set(names)
    with pytest.raises(RnnvizError, match="lacks inputs"):
        from_payload(payload, 0, MODEL, None)
    elsewhere = Probe(probe().inputs + 1, more={"second": probe().inputs})
    named = to_payload(before.with_call(head=None), elsewhere, 0, 1)
    assert "recurrent.inputs" not in safetensors.numpy.load(named)
    assert same(from_payload(named, 0, MODEL, elsewhere), before.with_call(head=None))


def test_a_capture_may_be_longer_and_wider_than_the_probe() -> None:
    random = np.random.default_rng(3)
    longer = Probe(random.normal(size=(11, 3, 8)).astype(np.float32))
    before = capture(MODEL.structure, 1).with_call(
        inputs=longer.inputs,
        initial={state: np.ones((1, 3, 5), np.float32) for state in ("h", "c")},
        grad_output=np.ones((11, 3, 5), np.float32),
        output=None,
        head=None,
    )
    assert same(from_payload(to_payload(before, probe(), 4, 1), 4, MODEL, probe()), before)


def test_a_capture_of_another_kind_is_refused() -> None:
    payload = to_payload(capture(MODEL.structure, 1), probe(), 5, 1)
    with pytest.raises(RnnvizError, match="of the kind probe"):
        from_payload(payload, 5, MODEL, probe(), kind="batch")


def test_what_an_optimiser_had_gathered_comes_back() -> None:
    state = {"exp_avg.head.bias": np.array([1.5, np.nan], np.float32), "step": np.array(7.0)}
    payload = optimiser_payload(OptimiserSnapshot("adam", {"lr": 0.03, "eps": 1e-8}, state), 12, 1)
    after = read_optimiser(payload, 12, 1)
    assert (after.name, after.settings) == ("adam", {"lr": 0.03, "eps": 1e-8})
    assert set(after.state) == set(state)
    for name, array in state.items():
        assert after.state[name].dtype == array.dtype
        np.testing.assert_array_equal(after.state[name], array)
    with pytest.raises(RnnvizError, match="of training step 12 and model 1"):
        read_optimiser(payload, 13, 1)
