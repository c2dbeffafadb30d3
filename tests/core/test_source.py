"""Where a run comes from: every record comes back from its text, old files open, nothing senseless does."""

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.settings import first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.source import (
    Given,
    GivenInput,
    Recorded,
    Source,
    Trained,
    parse_source,
    parse_source_json,
    read_source,
    source_json,
)
from rnnviz.core.stopping.marks import Bookmark, Marks

texts = st.text(st.characters(codec="utf-8"), max_size=20)
paths = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20)
inputs = st.builds(
    GivenInput,
    source=st.sampled_from(["text", "csv", "random"]),
    text=texts,
    alphabet=texts,
    file=paths,
    columns=st.lists(texts, max_size=4).map(tuple),
    length=st.integers(1, 10_000),
    loss_time_step=st.integers(0, 100),
)
given_sources = st.builds(
    Given,
    checkpoint=paths,
    input=inputs,
    module=st.none() | texts,
    activation=st.sampled_from([None, "tanh", "relu", "sigmoid"]),
    drawn_from=st.integers(0, 2**63 - 1),
    name=texts,
)


@settings(max_examples=100)
@given(given_sources)
def test_a_given_input_comes_back_from_its_text(source: Given) -> None:
    assert parse_source_json(source_json(source), "x") == source


@pytest.mark.parametrize(
    "source",
    [
        Trained(replace(first_lesson(), seed=9, marks=Marks(bookmarks=(Bookmark(3, note="é"),)))),
        Recorded("/home/me/mine.py"),
        Recorded("mine.py", name="Mine"),
    ],
)
def test_other_sources_come_back_from_their_text(source: Source) -> None:
    assert parse_source_json(source_json(source), "x") == source


def test_only_what_was_trained_can_be_trained_on() -> None:
    lesson = replace(first_lesson(), name="Mine", seed=9, training=TrainingSettings(batch_size=3))
    facts = [
        (one.title, one.seed, one.training, one.trainable)
        for one in (Trained(lesson), Given("/a/net.pt", drawn_from=4), Given("", name="Net"), Recorded("b/mine.py"))
    ]
    assert facts == [
        ("Mine", 9, lesson.training, True),
        ("net", 4, None, False),
        ("Net", 1, None, False),
        ("mine", None, None, False),
    ]


OLD = """rnnviz = 1
name = "speech"
seed = 7
[task]
name = "given input"
checkpoint = "nets/speech.pt"
source = "csv"
text = ""
alphabet = ""
file = "words.csv"
columns = ["a", "b"]
length = 50
loss_time_step = 3
[[models]]
name = "encoder"
cell = "vanilla"
hidden_size = 9000
num_layers = 20
activation = "relu"
"""


def test_an_experiment_that_names_a_given_input_is_one(tmp_path: Path) -> None:
    asked = GivenInput("csv", file="words.csv", columns=("a", "b"), loss_time_step=3)
    wanted = Given("nets/speech.pt", asked, None, "relu", 7, "speech")
    assert parse_source(OLD, "x.toml") == wanted
    (tmp_path / "old.toml").write_text(OLD, encoding="utf-8")
    file, checkpoint = str(tmp_path / "words.csv"), str(tmp_path / "nets" / "speech.pt")
    assert read_source(tmp_path / "old.toml") == replace(wanted, checkpoint=checkpoint, input=replace(asked, file=file))
    other = OLD.replace('cell = "vanilla"', 'cell = "lstm"').replace('activation = "relu"\n', "")
    assert parse_source(other, "x.toml") == replace(wanted, activation=None)


def test_any_other_experiment_is_trained(tmp_path: Path) -> None:
    write_experiment(first_lesson(), tmp_path / "lesson.toml")
    assert read_source(tmp_path / "lesson.toml") == Trained(first_lesson())


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('source = "csv"', 'source = "radio"', "x.toml: task.input.source must be one of"),
        ("length = 50", "length = 0", "x.toml: task.input.length must be a whole number from 1"),
        ("loss_time_step = 3", "loss_time_step = -3", "x.toml: task.input.loss_time_step must be"),
        ("seed = 7", 'seed = "7"', "x.toml: task.drawn_from must be a whole number"),
        ('activation = "relu"', 'activation = "step"', "x.toml: task.activation must be one of"),
        ("text = ", "texts = ", "x.toml: unknown key task.input.texts"),
    ],
)
def test_an_old_given_input_that_is_wrong_is_refused(old: str, new: str, words: str) -> None:
    with pytest.raises(RnnvizError) as caught:
        parse_source(OLD.replace(old, new), "x.toml")
    assert words in str(caught.value)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (Given("\udcff"), "source.checkpoint must be text that UTF-8 can hold"),
        (Given("a\0b"), "source.checkpoint must be a path without a zero character"),
        (Given("a", GivenInput(text="\udcff")), "source.input.text must be text"),
        (Given("a", GivenInput(alphabet="\ud800")), "source.input.alphabet must be text"),
        (Given("a", GivenInput(columns=("b", "\ud800"))), r"source.input.columns[1] must be text"),
        (Given("a", module="\ud800"), "source.module must be text"),
        (Given("a", drawn_from=-1), "source.drawn_from must be a whole number from 0"),
        (Recorded("\ud800"), "source.script must be text"),
    ],
)
def test_what_no_file_should_hold_is_refused(value: Source, words: str) -> None:
    with pytest.raises(RnnvizError) as caught:
        parse_source_json(source_json(value), "x")
    assert words in str(caught.value)
