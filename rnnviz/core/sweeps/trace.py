"""The trace: one forward and backward sweep with every intermediate tensor, rebuilt from a capture."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.errors import RnnvizError
from rnnviz.core.magnitude import l2
from rnnviz.core.memory import array_bytes, keep_pages_at_hand
from rnnviz.core.network import Network
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.axis import Axis
from rnnviz.core.sweeps.borders.hand_over import States, made_otherwise, unroll_calls
from rnnviz.core.sweeps.call_trace import CallTrace, attended_grads, sampled, swept_back
from rnnviz.core.sweeps.capture import Call, Capture, CaptureKind, axis_of
from rnnviz.core.sweeps.capture_check import check_shapes
from rnnviz.core.sweeps.cuts import Cuts, cuts_of
from rnnviz.core.sweeps.forward import LayerSweep, module_output, unroll
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.recorded import recorded_output
from rnnviz.core.sweeps.steps.nodes import SetByHand
from rnnviz.core.sweeps.verdicts.fidelity import LIMITS, Check, relative_difference
from rnnviz.core.sweeps.verdicts.precision import in_float64, jittered, rounded
from rnnviz.core.sweeps.verdicts.underflow import held, underflows
from rnnviz.core.sweeps.verdicts.verdict import Verdict, judge

__all__ = ["CallTrace", "HeadTrace", "Layer", "Trace", "rebuild"]


@dataclass(frozen=True, eq=False)
class Trace(FrozenArrays):
    """Everything that happened in the calls of one forward and backward sweep; all arrays read-only."""

    calls: tuple[CallTrace, ...]
    check: Check = field(repr=False)  # of the whole trace, also in one that was cut out of it
    notes: tuple[str, ...] = ()  # what makes it differ from history, one sentence each
    number: int | None = None  # of the sequence it was cut out for, 0-based; None: it holds all
    whole_lengths: tuple[int, ...] = ()  # of all sequences, where it stands for them and holds `number` alone

    @property
    def kind(self) -> CaptureKind:
        """Whose sequences these are: of the probe, or of a training batch."""
        return self.check.capture.kind

    @property
    def batch_size(self) -> int:
        """Sequences of the training batch that these are the first of; 0: of none."""
        return self.check.capture.batch_size

    @property
    def structure(self) -> Structure:
        """Of the first call."""
        return self.calls[0].call.structure

    @property
    def network(self) -> Network:
        """The calls as stages."""
        return Network.of((one.call.name, one.call.structure) for one in self.calls)

    @cached_property
    def layers(self) -> tuple[Layer, ...]:
        """Of all calls, each in torch's order: l0, l0_reverse, l1, …"""
        return tuple(layer for call in self.calls for layer in call.layers)

    @property
    def input_grad(self) -> Array:
        """(T, N, I) ∂L/∂x_t of the first call's inputs, by all directions of its lowest layer."""
        return self.calls[0].input_grad

    @property
    def embedding_grad(self) -> Array | None:
        """(V, I) ∂L/∂ the table that the first call's inputs are rows of; None where they are none."""
        embedding = self.calls[0].embedding
        return None if embedding is None else embedding.table_grad

    @property
    def head(self) -> HeadTrace | None:
        """Of the last call that has one."""
        return next((call.head for call in reversed(self.calls) if call.head is not None), None)

    @property
    def lengths(self) -> Array | None:
        """(N,) time steps of each sequence of a packed batch, in all calls; None if all are T."""
        if len(self.calls) == 1:
            return self.calls[0].lengths
        axis = self._axis
        return frozen(np.array([axis.length(n) for n in range(self.sequences)])) if axis.padded else None

    @cached_property
    def _axis(self) -> Axis:
        return axis_of(one.call for one in self.calls)

    @property
    def fidelity(self) -> float:
        """Largest relative difference to torch's own outputs and parameter gradients; NaN: nothing to compare with.

        Measured when first asked for, on the whole trace.
        """
        return self.check.difference

    @property
    def verdict(self) -> Verdict:
        """What may be said of the whole trace: right, differs, cannot be compared, or not the person's own pass.

        Found when first asked for. A difference is judged by each parameter's own conditioning: where a gradient is a
        small rest of large shares that cancel, rounding of the shares is as many times larger in it. Where rounding
        explains more, rebuilds in float64 that are one rounding off say so.
        """
        verdict: Verdict = self.check.remembered("verdict", lambda: judge(self.check, self._in_float64))
        return verdict

    def _in_float64(self, seed: int | None) -> Check:
        """The check of the float64 rebuild, or with a seed of one that is one rounding off."""
        if seed is not None:
            dtype = self.check.outputs[0].dtype.name
            return one_rounding_off(jittered(in_float64(self.check.capture), seed, dtype), seed, dtype).check
        return _in_float64(self.check.capture, self.check.by_hand, ()).check

    @property
    def faithful(self) -> bool:
        """Whether the verdict is that the trace is right."""
        return self.verdict.right

    @property
    def exact(self) -> "Trace":
        """The same rebuilt in float64 from the same weights, inputs and ∂L/∂output; a float64 trace is its own.

        Made when first asked for, of one sequence alone where this is one. It holds what float32 loses: a gradient of
        10⁻⁶⁹ is 0 in a float32 layer.
        """
        if self.layers[0].h.dtype == np.float64:
            return self
        if self.number is None:
            whole: Trace = self.check.remembered("exact", lambda: self._made_exact(self.check.capture))
            return whole
        if self.whole_lengths:
            return self.sample(self.number).exact
        return self._own_exact

    @cached_property
    def _own_exact(self) -> "Trace":
        assert self.number is not None  # the caller looked
        return replace(self._made_exact(self.check.capture.sample(self.number)), number=self.number)

    def _made_exact(self, capture: Capture) -> "Trace":
        return _in_float64(capture, self.check.by_hand, self.notes)

    @property
    def underflows(self) -> bool:
        """Whether gradients fall below what float32 holds, so that `exact` says more."""
        if self.number is not None and not self.whole_lengths:
            return self._own_underflows
        found: bool = self.check.remembered("underflows", lambda: any(map(underflows, self.check.layers)))
        return found

    @cached_property
    def _own_underflows(self) -> bool:
        return any(map(underflows, self.layers))

    def holding(self, layer: str, row: int, sample: int = 0) -> "Trace":
        """This trace, or `exact` where float32 has lost the gradient of a layer at time step `row` + 1."""
        wider = self.wider
        if wider is None:
            return self
        kept, exact = (l2(one.layer(layer).hidden_grad[row, sample]) for one in (self, wider))
        _, lost = held(kept, exact)
        return wider if lost else self

    @property
    def wider(self) -> "Trace | None":
        """`exact` where gradients underflow, made when first asked for; None where float32 holds all of them, or where
        `exact` had to give way: nobody waits for it then."""
        return self.exact if self.underflows and not self.without_exact else None

    @property
    def without_exact(self) -> bool:
        """Whether `exact` of a sequence had to give way and was not allowed again."""
        return any("_gave_way" in vars(one) for one in self._with_samples)

    def drop_exact(self) -> None:
        """Lets `exact`, which takes twice what this takes, give way until `allow_exact`."""
        for one in self._with_samples:
            if one.sequences == 1 and one.layers[0].h.dtype != np.float64 and one.underflows:
                vars(one)["_gave_way"] = True
                vars(one).pop("_own_exact", None)
        self.check.drop("exact")

    def allow_exact(self) -> None:
        """Lets `exact` be made again when it is asked for."""
        for one in self._with_samples:
            vars(one).pop("_gave_way", None)

    @property
    def _with_samples(self) -> "list[Trace]":
        return [self, *self._samples.values()]

    @property
    def time_steps(self) -> int:
        """T, the longest sequence, on the axis all calls share."""
        if self.whole_lengths:
            return max(self.whole_lengths)
        return len(self.calls[0].output)

    @property
    def sequences(self) -> int:
        """N."""
        return len(self.whole_lengths) or int(self.layers[0].x.shape[1])

    def sequence_length(self, sample: int) -> int:
        """The number of time steps of sequence `sample`, 0-based."""
        self._check(sample)
        if self.whole_lengths:
            return self.whole_lengths[sample]
        lengths = self.lengths
        return self.time_steps if lengths is None else int(lengths[sample])

    def layer(self, name: str) -> Layer:
        """The layer called `name`, for example "l0" or "l1_reverse"; RnnvizError if there is none."""
        found = self.find_layer(name)
        if found is not None:
            return found
        having = ", ".join(layer.name for layer in self.layers)
        raise RnnvizError(f"trace.layer: wanted one of {having}, got {name!r}")

    def find_layer(self, name: str) -> Layer | None:
        """The layer called `name`; None where the model is not as deep."""
        return next((layer for layer in self.layers if layer.name == name), None)

    def sample(self, n: int) -> "Trace":
        """The same trace with sequence `n` alone, cut to its length; weight gradients and shares are its own.

        The fidelity stays that of the whole trace.
        """
        self._check(n)
        if self.sequences == 1 and self.lengths is None:
            return self
        if n not in self._samples:
            self._samples[n] = self._rebuilt(n) if self.whole_lengths else self._cut(n)
        return self._samples[n]

    def _cut(self, n: int, copied: bool = False) -> "Trace":
        axis = self._axis
        return replace(self, calls=sampled(self.calls, axis, n, copied), number=n)

    def _rebuilt(self, n: int) -> "Trace":
        if n == self.number:
            return replace(self, whole_lengths=())
        return replace(rebuild(self.check.capture.sample(n)), check=self.check, number=n)

    def holds(self, n: int) -> bool:
        """Whether sequence `n` is there; where it is not, `sample` rebuilds it."""
        return not self.whole_lengths or n == self.number or n in self._samples

    def alone(self, n: int) -> "Trace":
        """This trace with the arrays of sequence `n` alone, which take one N-th: `sample` rebuilds the others.

        The verdict, and whether gradients underflow, are found before, of all sequences. `layers`, `head` and `calls`
        are those of `n`.
        """
        if self.sequences == 1:
            return self
        if self.whole_lengths:
            return self.sample(n).standing_for(self.check, n)
        _found = self.verdict, self.underflows
        return self._cut(n, copied=True).standing_for(self.check.settled(), n)

    def standing_for(self, check: Check, n: int) -> "Trace":
        """This trace of sequence `n` alone as one that stands for all of a capture, which `check` is of."""
        own = replace(self, check=check, number=n)
        vars(own).update({name: one for name, one in vars(self).items() if name == "_own_exact"})
        found = replace(own, whole_lengths=check.capture.sequence_lengths)
        found._samples[n] = own
        return found

    @cached_property
    def _samples(self) -> "dict[int, Trace]":
        return {}

    @property
    def bytes(self) -> int:
        """What its arrays take in memory by now, those of `exact` and of single sequences included."""
        return array_bytes([self])

    def forget(self) -> None:
        """Drops what was found out of the sweeps and takes memory; it is found again when it is asked for.

        The verdict stays, and `exact` where it was made.
        """
        traces = self._with_samples
        traces += [one for trace in traces if (one := vars(trace).get("_own_exact")) is not None]
        if (exact := self.check.known("exact")) is not None:
            traces.append(exact)
        for trace in traces:
            for layer in (*trace.layers, *trace.check.layers):
                layer.forget()

    def loss_time_step(self, sample: int) -> int:
        """The last time step of a sequence at which a loss is asked for, counted from 1; 0: none is known."""
        self._check(sample)
        found: list[int] = self.check.remembered("loss time steps", lambda: _last_asked(self.check.capture))
        return found[sample] if sample < len(found) else 0

    def cuts(self, sample: int) -> Cuts:
        """Where truncation cuts the gradient of a sequence; what is cut by hand is not there."""
        self._check(sample)
        found: tuple[Cuts, ...] = self.check.remembered("cuts", lambda: cuts_of(self.check.capture))
        number = sample if self.sequences > 1 or self.number is None else self.number
        return found[number] if number < len(found) else Cuts()

    def _check(self, sample: int) -> None:
        if not 0 <= sample < self.sequences:
            raise RnnvizError(f"trace.sample: wanted a sequence from 0 to {self.sequences - 1}, got {sample}")


def _last_asked(capture: Capture) -> list[int]:
    """The last time step of each sequence with a loss, counted from 1; [] without a head."""
    for number, call in reversed(list(enumerate(capture.calls))):
        if call.head is not None:
            asked, axis = call.head.loss_weight != 0, capture.axis
            lasts = np.max(asked * np.arange(1, len(asked) + 1)[:, None], axis=0, initial=0)
            return [int(last) + axis.place_of(number, n).start if last else 0 for n, last in enumerate(lasts)]
    return []


@one_blas_thread
@np.errstate(all="ignore")
def rebuild(capture: Capture) -> Trace:
    """Both sweeps from the little a capture holds, checked against what torch itself computed.

    NaN and ∞ are carried through like any number. RnnvizError names an array whose shape does not fit.
    """
    keep_pages_at_hand()
    check_shapes(capture)
    sweeps = unroll_calls(capture.calls, lambda call, first: _unrolled(call, capture, first))
    return swept(capture, sweeps, capture.notes)


@one_blas_thread
@np.errstate(all="ignore")
def one_rounding_off(capture: Capture, seed: int, dtype: str) -> Trace:
    """The trace of a jittered capture; of a float64 one every node is a rounding off, too. What rounding of its nodes
    does to a float32 trace is seen in its own numbers."""
    if dtype == "float32":
        return rebuild(capture)
    sweeps = unroll_calls(capture.calls, lambda call, first: unroll(call, capture.weights, None, initial=first))
    return swept(capture, [[rounded(one, seed) for one in call] for call in sweeps], ())


@np.errstate(all="ignore")
def _in_float64(capture: Capture, by_hand: Mapping[LayerId, SetByHand] | None, notes: tuple[str, ...]) -> Trace:
    capture = in_float64(capture)
    if by_hand is None:
        return rebuild(replace(capture, notes=notes))
    wide = {
        layer: replace(one, values={name: array.astype(np.float64) for name, array in one.values.items()})
        for layer, one in by_hand.items()
    }
    sweeps = unroll_calls(capture.calls, lambda call, first: unroll(call, capture.weights, None, wide, first))
    return swept(capture, sweeps, notes)


def _unrolled(call: Call, capture: Capture, first: States | None) -> list[LayerSweep]:
    if call.recorded is not None:
        return []
    sweeps = unroll(call, capture.weights, call.output, initial=first)
    if call.output is not None:
        output = module_output(call, sweeps)
        if not relative_difference(output, call.output) <= LIMITS[output.dtype.name]:
            # torch's states do not follow from these weights: show what does, and how far it is from torch's
            return unroll(call, capture.weights, None, initial=first)
    return sweeps


def swept(
    capture: Capture,
    sweeps: list[list[LayerSweep]],
    notes: tuple[str, ...],
    by_hand: Mapping[LayerId, SetByHand] | None = None,
) -> Trace:
    """The trace of forward sweeps: read out, then swept back from the last call to the first.

    `by_hand` is what was set by hand in them."""
    outputs = tuple(frozen(_output(call, one)) for call, one in zip(capture.calls, sweeps, strict=True))
    calls = swept_back(capture, sweeps, outputs)
    layers = tuple(layer for call in calls for layer in call.layers)
    checked = tuple(
        one if call.recorded is None else call.recorded.again for one, call in zip(outputs, capture.calls, strict=True)
    )
    made = made_otherwise(capture.calls, sweeps)
    return Trace(calls, Check(capture, checked, layers, by_hand, attended_grads(calls), made), notes)


def _output(call: Call, sweeps: list[LayerSweep]) -> Array:
    return module_output(call, sweeps) if call.recorded is None else recorded_output(call)
