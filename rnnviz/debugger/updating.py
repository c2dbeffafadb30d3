"""The update that a training step's gradient would make: of one sequence of the probe, as far as it can be known.

A training takes the gradient of its batch, which no trace holds; in its stead stands that of the sequence shown. What
an optimiser has gathered is recorded at some training steps alone. Where it is not, what follows from it is not known.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from rnnviz.core.arrays import Array, frozen_mapping
from rnnviz.core.errors import RnnvizError
from rnnviz.core.optimising.noise import drawn
from rnnviz.core.optimising.update import Noise, State, Update, UpdateRule, update
from rnnviz.core.sweeps.borders.learnt import beside_recurrent
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.sweeps.verdicts.fidelity import weight_grads
from rnnviz.runs.file.records import OptimiserSnapshot

_COUNT = "step"  # of updates, of one parameter
_RECURRENT = "recurrent."  # in front of the recurrent parameters' names in an optimiser's snapshot


_SYMBOLS = {"head.weight": "W_{ho}", "head.bias": "b_o", "attention.score": "W_a", "attention.combine": "W_c"}
_ROWS = "row", "column"
_OF_DECODER = "decoder_"  # in front of the name of what stands before the decoder


@dataclass(frozen=True)
class UpdatedParameter:
    """One parameter that an update changes."""

    name: str  # as in a capture: "weight_hh_l0"; beside the layers "head.weight", "bridge.weight_h", "front.weight", …
    symbol: str  # markup: "W_{hh}"
    shape: tuple[int, ...]
    layer: str = ""  # "l0"; "" of the head
    axes: tuple[str, ...] = _ROWS  # what its axes go over
    hidden_size: int = 0  # its rows are those of the units, block after block; 0: those of what is predicted


@dataclass(frozen=True, eq=False)
class UpdateShown:
    """The update from the weights of a trace, of the gradient of its one sequence."""

    update: Update
    unknown: str = ""  # one sentence: why what the optimiser makes of the gradient is not known; "": it is
    rate_words: str = ""  # where the learning rate comes from; "": it is the one that is set

    def find(self, parameter: str, name: str) -> Array | None:
        """What a term of the operations stands for, "gradient", "delta", …, of one parameter; None: not known."""
        return self.update.find(parameter, name)


def updated_parameters(trace: Trace) -> tuple[UpdatedParameter, ...]:
    """The parameters that an update changes: those of the layers, in their order, then those of fronts, bridge,
    attention and head."""
    calls = {call.call.name: call.call for call in trace.calls}
    found: dict[str, UpdatedParameter] = {}
    for layer in trace.layers:
        for parameter in layer.equations.parameters:
            name = calls[layer.id.call].parameter(parameter.name, layer.id)
            shape, units = layer.weights[parameter.name].shape, layer.structure.hidden_size
            if parameter.rows == "output" and layer.equations.read_out:
                units = 0
            found.setdefault(name, UpdatedParameter(name, parameter.symbol, shape, layer.name, hidden_size=units))
    for name, array in beside_recurrent(trace.check.capture).items():
        found[name] = _beside(name, array.shape)
    return tuple(found.values())


def _beside(name: str, shape: tuple[int, ...]) -> UpdatedParameter:
    """A parameter beside the layers: B_h of a bridge, a table E, kernels K of a convolution."""
    if name in _SYMBOLS:
        return UpdatedParameter(name, _SYMBOLS[name], shape)
    where, _, what = name.partition(".")
    if where == "bridge":
        kind, _, state = what.partition("_")
        return UpdatedParameter(name, f"{'B' if kind == 'weight' else 'b'}_{state}", shape, axes=("layer", *_ROWS))
    symbol, axes = ("K", ("channel", *_ROWS)) if len(shape) > 2 else ("E", ("symbol", "column"))
    return UpdatedParameter(name, f"{symbol}^{{dec}}" if where.startswith(_OF_DECODER) else symbol, shape, axes=axes)


def parameter_shown(trace: Trace, layer: str, chosen: str = "") -> UpdatedParameter:
    """The parameter whose update is shown: the one chosen where the model has it, else the leading matrix, W_hh, of a
    layer."""
    having = {one.name: one for one in updated_parameters(trace)}
    found = trace.find_layer(layer) or trace.layers[0]
    call = next(call.call for call in trace.calls if call.call.name == found.id.call)
    return having.get(chosen) or having[call.parameter(found.equations.leading_matrix.name, found.id)]


def gradients(trace: Trace) -> dict[str, Array]:
    """∂L/∂W of the trace's sequences together, by parameter."""
    found = weight_grads(trace.check.capture, trace.layers)
    for call in trace.calls:
        front = f"{call.call.module}_front.weight" if call.call.module else "front.weight"
        if call.embedding is not None:
            found[front] = call.embedding.table_grad
        elif call.convolution is not None:
            found[front] = call.convolution.kernel_grad
        if call.bridge is not None:
            found |= {f"bridge.{name}": gradient for name, gradient in call.bridge.weight_grads.items()}
        if call.head is not None:
            if call.head.attention is not None:
                grads = call.head.attention.weight_grads
                found |= {f"attention.{name}": gradient for name, gradient in grads.items()}
            found |= {f"head.{name}": gradient for name, gradient in call.head.weight_grads.items()}
    return found


def update_shown(
    trace: Trace,
    rule: UpdateRule,
    gathered: Mapping[str, State] | None,
    why_unknown: str = "",
    noise: Noise | None = None,
    rate_words: str = "",
) -> UpdateShown:
    """The update of a trace's gradient. `gathered`: what the optimiser had before it, empty at its beginning; None: not
    known. `noise`: that of the training step. `why_unknown`: the sentence that says why something is not known."""
    weights = dict(trace.check.capture.weights) | beside_recurrent(trace.check.capture)
    made = update(rule, gradients(trace), weights, gathered, noise)
    known = all("weights_after" in values for values in made.values.values())
    return UpdateShown(made, "" if known else why_unknown, rate_words)


def noise_of(trace: Trace, seed: int, training_step: int, model: int) -> Noise:
    """The noise that the training adds to a model's gradient in the update that completes a training step: the same
    numbers, for they depend on nothing else."""
    shapes = {one.name: one.shape for one in updated_parameters(trace)}
    return Noise(
        training_step, {name: drawn(seed, training_step, model, name, shape) for name, shape in shapes.items()}
    )


def gathered_in(snapshot: OptimiserSnapshot) -> dict[str, State]:
    """What an optimiser had gathered, by parameter; empty where it had not made an update yet. RnnvizError for a count
    that is no number."""
    found: dict[str, dict[str, Array]] = {}
    for name, array in snapshot.gathered.items():
        key, _, parameter = name.partition(".")
        if key == _COUNT:
            if array.size != 1:
                raise RnnvizError(f"optimiser state: wanted one number as {name}, got {array.shape}")
            array = array.reshape(())  # a file has it as (1,)
        found.setdefault(parameter.removeprefix(_RECURRENT), {})[key] = array
    return {parameter: frozen_mapping(state) for parameter, state in found.items()}
