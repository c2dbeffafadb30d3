"""Learning-rate schedules against torch's schedulers, training step by training step."""

import math

import pytest

from rnnviz.core.optimising.progress import Progress
from rnnviz.core.optimising.schedules import (
    SCHEDULES,
    Constant,
    Cosine,
    Exponential,
    OnPlateau,
    StepDecay,
    WarmUp,
)

BASE = 0.037
STEPS = 60


def torchs(torch, schedule, optimiser):
    of = torch.optim.lr_scheduler
    match schedule:
        case Constant():
            return of.ConstantLR(optimiser, factor=1.0)
        case StepDecay(every, factor):
            return of.StepLR(optimiser, every, factor)
        case Exponential(factor):
            return of.ExponentialLR(optimiser, factor)
        case Cosine(steps, lowest):
            return of.CosineAnnealingLR(optimiser, steps, lowest)
        case WarmUp(steps, first):
            return of.LinearLR(optimiser, first, total_iters=steps)


def optimiser_of(torch):
    return torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], BASE)


@pytest.mark.parametrize(
    "schedule",
    [
        Constant(),
        StepDecay(7, 0.6),
        Exponential(0.93),
        Cosine(23, 0.004),
        Cosine(100),
        WarmUp(13, 0.2),
        WarmUp(99, 0.4),
    ],
    ids=str,
)
def test_the_rate_is_torchs(autograd, schedule):
    optimiser = optimiser_of(autograd.torch)
    theirs = torchs(autograd.torch, schedule, optimiser)
    assert type(theirs).__name__ == schedule.torch
    for before in range(STEPS):
        assert schedule.rate(BASE, before) == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9), before
        assert schedule.rate(2 * BASE, before) > 0
        optimiser.step()
        theirs.step()


@pytest.mark.parametrize(
    "schedule",
    [OnPlateau(75, 0.5, 0.01), OnPlateau(0, 0.7, 0.2), OnPlateau(49, 0.3, 0.0, 0.003), OnPlateau(74, 0.01, 1e-4)],
    ids=str,
)
def test_a_plateau_reduces_the_rate_where_torch_does(autograd, schedule):
    torch, optimiser = autograd.torch, optimiser_of(autograd.torch)
    theirs = torch.optim.lr_scheduler.ReduceLROnPlateau(
        optimiser,
        factor=schedule.rate_factor,
        patience=schedule.plateau_patience // 25,
        threshold=schedule.plateau_threshold,
        min_lr=schedule.lowest_rate,
    )
    assert type(theirs).__name__ == schedule.torch
    progress, rates = Progress(), set()
    for look in range(1, 90):
        loss = math.nan if look == 11 else 1 + 0.8 * math.cos(look / 9) / (1 + look // 20)
        theirs.step(loss)
        progress = progress.after(25 * look, loss, schedule, BASE)
        progress = Progress.of({"lr": 0.2, **progress.numbers()}, 3)  # as a snapshot keeps it
        rate = schedule.rate(BASE, 25 * look, progress.reductions)
        assert rate == pytest.approx(optimiser.param_groups[0]["lr"], rel=1e-9), look
        rates.add(rate)
    assert len(rates) > 2
    assert not schedule.of_training_step


def test_the_best_is_the_first_of_the_lowest_and_waiting_begins_there():
    progress = Progress.of({"lr": 0.2}, 10)
    assert progress.waited(35) == 25
    for step, loss in ((25, 0.7), (50, 0.4), (75, math.nan), (100, 0.4), (125, 0.5)):
        progress = progress.after(step, loss, Constant(), BASE)
    assert (progress.best, progress.best_step, progress.reductions) == (0.4, 50, 0)
    assert progress.waited(125) == 75


def test_every_schedule_says_what_it_is():
    assert [kind().words for kind in SCHEDULES.values()][3:] == ["cosine", "warm-up", "on a plateau"]
    for kind in SCHEDULES.values():
        assert kind.formula.startswith("η")
