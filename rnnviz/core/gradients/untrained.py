"""The untrained network: states and gradients of a model as its settings begin it, for many initial seeds at once.

Nothing is trained and no torch is asked, so that a setting redraws them at once. All seeds go through one sweep, whose
weights have a leading axis of weight sets.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen, frozen_mapping
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import cell_kind
from rnnviz.core.cells.beginning import Drawn
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.gradients.losses import unit_vector_of
from rnnviz.core.magnitude import l2
from rnnviz.core.optimising.clipping import clip_factor
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.backward import sweep_back
from rnnviz.core.sweeps.capture import Call, Head
from rnnviz.core.sweeps.forward import LayerSweep, module_output, unroll
from rnnviz.core.sweeps.heads.head import through_head
from rnnviz.core.sweeps.shares import Factors

SEEDS = tuple(range(1, 21))
LOW, HIGH = 0.1, 0.9  # quantiles at the edges of the band
_OWN_STREAM, _HEAD_STREAM = 1, 2  # beside a seed; the cell's own settings draw from the seed alone, as in training


class Band(NamedTuple):
    """Over the seeds, each (T,) float64: every value is that of a seed; NaN counts as the largest."""

    low: Array  # 10 %
    median: Array  # the lower one of two
    high: Array  # 90 %

    @staticmethod
    def of(values: Array) -> "Band":
        """Of (T, K)."""
        ranked, count = np.sort(values, axis=1), values.shape[1]
        return Band(*(frozen(ranked[:, max(int(np.ceil(share * count)) - 1, 0)]) for share in (LOW, 0.5, HIGH)))


@dataclass(frozen=True, eq=False)
class UntrainedLayer(FrozenArrays):
    """One layer and direction in time order."""

    name: str  # "l0", "l0_reverse"
    symbol: str  # of what the gradient is taken by: "h", "(s′, s″)"
    states: Mapping[str, Array]  # (T, K, ·) float64 by node: "h", "c", …
    gradients: Array  # (T, K) float64 ‖∂L/∂h_t‖ of each seed

    @cached_property
    def band(self) -> Band:
        """Of the gradients."""
        return Band.of(self.gradients)

    def state_band(self, state: str) -> Band:
        """Of ‖h_t‖, ‖c_t‖, …"""
        return Band.of(l2(self.states[state]))


@dataclass(frozen=True, eq=False)
class Untrained(FrozenArrays):
    """An untrained model on one sequence, K times; L is uᵀh_T with u a fixed random unit vector, or the task's loss."""

    inputs: Array  # (T, I)
    seeds: tuple[int, ...]  # K
    layers: tuple[UntrainedLayer, ...]  # torch's order
    weight_gradients: Array | None  # (K,) float64 ‖∂L/∂ all parameters‖ before the clip; None without one
    clip_factors: Array  # (K,) what the clip multiplies every gradient of a seed by, in `gradients` too; 1 without one


def untrained(
    model: ModelSettings,
    inputs: Array,
    *,
    seeds: Sequence[int] = SEEDS,
    scale: float = 1.0,
    clip: float = 0.0,
    asked: Head | None = None,
    outputs: int = 1,
) -> Untrained:
    """A model as it begins, on the sequence `inputs` (T, I), for each of `seeds`.

    `scale` multiplies what torch draws, before the cell's own settings are put in. `clip` is the norm that ∂L/∂ all
    parameters is scaled down to, 0 for none; a loss that is scaled scales ∂L/∂h_t alike. `asked` is what the task asks
    (its weights are drawn for each seed, its arrays of T time steps and one sequence); without it L = uᵀh_T.
    `outputs`: of the predictions.
    """
    # What stands before it has read `inputs` already.
    structure = replace(model, embedding=0, convolution=0).structure(int(inputs.shape[1]), outputs)
    if asked is not None and len(asked.loss_weight) != len(inputs):
        raise RnnvizError(f"untrained: wanted {len(inputs)} time steps that are asked, got {len(asked.loss_weight)}")
    sets = [initial_weights(model, structure, seed, scale) for seed in seeds]
    weights = {name: np.stack([one[name] for one in sets]) for name in sets[0]}
    heads = [] if asked is None else _heads(asked, structure, outputs, tuple(seeds), scale)
    return _swept(structure, weights, np.asarray(inputs, np.float64), tuple(seeds), clip, heads)


@one_blas_thread
@np.errstate(all="ignore")
def _swept(
    structure: Structure,
    weights: Mapping[str, Array],
    inputs: Array,
    seeds: tuple[int, ...],
    clip: float,
    heads: list[Head],
) -> Untrained:
    time_steps, count = len(inputs), len(seeds)
    rows = structure.num_layers * structure.directions
    call = Call(
        structure=structure,
        inputs=np.broadcast_to(inputs[:, None], (time_steps, count, inputs.shape[1])),
        initial={state: np.zeros((rows, count, structure.units(state))) for state in structure.equations.states},
        grad_output=np.zeros((time_steps, count, structure.directions * structure.output_size)),
    )
    sweeps = unroll(call, weights, None)
    direct, of_head = _direct(call, sweeps, heads)
    layers = sweep_back(replace(call, grad_output=direct), sweeps)
    norms, clipped = None, np.ones(count)
    if clip:
        norms = np.sqrt(of_head + sum(_squared_norms(one) for layer in layers for one in layer.factors.values()))
        clipped = np.array([clip_factor(clip, float(norm)) for norm in norms])
    found = (
        UntrainedLayer(
            layer.name,
            layer.equations.followed_symbol,
            frozen_mapping({name: layer.value(name) for name in layer.equations.hidden_nodes}),
            frozen(l2(layer.followed_grad) * clipped),
        )
        for layer in layers
    )
    return Untrained(frozen(inputs), seeds, tuple(found), None if norms is None else frozen(norms), frozen(clipped))


def _direct(call: Call, sweeps: list[LayerSweep], heads: list[Head]) -> tuple[Array, Array]:
    """(T, K, D·P) ∂L/∂output, and (K,) the squared norm of ∂L/∂ the head's weights."""
    output = module_output(call, sweeps)
    direct, squares = np.zeros_like(output), np.zeros(output.shape[1])
    if not heads:
        direct[-1] = unit_vector_of(call.structure)
    for k, head in enumerate(heads):
        trace = through_head(head, output[:, k : k + 1])
        direct[:, k] = trace.output_grad[:, 0]
        squares[k] = sum(float(np.vdot(grad, grad)) for grad in trace.weight_grads.values())
    return direct, squares


def _squared_norms(factors: Factors) -> Array:
    """(K,) ‖∂L/∂W‖² of one parameter of each weight set."""
    delta, partner = factors
    if partner is None:
        total = delta.sum(axis=0)
        return np.asarray(np.vecdot(total, total))
    whole = np.matmul(delta.transpose(1, 2, 0), partner.swapaxes(0, 1)).reshape(delta.shape[1], -1)
    return np.asarray(np.vecdot(whole, whole))


def initial_weights(model: ModelSettings, structure: Structure, seed: int, scale: float = 1.0) -> dict[str, Array]:
    """The parameters a model begins with, float64, torch's names with the layer: each from its own distribution in
    torch's order, `scale` times as large, then what the cell's settings make of them.

    They are drawn as the program draws them but by numpy: not the numbers that a training with this seed begins with.
    Those of them that the cell's own settings draw are the same.
    """
    kind, cell, hidden = cell_kind(structure.cell), structure.equations, structure.hidden_size
    generator, own_generator = np.random.default_rng((seed, _OWN_STREAM)), np.random.default_rng(seed)
    shapes, found = structure.parameter_shapes(), dict[str, Array]()
    drawn = {
        layer: {
            one.name: scale * one.initial.draw(generator, shapes[f"{one.name}_{layer}"], hidden)
            for one in cell.parameters
        }
        for layer in structure.layer_names
    }
    rows = {block: cell.block_rows(block, hidden) for block in cell.blocks}
    for layer, weights in drawn.items():
        begun = {} if kind.begin is None else kind.begin(model.own, Drawn(hidden, rows, weights, own_generator))
        found |= {f"{name}_{layer}": weight for name, weight in (weights | dict(begun)).items()}
    return found


def _heads(asked: Head, structure: Structure, outputs: int, seeds: tuple[int, ...], scale: float) -> list[Head]:
    """What a task asks, with weights drawn for each seed as torch's linear layer draws them; none where the cell makes
    the predictions."""
    if cell_kind(structure.cell).reads_out:
        return [replace(asked, weight=None, bias=None)] * len(seeds)
    width = structure.directions * structure.output_size
    found = []
    for seed in seeds:
        generator, bound = np.random.default_rng((seed, _HEAD_STREAM)), scale / np.sqrt(width)
        weight = generator.uniform(-bound, bound, (outputs, width))
        found.append(replace(asked, weight=weight, bias=generator.uniform(-bound, bound, outputs)))
    return found


def continued(inputs: Array, time_steps: int, seed: int = 1) -> Array:
    """(time_steps, I) a sequence (T, I) cut, or gone on with inputs drawn from its own time steps."""
    more = np.random.default_rng(seed).integers(0, len(inputs), max(time_steps - len(inputs), 0))
    return frozen(np.concatenate((inputs, inputs[more]))[:time_steps])
