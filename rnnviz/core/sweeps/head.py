"""The head's part of a trace: prediction, probabilities, the loss of every time step and the head's gradients.

Forward: output of the recurrent module → y_t = W_ho h_t + b_o → probabilities, where the loss is of such → L_t.
Backward: ∂L/∂y_t → what W_ho and b_o get at t, and ∂L_t/∂h_t, which is passed to the recurrent module.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.cells.node import ArrayNumbers, Matrix, Node, Sum, Value, Weight
from rnnviz.core.errors import RnnvizError
from rnnviz.core.formula import Equation, Operation, Term
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.capture import Head, LossName
from rnnviz.core.sweeps.losses import LOSSES, Measure, Softmax, weighted

_PRODUCT = Node("product", Matrix(Weight("weight"), Value("output")), "logits", units="rows")
_SUM = Sum((Value("product"), Weight("bias")))


def head_nodes(loss: LossName) -> tuple[Node, ...]:
    """The nodes from "output" to "loss"; "rows" are the V rows of W_ho, one of the loss. They also read "target" and
    "loss_weight", which are given."""
    kind = LOSSES[loss]
    prediction = Node("prediction", _SUM, "logits", "y_t", kind.prediction, units="rows")
    measure = Measure(loss, Value("prediction"))
    measured = Node("loss", measure, symbol="L_t", words=kind.words, explained=kind.explained, units="rows")
    return (_PRODUCT, prediction, *(() if kind.squash is None else (kind.squash,)), measured)


def forward_operations(loss: LossName, output: str = "h_t") -> tuple[Operation, ...]:
    """logits, softmax or sigmoid where there are probabilities, loss; `output` is the symbol of what the head reads."""
    kind = LOSSES[loss]
    y = Term("y_t", "prediction", kind.prediction)
    terms = Term("W_{ho}", "weight", "weights of the head"), Term(output, "output", whole=True), Term("b_o", "bias")
    affine = Equation(y, "{} {} + {}", terms, lambda w, h, b: w @ h + b)
    found = [Operation("logits", y.symbol, kind.prediction, (affine,))]
    if (node := kind.squash) is not None:
        operation = node.operation
        squashed = Equation(
            Term(node.symbol, node.name, node.words),
            operation.template.replace("{0}", "{}"),
            (replace(y, whole=isinstance(operation, Softmax)),),  # each probability depends on all logits
            lambda value: np.asarray(operation.compute(ArrayNumbers(), (value,), ())),
        )
        found.append(Operation(node.step, node.symbol, node.words, (squashed,)))
    return (*found, Operation("loss", "L_t", f"{kind.words}: {kind.explained}", (kind.forward,)))


def backward_operations(loss: LossName, output: str = "h_t") -> tuple[Operation, ...]:
    """∂L/∂y_t, what W_ho and b_o get at t, and what is passed to the recurrent output, in this order."""
    kind = LOSSES[loss]
    delta = kind.backward.result
    weight = Equation(
        Term("(∂L/∂W_{ho})|_t", "weight_added"), "{} {}ᵀ", (delta, Term(output, "partner", whole=True)), np.outer
    )
    bias = Equation(Term("(∂L/∂b_o)|_t", "bias_added"), "{}", (delta,), np.array)
    passed = Equation(
        Term(f"∂L_t/∂{output}", "output_grad"),
        "{}ᵀ {}",
        (Term("W_{ho}", "weight"), replace(delta, whole=True)),
        lambda w, d: d @ w,
    )
    return (
        Operation("prediction_grad", delta.symbol, "gradient of the prediction", (kind.backward,)),
        Operation(
            "weight_grads", "∂L/∂W_{ho}", "gradients of the head: what W and b get at this time step", (weight, bias)
        ),
        Operation("output_grad", passed.result.symbol, "gradient passed to the recurrent output", (passed,)),
    )


@dataclass(frozen=True, eq=False)
class HeadTrace(FrozenArrays):
    """What the linear head made of the top layer's output; all arrays read-only."""

    prediction: Array  # (T, N, V) logits (cross entropies) or values
    probabilities: Array | None  # (T, N, V) softmax or, for binary cross-entropy, σ of the logits; None for values
    losses: Array  # (T, N) L_{t,n} with the reduction in it; their sum is L
    targets: Array  # (T, N) class numbers or (T, N, V) values
    loss_weight: Array  # (T, N)
    prediction_grad: Array  # (T, N, V) ∂L/∂prediction
    output: Array  # (T, N, D·P) of the recurrent module
    weight: Array  # (V, D·P)
    bias: Array  # (V,)
    loss: LossName

    @property
    def output_grad(self) -> Array:
        """(T, N, D·P) ∂L/∂output as far as it comes through the head."""
        with np.errstate(all="ignore"):
            return frozen(self.prediction_grad @ self.weight)

    @property
    def factors(self) -> dict[str, shares.Factors]:
        """The factors of ∂L/∂weight and ∂L/∂bias."""
        return {
            "weight": shares.Factors(self.prediction_grad, _partner(self.output, self.loss_weight)),
            "bias": shares.Factors(self.prediction_grad, None),
        }

    @property
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂weight (V, D·P) and ∂L/∂bias (V,) of the head, summed over t and n."""
        return frozen_mapping(shares.totals(self.factors))

    @property
    def weight_grad_shares(self) -> Mapping[str, Array]:
        """(T,) float64 ‖(∂L/∂W)|_t‖_F of each time step, by parameter."""
        return frozen_mapping(shares.all_shares(self.factors))

    @property
    def weight_grad_so_far(self) -> Mapping[str, Array]:
        """(T,) float64 ‖Σ_{s≥t} (∂L/∂W)|_s‖_F, what the backward sweep has gathered once it has done t."""
        return frozen_mapping({name: shares.accumulated(factors) for name, factors in self.factors.items()})

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
        if name not in _VALUES:
            raise RnnvizError(f"head: wanted one of {', '.join((*_VALUES, *written))}, got {name!r}")
        return np.asarray(_VALUES[name](self, (t, sample)))

    def asked_output(self, t: int, sample: int = 0) -> int:
        """The output (0-based) that a loss asks about at time step `t`: the target's class, else the one with the
        largest gradient."""
        if LOSSES[self.loss].targets == "classes" and 0 <= int(self.targets[t, sample]) < len(self.bias):
            return int(self.targets[t, sample])
        return int(np.argmax(np.abs(self.prediction_grad[t, sample])))

    def divided_by(self, n: int = 0) -> str:
        """What the losses of sequence `n` are divided by, so that L is the mean over the batch: "4 sequences".

        "" for the only sequence, where nothing is asked and where the answers count differently.
        """
        weights = self.loss_weight[:, n][self.loss_weight[:, n] != 0]
        if not weights.size or not np.allclose(weights, weights[0]) or not weights[0] > 0:
            return ""
        parts = round(1 / float(weights[0]))
        if parts < 2 or not np.isclose(parts * weights[0], 1, rtol=1e-3):
            return ""
        return f"{parts} {'sequences' if weights.size == 1 else 'time steps'}"

    def own_loss(self, n: int = 0) -> float:
        """The mean loss of sequence `n` alone, which compares with a training curve; NaN where nothing is asked."""
        whole = float(self.loss_weight[:, n].sum(dtype=np.float64))
        return float(self.losses[:, n].sum(dtype=np.float64)) / whole if whole else float("nan")

    def sample(self, n: int, length: int, copied: bool = False) -> "HeadTrace":
        """The same with sequence `n` alone, cut to `length`; `copied`: in arrays of its own."""

        def cut(array: Array) -> Array:
            found = array[:length, n : n + 1]
            return frozen(found.copy()) if copied else found

        return replace(
            self,
            prediction=cut(self.prediction),
            probabilities=None if self.probabilities is None else cut(self.probabilities),
            losses=cut(self.losses),
            targets=cut(self.targets),
            loss_weight=cut(self.loss_weight),
            prediction_grad=cut(self.prediction_grad),
            output=cut(self.output),
        )


def _probabilities(head: HeadTrace, at: tuple[int, int]) -> Array:
    if head.probabilities is None:
        raise RnnvizError(f"head: wanted probabilities, but the {head.loss} has none")
    return np.asarray(head.probabilities[at])


def _partner(output: Array, loss_weight: Array) -> Array:
    """What ∂L/∂y_t is multiplied by: the output, or 0 where it is not finite and nobody asks for its loss."""
    finite = np.isfinite(output)
    if finite.all():
        return output
    return np.asarray(np.where(finite | (loss_weight != 0)[..., None], output, output.dtype.type(0)))


_VALUES: Mapping[str, Callable[[HeadTrace, tuple[int, int]], Array]] = {
    "output": lambda head, at: head.output[at],
    "weight": lambda head, at: head.weight,
    "bias": lambda head, at: head.bias,
    "prediction": lambda head, at: head.prediction[at],
    "outputs": lambda head, at: np.asarray(len(head.bias), head.prediction.dtype),
    "probabilities": _probabilities,
    "target": lambda head, at: head.targets[at],
    "loss_weight": lambda head, at: head.loss_weight[at],
    "loss": lambda head, at: head.losses[at],
    "prediction_grad": lambda head, at: head.prediction_grad[at],
    "partner": lambda head, at: _partner(head.output[at], head.loss_weight[at]),
    "weight_added": lambda head, at: np.outer(
        head.prediction_grad[at], _partner(head.output[at], head.loss_weight[at])
    ),
    "bias_added": lambda head, at: head.prediction_grad[at],
    "output_grad": lambda head, at: head.prediction_grad[at] @ head.weight,
}


@np.errstate(all="ignore")
def through_head(head: Head, output: Array) -> HeadTrace:
    """Prediction, losses and gradients for `output` (T, N, D·P)."""
    numbers, loss = ArrayNumbers(), LOSSES[head.loss]
    product = _PRODUCT.operation.compute(numbers, (output,), (head.weight,))
    prediction = _SUM.compute(numbers, (product,), (head.bias,))
    value, slope, probabilities = loss.measure(prediction, head.targets)
    return HeadTrace(
        prediction=frozen(prediction),
        probabilities=None if probabilities is None else frozen(probabilities),
        losses=frozen(weighted(head.loss_weight, value)),
        targets=frozen(head.targets),
        loss_weight=frozen(head.loss_weight),
        prediction_grad=frozen(weighted(head.loss_weight[..., None], slope)),
        output=frozen(output),
        weight=frozen(head.weight),
        bias=frozen(head.bias),
        loss=head.loss,
    )
