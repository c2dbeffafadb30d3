"""`rnnviz inspect`: every kind of file as JSON and as a table, without torch in this process."""

import json
import subprocess
import sys

import pytest
import torch
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.source import Given, GivenInput
from rnnviz.engine.inspection import inspect_path, table
from rnnviz.engine.tracing.given_input import record_given


def test_a_state_dict(tmp_path):
    module = nn.LSTM(3, 5, 2, bidirectional=True)
    torch.save({"encoder": module.state_dict(), "cell": nn.RNNCell(2, 3).state_dict()}, tmp_path / "m.pt")
    found = inspect_path(tmp_path / "m.pt")
    assert json.loads(json.dumps(found)) == found
    lstm, cell = found["modules"]
    assert found["kind"] == "state dict"
    wanted = {"prefix": "encoder.", "title": "encoder", "cell": "lstm", "input_size": 3, "hidden_size": 5}
    wanted |= {"num_layers": 2, "bidirectional": True, "bias": True, "proj_size": 0, "is_cell": False}
    assert wanted.items() <= lstm.items()
    assert lstm["mapping"]["weight_hh_l1_reverse"] == ["encoder.weight_hh_l1_reverse"]
    assert lstm["parameters"] == sum(value.numel() for value in module.parameters())
    assert (cell["is_cell"], cell["activation"]) == (True, "tanh")
    shown = table(found)
    assert "encoder.  lstm" in shown
    assert "vanilla (tanh, a guess), one time step" in shown
    assert "note: cell: The file does not say the activation" in shown


def test_a_run_and_an_experiment(tmp_path):
    torch.save(nn.GRU(2, 3).state_dict(), tmp_path / "gru.pt")
    record_given(Given(str(tmp_path / "gru.pt"), GivenInput(length=4)), tmp_path / "run.rnnviz")
    run = inspect_path(tmp_path / "run.rnnviz")
    assert (run["kind"], run["task"], run["captures"], run["modules"][0]["cell"]) == ("run", "given input", 1, "gru")
    write_experiment(first_lesson(), tmp_path / "lesson.toml")
    experiment = inspect_path(tmp_path / "lesson.toml")
    assert (experiment["kind"], experiment["task"]) == ("experiment", "temporal order")
    assert [model["cell"] for model in experiment["models"]] == ["vanilla", "lstm"]
    assert "LSTM (lstm, 12 units)" in table(experiment)


@pytest.mark.parametrize("name", ["table.csv", "table.tsv", "table.txt", "table"])
def test_a_table(tmp_path, name):
    separator = "\t" if name.endswith("tsv") else ","
    rows = [["year", "spots", "who"], ["1900", "9.5", "x"], ["1901", "2.7", "y"]]
    (tmp_path / name).write_text("\n".join(separator.join(row) for row in rows), encoding="utf-8")
    found = inspect_path(tmp_path / name)
    assert (found["kind"], found["rows"], found["time_column"]) == ("csv", 2, "year")
    assert found["columns"][1:] == [
        {"name": "spots", "numeric": True, "count": 2},
        {"name": "who", "numeric": False, "count": 2},
    ]
    assert "spots" in table(found)


@pytest.mark.parametrize("name", ["poem.txt", "poem.md", "poem.py", "poem", "page.html"])
def test_a_text(tmp_path, name):
    content = "<html>no\nyes" if name == "page.html" else "row, row,\nrow your boat"
    (tmp_path / name).write_text(content, encoding="utf-8")
    found = inspect_path(tmp_path / name)
    assert (found["kind"], found["characters"]) == ("text", len(content))
    assert found["alphabet"] == "".join(sorted(set(content)))


@pytest.mark.parametrize("name", ["picture.pt", "page.pt", "text.pt", "empty.pt", "folder.pt", "keras.pt", "arrays.pt"])
def test_what_is_nothing_of_ours_is_one_sentence(craft, name):
    path, *_ = craft.files[name]
    with pytest.raises(RnnvizError) as refusal:
        inspect_path(path)
    assert str(refusal.value).startswith(str(path))


def test_a_latin1_table_names_the_byte(tmp_path):
    (tmp_path / "t.csv").write_bytes("a,b\n1,ü\n".encode("latin-1"))
    with pytest.raises(RnnvizError, match="wanted UTF-8 text, came byte 0xfc"):
        inspect_path(tmp_path / "t.csv")


def test_looking_imports_no_torch(tmp_path):
    torch.save(nn.GRU(2, 3).state_dict(), tmp_path / "gru.pt")
    (tmp_path / "t.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    script = (
        "import sys; from rnnviz.engine.inspection import inspect_path\n"
        f"for name in ('gru.pt', 't.csv'): print(inspect_path({str(tmp_path)!r} + '/' + name)['kind'])\n"
        "assert 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.split("\n")[:2] == ["state dict", "csv"]
