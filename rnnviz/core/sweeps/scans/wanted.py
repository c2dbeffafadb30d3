"""Wanted: which losses a scan of lanes carries and what it keeps of them, what it has found, and how it is left."""

from collections.abc import Collection, Generator
from dataclasses import dataclass
from typing import TypeVar

from rnnviz.core.arrays import Array

Found = TypeVar("Found")


@dataclass(frozen=True, eq=False)
class Wanted:
    """Whose gradients a scan carries, and what of it is kept."""

    rows: Array  # (K,) time steps k, 0-based and ascending, one lane for each
    unit: Array | None = None  # (D·P,) u of the losses uᵀ output_k of this call; None: the L_k of the sweep
    inputs: bool = False  # ∂L_k/∂ what the cell reads
    norms_of: tuple[str, ...] = ()  # states whose own norms are kept beside those that are followed
    detached: Collection[str] = ()  # states of this layer to which nothing is carried
    summed: bool = False  # one lane alone: the gradient of all losses of the sweep together
    stop: int = -1  # the time step at which the scan is left
    first: bool = False  # ∂L_k/∂ the states before the first time step


@dataclass(frozen=True, eq=False)
class Lanes:
    """What a scan has found of one layer."""

    norms: Array  # (K, T) float64 ‖∂L_k/∂h_t‖, or of the states that are followed together
    states: dict[str, Array]  # (K, T) float64 by state of `Wanted.norms_of`
    inputs: Array  # (T, K, ·) ∂L_k/∂ what the cell reads at t if wanted, else empty
    hidden: Array  # (K, P) ∂L_k/∂ output where it was stopped
    arriving: dict[str, Array]  # (K, ·) by state what had come there from the neighbouring time step
    first: dict[str, Array]  # (K, ·) by state ∂L_k/∂ those before the first time step, if wanted


Steps = Generator[int, None, Found]  # yields the multiply-adds done since it last did


def finished(steps: Generator[object, None, Found]) -> Found:
    """What they return once all are done."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: Found = end.value
            return found
