"""Pass: one forward reading of a batch by a model, call by call, with what stands at the borders of each call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from rnnviz.core.structure import Structure
from rnnviz.core.tasks.source import Batch
from rnnviz.engine.layered import Given, run_module, zeros
from rnnviz.engine.networks import SequenceModel


@dataclass(frozen=True)
class Conditions:
    """How a batch is read; by default as in evaluation, whole sequences from a state of zero."""

    masks: Mapping[str, Tensor] = field(default_factory=dict)  # by call: (layers − 1, T, N, D·P) of dropout
    cut: Mapping[str, Tensor] = field(default_factory=dict)  # by call: (T,) bool, see `Given.cut`
    initial: tuple[Tensor, ...] = ()  # first states of the first call, (layers·D, N, ·) each; (): zero

    def first(self, count: int) -> "Conditions":
        """Those of the first `count` sequences of the batch."""
        masks = {name: mask[:, :, :count] for name, mask in self.masks.items()}
        return replace(self, masks=masks, initial=tuple(state[:, :count] for state in self.initial))


EVALUATION = Conditions()
DECODER = "decoder"  # the name of the second call, of an encoder–decoder


@dataclass(frozen=True)
class CallPass:
    """One call: everything a capture keeps of it."""

    name: str  # "" of the first
    structure: Structure
    inputs: Tensor  # (T, N, I) what the recurrent module read
    given: Given  # first states, lengths, masks and cuts
    output: Tensor  # (T, N, D·P)
    final: tuple[Tensor, ...]  # (layers·D, N, ·) by state
    symbols: Tensor | None = None  # (T, N) int64, where the inputs are rows of an embedding


@dataclass(frozen=True)
class Pass:
    """All calls of a model, and the predictions at the time steps of the last one."""

    calls: tuple[CallPass, ...]
    prediction: Tensor  # (T, N, V)


def read(model: SequenceModel, batch: Batch, conditions: Conditions = EVALUATION) -> Pass:
    """What `model` makes of `batch`; its own masks, cuts and first states as `conditions` say."""
    calls = run_calls(model, batch, conditions)
    return Pass(calls, predicted(model, calls))


def run_calls(model: SequenceModel, batch: Batch, conditions: Conditions = EVALUATION) -> tuple[CallPass, ...]:
    """The recurrent part of `read`."""
    return (_call("", model.structure, model.recurrent, torch.from_numpy(batch.inputs), batch, conditions),)


def predicted(model: SequenceModel, calls: tuple[CallPass, ...]) -> Tensor:
    """(T, N, V) the predictions at the time steps of the last call."""
    return model.predictions(calls[-1].output)


def predicted_at_end(model: SequenceModel, calls: tuple[CallPass, ...]) -> Tensor:
    """(N, V) those at the end of each sequence alone."""
    return model.last_prediction(calls[-1].output, calls[-1].given.lengths)


def _call(
    name: str, structure: Structure, module: nn.Module, inputs: Tensor, batch: Batch, conditions: Conditions
) -> CallPass:
    initial = conditions.initial or zeros(structure, inputs)
    lengths = None if batch.lengths is None else torch.from_numpy(batch.lengths)
    given = Given(initial, lengths, conditions.masks.get(name), conditions.cut.get(name))
    output, final = run_module(module, structure, inputs, given)
    return CallPass(name, structure, inputs, given, output, final)
