"""The check: every gradient of a trace against torch's autograd and against finite differences, in float64.

Differences alone do not see a cut (truncation): the states that are detached there keep their values in all of them,
as constants, which is the function that a truncated gradient is the gradient of.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import listed
from rnnviz.core.sweeps.capture import KIND_WORDS, Call, Capture, CaptureKind
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.sweeps.verdicts.fidelity import relative_difference, weight_grads
from rnnviz.core.sweeps.verdicts.precision import in_float64
from rnnviz.core.sweeps.verdicts.underflow import SURE
from rnnviz.core.sweeps.verdicts.verdict import Verdict, not_finite
from rnnviz.engine.own_cell.asking import module_of
from rnnviz.engine.own_cell.checking import again
from rnnviz.engine.tracing.unrolled import Held, nudge_shapes, nudged, own_arrays, tensor_name, unrolled_loss
from rnnviz.runs.reading.reader import Run

AUTOGRAD_LIMIT = 1e-9  # relative to the largest value of the gradient
DIFFERENCES_LIMIT = 1e-5
ROUNDING_LIMIT = 1e-2  # of the trace that is shown, where it is float32
_LARGEST, _RANDOM = 2, 2  # values of each gradient that finite differences look at, beside one random direction
_STEPS = (1e-5, 1e-6, 1e-4)  # tried one after the other: a kink or rounding spoils one, not all

Tensors = dict[str, Tensor]
Change = Callable[[Tensor, float], tuple[float, float]]  # along a direction, by a step: the difference and its noise


@dataclass(frozen=True)
class GradientCheck:
    """One gradient; each error is relative to its largest value."""

    name: str  # "weight_hh_l0", "f_l0" (of a pre-activation), "h_l0", "inputs", "h0", "head.weight"
    autograd: float
    differences: float  # NaN: too small for finite differences to see
    rounding: float  # of the trace as it is shown, against the same in float64; NaN: too small for float32
    moved: bool = True  # whether finite differences were tried: not of a state of a user's own cell

    @property
    def right(self) -> bool:
        seen = math.isnan(self.differences) or self.differences <= DIFFERENCES_LIMIT
        held = math.isnan(self.rounding) or self.rounding <= ROUNDING_LIMIT
        return self.autograd <= AUTOGRAD_LIMIT and seen and held


@dataclass(frozen=True)
class Report:
    """All gradients of one trace."""

    model: str
    training_step: int
    checks: tuple[GradientCheck, ...]
    trace: Verdict  # on the trace as it is shown, beside the numbers that were recorded with it

    @property
    def right(self) -> bool:
        return bool(self.checks) and all(check.right for check in self.checks) and self.trace.kind != "differs"

    @property
    def verdict(self) -> str:
        """One plain sentence, or two where the trace differs from what was recorded or is not of the person's own
        pass."""
        if not self.checks:
            return f"The trace {self.trace.words}."
        more = self.trace.kind in ("differs", "not your own pass")
        return self._of_gradients + (f" The trace {self.trace.words}." if more else "")

    @property
    def _of_gradients(self) -> str:
        wrong = [check.name for check in self.checks if not check.right]
        if wrong:
            return f"{len(wrong)} of {len(self.checks)} gradients are wrong: {', '.join(wrong)}."
        seen = [check.differences for check in self.checks if not math.isnan(check.differences)]
        autograd = max(check.autograd for check in self.checks)
        rounding = max((check.rounding for check in self.checks if not math.isnan(check.rounding)), default=0.0)
        lost = [check.name for check in self.checks if math.isnan(check.rounding)]
        return (
            f"All {len(self.checks)} gradients are right: autograd within {autograd:.0e}, finite differences within "
            f"{max(seen, default=0.0):.0e}, rounding of what is shown {rounding:.0e}"
            + (f"; float32 holds nothing of {listed(lost)}." if lost else ".")
        )

    @property
    def plain(self) -> dict[str, Any]:
        """For JSON; NaN is null."""
        checks = [
            {
                "name": check.name,
                "autograd": check.autograd,
                "differences": None if math.isnan(check.differences) else check.differences,
                "rounding": None if math.isnan(check.rounding) else check.rounding,
                "right": check.right,
            }
            for check in self.checks
        ]
        about = {"model": self.model, "training_step": self.training_step}
        return about | {"right": self.right, "verdict": self.verdict, "trace": self.trace.kind, "gradients": checks}


def check_run(
    run: Run, training_step: int | None = None, model: str | None = None, kind: CaptureKind = "probe"
) -> list[Report]:
    """The trace of each model (or of one) at a training step captured of that kind (None: the last). Raises
    RnnvizError."""
    captured = run.captured(kind=kind)
    if not captured.size:
        what = "capture" if kind == "probe" else KIND_WORDS[kind]
        raise RnnvizError(f"{run.path} holds no {what}, so there is nothing to check.")
    step = int(captured[-1]) if training_step is None else training_step
    names = [one.name for one in run.models] if model is None else [model]
    return [replace(_checked(run, step, name, kind), model=name, training_step=step) for name in names]


def _checked(run: Run, training_step: int, model: str, kind: CaptureKind) -> Report:
    capture = run.capture(training_step, model, kind)
    if capture.calls[0].recorded is None:
        return check_capture(capture)
    shown = rebuild(capture)
    verdict = not_finite(shown.check)
    if verdict is not None:
        return Report("", 0, (), verdict)
    draw, checks = np.random.default_rng(0), list[GradientCheck]()
    for one in again(module_of(run, model, capture.calls[0]), capture):
        errors = relative_difference(one.stepped, one.whole), math.nan
        if one.loss is not None:
            errors = errors[0], _seen(_of_loss(one.loss), one.whole, draw)
        checks.append(GradientCheck(one.name, *errors, _rounding(one.shown, one.whole), one.loss is not None))
    return Report("", 0, tuple(checks), shown.verdict)


def _of_loss(loss: Callable[[Tensor], float]) -> Change:
    def change(direction: Tensor, step: float) -> tuple[float, float]:
        return _central([loss(sign * step * direction) for sign in (1.0, -1.0)], step)

    return change


@contextmanager
def _one_thread() -> Iterator[None]:
    """torch with one thread: many small products wait longer for a second one than it takes off them, ten times as long
    on a busy machine."""
    count = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(count)


@_one_thread()
def check_capture(capture: Capture) -> Report:
    """The check of one capture; takes a second or a few."""
    shown = rebuild(capture)
    exact = in_float64(capture)
    tensors = _tensors(exact)
    nudges = {name: torch.zeros(shape, dtype=torch.float64) for name, shape in nudge_shapes(exact).items()}
    held: Held = {}
    truth, output_grads = _autograd(exact, tensors, nudges, held)
    calls = [replace(call, grad_output=grad) for call, grad in zip(exact.calls, output_grads, strict=True)]
    wide = rebuild(replace(exact, calls=tuple(calls)))
    for one in (shown, wide):
        verdict = not_finite(one.check)
        if verdict is not None:
            return Report("", 0, (), verdict)
    ours, found = _gradients(wide), _gradients(shown)
    draw = np.random.default_rng(0)
    checks = [
        GradientCheck(
            name,
            relative_difference(grad, truth[name]),
            _differences(exact, tensors, nudges, held, name, grad, draw),
            _rounding(found[name], grad),
        )
        for name, grad in ours.items()
    ]
    return Report("", 0, tuple(checks), shown.verdict)


def _rounding(shown: Array, exact: Array) -> float:
    """The relative error of a gradient that is shown; NaN where all of it is below what float32 holds."""
    if shown.dtype == np.float32 and 0 < np.abs(exact).max(initial=0.0) < SURE:
        return math.nan
    return relative_difference(shown.astype(np.float64), exact)


def report_table(report: Report) -> str:
    """The report as a person reads it."""
    lines = [f"{report.model}, training step {report.training_step:,}"]
    if report.checks:
        lines.append(f"  {'gradient of':<24}{'autograd':>10}{'finite differences':>20}{'rounding':>10}")
    for check in report.checks:
        seen = "–" if not check.moved else "too small" if math.isnan(check.differences) else f"{check.differences:.1e}"
        mark = "" if check.right else "  wrong"
        rounding = "lost" if math.isnan(check.rounding) else f"{check.rounding:.1e}"
        lines.append(f"  {check.name:<24}{check.autograd:>10.1e}{seen:>20}{rounding:>10}{mark}")
    return "\n".join([*lines, report.verdict])


def _tensors(exact: Capture) -> Tensors:
    arrays = dict(exact.weights)
    for call in exact.calls:
        arrays |= own_arrays(call)
    return {name: torch.tensor(array) for name, array in arrays.items()}


def _autograd(exact: Capture, tensors: Tensors, nudges: Tensors, held: Held) -> tuple[dict[str, Array], list[Array]]:
    """The gradient of everything the trace has one of, by its name, and each call's ∂L/∂output (T, N, D·P); the states
    at cuts are put into `held`."""
    wanted = {*exact.weights, *nudges}
    for call in exact.calls:
        not_leaves = (
            "grad_output",
            *(f"grad_{state}" for state in call.grad_final),
            *(f"{state}0" for state in call.initial),
        )
        wanted |= set(own_arrays(call)) - {tensor_name(call, name) for name in not_leaves}
        wanted |= {tensor_name(call, name) for name in _first_states(call)}
    leaves = {name: value.clone().requires_grad_() for name, value in (tensors | nudges).items() if name in wanted}
    given = tensors | {name: leaf for name, leaf in leaves.items() if name in tensors}
    loss, outputs = unrolled_loss(exact, given, {name: leaves[name] for name in nudges}, held)
    sources = [*outputs, *leaves.values()]
    grads = torch.autograd.grad(loss, sources, allow_unused=True)
    found = [
        (torch.zeros_like(one) if grad is None else grad).numpy() for one, grad in zip(sources, grads, strict=True)
    ]
    return dict(zip(leaves, found[len(outputs) :], strict=True)), found[: len(outputs)]


def _first_states(call: Call) -> list[str]:
    """The names of the first states a call was given; those it takes over from another call are not its own."""
    return [] if call.follows is not None else [f"{state}0" for state in call.structure.equations.states]


def _gradients(trace: Trace) -> dict[str, Array]:
    """Every gradient of the trace, by the names of `unrolled`."""
    found: dict[str, Array] = dict(weight_grads(trace.check.capture, trace.layers))
    for one in trace.calls:
        call = one.call
        for layer in one.layers:
            own = slice(layer.start, layer.stop)
            for name, value in nudged(layer.equations).items():
                grad = layer.gate_grads[name] if value.block else layer.grad(value.name)
                found[f"{name}_{layer.name}"] = grad[own]
        found[tensor_name(call, "inputs")] = one.input_grad[own]
        for name, state in zip(_first_states(call), call.structure.equations.states, strict=False):
            found[tensor_name(call, name)] = np.stack([layer.initial_grads[state] for layer in one.layers])
        if one.head is not None:
            heads = {f"head.{name}": grad for name, grad in one.head.weight_grads.items()}
            if (attention := one.head.attention) is not None:
                heads |= {f"attention.{name}": grad for name, grad in attention.weight_grads.items()}
            found |= {tensor_name(call, name): grad for name, grad in heads.items()}
        if one.bridge is not None:
            for name, grad in one.bridge.weight_grads.items():
                found[tensor_name(call, f"bridge.{name}")] = grad
        if one.embedding is not None:
            found[tensor_name(call, "embedding.table")] = one.embedding.table_grad
        if one.convolution is not None:
            found[tensor_name(call, "convolution.kernel")] = one.convolution.kernel_grad
    return found


def _differences(
    exact: Capture, tensors: Tensors, nudges: Tensors, held: Held, name: str, grad: Array, draw: np.random.Generator
) -> float:
    """Those of a tensor of the unrolled sweep."""

    def change(direction: Tensor, step: float) -> tuple[float, float]:
        return _change(exact, tensors, nudges, held, name, direction, step)

    return _seen(change, grad, draw)


def _seen(change_along: Change, grad: Array, draw: np.random.Generator) -> float:
    """The largest relative error of central differences along a few values and one random direction; NaN: unseen."""
    scale = float(np.max(np.abs(grad), initial=0.0))
    errors = []
    for direction in _directions(grad, draw):
        wanted = float((direction * grad).sum())
        size = max(scale, abs(wanted))
        error = math.inf
        for step in _STEPS:
            change, noise = change_along(torch.tensor(direction), step)
            if noise > DIFFERENCES_LIMIT * size:
                continue
            error = min(error, abs(change - wanted) / size)
            if error <= DIFFERENCES_LIMIT:
                break
        if error < math.inf:
            errors.append(error)
    return max(errors, default=math.nan)


def _directions(grad: Array, draw: np.random.Generator) -> Iterator[Array]:
    """(shape of grad) 1 at the largest values and at random ones, and everywhere ±1 at random, of norm 1."""
    largest = np.argsort(np.abs(grad), axis=None)[::-1][:_LARGEST]
    for place in [*largest.tolist(), *draw.integers(0, grad.size, _RANDOM).tolist()]:
        one = np.zeros(grad.size)
        one[place] = 1.0
        yield one.reshape(grad.shape)
    yield draw.choice([-1.0, 1.0], grad.shape) / math.sqrt(grad.size)


def _change(
    exact: Capture, tensors: Tensors, nudges: Tensors, held: Held, name: str, direction: Tensor, step: float
) -> tuple[float, float]:
    """(L(+step) − L(−step)) / 2 step, and how large rounding may make it by itself."""
    losses = []
    with torch.no_grad():
        for sign in (1.0, -1.0):
            moved: Mapping[str, Tensor] = {name: (tensors | nudges)[name] + sign * step * direction}
            if name in nudges:
                loss, _ = unrolled_loss(exact, tensors, moved, held)
            else:
                loss, _ = unrolled_loss(exact, tensors | dict(moved), {}, held)
            losses.append(float(loss))
    return _central(losses, step)


def _central(losses: list[float], step: float) -> tuple[float, float]:
    noise = 4 * np.finfo(np.float64).eps * max(map(abs, losses)) / step
    return (losses[0] - losses[1]) / (2 * step), noise
