"""Step Jacobians: those of many time steps at once, and their spectral norms and radii, block by block.

The joint state of a layer are all its states side by side in torch's order, S units: (h, c) of an LSTM, (s′, s″) of an
LRU. A Jacobian's row is an output, its column what it is derived by. All of one sequence, up to its own length.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.scans.swept import known_jacobians
from rnnviz.core.sweeps.steps.nodes import StepBack

_NUMBERS = 2**21  # of the Jacobians and what leads to them that are in memory at once
_OPERATIONS = 3e6  # n S³ of the n Jacobians of a block, so that one of H = 64 takes some milliseconds
_LARGE = 24  # S from which the radius alone is found quicker than all eigenvalues
_SQUARINGS, _DIRECTIONS = 12, 12  # of the power 2^12 of a Jacobian


def state_rows(structure: Structure) -> Mapping[str, slice]:
    """Where each state is among the S units of the joint state; {} of a cell without states."""
    found, start = dict[str, slice](), 0
    for state in structure.equations.states:
        found[state] = slice(start, start + structure.units(state))
        start = found[state].stop
    return found


def joint_units(structure: Structure) -> int:
    """S."""
    return sum(map(structure.units, structure.equations.states))


def time_steps(layer: Layer, sample: int = 0) -> int:
    """How many one sequence has in a layer."""
    return len(layer.times(sample))


def axis_length(layer: Layer, sample: int = 0) -> int:
    """The time steps of one sequence on the axis of its trace; in a padded batch of a single call those it has."""
    return time_steps(layer, sample) if layer.place is None else layer.place.time_steps


@one_blas_thread
@np.errstate(all="ignore")
def step_jacobians(layer: Layer, sample: int = 0, start: int | None = None, stop: int | None = None) -> Array:
    """(stop − start, S, S) ∂ joint state_t / ∂ joint state_{t−1} of the time steps from `start` on (0-based, on
    the time axis), by default of all that the layer has, in the precision of the trace.

    In a reverse layer t − 1 is the neighbour its own direction came from. Zero where nothing is carried to t.
    """
    own = layer.times(sample)
    start = own.start if start is None else start
    stop = own.stop if stop is None else min(stop, own.stop)
    rows, units, count = state_rows(layer.structure), joint_units(layer.structure), max(stop - start, 0)
    jacobians = np.zeros((count, units, units), layer.output.dtype)
    if not rows or not count:
        return frozen(jacobians)
    if layer.equations.recorded:
        jacobians[:] = known_jacobians(layer).step[start:stop]
        jacobians[_cut_before(layer)[start:stop]] = 0
        return frozen(jacobians)
    lanes = np.eye(units, dtype=jacobians.dtype)
    given = {
        state: np.broadcast_to(lanes[:, part], (count, units, part.stop - part.start)) for state, part in rows.items()
    }
    before, _ = StepBack(layer.slopes)((slice(start, stop), sample, None), given, layer.closed)
    for state, gradient in before.items():
        jacobians[..., rows[state]] = gradient
    jacobians[_cut_before(layer)[start:stop]] = 0
    return frozen(jacobians)


def _cut_before(layer: Layer) -> Array:
    """(T,) where nothing is carried from a time step to the states it began with."""
    cut = np.zeros(len(layer.output), bool)
    if layer.cut is not None and layer.reverse:
        cut[:-1] = layer.cut[1:]
    elif layer.cut is not None:
        cut[1:] = layer.cut[:-1]
    return cut


def jacobian_blocks(layer: Layer, sample: int = 0, backwards: bool = False) -> Iterator[tuple[int, Array]]:
    """The first time step of each block (0-based) and its Jacobians, in time order or the last block first; how many
    are in a block follows from their size."""
    units, length = max(joint_units(layer.structure), 1), time_steps(layer, sample)
    largest = units * max(len(layer.equations.blocks) * layer.structure.hidden_size, units)
    size = int(max(1, min(_NUMBERS // largest, _OPERATIONS // units**3, length)))
    own = layer.times(sample)
    starts = range(own.start, own.stop, size)
    for start in reversed(starts) if backwards else starts:
        yield start, step_jacobians(layer, sample, start, start + size)


@dataclass(frozen=True, eq=False)
class Spectra(FrozenArrays):
    """Sizes of the step Jacobians of one sequence, as far as they are known: norms of all time steps come first.

    NaN where a Jacobian is not finite, from `norms_known` and `radii_known` on, and outside the layer's own stretch of
    the time axis. 0 of a cell without states.
    """

    norms: Array  # (T,) float64 the largest singular value
    radii: Array  # (T,) float64 the largest |eigenvalue|
    norms_known: int  # up to which time step
    radii_known: int
    start: int  # the layer's first time step, 0-based
    stop: int  # the one after its last

    @property
    def whole(self) -> bool:
        """Whether all is known."""
        return self.radii_known == self.stop


def spectra(layer: Layer, sample: int = 0) -> Iterator[Spectra]:
    """Spectral norms and radii, after each block of time steps as far as they are known; the last one is whole.

    Who has enough stops asking. In float64 whatever the trace is in; of a float32 trace take `Trace.exact` where
    Jacobians are below 1e-38.
    """
    length, own = axis_length(layer, sample), layer.times(sample)
    norms, radii = np.full(length, np.nan), np.full(length, np.nan)
    kept, few = list[tuple[int, Array]](), len(own) * joint_units(layer.structure) ** 2 <= _NUMBERS
    for start, block in jacobian_blocks(layer, sample):
        norms[start : start + len(block)] = spectral_norms(block)
        kept += [(start, block)] if few else []
        yield Spectra(frozen(norms.copy()), frozen(radii.copy()), start + len(block), own.start, own.start, own.stop)
    for start, block in kept if few else jacobian_blocks(layer, sample):
        radii[start : start + len(block)] = spectral_radii(block)
        yield Spectra(frozen(norms), frozen(radii.copy()), own.stop, start + len(block), own.start, own.stop)


@one_blas_thread
def spectral_norms(matrices: Array) -> Array:
    """(n,) float64 the largest singular value of each of (n, R, C); NaN where one is not finite."""
    return _largest(matrices, lambda exact: np.linalg.svd(exact, compute_uv=False))


@one_blas_thread
@np.errstate(all="ignore")
def spectral_radii(matrices: Array) -> Array:
    """(n,) float64 the largest |eigenvalue| of each of (n, S, S); NaN where one is not finite."""
    exact = matrices.astype(np.float64, copy=False)
    if matrices.shape[-1] < _LARGE:
        return _largest(exact, lambda all_of_them: np.abs(np.linalg.eigvals(all_of_them)))
    found, unsure = _dominant(exact)
    found[unsure] = _largest(exact[unsure], lambda rest: np.abs(np.linalg.eigvals(rest)))
    return found


def _dominant(matrices: Array) -> tuple[Array, Array]:
    """(n,) the largest |eigenvalue|, and where it is unsure: from the subspace that a high power of each matrix leaves
    of a few random directions, by the eigenvalues of the matrix in it (Rayleigh & Ritz). It is right where the matrix
    does not lead out of it, and takes a third of the time of all eigenvalues."""
    sizes = np.abs(matrices).max(axis=(1, 2))
    power = matrices / sizes[:, None, None]
    for _ in range(_SQUARINGS):
        power = np.matmul(power, power)
        power /= np.abs(power).max(axis=(1, 2), keepdims=True)
    sure = np.isfinite(power).all(axis=(1, 2))
    power[~sure] = 0
    start = np.random.default_rng(1).standard_normal((matrices.shape[-1], _DIRECTIONS))
    basis, upper = np.linalg.qr(power @ start)
    left = np.abs(np.diagonal(upper, axis1=1, axis2=2))
    basis *= (left > 1e-6 * left[:, :1])[:, None, :]  # of the others rounding is a part
    image = np.where(sure[:, None, None], matrices, 0) @ basis
    inside = basis.swapaxes(1, 2) @ image
    outside = np.abs(image - basis @ inside).max(axis=(1, 2))
    sure &= outside <= 1e-11 * sizes
    return np.abs(np.linalg.eigvals(inside)).max(axis=-1), ~sure


def _largest(matrices: Array, sizes: Callable[[Array], Array]) -> Array:
    exact = matrices.astype(np.float64, copy=False)
    finite = np.isfinite(exact).all(axis=(1, 2))
    found = np.full(len(exact), np.nan)
    if matrices.shape[-1]:
        found[finite] = sizes(exact if finite.all() else exact[finite]).max(axis=-1)
    else:
        found[:] = 0
    return found
