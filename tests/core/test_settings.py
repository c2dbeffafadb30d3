"""A setting's range, words and form have one home: a file, the form and "what changed" cannot say different things."""

import math
from dataclasses import fields, replace

import pytest

from rnnviz.core.cells import CELLS
from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.cells.vanilla import VanillaSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.model_settings import CellChoice, ModelSettings
from rnnviz.core.experiment.settings import Experiment, first_lesson, restart_needed
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.optimising.optimisers import OPTIMISERS
from rnnviz.core.optimising.schedules import SCHEDULES
from rnnviz.core.setting import (
    ColumnNames,
    DataFile,
    OneLine,
    OneOf,
    RealNumber,
    Span,
    WholeNumber,
    differences,
    settings_of,
)
from rnnviz.core.tasks import TASKS, DataTask, Glyphs, data_task

CELL_OF = {kind.settings: kind.name for kind in CELLS.values() if settings_of(kind.settings)}  # whose own they are
OPTIMISER_OF = {kind: name for name, kind in OPTIMISERS.items()}
SCHEDULE_OF = {kind: name for name, kind in SCHEDULES.items() if settings_of(kind)}
RECORDS = (Experiment, ModelSettings, TrainingSettings, *CELL_OF, *OPTIMISER_OF, *SCHEDULE_OF, *TASKS.values())
STEPS = {"training_steps": 100, "patience": 25, "plateau_patience": 25, "rate_steps": 10}  # those of others are 1
SETTINGS = [(record, name) for record in RECORDS for name in settings_of(record)]
NUMBERS = [
    (record, name)
    for record, name in SETTINGS
    if isinstance(settings_of(record)[name].range, WholeNumber | RealNumber | Span)
]


def edges(record, name):
    """Values at both bounds of the hard range and just outside."""
    match settings_of(record)[name].range:
        case WholeNumber(low, high):
            return [low, high], [low - 1, high + 1]
        case Span(low, high):
            return [(low, low), (high, high)], [(low - 1, low), (high, high + 1), (low + 1, low)]
        case RealNumber(low, high, low_excluded, high_excluded):
            below, above = math.nextafter(low, -math.inf), math.nextafter(high, math.inf)
            first = math.nextafter(low, math.inf) if low_excluded else low
            last = math.nextafter(high, -math.inf) if high_excluded or high == math.inf else high
            outside = [low if low_excluded else below, high if high_excluded else above, math.nan, math.inf, -math.inf]
            return [first, last], outside
    raise AssertionError(name)


def test_the_arrow_keys_of_every_whole_number_go_one_by_one_but_of_those_that_count_training_steps():
    steps = {name: settings_of(record)[name].step for record, name in NUMBERS if takes_one(record, name)}
    assert {"seed", "length", "batch_size", "num_layers"} < steps.keys()
    assert steps == {name: STEPS.get(name, 1) for name in steps}


def takes_one(record, name):
    return isinstance(settings_of(record)[name].form, WholeNumber)


def experiment_with(record, name, value):
    """The first lesson with another value, and the key of the value in its file."""
    lesson = first_lesson()
    if record is Experiment:
        return replace(lesson, **{name: value}), name
    if record is TrainingSettings:
        return replace(lesson, training=replace(lesson.training, **{name: value})), f"training.{name}"
    if record in OPTIMISER_OF:
        training = TrainingSettings(OPTIMISER_OF[record], 0.03, own=record(0.03, **{name: value}))
        return replace(lesson, training=training), f"training.{name}"
    if record in SCHEDULE_OF:
        training = TrainingSettings(schedule=SCHEDULE_OF[record], scheduled=record(**{name: value}))
        return replace(lesson, training=training), f"training.{name}"
    if record is ModelSettings:
        if name == "convolution":
            lesson = replace(lesson, task=Glyphs())
        return replace(lesson, models=(ModelSettings("only", "gru", **{name: value}),)), f"models[0].{name}"
    if record in CELL_OF:
        model = ModelSettings("only", CELL_OF[record], own=record(**{name: value}))
        return replace(lesson, models=(model,)), f"models[0].{name}"
    return replace(lesson, task=replace(TASKS[record.name](), **{name: value})), f"task.{name}"


@pytest.mark.parametrize(("record", "name"), NUMBERS)
def test_a_file_takes_the_bounds_and_refuses_what_lies_just_outside(record, name):
    inside, outside = edges(record, name)
    for value in inside:
        experiment, key = experiment_with(record, name, value)
        try:
            assert parse_experiment(experiment_toml(experiment), "x.toml") == experiment
        except RnnvizError as error:  # two spans that are each in range may still cross
            assert record.name == "temporal order"
            assert "two whole numbers" not in str(error)  # noqa: PT017
    for value in outside:
        experiment, key = experiment_with(record, name, value)
        with pytest.raises(RnnvizError) as refusal:
            parse_experiment(experiment_toml(experiment), "x.toml")
        assert str(refusal.value).startswith(f"x.toml: {key} must be ")


@pytest.mark.parametrize(("record", "name"), SETTINGS)
def test_the_form_lies_within_what_a_file_may_hold(record, name):
    one = settings_of(record)[name]
    assert type(one.form) is type(one.range)
    match one.form, one.range:
        case ((WholeNumber() | Span() | RealNumber() as form), (WholeNumber() | Span() | RealNumber() as hard)):
            assert hard.low <= form.low <= form.high <= hard.high
            if isinstance(form, RealNumber) and isinstance(hard, RealNumber):
                assert form.low > hard.low or form.low_excluded or not hard.low_excluded
                assert form.high < hard.high or form.high_excluded or not hard.high_excluded
        case OneLine(shorter), OneLine(longer):
            assert 1 <= shorter <= longer
        case form, hard:
            assert form == hard


@pytest.mark.parametrize("record", RECORDS)
def test_every_field_is_a_setting_or_a_record_of_its_own(record):
    parts = {Experiment: {"task", "models", "training", "marks"}, ModelSettings: {"own"}}
    structural = (parts | {TrainingSettings: {"own", "scheduled"}}).get(record, set())
    named = set() if record in (Experiment, ModelSettings) else {"name"}  # a task's name is its kind
    if record is TrainingSettings or record in CELL_OF or record in SCHEDULE_OF:
        named = set()
    if record in OPTIMISER_OF:
        named = {"learning_rate"}  # that of the training
    assert {field.name for field in fields(record)} - set(settings_of(record)) == structural | named


@pytest.mark.parametrize(("record", "name"), SETTINGS)
def test_what_changed_has_words_for_every_setting(record, name):
    before, after = values(record, name)
    known = {"name": "a", "cell": "gru"} if record is ModelSettings else {}
    if record is Experiment:
        known = {"name": "a", "task": first_lesson().task, "models": ()}
    if record in OPTIMISER_OF:
        known = {"learning_rate": 0.1}
    old, new = (record(**(known | {name: value})) for value in (before, after))
    (phrase,) = differences(old, new, " of B")
    words, _, shown = phrase.partition(" of B ")
    assert words
    assert words == (settings_of(record)[name].short or name.replace("_", " "))
    first, _, second = shown.partition(" → ")
    assert first
    assert second
    assert first != second
    assert settings_of(record)[name].label
    assert settings_of(record)[name].tooltip or name == "name"


def values(record, name):
    match settings_of(record)[name].range:
        case OneOf(words):
            return list(words)[:2]
        case DataFile():
            return "", "/data/a.csv"
        case ColumnNames():
            return (), ("low",)
        case OneLine():
            return "b", "c"
        case CellChoice():
            return "lstm", "gru"
        case _:
            return edges(record, name)[0]


def test_values_are_shown_in_words():
    old, new = TrainingSettings(), TrainingSettings("sgd", 0.3, 0.0, 16, 2000)
    assert list(differences(old, new)) == [
        "optimiser Adam → SGD",
        "rate 0.01 → 0.3",
        "clip norm 1 → off",
        "batch 32 → 16",
        "training steps 1000 → 2000",
    ]
    old, new = ModelSettings("a", "vanilla"), ModelSettings("a", "vanilla", 24, 2, True)
    assert list(differences(old, new, " of a")) == [
        "hidden units of a 12 → 24",
        "layers of a 1 → 2",
        "direction of a forward → both",
    ]
    assert list(differences(VanillaSettings(), VanillaSettings("relu"), " of a")) == ["activation of a tanh → ReLU"]
    assert list(differences(LstmSettings(), LstmSettings(1.5), " of a")) == ["forget-gate bias of a 0 → 1.5"]
    old, new = TASKS["next value"](), TASKS["next value"](file="C:\\a\\b.csv", columns=("low", "high"), length=9)
    assert list(differences(old, new)) == [
        "data built in → b.csv",
        "columns all numeric → low, high",
        "length 40 → 9",
    ]


def test_only_a_live_setting_needs_no_restart():
    lesson = first_lesson()
    for name, one in settings_of(TrainingSettings).items():
        other = next(one for one in values(TrainingSettings, name)[::-1] if one != getattr(lesson.training, name))
        changed = replace(lesson, training=replace(lesson.training, **{name: other}))
        assert restart_needed(lesson, changed) is not one.live
    assert {name for name, one in settings_of(TrainingSettings).items() if one.live} == {
        "learning_rate",
        "clip_norm",
        "training_steps",
        "patience",
    }
    for key, value in (("beta2", 0.9), ("weight_decay", 0.2)):
        assert restart_needed(lesson, replace(lesson, training=lesson.training.with_value(key, value)))
    fading = replace(lesson, training=lesson.training.with_value("schedule", "exponential"))
    assert restart_needed(fading, replace(fading, training=fading.training.with_value("rate_factor", 0.9)))
    assert restart_needed(lesson, replace(lesson, seed=2))
    assert not restart_needed(lesson, replace(lesson, name="another"))


def test_a_data_file_is_learnt_by_one_task():
    kinds = [kind for kind in TASKS.values() if issubclass(kind, DataTask)]
    assert sorted(kind.data for kind in kinds) == ["csv", "text"]
    for kind in kinds:
        assert data_task(kind.data) == kind()
        assert kind.predicts_next
    assert data_task("run") is None


def test_another_file_brings_its_own_columns():
    for kind in (kind for kind in TASKS.values() if issubclass(kind, DataTask)):
        assert kind(file="a", length=7).with_file("b") == kind(file="b", length=7)
    chosen = replace(TASKS["next value"](), file="a", columns=("low",), train_share=0.7)
    assert chosen.with_file("b") == replace(chosen, file="b", columns=())


def test_what_applies_follows_optimiser_and_schedule():
    common = [*settings_of(TrainingSettings)]
    adam = TrainingSettings(learning_rate=0.3)
    assert [*adam.applying] == [*common, "beta1", "beta2", "epsilon", "weight_decay"]
    assert adam.own == OPTIMISERS["adam"](0.3)
    moved = adam.with_value("optimiser", "nesterov").with_value("momentum", 0.7).with_value("learning_rate", 0.2)
    assert moved.own == OPTIMISERS["nesterov"](0.2, momentum=0.7)
    assert [moved.value(key) for key in ("learning_rate", "momentum", "batch_size")] == [0.2, 0.7, 32]
    falling = moved.with_value("schedule", "step").with_value("rate_steps", 40)
    assert [*falling.applying][len(common) :] == ["momentum", "weight_decay", "rate_steps", "rate_factor"]
    assert falling.scheduled == SCHEDULES["step"](40)
    assert falling.own == moved.own
    assert falling.with_value("optimiser", "sgd").own == OPTIMISERS["sgd"](0.2)
    assert not falling.constant
    assert [one.validated for one in (adam, adam.with_value("patience", 50), adam.with_value("validation", True))] == [
        False,
        True,
        True,
    ]
    assert adam.with_value("schedule", "plateau").validated
    rule = replace(moved, clip_norm=0.3, clip_value=0.4, gradient_noise=0.5).rule
    assert (rule.optimiser, rule.clip_norm, rule.clip_value, rule.noise) == (moved.own, 0.3, 0.4, 0.5)
