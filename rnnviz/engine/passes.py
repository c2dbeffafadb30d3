"""Pass: one forward reading of a batch by a model, call by call, with what stands at the borders of each call."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor, nn

from rnnviz.core.experiment.sizes import DECODER
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
    told: Tensor | None = None  # (U, N) bool: where a decoder is told the answer before; None: at all time steps

    def first(self, count: int) -> "Conditions":
        """Those of the first `count` sequences of the batch."""
        masks = {name: mask[:, :, :count] for name, mask in self.masks.items()}
        initial = tuple(state[:, :count] for state in self.initial)
        return replace(self, masks=masks, initial=initial, told=None if self.told is None else self.told[:, :count])


EVALUATION = Conditions()


@dataclass(frozen=True)
class CallPass:
    """One call: everything a capture keeps of it."""

    name: str  # "" of the first
    structure: Structure
    inputs: Tensor  # (T, N, I) what the recurrent module read
    given: Given  # first states, lengths, masks and cuts
    output: Tensor  # (T, N, D·P)
    final: tuple[Tensor, ...]  # (layers·D, N, ·) by state
    before: Tensor | None = None  # (T, N, ·) what its front read, where it has one
    start: int = 0  # the time step before its first one on the axis of all calls
    told: Tensor | None = None  # (T, N) bool of a decoder: where it read the answer before, elsewhere its own

    @property
    def all_told(self) -> bool:
        """Whether no input is an output of its own."""
        return self.told is None or bool(self.told.all())


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
    inputs = torch.from_numpy(batch.inputs)
    lengths = None if batch.lengths is None else torch.from_numpy(batch.lengths)
    x = model.read_in(inputs)
    before = None if model.front is None else inputs
    initial = conditions.initial or zeros(model.structure, x)
    given = Given(initial, lengths, conditions.masks.get(""), conditions.cut.get(""))
    output, final = run_module(model.recurrent, model.structure, x, given)
    first = CallPass("", model.structure, x, given, output, final, before)
    return (first,) if model.decoder is None else (first, _decoded(model, model.decoder, first, batch, conditions))


def predicted(model: SequenceModel, calls: tuple[CallPass, ...]) -> Tensor:
    """(T, N, V) the predictions at the time steps of the last call."""
    if len(calls) == 1:
        return model.predictions(calls[0].output)
    encoder, decoder = calls
    return model.answers(decoder.output, encoder.output, encoder.given.lengths)


def predicted_at_end(model: SequenceModel, calls: tuple[CallPass, ...]) -> Tensor:
    """(N, V) those at the end of each sequence alone."""
    return model.last_prediction(calls[-1].output, calls[-1].given.lengths)


def _decoded(
    model: SequenceModel, module: nn.Module, encoder: CallPass, batch: Batch, conditions: Conditions
) -> CallPass:
    """The call of the decoder, whose inputs are fixed before, so that it is one run."""
    structure = model.decoder_structure
    assert structure is not None  # it has a decoder
    assert batch.decoder_inputs is not None  # a task that reads whole says what the decoder reads
    inputs = torch.from_numpy(batch.decoder_inputs)
    lengths = None if batch.decoder_lengths is None else torch.from_numpy(batch.decoder_lengths)
    given = Given(model.handed_over(encoder.final), lengths, conditions.masks.get(DECODER), conditions.cut.get(DECODER))
    if conditions.told is not None and not bool(conditions.told[1:].all()):
        inputs = _with_its_own(model, encoder, given, inputs, conditions.told)
    x = inputs if model.decoder_front is None else model.decoder_front(inputs)
    output, final = run_module(module, structure, x, given)
    before = None if model.decoder_front is None else inputs
    told = torch.ones(inputs.shape[:2], dtype=torch.bool)  # the first symbol is the start, whatever is told
    if conditions.told is not None:
        told[1:] = conditions.told[1:]
    start = len(encoder.output)
    return CallPass(DECODER, structure, x, given, output, final, before, start, told)


@torch.no_grad()
def _with_its_own(model: SequenceModel, encoder: CallPass, given: Given, inputs: Tensor, told: Tensor) -> Tensor:
    """(U, N, V + 1) what the decoder reads where it is `told` the answer before, and elsewhere what it held for the
    likeliest; found in a first run, one time step after the other, through which no gradient goes."""
    assert model.decoder is not None
    assert model.decoder_structure is not None
    states, rows = given.initial, [inputs[0]]
    for k in range(len(inputs) - 1):
        x = rows[-1][None]
        x = x if model.decoder_front is None else model.decoder_front(x)
        masks = None if given.masks is None else given.masks[:, k : k + 1]
        output, states = run_module(model.decoder, model.decoder_structure, x, Given(states, None, masks))
        answer = model.answers(output, encoder.output, encoder.given.lengths)[0].argmax(dim=-1)
        own = torch.zeros_like(inputs[0])
        own[torch.arange(len(own)), answer + 1] = 1.0  # the first symbol is that of the start
        rows.append(torch.where(told[k + 1, :, None], inputs[k + 1], own))
    return torch.stack(rows)
