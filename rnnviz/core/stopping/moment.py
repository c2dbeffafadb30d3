"""A moment: one model after one training step, as breakpoints see it. Its trace is made when somebody looks at it."""

from collections.abc import Callable

from rnnviz.core.arrays import Array
from rnnviz.core.expressions import Scope
from rnnviz.core.expressions.scope import MetricScope, MetricSource
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.network import Network, Stretch
from rnnviz.core.sweeps.trace import Trace


class Moment:
    """Gives each breakpoint or watch the sequence and layer it asks for."""

    def __init__(
        self,
        metrics: MetricSource,
        training_step: int,
        model: str,
        model_number: int,
        network: Network,
        trace: Callable[[], Trace] | None = None,
    ) -> None:
        """`model_number` counts from 1; `trace` is called at most once and only if looked at; None: not captured."""
        self.model = model
        self.network = network
        self._metrics = metrics
        self._training_step = training_step
        self._plain = MetricScope(metrics, training_step, model, model_number, network.stages[0].structure.cell)
        self._make_trace = trace
        self._trace: Trace | None = None
        self._scopes: dict[tuple[int, str], TraceScope | None] = {}

    @property
    def captured(self) -> bool:
        return self._make_trace is not None

    def scope(self, sequence: int, layer: str, with_trace: bool) -> Scope:
        """What an expression about a sequence (from 1) and a layer is asked of.

        `with_trace`: it surely needs the trace. Otherwise the trace is made when the first quantity is read:
        `k % 100 == 0 and norm(dh[1]) < 1e-6` costs one trace in a hundred training steps. Metrics alone where nothing
        was captured or the sequence is not there.
        """
        if self._make_trace is None:
            return self._plain
        if with_trace:
            return self._of_trace(sequence, layer) or self._plain
        return _LateScope(self._plain, lambda: self._of_trace(sequence, layer))

    def _of_trace(self, sequence: int, layer: str) -> TraceScope | None:
        key = sequence, layer
        if key not in self._scopes:
            assert self._make_trace is not None  # the caller looked
            self._trace = self._trace or self._make_trace()
            there = sequence <= self._trace.sequences and layer in self.network.layer_names
            self._scopes[key] = self._scope_of(self._trace, sequence, layer) if there else None
        return self._scopes[key]

    def _scope_of(self, trace: Trace, sequence: int, layer: str) -> TraceScope:
        return TraceScope(
            trace,
            sample=sequence - 1,
            layer=layer,
            training_step=self._training_step,
            metrics=self._metrics,
            model=self.model,
            model_number=self._plain.model_number,
        )


class _LateScope:
    """Metrics at once, the trace when it is asked for."""

    def __init__(self, plain: MetricScope, make: Callable[[], TraceScope | None]) -> None:
        self.model, self.model_number, self.cell = plain.model, plain.model_number, plain.cell
        self.metric, self.metric_window = plain.metric, plain.metric_window
        self._plain = plain
        self._make = make

    def number(self, name: str) -> float:
        return self._plain.number(name) if name == "k" else self._whole().number(name)

    def quantity(self, name: str, layer: str) -> Array:
        return self._whole().quantity(name, layer)

    def own(self, name: str, layer: str) -> Stretch | None:
        return self._whole().own(name, layer)

    def _whole(self) -> Scope:
        return self._make() or self._plain
