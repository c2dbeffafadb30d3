"""The forward sweep: every layer and direction over all time steps.

Where torch's own h_t are known (the top layer's output is in the capture), all pre-activations of all time steps come
from one GEMM, and only c_t needs a scan; elsewhere a scan finds h_t first. Either way h_t is computed from h_{t−1} and
compared with torch's, so a wrong weight cannot pass unseen.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.cells import Cell, Forward, Weights, cell_named
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.set_values import Holding, in_one

NOTHING_HELD: Mapping[str, Holding] = MappingProxyType({})


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
            return array[::-1]
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

    name: str
    cell: Cell
    weights: Weights
    order: Order
    x: Array  # (T, *B, I)
    h0: Array  # (*B, P)
    c0: Array | None  # (*B, H)
    previous_h: Array  # (T, *B, P)
    forward: Forward
    holding: Holding | None = None  # what is set by hand in it

    @property
    def output(self) -> Array:
        """(T, N, P) h_t in time order."""
        return self.in_time(self.forward.h)

    def in_time(self, array: Array) -> Array:
        """(T, *B, ·) of the layer's own order as (T, N, ·) in time order."""
        return self.order.turned(array[:, None] if self.h0.ndim == 1 else array)

    def in_own_order(self, array: Array) -> Array:
        """(T, N, ·) in time order as (T, *B, ·) in the layer's own."""
        turned = self.order.turned(array)
        return turned[:, 0] if self.h0.ndim == 1 else turned


def unroll(capture: Capture, output: Array | None, holdings: Mapping[str, Holding] = NOTHING_HELD) -> list[LayerSweep]:
    """All layers in torch's order. `output` (T, N, D·P): torch's own, or None to find every h_t by scanning.

    `holdings` by layer name: what is set by hand, for N = 1 without lengths and without `output` only.
    """
    structure = capture.structure
    below, sweeps = capture.inputs, list[LayerSweep]()
    if capture.lengths is not None:
        padding = np.arange(len(below))[:, None] >= capture.lengths
        below = np.where(padding[:, :, None], below.dtype.type(0), below)
    for number, name in enumerate(structure.layer_names):
        direction = number % structure.directions
        if direction == 0 and number:
            below = joined(sweeps[-structure.directions :])
        known = None
        if output is not None and number >= len(structure.layer_names) - structure.directions:
            known = output[..., direction * structure.output_size : (direction + 1) * structure.output_size]
        sweeps.append(_layer(capture, number, name, below, known, holdings.get(name)))
    return sweeps


def joined(level: list[LayerSweep]) -> Array:
    """(T, N, D·P) the outputs of one level's directions side by side."""
    return level[0].output if len(level) == 1 else np.concatenate([sweep.output for sweep in level], axis=-1)


def layer_weights(capture: Capture, name: str) -> Weights:
    """The parameters called …_`name`; missing biases are None."""
    given = {key: frozen(weight) for key, weight in capture.weights.items() if key.endswith(f"_{name}")}
    return Weights(
        given[f"weight_ih_{name}"],
        _aligned(given[f"weight_hh_{name}"]),
        given.get(f"bias_ih_{name}"),
        given.get(f"bias_hh_{name}"),
        given.get(f"weight_hr_{name}"),
    )


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
    capture: Capture, number: int, name: str, below: Array, known: Array | None, holding: Holding | None
) -> LayerSweep:
    structure = capture.structure
    cell, weights = cell_named(structure.cell, structure.activation), layer_weights(capture, name)
    order = Order(name.endswith("_reverse"), capture.lengths, len(below))
    single = below.shape[1] == 1
    x, h0 = order.turned(below), capture.h0[number]
    c0 = None if capture.c0 is None else capture.c0[number]
    h = None if known is None else order.turned(known)
    if single:
        x, h0, c0, h = x[:, 0], h0[0], None if c0 is None else c0[0], None if h is None else h[:, 0]
    bias_ih, bias_hh = weights.bias_ih, weights.bias_hh
    if cell.joint_bias and bias_ih is not None and bias_hh is not None:
        bias_ih, bias_hh = bias_ih + bias_hh, None
    a_ih = affine(x, weights.weight_ih, bias_ih)
    if holding is not None:
        previous_h, forward = _held_scan(cell, weights, a_ih, bias_hh, h0, c0, holding)
        return LayerSweep(name, cell, weights, order, x, h0, c0, previous_h, forward, holding)
    if h is None:
        h = _scan(cell, weights, a_ih.copy(), bias_hh, h0, c0)
    previous_h = np.empty((len(x), *h0.shape), x.dtype)
    previous_h[0] = h0
    previous_h[1:] = h[:-1]
    a_hh = affine(previous_h, weights.weight_hh, bias_hh)
    forward = cell.forward(weights, a_ih, a_hh, previous_h, c0)
    if order.padding is not None and not single:
        _clear(forward, order.padding)
    elif order.padding is not None:
        _clear(forward, order.padding[:, 0])
    return LayerSweep(name, cell, weights, order, x, h0, c0, previous_h, forward)


def affine(values: Array, weight: Array, bias: Array | None) -> Array:
    """values (…, C) times weightᵀ (C, R), plus bias: one GEMM over all leading axes."""
    result = np.dot(values.reshape(-1, values.shape[-1]), weight.T)
    if bias is not None:
        result += bias
    return np.asarray(result.reshape(*values.shape[:-1], len(weight)))


def _scan(cell: Cell, weights: Weights, a_ih: Array, bias_hh: Array | None, h0: Array, c0: Array | None) -> Array:
    """h of all time steps (T, *B, P), one after the other."""
    h = np.empty((len(a_ih), *h0.shape), a_ih.dtype)
    before, c = h0[None], c0
    for t in range(len(a_ih)):
        a_hh = affine(before, weights.weight_hh, bias_hh)
        forward = cell.forward(weights, a_ih[t : t + 1], a_hh, before, c)
        before, c = forward.h, None if forward.c is None else forward.c[0]
        h[t] = before[0]
    return h


def _held_scan(
    cell: Cell, weights: Weights, a_ih: Array, bias_hh: Array | None, h0: Array, c0: Array | None, holding: Holding
) -> tuple[Array, Forward]:
    """h_{t−1} of all time steps (T, P) and the whole forward sweep, with what is set by hand in its place."""
    previous_h = np.empty((len(a_ih), *h0.shape), a_ih.dtype)
    before, c, steps = h0, c0, list[Forward]()
    for t in range(len(a_ih)):
        one = slice(t, t + 1)
        previous_h[t] = before
        a_hh = affine(previous_h[one], weights.weight_hh, bias_hh)
        steps.append(cell.forward(weights, a_ih[one], a_hh, previous_h[one], c, holding.at(t)))
        before, c = steps[-1].h[0], None if steps[-1].c is None else steps[-1].c[0]
    return previous_h, in_one(steps)


def _clear(forward: Forward, padding: Array) -> None:
    """Zeroes what was computed beyond a sequence's end, as torch's pad_packed_sequence does with the outputs."""
    arrays = [forward.h, forward.c, *forward.gates.values(), *forward.pre_activations.values(), *forward.inner.values()]
    for array in arrays:
        if array is not None:
            array[padding] = 0
