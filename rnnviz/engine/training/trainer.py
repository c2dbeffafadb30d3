"""Training: all models of an experiment in lock-step on the same batches, one call for each training step."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.estimate import check_estimate
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.optimising.optimisers import OptimiserName
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.tasks import scores
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.losses import mean_loss
from rnnviz.engine.networks import SequenceModel, build
from rnnviz.engine.tracing.capture import capture_probe, weighted_loss
from rnnviz.runs.file.records import OptimiserSnapshot

_BATCHES = 2  # which stream of random numbers: the probe is drawn from another one
_COUNT = "step"  # the one number of an optimiser's state that has not the shape of its parameter
_OPTIMISERS: Mapping[OptimiserName, Callable[[list[nn.Parameter], float], torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.Adam, fused=True),  # half the time of the default on small models
    "sgd": torch.optim.SGD,
    "rmsprop": torch.optim.RMSprop,
}


def load_optimisers() -> None:
    """Has torch load the half of itself that it leaves until the first optimiser is made: seconds on a busy machine."""
    _OPTIMISERS["sgd"]([nn.Parameter(torch.zeros(1))], 1.0)


class NotFiniteError(RnnvizError):
    """A loss or gradient became NaN or infinite; the update was not applied."""


@dataclass(frozen=True)
class Start:
    """Where a training begins that does not begin anew."""

    training_step: int
    states: Sequence[Mapping[str, Tensor]]  # of each model, as of `state_dict()`
    optimisers: Sequence[OptimiserSnapshot] = ()  # of each model, or none: they begin anew


class Training:
    """The models, their optimisers and the batches. Everything random comes from the experiment's seed.

    The batch of a training step depends on the seed and its number alone, and captures draw nothing, so two trainings
    give the same numbers however they are paused and recorded. `learning_rate` and `clip_norm` may be set at any time.
    """

    def __init__(self, experiment: Experiment) -> None:
        check_experiment(experiment)
        self.experiment = experiment
        self.source = experiment.task.open(experiment.seed)
        check_estimate(experiment, "experiment", self.source.input_size, self.source.output_size)
        self.probe = self.source.probe()
        self.training_step = 0  # updates applied so far
        self.clip_norm = experiment.training.clip_norm
        self.training_steps = experiment.training.training_steps  # the planned end
        self.refused = frozenset(range(len(experiment.models)))  # models whose NaN or infinity is never learnt
        self.models: tuple[SequenceModel, ...] = tuple(
            build(settings, self.source.input_size, self.source.output_size, experiment.seed)
            for settings in experiment.models
        )
        assert self.source.info.loss is not None  # a task that is trained has a loss
        self._loss = self.source.info.loss
        self._test = self.source.test()
        self._parameters = [list(model.parameters()) for model in self.models]
        self._optimisers = [
            _OPTIMISERS[experiment.training.optimiser](parameters, experiment.training.learning_rate)
            for parameters in self._parameters
        ]

    @property
    def learning_rate(self) -> float:
        return float(self._optimisers[0].param_groups[0]["lr"])

    @learning_rate.setter
    def learning_rate(self, rate: float) -> None:
        for optimiser in self._optimisers:
            for group in optimiser.param_groups:
                group["lr"] = rate

    def advance(self) -> list[dict[str, float]]:
        """One training step of every model; the metrics of each: loss, accuracy where there is one, grad_norm.

        Raises NotFiniteError, naming model and training step, before any model is updated, unless that model's are to
        be learnt all the same (`refused`).
        """
        generator = np.random.default_rng([self.experiment.seed, _BATCHES, self.training_step])
        batch = self.source.batch(generator, self.experiment.training.batch_size)
        inputs, targets = torch.from_numpy(batch.inputs), torch.from_numpy(batch.targets)
        metrics = [self._sweep(number, inputs, targets) for number in range(len(self.models))]
        for optimiser in self._optimisers:
            optimiser.step()
        self.training_step += 1
        return metrics

    def captures(self) -> list[Capture]:
        """What each model makes of the probe now."""
        return [self.capture(number) for number in range(len(self.models))]

    def capture(self, number: int) -> Capture:
        """What one model makes of the probe now."""
        return capture_probe(self.models[number], self.probe, self.source.info)

    def optimiser_snapshot(self, number: int) -> OptimiserSnapshot:
        """What the optimiser of one model has gathered, by the names of the model's parameters; arrays are shared."""
        optimiser = self._optimisers[number]
        settings: dict[str, float] = {}
        for key, value in optimiser.param_groups[0].items():
            if key != "params":
                several = isinstance(value, tuple)
                for place, one in enumerate(value if several else (value,), 1):
                    if isinstance(one, int | float):
                        settings[f"{key}.{place}" if several else key] = float(one)
        state = {
            f"{key}.{name}": value.detach().numpy()
            for name, parameter in self.models[number].named_parameters()
            for key, value in optimiser.state.get(parameter, {}).items()
            if isinstance(value, Tensor)
        }
        return OptimiserSnapshot(self.experiment.training.optimiser, settings, state)

    def go_on_from(self, start: Start) -> None:
        """Weights, training step and, where known, what the optimisers have gathered, instead of a fresh beginning.

        Raises RnnvizError where that does not fit a model's parameters.
        """
        for model, state in zip(self.models, start.states, strict=True):
            model.load_state_dict(dict(state))
        for number, snapshot in enumerate(start.optimisers):
            self._restore(number, snapshot)
        self.learning_rate = self.experiment.training.learning_rate  # not the one they were gathered with
        self.training_step = start.training_step

    def test_losses(self) -> list[float]:
        """The loss of each model on what is held back; [] for tasks that hold nothing back."""
        return [metrics["test_loss"] for metrics in self.test_metrics()]

    def test_metrics(self) -> list[dict[str, float]]:
        """Those of each model on what is held back; [] for tasks that hold nothing back."""
        return [] if self._test is None else [self._tested(model, self._test) for model in self.models]

    def _tested(self, model: SequenceModel, test: Batch) -> dict[str, float]:
        with torch.no_grad():
            prediction = model(torch.from_numpy(test.inputs))
            loss = weighted_loss(prediction, test, self._loss).item()
        info, answers = self.source.info, prediction.numpy()
        found: dict[str, float | None] = {"test_loss": loss, "skill": scores.skill(loss, info.baselines)}
        if info.output_kind == "values":
            found["lag"] = scores.lag(answers, test)
        else:
            found["test_accuracy"] = scores.accuracy(answers, test)
        return {name: value for name, value in found.items() if value is not None}

    def _restore(self, number: int, snapshot: OptimiserSnapshot) -> None:
        """The inverse of `optimiser_snapshot`: the arrays are copied."""
        keys = {name.partition(".")[0] for name in snapshot.state}
        gathered: dict[int, dict[str, Tensor]] = {}
        for place, (name, parameter) in enumerate(self.models[number].named_parameters()):
            gathered[place] = {}
            for key in keys:
                shape = () if key == _COUNT else tuple(parameter.shape)
                array = snapshot.state.get(f"{key}.{name}")
                if array is None or array.size != math.prod(shape):
                    raise RnnvizError(
                        f"The recorded optimiser state of {name} does not fit its shape {parameter.shape}."
                    )
                gathered[place][key] = torch.from_numpy(array.copy()).reshape(shape)
        optimiser = self._optimisers[number]
        optimiser.load_state_dict({**optimiser.state_dict(), "state": gathered})

    def _sweep(self, number: int, inputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Forward and backward of one model; leaves the clipped gradients in its parameters."""
        model, parameters = self.models[number], self._parameters[number]
        states = model.states(inputs)
        if self.source.last_only:
            prediction, targets = model.last_prediction(states), targets[-1]
        else:
            prediction = model.predictions(states)
        loss = mean_loss(self._loss, prediction, targets)
        for parameter in parameters:
            parameter.grad = None
        loss.backward()  # type: ignore[no-untyped-call]
        # Clipping to an infinite norm multiplies by 1: the norm is measured, the gradients stay.
        norm = nn.utils.clip_grad_norm_(parameters, self.clip_norm or math.inf).item()
        value = loss.item()
        if not math.isfinite(value) and number in self.refused:
            raise self._not_finite(number, "the loss", value)
        if not math.isfinite(norm) and number in self.refused:
            raise self._not_finite(number, "the gradient's norm", norm)
        metrics = {"loss": value}
        accuracy = _accuracy(prediction.detach(), targets, self.source.tolerance)
        if accuracy is not None:
            metrics["accuracy"] = accuracy
        metrics["grad_norm"] = norm
        return metrics

    def _not_finite(self, number: int, what: str, value: float) -> NotFiniteError:
        name = self.experiment.models[number].name
        came = "NaN" if math.isnan(value) else "infinite"
        remedy = "clip norm" if self.clip_norm else "with clipping"
        return NotFiniteError(
            f"Stopped at training step {self.training_step + 1:,}: in {name}, {what} became {came}; no update was "
            f"made. Restart with a smaller learning rate or {remedy}."
        )


def _accuracy(prediction: Tensor, targets: Tensor, tolerance: float | None) -> float | None:
    """The share of right answers; None where values have no tolerance."""
    if not targets.is_floating_point():
        right = prediction.argmax(dim=-1) == targets
    elif tolerance is not None:
        right = (prediction - targets).abs().amax(dim=-1) < tolerance
    else:
        return None
    return int(right.sum().item()) / right.numel()
