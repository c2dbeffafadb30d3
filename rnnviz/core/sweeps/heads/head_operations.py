"""The operations of a head at one time step, forward to its loss and backward from it, with their equations.

Forward: pooling where there is one, logits, probabilities where the loss is of such, loss. Backward: ∂L/∂y_t, what the
weights get at t, what is passed to the pooling, and to the recurrent outputs.
"""

from dataclasses import replace

import numpy as np

from rnnviz.core.cells.node import ArrayNumbers
from rnnviz.core.formula import Equation, Operation, Term
from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.heads.attention_operations import ATTENDED, attention_backward, attention_forward
from rnnviz.core.sweeps.heads.losses import LOSSES, Softmax
from rnnviz.core.sweeps.heads.pooling import POOLINGS


def forward_operations(kind: HeadKind, output: str = "h_t") -> tuple[Operation, ...]:
    """attention, pooling, logits, softmax or sigmoid, loss, those there are; `output` is the symbol of the recurrent
    output."""
    loss, pooling, read = LOSSES[kind.loss], POOLINGS[kind.pooling], _read(kind, output)
    found = list(attention_forward(output)) if kind.attends else []
    if pooling.forward is not None:
        found.append(Operation("pooling", read, f"{pooling.words}: what the head reads", (pooling.forward(output),)))
    y = Term(_prediction(kind, output), "prediction", loss.prediction)
    if kind.weighs:
        terms = Term("W_{ho}", "weight", "weights of the head"), Term(read, "pooled", whole=True), Term("b_o", "bias")
        affine = Equation(y, "{} {} + {}", terms, lambda w, h, b: w @ h + b)
        found.append(Operation("logits", y.symbol, loss.prediction, (affine,)))
    if (node := loss.squash) is not None:
        operation = node.operation
        squashed = Equation(
            Term(node.symbol, node.name, node.words),
            operation.template.replace("{0}", "{}"),
            (replace(y, whole=isinstance(operation, Softmax)),),  # each probability depends on all logits
            lambda value: np.asarray(operation.compute(ArrayNumbers(), (value,), ())),
        )
        found.append(Operation(node.step, node.symbol, node.words, (squashed,)))
    measured = _renamed(loss.forward, kind, output)
    return (*found, Operation("loss", "L_t", f"{loss.words}: {loss.explained}", (measured,)))


def backward_operations(kind: HeadKind, output: str = "h_t") -> tuple[Operation, ...]:
    """∂L/∂y_t, what W_ho and b_o get at t, and what is passed to what the head reads and to the recurrent outputs, in
    this order."""
    pooling, read = POOLINGS[kind.pooling], _read(kind, output)
    measured = _renamed(LOSSES[kind.loss].backward, kind, output)
    delta = measured.result
    found = [Operation("prediction_grad", delta.symbol, "gradient of the prediction", (measured,))]
    if kind.weighs:
        weight = Equation(
            Term("(∂L/∂W_{ho})|_t", "weight_added"), "{} {}ᵀ", (delta, Term(read, "partner", whole=True)), np.outer
        )
        bias = Equation(Term("(∂L/∂b_o)|_t", "bias_added"), "{}", (delta,), np.array)
        words = "gradients of the head: what W and b get at this time step"
        found.append(Operation("weight_grads", "∂L/∂W_{ho}", words, (weight, bias)))
        name, to = "output_grad", "recurrent output"
        if pooling.mark or kind.attends:
            name, to = ("attended_grad", "attention") if kind.attends else ("pooled_grad", "pooling")
        passed = Equation(
            Term(f"∂L_t/∂{read}", name),
            "{}ᵀ {}",
            (Term("W_{ho}", "weight"), replace(delta, whole=True)),
            lambda w, d: d @ w,
        )
        found.append(Operation(passed.result.name, passed.result.symbol, f"gradient passed to the {to}", (passed,)))
    if kind.attends:
        found += attention_backward(output)
    if pooling.backward is not None:
        shared = pooling.backward(output)
        words = f"gradient passed to the recurrent outputs: {pooling.through}"
        found.append(Operation("output_grad", shared.result.symbol, words, (shared,)))
    return tuple(found)


def _read(kind: HeadKind, output: str) -> str:
    """The symbol of what the head reads."""
    return ATTENDED if kind.attends else POOLINGS[kind.pooling].symbol(output)


def _prediction(kind: HeadKind, output: str) -> str:
    """The symbol of the prediction: a head without weights predicts what it reads."""
    return "y_t" if kind.weighs else _read(kind, output)


def _renamed(equation: Equation, kind: HeadKind, output: str) -> Equation:
    """An equation of the loss with the symbol of the prediction."""
    symbol = _prediction(kind, output)
    symbols = {"prediction": symbol, "prediction_grad": f"∂L/∂{symbol}"}
    result, *terms = (
        replace(term, symbol=symbols.get(term.name, term.symbol)) for term in (equation.result, *equation.terms)
    )
    return replace(equation, result=result, terms=tuple(terms))
