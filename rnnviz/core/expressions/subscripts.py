"""Subscripts of quantities: h[t], h[-1], f[t, 7], f[:, 7], dh[1:10].

Time steps and units count from 1, as on screen; a range includes both its ends. A negative number that is written out
counts from the end, h[-1] is h[T]; one that is computed does not, so that h[t - 2] at t = 1 has no value instead of
being the wrong one.
"""

import ast
from collections.abc import Callable

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.expressions.compiler import Compiled, Compiler, Run, Span, located
from rnnviz.core.expressions.problems import ExpressionError, NoValueError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import TIME, Axis, Form
from rnnviz.core.expressions.values import Value, check_work
from rnnviz.core.expressions.vocabulary import NamedQuantity

Read = Callable[[Scope], Array]
Place = Callable[[Scope, int], int]  # (scope, length of the axis) → 0-based position
Cut = Callable[[Scope, int], slice]


def read_quantity(named: NamedQuantity, layer: str, form: Form, span: Span) -> Read:
    """The whole array as the scope has it, its number of axes checked."""
    name, axes = named.name, len(form.axes)

    def read(scope: Scope) -> Array:
        try:
            values = scope.quantity(name, layer)
        except NoValueError as problem:
            raise problem.at(*span) from None
        if values.ndim != axes:
            raise ExpressionError(f"{name} should have {form.words}, but has the shape {values.shape}.", *span)
        return values

    return read


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
            values = read(scope)
            return float(values[time(scope, values.shape[0]), unit(scope, values.shape[1])])

        return Compiled(Form(), element)
    if len(form.axes) == 1:

        def entry(scope: Scope) -> Value:
            values = read(scope)
            return float(values[time(scope, values.shape[0])])

        return Compiled(Form(), entry)

    def row(scope: Scope) -> Value:
        values = read(scope)
        return np.asarray(values[time(scope, values.shape[0])], np.float64)

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
        values = read(scope)
        chosen = values[tuple(cut(scope, length) for cut, length in zip(cuts, values.shape, strict=False))]
        check_work(chosen.size, compiler.work)
        return np.asarray(chosen, np.float64)

    return Compiled(Form(tuple(axes)), part)


def _range(compiler: Compiler, node: ast.Slice, axis: Axis) -> tuple[Cut, Axis]:
    """lower:upper, both included, either left out for the whole; and the axis that remains."""
    if node.step is not None:
        raise ExpressionError("A range is first:last, without a third number.", *compiler.span(node))
    if node.lower is None and node.upper is None:
        return (lambda scope, length: slice(None)), axis
    first = _place(compiler, node.lower, axis) if node.lower else lambda scope, length: 0
    last = _place(compiler, node.upper, axis) if node.upper else lambda scope, length: length - 1
    span, noun = compiler.span(node), _noun(axis)
    size = None
    ends = _literal(node.lower) if node.lower else 1, _literal(node.upper) if node.upper else None
    if ends[0] and ends[1] and (ends[0] > 0) == (ends[1] > 0):
        size = ends[1] - ends[0] + 1
        if size < 1:
            raise ExpressionError(
                f"A range goes up: {ends[1]}:{ends[0]} rather than {ends[0]}:{ends[1]}.", *span, f"{ends[1]}:{ends[0]}"
            )

    def cut(scope: Scope, length: int) -> slice:
        start, stop = first(scope, length), last(scope, length)
        if stop < start:
            raise NoValueError(f"There is no {noun} from {start + 1} to {stop + 1}.", *span)
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

    def place(scope: Scope, length: int) -> int:
        if abs(number) > length:
            raise NoValueError(f"There is no {noun} {number}: there are {length}.", *span)
        return number - 1 if number > 0 else length + number

    return place


def _computed(run: Run, axis: Axis, span: Span) -> Place:
    noun = _noun(axis)

    def place(scope: Scope, length: int) -> int:
        number = float(run(scope))
        if not number.is_integer():
            raise ExpressionError(f"A {noun} is a whole number, this one is {number:g}.", *span)
        if not 1 <= number <= length:
            raise NoValueError(f"There is no {noun} {number:g}: there are {length}.", *span)
        return int(number) - 1

    return place


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
