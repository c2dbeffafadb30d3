"""The named operations of each cell, in order: what a person steps through inside one time step, with its equations."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.equations import operation_values
from rnnviz.core.equations.equation import Equation, Term
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import Quantity
from rnnviz.core.structure import Activation, CellName, Structure
from rnnviz.core.sweeps.layer import Layer


@dataclass(frozen=True)
class Operation:
    """One operation of a cell. The backward sweep goes through the operations in reverse."""

    key: str  # "W x", "f", "h", …
    symbol: str  # of what it computes, as markup: "f_t"
    words: str
    forward: tuple[Equation, ...]  # one for each kind of block where they differ
    backward: tuple[Equation, ...]  # the chain rule; together the gradient that `backward_value` gives
    added: tuple[Equation, ...] = ()  # what each of its parameters' gradients gets at this time step

    @property
    def backward_symbol(self) -> str:
        """Of its gradient: "∂L/∂f_t"."""
        return self.backward[0].result.symbol if len(self.backward) == 1 else f"∂L/∂{self.symbol}"

    @property
    def parameters(self) -> tuple[str, ...]:
        """The parameters it uses, torch's names without the layer: "weight_hh"."""
        return tuple(str(equation.result.of) for equation in self.added)

    def forward_value(self, layer: Layer, t: int, sample: int = 0) -> Array:
        """What it computed at time step `t` (0-based): (H,), (P,) for h, or (G,) for all pre-activations at once."""
        return operation_values.forward_value(layer, self.key, t, sample)

    def backward_value(self, layer: Layer, t: int, sample: int = 0) -> Array:
        """Its gradient at time step `t` (0-based): ∂L/∂ what it computed.

        For "W x" and "U h", whose results have the gradient ∂L/∂a_t of "bias", what they pass on instead: ∂L/∂x_t (I,)
        and W_hhᵀ ∂L/∂a_t (P,), which is carried to h_{t−1}.
        """
        return operation_values.backward_value(layer, self.key, t, sample)


def operations(structure: Structure) -> tuple[Operation, ...]:
    """The operations of every time step of this structure, in the order of the forward sweep."""
    return _operations(structure.cell, structure.activation, structure.bias, structure.proj_size > 0)


def operations_of(layer: Layer) -> tuple[Operation, ...]:
    """The operations of this layer's cell."""
    weights = layer.weights
    return _operations(layer.cell, layer.activation, weights.bias_ih is not None, weights.weight_hr is not None)


def operation_keys(structure: Structure) -> tuple[str, ...]:
    """The keys of `operations`, which name them in a cursor."""
    return tuple(operation.key for operation in operations(structure))


def operation_named(structure: Structure, key: str) -> Operation:
    """The operation called `key`; RnnvizError where this cell has none."""
    for operation in operations(structure):
        if operation.key == key:
            return operation
    having = ", ".join(operation_keys(structure))
    raise RnnvizError(f"operation: wanted one of {having} of the {structure.cell} cell, got {key!r}")


_X = Term("x_t", Quantity.INPUT)
_H_BEFORE = Term("h_{t−1}", Quantity.HIDDEN, -1)
_H, _DH = Term("h_t", Quantity.HIDDEN), Term("∂L/∂h_t", Quantity.HIDDEN_GRAD)
_DIRECT = Term("∂L_t/∂h_t", Quantity.DIRECT_GRAD)
_W_IH, _W_HH = Term("W_{ih}", "weight_ih", kind="parameter"), Term("W_{hh}", "weight_hh", kind="parameter")
_B_IH, _B_HH = Term("b_{ih}", "bias_ih", kind="parameter"), Term("b_{hh}", "bias_hh", kind="parameter")
_W_HR = Term("W_{hr}", "weight_hr", kind="parameter")
_WX, _UH = Term("a_{x,t}", "W x"), Term("a_{h,t}", "U h")
_DX = Term("∂L/∂x_t", Quantity.INPUT_GRAD)
_ALL, _DALL = Term("a_t", "bias"), Term("∂L/∂a_t", "bias", kind="gradient")
_C, _DC = Term("c_t", Quantity.CELL), Term("∂L/∂c_t", Quantity.CELL_GRAD)
_C_BEFORE = Term("c_{t−1}", Quantity.CELL, -1)
_I, _F = Term("i_t", Quantity.INPUT_GATE), Term("f_t", Quantity.FORGET_GATE)
_G, _O = Term("g_t", Quantity.CANDIDATE), Term("o_t", Quantity.OUTPUT_GATE)
_R, _Z = Term("r_t", Quantity.RESET_GATE), Term("z_t", Quantity.UPDATE_GATE)
_N = Term("n_t", Quantity.NEW)
_SIGMOID_SLOPE = "{} ⊙ {} ⊙ (1 − {})"
_TANH_SLOPE = "{} ⊙ (1 − {}²)"


def _sigmoid(a: Array) -> Array:
    return np.asarray(1 / (1 + np.exp(-a)))


def _gradient(term: Term) -> Term:
    """The gradient of the operation that computes this gate."""
    return Term(f"∂L/∂{term.symbol}", term.symbol[0], kind="gradient")


def _of_block(stacked: Term, block: str) -> Term:
    """One block of the stacked pre-activations or of their gradient: a_{i,t}."""
    return Term(stacked.symbol.replace("_t", f"_{{{block},t}}"), stacked.of, 0, stacked.kind, block)


def _sigmoid_slope(gradient: Array, gate: Array, again: Array) -> Array:
    return np.asarray(gradient * gate * (1 - again))


def _tanh_slope(gradient: Array, value: Array) -> Array:
    return np.asarray(gradient * (1 - value * value))


def _added(delta: Term, partner: Term | None, parameter: Term) -> Equation:
    result = Term(f"(∂L/∂{parameter.symbol})|_t", parameter.of, kind="added")
    if partner is None:
        return Equation(result, "{}", (delta,), np.array)
    return Equation(result, "{} {}ᵀ", (delta, partner), np.outer)


@lru_cache(maxsize=32)
def _operations(cell: CellName, activation: Activation, bias: bool, projected: bool) -> tuple[Operation, ...]:
    if cell == "lstm":
        return _lstm(bias, projected)
    return _gru(bias) if cell == "gru" else _vanilla(activation, bias)


def _products(delta: Term) -> tuple[Operation, Operation]:
    """ "W x" and "U h"; `delta` is the gradient of W_ih x_t, in the GRU another than that of W_hh h_{t−1}."""
    passed = Term("(∂a_t/∂h_{t−1})ᵀ ∂L/∂a_t", "U h", kind="gradient")
    return (
        Operation(
            "W x",
            _WX.symbol,
            "pre-activations from the input",
            (Equation(_WX, "{} {}", (_W_IH, _X), np.matmul),),
            (Equation(_DX, "{}ᵀ {}", (_W_IH, delta), _transposed),),
            (_added(delta, _X, _W_IH),),
        ),
        Operation(
            "U h",
            _UH.symbol,
            "pre-activations from the state before",
            (Equation(_UH, "{} {}", (_W_HH, _H_BEFORE), np.matmul),),
            (Equation(passed, "{}ᵀ {}", (_W_HH, _DALL), _transposed),),
            (_added(_DALL, _H_BEFORE, _W_HH),),
        ),
    )


def _transposed(weight: Array, delta: Array) -> Array:
    return np.asarray(delta @ weight)


def _biases(bias: bool) -> tuple[Equation, ...]:
    """The pre-activations a_t of all gates, with both biases where there are any."""
    if bias:
        return (Equation(_ALL, "{} + {} + {} + {}", (_WX, _UH, _B_IH, _B_HH), _plus),)
    return (Equation(_ALL, "{} + {}", (_WX, _UH), _plus),)


def _plus(*parts: Array) -> Array:
    return np.asarray(sum(parts[1:], parts[0]))


def _bias_shares(bias: bool, delta: Term = _DALL) -> tuple[Equation, ...]:
    return (_added(delta, None, _B_IH), _added(_DALL, None, _B_HH)) if bias else ()


def _hidden_gradient(*along: Term) -> Equation:
    """∂L/∂h_t: the direct gradient and what the time step after carries back, through W_hh and, in the GRU, along z."""
    carried = Term("W_{hh}ᵀ ∂L/∂a_{t+1}", "U h", 1, "gradient")
    if along:
        return Equation(_DH, "{} + {} + {} ⊙ {}", (_DIRECT, carried, *along), lambda d, u, z, h: d + u + z * h)
    return Equation(_DH, "{} + {}", (_DIRECT, carried), _plus)


def _gate(term: Term, words: str, block: str, gradient: Equation, tanh: bool = False) -> Operation:
    function: Callable[[Array], Array] = np.tanh if tanh else _sigmoid
    template = "tanh({})" if tanh else "σ({})"
    return Operation(
        term.symbol[0],
        term.symbol,
        words,
        (Equation(term, template, (_of_block(_ALL, block),), function),),
        (gradient,),
    )


def _lstm(bias: bool, projected: bool) -> tuple[Operation, ...]:
    slopes = tuple(
        Equation(_of_block(_DALL, name), _SIGMOID_SLOPE, (_gradient(gate), gate, gate), _sigmoid_slope)
        if name != "g"
        else Equation(_of_block(_DALL, name), _TANH_SLOPE, (_gradient(gate), gate), _tanh_slope)
        for name, gate in (("i", _I), ("f", _F), ("g", _G), ("o", _O))
    )
    hidden = Term("m_t", "h") if projected else _H
    hidden_grad = Term("∂L/∂m_t", "h", kind="gradient") if projected else _DH
    forget_after = Term("f_{t+1}", Quantity.FORGET_GATE, 1), Term("∂L/∂c_{t+1}", Quantity.CELL_GRAD, 1)
    cell_grad = Equation(
        _DC,
        "{} ⊙ {} ⊙ (1 − tanh²({})) + {} ⊙ {}",
        (hidden_grad, _O, _C, *forget_after),
        lambda h, o, c, f, after: h * o * (1 - np.tanh(c) ** 2) + f * after,
    )

    def grad(gate: Term, source: Term, factor: Term) -> Equation:
        return Equation(_gradient(gate), "{} ⊙ {}", (source, factor), np.multiply)

    output_grad = Equation(_gradient(_O), "{} ⊙ tanh({})", (hidden_grad, _C), lambda h, c: h * np.tanh(c))
    cell = Equation(_C, "{} ⊙ {} + {} ⊙ {}", (_F, _C_BEFORE, _I, _G), lambda f, c, i, g: f * c + i * g)
    read = Equation(hidden, "{} ⊙ tanh({})", (_O, _C), lambda o, c: o * np.tanh(c))
    to_hidden = Equation(hidden_grad, "{}ᵀ {}", (_W_HR, _DH), _transposed) if projected else _hidden_gradient()
    words = "hidden state before its projection" if projected else "hidden state"
    found = (
        *_products(_DALL),
        Operation("bias", "a_t", "pre-activations of all gates", _biases(bias), slopes, _bias_shares(bias)),
        _gate(_I, "input gate: how much is written", "i", grad(_I, _DC, _G)),
        _gate(_F, "forget gate: how much is kept", "f", grad(_F, _DC, _C_BEFORE)),
        _gate(_G, "candidate: what is written", "g", grad(_G, _DC, _I), tanh=True),
        _gate(_O, "output gate: how much is shown", "o", output_grad),
        Operation("c", "c_t", "cell state", (cell,), (cell_grad,)),
        Operation("h", hidden.symbol, words, (read,), (to_hidden,)),
    )
    if not projected:
        return found
    projection = Equation(_H, "{} {}", (_W_HR, hidden), np.matmul)
    added = (_added(_DH, hidden, _W_HR),)
    return (*found, Operation("projection", "h_t", "hidden state", (projection,), (_hidden_gradient(),), added))


def _gru(bias: bool) -> tuple[Operation, ...]:
    delta = Term("∂L/∂a_{x,t}", "delta", kind="delta")
    scaled = Term("u_t", "bias", block="n")
    pre_n, pre_n_grad = Term("a_{n,t}", "a_n"), Term("∂L/∂a_{n,t}", "a_n", kind="gradient")
    forward = tuple(_gru_block(name, bias) for name in ("r", "z", "n"))
    slopes = (
        Equation(_of_block(_DALL, "r"), _SIGMOID_SLOPE, (_gradient(_R), _R, _R), _sigmoid_slope),
        Equation(_of_block(_DALL, "z"), _SIGMOID_SLOPE, (_gradient(_Z), _Z, _Z), _sigmoid_slope),
        Equation(Term("∂L/∂u_t", "bias", 0, "gradient", "n"), "{} ⊙ {}", (pre_n_grad, _R), np.multiply),
    )
    inputs = [Term("a_{xn,t}", "W x", block="n")]
    if bias:
        inputs.append(Term("b_{in}", "bias_ih", kind="parameter", block="n"))
    mixed = Equation(
        pre_n,
        " + ".join(["{}"] * len(inputs)) + " + {} ⊙ {}",
        (*inputs, _R, scaled),
        lambda *parts: _plus(*parts[:-2]) + parts[-2] * parts[-1],
    )
    reset_grad = Equation(_gradient(_R), "{} ⊙ {}", (pre_n_grad, scaled), np.multiply)
    update_grad = Equation(_gradient(_Z), "{} ⊙ ({} − {})", (_DH, _H_BEFORE, _N), lambda d, h, n: d * (h - n))
    new_grad = Equation(_gradient(_N), "{} ⊙ (1 − {})", (_DH, _Z), lambda d, z: d * (1 - z))
    state = Equation(_H, "(1 − {}) ⊙ {} + {} ⊙ {}", (_Z, _N, _Z, _H_BEFORE), lambda z, n, y, h: (1 - z) * n + y * h)
    along = Term("z_{t+1}", Quantity.UPDATE_GATE, 1), Term("∂L/∂h_{t+1}", Quantity.HIDDEN_GRAD, 1)
    pre_slope = Equation(pre_n_grad, _TANH_SLOPE, (_gradient(_N), _N), _tanh_slope)
    new = Equation(_N, "tanh({})", (pre_n,), np.tanh)
    return (
        *_products(delta),
        Operation("bias", "a_t", "pre-activations of the gates", forward, slopes, _bias_shares(bias, delta)),
        _gate(_R, "reset gate: how much of the past the new state sees", "r", reset_grad),
        _gate(_Z, "update gate: how much is kept", "z", update_grad),
        Operation("a_n", "a_{n,t}", "pre-activation of the new state", (mixed,), (pre_slope,)),
        Operation("n", "n_t", "new state", (new,), (new_grad,)),
        Operation("h", "h_t", "hidden state", (state,), (_hidden_gradient(*along),)),
    )


def _gru_block(name: str, bias: bool) -> Equation:
    """a_{r,t}, a_{z,t}, and u_t, the recurrent part of the new state that r scales."""
    recurrent = Term(f"a_{{h{name},t}}", "U h", block=name)
    biases = (
        Term(f"b_{{i{name}}}", "bias_ih", kind="parameter", block=name),
        Term(f"b_{{h{name}}}", "bias_hh", kind="parameter", block=name),
    )
    if name == "n":
        terms = (recurrent, biases[1]) if bias else (recurrent,)
        return Equation(Term("u_t", "bias", block="n"), " + ".join(["{}"] * len(terms)), terms, _plus)
    terms = (Term(f"a_{{x{name},t}}", "W x", block=name), recurrent, *(biases if bias else ()))
    return Equation(_of_block(_ALL, name), " + ".join(["{}"] * len(terms)), terms, _plus)


def _vanilla(activation: Activation, bias: bool) -> tuple[Operation, ...]:
    if activation == "tanh":
        state = Equation(_H, "tanh({})", (_ALL,), np.tanh)
        slope = Equation(_DALL, _TANH_SLOPE, (_DH, _H), _tanh_slope)
    elif activation == "relu":
        state = Equation(_H, "max(0, {})", (_ALL,), lambda a: np.maximum(a, 0))
        slope = Equation(_DALL, "{} ⊙ [{} > 0]", (_DH, _H), lambda d, h: d * (h > 0))
    else:
        state = Equation(_H, "σ({})", (_ALL,), _sigmoid)
        slope = Equation(_DALL, _SIGMOID_SLOPE, (_DH, _H, _H), _sigmoid_slope)
    return (
        *_products(_DALL),
        Operation("bias", "a_t", "pre-activation", _biases(bias), (slope,), _bias_shares(bias)),
        Operation("h", "h_t", "hidden state", (state,), (_hidden_gradient(),)),
    )
