"""Attention of a head over the outputs of an earlier call: scores, weights and context, and the gradients back.

score[k, s] = h_kᵀ W_a e_s over the time steps s of a sequence; α[k] = softmax(score[k]); context_k = Σ_s α[k, s] e_s;
attended_k = tanh(W_c [context_k; h_k]), which the head's linear layer reads (Luong, Pham & Manning 2015, eqs. 5 to 8).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.magnitude import l2
from rnnviz.core.sweeps import shares
from rnnviz.core.sweeps.axis import Place
from rnnviz.core.sweeps.capture import Attention

_AT_ONCE = 4_000_000  # numbers of ∂L_k/∂e_s that are there at once


class Source(NamedTuple):
    """What attention goes over: the outputs of an earlier call."""

    outputs: Array  # (S, N, M) e_s
    lengths: Array | None  # (N,) of its sequences, None if all are S
    start: int = 0  # its first time step on the axis of all calls


class Found(NamedTuple):
    """The forward part, of U time steps k."""

    scores: Array  # (U, N, S)
    weights: Array  # (U, N, S)
    context: Array  # (U, N, M)
    attended: Array  # (U, N, P)


@one_blas_thread
@np.errstate(all="ignore")
def attend(attention: Attention, states: Array, source: Source, lengths: Array | None) -> Found:
    """What `states` (U, N, P) find in the source; `lengths` (N,) are their own. Exactly 0 beyond either end."""
    read = source.outputs.swapaxes(0, 1)  # (N, S, M)
    scores = (states @ attention.score).swapaxes(0, 1) @ read.swapaxes(1, 2)  # (N, U, S)
    here = np.ones(scores.shape, bool)
    if source.lengths is not None:
        here &= (np.arange(read.shape[1]) < source.lengths[:, None])[:, None, :]
    if lengths is not None:
        here &= (np.arange(len(states)) < lengths[:, None])[:, :, None]
    scores[~here] = 0
    powers = np.where(here, scores, -np.inf)
    powers = np.exp(powers - np.max(powers, axis=-1, keepdims=True, initial=np.finfo(scores.dtype).min))
    powers[~here] = 0
    total = powers.sum(axis=-1, keepdims=True)
    weights = np.divide(powers, total, out=np.zeros_like(powers), where=total != 0)
    context = weights @ read  # (N, U, M)
    both = np.concatenate([context.swapaxes(0, 1), states], axis=-1)
    return Found(_by_time(scores), _by_time(weights), _by_time(context), np.tanh(both @ attention.combine.T))


def _by_time(array: Array) -> Array:
    """(N, U, ·) as (U, N, ·)."""
    return np.ascontiguousarray(array.swapaxes(0, 1))


@dataclass(frozen=True, eq=False)
class AttentionTrace(FrozenArrays):
    """Attention in both sweeps; T time steps k on the axis, and S of the earlier call, counted from its own first."""

    over: int  # which call's outputs
    start: int  # where that call begins on the axis, 0-based
    scores: Array  # (T, N, S) 0 outside the sequences
    weights: Array  # (T, N, S) α, exactly 0 outside the sequences
    context: Array  # (T, N, M)
    attended: Array  # (T, N, P) what the linear layer reads
    attended_grad: Array  # (T, N, P) ∂L/∂attended_k
    states: Array  # (T, N, P) h_k
    read: Array  # (S, N, M) e_s
    parameters: Mapping[str, Array]  # score (P, M) W_a and combine (P, M + P) W_c
    lengths: Array | None  # (N,) of the sequences that are read, None if all are S
    place: Place | None = None  # the stretch of the axis that the head's call covers; None: all of it

    @property
    def time_steps(self) -> int:
        """S."""
        return len(self.read)

    @cached_property
    def both(self) -> Array:
        """(T, N, M + P) [context_k; h_k]"""
        return frozen(np.concatenate([self.context, self.states], axis=-1))

    @property
    def times(self) -> range:
        """The time steps k on the axis, 0-based."""
        return range(len(self.weights)) if self.place is None else range(self.place.start, self.place.stop)

    # backward

    @cached_property
    @np.errstate(all="ignore")
    def combined_grad(self) -> Array:
        """(T, N, P) ∂L/∂ what tanh reads."""
        return frozen(self.attended_grad * (1 - np.square(self.attended)))

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def both_grad(self) -> Array:
        """(T, N, M + P) ∂L/∂[context_k; h_k], of h_k what does not come through the scores."""
        return frozen(self.combined_grad @ self.parameters["combine"])

    @property
    def context_grad(self) -> Array:
        """(T, N, M)"""
        return self.both_grad[..., : self.read.shape[-1]]

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def weights_grad(self) -> Array:
        """(T, N, S) ∂L_k/∂α[k, s], 0 outside the sequences."""
        grads = self.context_grad.swapaxes(0, 1) @ self.read.transpose(1, 2, 0)
        return frozen(_by_time(grads))

    @cached_property
    @np.errstate(all="ignore")
    def scores_grad(self) -> Array:
        """(T, N, S) ∂L_k/∂score[k, s]"""
        weighted = self.weights * self.weights_grad
        return frozen(weighted - self.weights * weighted.sum(axis=-1, keepdims=True))

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def found(self) -> Array:
        """(T, N, M) Σ_s ∂L_k/∂score[k, s] e_s, what W_a is multiplied by on the way to h_k."""
        return frozen(_by_time(self.scores_grad.swapaxes(0, 1) @ self.read.swapaxes(0, 1)))

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def states_grad(self) -> Array:
        """(T, N, P) ∂L_k/∂h_k, directly: along W_c and through the scores."""
        return frozen(self.both_grad[..., self.read.shape[-1] :] + self.found @ self.parameters["score"].T)

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def asking(self) -> Array:
        """(T, N, M) W_aᵀ h_k, whose product with e_s is the score."""
        return frozen(self.states @ self.parameters["score"])

    @cached_property
    @one_blas_thread
    @np.errstate(all="ignore")
    def read_grad(self) -> Array:
        """(S, N, M) Σ_k ∂L_k/∂e_s, directly."""
        by_weight = self.weights.transpose(1, 2, 0) @ self.context_grad.swapaxes(0, 1)
        by_score = self.scores_grad.transpose(1, 2, 0) @ self.asking.swapaxes(0, 1)
        return frozen(_by_time(by_weight + by_score))

    @one_blas_thread
    @np.errstate(all="ignore")
    def read_grads(self, rows: Array, sample: int = 0) -> Array:
        """(K, S, M) ∂L_k/∂e_s, directly, of one sequence: for the time steps `rows` of the axis and every s."""
        weights, scores = self.weights[rows, sample, :, None], self.scores_grad[rows, sample, :, None]
        return np.asarray(weights * self.context_grad[rows, sample, None] + scores * self.asking[rows, sample, None])

    def reach(self, sample: int = 0) -> Array:
        """(T, S) float64 ‖∂L_k/∂e_s‖, directly, of one sequence."""
        time_steps, size = len(self.weights), max(self.read.shape[0] * self.read.shape[-1], 1)
        at_once = max(1, _AT_ONCE // size)
        rows = np.arange(time_steps)
        parts = [l2(self.read_grads(rows[k : k + at_once], sample)) for k in range(0, time_steps, at_once)]
        return np.concatenate(parts)

    # its parameters

    @property
    def factors(self) -> dict[str, shares.Factors]:
        """The factors of ∂L/∂W_a and ∂L/∂W_c."""
        return {
            "score": shares.Factors(self.states, self.found),
            "combine": shares.Factors(self.combined_grad, self.both),
        }

    @property
    def weight_grads(self) -> Mapping[str, Array]:
        """∂L/∂W_a (P, M) as "score" and ∂L/∂W_c (P, M + P) as "combine", summed over k and n."""
        return frozen_mapping(shares.totals(self.factors))

    @property
    def weight_grad_shares(self) -> Mapping[str, Array]:
        """(T,) float64 ‖(∂L/∂W)|_k‖_F of each time step k."""
        return frozen_mapping(shares.all_shares(self.factors))

    @property
    def weight_grad_so_far(self) -> Mapping[str, Array]:
        """(T,) float64 ‖Σ_{j≥k} (∂L/∂W)|_j‖_F."""
        return frozen_mapping({name: shares.accumulated(factors) for name, factors in self.factors.items()})

    def value(self, name: str, at: tuple[int, int]) -> Array | None:
        """What a term of its equations stands for at time step and sequence `at`; None where it has no such term."""
        found = VALUES.get(name)
        return None if found is None else np.asarray(found(self, at))

    # on the axis

    def sample(self, n: int, cut: Callable[[Array], Array], place: Place | None, start: int) -> "AttentionTrace":
        """The same with sequence `n` alone; `cut` does it with arrays over the axis, on which the earlier call then
        begins at `start`."""
        own = len(self.read) if self.lengths is None else int(self.lengths[n])
        alone = self._rearranged(cut, place)
        return replace(
            alone,
            start=start,
            scores=frozen(alone.scores[..., :own]),
            weights=frozen(alone.weights[..., :own]),
            read=frozen(np.ascontiguousarray(self.read[:own, n : n + 1])),  # without those of all sequences
            lengths=None,
        )

    def placed(self, place: Place) -> "AttentionTrace":
        """That of a call by itself on the time axis of several."""
        return self._rearranged(place.on_axis, place)

    def _rearranged(self, turn: Callable[[Array], Array], place: Place | None) -> "AttentionTrace":
        names = ("scores", "weights", "context", "attended", "attended_grad", "states")
        changed = {name: turn(getattr(self, name)) for name in names}
        return replace(self, place=place, **changed)  # type: ignore[arg-type]


def attention_trace(
    attention: Attention, found: Found, attended_grad: Array, states: Array, source: Source
) -> AttentionTrace:
    """The trace of what `states` found, where the linear layer hands `attended_grad` (U, N, P) back."""
    parameters = {"score": attention.score, "combine": attention.combine}
    return AttentionTrace(
        attention.over,
        source.start,
        frozen(found.scores),
        frozen(found.weights),
        frozen(found.context),
        frozen(found.attended),
        frozen(attended_grad),
        frozen(states),
        frozen(source.outputs),
        frozen_mapping(parameters),
        source.lengths,
    )


VALUES: Mapping[str, Callable[[AttentionTrace, tuple[int, int]], Array]] = {
    "read": lambda one, at: one.read[:, at[1]],  # (S, M)
    "score_weight": lambda one, at: one.parameters["score"],
    "combine_weight": lambda one, at: one.parameters["combine"],
    "asking": lambda one, at: one.asking[at],  # (M,)
    "attention_scores": lambda one, at: one.scores[at],  # (S,)
    "attention_weights": lambda one, at: one.weights[at],  # (S,)
    "context": lambda one, at: one.context[at],
    "context_and_output": lambda one, at: one.both[at],
    "attended": lambda one, at: one.attended[at],
    "attended_grad": lambda one, at: one.attended_grad[at],
    "combined_grad": lambda one, at: one.combined_grad[at],
    "context_grad": lambda one, at: one.context_grad[at],
    "context_and_output_grad": lambda one, at: one.both_grad[at],
    "attention_weights_grad": lambda one, at: one.weights_grad[at],
    "attention_scores_grad": lambda one, at: one.scores_grad[at],
    "read_by_scores": lambda one, at: one.found[at],  # (M,) Σ_s ∂L_k/∂score[k, s] e_s
    "read_grad": lambda one, at: one.read_grads(np.array([at[0]]), at[1])[0],  # (S, M) ∂L_k/∂e_s
    "score_added": lambda one, at: np.outer(one.states[at], one.found[at]),
    "combine_added": lambda one, at: np.outer(one.combined_grad[at], one.both[at]),
}
