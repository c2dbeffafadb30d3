"""The scope of a trace: one time step of one of its sequences, every quantity by its name."""

from collections.abc import Callable
from functools import cached_property

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.expressions.problems import NoValueError
from rnnviz.core.expressions.scope import FixedMetrics, MetricSource
from rnnviz.core.expressions.vocabulary import NamedQuantity, has, named_of, no_such
from rnnviz.core.network import ENCODER, Stretch
from rnnviz.core.quantity import quantities
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.trace import Layer, Trace
from rnnviz.core.sweeps.verdicts.underflow import unlost

_BY_HEAD: dict[str, Callable[[HeadTrace], Array | None]] = {
    "losses": lambda head: head.losses,
    "prediction": lambda head: head.prediction,
    "probability": lambda head: head.probabilities,
}


_OF_THE_BACKWARD_SWEEP = frozenset(
    {"gradient", "direct gradient", "carried gradient", "input gradient", "pre-activation gradient", "share", "so far"}
)


def _own(call: str, layer: Layer) -> Stretch:
    return Stretch(layer.start, layer.start + len(layer.times()), call or ENCODER)


class TraceScope:
    """One sequence of a trace at a time step. Weight-gradient shares are those of this sequence alone.

    Gradients that float32 has lost are those of the float64 rebuild, as the lanes draw them.
    """

    def __init__(
        self,
        trace: Trace,
        *,
        sample: int = 0,
        layer: str = "l0",
        time_step: int = 1,
        training_step: int = 0,
        metrics: MetricSource | None = None,
        model: str = "",
        model_number: int = 1,
    ) -> None:
        """`sample` is 0-based, `time_step` counts from 1; RnnvizError for a sample or layer the trace lacks."""
        self.model = model
        self.model_number = model_number
        self.cell = trace.structure.cell
        source = metrics or FixedMetrics({})
        self.metric = source.metric
        self.metric_window = source.metric_window
        self._trace = trace.sample(sample)
        self._layer = self._trace.layer(layer).name
        self._arrays: dict[tuple[str, str], Array] = {}
        self._numbers = {
            "k": float(training_step),
            "t": float(time_step),
            "T": float(trace.sequence_length(sample)),
            "H": float(trace.structure.hidden_size),
            "N": float(trace.sequences),
        }

    @property
    def trace(self) -> Trace:
        """Of the sequence alone."""
        return self._trace

    @property
    def time_steps(self) -> int:
        """T of the sequence."""
        return int(self._numbers["T"])

    def move_to(self, time_step: int) -> None:
        """Looks at another time step of the same sequence, counted from 1."""
        self._numbers["t"] = float(time_step)

    def number(self, name: str) -> float:
        return self._numbers[name]

    def quantity(self, name: str, layer: str) -> Array:
        key = name, layer or self._layer
        array = self._arrays.get(key)
        if array is None:
            array = self._arrays[key] = self._find(*key)
        return array

    def own(self, name: str, layer: str) -> Stretch | None:
        trace = self._trace
        if len(trace.calls) == 1:
            return None
        if name in self._named and not self._named[name].layered:
            head = next((call for call in reversed(trace.calls) if call.head is not None), trace.calls[-1])
            return _own(head.call.name, head.layers[0])
        found = trace.find_layer(layer or self._layer)
        return None if found is None else _own(found.id.call, found)

    @cached_property
    def _named(self) -> dict[str, NamedQuantity]:
        return named_of(stage.structure.equations for stage in self._trace.network.stages)

    def _find(self, name: str, layer: str) -> Array:
        named = self._named.get(name)
        if named is None:
            raise NoValueError(f"This model has no {name}.")
        if not any(has(stage.structure, named) for stage in self._trace.network.stages):
            raise NoValueError(no_such(named, self.cell))
        if not named.layered:
            head = self._trace.head
            found = None if head is None else _BY_HEAD[name](head)
            if found is None:
                raise NoValueError(f"This model has no {named.words}.")
            return found[:, 0]
        try:
            holder = self._trace.layer(layer)
        except RnnvizError as problem:
            raise NoValueError(str(problem)) from problem
        asked = quantities(holder.equations)[name]
        found = holder.quantity(asked)
        if asked.kind in _OF_THE_BACKWARD_SWEEP and (wider := self._trace.wider) is not None:
            found = unlost(found, wider.layer(layer).quantity(asked))
        return found if found.ndim == 1 else found[:, 0]
