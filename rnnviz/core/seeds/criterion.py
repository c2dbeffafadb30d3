"""Criterion: when a seed of a setting counts as solved: a metric, a relation, a number, a mean of training steps."""

import math
import re
from dataclasses import dataclass

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.numbers import exact
from rnnviz.core.plain_records import closest
from rnnviz.core.seeds.curves import Curve, running_mean
from rnnviz.core.tasks.info import TaskInfo, to_beat

LONGEST = 10_000  # training steps a criterion may look over
USUAL_ACCURACY = 0.99
USUAL_OVER = 20  # training steps: one batch alone is right by luck
SHARE_OF_BASELINE = 0.5  # of the best baseline's loss, where a task has no accuracy

_RELATIONS = {">=": np.greater_equal, ">": np.greater, "<=": np.less_equal, "<": np.less}
_SIGNS = {">=": "≥", "<=": "≤"}
_FORM = re.compile(
    r"\s*(?P<metric>[A-Za-z_]\w*)\s*(?P<relation>>=|<=|≥|≤|>|<)\s*(?P<number>\S+)(?P<rest>.*)", re.DOTALL
)
_OVER = re.compile(r"\s*|\s+over\s+(?P<steps>\d{1,9})\s*")


@dataclass(frozen=True)
class Criterion:
    """Solved once the mean of `metric` over the last `over` training steps stands so to `number`."""

    metric: str
    relation: str
    number: float
    over: int = 1

    @property
    def text(self) -> str:
        """As a person types it; `read_criterion` makes the same one of it."""
        over = f" over {self.over}" if self.over > 1 else ""
        return f"{self.metric} {self.relation} {exact(self.number)}{over}"

    @property
    def words(self) -> str:
        """On screen: "accuracy ≥ 0.99, mean of 20 training steps"."""
        over = f", mean of {self.over:,} training steps" if self.over > 1 else ""
        return f"{self.metric} {_SIGNS.get(self.relation, self.relation)} {exact(self.number)}{over}"

    def solved_at(self, curve: Curve) -> int | None:
        """The first training step at which it holds, None where it never does; `curve`: of its metric, as recorded.

        A mean of fewer training steps than asked for does not count, nor one of a value that is not finite.
        """
        mean = running_mean(curve, self.over)
        holds = _RELATIONS[self.relation](mean.values, self.number) & (mean.training_steps >= self.over)
        return int(mean.training_steps[np.argmax(holds)]) if holds.any() else None


def read_criterion(text: str, source: str = "--solved") -> Criterion:
    """The criterion in a text such as "accuracy >= 0.99 over 20". RnnvizError in one sentence for anything else."""
    form = _FORM.fullmatch(text)
    over = _OVER.fullmatch(form["rest"]) if form else None
    try:
        number = float(form["number"]) if form else math.nan
    except ValueError:
        number = math.nan
    if form is None or over is None or not math.isfinite(number):
        raise RnnvizError(
            f'{source}: wanted a metric, a relation and a number, such as "accuracy >= {USUAL_ACCURACY} over '
            f'{USUAL_OVER}", not "{text[:60]}".'
        )
    steps = int(over["steps"] or 1)
    if not 1 <= steps <= LONGEST:
        raise RnnvizError(f"{source}: wanted a mean over 1 to {LONGEST:,} training steps, not {steps:,}.")
    relation = {"≥": ">=", "≤": "<="}.get(form["relation"], form["relation"])
    return Criterion(form["metric"], relation, number, steps)


def check_criterion(criterion: Criterion, info: TaskInfo, source: str = "--solved") -> None:
    """RnnvizError where the task does not measure what is asked for."""
    if criterion.metric not in info.metrics:
        meant = closest(criterion.metric, info.metrics)
        raise RnnvizError(f"{source}: the task {info.name} has no metric {criterion.metric}; {meant}")


def usual_criterion(info: TaskInfo) -> Criterion:
    """What counts as solved where nobody has said it: an accuracy of 0.99; of a task without one half the loss of its
    best baseline. RnnvizError for a task with neither."""
    if "accuracy" in info.metrics:
        return Criterion("accuracy", ">=", USUAL_ACCURACY, USUAL_OVER)
    best = to_beat(info.baselines, "loss")
    if best is None:
        raise RnnvizError(
            f'The task {info.name} has neither an accuracy nor a baseline: say what counts as solved with --solved "…".'
        )
    return Criterion("loss", "<=", float(f"{SHARE_OF_BASELINE * best.value:.3g}"), USUAL_OVER)


def usual_words(info: TaskInfo) -> str:
    """Where the number of the usual criterion comes from, "" for an accuracy."""
    best = None if "accuracy" in info.metrics else to_beat(info.baselines, "loss")
    return "" if best is None else f"half the loss of the best baseline, “{best.label}”"
