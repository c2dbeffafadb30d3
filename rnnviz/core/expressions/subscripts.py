"""Subscripts of quantities: h[t], h[-1], f[t, 7], f[:, 7], dh[1:10].

Time steps and units count from 1, as on screen; a range includes both its ends. A negative number that is written out
counts from the end, h[-1] is h[T]; one that is computed does not, so that h[t - 2] at t = 1 has no value instead of
being the wrong one.
"""

import ast
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions.compiler import Compiled, Compiler, Run, Span, located
from rnnviz.core.expressions.problems import ExpressionError, NoValueError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import TIME, Axis, Form
from rnnviz.core.expressions.values import Value, check_work
from rnnviz.core.expressions.vocabulary import NamedQuantity
from rnnviz.core.network import Stretch

Place = Callable[[Scope, Stretch], int]  # (scope, the places there are on an axis) → which of them, 0-based
Cut = Callable[[Scope, Stretch], slice]


class Read(NamedTuple):
    """How a quantity is read: its values, and where on the time axis they lie."""

    values: Callable[[Scope], Array]
    own: Callable[[Scope], Stretch | None]

    def with_axes(self, scope: Scope) -> tuple[Array, tuple[Stretch, ...]]:
        """The values, and the places there are on each of their axes."""
        values, own = self.values(scope), self.own(scope)
        axes = tuple(Stretch(0, length, "") for length in values.shape)
        return values, axes if own is None else (own, *axes[1:])


def read_quantity(named: NamedQuantity, layer: str, form: Form, span: Span) -> Read:
    """The whole array as the scope has it where it has values, its number of axes checked."""
    name, axes = named.name, len(form.axes)

    def read(scope: Scope) -> Array:
        try:
            values = scope.quantity(name, layer)
        except NoValueError as problem:
            raise problem.at(*span) from None
        if values.ndim != axes:
            raise ExpressionError(f"{name} should have {form.words}, but has the shape {values.shape}.", *span)
        own = scope.own(name, layer)
        return values if own is None else values[own.start : own.stop]

    return Read(read, lambda scope: scope.own(name, layer))


def compile_subscript(compiler: Compiler, node: ast.Subscript, form: Form, read: Read) -> Compiled:
    """The values of a quantity of this form at its subscripts."""
    span = compiler.span(node)
    subscripts = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if len(subscripts) > len(form.axes):
        wanted = "one subscript, the time step" if len(form.axes) == 1 else "at most two, time step and unit"
        raise ExpressionError(f"{compiler.text_of(node.value)} has {wanted}, not {len(subscripts)}.", *span)
    if not any(isinstance(subscript, ast.Slice) for subscript in subscripts):
        return _without_ranges(compiler, subscripts, form, read)
    compiled = _with_ranges(compiler, subscripts, form, read)
    return Compiled(compiled.form, located(span, compiled.run))


def _without_ranges(compiler: Compiler, subscripts: list[ast.expr], form: Form, read: Read) -> Compiled:
    places = [_place(compiler, subscript, axis) for subscript, axis in zip(subscripts, form.axes, strict=False)]
    time = places[0]
    if len(places) == 2:
        unit = places[1]

        def element(scope: Scope) -> Value:
            values, (times, units) = read.with_axes(scope)
            return float(values[time(scope, times), unit(scope, units)])

        return Compiled(Form(), element)
    if len(form.axes) == 1:

        def entry(scope: Scope) -> Value:
            values, (times,) = read.with_axes(scope)
            return float(values[time(scope, times)])

        return Compiled(Form(), entry)

    def row(scope: Scope) -> Value:
        values, (times, *_) = read.with_axes(scope)
        return np.asarray(values[time(scope, times)], np.float64)

    return Compiled(Form(form.axes[1:]), row)


def _with_ranges(compiler: Compiler, subscripts: list[ast.expr], form: Form, read: Read) -> Compiled:
    axes: list[Axis] = []
    cuts: list[Cut | Place] = []
    for subscript, axis in zip(subscripts, form.axes, strict=False):
        if isinstance(subscript, ast.Slice):
            cut, kept = _range(compiler, subscript, axis)
            cuts.append(cut)
            axes.append(kept)
        else:
            cuts.append(_place(compiler, subscript, axis))
    axes += form.axes[len(subscripts) :]

    def part(scope: Scope) -> Value:
        values, having = read.with_axes(scope)
        chosen = values[tuple(cut(scope, places) for cut, places in zip(cuts, having, strict=False))]
        check_work(chosen.size, compiler.work)
        return np.asarray(chosen, np.float64)

    return Compiled(Form(tuple(axes)), part)


def _range(compiler: Compiler, node: ast.Slice, axis: Axis) -> tuple[Cut, Axis]:
    """lower:upper, both included, either left out for the whole; and the axis that remains."""
    if node.step is not None:
        raise ExpressionError("A range is first:last, without a third number.", *compiler.span(node))
    if node.lower is None and node.upper is None:
        return (lambda scope, places: slice(None)), axis
    first = _place(compiler, node.lower, axis) if node.lower else lambda scope, places: 0
    last = _place(compiler, node.upper, axis) if node.upper else lambda scope, places: places.stop - places.start - 1
    span, noun = compiler.span(node), _noun(axis)
    size = None
    ends = _literal(node.lower) if node.lower else 1, _literal(node.upper) if node.upper else None
    if ends[0] and ends[1] and (ends[0] > 0) == (ends[1] > 0):
        size = ends[1] - ends[0] + 1
        if size < 1:
            raise ExpressionError(
                f"A range goes up: {ends[1]}:{ends[0]} rather than {ends[0]}:{ends[1]}.", *span, f"{ends[1]}:{ends[0]}"
            )

    def cut(scope: Scope, places: Stretch) -> slice:
        start, stop = first(scope, places), last(scope, places)
        if stop < start:
            begin = places.start + 1
            raise NoValueError(f"There is no {noun} from {begin + start} to {begin + stop}.", *span)
        return slice(start, stop + 1)

    return cut, Axis(axis.label, size)


def _place(compiler: Compiler, node: ast.expr, axis: Axis) -> Place:
    """One position on `axis`, written out or computed."""
    number = _literal(node)
    if number is not None:
        return _fixed(number, axis, compiler.span(node))
    form, run = compiler.compile(node)
    if form.yes_no or not form.single:
        sentence = f"A subscript is one number or a range, first:last, not {form.words}."
        raise ExpressionError(sentence, *compiler.span(node))
    return _computed(run, axis, compiler.span(node))


def _fixed(number: int, axis: Axis, span: Span) -> Place:
    noun = _noun(axis)
    if number == 0:
        raise ExpressionError(f"{noun.capitalize()}s count from 1 (and from −1 backwards); there is no 0.", *span, "1")
    if axis.size is not None and abs(number) > axis.size:
        end = str(axis.size if number > 0 else 1)
        raise ExpressionError(f"There is no {noun} {number}: there are {axis.size}.", *span, end)

    def place(scope: Scope, places: Stretch) -> int:
        found = number if number > 0 else places.stop + 1 + number
        return _inside(found, places, f"There is no {noun} {number}: there are {places.stop}.", span)

    return place


def _computed(run: Run, axis: Axis, span: Span) -> Place:
    noun = _noun(axis)

    def place(scope: Scope, places: Stretch) -> int:
        number = float(run(scope))
        if not number.is_integer():
            raise ExpressionError(f"A {noun} is a whole number, this one is {number:g}.", *span)
        return _inside(int(number), places, f"There is no {noun} {number:g}: there are {places.stop}.", span)

    return place


def _inside(number: int, places: Stretch, none: str, span: Span) -> int:
    """Which of the places there are a number counted from 1 is, 0-based; NoValueError where it is none of them."""
    if not places.start < number <= places.stop:
        staged = bool(places.stage) and number > 0
        raise NoValueError(places.outside(number) if staged else none, *span)
    return number - 1 - places.start


def _literal(node: ast.expr | None) -> int | None:
    """The whole number that is written out at `node`, with its sign; None for anything else."""
    match node:
        case ast.Constant(value=int(number)):
            return number
        case ast.UnaryOp(op=ast.USub(), operand=ast.Constant(value=int(number))):
            return -number
        case _:
            return None


def _noun(axis: Axis) -> str:
    return {TIME: "time step", "I": "input", "V": "output"}.get(axis.label, "unit")
