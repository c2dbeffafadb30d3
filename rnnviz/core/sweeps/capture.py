"""A capture: the little of one forward and backward sweep that cannot be recomputed, from which a trace is rebuilt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen_mapping
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.axis import Axis, Rows

LossName = Literal["cross entropy", "mean squared error", "binary cross-entropy"]
Pooling = Literal["last", "mean", "max"]  # what a head reads: each time step's output alone, or all up to it
Reduction = Literal["mean", "sum"]  # over time steps; over sequences it is always the mean
CaptureKind = Literal["probe", "batch", "generated"]
KIND_WORDS: dict[CaptureKind, str] = {"probe": "probe", "batch": "training batch", "generated": "generated sequence"}
OWN_OUTPUT = (
    "What the decoder read of its own output was fixed in a first run: no gradient goes back through what it chose, and"
    " a what-if leaves it as it was."
)

MOST_APART = 4096  # time steps · sequences up to which each sequence's shares of a user's own cell are found
NOT_APART = (
    f"What one sequence alone adds to the weight gradients is not known: of a cell of your own it is found up to "
    f"{MOST_APART:,} time steps of all sequences together."
)


@dataclass(frozen=True)
class HeadKind:
    """What a head does, without its numbers."""

    loss: LossName
    pooling: Pooling = "last"
    weighs: bool = True  # whether it has weights; without, the prediction is what the pooling gives
    attends: bool = False  # whether it reads an earlier call's outputs through attention

    @property
    def note(self) -> str:
        """Where a prediction comes from that the head does not compute; "" where it does."""
        return "" if self.weighs else "read out inside the cell: the head has no weights of its own"


@dataclass(frozen=True)
class Attention(FrozenArrays):
    """General dot-product attention over the outputs e_s of an earlier call, without input feeding (Luong, Pham &
    Manning 2015, eqs. 5 to 8).

    score[k, s] = h_kᵀ W_a e_s; α[k] = softmax over the time steps s of that call's own sequence; context_k =
    Σ_s α[k, s] e_s; the head reads tanh(W_c [context_k; h_k]) in place of h_k.
    """

    over: int  # which call's outputs, counted from 0
    score: Array  # (P, M) W_a, of P outputs here and M there
    combine: Array  # (P, M + P) W_c


@dataclass(frozen=True)
class Bridge(FrozenArrays):
    """The linear layer from the final states of both directions of one call to the first states of the next:
    state_l = weight_l · [forward_l; reverse_l] + bias_l."""

    weight: Mapping[str, Array]  # by state: (layers, units, 2·units)
    bias: Mapping[str, Array]  # by state: (layers, units)


@dataclass(frozen=True)
class Embedding(FrozenArrays):
    """The table that a call's inputs are rows of, so that there is a ∂L/∂ each token."""

    symbols: Array  # (T, N) int64; −1: no symbol, an input of zeros
    table: Array  # (V, I)


@dataclass(frozen=True)
class Convolution(FrozenArrays):
    """The pictures that a call's inputs are features of: of each 2 × 2 of relu(kernel ∗ picture) the largest."""

    pictures: Array  # (T, N, rows · columns)
    kernel: Array  # (C, 3, 3)
    rows: int  # of a picture


@dataclass(frozen=True)
class Head(FrozenArrays):
    """The linear layer from the top hidden states to the prediction, with the loss that follows it.

    prediction_t = weight · pooled_t + bias, or pooled_t without weights; pooled_t is output_t, or the mean or the
    maximum of output_1 … output_t. L = Σ_{t,n} loss_weight[t, n] · loss(prediction[t, n], target[t, n]), where the
    squared error and the binary cross-entropy are means over the V outputs.
    """

    weight: Array | None  # (V, D·H); None: the prediction is what the pooling gives
    bias: Array | None  # (V,); None where `weight` is
    loss: LossName
    targets: Array  # (T, N) int64 class numbers for cross entropy, (T, N, V) float for the others
    loss_weight: Array  # (T, N) 0 where nothing is asked, else 1 / (how many are asked), or 1 / N for a sum over time
    pooling: Pooling = "last"
    reduction: Reduction = "mean"  # over time, of which `loss_weight` holds the numbers
    attention: Attention | None = None  # what stands between the outputs and the linear layer

    @property
    def kind(self) -> HeadKind:
        return HeadKind(self.loss, self.pooling, self.weight is not None, self.attention is not None)

    @property
    def parameters(self) -> Mapping[str, Array]:
        """Its weight and bias by name; {} without any."""
        having = {"weight": self.weight, "bias": self.bias}
        return {name: array for name, array in having.items() if array is not None}


@dataclass(frozen=True)
class RecordedCall(FrozenArrays):
    """What is recorded of a call of a user's own cell, whose operations are not known; all arrays time-major.

    `states`, `grads`, `input_grad` and `initial_grads` are autograd's, of the whole pass. The others come from each
    time step run once more, alone, from the state it began with: direct and carried parts, and what each time step adds
    to the parameters' gradients. Of those column 0 is of all sequences together, 1 to N of each, where they are known.
    """

    states: Mapping[str, Array]  # (T, N, ·) after each time step
    grads: Mapping[str, Array]  # (T, N, ·) ∂L/∂ each, of the first of them ∂L/∂output included
    input_grad: Array  # (T, N, I) ∂L/∂x_t
    initial_grads: Mapping[str, Array]  # (N, ·) ∂L/∂ the states before the first time step
    again: Array  # (T, N, P) the output of each time step run once more
    direct: Mapping[str, Array]  # (T, N, ·) the part of each gradient that L_t alone sends
    carried: Mapping[str, Array]  # (T, N, ·) the part that came from the time step after, on whatever way
    arriving: Mapping[str, Array]  # (T, N, ·) what of it the time step after sent to this state itself
    weight_grads: Mapping[str, Array]  # (1 or 1 + N, …) by parameter, summed over the time steps
    shares: Mapping[str, Array]  # (T, 1 or 1 + N) float64 norm of what each time step adds
    so_far: Mapping[str, Array]  # (T, 1 or 1 + N) float64 norm of what is gathered once the backward sweep has done t

    @property
    def apart(self) -> bool:
        """Whether the shares of each sequence are known, or of this one alone where it was cut out of several."""
        one = next(iter(self.shares.values()))
        if self.input_grad.shape[1] > 1:
            return bool(one.shape[1] > 1)
        return bool(not np.isnan(one).all() or np.isnan(self.input_grad).any())  # which was not finite itself

    def sample(self, n: int, rows: Rows) -> "RecordedCall":
        """The same with sequence `n` alone, cut to `rows`; shares that are not known are NaN."""
        sequences = self.input_grad.shape[1]

        def cut(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
            return frozen_mapping({name: array[rows, n : n + 1] for name, array in arrays.items()})

        def column(array: Array, axis: int) -> Array:
            if array.shape[axis] > 1:
                return np.take(array, [n + 1], axis)
            return array if sequences == 1 else np.full_like(array, np.nan)

        return RecordedCall(
            cut(self.states),
            cut(self.grads),
            self.input_grad[rows, n : n + 1],
            frozen_mapping({name: array[n : n + 1] for name, array in self.initial_grads.items()}),
            self.again[rows, n : n + 1],
            cut(self.direct),
            cut(self.carried),
            cut(self.arriving),
            frozen_mapping({name: column(array, 0) for name, array in self.weight_grads.items()}),
            frozen_mapping({name: column(array[rows], 1) for name, array in self.shares.items()}),
            frozen_mapping({name: column(array[rows], 1) for name, array in self.so_far.items()}),
        )


@dataclass(frozen=True)
class Call(FrozenArrays):
    """One call of one recurrent module over N sequences of T time steps; all arrays time-major.

    `output` is what torch itself computed; a trace measures its fidelity against it.
    """

    structure: Structure
    inputs: Array  # (T, N, I)
    initial: Mapping[str, Array]  # by state "h", "c", …: (layers·D, N, ·); of a call that follows another, torch's own
    grad_output: Array  # (T, N, D·P) ∂L/∂output
    lengths: Array | None = None  # (N,) int64 of a packed batch, None if all are T
    output: Array | None = None  # (T, N, D·P) torch's own
    head: Head | None = None
    grad_final: Mapping[str, Array] = field(default_factory=dict)  # (layers·D, N, ·) ∂L/∂ final states, missing: 0
    name: str = ""  # in front of its layers' names; "" for the first
    module: str = ""  # in front of its parameters' names; calls of one module share its weights
    start: int = 0  # the time step before its first one on the axis all calls share
    follows: int | None = None  # which call's final states it begins with; what comes to them is in no `grad_final`
    bridge: Bridge | None = None  # between those final states and its first ones
    masks: Array | None = (
        None  # (layers − 1, T, N, D·P) dropout: what each layer but the last passes up is multiplied by
    )
    cut: Array | None = (
        None  # (T,) True where no gradient is carried to the states from the time step after (truncation)
    )
    embedding: Embedding | None = None  # where the inputs are rows of a table
    convolution: Convolution | None = None  # where they are features of pictures
    told: Array | None = None  # (T, N) True where a decoder read the answer before, else what it held for it itself
    recorded: RecordedCall | None = None  # of a user's own cell, from which nothing can be rebuilt

    def parameter(self, name: str, layer: LayerId) -> str:
        """A parameter among the capture's weights: "weight_hh_l0", "decoder.weight_hh_l0"."""
        module = f"{self.module}." if self.module else ""
        return f"{module}{name}_{layer.suffix}"

    @property
    def layer_ids(self) -> tuple[LayerId, ...]:
        """Its layers in torch's order."""
        layers = self.structure.layer_ids
        return tuple(replace(layer, call=self.name) for layer in layers) if self.name else layers

    def cut_of(self, layer: LayerId) -> Array | None:
        """(T,) `cut` as one layer has it: True where nothing is carried to its states from its own time step after,
        which of a reverse layer is the one before."""
        if self.cut is None or not layer.reverse:
            return self.cut
        return np.concatenate([np.zeros(1, bool), self.cut[:-1]])

    def sample(self, n: int, length: int, start: int | None = None) -> "Call":
        """The same with sequence `n` alone, cut to `length`, beginning at `start` of its axis (None: as now)."""
        one, head = slice(n, n + 1), self.head
        if head is not None:
            head = replace(head, targets=head.targets[:length, one], loss_weight=head.loss_weight[:length, one])
        embedding = self.embedding
        if embedding is not None:
            embedding = replace(embedding, symbols=embedding.symbols[:length, one])
        convolution = self.convolution
        if convolution is not None:
            convolution = replace(convolution, pictures=convolution.pictures[:length, one])
        return replace(
            self,
            inputs=self.inputs[:length, one],
            initial=frozen_mapping({state: array[:, one] for state, array in self.initial.items()}),
            grad_output=self.grad_output[:length, one],
            lengths=None,
            output=None if self.output is None else self.output[:length, one],
            head=head,
            grad_final=frozen_mapping({state: array[:, one] for state, array in self.grad_final.items()}),
            start=self.start if start is None else start,
            masks=None if self.masks is None else self.masks[:, :length, one],
            cut=None if self.cut is None else self.cut[:length] & (np.arange(length) < length - 1),
            embedding=embedding,
            convolution=convolution,
            told=None if self.told is None else self.told[:length, one],
            recorded=None if self.recorded is None else self.recorded.sample(n, slice(length)),
        )


def is_attended(capture: "Capture", call: Call) -> bool:
    """Whether attention of a later call goes over the outputs of this one, so that ∂L/∂ these comes through it."""
    heads = (one.head for one in capture.calls if one.head is not None)
    overs = (head.attention.over for head in heads if head.attention is not None)
    return any(capture.calls[over] is call for over in overs)


def axis_of(calls: Iterable[Call]) -> Axis:
    """The time axis that calls share."""
    found = [(call.start, len(call.inputs), call.lengths) for call in calls]
    return Axis(*zip(*found, strict=True))


@dataclass(frozen=True)
class OwnPass(FrozenArrays):
    """What is known of the pass that a person ran, of which a capture is the repetition; all arrays time-major.

    One phrase each ("dropout between the layers is on"): `doubts`, why the repetition may be another pass, and
    `causes`, what would be the reason if output or gradients here turned out to be others.
    """

    output: Array | None = None  # (T, N, D·P) what the person's own pass gave
    grads: Mapping[str, Array] = field(default_factory=dict)  # the module's own param.grad, of every parameter or none
    doubts: tuple[str, ...] = ()
    causes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capture(FrozenArrays):
    """The calls of one forward and backward sweep on one time axis, with the weights they used.

    `grads` are torch's own, of all calls together. Arrays are read-only and of one dtype (float32 or float64). One
    homogeneous stack is the case of one call, whose parts can be read from the capture itself.
    """

    weights: Mapping[str, Array]  # torch's names: weight_ih_l0, …, a module's name in front where there are several
    calls: tuple[Call, ...]
    grads: Mapping[str, Array] = field(default_factory=dict)  # torch's own param.grad, by parameter name
    notes: tuple[str, ...] = ()  # what makes the rebuilt trace differ from history, one sentence each
    kind: CaptureKind = "probe"
    own: OwnPass | None = None  # None: torch's numbers above are those of the pass itself
    batch_size: int = 0  # of the training batch that these sequences are the first of; 0: it is no training batch

    @staticmethod
    def of_one(
        weights: Mapping[str, Array],
        *,
        grads: Mapping[str, Array] | None = None,
        notes: tuple[str, ...] = (),
        kind: CaptureKind = "probe",
        **call: Any,
    ) -> "Capture":
        """The capture of one call, which is described by the fields of `Call`."""
        return Capture(weights, (Call(**call),), {} if grads is None else grads, notes, kind)

    def with_call(self, **changes: Any) -> "Capture":
        """With its only call changed."""
        (call,) = self.calls
        return replace(self, calls=(replace(call, **changes),))

    def sample(self, n: int) -> "Capture":
        """The same with sequence `n` alone, cut to its length, without what torch summed over all of them."""
        axis = self.axis
        calls = tuple(
            call.sample(n, axis.own_length(number, n), axis.place_of(number, n).start)
            for number, call in enumerate(self.calls)
        )
        return replace(self, calls=calls, grads={}, own=None)

    @property
    def axis(self) -> Axis:
        """Where its calls lie."""
        return axis_of(self.calls)

    @property
    def remarks(self) -> tuple[str, ...]:
        """What must be known to read it rightly, one sentence each; it is exact all the same."""
        fed_back = any(call.told is not None and not call.told.all() for call in self.calls)
        together = any(call.recorded is not None and not call.recorded.apart for call in self.calls)
        return (*((OWN_OUTPUT,) if fed_back else ()), *((NOT_APART,) if together else ()))

    @property
    def sequence_lengths(self) -> tuple[int, ...]:
        """The number of time steps of each sequence on the axis all calls share."""
        axis = self.axis
        return tuple(axis.length(n) for n in range(int(self.inputs.shape[1])))

    @property
    def structure(self) -> Structure:
        return self.calls[0].structure

    @property
    def inputs(self) -> Array:
        return self.calls[0].inputs

    @property
    def initial(self) -> Mapping[str, Array]:
        return self.calls[0].initial

    @property
    def grad_output(self) -> Array:
        return self.calls[0].grad_output

    @property
    def lengths(self) -> Array | None:
        return self.calls[0].lengths

    @property
    def output(self) -> Array | None:
        return self.calls[0].output

    @property
    def head(self) -> Head | None:
        return self.calls[0].head
