"""The operations of attention at one time step t, forward from the decoder's output to what the head reads and backward
from it, with their equations.

Where a symbol has an s, its array has a row for each of the time steps s that are looked back at, and the equation
holds for one of them as well as for all at once.
"""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Equation, Operation, Term

ATTENDED = "h̃_t"  # what the head's linear layer reads
_READ = Term("e_s", "read", "output of the encoder at time step s", whole=True)
_SCORE_WEIGHT = Term("W_a", "score_weight", "weights of the score")
_COMBINE_WEIGHT = Term("W_c", "combine_weight", "weights that combine context and output")
_WEIGHT = Term("α_{t,s}", "attention_weights", "attention weight")
_CONTEXT_GRAD = Term("∂L_t/∂context_t", "context_grad", whole=True)
_WEIGHT_GRAD = Term("∂L_t/∂α_{t,s}", "attention_weights_grad")
_SCORE_GRAD = Term("∂L_t/∂score_{t,s}", "attention_scores_grad")
_DELTA = Term("δ_t", "combined_grad", "gradient before the tanh")
OF_ONE_S = frozenset({"attention_scores", "attention_weights_grad", "read_grad"})  # results told of one s
BY_S = frozenset(  # the terms that have a row for each s
    {"read", "attention_scores", "attention_weights", "attention_weights_grad", "attention_scores_grad", "read_grad"}
)


def attention_forward(output: str) -> tuple[Operation, ...]:
    """Scores, their softmax, context, and what the head reads; `output` is the symbol of the decoder's output."""
    state, both = Term(output, "output", whole=True), f"[context_t; {output}]"
    score = Equation(
        Term("score_{t,s}", "attention_scores"), "{}ᵀ {} {}", (state, _SCORE_WEIGHT, _READ), lambda h, w, e: e @ (h @ w)
    )
    scores = Term("score_t", "attention_scores", whole=True)
    softmax = Equation(_WEIGHT, "softmax_s({})", (scores,), _softmax)
    context = Equation(
        Term("context_t", "context"), "Σ_s {} {}", (_whole(_WEIGHT), _READ), lambda weights, e: weights @ e
    )
    combined = Equation(
        Term(ATTENDED, "attended"),
        "tanh({} {})",
        (_COMBINE_WEIGHT, Term(both, "context_and_output", whole=True)),
        lambda w, both: np.tanh(w @ both),
    )
    return (
        Operation("scores", "score_{t,s}", "scores: how well the output fits each output of the encoder", (score,)),
        Operation("attention", "α_{t,s}", "attention weights: what share each time step s has", (softmax,)),
        Operation("context", "context_t", "context: the encoder's outputs, each with its weight", (context,)),
        Operation("attended", ATTENDED, "attended output: what the head reads", (combined,)),
    )


def attention_backward(output: str) -> tuple[Operation, ...]:
    """From ∂L_t/∂ what the head reads, which is there, to ∂L_t/∂ the decoder's output and the encoder's."""
    both = f"[context_t; {output}]"
    delta = Equation(
        _DELTA, "{} ⊙ (1 − {}²)", (Term(f"∂L_t/∂{ATTENDED}", "attended_grad"), Term(ATTENDED, "attended")), _tanh_slope
    )
    combine = Equation(
        Term("(∂L/∂W_c)|_t", "combine_added"),
        "{} {}ᵀ",
        (_DELTA, Term(both, "context_and_output", whole=True)),
        np.outer,
    )
    split = Equation(
        Term(f"∂L_t/∂{both}", "context_and_output_grad"),
        "{}ᵀ {}",
        (_COMBINE_WEIGHT, _whole(_DELTA)),
        lambda w, delta: delta @ w,
    )
    weights = Equation(_WEIGHT_GRAD, "{}ᵀ {}", (_READ, _CONTEXT_GRAD), lambda e, grad: e @ grad)
    scores = Equation(
        _SCORE_GRAD,
        "{} ({} − {}ᵀ {})",
        (
            _WEIGHT,
            _WEIGHT_GRAD,
            Term("α_t", _WEIGHT.name, whole=True),
            Term("∂L_t/∂α_t", _WEIGHT_GRAD.name, whole=True),
        ),
        lambda weight, grad, weights, grads: weight * (grad - weights @ grads),
    )
    found = Term("Σ_s ∂L_t/∂score_{t,s} e_s", "read_by_scores", whole=True)
    score = Equation(Term("(∂L/∂W_a)|_t", "score_added"), "{} ({})ᵀ", (Term(output, "output"), found), np.outer)
    asking = Term(f"W_aᵀ {output}", "asking", whole=True)
    read = Equation(
        Term("∂L_t/∂e_s", "read_grad"),
        "{} {} + {} {}",
        (_WEIGHT, _CONTEXT_GRAD, _SCORE_GRAD, asking),
        lambda weight, grad, score, asking: np.multiply.outer(weight, grad) + np.multiply.outer(score, asking),
    )
    back = Equation(
        Term(f"∂L_t/∂{output}", "output_grad"),
        "({})_{h} + {} {}",
        (Term("W_cᵀ δ_t", "context_and_output_grad", whole=True), _SCORE_WEIGHT, found),
        lambda both, w, found: both[len(both) - len(w) :] + w @ found,
    )
    return (
        Operation("combined_grad", _DELTA.symbol, "gradient through the tanh: what W_c gets", (delta, combine)),
        Operation("context_grad", split.result.symbol, "gradient passed to the context and to the output", (split,)),
        Operation("attention_grad", _WEIGHT_GRAD.symbol, "gradient of the attention weights", (weights,)),
        Operation("scores_grad", _SCORE_GRAD.symbol, "gradient of the scores: what W_a gets", (scores, score)),
        Operation("read_grad", read.result.symbol, "gradient passed to the encoder's outputs", (read,)),
        Operation("output_grad", back.result.symbol, "gradient passed to the recurrent output", (back,)),
    )


def _whole(term: Term) -> Term:
    return Term(term.symbol, term.name, term.words, True)


def _softmax(scores: Array) -> Array:
    powers = np.exp(scores - scores.max(initial=-np.inf))
    return np.asarray(powers / powers.sum())


def _tanh_slope(grad: Array, value: Array) -> Array:
    return np.asarray(grad * (1 - value * value))
