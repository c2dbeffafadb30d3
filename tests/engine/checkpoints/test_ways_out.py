"""What cannot be read says what it is, and the lines it gives make a file that can be."""

import re
import subprocess
import sys
import warnings
import zipfile

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.checkpoints.export import export_model
from rnnviz.engine.training.serve import run_training


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(3, 5)

    def forward(self, x):
        return self.lstm(x)[0]


@pytest.fixture
def module():
    torch.manual_seed(12)
    return Wrapped()


def refused(path):
    with pytest.raises(RnnvizError) as refusal:
        read_checkpoint(path)
    return str(refusal.value)


def follow(sentence, folder, monkeypatch, **known):
    """Runs the lines between double spaces, as a person would in the folder of the file."""
    monkeypatch.chdir(folder)
    lines = [line for line in re.findall(r"  (.+?)(?:  |\.$)", sentence) if "torch." in line]
    assert lines, sentence
    known |= {"torch": torch, "numpy": np}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for line in lines:
            exec(line, known)
    return read_checkpoint(folder / "weights.pt")


def same(read, module, tolerance=0.0):
    (found,) = read.modules
    for name, value in module.lstm.state_dict().items():
        np.testing.assert_allclose(found.weights[name], value.numpy(), atol=tolerance)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("form", ["npz", "exported", "script", "scalar", "flat scalar", "module", "table of modules"])
def test_the_lines_that_are_given_work(tmp_path, module, monkeypatch, form):
    path = tmp_path / "a model.bin"
    state = module.state_dict()
    said = "could run a stranger's code"
    if form == "npz":
        np.savez(tmp_path / "arrays.npz", **{name: value.numpy() for name, value in state.items()})
        path, said = tmp_path / "arrays.npz", "NumPy arrays"
    elif form == "exported":
        torch.export.save(torch.export.export(module, (torch.randn(4, 2, 3),)), tmp_path / "net.pt2")
        path, said = tmp_path / "net.pt2", "torch.export"
    elif form == "script":
        torch.jit.save(torch.jit.script(module), path)
        said = "TorchScript"
    else:
        contents = {
            "scalar": {"net": state, "best": np.float64(0.5), "model_name": "model"},
            "flat scalar": {**{f"my_model.{name}": value for name, value in state.items()}, "best": np.float64(0.5)},
            "module": module.lstm,
            "table of modules": {"encoder": module.lstm, "epoch": 3},
        }
        torch.save(contents[form], path)
    sentence = refused(path)
    assert said in sentence
    same(follow(sentence, tmp_path, monkeypatch), module)


@pytest.mark.filterwarnings("ignore")
def test_quantised_weights_are_named_and_the_module_gives_them_rounded(tmp_path, module, monkeypatch):
    quantised = torch.ao.quantization.quantize_dynamic(module, {nn.LSTM}, dtype=torch.qint8)
    torch.save(quantised.state_dict(), tmp_path / "small.pt")
    sentence = refused(tmp_path / "small.pt")
    assert "holds quantised weights" in sentence
    same(follow(sentence, tmp_path, monkeypatch, m=quantised.lstm), module, tolerance=0.01)


def test_a_zip_around_a_checkpoint_names_it_and_unpacks(tmp_path, module):
    inside = "nets/model.pt"
    torch.save(module.state_dict(), tmp_path / "plain")
    with zipfile.ZipFile(tmp_path / "of mine.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.mkdir("nets")
        archive.write(tmp_path / "plain", inside)
        archive.writestr("zeros.bin.txt", bytes(3 * 10**7))
    sentence = refused(tmp_path / "of mine.zip")
    assert f"is a zip archive that holds {inside}: unpack it with" in sentence
    command = re.search(r"  python (-m zipfile .+?)  ", sentence)[1]
    subprocess.run(f"{sys.executable} {command}", shell=True, cwd=tmp_path, check=True, timeout=60)
    same(read_checkpoint(tmp_path / inside), module)


def test_damage_is_said_without_words_of_a_library(tmp_path, module):
    torch.save(module.state_dict(), tmp_path / "whole.pt", _use_new_zipfile_serialization=False)
    content = (tmp_path / "whole.pt").read_bytes()
    for length in range(20, len(content), 97):
        (tmp_path / "cut.pt").write_bytes(content[:length])
        sentence = refused(tmp_path / "cut.pt")
        assert not re.search(r"Error|Exception|b'|\\x|0x|<class|unpickl", sentence.removeprefix(str(tmp_path))), (
            sentence
        )


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("gru_reset_before", "rnnviz's own reset-before GRU"),
        ("lstm_1997", "rnnviz's own LSTM without forget gate"),
        ("jordan", "rnnviz's own Jordan"),
        ("lru", "rnnviz's own LRU"),
        ("ssm", "rnnviz's own selective SSM"),
        ("tdnn", "rnnviz's own minGRU, minLSTM, MLP or TDNN"),
    ],
)
def test_weights_of_a_cell_of_our_own_that_do_not_say_their_structure_name_it(tmp_path, cell, words):
    run, out = tmp_path / "a.rnnviz", tmp_path / "a.safetensors"
    training = TrainingSettings(training_steps=1, batch_size=2)
    run_training(Experiment("a", Adding(length=4), (ModelSettings("m", cell, 3, 1),), training, seed=5), run)
    export_model(run, "m", None, out)
    save_file(load_file(out), out)
    sentence = refused(out)
    assert f"the weights of the module 'recurrent.' are named like those of {words}, and the file does not" in sentence
    assert sentence.endswith("wanted an export of its run, for example as .safetensors.")
    assert "save" not in sentence
