"""Lanes: the gradients of many losses at once in a layer, each in a row of its own; how they come to it from outside.

Each lane comes down through the layers above; losses of later calls come to the final states and through attention.
The reverse scan over time of each layer on the way is in `scan`.
"""

from collections.abc import Sequence

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.sweeps.scans.scan import scan_asked, scan_layer, scan_work
from rnnviz.core.sweeps.scans.swept import Swept, own_part
from rnnviz.core.sweeps.scans.wanted import Lanes, Steps, Wanted


def lanes(layer: Swept, sample: int, wanted: Wanted) -> Steps[Lanes]:
    """The reverse scan of one sequence; below the top layer each lane comes down through the layers above, and losses
    of later calls come to the final states and through attention.

    NotAskedError of a user's own cell while the engine was not asked for its step Jacobians.
    """
    if layer.equations.recorded:
        return (yield from scan_asked(layer, wanted))
    if wanted.summed:
        return (yield from scan_layer(layer, sample, wanted, None, None))
    return (yield from _all_down_to((layer,), sample, wanted))[id(layer)]


def lane_work(layer: Swept, sample: int, wanted: Wanted) -> int:
    """The multiply-adds that `lanes` takes, those of the layers above and of later calls included."""
    return scan_work(layer, sample, wanted) if wanted.summed else _work_down_to((layer,), sample, wanted)


def _all_down_to(lowest: Sequence[Swept], sample: int, wanted: Wanted) -> Steps[dict[int, Lanes]]:
    """The scans of some layers of one depth and of all above them, by identity."""
    levels, found = _levels_above(lowest[0])[::-1], dict[int, Lanes]()
    final = yield from _from_later([*levels, lowest], sample, wanted)
    down = _through_attention((levels or [lowest])[0], sample, wanted)  # (T, K, D·P) to what a level gives
    above = Wanted(wanted.rows, wanted.unit, inputs=True, first=wanted.first)
    for level in levels:
        read: Array | None = None  # (T, K, ·) to what this level reads
        if level[0].residual:
            read = _at_once(level, sample, wanted) if down is None else down
        for one in level:
            given = None if down is None else _to_output(one, sample, down)
            found[id(one)] = scanned = yield from scan_layer(one, sample, above, given, final.get(id(one)))
            with np.errstate(all="ignore"):
                read = scanned.inputs if read is None else read + scanned.inputs
        down = read
    for one in lowest:
        given = None if down is None else _to_output(one, sample, down)
        found[id(one)] = yield from scan_layer(one, sample, wanted, given, final.get(id(one)))
    return found


def _work_down_to(lowest: Sequence[Swept], sample: int, wanted: Wanted) -> int:
    levels, above = _levels_above(lowest[0]), Wanted(wanted.rows, wanted.unit, inputs=True)
    work = sum(scan_work(one, sample, wanted) for one in lowest)
    work += sum(scan_work(one, sample, above) for level in levels for one in level)
    later = [] if wanted.unit is not None else _lowest_of_later([*levels, lowest])
    return work + sum(_work_down_to(one, sample, Wanted(wanted.rows)) for one in later)


def _from_later(levels: Sequence[Sequence[Swept]], sample: int, wanted: Wanted) -> Steps[dict[int, dict[str, Array]]]:
    """(K, ·) by state what each L_k of later calls sends to the final states of some layers, by their identity."""
    if wanted.unit is not None:
        return {}
    first = dict[int, dict[str, Array]]()
    for lowest in _lowest_of_later(levels):
        found = yield from _all_down_to(lowest, sample, Wanted(wanted.rows, first=True))
        first |= {one: scanned.first for one, scanned in found.items()}
    final = dict[int, dict[str, Array]]()
    for one in (one for level in levels for one in level if one.beyond):
        total = final[id(one)] = {state: np.zeros(0) for state in one.equations.states}
        for beyond in one.beyond:
            for state, grads in first[id(beyond.layer)].items():
                with np.errstate(all="ignore"):
                    part = grads if beyond.weights is None else grads @ beyond.weights[state]
                    total[state] = total[state] + part if total[state].size else part
    return final


def _lowest_of_later(levels: Sequence[Sequence[Swept]]) -> list[list[Swept]]:
    """For each later call the layers of the lowest depth that begin with final states of these."""
    found = dict[tuple[str, int], dict[int, Swept]]()
    for one in (beyond.layer for level in levels for own in level for beyond in own.beyond):
        found.setdefault((one.id.call, one.id.depth), {})[id(one)] = one
    lowest = {call: min(depth for other, depth in found if other == call) for call, _ in found}
    return [list(found[place].values()) for place in ((call, depth) for call, depth in lowest.items())]


def _through_attention(top: Sequence[Swept], sample: int, wanted: Wanted) -> Array | None:
    """(T, K, D·P) what each L_k sends to the output of a call, where later calls attend to it, with its own losses;
    None where none does. Of directions that are not among `top` it may be 0."""
    first = top[0]
    if wanted.unit is not None or not first.attended:
        return None
    width = first.structure.directions * first.output.shape[-1]
    total = np.zeros((len(first.output), len(wanted.rows), width), first.output.dtype)
    for one in top if not first.given else ():  # where it has no loss, all of ∂L/∂output came through attention
        own_part(one, total)[...] = _at_once((one,), sample, wanted)
    for attention in first.attended:
        own = slice(attention.start, attention.start + attention.time_steps)
        total[own] += attention.read_grads(wanted.rows, sample).swapaxes(0, 1)
    return total


def _levels_above(layer: Swept) -> list[Sequence[Swept]]:
    """The layers above, by depth, the next one first."""
    found, level = list[Sequence[Swept]](), layer.above
    while level:
        found.append(level)
        level = level[0].above
    return found


@np.errstate(all="ignore")
def _to_output(layer: Swept, sample: int, given: Array) -> Array:
    """(T, K, P) what of each L_k comes to a layer's output, where `given` (T, K, D·P) comes to what its depth gives."""
    own = own_part(layer, given)
    return np.ascontiguousarray(own if layer.mask is None else own * layer.mask[:, sample, None])


def _at_once(top: Sequence[Swept], sample: int, wanted: Wanted) -> Array:
    """(T, K, D·P) what each L_k sends to the module's output, by its head alone."""
    rows, parts = wanted.rows, list[Array]()
    for layer in top:
        grad = layer.direct_grad[:, sample]
        part = np.zeros((len(grad), len(rows), grad.shape[-1]), grad.dtype)
        if wanted.unit is not None:
            part[rows, np.arange(len(rows))] = own_part(layer, wanted.unit)
        elif layer.pooled is None:
            part[rows, np.arange(len(rows))] = grad[rows]
        else:
            for t in range(len(grad)):
                part[t] = layer.pooled.reaching(t, sample)[rows]
        parts.append(part)
    return np.concatenate(parts, axis=-1)
