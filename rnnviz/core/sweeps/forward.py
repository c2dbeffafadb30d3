"""The forward sweep: every layer and direction over all time steps.

Where torch's own h_t are known (the top layer's output is in the capture), all pre-activations of all time steps come
from one GEMM, and only c_t needs a scan; elsewhere a scan finds h_t first. Either way h_t is computed from h_{t−1} and
compared with torch's, so a wrong weight cannot pass unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.cells import Cell
from rnnviz.core.structure import LayerId
from rnnviz.core.sweeps.capture import Call
from rnnviz.core.sweeps.steps.nodes import SetByHand, sweep_forward
from rnnviz.core.sweeps.steps.window import windowed


@dataclass(frozen=True)
class Order:
    """A layer's own order of time steps: as they come, or each sequence from its own end to its start."""

    reverse: bool
    lengths: Array | None  # (N,) of a packed batch
    time_steps: int

    def turned(self, array: Array) -> Array:
        """An array (T, N, ·) brought from time order into the layer's own, or back: the turn undoes itself."""
        if not self.reverse:
            return array
        if self.lengths is None:
            return np.ascontiguousarray(array[::-1])
        t = np.arange(self.time_steps)[:, None]
        index = np.where(t < self.lengths, self.lengths - 1 - t, t)  # (T, N), padding stays behind
        return array[index, np.arange(array.shape[1])]

    @property
    def padding(self) -> Array | None:
        """(T, N) True beyond a sequence's end, in either order; None if nothing is."""
        return None if self.lengths is None else np.arange(self.time_steps)[:, None] >= self.lengths


@dataclass(frozen=True)
class LayerSweep:
    """One layer and direction after the forward sweep, in its own order; B is () for N = 1, else (N,)."""

    layer: LayerId
    cell: Cell
    weights: Mapping[str, Array]
    order: Order
    hidden: int  # H
    initial: Mapping[str, Array]  # (*B, ·) by state
    before: Mapping[str, Array]  # (T, *B, ·) by state, that of the time step before
    values: Mapping[str, Array]  # (T, *B, ·) x and the nodes that were computed, those in brackets for the kernel
    generic: bool  # whether the generic sweep made it
    by_hand: SetByHand | None = None
    cut: Array | None = None  # (T,) in time order: True where nothing is carried to a state from the time step after

    @property
    def output(self) -> Array:
        """(T, N, P) the output in time order."""
        return self.in_time(self.values[self.cell.output])

    @cached_property
    def single(self) -> bool:
        """Whether the arrays have no axis of sequences."""
        return next(iter(self.initial.values())).ndim == 1 if self.initial else self.values["x"].ndim == 2

    @property
    def own_cut(self) -> Array | None:
        """`cut` in the layer's own order: (S,), or (S, N) where each sequence is turned at its own end."""
        if self.cut is None or not self.order.reverse or self.order.lengths is None:
            return None if self.cut is None else self.order.turned(self.cut)
        return self.in_own_order(np.repeat(self.cut[:, None], len(self.order.lengths), axis=1))

    def in_time(self, array: Array) -> Array:
        """(T, *B, ·) of the layer's own order as (T, N, ·) in time order."""
        return self.order.turned(array[:, None] if self.single else array)

    def in_own_order(self, array: Array) -> Array:
        """(T, N, ·) in time order as (T, *B, ·) in the layer's own."""
        turned = self.order.turned(array)
        return turned[:, 0] if self.single else turned


def unroll(
    call: Call,
    weights: Mapping[str, Array],
    output: Array | None,
    by_hand: Mapping[LayerId, SetByHand] | None = None,
    initial: Mapping[str, Array] | None = None,
) -> list[LayerSweep]:
    """All layers of a call in torch's order.

    `weights` are the capture's, or N weight sets along a leading axis of each, one for each sequence; `initial`
    replaces the call's own. `output` (T, N, D·P): torch's own, or None to find every h_t by scanning, as is done where
    a way around the top layer is in it. `by_hand`: what
    is set by hand in each layer, for N = 1 without lengths and without `output` only; then all layers take the generic
    sweep, so that two such traces are the same to the last bit where nothing differs.
    """
    structure, initial = call.structure, call.initial if initial is None else initial
    below, sweeps = call.inputs, list[LayerSweep]()
    if call.lengths is not None:
        padding = np.arange(len(below))[:, None] >= call.lengths
        below = np.where(padding[:, :, None], below.dtype.type(0), below)
    below = windowed(below, structure.window)
    layers = call.layer_ids
    for number, layer in enumerate(layers):
        direction = number % structure.directions
        if direction == 0 and number:
            below = handed_up(call, sweeps[-structure.directions :], below)
        known = None
        if output is not None and number >= len(layers) - structure.directions and not is_residual(call, layer):
            known = output[..., direction * structure.output_size : (direction + 1) * structure.output_size]
        states = {state: array[number] for state, array in initial.items()}
        hand = None if by_hand is None else by_hand[layer]
        sweeps.append(_layer(call, layer, layer_weights(call, layer, weights), below, states, known, hand))
    return sweeps


def is_residual(call: Call, layer: LayerId) -> bool:
    """Whether what a layer reads is added to what it gives."""
    return call.structure.residual and layer.depth > 0


def handed_up(call: Call, level: list[LayerSweep], read: Array) -> Array:
    """(T, N, D·P) what the layers of one depth, which `read` (T, N, ·), give to the next or as the module's output: h
    with its dropout mask, and the way around."""
    h, depth = joined(level), level[0].layer.depth
    if call.masks is not None and depth < len(call.masks):
        h = h * call.masks[depth]
    return h + read if is_residual(call, level[0].layer) else h


def module_output(call: Call, sweeps: list[LayerSweep]) -> Array:
    """(T, N, D·P) what the whole module gives, from the sweeps of all its layers."""
    level = sweeps[-call.structure.directions :]
    return handed_up(call, level, level[0].in_time(level[0].values["x"]))


def joined(level: list[LayerSweep]) -> Array:
    """(T, N, D·P) the outputs of one level's directions side by side."""
    return level[0].output if len(level) == 1 else np.concatenate([sweep.output for sweep in level], axis=-1)


def layer_weights(call: Call, layer: LayerId, weights: Mapping[str, Array]) -> dict[str, Array]:
    """The parameters of one layer by their names in the cell."""
    found = {}
    for parameter in call.structure.equations.parameters:
        weight = weights[call.parameter(parameter.name, layer)]
        recurrent = parameter.name == "weight_hh"
        found[parameter.name] = _aligned(frozen(weight)) if recurrent else frozen(weight)
    return found


def _aligned(weight: Array) -> Array:
    """The same numbers from a 64-byte border on: a scan reads them at every time step, and from there 5–15 % faster."""
    if weight.__array_interface__["data"][0] % 64 == 0:
        return weight
    room = np.empty(weight.nbytes + 64, np.uint8)
    start = -room.__array_interface__["data"][0] % 64
    copy = room[start : start + weight.nbytes].view(weight.dtype).reshape(weight.shape)
    copy[...] = weight
    return frozen(copy)


def _layer(
    call: Call,
    layer: LayerId,
    weights: Mapping[str, Array],
    below: Array,
    initial: Mapping[str, Array],
    known: Array | None,
    by_hand: SetByHand | None,
) -> LayerSweep:
    structure, cell = call.structure, call.structure.equations
    order = Order(layer.reverse, call.lengths, len(below))
    several = any(weights[one.name].ndim > 2 for one in cell.parameters if one.columns)  # weight sets
    single = below.shape[1] == 1 and not several
    x = order.turned(below)
    h = None if known is None else order.turned(known)
    if single:
        x, h = x[:, 0], None if h is None else h[:, 0]
        initial = {state: array[0] for state, array in initial.items()}
    generic = cell.kernel is None or by_hand is not None or several
    if generic:
        values = sweep_forward(cell, weights, x, initial, structure.hidden_size, by_hand)
        before = {state: _before(values[state], initial[state]) for state in cell.states}
    else:
        values, before = _by_kernel(cell, weights, x, initial, h)
        values["x"] = x
    if order.padding is not None:
        padding = order.padding[:, 0] if single else order.padding
        for array in (array for name, array in values.items() if not name.startswith("(")):
            array[padding] = 0  # beyond a sequence's end, as torch's pad_packed_sequence does with the outputs
    cut = call.cut_of(layer)
    if by_hand is not None and by_hand.cut is not None:
        own = order.turned(by_hand.cut)
        cut = own if cut is None else own | cut
    hidden = structure.hidden_size
    return LayerSweep(layer, cell, weights, order, hidden, initial, before, values, generic, by_hand, cut)


def _before(states: Array, first: Array) -> Array:
    """(T, *B, ·) the state before each time step."""
    before = np.empty((len(states), *first.shape), states.dtype)
    before[0] = first
    before[1:] = states[:-1]
    return before


def _by_kernel(
    cell: Cell, weights: Mapping[str, Array], x: Array, initial: Mapping[str, Array], h: Array | None
) -> tuple[dict[str, Array], dict[str, Array]]:
    """The nodes the cell's kernel computes, and the states before each time step; `h`: torch's own, if known."""
    assert cell.kernel is not None  # the caller looked
    bias_ih, bias_hh = weights.get("bias_ih"), weights.get("bias_hh")
    if cell.kernel.joint_bias and bias_ih is not None and bias_hh is not None:
        bias_ih, bias_hh = bias_ih + bias_hh, None
    a_ih = affine(x, weights["weight_ih"], bias_ih)
    if h is None:
        h = _scan(cell, weights, a_ih.copy(), bias_hh, initial)
    previous_h = _before(h, initial["h"])
    a_hh = affine(previous_h, weights["weight_hh"], bias_hh)
    values = cell.kernel.forward(weights, a_ih, a_hh, previous_h, initial)
    others = {state: values[f"({state} before)"] for state in cell.states if state != "h"}
    return values, {"h": previous_h, **others}


def affine(values: Array, weight: Array, bias: Array | None) -> Array:
    """values (…, C) times weightᵀ (C, R), plus bias: one GEMM over all leading axes."""
    result = np.dot(values.reshape(-1, values.shape[-1]), weight.T)
    if bias is not None:
        result += bias
    return np.asarray(result.reshape(*values.shape[:-1], len(weight)))


def _scan(
    cell: Cell, weights: Mapping[str, Array], a_ih: Array, bias_hh: Array | None, initial: Mapping[str, Array]
) -> Array:
    """h of all time steps (T, *B, P), one after the other."""
    assert cell.kernel is not None  # the caller looked
    h = np.empty((len(a_ih), *initial["h"].shape), a_ih.dtype)
    states = dict(initial)
    for t in range(len(a_ih)):
        before = states["h"][None]
        a_hh = affine(before, weights["weight_hh"], bias_hh)
        values = cell.kernel.forward(weights, a_ih[t : t + 1], a_hh, before, states)
        states = {state: values[state][0] for state in cell.states}
        h[t] = states["h"]
    return h
