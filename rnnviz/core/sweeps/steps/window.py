"""Window: the front end of a time-delay network, which reads the last k inputs side by side (Waibel et al. 1989)."""

from functools import lru_cache

import numpy as np

from rnnviz.core.arrays import Array, frozen


@lru_cache(maxsize=32)
def window_rows(time_steps: int, size: int) -> Array:
    """(T, k) which input stands at each place of the window of each time step, 0-based, oldest first; T, one behind the
    last, before the first."""
    rows = np.arange(time_steps)[:, None] + np.arange(1 - size, 1)
    return frozen(np.where(rows < 0, time_steps, rows))


def windowed(inputs: Array, size: int) -> Array:
    """(T, N, k·I) the last `size` inputs (T, N, I) side by side, oldest first, zeros before the first."""
    if size == 1:
        return inputs
    time_steps, sequences, width = inputs.shape
    with_zeros = np.concatenate([inputs, np.zeros_like(inputs[:1])])
    parts = with_zeros[window_rows(time_steps, size)]  # (T, k, N, I)
    return np.ascontiguousarray(parts.swapaxes(1, 2)).reshape(time_steps, sequences, size * width)


def newest(windows: Array, size: int) -> Array:
    """(T, N, I) the input of each time step alone, out of its window."""
    return windows[..., windows.shape[-1] - windows.shape[-1] // size :]


def folded_back(gradient: Array, size: int) -> Array:
    """(T, …, I) ∂L/∂x_t: the sum of what each window that holds x_t got, (T, …, k·I)."""
    if size == 1:
        return gradient
    parts = gradient.reshape(*gradient.shape[:-1], size, -1)
    total = np.zeros_like(parts[..., 0, :])
    for place in range(max(size - len(total), 0), size):
        later = size - 1 - place  # how many time steps after x_t this window's own is
        total[: len(total) - later] += parts[later:, ..., place, :]
    return total
