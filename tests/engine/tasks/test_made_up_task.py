"""A task is one class and one entry of TASKS: a made-up one is read from a file, checked, described and trained."""

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import pytest

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.setting import OneOf, WholeNumber, setting
from rnnviz.core.tasks import TASKS, Batch, TaskSettings
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.core.tasks.source import last_step_question
from rnnviz.core.tasks.task import LOSSES_OF_CLASSES, Conflict
from rnnviz.engine.training.trainer import Training


@dataclass(frozen=True)
class Echo(TaskSettings):
    """Say the bit again that was heard `delay` time steps before the end."""

    predicts_next, last_only = True, True
    losses = LOSSES_OF_CLASSES

    name: Literal["echo"] = "echo"
    length: int = field(default=9, metadata=setting("Length", WholeNumber(3, 70), "Time steps"))
    delay: int = field(default=4, metadata=setting("Delay", WholeNumber(1, 60), "Time steps", short="echo after"))
    ends: Literal["zero", "one"] = field(
        default="zero", metadata=setting("Ends", OneOf({"zero": "with 0", "one": "with 1"}), "The last input")
    )

    @property
    def conflict(self):
        if self.delay < self.length:
            return None
        return Conflict("delay", f"shorter than {self.length}", "The echo must come within the sequence.")

    @property
    def longest(self) -> int:
        return self.length

    def open(self, seed):
        return EchoSource(self, seed)


class EchoSource:
    input_size, output_size, tolerance = 1, 2, None

    def __init__(self, task, seed):
        self._task, self._seed = task, seed
        self.info = TaskInfo(
            task.name, "values", ("bit",), "classes", ("0", "1"), "cross entropy", ("loss", "accuracy")
        )

    def batch(self, generator, batch_size):
        bits = generator.integers(0, 2, (self._task.length, batch_size))
        bits[-1] = self._task.ends == "one"
        return Batch(
            bits[..., None].astype(np.float32),
            *last_step_question(bits[-1 - self._task.delay], self._task.length),
        )

    def probe(self):
        return self.batch(np.random.default_rng(self._seed), 4)

    def test(self):
        return None

    def baselines(self, loss):
        return ()


@pytest.fixture
def experiment(monkeypatch):
    monkeypatch.setitem(TASKS, "echo", Echo)
    models = (ModelSettings("a", "gru", hidden_size=5),)
    return Experiment("mine", Echo(length=7, delay=2, ends="one"), models, TrainingSettings(batch_size=6), seed=3)


def test_it_is_written_and_read(experiment):
    text = experiment_toml(experiment)
    assert parse_experiment(text, "x.toml") == experiment
    for right, wrong, said in (
        ("delay = 2", "delay = 61", "task.delay must be a whole number from 1 to 60, not 61"),
        ("delay = 2", "delay = 7", "task.delay must be shorter than 7, not 7"),
        ("delay = 2", "dealy = 2", "unknown key task.dealy, did you mean delay?"),
        ('ends = "one"', 'ends = "two"', 'task.ends must be one of "zero", "one"'),
        ("bidirectional = false", "bidirectional = true", 'must be false for the task "echo"'),
        ('name = "echo"', 'name = "ecco"', '"glyphs", "echo"'),
    ):
        assert right in text
        with pytest.raises(RnnvizError) as refusal:
            parse_experiment(text.replace(right, wrong), "x.toml")
        assert said in str(refusal.value)


def test_it_is_trained(experiment):
    training = Training(experiment)
    losses = [training.advance()[0]["loss"] for _ in range(200)]
    assert training.source.info.name == "echo"
    assert np.mean(losses[-5:]) < 0.8 * np.mean(losses[:5])
