"""A stranger's model with an input of one's own becomes a run that is stepped through like a trained one."""

import os
import sys

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import nn

from rnnviz.command_line import main
from rnnviz.core.errors import RnnvizError
from rnnviz.core.source import Given, GivenInput
from rnnviz.engine.tracing.given_input import record_given
from rnnviz.runs.reading.reader import open_run

TEXT = {"source": "text", "text": "abca", "alphabet": "abc"}


@pytest.fixture
def lstm(tmp_path):
    torch.manual_seed(2)
    module = nn.LSTM(3, 5, 2, bidirectional=True, proj_size=2)
    # safetensors under the ending of a state dict: the bytes decide, and the child need not import torch
    save_file({f"encoder.{name}": value for name, value in module.state_dict().items()}, tmp_path / "stranger.pt")
    return module


def record(tmp_path, prefix=None, checkpoint="stranger.pt", activation=None, **task):
    given = Given(str(tmp_path / checkpoint), GivenInput(**task), prefix, activation, drawn_from=4)
    record_given(given, tmp_path / "given.rnnviz")
    return open_run(tmp_path / "given.rnnviz")


@pytest.mark.parametrize("loss_time_step", [0, 2, 4])
@pytest.mark.filterwarnings("error")
def test_typed_text_gives_the_trace_of_torch_itself(lstm, tmp_path, loss_time_step):
    with record(tmp_path, "encoder", **TEXT, loss_time_step=loss_time_step) as run:
        trace = run.trace(0)
        inputs = torch.eye(3)[[0, 1, 2, 0]][:, None]
        output, _ = lstm(inputs)
        loss = output[loss_time_step - 1, 0].norm()
        loss.backward()
        assert trace.faithful
        assert run.metrics("loss")[0] == pytest.approx(loss.item(), rel=1e-6)
        for layer in trace.layers:
            for name, gradient in layer.weight_grads.items():
                wanted = getattr(lstm, f"{name}_{layer.name}").grad.numpy()
                np.testing.assert_allclose(gradient, wanted, rtol=1e-4, atol=1e-7)
        assert run.task.input_kind == "symbols"
        assert run.task.input_labels == ("a", "b", "c")
        assert run.task.output_kind == "none"
        assert (run.status.state, list(run.captured())) == ("finished", [0])
        assert (run.source.title, run.models[0].name) == ("stranger", "encoder")
        assert run.models[0].structure.proj_size == 2


def test_columns_of_a_table(lstm, tmp_path):
    (tmp_path / "table.csv").write_text("year,a,b,c\n1900,1,2,3\n1901,4,5,6\n1902,7,8,9.5\n", encoding="utf-8")
    file = str(tmp_path / "table.csv")
    with record(tmp_path, source="csv", file=file, columns=("c", "a", "b")) as run:
        np.testing.assert_array_equal(run.probe.inputs[:, 0], [[3, 1, 2], [6, 4, 5], [9.5, 7, 8]])
        assert run.task.input_labels == ("c", "a", "b")
        assert run.trace(0).faithful


def test_random_input_is_the_same_for_the_same_seed(lstm, tmp_path):
    with record(tmp_path, source="random", length=7) as run:
        wanted = np.random.default_rng(4).standard_normal((7, 3), dtype=np.float32)
        np.testing.assert_array_equal(run.probe.inputs[:, 0], wanted)
        assert run.source.seed == 4


@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid"])
def test_the_activation_that_is_asked_for_is_used(tmp_path, activation):
    module = nn.RNN(3, 4)
    torch.save(module.state_dict(), tmp_path / "stranger.pt")
    with record(tmp_path, activation=activation, source="random", length=3) as run:
        trace = run.trace(0)
        assert run.models[0].structure.activation == activation
        assert run.source.activation == activation
        assert trace.faithful
        a = run.probe.inputs[0, 0] @ module.weight_ih_l0.detach().numpy().T
        a = a + (module.bias_ih_l0 + module.bias_hh_l0).detach().numpy()
        function = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x))}
        np.testing.assert_allclose(trace.layers[0].h[0, 0], function[activation](a), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell])
def test_a_cell_in_double_precision(tmp_path, kind):
    torch.save(kind(3, 4).double().state_dict(), tmp_path / "stranger.pt")
    with record(tmp_path, source="random", length=5) as run:
        trace = run.trace(0)
        assert trace.layers[0].h.dtype == np.float64
        assert trace.faithful


def test_not_a_number_in_the_weights_is_recorded_and_said(tmp_path):
    module = nn.GRU(3, 4)
    with torch.no_grad():
        module.weight_hh_l0[2, 2] = float("nan")
    torch.save(module.state_dict(), tmp_path / "stranger.pt")
    with record(tmp_path, source="random", length=5) as run:
        assert np.isnan(run.metrics("loss")[0])
        assert any("1 NaN" in note for note in run.capture(0).notes)
        assert any("1 NaN" in event.sentence for event in run.events())


def test_a_zero_state_has_a_zero_gradient(tmp_path):
    torch.save({name: 0 * value for name, value in nn.GRU(3, 4).state_dict().items()}, tmp_path / "stranger.pt")
    with record(tmp_path, source="random", length=5) as run:
        assert run.metrics("loss")[0] == 0
        assert not run.capture(0).grad_output.any()


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ({"source": "text", "text": "ab", "alphabet": "ab"}, "alphabet: wanted 3 characters, .* got 2"),
        ({"source": "text", "text": "ab"}, "alphabet: wanted 3 characters, .* got 2"),
        ({"source": "text", "text": "abx", "alphabet": "abc"}, "got 'x' at time step 3"),
        ({"source": "text", "text": "ab\udcff", "alphabet": "ab\udcff"}, "at time step 3"),
        ({"source": "text", "text": "ab", "alphabet": "aab"}, "each character once, got 'a'"),
        ({"source": "text", "text": "", "alphabet": "abc"}, "text: wanted at least one character"),
        ({**TEXT, "loss_time_step": 5}, "loss_time_step: wanted 1 to 4"),
        ({**TEXT, "loss_time_step": -1}, "loss_time_step: wanted 1 to 4"),
        ({"source": "random", "length": 0}, "length: wanted at least 1"),
        ({"source": "random", "length": 10**9}, "length: wanted at most"),
        ({"source": "csv", "file": "TABLE"}, r"columns of .*table.csv: wanted 3, .* got 2 \(a, b\)"),
        ({"source": "csv", "file": "TABLE", "columns": ("a", "b", "d")}, 'wanted a column "d"'),
        ({"source": "csv", "file": "TABLE", "columns": ("a", "b", "a")}, 'each column once, got "a" twice'),
        ({"source": "csv", "file": "TABLE", "columns": ("a", "b", "note")}, 'column "note": wanted a number'),
        ({"source": "csv", "file": "nowhere.csv"}, "nowhere.csv"),
    ],
)
def test_an_input_that_does_not_fit_is_one_sentence_and_no_run(lstm, tmp_path, task, said):
    table = tmp_path / "table.csv"
    table.write_text("a,b,note\n1,2,x\n3,4,y\n", encoding="utf-8")
    if task.get("file") == "TABLE":
        task = task | {"file": str(table)}
    with pytest.raises(RnnvizError, match=said):
        record(tmp_path, **task)
    assert not (tmp_path / "given.rnnviz").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="file names are Unicode there")
def test_a_file_name_that_is_no_text(lstm, tmp_path):
    name = os.fsdecode(b"odd\xff\n.pt")
    (tmp_path / "stranger.pt").rename(tmp_path / name)
    with record(tmp_path, checkpoint=name, source="random", length=3) as run:
        assert run.source.title == "odd��"
        assert run.source.checkpoint.endswith("odd?\n.pt")


def test_the_module_must_be_named_where_there_are_two(tmp_path):
    torch.save({"a": nn.GRU(3, 4).state_dict(), "b": nn.GRU(3, 5).state_dict()}, tmp_path / "stranger.pt")
    with pytest.raises(RnnvizError, match="2 recurrent modules"):
        record(tmp_path, **TEXT)
    with record(tmp_path, "b", **TEXT) as run:
        assert run.models[0].structure.hidden_size == 5


def test_the_commands_say_the_verdict(tmp_path, capsys):
    torch.manual_seed(9)
    module = torch.nn.RNN(2, 3)
    torch.save(module.state_dict(), tmp_path / "a.pt")
    with torch.no_grad():
        module.weight_hh_l0[1, 2] = float("nan")
    torch.save(module.state_dict(), tmp_path / "nan.pt")

    def said(*words):
        status = main([str(word) for word in words])
        return status, capsys.readouterr().out

    options = ("--length", 9, "--run")
    status, out = said("trace", tmp_path / "a.pt", "--activation", "tanh", *options, tmp_path / "a.rnnviz")
    assert (status, out[:31]) == (0, "Trace checked against autograd:")
    status, out = said("trace", tmp_path / "a.pt", *options, tmp_path / "guess.rnnviz")
    assert out.startswith("Trace is not your own pass: tanh is a guess.")
    status, out = said("check", tmp_path / "guess.rnnviz")
    assert status == 0
    assert out.rstrip().endswith("The trace is not your own pass: tanh is a guess.")
    words = "cannot be compared: first non-finite at weight_hh_l0: NaN."
    status, out = said("trace", tmp_path / "nan.pt", "--activation", "tanh", *options, tmp_path / "nan.rnnviz")
    assert (status, out) == (0, f"Trace {words}\n")
    status, out = said("check", tmp_path / "nan.rnnviz")
    assert status == 1
    assert out.rstrip().endswith(f"The trace {words}")
    assert "wrong" not in out
