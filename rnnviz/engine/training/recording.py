"""One recorded training: each training step's metrics, captures as often as they are affordable, events and status."""

import math
import os
import platform
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.optimising.progress import VALIDATE_EVERY
from rnnviz.core.source import Trained
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.networks import SequenceModel, parameter_count
from rnnviz.engine.training.branching import Branch
from rnnviz.engine.training.kept_steps import MOST_HITS, SHARE_OF_BUDGET, KeptSteps, is_round
from rnnviz.engine.training.trainer import NotFiniteError, Training
from rnnviz.runs.file.records import EngineState, EngineStatus, Module, OptimiserSnapshot, Probe, RunModel
from rnnviz.runs.writing.writer import RunWriter

_ROUND_SECONDS = 1.0  # of work that captures of round training steps may take whatever their share
_SPEED_SPAN = 1.0  # seconds over which the speed is measured


class Recording:
    """A `Training` and the run file it is written to, from training step 0 on.

    Captures are of the probe; where training rests, and with `batches` set everywhere, of the training batch too: that
    of the next update, read with the weights before it. Captures are made at most `capture_rate` times a second, and
    so rarely that they take no more than `capture_share` of the time, whatever the model's size. Raises RnnvizError
    for an impossible experiment or file.
    """

    def __init__(
        self,
        experiment: Experiment,
        path: Path,
        capture_rate: float,
        capture_share: float,
        branch: Branch | None = None,
        batches: bool = False,
    ) -> None:
        self.experiment = experiment
        self.path = path
        try:
            self.training = Training(experiment)
            if branch is not None:
                self.training.go_on_from(branch.start)
        except (RuntimeError, MemoryError) as error:
            raise _out_of_means("Building the models", error) from error
        self._interval = 1 / capture_rate
        self._capture_share = capture_share
        self._next_capture = 0.0
        self.capture_seconds = 0.0  # that the last captures took
        self._captured_at = -1  # the training step of the last capture
        self._batch_at = -1  # that of the last one of a training batch
        self.batches = batches
        self._good: tuple[int, list[Capture]] | None = None  # the last captures without NaN or infinity
        self._best: dict[int, tuple[list[Capture], list[OptimiserSnapshot]]] = {}  # by training step, for `keep_best`
        self._speed_since = (time.monotonic(), 0)
        self._speed = 0.0
        self.last_metrics: list[dict[str, float]] = []
        self._seen: tuple[int, dict[int, Capture]] = (-1, {})  # a training step and the captures already made there
        self.models = [
            RunModel(number, settings.name, model.structure, parameter_count(model), _further(model))
            for number, (settings, model) in enumerate(zip(experiment.models, self.training.models, strict=True))
        ]
        probe = self.training.probe
        self.writer = RunWriter(
            path,
            Trained(experiment),
            self.training.info,
            self.models,
            _recorded(probe),
            environment=_environment() | ({} if branch is None else dict(branch.about)),
        )
        self._began, self._round_seconds = time.thread_time(), 0.0
        share = SHARE_OF_BUDGET * self.writer.budget_bytes
        self._hits, self._round = KeptSteps(MOST_HITS, share), KeptSteps(math.inf, share)

    @property
    def training_step(self) -> int:
        return self.training.training_step

    def advance(self) -> None:
        """One training step, its metrics, and a capture where one is due. Raises NotFiniteError as Training does."""
        try:
            self.last_metrics = self.training.advance()
        except NotFiniteError as error:
            self._keep_last_good()
            self.event("not finite", str(error))
            raise
        except (RuntimeError, MemoryError) as error:
            raise _out_of_means(f"Training step {self.training_step + 1}", error) from error
        step = self.training.training_step
        for number, metrics in enumerate(self.last_metrics):
            self.writer.metrics(step, number, metrics)
        if is_round(step, self.experiment.training.training_steps) and self._has_time_for_round():
            started = time.thread_time()
            self._round.add(step, self.capture(keep=True, optimisers=False))
            self._round_seconds += time.thread_time() - started
        elif time.monotonic() >= self._next_capture:
            self.capture()
        if self.training.patience and any(one.best_step == step for one in self.training.progress):
            self._remember_best()

    def capture_hit(self) -> None:
        """Captures this training step for good as long as hits have room; from then on they are only counted."""
        if self._hits.full or self._hits.newest == self.training_step:
            return
        self._hits.add(self.training_step, self.capture(keep=True, batch=True))
        if self._hits.full:
            sentence = f"{self._hits.count} training steps with hits have been kept; further hits are only counted."
            self.event("hits", sentence)

    def capture(self, keep: bool = False, optimisers: bool = True, batch: bool = False) -> int:
        """Captures the probe of every model now, unless this training step has its captures already; their bytes.

        `keep`: for good, and with what the `optimisers` have gathered. `batch`: also the training batch.
        """
        wanted = keep or self._captured_at != self.training_step
        batch = (batch or (self.batches and wanted)) and self._batch_at != self.training_step
        if not (wanted or batch):
            return 0
        started = time.monotonic()
        size = self._capture_probe(keep) if wanted else 0
        if batch:
            made = [self.training.batch_capture(number) for number in range(len(self.models))]
            size += self._write(made, keep)
            self._batch_at = self.training_step
        if keep and optimisers:
            for number in range(len(self.models)):
                size += self.writer.optimiser(self.training_step, number, self.training.optimiser_snapshot(number))
        ended = time.monotonic()
        self.capture_seconds = ended - started
        self._next_capture = started + max(self._interval, self.capture_seconds / self._capture_share)
        return size

    def _capture_probe(self, keep: bool) -> int:
        captures = [self.captured(number) for number in range(len(self.models))]
        self._captured_at = self.training_step
        if all(_finite(capture) for capture in captures):
            self._good = (self.training_step, captures)
        return self._write(captures, keep)

    def _write(self, captures: list[Capture], keep: bool) -> int:
        """Their bytes."""
        step = self.training_step
        return sum(self.writer.capture(step, number, capture, keep) for number, capture in enumerate(captures))

    def captured(self, number: int) -> Capture:
        """The probe as one model sees it now, computed once for each training step."""
        if self._seen[0] != self.training_step:
            self._seen = self.training_step, {}
        captures = self._seen[1]
        if number not in captures:
            captures[number] = self.training.capture(number)
        return captures[number]

    def event(self, kind: str, sentence: str, details: Mapping[str, Any] | None = None) -> None:
        self.writer.event(self.training_step, kind, sentence, details)

    def report(self, state: EngineState, sentence: str = "") -> EngineStatus:
        """Writes the engine's status, which is its heartbeat too, and returns it."""
        speed = self._measured_speed() if state == "running" else 0.0
        status = EngineStatus(state, self.training_step, speed, os.getpid(), time.time(), sentence)
        self.writer.status(status)
        return status

    def restart_clock(self) -> None:
        """The speed is measured anew: training goes on after a pause."""
        self._speed_since, self._speed = (time.monotonic(), self.training_step), 0.0

    def _has_time_for_round(self) -> bool:
        """Whether round numbers are affordable: a short while for any model, then within the share of all captures."""
        spared = _ROUND_SECONDS + self._capture_share * (time.thread_time() - self._began)
        return not self._round.full and self._round_seconds <= spared

    def _measured_speed(self) -> float:
        now, (since, step) = time.monotonic(), self._speed_since
        if now - since >= _SPEED_SPAN or not self._speed:
            self._speed = (self.training_step - step) / max(now - since, 1e-9)
        if now - since >= _SPEED_SPAN:
            self._speed_since = (now, self.training_step)
        return self._speed

    @property
    def early(self) -> str:
        """Why training stops early here, in a sentence; "": it does not."""
        training, best = self.training, {one.best_step for one in self.training.progress}
        looked = not self.training_step % VALIDATE_EVERY
        if not training.patience or not looked or training.waited < training.patience:
            return ""
        if len(best) == 1:
            where = f"best at {best.pop():,}"
        else:
            named = zip(self.models, training.progress, strict=True)
            where = "best at " + ", ".join(f"{one.best_step:,} ({model.name})" for model, one in named)
        waited = f"no better validation loss for {training.waited:,} training steps"
        return f"Stopped early at training step {self.training_step:,}: {waited}; {where}."

    def keep_best(self) -> None:
        """Keeps the captures of the training steps with the best validation losses for good."""
        for step, (captures, snapshots) in self._best.items():
            for number, (capture, snapshot) in enumerate(zip(captures, snapshots, strict=True)):
                self.writer.capture(step, number, capture, keep=True)
                self.writer.optimiser(step, number, snapshot)
        self._best = {}

    def _remember_best(self) -> None:
        """Captures a training step at which the validation loss of a model is its best so far."""
        self.capture()
        numbers, best = range(len(self.models)), {one.best_step for one in self.training.progress}
        made = [self.captured(number) for number in numbers], [self._snapshot(number) for number in numbers]
        self._best = {step: one for step, one in self._best.items() if step in best} | {self.training_step: made}

    def _snapshot(self, number: int) -> OptimiserSnapshot:
        """What a model's optimiser has gathered, copied."""
        found = self.training.optimiser_snapshot(number)
        return replace(found, state={name: array.copy() for name, array in found.state.items()})

    def _keep_last_good(self) -> None:
        self.capture(batch=True)
        if self._good is not None:
            step, captures = self._good
            for number, capture in enumerate(captures):
                self.writer.capture(step, number, capture, keep=True)


def _further(model: SequenceModel) -> tuple[Module, ...]:
    """Its recurrent modules after the first."""
    return tuple(Module(name, structure) for name, (structure, _) in model.modules_by_name.items() if name)


def _recorded(probe: Batch) -> Probe:
    """The probe as a run holds it; what is asked of a decoder, and what that is told, is more than it has of others."""
    if probe.decoder_inputs is None:
        return Probe(probe.inputs, probe.lengths, probe.targets, probe.loss_weight)
    more = {"decoder.inputs": probe.decoder_inputs, "decoder.targets": probe.targets}
    more |= {"decoder.loss_weight": probe.loss_weight}
    if probe.decoder_lengths is not None:
        more["decoder.lengths"] = probe.decoder_lengths
    return Probe(probe.inputs, probe.lengths, more=more)


def _out_of_means(what: str, error: Exception) -> RnnvizError:
    """The sentence for what torch could not do, most often for want of memory."""
    reason = str(error).strip().split("\n")[0] or "not enough memory"
    remedy = "a smaller learning rate" if "overflow" in reason else "smaller models, batches or lengths"
    return RnnvizError(f"{what} failed: {reason}; {remedy} may do.")


@np.errstate(all="ignore")
def _finite(capture: Capture) -> bool:
    # Sums see every NaN and infinity and cost less than a mask.
    total = sum(float(call.grad_output.sum(dtype=np.float64)) for call in capture.calls)
    total += sum(float(call.output.sum(dtype=np.float64)) for call in capture.calls if call.output is not None)
    return math.isfinite(total)


def _environment() -> dict[str, str]:
    return {
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "threads": str(torch.get_num_threads()),
        "machine": f"{platform.system()} {platform.machine()}",
    }
