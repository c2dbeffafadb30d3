"""The backward sweep (BPTT): from ∂L/∂output down through all layers, each by one reverse scan over time."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

import numpy as np

from rnnviz.core.arrays import Array, FrozenMapping, frozen, frozen_mapping
from rnnviz.core.cells import Gradients
from rnnviz.core.sweeps.capture import Call
from rnnviz.core.sweeps.forward import LayerSweep
from rnnviz.core.sweeps.heads.pooling import PooledGrads
from rnnviz.core.sweeps.layer import Layer, came_down
from rnnviz.core.sweeps.steps.carrying import sweep_backward
from rnnviz.core.sweeps.steps.nodes import Final, NodeValues, Slopes

_SHORTEST = 4  # time steps of a stretch between two cuts from which on a kernel pays, measured


def sweep_back(
    call: Call,
    sweeps: list[LayerSweep],
    grad_final: Mapping[str, Array] | None = None,
    pooled: PooledGrads | None = None,
) -> tuple[Layer, ...]:
    """All layers of a call in torch's order, from the top one's ∂L/∂output downwards.

    `grad_final` (layers·D, N, ·) by state is what comes to its final states, the call's own by default; `pooled` are
    the parts of ∂L/∂output where a head pools over time.
    """
    structure = call.structure
    directions, width = structure.directions, structure.output_size
    final = call.grad_final if grad_final is None else grad_final
    arriving = call.grad_output
    if call.lengths is not None:
        padding = np.arange(len(arriving))[:, None] >= call.lengths
        arriving = np.where(padding[:, :, None], arriving.dtype.type(0), arriving)
    layers, above = list[Layer](), tuple[Layer, ...]()
    for start in range(len(sweeps) - directions, -1, -directions):
        if above:
            arriving = came_down(above, arriving)
        depth = sweeps[start].layer.depth
        mask = call.masks[depth] if call.masks is not None and depth < len(call.masks) else None
        to_h = arriving if mask is None else arriving * mask
        level = tuple(
            _layer(
                call,
                sweep,
                to_h[..., d * width : (d + 1) * width],
                above,
                None if mask is None else mask[..., d * width : (d + 1) * width],
                {state: array[start + d] for state, array in final.items()},
                None if above or pooled is None else pooled.of_units(slice(d * width, (d + 1) * width)),
            )
            for d, sweep in enumerate(sweeps[start : start + directions])
        )
        layers[:0] = level
        above = level
    return tuple(layers)


def _layer(
    call: Call,
    sweep: LayerSweep,
    direct: Array,
    above: tuple[Layer, ...],
    mask: Array | None,
    final: Mapping[str, Array],
    pooled: PooledGrads | None,
) -> Layer:
    own, cut = np.ascontiguousarray(sweep.in_own_order(direct)), sweep.own_cut
    if sweep.generic or final or (cut is not None and _many(cut)):
        values = NodeValues(sweep.cell, sweep.values, sweep.before, sweep.weights, sweep.hidden)
        slopes = Slopes(sweep.cell, sweep.weights, values, sweep.before, sweep.hidden)
        gradients = sweep_backward(slopes, own, sweep.by_hand, _final(sweep, final), cut)
    else:
        gradients = _by_kernel(sweep, own, cut)
    layer = _read_only(call, sweep, own, gradients, above)
    return layer if pooled is None and mask is None else replace(layer, pooled=pooled, mask=mask)


def _many(cut: Array) -> bool:
    """Whether a kernel would be slower, or cannot sweep: sequences that are cut each at its own time steps."""
    return cut.ndim > 1 or int(cut.sum()) * _SHORTEST > len(cut)


def _by_kernel(sweep: LayerSweep, direct: Array, cut: Array | None) -> Gradients:
    """The kernel's sweep, of each stretch between two cuts by itself."""
    kernel, h = sweep.cell.kernel, sweep.before["h"]
    assert kernel is not None  # or the sweep had been generic
    if cut is None or not cut[:-1].any():
        return kernel.backward(sweep.weights, sweep.values, direct, h)
    borders = [0, *(np.flatnonzero(cut[:-1]) + 1).tolist(), len(cut)]
    found = list[Gradients]()
    for start, stop in pairwise(borders):
        values = {name: array[start:stop] for name, array in sweep.values.items()}
        found.append(kernel.backward(sweep.weights, values, direct[start:stop], h[start:stop]))
    nodes, arriving = ([getattr(one, name) for one in found] for name in ("nodes", "arriving"))
    return Gradients(_joined(nodes), _joined(arriving))


def _joined(parts: list[Mapping[str, Array]]) -> dict[str, Array]:
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def _final(sweep: LayerSweep, gradients: Mapping[str, Array]) -> Final | None:
    if not gradients:
        return None
    lengths, time_steps = sweep.order.lengths, sweep.order.time_steps
    if sweep.single:
        last = time_steps if lengths is None else int(lengths[0])
        return Final({state: array[0] for state, array in gradients.items()}, np.asarray(last - 1))
    sequences = next(iter(gradients.values())).shape[0]
    return Final(gradients, (np.full(sequences, time_steps) if lengths is None else lengths) - 1)


def _read_only(call: Call, sweep: LayerSweep, direct: Array, gradients: Gradients, above: tuple[Layer, ...]) -> Layer:
    """Both sweeps of one layer in time order, (T, N, ·)."""
    turned = dict[int, Array]()  # the same array is turned once, and stays the same
    turn, as_it_is = sweep.order.turned, not (sweep.single or sweep.order.reverse)

    def each(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
        found = {}
        for name, array in arrays.items():
            if name[:1] == "(":
                continue
            in_time = turned.get(id(array))
            if in_time is None:
                if as_it_is:
                    in_time = frozen(array)
                else:  # a view or a copy of our own
                    in_time = turn(array[:, None] if sweep.single else array)
                    in_time.flags.writeable = False
                turned[id(array)] = in_time
            found[name] = in_time
        return FrozenMapping.holding(found)

    by_hand = sweep.by_hand
    return Layer(
        id=sweep.layer,
        structure=call.structure,
        weights=frozen_mapping(sweep.weights),
        lengths=call.lengths,
        values=each(sweep.values),
        before=each(sweep.before),
        initial=frozen_mapping({state: np.atleast_2d(array) for state, array in sweep.initial.items()}),
        direct_grad=each({"": direct})[""],
        grads=each(gradients.nodes),
        arriving=each(gradients.arriving),
        above=above,
        closed=None if by_hand is None else each(by_hand.where),
        cut=None if sweep.cut is None else frozen(sweep.cut),
        given=call.head is None,
    )
