"""What a file does not say of a module is a guess until the person or the file says it."""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rnnviz.command_line import main
from rnnviz.core.source import Given, GivenInput
from rnnviz.engine.checkpoints import read_checkpoint
from rnnviz.engine.tracing.given_input import record_given
from rnnviz.runs.reading.reader import open_run


def rnn(**options):
    torch.manual_seed(7)
    return nn.RNN(3, 5, 2, nonlinearity="relu", **options)


def renamed(prefix, module):
    return {prefix + name: value for name, value in module.state_dict().items()}


def read(tmp_path, content, name="net.ckpt"):
    torch.save(content, tmp_path / name)
    return read_checkpoint(tmp_path / name)


def heard(module):
    return module.structure.activation, module.guess, module.hint


def test_without_a_word_in_the_file_tanh_is_a_guess_and_an_answer_ends_it(tmp_path):
    module = read(tmp_path, rnn().state_dict()).module()
    assert heard(module) == ("tanh", "tanh is a guess", "")
    assert "does not say the activation" in module.read_by[0]
    answered = read_checkpoint(tmp_path / "net.ckpt", "relu").module()
    assert heard(answered) == ("relu", "", "")
    assert answered.notes == answered.read_by == ()
    assert read(tmp_path, nn.LSTM(3, 5).state_dict()).module().guess == ""


@pytest.mark.parametrize(
    ("beside", "where"),
    [
        ({"hyper_parameters": {"nonlinearity": "relu", "hidden": 5}}, "hyper_parameters.nonlinearity"),
        ({"config": {"model": {"rnn_nonlinearity": "ReLU"}}}, "config.model.rnn_nonlinearity"),
        ({"args": {"model": "RNN_RELU"}}, "args.model"),
        ({"nonlinearity": "torch.relu", "activation": "tanh"}, "nonlinearity"),
    ],
)
def test_what_the_file_says_of_nonlinearity_is_taken_and_said(tmp_path, beside, where):
    module = read(tmp_path, {"state_dict": renamed("model.", rnn()), "epoch": 4, **beside}).module()
    assert heard(module) == ("relu", "", where)
    assert module.read_by == (f"The activation is ReLU, as the file says ({where}).",)
    assert module.notes == ()


@pytest.mark.parametrize("key", ["activation", "act_fn", "hidden_act", "act"])
def test_a_word_that_may_mean_another_layer_is_preset_and_stays_a_guess(tmp_path, key):
    module = read(tmp_path, {"model": renamed("rnn.", rnn()), "config": {key: "nn.ReLU()"}}).module()
    assert heard(module) == ("relu", "ReLU is a guess", f"config.{key}")


@pytest.mark.parametrize("said", [{"lr": "relu"}, {"nonlinearity": "gelu"}, {"nonlinearity": 3}, {"activate": None}])
def test_other_settings_say_nothing(tmp_path, said):
    assert heard(read(tmp_path, {"model": rnn().state_dict(), "config": said}).module())[1:] == ("tanh is a guess", "")


def test_a_file_that_contradicts_itself_says_nothing(tmp_path):
    module = read(
        tmp_path, {"m": rnn().state_dict(), "a": {"nonlinearity": "relu"}, "b": {"nonlinearity": "tanh"}}
    ).module()
    assert heard(module) == ("tanh", "tanh is a guess", "")
    assert "contradicts itself" in module.read_by[0]
    assert "a.nonlinearity and b.nonlinearity" in module.read_by[0]


def test_a_hint_on_one_module_is_none_on_another(tmp_path):
    state = renamed("enc.rnn.", rnn()) | renamed("dec.rnn.", rnn()) | renamed("third.", rnn())
    said = {"enc": {"nonlinearity": "relu"}, "dec": {"nonlinearity": "tanh"}}
    found = read(tmp_path, {"state_dict": state, "hyper_parameters": said})
    assert [heard(module)[:2] for module in found.modules] == [("relu", ""), ("tanh", ""), ("tanh", "tanh is a guess")]


@pytest.mark.parametrize(
    ("metadata", "where"),
    [
        ({"nonlinearity": "relu", "format": "pt"}, "nonlinearity"),
        ({"config": json.dumps({"rnn": {"nonlinearity": "relu"}})}, "config.rnn.nonlinearity"),
    ],
)
def test_metadata_of_safetensors_speaks_too(tmp_path, metadata, where):
    save_file(rnn().state_dict(), tmp_path / "net.safetensors", metadata=metadata)
    assert heard(read_checkpoint(tmp_path / "net.safetensors").module()) == ("relu", "", where)


def test_metadata_that_is_no_table_says_nothing(tmp_path):
    for number, value in enumerate(("{", "[" * 9_000, '{"a": [1, "relu"]}', "{" * 200_000)):
        save_file(rnn().state_dict(), tmp_path / f"{number}.safetensors", metadata={"config": value})
        assert read_checkpoint(tmp_path / f"{number}.safetensors").module().guess == "tanh is a guess"


@pytest.mark.parametrize(
    ("prefix", "module", "guess"),
    [
        ("net.lstm.", nn.GRU(2, 3), "the GRU cell is a guess"),
        ("gru.", nn.LSTM(2, 3), "the LSTM cell is a guess"),
        ("bilstm.", nn.RNN(2, 3), "tanh and the vanilla cell are guesses"),
        ("lstm.gru.", nn.GRU(2, 3), ""),
        ("congruent.", nn.LSTM(2, 3), ""),
        ("rnn.", nn.GRU(2, 3), ""),
    ],
)
def test_a_name_that_says_another_cell_than_the_shapes_makes_a_guess(tmp_path, prefix, module, guess):
    assert read(tmp_path, renamed(prefix, module)).module().guess == guess


def test_the_run_keeps_that_it_is_a_guess_and_an_answer_gives_the_numbers_of_torch(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = rnn()
    save_file(renamed("speech.", module), tmp_path / "net.safetensors")
    words = ["trace", "net.safetensors", "--length", "6", "--seed", "9", "--run"]
    assert main([*words, "guessed.rnnviz"]) == 0
    assert "tanh is a guess. --activation tanh or --activation relu says which it is." in capsys.readouterr().out
    with open_run(tmp_path / "guessed.rnnviz") as run:
        assert run.source.guess == "tanh is a guess"
        assert run.source.activation is None
    assert main([*words, "known.rnnviz", "--activation", "relu"]) == 0
    assert capsys.readouterr().out.startswith("Trace checked against autograd: ")
    with open_run(tmp_path / "known.rnnviz") as run:
        assert (run.source.guess, run.source.activation) == ("", "relu")
        wanted, _ = module(torch.from_numpy(run.probe.inputs.copy()))
        np.testing.assert_allclose(run.trace(0).layers[-1].h, wanted.detach().numpy(), rtol=1e-5, atol=1e-6)
    assert main(["inspect", "net.safetensors"]) == 0
    shown = capsys.readouterr().out
    assert "vanilla (tanh, a guess)" in shown
    assert "--activation relu says which it is" in shown


def test_what_the_file_says_itself_is_no_guess_of_the_run(tmp_path):
    save_file(rnn().state_dict(), tmp_path / "net.safetensors", metadata={"nonlinearity": "relu"})
    recorded = record_given(Given(str(tmp_path / "net.safetensors"), GivenInput(length=4)), tmp_path / "a.rnnviz")
    with open_run(tmp_path / "a.rnnviz") as run:
        assert recorded.guess == run.source.guess == ""
        assert run.models[0].structure.activation == "relu"
        assert run.trace(0).notes == ()
