"""The verdict on a trace: right, differs, cannot be compared, or not of the person's own pass."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.numbers import short
from rnnviz.core.plain_records import listed
from rnnviz.core.sweeps.verdicts.fidelity import LARGEST_LIMIT, LIMITS, OUTPUT, OUTPUT_GRAD, Check, relative_difference
from rnnviz.core.sweeps.verdicts.not_finite import all_finite, first_not_finite

VerdictKind = Literal["right", "differs", "cannot be compared", "not your own pass"]
STEPPED = "each time step run once more"  # from the state it began with: output, and gradients by what is carried
_ROOM = 4.0  # times what rounding is found to take from our own numbers, torch's may be off by
_SEEDS = (1, 2, 3)  # of rebuilds that begin one rounding off

InFloat64 = Callable[[int | None], Check]  # the same rebuilt in float64, with a seed one rounding off


@dataclass(frozen=True)
class Verdict:
    """What may be said of a trace. `why` are phrases: where it differs or is not finite, or what of the person's own
    pass is not in it; `agreed` is what was compared beside torch's repetition, of the person's own."""

    kind: VerdictKind
    difference: float  # the largest relative one to torch's numbers; NaN: none was there
    why: tuple[str, ...] = ()
    agreed: tuple[str, ...] = ()
    against: str = "autograd"  # what was compared with: of a user's own cell its time steps, run once more

    @property
    def right(self) -> bool:
        return self.kind == "right"

    @property
    def words(self) -> str:
        """A phrase that follows "the trace": "checked against autograd: 2.0·10⁻⁷"."""
        return self._saying(self.why)

    @property
    def brief(self) -> str:
        """The same with the first reason alone."""
        return self._saying(self.why[:1])

    def _saying(self, why: tuple[str, ...]) -> str:
        match self.kind:
            case "right":
                return f"checked against {listed((self.against, *self.agreed))}: {short(self.difference)}"
            case "differs":
                return f"differs from {self.against}: {', '.join(why)}"
            case "not your own pass":
                return f"is {self.kind}: {', '.join(why)}"
            case "cannot be compared":
                return f"{self.kind}: {', '.join(why)}"


def judge(check: Check, exact: InFloat64) -> Verdict:
    """The verdict on what `check` compares; `exact` is asked where rounding may be why numbers differ."""
    difference = check.difference
    if not all(map(all_finite, (check.theirs, check.ours, check.capture.weights))):
        found = not_finite(check)
        return found or Verdict("cannot be compared", difference, ("first non-finite at the sum of several calls",))
    if not check.theirs:
        return Verdict("cannot be compared", difference, ("there are no numbers of torch's own",))
    if why := _made_otherwise(check):
        return Verdict("differs", difference, why)
    judged = _judged(check, check.theirs, check.differences, exact)
    if check.recorded:
        return replace(judged, against=STEPPED)
    return _of_own_pass(check, exact, judged) if judged.right else judged


def _made_otherwise(check: Check) -> tuple[str, ...]:
    """What torch's calls were given that follows from nothing in the capture; rounding explains none of it where the
    output of the first call is right."""
    first = next(iter(check.differences.values()))
    far = {name: one for name, one in check.made.items() if not one <= max(LARGEST_LIMIT, first)}
    return tuple(f"{short(one)} in {name}" for name, one in sorted(far.items(), key=lambda item: -item[1])[:3])


def not_finite(check: Check) -> Verdict | None:
    """The verdict where any value that was compared, or that leads to one, is not finite; None where all are."""
    where = first_not_finite(check.capture, check.layers)
    return Verdict("cannot be compared", check.difference, (f"first non-finite at {where}",)) if where else None


def _of_own_pass(check: Check, exact: InFloat64, found: Verdict) -> Verdict:
    """`found`, or that the person's own numbers are others or cannot be known to be the same."""
    own, agreed = check.capture.own, list[str]()
    if own is None:
        return found
    parts = {
        "your own output": {name: one for name, one in check.of_own_pass.items() if name == OUTPUT},
        "the module's own .grad": dict(own.grads),
    }
    for words, theirs in parts.items():
        if not theirs:
            continue
        why = _against(check, theirs, words, exact)
        if why:
            return Verdict("not your own pass", found.difference, (why, *own.causes, *own.doubts), tuple(agreed))
        agreed.append(words)
    if own.doubts:
        return Verdict("not your own pass", found.difference, own.doubts, tuple(agreed))
    return Verdict("right", found.difference, (), tuple(agreed))


def _against(check: Check, theirs: Mapping[str, Array], words: str, exact: InFloat64) -> str:
    """What speaks against these numbers of the person's own pass, which `words` name; "" where they agree."""
    bad = next((name for name, one in theirs.items() if not np.isfinite(one).all()), None)
    if bad is not None:  # where all of the trace is finite
        return f"{words} is not finite in {_words(bad)}".removesuffix(" in the output")
    compared = _judged(check, theirs, check.differences_of(theirs), exact)
    if compared.right:
        return ""
    why = f"{words} is off by {compared.why[0]}" if compared.kind == "differs" else compared.why[0]
    return why.removesuffix(" in the output")


def _judged(check: Check, theirs: Mapping[str, Array], differences: Mapping[str, float], exact: InFloat64) -> Verdict:
    """Whether rounding explains the differences to `theirs`."""
    dtype = check.outputs[0].dtype.name
    base, largest = LIMITS[dtype], max(differences.values(), default=math.nan)
    if largest <= base:
        return Verdict("right", largest)
    cancellation = check.cancellation
    limits = {name: min(base * cancellation.get(name, 1.0), LARGEST_LIMIT) for name in differences}
    beyond = {name: one for name, one in differences.items() if not one <= limits[name]}
    if beyond and not check.recorded:
        beyond, lost = _beyond_rounding(check, exact, theirs, beyond)
        if lost and not beyond:
            return Verdict("cannot be compared", largest, (f"{dtype} leaves no digits of {_some(lost)}",))
    if beyond:
        worst = sorted(beyond, key=lambda name: -beyond[name])
        return Verdict("differs", largest, tuple(f"{short(beyond[name])} in {_words(name)}" for name in worst[:3]))
    return Verdict("right", largest)


@np.errstate(all="ignore")
def _beyond_rounding(
    check: Check, in_float64: InFloat64, theirs: Mapping[str, Array], beyond: Mapping[str, float]
) -> tuple[dict[str, float], tuple[str, ...]]:
    """Which of these differences rounding does not explain, and of what it leaves no digits.

    How much rounding takes is what the float64 rebuild misses of one that is a rounding off, and of float32 what our
    own numbers miss of it: a network may carry a rounding far, slopes of saturated units are a small rest of 1, and
    shares that cancel make it large. In float32 the largest of all outputs and gradients counts, since each is one
    sample of the same rounding; in float64 each has its own, for one unit alone may be that saturated.
    """
    dtype = check.outputs[0].dtype.name
    single = dtype == "float32"
    exact = _Numbers.of(in_float64(None) if single else check)  # of each rebuild no more is kept: it takes much memory
    others = [_Numbers.of(in_float64(seed)).ours for seed in _SEEDS] + [check.ours] * single
    cancellation = {name: exact.cancellation.get(name, 1.0) for name in exact.ours}
    taken = {
        name: max(relative_difference(one[name].astype(np.float64), wanted) for one in others)
        for name, wanted in exact.ours.items()
    }
    everywhere = max(one / cancellation[name] for name, one in taken.items())
    left, lost = dict[str, float](), list[str]()
    for name, difference in beyond.items():
        wanted = exact.ours[name]
        rounding = everywhere if single else taken[name] / cancellation[name]
        limit = max(LIMITS[dtype], _ROOM * rounding) * cancellation[name]
        error = min(difference, relative_difference(theirs[name].astype(np.float64), wanted))
        if error > min(limit, LARGEST_LIMIT):
            if error <= limit:
                lost.append(_words(name))
            else:
                left[name] = difference
    return left, tuple(lost)


class _Numbers(NamedTuple):
    """What of a check is needed once its layers are gone."""

    ours: Mapping[str, Array]
    cancellation: Mapping[str, float]

    @staticmethod
    def of(check: Check) -> "_Numbers":
        return _Numbers(check.ours, check.cancellation)


def _words(name: str) -> str:
    call, _, last = name.rpartition(".")
    if last not in (OUTPUT, OUTPUT_GRAD):
        return name
    output = f"the output of {call}" if call else "the output"
    return output if last == OUTPUT else f"the gradient of {output}"


def _some(names: tuple[str, ...]) -> str:
    """ "weight_hh_l0 and bias_hh_l0", of more than three the first two."""
    return listed(names if len(names) <= 3 else (*names[:2], f"{len(names) - 2} more"))
