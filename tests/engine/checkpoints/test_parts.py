"""A checkpoint in several files is read whole from each of them, or said to be a part of one."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.checkpoints.sandbox import read_confined
from rnnviz.engine.inspection import inspect_path


@pytest.fixture
def module():
    torch.manual_seed(11)
    return nn.LSTM(3, 5, 2, bidirectional=True)


def split(folder, module, names, index, save):
    """The tensors of `module`, dealt out over files of these names, with an index where one is wanted."""
    state = {f"rnn.{name}": value for name, value in module.state_dict().items()}
    places = {key: names[place * len(names) // len(state)] for place, key in enumerate(state)}
    for name in names:
        save({key: value for key, value in state.items() if places[key] == name}, folder / name)
    if index:
        (folder / index).write_text(json.dumps({"metadata": {}, "weight_map": places}), encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "index", "save"),
    [
        (["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"], "", save_file),
        ([f"pytorch_model-0000{part}-of-00003.bin" for part in (1, 2, 3)], "pytorch_model.bin.index.json", torch.save),
        (["shard_1_of_2.pt", "shard_2_of_2.pt"], "", torch.save),
        (["a.safetensors", "b.safetensors"], "any.safetensors.index.json", save_file),
    ],
)
def test_parts_are_read_together_from_each_of_them_and_from_the_index(tmp_path, module, names, index, save):
    split(tmp_path, module, names, index, save)
    for name in filter(None, (*names, index)):
        read = read_checkpoint(tmp_path / name)
        assert (read.module().structure.num_layers, read.module().structure.bidirectional) == (2, True)
        for key, value in module.state_dict().items():
            np.testing.assert_array_equal(read.module().weights[key], value.numpy())
        assert read.notes[0].startswith(f"Read from {len(names)} files: {names[0]}")
    (tmp_path / names[-1]).unlink()
    with pytest.raises(RnnvizError, match=r"1 of \d of one checkpoint|one of 2 parts of one checkpoint") as refusal:
        read_checkpoint(tmp_path / names[0])
    assert f"{names[-1]} is not there" in str(refusal.value)


def test_the_index_is_looked_into_in_the_confined_process(tmp_path, module):
    split(tmp_path, module, ["m-00001-of-00002.safetensors", "m-00002-of-00002.safetensors"], "m.index.json", save_file)
    assert read_confined(tmp_path / "m.index.json").module().structure.hidden_size == 5
    found = inspect_path(tmp_path / "m.index.json")
    assert (found["kind"], found["modules"][0]["num_layers"]) == ("safetensors", 2)


def test_other_numbers_in_a_name_make_no_part(tmp_path, module):
    for name in ("epoch-3-of-5.pt", "fold1of3.pt", "2019-00001.pt"):
        torch.save(module.state_dict(), tmp_path / name)
        assert read_checkpoint(tmp_path / name).module().structure.num_layers == 2


def test_a_tensor_in_two_parts_is_refused(tmp_path, module):
    for part in (1, 2):
        save_file(module.state_dict(), tmp_path / f"m-0000{part}-of-00002.safetensors")
    with pytest.raises(RnnvizError, match=r"00002-of-00002.safetensors holds '\w+', which another part holds too"):
        read_checkpoint(tmp_path / "m-00001-of-00002.safetensors")


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (
            {"weight_map": {"a": "../net.safetensors"}},
            r"names '\.\./net.safetensors': wanted only files that lie beside",
        ),
        ({"weight_map": {"a": "/etc/passwd"}}, "wanted only files that lie beside"),
        ({"weight_map": {"a": "C:net"}}, "wanted only files that lie beside"),
        ({"weight_map": {"a": 3}}, "wanted only files that lie beside"),
        ({"weight_map": {}}, "names no file"),
        ({"weight_map": ["a"]}, "is not the index of a checkpoint"),
        ([1], "is not the index of a checkpoint"),
        ({"weight_map": {str(part): f"{part}.pt" for part in range(33)}}, "wanted at most 32 parts"),
        ({"weight_map": {"a": "i.index.json"}}, "is JSON"),
    ],
)
def test_an_index_names_only_parts_beside_it(tmp_path, module, content, said):
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "i.index.json").write_text(json.dumps(content), encoding="utf-8")
    with pytest.raises(RnnvizError, match=said):
        read_checkpoint(tmp_path / "folder" / "i.index.json")
