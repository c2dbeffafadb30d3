"""Convolution in the backward sweep: what its kernels get of the gradients of the features that a call reads."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.sweeps.capture import Convolution

_POOLED = 2  # of so many by so many pixels the largest is read


@dataclass(frozen=True, eq=False)
class ConvolutionTrace(FrozenArrays):
    """The pictures of one call and the gradients of the features that it read of them."""

    convolution: Convolution
    feature_grad: Array  # (T, N, C · rows/2 · columns/2) ∂L/∂x_t of the call's own time steps

    @cached_property
    @np.errstate(all="ignore")
    def kernel_grad(self) -> Array:
        """(C, 3, 3) ∂L/∂kernel: each feature's gradient goes to the pixels around the largest of its 2 × 2, none where
        that is not above 0."""
        kernel = self.convolution.kernel.astype(np.float64)
        windows = self._windows.astype(np.float64)  # (M, rows, columns, 3, 3)
        values = np.einsum("mrcij,kij->mkrc", windows, kernel)
        blocks = _blocks(values)  # (M, C, rows/2, columns/2, 4)
        largest = blocks.argmax(axis=-1)[..., None]
        grads = np.zeros_like(blocks)
        given = self.feature_grad.reshape(blocks.shape[:-1])[..., None]
        np.put_along_axis(grads, largest, np.where(np.take_along_axis(blocks, largest, -1) > 0, given, 0), -1)
        around = _blocks(windows.transpose(0, 3, 4, 1, 2))  # (M, 3, 3, rows/2, columns/2, 4)
        found = np.einsum("mkrcb,mijrcb->kij", grads, around)
        return frozen(found.astype(self.feature_grad.dtype))

    @property
    def _windows(self) -> Array:
        """(T·N, rows, columns, 3, 3) the pixels around each one, 0 beyond the edges."""
        rows = self.convolution.rows
        pictures = self.convolution.pictures.reshape(-1, rows, self.convolution.pictures.shape[-1] // rows)
        high, wide = self.convolution.kernel.shape[1:]
        around = ((0, 0), (high // 2, high // 2), (wide // 2, wide // 2))
        return sliding_window_view(np.pad(pictures, around), (high, wide), axis=(1, 2))


def _blocks(values: Array) -> Array:
    """(…, rows, columns) → (…, rows/2, columns/2, 4)"""
    *front, rows, columns = values.shape
    high, wide = rows // _POOLED, columns // _POOLED
    parts = values[..., : high * _POOLED, : wide * _POOLED].reshape(*front, high, _POOLED, wide, _POOLED)
    return parts.swapaxes(-3, -2).reshape(*front, high, wide, _POOLED * _POOLED)
