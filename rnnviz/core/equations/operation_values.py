"""What each operation of a cell computed at one time step, forward and backward, read off a layer or from it.

Time steps `t` are 0-based; `sample` is which sequence. In a reverse layer the time step before t is t + 1.
"""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.quantity import Quantity
from rnnviz.core.sweeps.layer import Layer

_GATES = {
    "i": Quantity.INPUT_GATE,
    "f": Quantity.FORGET_GATE,
    "g": Quantity.CANDIDATE,
    "o": Quantity.OUTPUT_GATE,
    "r": Quantity.RESET_GATE,
    "z": Quantity.UPDATE_GATE,
    "n": Quantity.NEW,
}


@np.errstate(all="ignore")
def forward_value(layer: Layer, key: str, t: int, sample: int = 0) -> Array:
    """What the operation called `key` computed: (H,), or (G,) for those of all pre-activations at once."""
    check_place(layer, t, sample)
    weights = layer.weights
    match key:
        case "W x":
            return np.asarray(weights.weight_ih @ layer.x[t, sample])
        case "U h":
            return np.asarray(weights.weight_hh @ layer.previous_h[t, sample])
        case "bias":
            return _pre_activations(layer, t, sample)
        case "a_n":
            return at(layer.pre_activations["n"], t, sample)
        case "c":
            return at(layer.quantity(Quantity.CELL), t, sample)
        case "h" if layer.unprojected is not None:
            return at(layer.unprojected, t, sample)
        case "h" | "projection":
            return at(layer.h, t, sample)
        case _:
            return at(layer.quantity(_GATES[key]), t, sample)


@np.errstate(all="ignore")
def backward_value(layer: Layer, key: str, t: int, sample: int = 0) -> Array:
    """The gradient that the operation called `key` has in the backward sweep.

    Of what it computed: ∂L/∂h_t, ∂L/∂c_t, ∂L/∂i_t, … and for "bias" ∂L/∂a_t (G,). Of "W x" and "U h", whose results
    have that very gradient, what they pass on: ∂L/∂x_t (I,), and to h_{t−1} through W_hh (P,).
    """
    check_place(layer, t, sample)
    match key:
        case "W x":
            return at(layer.input_grad, t, sample)
        case "U h":
            return np.asarray(layer.recurrent_delta[t, sample] @ layer.weights.weight_hh)
        case "bias":
            return at(layer.recurrent_delta, t, sample)
        case "a_n":
            return at(layer.gate_grads["n"], t, sample)
        case "c":
            return at(layer.quantity(Quantity.CELL_GRAD), t, sample)
        case "h" if layer.weights.weight_hr is not None:
            return np.asarray(passed_hidden(layer, t, sample) @ layer.weights.weight_hr)
        case "h" | "projection":
            return at(layer.hidden_grad, t, sample)
        case _:
            return _gate_grad(layer, key, t, sample)


def at(array: Array, t: int, sample: int) -> Array:
    """(·,) one time step of one sequence of an array (T, N, ·)."""
    return np.asarray(array[t, sample])


def neighbour_cell(layer: Layer, t: int, sample: int) -> Array:
    """(H,) c_{t−1}, at the start of the sequence c_0."""
    c = layer.quantity(Quantity.CELL)
    place = t + 1 if layer.reverse else t - 1
    if 0 <= place < length_of(layer, sample):
        return at(c, place, sample)
    return np.asarray(np.zeros_like(c[t, sample]) if layer.c0 is None else layer.c0[sample])


def passed_hidden(layer: Layer, t: int, sample: int) -> Array:
    """(P,) what of ∂L/∂h_t goes on into the cell: nothing where h was set by hand."""
    gradient = at(layer.hidden_grad, t, sample)
    return gradient if layer.held is None else np.where(layer.held[t, sample], gradient.dtype.type(0), gradient)


def passed_cell(layer: Layer, t: int, sample: int) -> Array:
    """(H,) what of ∂L/∂c_t goes on to what c_t was computed from: nothing where c was set by hand."""
    gradient = at(layer.quantity(Quantity.CELL_GRAD), t, sample)
    if layer.cut is None:
        return gradient
    forget, slope = layer.gates["f"][t, sample], layer.slopes["forget"][t, sample]
    return np.where((slope == 0) & (forget != 0), gradient.dtype.type(0), gradient)  # set: its slope is closed


def from_after(layer: Layer, t: int, sample: int) -> int | None:
    """The time step whose gradient is carried to t; None at the end of the sequence and where the gradient is cut."""
    place = t - 1 if layer.reverse else t + 1
    cut = layer.cut is not None and bool(layer.cut[t])
    return place if 0 <= place < length_of(layer, sample) and not cut else None


def length_of(layer: Layer, sample: int) -> int:
    """The time steps of one sequence."""
    return len(layer.h) if layer.lengths is None else int(layer.lengths[sample])


def check_place(layer: Layer, t: int, sample: int) -> None:
    """RnnvizError for a sequence or time step that is not there."""
    sequences = layer.h.shape[1]
    if not 0 <= sample < sequences:
        raise RnnvizError(f"layer {layer.name}: wanted a sequence from 0 to {sequences - 1}, got {sample}")
    length = length_of(layer, sample)
    if not 0 <= t < length:
        raise RnnvizError(f"layer {layer.name}: wanted a time step from 1 to {length}, got {t + 1}")


def _pre_activations(layer: Layer, t: int, sample: int) -> Array:
    """(G,) stacked as torch stacks them; the GRU's last block is W_hn h_{t−1} + b_hn, which r scales."""
    blocks = [layer.pre_activations[name][t, sample] for name in layer.equations.blocks]
    if layer.cell == "gru":
        size = len(blocks[2])
        blocks[2] = layer.weights.weight_hh[2 * size :] @ layer.previous_h[t, sample]
        if layer.weights.bias_hh is not None:
            blocks[2] = blocks[2] + layer.weights.bias_hh[2 * size :]
    return np.concatenate(blocks)


def _gate_grad(layer: Layer, key: str, t: int, sample: int) -> Array:
    """(H,) the gradient of a gate's own value."""
    gates = {name: gate[t, sample] for name, gate in layer.gates.items()}
    if layer.cell == "gru":
        hidden = passed_hidden(layer, t, sample)
        if key == "n":
            return np.asarray(hidden * (1 - gates["z"]))
        if key == "z":
            return np.asarray(hidden * (layer.previous_h[t, sample] - gates["n"]))
        recurrent_n = _pre_activations(layer, t, sample)[2 * len(hidden) :]
        return np.asarray(layer.gate_grads["n"][t, sample] * recurrent_n)
    if key == "o":
        hidden = passed_hidden(layer, t, sample)
        if layer.weights.weight_hr is not None:
            hidden = hidden @ layer.weights.weight_hr
        return np.asarray(hidden * np.tanh(layer.quantity(Quantity.CELL)[t, sample]))
    factor = {"i": gates["g"], "g": gates["i"], "f": neighbour_cell(layer, t, sample)}[key]
    return np.asarray(passed_cell(layer, t, sample) * factor)
