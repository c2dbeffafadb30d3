"""One model as the lanes show it: the numbers of the sequence and of the layers that are looked at."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from PySide6.QtGui import QColor

from rnnviz.core.arrays import Array
from rnnviz.core.magnitude import l2, log10
from rnnviz.core.network import Network
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.trace import Layer, Trace
from rnnviz.core.sweeps.verdicts.underflow import SURE, held
from rnnviz.gui.canvas.lanes.looking_back import LookingBack, looking_back
from rnnviz.gui.canvas.lanes.rests import Rest
from rnnviz.gui.canvas.lanes.row import along, outside, row_of, stretch, there
from rnnviz.gui.look.theme import Dash


@dataclass(frozen=True, eq=False)
class ShownModel:
    """One model and the layer of it that is looked at; `trace` is None until it has been rebuilt."""

    number: int
    name: str
    color: QColor
    network: Network
    layer_name: str
    trace: Trace | None
    sample: int
    time_steps: int
    dash: Dash = ()  # of its curves, where another model of its cell comes before it
    asking: str = ""  # of a user's own cell, how far the engine is that was asked for its step Jacobians, in a sentence
    base: "ShownModel | None" = None  # given: units are shown as their difference from this one

    @cached_property
    def structure(self) -> Structure:
        """Of the stage whose layer is looked at."""
        return self.network.stage(self.layer_name).structure

    @cached_property
    def sequence(self) -> Trace | None:
        """The sequence looked at alone, N = 1: all that is read of a trace here, since others may not be there."""
        return self.trace.sample(self.sample) if self.trace is not None else None

    @cached_property
    def layer(self) -> Layer | None:
        return self.sequence.layer(self.layer_name) if self.sequence is not None else None

    @cached_property
    def row(self) -> tuple[Layer, ...]:
        """The layer looked at, with those of other stages that stand before and behind it on the axis."""
        return row_of(self.sequence, self.layer_name) if self.sequence is not None else ()

    @cached_property
    def there(self) -> Array:
        """(T,) bool: where a layer of the row exists."""
        return there(self.row, self.time_steps)

    @cached_property
    def rests(self) -> tuple[Rest, ...]:
        """Where none does."""
        if self.sequence is None or len(self.sequence.calls) == 1:
            return ()
        return tuple(outside([range(one.start, one.stop) for one in self.row], self.sequence, self.time_steps))

    @cached_property
    def head_rests(self) -> tuple[Rest, ...]:
        """Where its head predicts nothing."""
        if self.sequence is None or self.head is None or len(self.sequence.calls) == 1:
            return ()
        return tuple(outside([range(self.head.start, self.head.stop)], self.sequence, self.time_steps))

    @cached_property
    def looking_back(self) -> LookingBack | None:
        """The attention weights of its decoder; None without attention."""
        return looking_back(self.sequence) if self.sequence is not None else None

    @property
    def kept_away(self) -> int:
        """The last time step from which truncation keeps all losses; 0: there is none."""
        return self.sequence.cuts(0).beyond if self.sequence is not None else 0

    def layer_at(self, time_step: int) -> str:
        """The layer of the row that exists at a time step, from 1; where none does the one looked at."""
        return next((one.name for one in self.row if one.start < time_step <= one.stop), self.layer_name)

    @property
    def carries(self) -> bool:
        """Whether anything is carried from one time step to the next."""
        return bool(self.structure.equations.states)

    def state(self, name: str) -> Array:
        """(T, ·) a state or the output after each time step; (0, 0) without a trace and where the cell has none so
        called."""
        return self._units(name, self.structure.equations.hidden_nodes)

    def gate(self, name: str) -> Array:
        """(T, H) of one gate, (0, 0) where there is none."""
        return self._units(name, tuple(gate.name for gate in self.structure.equations.gates))

    def _units(self, name: str, having: tuple[str, ...]) -> Array:
        if self.layer is None or name not in having:
            return np.zeros((0, 0))
        values = self._cut(along(self.row, lambda layer: layer.value(name)))
        return values if self.base is None else difference(values, self.base._units(name, having))

    def gradient(self, state: str) -> Array:
        """(T, ·) log₁₀ |∂L/∂ a state| of every unit, (0, 0) where there is none; −inf: exactly zero."""
        if self.layer is None or state not in self.structure.equations.hidden_nodes:
            return np.zeros((0, 0))
        values, _ = self._held(lambda trace: np.abs(self._along(trace, lambda layer: layer.grad(state))[:, 0]))
        return values if self.base is None else difference(values, self.base.gradient(state))

    @property
    def log_gradient(self) -> Array:
        """(T,) log₁₀ ‖∂L/∂h_t‖, of a cell that does not carry h that of its states; −inf: exactly zero."""
        return self._gradient_norms[0]

    @property
    def lost_gradient(self) -> Array:
        """(T,) bool: where `log_gradient` is of the float64 rebuild, because float32 has lost it."""
        return self._gradient_norms[1]

    @cached_property
    def _gradient_norms(self) -> tuple[Array, Array]:
        if self.trace is None:
            return np.zeros(0), np.zeros(0, bool)
        return self._held(lambda trace: l2(self._along(trace, lambda layer: layer.followed_grad)[:, 0]))

    @property
    def log_input_gradient(self) -> Array:
        """(T,) log₁₀ ‖∂L/∂x_t‖, by all directions of the lowest layer; (0,) without a trace."""
        return self._input_gradients[0]

    @property
    def lost_input_gradient(self) -> Array:
        """(T,) bool: where `log_input_gradient` is of the float64 rebuild, because float32 has lost it."""
        return self._input_gradients[1]

    @cached_property
    def _input_gradients(self) -> tuple[Array, Array]:
        if self.trace is None:
            return np.zeros(0), np.zeros(0, bool)
        return self._held(input_gradients)

    @property
    def log_share(self) -> Array:
        """(T,) log₁₀ ‖(∂L/∂W)|_t‖_F of the cell's leading matrix, of this sequence alone; (0,) without a trace."""
        return self._shares[0]

    @property
    def lost_share(self) -> Array:
        """(T,) bool: where `log_share` is of the float64 rebuild, because float32 has lost it."""
        return self._shares[1]

    @cached_property
    def _shares(self) -> tuple[Array, Array]:
        if self.trace is None:
            return np.zeros(0), np.zeros(0, bool)
        name = self.structure.equations.leading_matrix.name
        return self._held(lambda trace: self._along(trace, lambda layer: layer.weight_grad_shares[name]))

    def _held(self, magnitudes: Callable[[Trace], Array]) -> tuple[Array, Array]:
        """log₁₀ of what `magnitudes` (T, …) reads, of this sequence, and where float32 has lost it."""
        assert self.sequence is not None  # the caller looked
        kept = magnitudes(self.sequence)[: self.time_steps].astype(np.float64)
        wider = self.sequence.wider
        if wider is None:  # what float32 has lost is marked, also where the float64 rebuild had to give way
            return log10(kept), (kept < SURE) & self.sequence.without_exact
        values, lost = held(kept, magnitudes(wider)[: self.time_steps])
        return log10(values), lost

    def _along(self, trace: Trace, read: Callable[[Layer], Array]) -> Array:
        return along(row_of(trace, self.layer_name), read)

    @property
    def head(self) -> HeadTrace | None:
        """That of the sequence."""
        return self.sequence.head if self.sequence is not None else None

    @cached_property
    def losses(self) -> Array:
        """(T,) L_t, the reduction included; (0,) without a head."""
        return self._cut(self.head.losses).astype(float) if self.head is not None else np.zeros(0)

    @cached_property
    def scores(self) -> Array | None:
        """(T, V) probabilities, or predictions where the loss is of none; None without a head."""
        return self._cut(self.head.scores) if self.head is not None else None

    @cached_property
    def prediction(self) -> Array | None:
        """(T, V) logits or values, None without a head."""
        return self._cut(self.head.prediction) if self.head is not None else None

    def _cut(self, array: Array) -> Array:
        """The sequence looked at of a (T, N, …) array, at its own length."""
        return array[: self.time_steps, 0]


def input_gradients(trace: Trace) -> Array:
    """(T,) ‖∂L/∂x_t‖ of what each call reads, by all directions of its lowest layer."""
    found = np.zeros(len(trace.layers[0].x))
    for call in trace.calls:
        own, lowest = stretch(call), call.layers[: call.call.structure.directions]
        rows = slice(own.start, own.stop)
        found[rows] = l2(np.asarray(sum(layer.input_grad[rows, 0] for layer in lowest)))
    return found


def prediction_words(model: ShownModel) -> str:
    """Where a model's prediction comes from if its head does not compute it: "Jordan: read out inside the cell …"."""
    note = model.head.kind.note if model.head is not None else ""
    return f"{model.name}: {note}" if note else ""


def difference(changed: Array, original: Array) -> Array:
    """changed − original, 0 where both are the same ∞ or NaN."""
    same = (changed == original) | (np.isnan(changed) & np.isnan(original))
    with np.errstate(invalid="ignore", over="ignore"):
        return np.where(same, 0.0, changed.astype(np.float64) - original)
