"""Interventions: what a person sets by hand in one sequence to see what would happen, as records and words.

Time steps, units, rows and columns count from 1, as on screen; `unit`, `row` and `column` None mean all of them.
"""

import math
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError

LARGEST_VALUE = 1e15  # its square still fits float32, so that derivatives stay finite


@dataclass(frozen=True)
class SetValue:
    """One value of one time step; what it was computed from gets no gradient through it."""

    layer: str
    quantity: str  # the name of a node: "h", "c", "f"
    time_step: int
    value: float
    unit: int | None = None

    @property
    def words(self) -> str:
        return f"{_named(self.layer, self.quantity, self.unit, str(self.time_step))} = {_number(self.value)}"


@dataclass(frozen=True)
class Clamp:
    """A unit or gate held at a value from one time step on; at 0 it is off. `last` None: to the end."""

    layer: str
    quantity: str
    value: float = 0.0
    first: int = 1
    last: int | None = None
    unit: int | None = None

    @property
    def words(self) -> str:
        span = f"{self.first}…{'T' if self.last is None else self.last}"
        return f"{_named(self.layer, self.quantity, self.unit, span)} = {_number(self.value)}"


@dataclass(frozen=True)
class CutGradient:
    """The state after `time_step` is detached: nothing that comes later sends it a gradient. Layer "": all layers."""

    time_step: int
    layer: str = ""

    @property
    def words(self) -> str:
        return f"gradient cut at t = {self.time_step}" + (f" in {self.layer}" if self.layer else "")


@dataclass(frozen=True)
class SetState:
    """The state a layer begins with, h or c; one value is for all units."""

    layer: str
    quantity: str
    values: tuple[float, ...]

    @property
    def words(self) -> str:
        return f"{self.quantity}₀ of {self.layer} = {_numbers(self.values)}"


@dataclass(frozen=True)
class SetInput:
    """The whole input x_t of one time step, as the network sees it (scaled, one-hot); one value is for all columns."""

    time_step: int
    values: tuple[float, ...]

    @property
    def words(self) -> str:
        at = f"x[{self.time_step}]"
        if len(self.values) > 1 and sorted(self.values) == [0.0] * (len(self.values) - 1) + [1.0]:
            return f"{at} = symbol {self.values.index(1.0) + 1}"
        return f"{at} = {_numbers(self.values)}"


@dataclass(frozen=True)
class SetWeight:
    """A weight, a row, a column or all of a parameter; one value is for all that is named.

    `parameter` is torch's name ("weight_hh_l0") or "head.weight", "head.bias" for the head.
    """

    parameter: str
    values: tuple[float, ...]
    row: int | None = None
    column: int | None = None

    @property
    def words(self) -> str:
        row = ":" if self.row is None else str(self.row)
        column = ":" if self.column is None else str(self.column)
        place = "" if self.row is None and self.column is None else f"[{row}, {column}]"
        return f"{self.parameter}{place} = {_numbers(self.values)}"


Intervention = SetValue | Clamp | CutGradient | SetState | SetInput | SetWeight


def one_hot(time_step: int, symbol: int, size: int) -> SetInput:
    """The input of one time step as the symbol with this number (from 1) of an alphabet of `size`."""
    if not 1 <= symbol <= size:
        raise RnnvizError(f"The symbol must be from 1 to {size}, not {symbol}.")
    return SetInput(time_step, tuple(float(place == symbol) for place in range(1, size + 1)))


def check_numbers(intervention: Intervention) -> None:
    """RnnvizError unless every value is a finite number a network can go on with."""
    values: tuple[float, ...] = ()
    if isinstance(intervention, SetValue | Clamp):
        values = (intervention.value,)
    elif isinstance(intervention, SetState | SetInput | SetWeight):
        values = intervention.values
    for value in values:
        if not (math.isfinite(value) and abs(value) <= LARGEST_VALUE):
            raise RnnvizError(f"{intervention.words}: a value must be between −10¹⁵ and 10¹⁵, not {_number(value)}.")


def _named(layer: str, quantity: str, unit: int | None, time: str) -> str:
    return f"{quantity}[{time}{'' if unit is None else f', {unit}'}] of {layer}"


def _numbers(values: tuple[float, ...]) -> str:
    if len(values) == 1:
        return _number(values[0])
    return f"({', '.join(map(_number, values[:3]))}{', …' if len(values) > 3 else ''})"


def _number(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")
