"""Parametrisations: a weight rebuilt from the parts that weight norm, spectral norm or pruning stored in its place."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.engine.checkpoints.records import StoredTensor

Parts = Mapping[str, StoredTensor]  # by what follows the parameter's name in the file; "" is the parameter itself


@dataclass(frozen=True)
class Recipe:
    """How one weight is made: the parts to read, in the order `compute` takes them, and its shape."""

    parts: tuple[str, ...]
    shape: tuple[int, ...]
    compute: Callable[[Sequence[Array]], Array]
    words: str  # "weight norm"; empty for a plain weight


def recipe(parts: Parts) -> Recipe:
    """The recipe for the parts that are there; RnnvizError (a phrase) for a parametrisation rnnviz does not know."""
    for wanted, shape_of, compute, words in _RECIPES:
        if all(part in parts for part in wanted):
            return Recipe(wanted, parts[shape_of].shape, compute, words)
    named = next((words for part, words in _UNKNOWN if part in parts), "a parametrisation")
    raise RnnvizError(
        f"is stored in the parts of {named} that rnnviz cannot rebuild: wanted the plain weight, weight norm, spectral "
        "norm or pruning; where you have the module m, torch.nn.utils.parametrize.remove_parametrizations(m, "
        '"weight_hh_l0") makes it plain before its state dict is saved'
    )


_UNKNOWN = ((".0.base", "an orthogonal weight (torch.nn.utils.parametrizations.orthogonal)"),)


def _plain(arrays: Sequence[Array]) -> Array:
    return arrays[0]


def _weight_norm(arrays: Sequence[Array]) -> Array:
    """g · v / ‖v‖ (Salimans & Kingma 2016, eq. 2), the norm over the axes on which g has size 1."""
    magnitude, direction = arrays
    axes = tuple(
        axis for axis in range(direction.ndim) if magnitude.ndim != direction.ndim or magnitude.shape[axis] == 1
    )
    norm = np.sqrt(np.sum(np.square(direction, dtype=np.float64), axis=axes, keepdims=True))
    if magnitude.size != norm.size and magnitude.size != 1:
        raise RnnvizError(f"has magnitudes of shape {magnitude.shape} for directions of shape {direction.shape}")
    scale = magnitude.reshape(norm.shape) / norm if magnitude.size == norm.size else magnitude.reshape(-1)[0] / norm
    return np.asarray(direction * scale, dtype=direction.dtype)


def _spectral_norm(arrays: Sequence[Array]) -> Array:
    """W / σ with σ = uᵀ W v (Miyato et al. 2018, eq. 8 and 19), u and v as stored."""
    weight, left, right = arrays
    matrix = weight.reshape(weight.shape[0], -1).astype(np.float64)
    if left.shape != matrix.shape[:1] or right.shape != matrix.shape[1:]:
        raise RnnvizError(f"has singular vectors of {left.size} and {right.size} for a matrix of shape {matrix.shape}")
    return np.asarray(weight / (left @ matrix @ right), dtype=weight.dtype)


def _pruned(arrays: Sequence[Array]) -> Array:
    weight, mask = arrays
    if weight.shape != mask.shape:
        raise RnnvizError(f"has a mask of shape {mask.shape} for a weight of shape {weight.shape}")
    return weight * mask


_RECIPES: tuple[tuple[tuple[str, ...], str, Callable[[Sequence[Array]], Array], str], ...] = (
    (("_raw",), "_raw", _plain, "weight drop (undropped, as in evaluation)"),
    (("",), "", _plain, ""),
    (("_g", "_v"), "_v", _weight_norm, "weight norm"),
    ((".original0", ".original1"), ".original1", _weight_norm, "weight norm"),
    (("_orig", "_u", "_v"), "_orig", _spectral_norm, "spectral norm"),
    ((".original", ".0._u", ".0._v"), ".original", _spectral_norm, "spectral norm"),
    (("_orig", "_mask"), "_orig", _pruned, "pruning"),
)
