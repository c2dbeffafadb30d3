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
    quiet = {"count": 2, "gaps": 0, "constant": None, "words": []}
    assert found["columns"][1:] == [
        {"name": "spots", "numeric": True, "problem": "", **quiet},
        {"name": "who", "numeric": False, "problem": "line 2: 'x' is no number", **quiet},
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


@pytest.mark.parametrize(
    ("name", "content", "wanted"),
    [
        ("t.csv", "a,b\n1,ü\n".encode("latin-1"), {"encoding": "latin-1", "notes": ["read as Latin-1"]}),
        ("t.csv", "a,b\n1,ü\n".encode("utf-16"), {"encoding": "unicode", "notes": ["read as UTF-16"]}),
        ("t.dat", "a,b\n1,ü\n".encode("utf-32"), {"encoding": "unicode", "notes": ["read as UTF-32"]}),
        ("t.txt", "über".encode("latin-1"), {"kind": "text", "encoding": "latin-1", "alphabet": "berü"}),
        ("song", b"[Verse]\nrow, row", {"kind": "text"}),
        ("numbered", b"[1]\nrow, row\n[2]\nyour boat", {"kind": "text"}),
        ("list.txt", b"[1, 2, 3]", {"kind": "text"}),
    ],
)
def test_letters_are_decoded_and_it_is_said(tmp_path, name, content, wanted):
    (tmp_path / name).write_bytes(content)
    found = inspect_path(tmp_path / name)
    found["notes"] = found["notes"][:1]
    assert found | wanted == found


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("list.json", "[1, 2, 3]", "is JSON, not a text; .* give its name the ending .txt"),
        ("export", '{"a": [1]}', "is JSON, not a text; to train on its characters anyway"),
        ("lines.jsonl", '{"a": 1}\n\n[2]\n{"b": 3}\n', "is JSON, not a text; to train on its characters anyway"),
        ("t.csv", "<!DOCTYPE html><html>", r"is a web page \(HTML\): wanted a CSV table"),
        ("t.csv", '[{"a": 1}]', "is JSON: wanted a CSV table"),
    ],
)
def test_what_is_no_table_and_no_text_is_named(tmp_path, name, content, words):
    (tmp_path / name).write_text(content)
    with pytest.raises(RnnvizError, match=words):
        inspect_path(tmp_path / name)


def test_a_table_is_told_with_what_a_person_should_know(tmp_path):
    rows = [f"{n},{'' if n == 7 else n * n},5,{n * n}e305,{'x' if n == 9 else n}" for n in range(30, 0, -1)]
    (tmp_path / "t.csv").write_text("\n".join(["n,square,five,huge,mixed", *rows]))
    told = table(inspect_path(tmp_path / "t.csv"))
    for words in (
        "n       times ",
        "huge    numbers, its spread is beyond float64's range",
        "mixed   numbers, line 23: 'x' is no number",
        "note: “n” goes backward from 30 to 1: the newest row comes first",
        "note: “square” has gaps: 1;",
        "note: “five” is 5 in every row: nothing to learn",
        "note: a length of 40 time steps needs 52 rows, and any length needs 3; this table has 30",
    ):
        assert words in told


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
