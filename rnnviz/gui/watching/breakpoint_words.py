"""Breakpoints in words and from words: what a typed expression makes, and what a list says of one."""

from collections.abc import Sequence

from rnnviz.core.expressions import Vocabulary, parse
from rnnviz.core.expressions.suggesting.sentences import check_shares
from rnnviz.core.numbers import whole
from rnnviz.core.stopping.breakpoints import arm
from rnnviz.core.stopping.conditions import condition
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.core.stopping.marks_file import shortened
from rnnviz.runs.file.records import Event

_FIRST_FACTOR = 10.0  # of a number that somebody wants to stop at


def typed_breakpoint(text: str, vocabulary: Vocabulary) -> Breakpoint:
    """A condition where `text` is a yes or no, a data breakpoint where it is one number; else ExpressionError."""
    form = parse(text, vocabulary).form
    if form.single and not form.yes_no:
        return Breakpoint("data", text.strip(), factor=_FIRST_FACTOR)
    check_shares(text)
    condition(text, vocabulary)
    return Breakpoint("condition", text.strip())


def with_expression(one: Breakpoint, text: str, vocabulary: Vocabulary) -> Breakpoint:
    """The same breakpoint of another expression, its kind changed where it no longer fits; ExpressionError else."""
    typed = typed_breakpoint(text, vocabulary) if one.kind in ("condition", "data") else None
    kept = {"model": one.model, "every": one.every, "enabled": one.enabled, "message": one.message}
    if typed is None or typed.kind == one.kind:
        changed = Breakpoint(
            one.kind, text.strip(), one.crosses, one.direction, one.factor, one.phase, one.time_step, one.operation,
            one.layer, sequence=one.sequence, **kept,  # type: ignore[arg-type]
        )  # fmt: skip
    else:
        changed = Breakpoint(typed.kind, typed.expression, factor=typed.factor, **kept)  # type: ignore[arg-type]
    arm(changed, vocabulary)
    return changed


def note_of(one: Breakpoint, events: Sequence[Event]) -> str:
    """The second line of a breakpoint: when it stops, of which model, and where it did."""
    said = []
    if one.kind == "data":
        said.append(one.words.removeprefix(one.expression).strip())
    elif one.kind == "not finite" and one.expression:
        said.append("NaN or infinite")
    if one.kind != "data":
        said.append(one.model or "any model")
        said += [f"every {whole(one.every)} hits"] if one.every > 1 else []
    if one.logs:
        said.append(f"log: {one.message}")
    if one.walked:
        said.append("F8 stops here, training does not")
    told = shortened(one)
    steps = [event.training_step for event in events if event.details.get("breakpoint") == told]
    if steps:
        times = "once at" if len(steps) == 1 else f"{whole(len(steps))} times, last at"
        said.append(f"{'logged' if one.logs else 'stopped'} {times} {whole(steps[-1])}")
    return " · ".join(said)
