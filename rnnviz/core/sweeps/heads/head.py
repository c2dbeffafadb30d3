"""The head's part of a trace: prediction, probabilities, the loss of every time step and the head's gradients.

Forward: output of the recurrent module → what the head reads of it, pooled over time, with attention or as it is →
y_t = W_ho h_t + b_o → probabilities, where the loss is of such → L_t. Backward: ∂L/∂y_t → what W_ho and b_o get at t,
and ∂L_t/∂h_s, which is passed to the recurrent module: at s = t, or through a pooling at every s ≤ t.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.cells.node import ArrayNumbers, Matrix, Node, Sum, Value, Weight
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import listed
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.axis import Place, Rows
from rnnviz.core.sweeps.capture import Head, HeadKind, LossName, Reduction
from rnnviz.core.sweeps.heads.attention import AttentionTrace, Source, attend, attention_trace
from rnnviz.core.sweeps.heads.losses import LOSSES, Measure, weighted
from rnnviz.core.sweeps.heads.pooling import POOLINGS, PooledGrads

_PRODUCT = Node("product", Matrix(Weight("weight"), Value("pooled")), "logits", units="rows")
_SUM = Sum((Value("product"), Weight("bias")))


def head_nodes(loss: LossName) -> tuple[Node, ...]:
    """The nodes from "pooled" to "loss"; "rows" are the V rows of W_ho, one of the loss. They also read "target" and
    "loss_weight", which are given."""
    kind = LOSSES[loss]
    prediction = Node("prediction", _SUM, "logits", "y_t", kind.prediction, units="rows")
    measure = Measure(loss, Value("prediction"))
    measured = Node("loss", measure, symbol="L_t", words=kind.words, explained=kind.explained, units="rows")
    return (_PRODUCT, prediction, *(() if kind.squash is None else (kind.squash,)), measured)


@dataclass(frozen=True, eq=False)
class HeadTrace(FrozenArrays):
    """What the head made of the top layer's output; all arrays read-only."""

    prediction: Array  # (T, N, V) logits (cross entropies) or values
    probabilities: Array | None  # (T, N, V) softmax or, for binary cross-entropy, σ of the logits; None for values
    losses: Array  # (T, N) L_{t,n} with the reduction in it; their sum is L
    targets: Array  # (T, N) class numbers or (T, N, V) values
    loss_weight: Array  # (T, N)
    prediction_grad: Array  # (T, N, V) ∂L/∂prediction
    output: Array  # (T, N, D·P) of the recurrent module
    pooled: Array  # (T, N, D·P) what the head reads: the output itself, of all up to each time step, or attended
    parameters: Mapping[str, Array]  # weight (V, D·P) and bias (V,); {}: the prediction is what is read
    kind: HeadKind
    reduction: Reduction
    attention: AttentionTrace | None = None
    place: Place | None = None  # the stretch of the time axis that its call covers; None: all of it

    @property
    def start(self) -> int:
        """Its first time step on the axis, 0-based."""
        return 0 if self.place is None else self.place.start

    @property
    def stop(self) -> int:
        """The one after its last."""
        return len(self.losses) if self.place is None else self.place.stop

    @property
    def loss(self) -> LossName:
        return self.kind.loss

    @property
    def outputs(self) -> int:
        """V."""
        return int(self.prediction.shape[-1])

    @cached_property
    def classes(self) -> Array | None:
        """(T, N) the class numbers of the targets, also where these are one-hot; None where they are values."""
        if self.targets.ndim == 2:
            return self.targets
        asked = self.targets[self.loss_weight != 0]
        if self.outputs < 2 or not len(asked) or not (np.isin(asked, (0, 1)).all() and (asked.sum(axis=-1) == 1).all()):
            return None
        return frozen(self.targets.argmax(axis=-1))

    @property
    def scores(self) -> Array:
        """(T, N, V) the probabilities, or where the loss is of none the predictions."""
        return self.prediction if self.probabilities is None else self.probabilities

    @cached_property
    def pooled_grads(self) -> PooledGrads:
        """∂L_k/∂ what the head read at each time step k, on its way to the outputs."""
        with np.errstate(all="ignore"):
            grad = self.prediction_grad @ self.parameters["weight"] if self.parameters else self.prediction_grad
        if self.place is None:
            return PooledGrads.of(self.kind.pooling, grad, self.output)
        own = slice(self.start, self.stop)
        return PooledGrads.of(self.kind.pooling, grad[own], self.output[own]).placed(self.place)

    @property
    def output_grad(self) -> Array:
        """(T, N, D·P) ∂L/∂output as far as it comes through the head."""
        if self.attention is not None:
            return self.attention.states_grad
        with np.errstate(all="ignore"):
            return frozen(self.pooled_grads.total)

    @property
    def factors(self) -> dict[str, shares.Factors]:
        """The factors of ∂L/∂weight and ∂L/∂bias; {} without weights."""
        if not self.parameters:
            return {}
        return {
            "weight": shares.Factors(self.prediction_grad, _partner(self.pooled, self.loss_weight)),
            "bias": shares.Factors(self.prediction_grad, None),
        }

    @property
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂weight (V, D·P) and ∂L/∂bias (V,) of the head, summed over t and n; {} without weights."""
        return frozen_mapping(shares.totals(self.factors))

    @property
    def weight_grad_shares(self) -> Mapping[str, Array]:
        """(T,) float64 ‖(∂L/∂W)|_t‖_F of each time step, by parameter."""
        return frozen_mapping(shares.all_shares(self.factors))

    @property
    def weight_grad_so_far(self) -> Mapping[str, Array]:
        """(T,) float64 ‖Σ_{s≥t} (∂L/∂W)|_s‖_F, what the backward sweep has gathered once it has done t."""
        gathered = {name: shares.accumulated(factors) for name, factors in self.factors.items()}
        if self.place is not None:
            gathered = {name: self.place.alone(one) for name, one in gathered.items()}
        return frozen_mapping(gathered)

    def value(self, name: str, t: int, sample: int = 0) -> Array:
        """What a term of the operations stands for at time step `t` and sequence `sample`, both 0-based."""
        time_steps, sequences = self.losses.shape
        if not (0 <= t < time_steps and 0 <= sample < sequences):
            raise RnnvizError(
                f"head: wanted a time step below {time_steps} and a sequence below {sequences}, got {t} and {sample}"
            )
        written = LOSSES[self.loss].written
        if name in written:
            with np.errstate(all="ignore"):
                return np.asarray(written[name](self.prediction[t, sample], self.targets[t, sample]))
        of_attention = None if self.attention is None else self.attention.value(name, (t, sample))
        if of_attention is not None:
            return of_attention
        if name not in _VALUES:
            raise RnnvizError(f"head: wanted one of {', '.join((*_VALUES, *written))}, got {name!r}")
        return np.asarray(_VALUES[name](self, (t, sample)))

    def asked_output(self, t: int, sample: int = 0) -> int:
        """The output (0-based) that a loss asks about at time step `t`: the target's class, else the one with the
        largest gradient."""
        if self.classes is not None and 0 <= int(self.classes[t, sample]) < self.outputs:
            return int(self.classes[t, sample])
        return int(np.argmax(np.abs(self.prediction_grad[t, sample])))

    def divided_by(self, n: int = 0) -> str:
        """What the losses of sequence `n` are divided by, so that L is the mean over the batch: "4 sequences".

        "" for the only sequence, where nothing is asked and where the answers count differently.
        """
        asked, parts = self._parts(n)
        if parts < 2:
            return ""
        return f"{parts} {'sequences' if asked == 1 or self.reduction == 'sum' else 'time steps'}"

    def reduction_words(self, n: int = 0) -> str:
        """How L is made of the losses of the batch that sequence `n` is one of: "mean over 50 time steps and 4
        sequences", "sum over 50 time steps, mean over 4 sequences"; "" where `divided_by` is."""
        asked, parts = self._parts(n)
        if not asked or (parts < 2 and self.reduction == "mean"):
            return ""
        summed = self.reduction == "sum"
        sequences = parts if summed else parts // asked
        over = [f"{asked} time steps"] * (asked > 1 and not summed) + [f"{sequences} sequences"] * (sequences > 1)
        found = [f"sum over {asked} time steps"] * (summed and asked > 1) + [f"mean over {listed(over)}"] * bool(over)
        return ", ".join(found)

    def _parts(self, n: int) -> tuple[int, int]:
        """At how many time steps sequence `n` is asked, and what each of its losses is divided by; 0 and 0 where they
        count differently or are divided by nothing whole."""
        weights = self.loss_weight[:, n][self.loss_weight[:, n] != 0]
        if not weights.size or not np.allclose(weights, weights[0]) or not weights[0] > 0:
            return 0, 0
        parts = round(1 / float(weights[0]))
        if not parts or not np.isclose(parts * weights[0], 1, rtol=1e-3):
            return 0, 0
        return int(weights.size), parts

    def own_loss(self, n: int = 0) -> float:
        """The loss of sequence `n` alone, the mean over its time steps or their sum, which compares with a training
        curve; NaN where nothing is asked."""
        weights = self.loss_weight[:, n].astype(np.float64)
        whole = float(weights.sum()) if self.reduction == "mean" else float(weights.max(initial=0.0))
        return float(self.losses[:, n].sum(dtype=np.float64)) / whole if whole else float("nan")

    def sample(
        self, n: int, rows: Rows, place: Place | None = None, copied: bool = False, read_from: int = 0
    ) -> "HeadTrace":
        """The same with sequence `n` alone, cut to `rows` of the time axis, on which it then lies at `place`, and what
        attention reads begins at `read_from`; `copied`: in arrays of its own."""

        def cut(array: Array) -> Array:
            found = array[rows, n : n + 1]
            return frozen(found.copy()) if copied else frozen(found)

        attention = None if self.attention is None else self.attention.sample(n, cut, place, read_from)
        return self._rearranged(cut, place, attention)

    def placed(self, place: Place) -> "HeadTrace":
        """The head of a call by itself on the time axis of a trace of several: nothing is asked elsewhere."""
        attention = None if self.attention is None else self.attention.placed(place)
        return self if place.whole else self._rearranged(place.on_axis, place, attention)

    def _rearranged(
        self, cut: Callable[[Array], Array], place: Place | None, attention: AttentionTrace | None
    ) -> "HeadTrace":
        output = cut(self.output)
        return replace(
            self,
            prediction=cut(self.prediction),
            probabilities=None if self.probabilities is None else cut(self.probabilities),
            losses=cut(self.losses),
            targets=cut(self.targets),
            loss_weight=cut(self.loss_weight),
            prediction_grad=cut(self.prediction_grad),
            output=output,
            pooled=output if self.pooled is self.output else cut(self.pooled),
            attention=attention,
            place=place,
        )


def _probabilities(head: HeadTrace, at: tuple[int, int]) -> Array:
    if head.probabilities is None:
        raise RnnvizError(f"head: wanted probabilities, but the {head.loss} has none")
    return np.asarray(head.probabilities[at])


def _partner(pooled: Array, loss_weight: Array) -> Array:
    """What ∂L/∂y_t is multiplied by: what the head read, or 0 where it is not finite and nobody asks for its loss."""
    finite = np.isfinite(pooled)
    if finite.all():
        return pooled
    return np.asarray(np.where(finite | (loss_weight != 0)[..., None], pooled, pooled.dtype.type(0)))


def _pooled_before(head: HeadTrace, at: tuple[int, int]) -> Array:
    """What the head read at the time step before; of a maximum before the first one −∞."""
    t, sample = at
    return np.asarray(head.pooled[t - 1, sample] if t > head.start else np.full_like(head.pooled[0, sample], -np.inf))


def _passed_on(head: HeadTrace, at: tuple[int, int]) -> Array:
    """What L_t gives to each output it reaches: through a mean to all alike, through a maximum to what held it."""
    if head.attention is not None:
        return np.asarray(head.attention.states_grad[at])
    grad = head.pooled_grads.grad[at]
    return np.asarray(grad / (at[0] + 1 - head.start) if head.kind.pooling == "mean" else grad)


_VALUES: Mapping[str, Callable[[HeadTrace, tuple[int, int]], Array]] = {
    "output": lambda head, at: head.output[at],
    "output_sum": lambda head, at: head.output[head.start : at[0] + 1, at[1]].sum(axis=0, dtype=np.float64),
    "pooled": lambda head, at: head.pooled[at],
    "pooled_before": _pooled_before,
    "time_steps": lambda head, at: np.asarray(at[0] + 1 - head.start, head.prediction.dtype),
    "weight": lambda head, at: head.parameters["weight"],
    "bias": lambda head, at: head.parameters["bias"],
    "prediction": lambda head, at: head.prediction[at],
    "outputs": lambda head, at: np.asarray(head.outputs, head.prediction.dtype),
    "probabilities": _probabilities,
    "target": lambda head, at: head.targets[at],
    "loss_weight": lambda head, at: head.loss_weight[at],
    "loss": lambda head, at: head.losses[at],
    "prediction_grad": lambda head, at: head.prediction_grad[at],
    "partner": lambda head, at: _partner(head.pooled[at], head.loss_weight[at]),
    "weight_added": lambda head, at: np.outer(
        head.prediction_grad[at], _partner(head.pooled[at], head.loss_weight[at])
    ),
    "bias_added": lambda head, at: head.prediction_grad[at],
    "pooled_grad": lambda head, at: head.pooled_grads.grad[at],
    "output_grad": _passed_on,
}


@np.errstate(all="ignore")
def through_head(head: Head, output: Array, source: Source | None = None, lengths: Array | None = None) -> HeadTrace:
    """Prediction, losses and gradients for `output` (T, N, D·P) of sequences of `lengths` (N,); `source` is what its
    attention goes over, where it has one."""
    numbers, loss = ArrayNumbers(), LOSSES[head.loss]
    read = None
    if head.attention is None:
        prediction = pooled = POOLINGS[head.pooling].pooled(output)
    else:
        assert source is not None  # whoever knows the other calls gives it
        read = attend(head.attention, output, source, lengths)
        prediction = pooled = read.attended
    if head.weight is not None:
        product = _PRODUCT.operation.compute(numbers, (pooled,), (head.weight,))
        prediction = _SUM.compute(numbers, (product,), (head.bias,))
    value, slope, probabilities = loss.measure(prediction, head.targets)
    output = frozen(output)
    found = HeadTrace(
        prediction=frozen(prediction),
        probabilities=None if probabilities is None else frozen(probabilities),
        losses=frozen(weighted(head.loss_weight, value)),
        targets=frozen(head.targets),
        loss_weight=frozen(head.loss_weight),
        prediction_grad=frozen(weighted(head.loss_weight[..., None], slope)),
        output=output,
        pooled=output if head.pooling == "last" and read is None else frozen(pooled),
        parameters=frozen_mapping(head.parameters),
        kind=head.kind,
        reduction=head.reduction,
    )
    if read is None or source is None or head.attention is None:
        return found
    grad = found.pooled_grads.grad
    return replace(found, attention=attention_trace(head.attention, read, grad, output, source))
