"""Truncated training: where the gradient of a batch is cut, and windows of parallel streams with what they carry."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.sizes import DECODER
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.capture import Reduction
from rnnviz.core.tasks.source import Batch, StreamSource, TaskSource, asked_at_end
from rnnviz.core.tasks.stream import Streams
from rnnviz.engine.networks import SequenceModel
from rnnviz.engine.passes import Conditions, run_calls

States = tuple[Tensor, ...]  # (layers·D, N, ·) by state of the cell; (): all 0


def cuts(training: TrainingSettings, batch: Batch) -> Mapping[str, Tensor]:
    """By call where the gradient of whole sequences is cut: after every `reach` time steps of each call, or with
    windows `reach` time steps before the end; {}: nowhere."""
    if training.truncation == "off":
        return {}
    lengths = {"": len(batch.inputs)}
    if batch.decoder_inputs is not None:
        lengths[DECODER] = len(batch.decoder_inputs)
    found = {}
    for name, time_steps in lengths.items():
        done = torch.arange(1, time_steps + 1)
        cut = done % training.reach == 0 if training.truncation == "detached" else done == time_steps - training.reach
        if cut[:-1].any():
            found[name] = cut & (done < time_steps)
    return found


def truncated_probe(training: TrainingSettings, probe: Batch, reduction: Reduction) -> Batch:
    """The probe as training asks: with windows only the new time steps of the last one."""
    return asked_at_end(probe, training.new_steps, reduction) if training.truncation == "windows" else probe


class Windows:
    """What each training step reads of parallel streams, and the states of each model that its next window begins with.

    A window begins `reach` time steps before its end, with the states that were computed of the time step before when
    that was read last, in an earlier training step with the weights of then.
    """

    def __init__(self, experiment: Experiment, source: TaskSource) -> None:
        training = experiment.training
        if not isinstance(source, StreamSource):
            raise RnnvizError(f'training.truncation: the task "{experiment.task.name}" has no one long sequence')
        self._source, self._carries = source, training.carried
        self.streams = Streams(source.rows, training.batch_size, training.new_steps, training.reach)
        self.streams.check()
        self._states: list[States] = [()] * len(experiment.models)
        self._finals: list[list[Tensor]] = [[] for _ in experiment.models]

    def batch(self, training_step: int) -> Batch:
        """What the update after `training_step` reads."""
        window = self.streams.at(training_step)
        return self._source.along(self.streams.starts + window.start, window.length, window.new)

    def states(self, number: int) -> States:
        """What a model's next window begins with."""
        return self._states[number]

    def final(self, number: int) -> list[Tensor]:
        """Where the states that a model's window ends with are put, if its reading has them by the way."""
        self._finals[number] = []
        return self._finals[number]

    def carry_on(
        self, models: Sequence[SequenceModel], batch: Batch, conditions: Sequence[Conditions], training_step: int
    ) -> None:
        """The states of each model that the window after this one begins with: they are read out of `batch`."""
        read = zip(models, conditions, self._finals, strict=True)
        self._states = [self._after(*each, batch, training_step) for each in read]

    def _after(
        self, model: SequenceModel, conditions: Conditions, final: list[Tensor], batch: Batch, training_step: int
    ) -> States:
        here, after = (self.streams.at(step).start for step in (training_step, training_step + 1))
        if not self._carries or after == 0:
            return ()
        count = after - here
        if count == len(batch.inputs) and final:
            return tuple(final)
        part = Batch(batch.inputs[:count], batch.targets[:count], batch.loss_weight[:count])
        masks = {name: mask[:, :count] for name, mask in conditions.masks.items()}
        with torch.no_grad():
            return run_calls(model, part, replace(conditions, masks=masks))[-1].final

    def carried(self, number: int, model: SequenceModel) -> dict[str, Array]:
        """A model's states by name, shared."""
        names = model.structure.equations.states if self._states[number] else ()
        return {name: state.numpy() for name, state in zip(names, self._states[number], strict=True)}

    def go_on(self, number: int, model: SequenceModel, carried: Mapping[str, Array]) -> None:
        """With recorded states; RnnvizError where they do not fit."""
        structure = model.structure
        rows, sequences = len(structure.layer_ids), self.streams.count
        found = list[Tensor]()
        for name in structure.equations.states if carried else ():
            array, wanted = carried.get(name, np.zeros(0)), (rows, sequences, structure.units(name))
            if array.shape != wanted:
                raise RnnvizError(
                    f"The recorded state {name} of the windows does not fit: {array.shape}, not {wanted}."
                )
            found.append(torch.from_numpy(array.copy()))
        self._states[number] = tuple(found)
