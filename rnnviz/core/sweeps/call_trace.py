"""Call trace: what happened in each call of a recurrent module, swept back from the last one to the first."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.sweeps.axis import Axis, Place, Rows
from rnnviz.core.sweeps.backward import sweep_back
from rnnviz.core.sweeps.borders.convolved import ConvolutionTrace
from rnnviz.core.sweeps.borders.embedded import EmbeddingTrace
from rnnviz.core.sweeps.borders.hand_over import BridgeTrace, bridged, final_states
from rnnviz.core.sweeps.capture import Call, Capture
from rnnviz.core.sweeps.forward import LayerSweep
from rnnviz.core.sweeps.heads.attention import Source
from rnnviz.core.sweeps.heads.head import HeadTrace, through_head
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.recorded import recorded_layer
from rnnviz.core.sweeps.scans.swept import Beyond


@dataclass(frozen=True, eq=False)
class CallTrace(FrozenArrays):
    """What happened in one call of a recurrent module over N sequences, on the trace's time axis of T time steps."""

    call: Call  # its arrays are of its own time steps alone
    layers: tuple[Layer, ...] = field(repr=False)  # torch's order: l0, l0_reverse, l1, …
    output: Array = field(repr=False)  # (T, N, D·P) of the recurrent module, 0 outside the call's stretch
    head: HeadTrace | None = field(repr=False)
    lengths: Array | None  # (N,) of a packed batch in this call, None if all have all its time steps
    bridge: BridgeTrace | None = field(default=None, repr=False)  # that made its first states

    @property
    def input_grad(self) -> Array:
        """(T, N, I) ∂L/∂x_t, by all directions of its lowest layer."""
        return np.asarray(sum(layer.input_grad for layer in self.layers[: self.call.structure.directions]))

    @cached_property
    def embedding(self) -> EmbeddingTrace | None:
        """Of its inputs, where they are rows of a table."""
        if self.call.embedding is None:
            return None
        embedding, layer = self.call.embedding, self.layers[0]
        symbols = np.full(self.output.shape[:2], -1)
        symbols[layer.start : layer.stop] = embedding.symbols
        symbols[~layer.inside] = -1
        grads = np.where((symbols >= 0)[..., None], self.input_grad, self.output.dtype.type(0))
        return EmbeddingTrace(frozen(symbols), embedding.table, frozen(grads))

    @cached_property
    def convolution(self) -> ConvolutionTrace | None:
        """Of its inputs, where they are features of pictures."""
        if self.call.convolution is None:
            return None
        layer = self.layers[0]
        return ConvolutionTrace(self.call.convolution, frozen(self.input_grad[layer.start : layer.stop]))

    def sample(self, n: int, rows: Rows, place: Place, copied: bool = False, read_from: int = 0) -> "CallTrace":
        """The same with sequence `n` alone, cut to `rows` of the time axis, where it then lies at `place` and what its
        head's attention reads begins at `read_from`; `copied`: in arrays of its own."""
        where = None if place.whole else place
        layers = self._levels(lambda layer, above: layer.sample(n, rows, above, where, copied))
        head = None if self.head is None else self.head.sample(n, rows, where, copied, read_from)
        output = self.output[rows, n : n + 1]
        if copied:
            output = frozen(output.copy())
        call = self.call.sample(n, place.stop - place.start, place.start)
        bridge = None if self.bridge is None else self.bridge.sample(n)
        return replace(self, call=call, layers=layers, output=frozen(output), head=head, lengths=None, bridge=bridge)

    def placed(self, place: Place) -> "CallTrace":
        """A call by itself on the time axis of a trace of several."""
        if place.whole:
            return self
        layers = self._levels(lambda layer, above: layer.placed(place, above))
        head = None if self.head is None else self.head.placed(place)
        return replace(self, layers=layers, output=place.on_axis(self.output), head=head)

    def followed_by(self, number: int, later: "Sequence[CallTrace]") -> "CallTrace":
        """The call, which is that of this number, with what leads from later ones to it."""
        followers = [one for one in later if one.call.follows == number]
        attentions = (one.head.attention for one in later if one.head is not None)
        attended = tuple(one for one in attentions if one is not None and one.over == number)
        beyond = {
            layer.id: tuple(_beyond(layer, place, one) for one in followers) for place, layer in enumerate(self.layers)
        }

        def with_links(layer: Layer, above: tuple[Layer, ...]) -> Layer:
            return replace(layer, above=above, beyond=beyond[layer.id], attended=() if above else attended)

        return replace(self, layers=self._levels(with_links))

    def _levels(self, change: Callable[[Layer, tuple[Layer, ...]], Layer]) -> tuple[Layer, ...]:
        """All layers changed from the top down, each with those above it."""
        directions, layers = self.call.structure.directions, list[Layer]()
        above: tuple[Layer, ...] = ()
        for start in range(len(self.layers) - directions, -1, -directions):
            above = tuple(change(layer, above) for layer in self.layers[start : start + directions])
            layers[:0] = above
        return tuple(layers)


def _beyond(layer: Layer, place: int, follower: CallTrace) -> Beyond:
    """The layer of a call that begins with the final states of this one, the `place`-th of its own."""
    bridge, depth = follower.bridge, layer.id.depth
    if bridge is None:
        return Beyond(follower.layers[place])
    weights = {state: bridge.of_layer(state, depth, layer.reverse) for state in layer.equations.states}
    return Beyond(follower.layers[depth], frozen_mapping(weights))


def swept_back(capture: Capture, sweeps: list[list[LayerSweep]], outputs: tuple[Array, ...]) -> tuple[CallTrace, ...]:
    """The calls of forward sweeps and their `outputs`, read out and swept back."""
    found, axis = list[CallTrace](), capture.axis if len(sweeps) > 1 else None
    for number in range(len(sweeps) - 1, -1, -1):
        call, output = capture.calls[number], outputs[number]
        head = head_of(capture, number, outputs)
        pooled = head.pooled_grads if head is not None and head.kind.pooling != "last" else None
        if call.recorded is not None:
            layers: tuple[Layer, ...] = (recorded_layer(call, capture.weights, pooled),)
        else:
            layers = sweep_back(call, sweeps[number], _grad_final(call, number, found, sweeps[number]), pooled)
        bridge = None
        if call.bridge is not None and call.follows is not None:
            bridge = bridged(call.bridge, final_states(sweeps[call.follows]), _first_grads(layers))
        one = CallTrace(call, layers, output, head, call.lengths, bridge)
        found.insert(0, one if axis is None else one.placed(axis.place(number)))
    return linked(found)


def sampled(calls: tuple[CallTrace, ...], axis: Axis, n: int, copied: bool) -> tuple[CallTrace, ...]:
    """Calls with sequence `n` alone, on an axis without the padding of others; `copied`: in arrays of its own."""
    rows, places = axis.rows(n), [axis.place_of(number, n) for number in range(len(calls))]
    found = []
    for one, place in zip(calls, places, strict=True):
        attention = None if one.head is None else one.head.attention
        read_from = 0 if attention is None else places[attention.over].start
        found.append(one.sample(n, rows, place, copied, read_from))
    return linked(found)


def linked(calls: Sequence[CallTrace]) -> tuple[CallTrace, ...]:
    """Calls whose layers know the later ones that begin with their final states or attend to their outputs."""
    if len(calls) == 1:
        return tuple(calls)
    found = list(calls)
    for number in range(len(calls) - 1, -1, -1):
        found[number] = calls[number].followed_by(number, found[number + 1 :])
    return tuple(found)


def attended_grads(calls: tuple[CallTrace, ...]) -> dict[str, Array]:
    """(S, N, D·P) by name of a call that has no loss of its own: what attention sends back to its outputs."""
    found = dict[str, Array]()
    for one in calls:
        attention = None if one.head is None else one.head.attention
        if attention is not None and calls[attention.over].head is None:
            name = calls[attention.over].call.name
            found[name] = found[name] + attention.read_grad if name in found else attention.read_grad
    return found


def head_of(capture: Capture, number: int, outputs: tuple[Array, ...]) -> HeadTrace | None:
    call = capture.calls[number]
    if call.head is None:
        return None
    source = None
    if (attention := call.head.attention) is not None:
        over = capture.calls[attention.over]
        source = Source(outputs[attention.over], over.lengths, over.start)
    return through_head(call.head, outputs[number], source, call.lengths)


def _grad_final(call: Call, number: int, later: list[CallTrace], sweeps: list[LayerSweep]) -> dict[str, Array]:
    """What comes to a call's final states: from outside, and from the calls that begin with them, but where a layer is
    cut at its end."""
    total = dict(call.grad_final)
    for one in reversed(later):
        if one.call.follows != number:
            continue
        came = _first_grads(one.layers) if one.bridge is None else one.bridge.final_grads
        for state, grads in came.items():
            total[state] = total[state] + grads if state in total else grads
    ends = np.array([_cut_at_end(sweep) for sweep in sweeps])
    if ends.any():
        for state, grads in total.items():
            total[state] = np.where(ends[:, None, None], grads.dtype.type(0), grads)
    return total


def _cut_at_end(sweep: LayerSweep) -> bool:
    """Whether nothing comes to the final state. Of padded sequences it always does: truncation cuts inside a sequence,
    and how far the others go on is no matter."""
    cut = sweep.own_cut
    return cut is not None and sweep.order.lengths is None and bool(cut[-1])


def _first_grads(layers: tuple[Layer, ...]) -> dict[str, Array]:
    """(layers·D, N, ·) ∂L/∂ the first states of a call, by state."""
    return {state: np.stack([layer.initial_grads[state] for layer in layers]) for state in layers[0].equations.states}
