"""The experiment as TOML: what is written comes back, and every mistake gets one sentence with file and key."""

import os
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnnviz.core.cells import cell_kinds
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.file import experiment_toml, parse_experiment, read_experiment, write_experiment
from rnnviz.core.experiment.heads import fitted
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OPTIMISERS, AdamW, Momentum, RmsProp
from rnnviz.core.optimising.schedules import SCHEDULES, OnPlateau, StepDecay
from rnnviz.core.setting import differences
from rnnviz.core.tasks import Adding, NextCharacter, NextValue, TemporalOrder

TEXT = experiment_toml(first_lesson())

names = st.text(st.characters(codec="utf-8", exclude_categories=("C", "Z")), min_size=1, max_size=20)
lengths = st.integers(2, 1000)
shares = st.floats(0.01, 0.99)
columns = st.lists(names, max_size=3, unique=True).map(tuple)
paths = st.sampled_from(["", "/data/a.csv", "/tmp/ä b.txt"])


@st.composite
def temporal_orders(draw: st.DrawFn) -> TemporalOrder:
    places = sorted(draw(st.sets(st.integers(0, 500), min_size=4, max_size=4)))
    shortest = draw(st.integers(places[3] + 1, 600))
    return TemporalOrder(
        length=(shortest, draw(st.integers(shortest, 700))),
        first_mark=(places[0], places[1]),
        second_mark=(places[2], places[3]),
    )


tasks = st.one_of(
    temporal_orders(),
    st.builds(Adding, length=lengths),
    st.builds(NextValue, file=paths, columns=columns, targets=columns, length=lengths, train_share=shares),
    st.builds(NextCharacter, file=paths, length=lengths, train_share=shares),
)
sizes = {"hidden_size": st.integers(1, 32), "num_layers": st.integers(1, 8)}
models = st.one_of(
    st.builds(
        ModelSettings,
        names,
        st.just("vanilla"),
        own=st.builds(VanillaSettings, st.sampled_from(["tanh", "relu", "sigmoid"])),
        **sizes,
    ),
    st.builds(ModelSettings, names, st.just("lstm"), own=st.builds(LstmSettings, st.floats(-100, 100)), **sizes),
    st.builds(ModelSettings, names, st.just("gru"), **sizes),
)
trainings = st.builds(
    TrainingSettings,
    optimiser=st.sampled_from([*OPTIMISERS]),
    schedule=st.sampled_from([*SCHEDULES]),
    own=st.sampled_from([Momentum(1.0, 0.3, 0.2), AdamW(1.0, 0.3, 0.4, 1e-3, 0.7), RmsProp(1.0, 0.3)]),
    scheduled=st.sampled_from([StepDecay(7, 0.3), OnPlateau(7, 0.3, 0.2, 0.1)]),
    clip_value=st.floats(0, 1e6),
    gradient_noise=st.floats(0, 1e6),
    patience=st.integers(0, 10**9),
    validation=st.booleans(),
    learning_rate=st.floats(0, 1e6, exclude_min=True),
    clip_norm=st.floats(0, 1e6),
    batch_size=st.integers(1, 32),
    training_steps=st.integers(0, 10**9),
)
experiments = st.builds(
    Experiment,
    name=names,
    task=tasks,
    models=st.lists(models, min_size=1, max_size=8, unique_by=lambda model: model.name).map(tuple),
    training=trainings,
    seed=st.integers(0, 2**63 - 1),
)


@settings(max_examples=60)
@given(experiments)
def test_what_is_written_comes_back(experiment: Experiment) -> None:
    assert parse_experiment(experiment_toml(experiment), "x.toml") == experiment


@settings(max_examples=300)
@given(st.text(max_size=60))
def test_any_text_is_refused_with_a_sentence(text: str) -> None:
    with pytest.raises(RnnvizError, match=r"x\.toml"):
        parse_experiment(text, "x.toml")


@settings(max_examples=300)
@given(st.integers(0, len(TEXT) - 1), st.integers(0, 10), st.text(max_size=5))
def test_a_damaged_experiment_is_one_or_is_refused(start: int, length: int, instead: str) -> None:
    try:
        experiment = parse_experiment(TEXT[:start] + instead + TEXT[start + length :], "x.toml")
    except RnnvizError as error:
        assert str(error).startswith("x.toml")  # noqa: PT017
    else:
        check_experiment(experiment)


def test_a_person_can_read_it() -> None:
    assert TEXT.startswith('rnnviz = 1\nname = "Who remembers? vanilla against LSTM"\nseed = 1\n\n[task]\n')
    assert "length = [60, 80]\n" in TEXT
    assert TEXT.count("[[models]]") == 2
    assert TEXT.count("activation") == TEXT.count("forget_bias") == 1


def test_only_what_differs_from_the_defaults_need_be_written() -> None:
    text = 'rnnviz = 1\nname = "short"\ntask = {name = "adding"}\nmodels = [{name = "a", cell = "gru"}]'
    assert parse_experiment(text, "x.toml") == Experiment("short", Adding(), (ModelSettings("a", "gru"),))


def changed(*replacements: tuple[str, str]) -> str:
    text = TEXT
    for old, new in replacements:
        assert old in text
        text = text.replace(old, new, 1)
    return text


NEXT_CHARACTER = ('name = "temporal order"\nlength = [60, 80]\nfirst_mark = [10, 20]\nsecond_mark = [45, 54]',)

WRONG = {
    "empty": ("", "has no key rnnviz; wanted an rnnviz experiment"),
    "another program's": ('[project]\nname = "x"', "has no key rnnviz"),
    "no TOML": ("rnnviz = = 1", "is not TOML: "),
    "twice": ("rnnviz = 1\nrnnviz = 1", "is not TOML: "),
    "deep": ("a = " + "[" * 5000, "is not TOML: "),
    "deep tables": ("a = " + "{a = " * 5000, "is not TOML: tables or lists are nested too deeply."),
    "many digits": (
        "\nrnnviz = " + "9" * 5000,
        "line 2: wanted names and numbers of at most 1,000 characters, got one of",
    ),
    "a key of many names": ("x = {" + "a." * 100_000 + "a = 1}", "line 1: wanted keys of at most 16 names with dots"),
    "a table of many names": ("[" + "'a' . " * 50_000 + "a]", "line 1: wanted keys of at most 16 names with dots"),
    "names behind a text": ('x = {x = """a"""", y' + ".y" * 100_000 + " = 1}", "wanted keys of at most 16 names"),
    "no date": ("a = 2023-13-45", "is not TOML: "),
    "many models": (
        TEXT + '[[models]]\nname = "a"\ncell = "gru"\n' * 20_000,
        "models must be 1 to 8 tables, not 20002.",
    ),
    "many bookmarks": (TEXT + "[[bookmarks]]\ntraining_step = 1\n" * 20_000, "bookmarks are at most 1000, not 20000."),
    "a long key": (TEXT.replace("seed", '"' + "s" * 100_000 + '"', 1), "unknown key " + "s" * 56),
    "newer": (changed(("rnnviz = 1", "rnnviz = 2")), "written by a newer rnnviz (rnnviz = 2); this one reads 1"),
    "version as text": (changed(("rnnviz = 1", 'rnnviz = "1"')), 'rnnviz must be 1, not "1"'),
    "version true": (changed(("rnnviz = 1", "rnnviz = true")), "rnnviz must be 1, not true"),
    "no name": (changed(('name = "Who remembers? vanilla against LSTM"\n', "")), "name is missing"),
    "blank name": (changed(("Who remembers? vanilla against LSTM", " ")), "name must be one line of 1 to 200"),
    "seed": (changed(("seed = 1", "seed = 1.5")), "seed must be a whole number, not 1.5"),
    "negative seed": (changed(("seed = 1", "seed = -1")), "seed must be a whole number from 0 to"),
    "top key": (changed(("seed = 1", "sead = 1")), "unknown key sead, did you mean seed?"),
    "table key": (
        changed(("learning_rate", "learningrate")),
        "unknown key training.learningrate, did you mean learning_rate?",
    ),
    "key far from all": (
        changed(("num_layers", "zzz")),
        "unknown key models[0].zzz, known are name, cell, hidden_size, num_layers, bidirectional, pooling, residual",
    ),
    "key of a field": (changed(("num_layers", "own")), "unknown key models[0].own, known are name, cell, "),
    "model key": (changed(("num_layers", "layers")), "unknown key models[0].layers"),
    "no task": ('rnnviz = 1\nname = "a"', "the table task is missing"),
    "task as text": ('rnnviz = 1\nname = "a"\ntask = "adding"', 'task must be a table, not "adding"'),
    "no task name": (changed(('name = "temporal order"\n', "")), "task.name is missing; wanted one of"),
    "task name": (changed(("temporal order", "temporal odor")), 'task.name must be one of "temporal order", '),
    "task of another": (
        changed(('name = "temporal order"', 'name = "adding"')),
        "unknown key task.first_mark, known are name, length.",
    ),
    "length": (changed(("[60, 80]", "[80, 60]")), "task.length must be two whole numbers from 1 to 10000, the smaller"),
    "three lengths": (changed(("[60, 80]", "[60, 80, 90]")), "task.length must be a list of 2, not [60, 80, 90]"),
    "length entry": (changed(("[60, 80]", '[60, "80"]')), 'task.length[1] must be a whole number, not "80"'),
    "mark outside": (
        changed(("[45, 54]", "[45, 60]")),
        "task.second_mark must be within the shortest sequence (0 to 59)",
    ),
    "marks mixed": (changed(("[45, 54]", "[20, 54]")), "task.second_mark must be after first_mark, which ends at 20"),
    "rate zero": (changed(("0.01", "0.0")), "training.learning_rate must be a finite number above 0, not 0.0"),
    "rate inf": (changed(("0.01", "inf")), "training.learning_rate must be a finite number above 0, not inf"),
    "rate nan": (changed(("0.01", "nan")), "training.learning_rate must be a finite number above 0, not nan"),
    "rate text": (changed(("0.01", '"fast"')), 'training.learning_rate must be a number, not "fast"'),
    "rate true": (changed(("0.01", "true")), "training.learning_rate must be a number, not true"),
    "rate of 400 digits": (changed(("0.01", "1" + "0" * 400)), "training.learning_rate must be a number within"),
    "clip": (
        changed(("clip_norm = 1.0", "clip_norm = -1.0")),
        "training.clip_norm must be a finite number of at least 0",
    ),
    "batch": (
        changed(("batch_size = 32", "batch_size = 0")),
        "training.batch_size must be a whole number from 1 to 4096",
    ),
    "training steps": (changed(("= 1000", "= -1")), "training.training_steps must be a whole number from 0"),
    "optimiser": (
        changed(('"adam"', '"adama"')),
        'training.optimiser must be one of "adam", "adamw", "sgd", "momentum", "nesterov", "rmsprop", not "adama"',
    ),
    "of another optimiser": (
        changed(("beta1 = 0.9", "momentum = 0.9")),
        'training.momentum must be left out for the optimiser "adam" (it belongs to "momentum" and "nesterov")',
    ),
    "of another schedule": (
        changed(("beta1 = 0.9", "first_share = 0.9")),
        'training.first_share must be left out for the schedule "constant" (it belongs to "warm-up")',
    ),
    "beta": (changed(("beta1 = 0.9", "beta1 = 1")), "training.beta1 must be a number from 0 to 1, 1 excluded, not 1.0"),
    "own": (changed(("beta1 = 0.9", "own = 1")), "unknown key training.own, known are optimiser"),
    "cell": (
        changed(('"lstm"', '"LSTM"')),
        "models[1].cell must be one of " + ", ".join(f'"{cell}"' for cell in cell_kinds()) + ', not "LSTM"',
    ),
    "no cell": (changed(('cell = "lstm"\n', "")), "models[1].cell is missing"),
    "hidden size": (
        changed(("hidden_size = 12", "hidden_size = 0")),
        "models[0].hidden_size must be a whole number from 1",
    ),
    "hidden huge": (changed(("hidden_size = 12", "hidden_size = 4097")), "from 1 to 4096, not 4097"),
    "layers": (
        changed(("num_layers = 1", "num_layers = 9")),
        "models[0].num_layers must be a whole number from 1 to 8",
    ),
    "bidirectional": (
        changed(("bidirectional = false", "bidirectional = 0")),
        "models[0].bidirectional must be true or false, not 0",
    ),
    "forget bias": (changed(("forget_bias = ", "forget_bias = nan # ")), "models[1].forget_bias must be a number from"),
    "bias of vanilla": (changed(('"tanh"', '"tanh"\nforget_bias = 1')), "models[0].forget_bias must be left out"),
    "same names": (changed(('"LSTM"', '"Vanilla"')), "models[1].name must be a name no other model has"),
    "too large": (
        TEXT.replace("hidden_size = 12\nnum_layers = 1\n", "hidden_size = 4096\nnum_layers = 8\n"),
        "GB of memory and",
    ),
    "no models": (TEXT[: TEXT.index("[[models]]")], "models must be 1 to 8 tables, not 0"),
    "models as table": (TEXT[: TEXT.index("[[models]]")] + "[models]\na = 1", "models must be a list of tables"),
    "nine models": (
        TEXT + "".join(f'[[models]]\nname = "{n}"\ncell = "gru"\n' for n in range(7)),
        "models must be 1 to 8 tables, not 9",
    ),
    "sees the answer": (
        changed((NEXT_CHARACTER[0], 'name = "next character"'), ("bidirectional = false", "bidirectional = true")),
        'models[0].bidirectional must be false for the task "next character", whose answer a backward direction',
    ),
    "share": (
        changed((NEXT_CHARACTER[0], 'name = "next value"\ntrain_share = 1')),
        "task.train_share must be between 0 and 1, both excluded, not 1.0",
    ),
    "columns twice": (
        changed((NEXT_CHARACTER[0], 'name = "next value"\ncolumns = ["a", "a"]')),
        "task.columns[1] must be a column name",
    ),
    "targets twice": (
        changed((NEXT_CHARACTER[0], 'name = "next value"\ntargets = ["a", "b", "b"]')),
        "task.targets[2] must be a column name",
    ),
    "zero in path": (
        changed((NEXT_CHARACTER[0], 'name = "next value"\nfile = "a\\u0000"')),
        "task.file must be a path",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_every_mistake_gets_its_sentence(name: str) -> None:
    text, words = WRONG[name]
    with pytest.raises(RnnvizError) as caught:
        parse_experiment(text, "lesson.toml")
    sentence = str(caught.value)
    assert sentence.startswith("lesson.toml")
    assert words in sentence
    assert "\n" not in sentence
    assert len(sentence) < 300


@pytest.mark.parametrize(
    "task",
    [
        NextValue(file="\udcff"),
        NextValue(columns=("\udcff",)),
    ],
)
def test_what_utf8_cannot_hold_is_refused(task: NextValue) -> None:
    with pytest.raises(RnnvizError, match=r"task\."):
        check_experiment(Experiment("a", task, (ModelSettings("a", "gru"),)))


HEADS = {
    "pooling": (NextValue(), {"pooling": "max"}, {}, 'models[0].pooling must be "last" for the task "next value"'),
    "loss": (
        Adding(),
        {},
        {"loss": "cross entropy"},
        'training.loss must be "mean squared error" for the task "adding", which has no such answers, not "cross',
    ),
    "reduction": (
        TemporalOrder(),
        {},
        {"reduction": "sum"},
        'training.reduction must be "mean" for the task "temporal order", which asks at the last time step alone',
    ),
}


@pytest.mark.parametrize("name", HEADS)
def test_what_of_a_head_does_not_fit_the_task_is_refused_and_fitted(name: str) -> None:
    task, model, training, words = HEADS[name]
    wrong = Experiment("a", task, (ModelSettings("a", "gru", **model),), TrainingSettings(**training))  # type: ignore[arg-type]
    with pytest.raises(RnnvizError) as caught:
        parse_experiment(experiment_toml(wrong), "lesson.toml")
    assert words in str(caught.value)
    check_experiment(fitted(wrong))
    assert fitted(wrong) == Experiment("a", task, (ModelSettings("a", "gru"),))


def test_a_head_that_fits_stays_and_comes_back() -> None:
    pooling = replace(first_lesson().models[0], pooling="mean")
    at_end = replace(first_lesson(), models=(pooling,), training=TrainingSettings(loss="binary cross-entropy"))
    often = Experiment("b", NextCharacter(), (ModelSettings("a", "gru"),), TrainingSettings(reduction="sum"))
    named = replace(often, training=TrainingSettings(loss="cross entropy"))  # its own, by its name
    for one in (at_end, often, named):
        assert fitted(one) == one
        assert parse_experiment(experiment_toml(one), "x") == one
    assert not {"pooling", "reduction", "loss ="} & set(experiment_toml(first_lesson()).split())
    assert list(differences(first_lesson().models[0], pooling)) == ["what the head reads at the end → mean"]


def test_keys_that_do_not_apply_are_not_written() -> None:
    text = experiment_toml(replace(first_lesson(), models=(ModelSettings("a", "gru"),)))
    assert "activation" not in text
    assert "forget_bias" not in text
    lines = TEXT.replace("forget_bias = 1.0", 'forget_bias = 1.0\nactivation = "tanh"')  # as earlier versions wrote it
    assert lines != TEXT
    assert parse_experiment(lines, "x") == parse_experiment(TEXT, "x")


def test_data_files_are_found_beside_the_experiment(tmp_path: Path) -> None:
    path = tmp_path / "lesson.toml"
    for data, written in ((tmp_path / "data" / "a.csv", "data/a.csv"), (tmp_path.parent / "b.csv", None)):
        experiment = Experiment("a", NextValue(file=str(data)), (ModelSettings("a", "gru"),))
        write_experiment(experiment, path)
        named = tomllib.loads(path.read_text())["task"]["file"]
        assert named == (written or str(data))
        assert read_experiment(path) == experiment
    assert os.listdir(tmp_path) == ["lesson.toml"]


def test_a_relative_file_is_taken_from_the_folder_of_the_experiment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/")
    text = changed((NEXT_CHARACTER[0], 'name = "next character"\nfile = "../x.txt"'))
    (tmp_path / "lesson.toml").write_text(text)
    task = read_experiment(tmp_path / "lesson.toml").task
    assert isinstance(task, NextCharacter)
    assert task.file == str(tmp_path.parent / "x.txt")


def test_files_that_cannot_be_read_are_named(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    for content, words in (
        (b"\xff\xfe", "not UTF-8 text (byte 0 is 0xff)"),
        (b"#" * (1 << 20) + b"\n", "1,048,577 bytes; wanted an experiment in TOML of at most 1,048,576"),
    ):
        path.write_bytes(content)
        with pytest.raises(RnnvizError) as caught:
            read_experiment(path)
        assert words in str(caught.value)
        assert str(path) in str(caught.value)
    os.mkfifo(tmp_path / "pipe")
    for missing, words in (("no.toml", "does not exist"), ("", "not a file"), ("pipe", "not a file")):
        with pytest.raises(RnnvizError, match=words):
            read_experiment(tmp_path / missing)


def test_what_cannot_be_written_leaves_the_file_that_was_there(tmp_path: Path) -> None:
    path = tmp_path / "a.toml"
    path.write_text("mine")
    with pytest.raises(RnnvizError, match="seed must be"):
        write_experiment(replace(first_lesson(), seed=-1), path)
    assert path.read_text() == "mine"
    with pytest.raises(RnnvizError, match=r"missing/a\.toml cannot be written"):
        write_experiment(first_lesson(), tmp_path / "missing" / "a.toml")
    with pytest.raises(RnnvizError, match="cannot be written"):
        write_experiment(first_lesson(), tmp_path)
    assert os.listdir(tmp_path) == ["a.toml"]
