"""The backward sweep (BPTT): from ∂L/∂output down through all layers, each by one reverse scan over time."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.cells import Backward
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.forward import LayerSweep
from rnnviz.core.sweeps.layer import Layer


def sweep_back(capture: Capture, sweeps: list[LayerSweep]) -> tuple[Layer, ...]:
    """All layers in torch's order, from the top one's ∂L/∂output downwards."""
    structure = capture.structure
    directions, width = structure.directions, structure.output_size
    arriving = capture.grad_output
    if capture.lengths is not None:
        padding = np.arange(len(arriving))[:, None] >= capture.lengths
        arriving = np.where(padding[:, :, None], arriving.dtype.type(0), arriving)
    layers, above = list[Layer](), tuple[Layer, ...]()
    for start in range(len(sweeps) - directions, -1, -directions):
        if above:
            arriving = above[0].input_grad if len(above) == 1 else above[0].input_grad + above[1].input_grad
        level = tuple(
            _layer(capture, sweep, arriving[..., d * width : (d + 1) * width], above)
            for d, sweep in enumerate(sweeps[start : start + directions])
        )
        layers[:0] = level
        above = level
    return tuple(layers)


def _layer(capture: Capture, sweep: LayerSweep, direct: Array, above: tuple[Layer, ...]) -> Layer:
    own = np.ascontiguousarray(sweep.in_own_order(direct))
    slopes = sweep.cell.slopes(sweep.forward, sweep.previous_h)
    if sweep.holding is None:
        backward = sweep.cell.backward(sweep.weights, slopes, own)
    else:
        slopes = sweep.holding.closed(sweep.cell, slopes)
        backward = sweep.holding.backward(sweep.cell, sweep.weights, slopes, own)
    return _read_only(capture, sweep, slopes, own, backward, above)


def _read_only(
    capture: Capture,
    sweep: LayerSweep,
    slopes: Mapping[str, Array],
    direct: Array,
    backward: Backward,
    above: tuple[Layer, ...],
) -> Layer:
    """Both sweeps of one layer in time order, (T, N, ·)."""
    forward, weights = sweep.forward, sweep.weights

    def turned(array: Array) -> Array:
        view = sweep.in_time(array)
        if view is array:
            return frozen(view)
        view.flags.writeable = False
        return view

    def maybe(array: Array | None) -> Array | None:
        return None if array is None else turned(array)

    def each(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
        return MappingProxyType({name: turned(array) for name, array in arrays.items()})

    delta = turned(backward.delta)
    shared = backward.recurrent_delta is backward.delta
    return Layer(
        name=sweep.name,
        cell=capture.structure.cell,
        activation=capture.structure.activation,
        equations=sweep.cell,
        weights=weights,
        lengths=capture.lengths,
        x=turned(sweep.x),
        h=turned(forward.h),
        c=maybe(forward.c),
        h0=frozen(np.atleast_2d(sweep.h0)),
        c0=None if sweep.c0 is None else frozen(np.atleast_2d(sweep.c0)),
        previous_h=turned(sweep.previous_h),
        gates=each(forward.gates),
        pre_activations=each(forward.pre_activations),
        slopes=each(slopes),
        direct_grad=turned(direct),
        carried_grad=turned(backward.carried),
        hidden_grad=turned(backward.hidden),
        cell_grad=maybe(backward.cell),
        cell_path_grad=maybe(backward.cell_path),
        delta=delta,
        recurrent_delta=delta if shared else turned(backward.recurrent_delta),
        unprojected=maybe(forward.inner.get("unprojected")),
        above=above,
        held=None if sweep.holding is None else maybe(sweep.holding.hidden),
        cut=None if sweep.holding is None else frozen(sweep.order.turned(sweep.holding.cut)),
    )
