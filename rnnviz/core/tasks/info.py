"""Task info: what a task asks, in words: meaning and scaling of input and output columns, and the baselines to beat."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from rnnviz.core.sweeps.capture import LossName, Reduction


@dataclass(frozen=True)
class Scale:
    """Undoes the scaling of one column: shown value = offset + factor · network value."""

    offset: float = 0.0
    factor: float = 1.0


@dataclass(frozen=True)
class Baseline:
    """What a predictor without memory reaches, drawn as a line on the curve of `metric`.

    That of "loss" and "accuracy" is reached on the part trained on, that of "test_loss" and "test_accuracy" on the
    rest.
    """

    metric: str
    value: float
    label: str  # "chance", "same as last year"


EXACT = "exact"  # the share of held-out sequences answered right as a whole


def is_share(metric: str) -> bool:
    """Whether a metric is a share of right answers, from 0 to 1, where more is better."""
    return metric.endswith("accuracy") or metric == EXACT


def to_beat(baselines: Iterable[Baseline], metric: str) -> Baseline | None:
    """The best of the baselines of `metric`; None where there is none."""
    of_it = [baseline for baseline in baselines if baseline.metric == metric]
    if not of_it:
        return None
    return (max if is_share(metric) else min)(of_it, key=lambda baseline: baseline.value)


@dataclass(frozen=True)
class TaskInfo:
    """How to read the numbers of a task's sequences.

    "symbols": one-hot columns, labels are the alphabet; "values": real columns, labels are their names.
    "classes": the prediction is a distribution over the labels; "values": predicted numbers.
    """

    name: str  # as in Experiment.task.name
    input_kind: Literal["symbols", "values"]
    input_labels: tuple[str, ...]
    output_kind: Literal["classes", "values", "none"]  # "none": a loaded module without a head
    output_labels: tuple[str, ...]
    loss: LossName | None
    metrics: tuple[str, ...]  # names of the metrics each training step has, the first is the one in the curves
    baselines: tuple[Baseline, ...] = ()
    input_scales: tuple[Scale, ...] = ()  # one for each column, empty: shown as they are
    output_scales: tuple[Scale, ...] = ()
    marked_symbols: tuple[str, ...] = ()  # the symbols a person should find at once
    time_labels: tuple[str, ...] = ()  # one for each time step of the first probe sequence, for example years
    reduction: Reduction = "mean"  # of the losses over time steps
    decoder_labels: tuple[str, ...] = ()  # of the decoder's input symbols, where there is a decoder
    picture: tuple[int, int] | None = None  # rows and columns, where an input is a picture
    notes: tuple[str, ...] = ()  # how its file was read and what was done to it, one phrase each
