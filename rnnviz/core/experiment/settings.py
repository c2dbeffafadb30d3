"""Experiment: what to train. One frozen record, readable and writable as TOML (`experiment.file`)."""

from dataclasses import dataclass, field, replace

from rnnviz.core.cells.lstm import LstmSettings
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.training_settings import LIVE_SETTINGS, TrainingSettings
from rnnviz.core.setting import OneLine, WholeNumber, setting
from rnnviz.core.stopping.marks import Marks
from rnnviz.core.tasks import TaskSettings, TemporalOrder

MOST_MODELS = 8  # of a file
MOST_MODELS_IN_FORM = 6

Task = TaskSettings


@dataclass(frozen=True)
class Experiment:
    """A task, one or more models, the training settings and the seed everything random comes from; and the marks a
    person made while debugging, which change nothing of what is trained."""

    name: str = field(metadata=setting("Name", OneLine(200)))
    task: Task
    models: tuple[ModelSettings, ...]
    training: TrainingSettings = field(default_factory=TrainingSettings)
    seed: int = field(
        default=1,
        metadata=setting(
            "Seed",
            WholeNumber(0, 2**63 - 1),
            "Everything random comes from it: the same seed gives the same numbers",
            form=WholeNumber(0, 2**31 - 1),
            step=1,
            slider=(0, 100),
        ),
    )
    marks: Marks = field(default_factory=Marks)


def first_lesson() -> Experiment:
    """*Who remembers? vanilla against LSTM*: the live demonstration (temporal order, length 60–80)."""
    return Experiment(
        name="Who remembers? vanilla against LSTM",
        task=TemporalOrder(),
        models=(ModelSettings("Vanilla", "vanilla"), ModelSettings("LSTM", "lstm", own=LstmSettings(forget_bias=1.0))),
    )


def restart_needed(old: Experiment, new: Experiment) -> bool:
    """Whether going from `old` to `new` needs new weights or new data; rate, clip norm and training length do not."""
    if (old.task, old.models, old.seed) != (new.task, new.models, new.seed):
        return True
    live = {name: getattr(new.training, name) for name in LIVE_SETTINGS}
    return replace(old.training, **live) != new.training
