"""Date formats: what is read is the date that is to be written, days held out are in no batch, and what is tested."""

import datetime
import math
import re

import numpy as np

from rnnviz.core.experiment.heads import open_source
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import DateFormats
from rnnviz.core.tasks.source import Batch

PATTERNS = {  # how strptime reads each format, in the task's order
    r"\d+ [A-Z][a-z]+ \d{4}": "%d %B %Y",
    r"\d+/\d+/\d{4}": "%m/%d/%Y",
    r"\d\d\.\d\d\.\d{4}": "%d.%m.%Y",
    r"[A-Z][a-z]{2} \d+, \d{4}": "%b %d, %Y",
    r"[A-Z][a-z]+, \d+ [A-Z][a-z]+ \d{4}": "%A, %d %B %Y",
    r"\d+(st|nd|rd|th) of [A-Z][a-z]+ \d{4}": "%dX of %B %Y",
}
TASK = DateFormats(years=(2003, 2006), held_out=0.3)


def texts(batch: Batch, alphabet: tuple[str, ...]) -> list[str]:
    lengths = [len(batch.inputs)] * batch.inputs.shape[1] if batch.lengths is None else batch.lengths
    for n, length in enumerate(lengths):
        assert (batch.inputs[:length, n].sum(axis=-1) == 1).all()
        assert not batch.inputs[length:, n].any()
    return ["".join(alphabet[k] for k in batch.inputs[:length, n].argmax(axis=-1)) for n, length in enumerate(lengths)]


def days(batch: Batch, alphabet: tuple[str, ...], answers: tuple[str, ...]) -> tuple[list[datetime.date], set[str]]:
    """The day of each sequence, which its text and its answer agree on, and the patterns there are."""
    found, patterns = [], set()
    for n, text in enumerate(texts(batch, alphabet)):
        pattern = next(one for one in PATTERNS if re.fullmatch(one, text))
        patterns.add(pattern)
        ordinal = re.sub(r"(?<=\d)(st|nd|rd|th)", "X", text)
        read = datetime.datetime.strptime(ordinal, PATTERNS[pattern]).date()
        assert "".join(answers[k] for k in batch.targets[:, n]) == read.isoformat()
        found.append(read)
    return found, patterns


def test_texts_and_answers_are_the_same_days_and_none_is_on_both_sides() -> None:
    source, again = TASK.open(5), TASK.open(5)
    info = source.info
    batch = source.batch(np.random.default_rng(3), 3000)
    trained, patterns = days(batch, info.input_labels, info.output_labels)
    assert patterns == set(PATTERNS)
    held = [days(part, info.input_labels, info.output_labels) for part in (source.test(), source.probe())]
    assert held[0][1] == set(PATTERNS)
    assert not set(trained) & {*held[0][0], *held[1][0]}
    assert len(set(held[0][0])) == 200
    assert 0.9 < len(set(trained)) / (0.7 * 1461) <= 1.001
    assert {day.year for day in trained} == {2003, 2004, 2005, 2006}
    np.testing.assert_array_equal(again.test().inputs, source.test().inputs)
    other = days(TASK.open(6).test(), info.input_labels, info.output_labels)[0]
    assert set(other) != set(held[0][0])
    lengths = batch.lengths
    assert (lengths.min(), lengths.max()) == (TASK.shortest, TASK.longest)


def test_the_decoder_is_told_the_start_and_then_each_answer_but_the_last() -> None:
    batch = TASK.open(5).batch(np.random.default_rng(3), 7)
    reads = batch.decoder_inputs.argmax(axis=-1)
    labels = TASK.open(5).info.decoder_labels
    assert batch.decoder_inputs.shape == (10, 7, len(labels))
    assert [labels[k] for k in reads[0]] == ["start"] * 7
    answers = TASK.open(5).info.output_labels
    assert [labels[k] for k in reads[1:, 2]] == [answers[k] for k in batch.targets[:-1, 2]]
    assert math.isclose(batch.loss_weight.sum(), 1, rel_tol=1e-6)
    assert TASK.written == 10


def test_baselines_are_what_the_commonest_character_of_each_place_reaches() -> None:
    source = TASK.open(5)
    lines = {line.metric: line.value for line in source.info.baselines}
    targets = source.batch(np.random.default_rng(1), 20_000).targets
    counts = np.stack([np.bincount(row, minlength=11) for row in targets]) / targets.shape[1]
    entropy = -(counts * np.log(np.where(counts > 0, counts, 1))).sum(axis=1).mean()
    assert abs(lines["loss"] - entropy) < 0.01
    assert abs(lines["accuracy"] - counts.max(axis=1).mean()) < 0.01
    assert lines["test_loss"] > lines["loss"]
    training = TrainingSettings(reduction="sum", loss="mean squared error")
    summed = open_source(Experiment("x", TASK, (ModelSettings("m", "gru"),), training, seed=5)).info.baselines
    one = next(line.value for line in source.baselines("mean squared error") if line.metric == "loss")
    assert math.isclose(next(line.value for line in summed if line.metric == "loss"), 10 * one, rel_tol=1e-9)
