"""Exported models: plain torch loads them, rnnviz opens them again, and a failure leaves no half file."""

import os
import re
import sys

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import nn

from rnnviz.core.cells import CELLS
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.files.whole import write_whole
from rnnviz.core.source import Given, GivenInput, Trained
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.tasks import Adding
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.engine.cell_module import CellModule
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.checkpoints.export import export_model
from rnnviz.engine.fused import fused_name
from rnnviz.engine.networks import build, parameter_count, structure_of
from rnnviz.engine.tracing import given_input
from rnnviz.engine.tracing.capture import capture_probe
from rnnviz.runs.file.records import Probe, RunModel
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.writer import RunWriter
from tests.every_cell import STRUCTURES

EVERY = STRUCTURES | {"around": Structure("gru", 3, 4, 3, True, residual=True)}
SETTINGS = (
    ModelSettings("Vanilla", "vanilla", 5, own=VanillaSettings("sigmoid")),
    ModelSettings("Relu", "vanilla", 5, 2, own=VanillaSettings("relu")),
    ModelSettings("LSTM", "lstm", 4, 2, True),
    ModelSettings("GRU", "gru", 3),
)


class Model(nn.Module):
    """What a person writes to load an export: torch's own class and a linear head."""

    def __init__(self, recurrent, width, outputs):
        super().__init__()
        self.recurrent = recurrent
        self.head = nn.Linear(width, outputs)


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """(path of a run with all models captured at training steps 0 and 7, the models as they were at 7)."""
    path = tmp_path_factory.mktemp("run") / "adding.rnnviz"
    experiment = Experiment("adding", Adding(length=6), SETTINGS)
    source = experiment.task.open(experiment.seed)
    batch = source.probe()
    models = [build(one, source.input_size, source.output_size, number) for number, one in enumerate(SETTINGS)]
    kinds = [
        RunModel(number, one.name, structure_of(model.recurrent), parameter_count(model))
        for number, (one, model) in enumerate(zip(SETTINGS, models, strict=True))
    ]
    probe = Probe(batch.inputs, batch.lengths, batch.targets, batch.loss_weight)
    with RunWriter(path, Trained(experiment), source.info, kinds, probe) as writer:
        for training_step in (0, 7):
            for number, model in enumerate(models):
                with torch.no_grad():
                    model.recurrent.get_parameter("weight_hh_l0").add_(0.01)
                writer.capture(training_step, number, capture_probe(model, batch, source.info), keep=True)
    return path, models


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
@pytest.mark.parametrize("number", range(len(SETTINGS)))
def test_plain_torch_loads_the_weights_of_the_last_capture(recorded, tmp_path, number, ending):
    path, models = recorded
    out = export_model(path, SETTINGS[number].name, None, tmp_path / f"model{ending}")
    state = torch.load(out, weights_only=True) if ending == ".pt" else load_file(out)
    wanted = models[number].state_dict()
    assert list(state) == sorted(wanted) if ending == ".safetensors" else set(state) == set(wanted)
    for name, value in wanted.items():
        torch.testing.assert_close(state[name], value, rtol=0, atol=0)
    if SETTINGS[number].cell == "lstm":
        model = Model(nn.LSTM(2, 4, 2, bidirectional=True), 8, 1)
        assert str(model.load_state_dict(state)) == "<All keys matched successfully>"


@pytest.mark.parametrize("ending", [".pt", ".pth", ".bin", ".safetensors"])
def test_rnnviz_opens_its_own_export_with_the_activation(recorded, tmp_path, ending):
    path, models = recorded
    for number, activation in ((0, "sigmoid"), (1, "relu"), (3, "tanh")):
        module = read_checkpoint(export_model(path, number, 7, tmp_path / f"m{ending}")).module("recurrent")
        assert module.structure == structure_of(models[number].recurrent)
        assert module.structure.activation == activation
        assert module.notes == ()
        for name, value in models[number].recurrent.state_dict().items():
            np.testing.assert_array_equal(module.weights[name], value.numpy())


def test_safetensors_say_what_they_hold(recorded, tmp_path):
    out = export_model(recorded[0], "LSTM", 7, tmp_path / "lstm.safetensors")
    with safe_open(out, "numpy") as file:
        about = file.metadata()
    assert {"cell": "lstm", "hidden_size": "4", "num_layers": "2", "training_step": "7"}.items() <= about.items()
    assert (about["experiment"], about["model"]) == ("adding", "LSTM")


def test_an_earlier_training_step_has_its_own_weights(recorded, tmp_path):
    early = torch.load(export_model(recorded[0], "GRU", 0, tmp_path / "a.pt"), weights_only=True)
    late = torch.load(export_model(recorded[0], "GRU", 7, tmp_path / "b.pt"), weights_only=True)
    difference = late["recurrent.weight_hh_l0"] - early["recurrent.weight_hh_l0"]
    torch.testing.assert_close(difference, torch.full_like(difference, 0.01), rtol=1e-4, atol=1e-6)


def test_wrong_wishes_are_one_sentence_and_leave_nothing(recorded, tmp_path):
    path, _ = recorded
    for model, training_step, out, said in (
        ("Elman", None, "a.pt", "Elman"),
        ("GRU", 3, "a.pt", "training step 3"),
        ("GRU", None, "a.onnx", r"ends in '\.onnx'"),
        ("GRU", None, "a", "ends in 'nothing'"),
        ("GRU", None, "nowhere/a.pt", "cannot be written: No such file"),
    ):
        with pytest.raises(RnnvizError, match=said):
            export_model(path, model, training_step, tmp_path / out)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(sys.platform == "win32", reason="no permissions of folders")
def test_a_failing_disk_keeps_the_old_file(tmp_path, monkeypatch):
    out = tmp_path / "model.pt"
    out.write_bytes(b"before")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(RnnvizError, match=r"model.pt cannot be written: No space left"):
        write_whole(out, b"after")
    assert out.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [out]


@pytest.fixture(scope="module")
def every_structure(tmp_path_factory):
    """A run with a model of each structure there is, under its name, all at training step 4, and their captures."""
    path, draw = tmp_path_factory.mktemp("run") / "every.rnnviz", np.random.default_rng(6)
    captures = {
        name: Capture.of_one(
            {
                parameter: draw.normal(size=shape).astype(np.float32)
                for parameter, shape in structure.parameter_shapes().items()
            },
            structure=structure,
            inputs=draw.normal(size=(7, 1, 3)).astype(np.float32),
            initial={
                state: np.zeros((len(structure.layer_ids), 1, structure.units(state)), np.float32)
                for state in structure.equations.states
            },
            grad_output=np.zeros((7, 1, structure.directions * structure.output_size), np.float32),
        )
        for name, structure in EVERY.items()
    }
    source = Given("nowhere.pt", GivenInput(length=7))
    info = TaskInfo("given input", "values", ("x1", "x2", "x3"), "none", (), None, ("loss",))
    kinds = [RunModel(number, name, one.structure, 1) for number, (name, one) in enumerate(captures.items())]
    probe = Probe(next(iter(captures.values())).inputs, None, None, None)
    with RunWriter(path, source, info, kinds, probe) as writer:
        for number, capture in enumerate(captures.values()):
            writer.capture(4, number, capture, keep=True)
    return path, captures


@pytest.mark.parametrize("ending", [".pt", ".safetensors"])
def test_an_export_of_every_structure_is_opened_as_what_it_is(every_structure, tmp_path, ending):
    path, captures = every_structure
    for name, capture in captures.items():
        checkpoint = read_checkpoint(export_model(path, name, None, tmp_path / f"model{ending}"))
        module = checkpoint.module("recurrent")
        assert (module.structure, module.guess, checkpoint.unused) == (capture.structure, "", ())
        assert module.weights.keys() == capture.weights.keys()
        for parameter, weight in capture.weights.items():
            np.testing.assert_array_equal(module.weights[parameter], weight)
        if fused_name(capture.structure) is None and capture.structure.cell != "vanilla":
            words = CELLS[capture.structure.cell].words
            assert module.read_by == (f"The cell is {words}, as the file says.",)


def test_what_a_reopened_export_computes_is_what_its_run_computes(every_structure, tmp_path, monkeypatch):
    monkeypatch.setattr(given_input, "read_confined", read_checkpoint)
    path, captures = every_structure
    names = {structure.cell: name for name, structure in EVERY.items()}  # of a cell the last one
    assert names.keys() == CELLS.keys()
    for number, name in enumerate(names.values()):
        out = export_model(path, name, 4, tmp_path / f"m{('.pt', '.safetensors')[number % 2]}")
        given_input.record_given(Given(str(out), GivenInput(length=7), drawn_from=3), tmp_path / "again.rnnviz")
        with open_run(tmp_path / "again.rnnviz") as run:
            trace = run.trace(0)
        capture = captures[name].with_call(inputs=trace.layers[0].x, output=None)
        assert trace.verdict.right, name
        for again, layer in zip(trace.layers, rebuild(capture).layers, strict=True):
            np.testing.assert_allclose(again.output, layer.output, rtol=1e-4, atol=1e-6)
        (tmp_path / "again.rnnviz").unlink()


def test_an_export_whose_weights_are_others_than_it_says_is_refused(every_structure, tmp_path):
    path, _ = every_structure
    out = export_model(path, "lru", None, tmp_path / "lru.safetensors")
    with safe_open(out, "numpy") as file:
        about = file.metadata()
    state = load_file(out)
    more = torch.zeros(4)
    for change, metadata, said in (
        ({}, about | {"hidden_size": "5"}, "weight_ih_l0 has shape (8, 3), wanted (10, 3)"),
        ({}, about | {"num_layers": "3"}, "weight_ih_l2 is missing"),
        ({}, about | {"cell": "ssm"}, "weight_ih_l0 has shape (8, 3), wanted (16, 3)"),
        ({"recurrent.weight_zz_l0": more}, about, "it also holds weight_zz_l0, which a plain LRU of 2 layers does not"),
    ):
        save_file(state | change, out, metadata)
        with pytest.raises(RnnvizError, match=re.escape(said)):
            read_checkpoint(out)


def test_a_peephole_lstm_is_read_as_one_and_never_as_an_lstm(tmp_path):
    """Its weights have an LSTM's names and shapes, and three vectors more, without which it is another model."""
    module = CellModule(Structure("peephole_lstm", 2, 3, 2))
    torch.save(module.state_dict(), tmp_path / "peephole.pt")
    assert read_checkpoint(tmp_path / "peephole.pt").module().structure == Structure("peephole_lstm", 2, 3, 2)
    state = module.state_dict()
    del state["weight_cf_l0"], state["weight_cf_l1"]
    torch.save(state, tmp_path / "two.pt")
    with pytest.raises(
        RnnvizError, match=r"also holds weight_c[io]_l0, which a plain nn.LSTM of 2 layers does not have"
    ):
        read_checkpoint(tmp_path / "two.pt")
