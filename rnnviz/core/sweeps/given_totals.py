"""Given totals: where ∂L/∂h_t came with all later paths summed, what of it L_t alone gives, and whether it looks so.

The states before a time step get from it what its totals send back, so no total depends on a direct part found before.
"""

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.forward import unroll
from rnnviz.core.sweeps.steps.nodes import NodeValues, Slopes, StepBack

_ROUNDING = 64  # units of the last place of total and carried part that their difference may be wrong by
_NEAR = 1e-3  # relative: given gradients as near to a carried part are that part, and shorter directions do not count
_MANY = 0.25  # of the time steps
_SMALLER = 1.5  # times the given gradients: what is left of totals is no larger than that


@np.errstate(all="ignore")
def direct_of_totals(capture: Capture) -> Array:
    """(T, N, P) direct_t = total_t − carried_t, for one layer of one call whose `grad_output` holds the totals.

    What is no more than rounding of the two, sequence by sequence, is 0.
    """
    total, carried = capture.grad_output, _carried(capture)
    direct = total - carried
    rounding = _ROUNDING * float(np.finfo(total.dtype).eps) * (l2(total) + l2(carried))
    return np.where((l2(direct) <= rounding)[..., None], total.dtype.type(0), direct)


@np.errstate(all="ignore")
def look_like_totals(capture: Capture) -> bool:
    """Whether the given direct parts look as if all later paths were in them already.

    Without what they themselves would send back, totals are simpler: nothing at all at many time steps, where L asks
    for some only, or of fewer directions, those of the head. Direct parts are so by chance only.
    """
    given, carried = capture.grad_output.astype(np.float64), _carried(capture).astype(np.float64)
    if not (np.isfinite(given).all() and np.isfinite(carried).all()):
        return False
    rest = given - carried
    there = (l2(given) > 0) & (l2(carried) > 0)
    if there.any() and np.mean(l2(rest)[there] <= _NEAR * l2(carried)[there]) >= _MANY:
        return True
    smaller = float(l2(rest.ravel())) <= _SMALLER * float(l2(given.ravel()))
    return smaller and _rank(rest) < _rank(given)


def _rank(rows: Array) -> int:
    """The directions in which rows (T, N, ·) lie, of those that count."""
    flat = rows.reshape(-1, rows.shape[-1])
    lengths = np.linalg.eigvalsh(flat.T @ flat)
    return int(np.sum(lengths > _NEAR**2 * lengths[-1]))


def _carried(capture: Capture) -> Array:
    """(T, N, P) what each time step sends back to h of the one before, if the given gradients are its totals."""
    sweep = unroll(capture.calls[0], capture.weights, capture.calls[0].output)[0]
    cell = sweep.cell
    values = NodeValues(cell, sweep.values, sweep.before, sweep.weights, sweep.hidden)
    back = StepBack(Slopes(cell, sweep.weights, values, sweep.before, sweep.hidden))
    total = sweep.in_own_order(capture.grad_output)
    carried, others = np.zeros_like(total), dict[str, Array]()
    for t in range(len(total) - 1, 0, -1):
        before, _ = back(t, others | {cell.output: total[t]})
        carried[t - 1] = before.get(cell.output, 0)
        others = {state: before[state] for state in cell.states if state != cell.output}
    return sweep.in_time(carried)
