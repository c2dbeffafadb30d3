"""Training: all models of an experiment in lock-step on the same batches, one call for each training step."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.check import check_experiment
from rnnviz.core.experiment.estimate import check_estimate
from rnnviz.core.experiment.heads import open_source, recorded_info
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.optimising.noise import deviation, drawn
from rnnviz.core.optimising.progress import VALIDATE_EVERY, Progress
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.tasks import scores
from rnnviz.core.tasks.info import EXACT, TaskInfo
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.dropout import Where, masks_of_batch
from rnnviz.engine.networks import SequenceModel, build
from rnnviz.engine.own_cell.module import OwnCellModule, going_back
from rnnviz.engine.passes import EVALUATION, Conditions, read
from rnnviz.engine.tracing.capture import capture_probe, captured, weighted_loss
from rnnviz.engine.training.optimising import restore, set_rate, snapshot, torch_optimiser
from rnnviz.engine.training.question import Question
from rnnviz.engine.training.telling import Telling
from rnnviz.engine.training.truncating import Windows, cuts, truncated_probe
from rnnviz.runs.file.records import OptimiserSnapshot

_BATCHES = 2  # which stream of random numbers: the probe is drawn from another one
BATCH_SEQUENCES = 4  # of a training batch are captured at most
_VALIDATION = 4  # that of the fresh sequences that a task which holds nothing back is validated on
_RECURRENT = "recurrent."  # in front of recurrent parameters, not in the names that noise is drawn by


class NotFiniteError(RnnvizError):
    """A loss or gradient became NaN or infinite; the update was not applied."""


@dataclass(frozen=True)
class Start:
    """Where a training begins that does not begin anew."""

    training_step: int
    states: Sequence[Mapping[str, Tensor]]  # of each model, as of `state_dict()`
    optimisers: Sequence[OptimiserSnapshot] = ()  # of each model, or none: they begin anew
    progress: Sequence[Progress] = ()  # of each model, where the optimisers begin anew; or none: it does, too


class Training:
    """The models, their optimisers and the batches. Everything random comes from the experiment's seed.

    The batch and the noise of a training step depend on the seed and its number alone, and captures draw nothing, so
    two trainings give the same numbers however they are paused and recorded. `learning_rate`, which the schedule begins
    with, `clip_norm` and `patience` may be set at any time.
    """

    def __init__(self, experiment: Experiment) -> None:
        check_experiment(experiment)
        self.experiment = experiment
        self.source = open_source(experiment)
        check_estimate(experiment, "experiment", self.source.input_size, self.source.output_size)
        self.windows = Windows(experiment, self.source) if experiment.training.truncation == "windows" else None
        self.probe = truncated_probe(experiment.training, self.source.probe(), self.source.info.reduction)
        self.training_step = 0  # updates applied so far
        self._next_batch: tuple[int, Batch] | None = None  # with the training step before the update it is for
        self.learning_rate = experiment.training.learning_rate  # as it is set: the schedule makes that of a step of it
        self.clip_norm = experiment.training.clip_norm
        self._patience = experiment.training.patience
        self.training_steps = experiment.training.training_steps  # the planned end
        self.refused = frozenset(range(len(experiment.models)))  # models whose NaN or infinity is never learnt
        self.models: tuple[SequenceModel, ...] = tuple(
            build(settings, self.source.input_size, self.source.output_size, experiment.seed, experiment.task)
            for settings in experiment.models
        )
        self._telling = Telling(experiment.training.teacher_forcing, experiment.seed)
        assert self.source.info.loss is not None  # a task that is trained has a loss
        self._loss = self.source.info.loss
        self._test = self.source.test()
        if self._test is None and experiment.training.validated:
            self._test = self._fresh()
        self.progress = [Progress() for _ in self.models]
        self._back = [going_back(model) for model in self.models]
        self._parameters = [list(model.parameters()) for model in self.models]
        self._optimisers = [torch_optimiser(experiment.training.own, parameters) for parameters in self._parameters]

    @property
    def info(self) -> TaskInfo:
        """The task's, with the metrics that the training adds to it."""
        return recorded_info(self.experiment, self.source)

    @property
    def notes(self) -> tuple[str, ...]:
        """What is said of the data and of people's own cells when a training begins, one sentence each."""
        own = tuple(one.note for model in self.models for one in model.modules() if isinstance(one, OwnCellModule))
        streams = () if self.windows is None else (self.windows.streams.words,)
        return self.source.info.notes + streams + tuple(dict.fromkeys(filter(None, own)))

    @property
    def patience(self) -> int:
        """Training steps without a lower validation loss until training stops early; 0: it never does."""
        return self._patience

    @patience.setter
    def patience(self, steps: int) -> None:
        if not self._patience:
            self.take_up()
        self._patience = steps

    @property
    def waited(self) -> int:
        """Training steps since the validation loss of any model was lower than before."""
        return min(progress.waited(self.training_step) for progress in self.progress)

    def take_up(self) -> None:
        """What an early stop counts begins here."""
        self.progress = [replace(progress, since=self.training_step) for progress in self.progress]

    def rate(self, number: int) -> float:
        """The learning rate of a model in the next update."""
        schedule = self.experiment.training.scheduled
        return float(schedule.rate(self.learning_rate, self.training_step, self.progress[number].reductions))

    def advance(self) -> list[dict[str, float]]:
        """One training step of every model; the metrics of each: loss, accuracy where there is one, grad_norm, the
        learning rate where it does not stay, and every `VALIDATE_EVERY` training steps those of the validation.

        Raises NotFiniteError, naming model and training step, before any model is updated, unless that model's are to
        be learnt all the same (`refused`).
        """
        batch = self.next_batch()
        question = Question.of(batch, self.source.info, self.experiment.task.last_only, self.source.tolerance)
        metrics = [self._sweep(number, question) for number in range(len(self.models))]
        if self.windows is not None:  # before the weights change
            read = [self.conditions(number) for number in range(len(self.models))]
            self.windows.carry_on(self.models, batch, read, self.training_step)
        for number, (optimiser, found) in enumerate(zip(self._optimisers, metrics, strict=True)):
            rate = self.rate(number)
            set_rate(optimiser, rate)
            if not self.experiment.training.constant:
                found["learning_rate"] = rate
            optimiser.step()
        self.training_step += 1
        if self.training_step % VALIDATE_EVERY == 0:
            self._validate(metrics)
        return metrics

    def next_batch(self) -> Batch:
        """The batch whose gradient makes the next update."""
        if self._next_batch is None or self._next_batch[0] != self.training_step:
            self._next_batch = self.training_step, self._made_batch()
        return self._next_batch[1]

    def _made_batch(self) -> Batch:
        if self.windows is not None:
            return self.windows.batch(self.training_step)
        generator = np.random.default_rng([self.experiment.seed, _BATCHES, self.training_step])
        return self.source.batch(generator, self.experiment.training.batch_size)

    def conditions(self, number: int) -> Conditions:
        """How a model reads `next_batch`; drawn from the seed, its number and the training step alone, but for the
        states that windows carry on."""
        batch, where = self.next_batch(), Where(self.experiment.seed, self.training_step, number)
        masks = masks_of_batch(self.models[number], self.experiment.models[number].dropout, batch, where)
        if self.windows is not None:
            initial = self.windows.states(number)
            return Conditions(masks, initial=initial) if initial or masks else EVALUATION
        cut, told = cuts(self.experiment.training, batch), self._telling.of_batch(batch, self.training_step)
        return EVALUATION if not (cut or masks) and told is None else Conditions(masks, cut, told=told)

    def batch_capture(self, number: int) -> Capture:
        """What one model makes now of the first sequences of `next_batch`, read as for the update; their losses and
        gradients are their part of those of the whole batch."""
        batch, conditions = self.next_batch(), self.conditions(number)
        part, part_conditions = batch.first(BATCH_SEQUENCES), conditions.first(BATCH_SEQUENCES)
        capture = captured(self.models[number], part, self.source.info, part_conditions, "batch")
        return replace(capture, batch_size=batch.inputs.shape[1])

    def captures(self) -> list[Capture]:
        """What each model makes of the probe now, its gradient truncated as in training."""
        return [self.capture(number) for number in range(len(self.models))]

    def capture(self, number: int) -> Capture:
        """What one model makes of the probe now."""
        cut, told = cuts(self.experiment.training, self.probe), self._telling.of_probe(self.probe)
        return capture_probe(self.models[number], self.probe, self.source.info, Conditions(cut=cut, told=told))

    def optimiser_snapshot(self, number: int) -> OptimiserSnapshot:
        """What the optimiser of one model has gathered, by the names of the model's parameters; arrays are shared."""
        more = {} if self._test is None else self.progress[number].numbers()
        model = self.models[number]
        carried = {} if self.windows is None else self.windows.carried(number, model)
        return snapshot(self.experiment.training.optimiser, self._optimisers[number], model, more, carried)

    def go_on_from(self, start: Start) -> None:
        """Weights, training step and, where known, what the optimisers have gathered, instead of a fresh beginning.

        Raises RnnvizError where that does not fit a model's parameters.
        """
        for model, state in zip(self.models, start.states, strict=True):
            model.load_state_dict(dict(state))
        self.training_step = start.training_step
        anew = [Progress() for _ in self.models]
        self.progress = [replace(one, since=start.training_step) for one in start.progress or anew]
        for number, found in enumerate(start.optimisers):
            restore(self._optimisers[number], self.models[number], found)
            self.progress[number] = Progress.of(found.settings, start.training_step)
            if self.windows is not None:
                self.windows.go_on(number, self.models[number], found.carried)

    def test_losses(self) -> list[float]:
        """The loss of each model on what is held back; [] for tasks that hold nothing back."""
        return [metrics["test_loss"] for metrics in self.test_metrics()]

    def test_metrics(self) -> list[dict[str, float]]:
        """Those of each model on what is held back; [] for tasks that hold nothing back."""
        return [] if self._test is None else [self._tested(model, self._test) for model in self.models]

    def _tested(self, model: SequenceModel, test: Batch) -> dict[str, float]:
        with torch.no_grad():
            prediction = read(model, test, Conditions(told=Telling.never(test))).prediction
            loss = weighted_loss(prediction, test, self._loss).item()
        info, answers = self.source.info, prediction.numpy()
        found: dict[str, float | None] = {"test_loss": loss, "skill": scores.skill(loss, info.baselines)}
        if info.output_kind == "classes":
            found["test_accuracy"] = scores.accuracy(answers, test)
            if EXACT in info.metrics:
                found[EXACT] = scores.exact(answers, test)
        elif self.source.tolerance is not None:
            found["test_accuracy"] = scores.share_near(answers, test, self.source.tolerance)
        else:
            found["lag"] = scores.lag(answers, test)
        return {name: value for name, value in found.items() if value is not None}

    def _fresh(self) -> Batch:
        """Sequences that are drawn for the validation of a task that never repeats one."""
        generator = np.random.default_rng([self.experiment.seed, _VALIDATION])
        return self.source.batch(generator, self.experiment.training.batch_size)

    def _validate(self, metrics: list[dict[str, float]]) -> None:
        """Adds what is measured of the part held back to the metrics, and to each model's progress."""
        if self._test is None and self.patience:  # asked for meanwhile
            self._test = self._fresh()
        schedule = self.experiment.training.scheduled
        for number, tested in enumerate(self.test_metrics()):
            metrics[number].update(tested)
            after = self.progress[number].after(self.training_step, tested["test_loss"], schedule, self.learning_rate)
            self.progress[number] = after

    def _sweep(self, number: int, question: Question) -> dict[str, float]:
        """Forward and backward of one model; leaves the clipped gradients in its parameters."""
        model, parameters = self.models[number], self._parameters[number]
        final = None if self.windows is None else self.windows.final(number)
        prediction, loss = question.asked(model, self.conditions(number), final)
        for parameter in parameters:
            parameter.grad = None
        self._back[number](loss)
        # Clipping to an infinite norm multiplies by 1: the norm is measured, the gradients stay.
        norm = nn.utils.clip_grad_norm_(parameters, self.clip_norm or math.inf).item()
        self._clip_and_disturb(number)
        value = loss.item()
        if not math.isfinite(value) and number in self.refused:
            raise self._not_finite(number, "the loss", value)
        if not math.isfinite(norm) and number in self.refused:
            raise self._not_finite(number, "the gradient's norm", norm)
        metrics = {"loss": value}
        accuracy = question.accuracy(prediction.detach())
        if accuracy is not None:
            metrics["accuracy"] = accuracy
        metrics["grad_norm"] = norm
        return metrics

    def _clip_and_disturb(self, number: int) -> None:
        """Clips the gradients of a model by value and adds the noise to them, where either is wanted."""
        training = self.experiment.training
        if training.clip_value:
            nn.utils.clip_grad_value_(self._parameters[number], training.clip_value)
        if training.gradient_noise:
            made, sigma = self.training_step + 1, deviation(training.gradient_noise, self.training_step + 1)
            for name, parameter in self.models[number].named_parameters():
                if parameter.grad is not None:
                    shape, name = tuple(parameter.shape), name.removeprefix(_RECURRENT)
                    numbers = drawn(self.experiment.seed, made, number, name, shape)
                    parameter.grad.add_(torch.from_numpy(numbers), alpha=sigma)

    def _not_finite(self, number: int, what: str, value: float) -> NotFiniteError:
        name = self.experiment.models[number].name
        came = "NaN" if math.isnan(value) else "infinite"
        remedy = "clip norm" if self.clip_norm else "with clipping"
        return NotFiniteError(
            f"Stopped at training step {self.training_step + 1:,}: in {name}, {what} became {came}; no update was "
            f"made. Restart with a smaller learning rate or {remedy}."
        )
