"""What stands around the cell of a layer, as operations to step: the embedding before it, the hand-over that begins it,
the dropout mask and the residual connection behind it.

What layer l + 1 reads is x^{(l+1)} = m ⊙ h + x, of whichever there are; what the last one gives is the output. Their
terms are read by name from a trace of one sequence.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Equation, Term
from rnnviz.core.structure import LayerId, Structure

if TYPE_CHECKING:
    from rnnviz.core.sweeps.borders.embedded import EmbeddingTrace
    from rnnviz.core.sweeps.call_trace import CallTrace
    from rnnviz.core.sweeps.capture import Call
    from rnnviz.core.sweeps.layer import Layer
    from rnnviz.core.sweeps.trace import Trace

EMBEDDING, HAND_OVER, MASK, RESIDUAL = AROUND_KEYS = ("embedding", "hand-over", "mask", "residual")


@dataclass(frozen=True)
class CallForm:
    """What a call has around its cells, without the numbers."""

    embedded: bool = False  # its inputs are rows of a table
    masked: bool = False  # dropout between its layers
    begins: Literal["", "states", "bridge"] = ""  # with an earlier call's final states, or its product

    @staticmethod
    def of(call: "Call") -> "CallForm":
        """That of a call."""
        begins: Literal["", "states", "bridge"] = "" if call.follows is None else "bridge" if call.bridge else "states"
        return CallForm(call.embedding is not None, call.masks is not None, begins)


PLAIN = CallForm()


@dataclass(frozen=True)
class AroundOperation:
    """One operation beside the cell. The backward sweep goes through them in reverse."""

    key: str  # one of AROUND_KEYS
    symbol: str  # of what it computes, as markup
    words: str
    forward: tuple[Equation, ...]
    backward: tuple[Equation, ...]


class Around(NamedTuple):
    """Those of a layer, in the order of the forward sweep."""

    opening: tuple[AroundOperation, ...] = ()  # at its first time step alone
    before: tuple[AroundOperation, ...] = ()
    after: tuple[AroundOperation, ...] = ()

    @property
    def all(self) -> tuple[AroundOperation, ...]:
        return (*self.opening, *self.before, *self.after)


NOTHING = Around()


@lru_cache(maxsize=256)
def around(structure: Structure, layer: LayerId, form: CallForm = PLAIN) -> Around:
    """What stands around the cell of a layer; of the directions of one depth the first reads the table."""
    opening = (_hand_over(structure, form.begins == "bridge"),) if form.begins else ()
    first = form.embedded and layer.depth == 0 and not layer.reverse
    after = []
    masked, residual = form.masked and layer.depth < structure.num_layers - 1, structure.residual and layer.depth > 0
    if masked:
        after.append(_mask(structure, layer, residual))
    if residual:
        after.append(_residual(structure, layer, masked))
    return Around(opening, (_embedding(),) if first else (), tuple(after))


def _embedding() -> AroundOperation:
    row = Term("E_{s_t}", "token", "row of the table")
    forward = Equation(Term("x_t", "x"), "{}", (row,), np.array)
    backward = Equation(Term("(∂L/∂E_{s_t})|_t", "token_grad"), "{}", (Term("∂L/∂x_t", "input_grad"),), np.array)
    return AroundOperation(EMBEDDING, "x_t", "embedding: the row of the table for this symbol", (forward,), (backward,))


def _hand_over(structure: Structure, bridged: bool) -> AroundOperation:
    forward, backward = list[Equation](), list[Equation]()
    for state in structure.equations.states:
        symbol = structure.equations.node(state).symbol.removesuffix("_t")
        first, final = (
            Term(f"{symbol}_0", f"first {state}"),
            Term(f"{symbol}^{{enc}}_S", f"final {state}", whole=bridged),
        )
        grad, sent = (
            Term(f"∂L/∂{first.symbol}", f"first_grad {state}"),
            Term(f"∂L/∂{final.symbol}", f"final_grad {state}"),
        )
        if not bridged:
            forward.append(Equation(first, "{}", (final,), np.array))
            backward.append(Equation(sent, "{}", (grad,), np.array))
            continue
        weight, bias = (
            Term(f"B_{symbol}", f"bridge_weight {state}"),
            Term(f"b_{symbol}", f"bridge_bias {state}"),
        )
        forward.append(Equation(first, "{} {} + {}", (weight, final, bias), lambda w, f, b: w @ f + b))
        whole = Term(grad.symbol, grad.name, whole=True)
        backward.append(Equation(sent, "{}ᵀ {}", (weight, whole), lambda w, g: g @ w))
        added = Term(f"∂L/∂{weight.symbol}", f"bridge_weight_grad {state}")
        backward.append(Equation(added, "{} {}ᵀ", (grad, final), np.outer))
        backward.append(Equation(Term(f"∂L/∂{bias.symbol}", f"bridge_bias_grad {state}"), "{}", (grad,), np.array))
    through = "the bridge's product of the encoder's final states" if bridged else "the final state of the encoder"
    words = f"hand-over: the decoder begins with {through}"
    return AroundOperation(HAND_OVER, forward[0].result.symbol, words, tuple(forward), tuple(backward))


def _mask(structure: Structure, layer: LayerId, residual: bool) -> AroundOperation:
    h, up = _output(structure), _masked(structure) if residual else _given(structure, layer)
    mask = Term("m_t", "mask", "dropout mask")
    forward = Equation(Term(up, "masked"), "{} ⊙ {}", (mask, Term(h, "output")), np.multiply)
    backward = Equation(
        Term(_directly(h), "direct_grad"), "{} ⊙ {}", (mask, Term(f"∂L/∂{up}", "masked_grad")), np.multiply
    )
    words = "dropout mask: what of the output goes on in this training step"
    return AroundOperation(MASK, up, words, (forward,), (backward,))


def _residual(structure: Structure, layer: LayerId, masked: bool) -> AroundOperation:
    h, given = _masked(structure) if masked else _output(structure), _given(structure, layer)
    read = structure.equations.input_symbol
    forward = Equation(Term(given, "given"), "{} + {}", (Term(h, "masked"), Term(read, "way_around")), np.add)
    came = (Term(f"∂L/∂{given}", "given_grad"),)
    to_h = Term(f"∂L/∂{h}" if masked else _directly(h), "masked_grad")
    backward = (
        Equation(to_h, "{}", came, np.array),
        Equation(Term(f"(∂L/∂{read})^{{around}}", "given_grad"), "{}", came, np.array),
    )
    words = "residual connection: what is read is added to what is given"
    return AroundOperation(RESIDUAL, given, words, (forward,), backward)


def _output(structure: Structure) -> str:
    cell = structure.equations
    return cell.node(cell.output).symbol


def _masked(structure: Structure) -> str:
    """The symbol of what dropout leaves of the output: "h^{m}_t"."""
    name, _, place = _output(structure).rpartition("_")
    return f"{name}^{{m}}_{place}"


def _given(structure: Structure, layer: LayerId) -> str:
    """The symbol of what a layer gives: what the next one reads, or the module's output."""
    return "output_t" if layer.depth == structure.num_layers - 1 else f"x_t^{{({layer.depth + 1})}}"


def _directly(h: str) -> str:
    """The symbol of what comes to the output from above, without the next time step."""
    return f"(∂L/∂{h})^{{up}}"


# the numbers


@np.errstate(all="ignore")
def around_value(trace: "Trace", layer: "Layer", name: str, t: int) -> Array | None:
    """What a term stands for at time step `t` (0-based) of a layer, of a trace of one sequence; None where there is
    nothing of that name."""
    kind, _, state = name.partition(" ")
    if state:
        return _handed(trace, layer, kind, state)
    if (value := layer_value(layer, name, t)) is not None:
        return value
    found = _OF_CALL.get(name)
    return None if found is None else np.asarray(found(trace, layer, t))


@np.errstate(all="ignore")
def layer_value(layer: "Layer", name: str, t: int) -> Array | None:
    """The same of what a layer alone tells: its mask, the way around it, and what goes up and comes down."""
    found = _OF_LAYER.get(name)
    return None if found is None else np.asarray(found(layer, t))


def call_of(trace: "Trace", layer: "Layer") -> "CallTrace":
    """The call that a layer is one of."""
    return next(one for one in trace.calls if one.call.name == layer.id.call)


def handed_from(trace: "Trace", layer: "Layer") -> "tuple[Layer, ...]":
    """The layers whose final states a layer begins with: of a bridge those of both directions."""
    call = call_of(trace, layer)
    if call.call.follows is None:
        return ()
    source, number = trace.calls[call.call.follows].layers, call.layers.index(layer)
    return source[2 * number : 2 * number + 2] if call.bridge is not None else source[number : number + 1]


def _final(layer: "Layer", array: Array) -> Array:
    """(units,) of the last time step of a layer's own direction."""
    own = layer.times()
    return np.asarray(array[own[0] if layer.reverse else own[-1], 0])


def _handed(trace: "Trace", layer: "Layer", kind: str, state: str) -> Array | None:
    """What the hand-over's terms stand for."""
    found: dict[str, Callable[[], Array]] = {
        "first": lambda: layer.initial[state][0],
        "final": lambda: np.concatenate([_final(one, one.value(state)) for one in handed_from(trace, layer)]),
        "first_grad": lambda: layer.initial_grads[state][0],
        "final_grad": lambda: layer.initial_grads[state][0],
    }
    if (bridge := call_of(trace, layer).bridge) is not None:
        weight, bias = bridge.bridge.weight[state][layer.id.depth], bridge.bridge.bias[state][layer.id.depth]
        found |= {
            "final_grad": lambda: layer.initial_grads[state][0] @ weight,
            "bridge_weight": lambda: weight,
            "bridge_bias": lambda: bias,
            "bridge_weight_grad": lambda: np.outer(
                layer.initial_grads[state][0], bridge.read[state][layer.id.depth, 0]
            ),
            "bridge_bias_grad": found["first_grad"],
        }
    return np.asarray(found[kind]()) if kind in found else None


def _part(layer: "Layer", array: Array) -> Array:
    """Of what both directions give together this one's."""
    width = layer.output.shape[-1]
    return array[width:] if layer.reverse else array[:width]


def _masked_output(layer: "Layer", t: int) -> Array:
    output = layer.output[t, 0]
    return np.asarray(output if layer.mask is None else output * layer.mask[t, 0])


def _given_value(layer: "Layer", t: int) -> Array:
    masked = _masked_output(layer, t)
    return masked + _part(layer, layer.x[t, 0]) if layer.residual else masked


def given_grad(layer: "Layer", t: int) -> Array:
    """(P,) ∂L/∂ what a layer gives at a time step, of this direction: through the layers above and around them."""
    if not layer.above:
        return np.asarray(layer.direct_grad[t, 0])
    came = sum(above.input_grad[t, 0] for above in layer.above)
    if layer.above[0].residual:
        came = came + np.concatenate([given_grad(above, t) for above in layer.above])
    return _part(layer, np.asarray(came))


def _token(trace: "Trace", layer: "Layer", t: int) -> Array:
    embedding = _embedding_of(trace, layer)
    symbol = int(embedding.symbols[t, 0])
    return np.zeros_like(embedding.table[0]) if symbol < 0 else embedding.table[symbol]


def _embedding_of(trace: "Trace", layer: "Layer") -> "EmbeddingTrace":
    found = call_of(trace, layer).embedding
    assert found is not None  # or the operation had not been there
    return found


_OF_CALL: "Mapping[str, Callable[[Trace, Layer, int], Array]]" = {
    "token": _token,
    "input_grad": lambda trace, layer, t: call_of(trace, layer).input_grad[t, 0],
    "token_grad": lambda trace, layer, t: _embedding_of(trace, layer).token_grad[t, 0],
}
_OF_LAYER: "Mapping[str, Callable[[Layer, int], Array]]" = {
    "x": lambda layer, t: layer.x[t, 0],
    "mask": lambda layer, t: np.ones_like(layer.output[t, 0]) if layer.mask is None else layer.mask[t, 0],
    "output": lambda layer, t: layer.output[t, 0],
    "masked": _masked_output,
    "way_around": lambda layer, t: _part(layer, layer.x[t, 0]),
    "given": _given_value,
    "given_grad": given_grad,
    "masked_grad": given_grad,
    "direct_grad": lambda layer, t: layer.direct_grad[t, 0],
}
