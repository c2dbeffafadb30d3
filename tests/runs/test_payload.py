"""Payloads: what goes in comes out to the last bit, and nothing that does not fit comes out."""

from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
from hypothesis import given
from hypothesis import strategies as st
from sample_runs import capture, models, probe, same

from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.runs.file.payload import capture_payload, chunks, probe_payload, read_capture, read_probe
from rnnviz.runs.file.records import Probe, RunModel

MODEL = models()[1]


@pytest.mark.parametrize("model", models())
def test_a_capture_comes_back_to_the_last_bit(model: RunModel) -> None:
    before = capture(model.structure, 1)
    assert same(read_capture(capture_payload(before, probe(), 3, model.number), 3, model, probe()), before)


def test_not_finite_numbers_come_back() -> None:
    before = capture(MODEL.structure, 1)
    odd = np.array([np.nan, np.inf, -np.inf, 1e-45, -0.0], np.float32)
    initial = {**before.initial, "h": np.resize(odd, before.initial["h"].shape)}
    before = before.with_call(initial=initial)
    assert same(read_capture(capture_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


def test_a_capture_without_readout_output_and_gradients_comes_back() -> None:
    before = capture(MODEL.structure, 1).with_call(readout=None, output=None)
    before = replace(before, grads={}, notes=())
    assert same(read_capture(capture_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


def test_lengths_of_a_packed_batch_come_back() -> None:
    packed = replace(probe(), lengths=np.array([7, 3]))
    before = capture(MODEL.structure, 1, packed)
    assert same(read_capture(capture_payload(before, packed, 0, 1), 0, MODEL, packed), before)
    assert same(read_capture(capture_payload(before, probe(), 0, 1), 0, MODEL, probe()), before)


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
        readout=None,
    )
    before = replace(before, weights=weights, grads={})
    assert same(read_capture(capture_payload(before, probe(), 0, 0), 0, model, probe()), before)


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
        {"weights.weight_hh_l0": np.zeros((20, 4), np.float32)},
        "weights[weight_hh_l0]: wanted float32 (20, 5), got float32 (20, 4)",
    ),
    "weight missing": ({"weights.bias_hh_l0": None}, "which are not its model's"),
    "weight added": ({"weights.weight_hh_l1": np.zeros((20, 5), np.float32)}, "which are not its model's"),
    "no c0": ({"c0": None}, "its capture lacks c0"),
    "h0 dtype": ({"h0": np.zeros((1, 2, 5), np.int64)}, "h0: wanted float32 (1, 2, 5), got int64"),
    "mixed dtypes": ({"grad_output": np.zeros((7, 2, 5))}, "grad_output: wanted float32 (7, 2, 5), got float64"),
    "gradient shape": (
        {"grad_output": np.zeros((6, 2, 5), np.float32)},
        "grad_output: wanted float32 (7, 2, 5), got float32 (6, 2, 5)",
    ),
    "inputs": ({"inputs": np.zeros((7, 2, 9), np.float32)}, "inputs: wanted float32 (7, 2, 8), got float32 (7, 2, 9)"),
    "no time steps": ({"inputs": np.zeros((0, 2, 8), np.float32)}, "inputs have the shape"),
    "parameter gradient": (
        {"grads.weight_ih_l0": np.zeros((1, 1), np.float32)},
        "grads[weight_ih_l0]: wanted float32 (20, 8), got float32 (1, 1)",
    ),
    "readout": ({"readout.weight": np.zeros((4, 9), np.float32)}, "readout.weight has the shape"),
    "no readout": ({"readout.bias": None}, "lacks readout.bias"),
    "targets outside": ({"targets": np.full((7, 2), 4)}, "not whole numbers from 0 to 3"),
    "targets as numbers": ({"targets": np.zeros((7, 2), np.float32)}, "not whole numbers"),
    "lengths": ({"lengths": np.array([7, 8])}, "lengths are not whole numbers from 1 to 7"),
    "details": ({"details": np.frombuffer(b"[", np.uint8)}, "no JSON of rnnviz"),
    "no details": ({"details": None}, "lacks details"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_does_not_fit_is_refused(name: str) -> None:
    changes, words = CHANGES[name]
    tensors = safetensors.numpy.load(capture_payload(capture(MODEL.structure, 1), probe(), 0, 1))
    tensors |= {key: array for key, array in changes.items() if array is not None}
    payload = safetensors.numpy.save({key: array for key, array in tensors.items() if changes.get(key, 0) is not None})
    with pytest.raises(RnnvizError) as caught:
        read_capture(payload, 0, MODEL, probe())
    assert words in str(caught.value)


def test_a_capture_of_another_training_step_or_model_is_refused() -> None:
    payload = capture_payload(capture(MODEL.structure, 1), probe(), 5, 1)
    with pytest.raises(RnnvizError, match="of training step 5 and model 1"):
        read_capture(payload, 6, MODEL, probe())


@pytest.mark.parametrize("payload", [b"", b"1234567", b"\xff" * 100, (10).to_bytes(8, "little") + b"{}"])
def test_bytes_that_are_no_tensors_are_refused(payload: bytes) -> None:
    with pytest.raises(RnnvizError, match="safetensors"):
        read_capture(payload, 0, MODEL, probe())
