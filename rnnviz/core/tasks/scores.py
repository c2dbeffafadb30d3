"""Scores on the part held back: the skill against the best baseline, and the lag with which predictions follow."""

import math
from collections.abc import Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.capture import LossName
from rnnviz.core.tasks.info import Baseline, to_beat
from rnnviz.core.tasks.source import Batch

LONGEST_LAG = 20  # time steps
ALIKE = 0.5  # correlation below which predictions follow nothing


def skill(test_loss: float, baselines: Sequence[Baseline]) -> float | None:
    """1 − test loss / that of the best baseline: 0 is no better than it, 1 is perfect; None without a baseline."""
    best = to_beat(baselines, "test_loss")
    return None if best is None or not best.value else 1 - test_loss / best.value


def losses_of_chances(loss: LossName, chances: Array) -> Array:
    """(…, V) float64 the loss of predicting `chances` (…, V) of the classes, where each of the classes is right."""
    chances = chances.astype(np.float64)
    if loss == "cross entropy":
        return np.asarray(-np.log(chances))
    if loss == "mean squared error":
        return np.asarray(((chances**2).sum(axis=-1, keepdims=True) - 2 * chances + 1) / chances.shape[-1])
    no = np.log1p(-chances)
    return np.asarray((no - np.log(chances) - no.sum(axis=-1, keepdims=True)) / chances.shape[-1])


def chance(loss: LossName, classes: int, parts: Sequence[str] = ("",)) -> tuple[Baseline, ...]:
    """What predicting `classes` classes alike reaches in loss and accuracy, of parts "" (trained on) and "test_"."""
    alike = float(losses_of_chances(loss, np.full(classes, 1 / classes))[0])
    return tuple(
        Baseline(f"{part}{metric}", value, "chance")
        for part in parts
        for metric, value in (("loss", alike), ("accuracy", 1 / classes))
    )


def lag(prediction: Array, test: Batch) -> int | None:
    """By how many time steps the predicted values (T, N, V) trail the true ones where both are most alike.

    0: they foretell; 1: they repeat the value just seen. None where they are like them at no lag.
    """
    asked = test.loss_weight > 0  # (T, N)
    first = int(asked.any(axis=1).argmax())
    alike = []
    for by in range(min(LONGEST_LAG, first, len(asked) - 1) + 1):
        earlier = test.targets[: len(asked) - by]
        there = asked[by:]
        alike.append(_correlation(prediction[by:][there], earlier[there]))
    found = [value for value in alike if math.isfinite(value)]
    return alike.index(max(found)) if found and max(found) >= ALIKE else None


def accuracy(prediction: Array, test: Batch) -> float:
    """The share of right answers of the classes with the largest of (T, N, V) scores, where something is asked."""
    right = (prediction.argmax(axis=-1) == test.classes) & (test.loss_weight > 0)
    return float(right.sum() / (test.loss_weight > 0).sum())


def exact(prediction: Array, test: Batch) -> float:
    """The share of sequences with all answers right: of the classes with the largest of (T, N, V) scores."""
    right = (prediction.argmax(axis=-1) == test.classes) | (test.loss_weight == 0)
    return float(right.all(axis=0).mean())


def share_near(prediction: Array, test: Batch, tolerance: float) -> float:
    """The share of predicted values (T, N, V) within the tolerance of the true ones, where something is asked."""
    right = (np.abs(prediction - test.targets).max(axis=-1) < tolerance) & (test.loss_weight > 0)
    return float(right.sum() / (test.loss_weight > 0).sum())


def _correlation(one: Array, other: Array) -> float:
    """The mean over the columns of (M, V) of their correlation; NaN where no column varies."""
    with np.errstate(over="ignore", divide="ignore", invalid="ignore"):
        a, b = (values.astype(np.float64) - values.mean(axis=0, dtype=np.float64) for values in (one, other))
        each = (a * b).sum(axis=0) / np.sqrt((a**2).sum(axis=0) * (b**2).sum(axis=0))
    each = each[np.isfinite(each)]
    return float(each.mean()) if len(each) else math.nan
