"""The variables beside the cells: those of the head at a time step, and those of the update."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Operation
from rnnviz.core.optimising.update import UpdateRule, operations
from rnnviz.core.sweeps.borders.embedded import EmbeddingTrace
from rnnviz.core.sweeps.call_trace import CallTrace
from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.debugger.cursor import Phase
from rnnviz.debugger.phase_operations import short_words
from rnnviz.debugger.updating import UpdatedParameter, UpdateShown
from rnnviz.gui.cursor.variables import Variable

_SYMBOLS = {"weight": "W_{ho}", "bias": "b_o"}
_ATTENTION = {"scores": ("score", "W_a", "scores_grad"), "attended": ("combine", "W_c", "combined_grad")}
_MATRIX_ROWS = 8  # about so high is the picture of a matrix whose rows are not known
_WHOLE = "its gradient, of the whole sequence"


def head_variables(kind: HeadKind, output: str, outputs: int) -> tuple[Variable, ...]:
    """What each operation of the head computes, at the time step, with the parameters it uses below it; `output` is the
    symbol of the recurrent output, and the head has so many outputs itself."""
    parts = {"logits": [part for name in _SYMBOLS for part in _parameter(name, outputs if name == "weight" else 0)]}
    parts |= {operation: _of_attention(operation) for operation in _ATTENTION}
    having = (*forward_operations(kind, output), *backward_operations(kind, output))
    return tuple(
        replace(_computed(one), parts=tuple(parts.get(one.key, ()))) for one in having if one.key != "weight_grads"
    )


def _of_attention(operation: str) -> list[Variable]:
    """The parameter of attention that an operation uses, and its gradient."""
    name, symbol, backward = _ATTENTION[operation]

    def value(head: HeadTrace, t: int) -> Array | None:
        return None if head.attention is None else head.attention.parameters[name]

    def gradient(head: HeadTrace, t: int) -> Array | None:
        return None if head.attention is None else head.attention.weight_grads[name]

    given = {"phase": Phase.LOSS, "rows": _MATRIX_ROWS, "timeless": True}
    return [
        Variable(f"attention {name}", symbol, "parameter", value, operation=operation, **given),  # type: ignore[arg-type]
        Variable(f"attention {name}/gradient", f"∂L/∂{symbol}", _WHOLE, gradient, operation=backward, **given),  # type: ignore[arg-type]
    ]


def call_variables(call: CallTrace) -> dict[str, tuple[Variable, ...]]:
    """The parameters before and between recurrent modules by what they are of: embedding, bridge; read of a call."""
    found: dict[str, tuple[Variable, ...]] = {}
    if call.embedding is not None:
        found["embedding"] = _pair(
            "table", "E", lambda one: _known(one.embedding, "table"), lambda one: _known(one.embedding, "table_grad")
        )
    if call.bridge is not None:
        depth = len(call.layers)
        found["bridge"] = tuple(
            part
            for name in call.bridge.parameters
            for layer in range(depth)
            for part in _of_bridge(name, layer, f", layer {layer}" if depth > 1 else "")
        )
    return found


def _of_bridge(name: str, layer: int, where: str) -> tuple[Variable, ...]:
    kind, _, state = name.partition("_")
    symbol = f"{'B' if kind == 'weight' else 'b'}_{state}"

    def read(which: str) -> Callable[[CallTrace], Array | None]:
        return lambda call: None if call.bridge is None else np.asarray(getattr(call.bridge, which)[name][layer])

    key = f"{name} {layer}".replace("_", " ")
    return _pair(key, symbol, read("parameters"), read("weight_grads"), where, _MATRIX_ROWS if kind == "weight" else 0)


def _known(embedding: EmbeddingTrace | None, name: str) -> Array | None:
    return None if embedding is None else np.asarray(getattr(embedding, name))


def _pair(
    key: str,
    symbol: str,
    value: Callable[[CallTrace], Array | None],
    gradient: Callable[[CallTrace], Array | None],
    where: str = "",
    rows: int = _MATRIX_ROWS,
) -> tuple[Variable, ...]:
    """A parameter that is no layer's, and its gradient below it."""
    below = Variable(
        f"{key}/gradient",
        f"∂L/∂{symbol}",
        _WHOLE,
        lambda call, t: gradient(call),
        phase=Phase.BACKWARD,
        rows=rows,
        timeless=True,
    )
    return (
        Variable(
            key, symbol, f"parameter{where}", lambda call, t: value(call), rows=rows, timeless=True, parts=(below,)
        ),
    )


def update_variables(
    rule: UpdateRule, parameters: Sequence[UpdatedParameter], layer_words: Callable[[str], str]
) -> tuple[Variable, ...]:
    """The norm of all gradients, the factor that clips them, and how each parameter changes, with what that is made of
    below it; `layer_words`: what a layer is called."""
    several = len({one.layer for one in parameters if one.layer}) > 1
    norm = _of_update("norm", "‖g_s‖", "norm of all gradients", "gradient", lambda shown: np.asarray(shown.update.norm))
    factor = _of_update(
        "factor", "min(1, θ / ‖g_s‖)", "factor of the clip", "clip", lambda shown: np.asarray(shown.update.clip_factor)
    )
    return (
        norm,
        factor,
        *(_change(one, rule, layer_words(one.layer) if several and one.layer else "") for one in parameters),
    )


def _parameter(name: str, rows: int) -> tuple[Variable, Variable]:
    symbol = _SYMBOLS[name]

    def gradient(head: HeadTrace, t: int) -> Array | None:
        return head.weight_grads[name]

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
            _WHOLE,
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


def _change(of: UpdatedParameter, rule: UpdateRule, where: str) -> Variable:
    """ΔW with the gradient, what the optimiser gathered of it and the new weights below it."""
    words = "what is added to the weights"
    terms = {
        equation.result.name: (operation.key, equation.result)
        for operation in operations(rule, of.symbol)
        for equation in operation.equations
        if equation.result.name not in ("norm", "delta")
    }
    parts = tuple(
        _of_update(name, term.symbol, term.words, key, _reader(of, name), of) for name, (key, term) in terms.items()
    )
    return _of_update("delta", f"Δ{of.symbol}", words + where, "delta", _reader(of, "delta"), of, parts)


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
