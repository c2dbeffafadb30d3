"""The variables beside the cells: those of the head at a time step, and those of the update."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Operation
from rnnviz.core.optimising.update import UpdateRule, operations
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.head import HeadTrace
from rnnviz.core.sweeps.head_operations import backward_operations, forward_operations
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.phase_operations import short_words
from rnnviz.debugger.updating import UpdatedParameter, UpdateShown
from rnnviz.gui.cursor.variables import Variable

_SYMBOLS = {"weight": "W_{ho}", "bias": "b_o"}


def head_variables(kind: HeadKind, output: str, outputs: int) -> tuple[Variable, ...]:
    """What each operation of the head computes, at the time step, with its parameters below the logits; `output` is the
    symbol of the recurrent output, and the head has so many outputs itself."""
    parts = tuple(part for name in _SYMBOLS for part in _parameter(name, outputs if name == "weight" else 0))
    having = (*forward_operations(kind, output), *backward_operations(kind, output))
    return tuple(
        replace(_computed(one), parts=parts if one.key == "logits" else ())
        for one in having
        if one.key != "weight_grads"
    )


def update_variables(rule: UpdateRule, parameters: Sequence[UpdatedParameter]) -> tuple[Variable, ...]:
    """The norm of all gradients, the factor that clips them, and how each parameter changes, with what that is made of
    below it."""
    several = len({one.layer for one in parameters if one.layer}) > 1
    norm = _of_update("norm", "‖g_s‖", "norm of all gradients", "gradient", lambda shown: np.asarray(shown.update.norm))
    factor = _of_update(
        "factor", "min(1, θ / ‖g_s‖)", "factor of the clip", "clip", lambda shown: np.asarray(shown.update.clip_factor)
    )
    return (norm, factor, *(_change(one, rule, several) for one in parameters))


def _parameter(name: str, rows: int) -> tuple[Variable, Variable]:
    symbol = _SYMBOLS[name]

    def gradient(head: HeadTrace, t: int) -> Array | None:
        return head.weight_grads[name]

    words = "its gradient, of the whole sequence"
    return (
        Variable(
            name,
            symbol,
            "parameter",
            lambda head, t: head.value(name, t),
            operation="logits",
            phase=Phase.LOSS,
            rows=rows,
            timeless=True,
        ),
        Variable(
            f"{name}/gradient",
            f"∂L/∂{symbol}",
            words,
            gradient,
            operation="weight_grads",
            phase=Phase.LOSS,
            rows=rows,
            timeless=True,
        ),
    )


def _computed(operation: Operation) -> Variable:
    name = operation.equations[0].result.name

    def read(head: HeadTrace, t: int) -> Array | None:
        return head.value(name, t)

    key = operation.key.replace("_", " ")  # no part of it is taken for one of torch's names
    return Variable(key, operation.symbol, short_words(operation), read, operation=operation.key, phase=Phase.LOSS)


def _change(of: UpdatedParameter, rule: UpdateRule, several: bool) -> Variable:
    """ΔW with the gradient, what the optimiser gathered of it and the new weights below it."""
    words = "what is added to the weights"
    layer = f", {LayerId.read(of.layer).words}" if several and of.layer else ""
    terms = {
        equation.result.name: (operation.key, equation.result)
        for operation in operations(rule, of.symbol)
        for equation in operation.equations
        if equation.result.name not in ("norm", "delta")
    }
    parts = tuple(
        _of_update(name, term.symbol, term.words, key, _reader(of, name), of) for name, (key, term) in terms.items()
    )
    return _of_update("delta", f"Δ{of.symbol}", words + layer, "delta", _reader(of, "delta"), of, parts)


def _reader(of: UpdatedParameter, name: str) -> Callable[[UpdateShown], Array | None]:
    return lambda shown: shown.find(of.name, name)


def _of_update(
    key: str,
    symbol: str,
    words: str,
    operation: str,
    read: Callable[[UpdateShown], Array | None],
    of: UpdatedParameter | None = None,
    parts: tuple[Variable, ...] = (),
) -> Variable:
    return Variable(
        f"{of.name if of else 'all'}/{key}",
        symbol,
        words,
        lambda shown, t: read(shown),
        operation=operation,
        phase=Phase.UPDATE,
        rows=of.shape[0] if of and len(of.shape) > 1 else 0,
        parts=parts,
        parameter=of.name if of else "",
    )
