"""Equations of what stands around a cell, at the cursor: embedding, hand-over, dropout mask, residual connection."""

from collections.abc import Iterator

import numpy as np

from rnnviz.core.equations.around import AroundOperation, CallForm, around, around_value, call_of, handed_from
from rnnviz.core.formula import Term
from rnnviz.core.numbers import short
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.gui.cursor.equation_words import EquationLine, Ink, Word, norms, said, substituted, written


def around_lines(
    trace: Trace, layer: Layer, cursor: Cursor, t: int, unit: int | None
) -> tuple[list[EquationLine], list[EquationLine]]:
    """Those to write before and behind the cell's own, in the order in which the cursor's sweep goes through them;
    where the cursor stands on one operation, that one alone. `t` is 0-based."""
    call, own = call_of(trace, layer).call, layer.times()
    having = around(call.structure, layer.id, CallForm.of(call))
    opening = having.opening if t == (own[-1] if layer.reverse else own[0]) else ()
    first, last = [*opening, *having.before], [*having.after]
    if cursor.phase is Phase.BACKWARD:
        first, last = last[::-1], first[::-1]
    before, after = (
        [line for one in part for line in _lines(trace, layer, one, cursor, t, unit)] for part in (first, last)
    )
    return before, after


def _lines(
    trace: Trace, layer: Layer, operation: AroundOperation, cursor: Cursor, t: int, unit: int | None
) -> Iterator[EquationLine]:
    active = cursor.operation == operation.key
    if cursor.operation and not active:
        return
    backward = cursor.phase is Phase.BACKWARD
    for equation in operation.backward if backward else operation.forward:
        numbers = equation.numbers(lambda name: around_value(trace, layer, name, t), None if unit is None else (unit,))
        words = norms(numbers) if any(number.norm for number in numbers) else substituted(equation, numbers, _ink)
        yield EquationLine(tuple(written(equation, lambda term: Word(term.symbol, _ink(term)), active)))
        yield EquationLine(tuple(words), small=True)
    if note := _note(trace, layer, operation, t, unit):
        yield said(note)


def _ink(term: Term) -> Ink:
    if "grad" in term.name:
        return "gradient"
    return "muted" if term.name.startswith(("bridge", "mask")) and term.name != "masked" else "text"


def _note(trace: Trace, layer: Layer, operation: AroundOperation, t: int, unit: int | None) -> str:
    """What has to be said of the numbers."""
    match operation.key:
        case "mask":
            return _of_mask(layer, t, unit)
        case "hand-over":
            layers = handed_from(trace, layer)
            names = " and ".join(trace.network.words(one.name) for one in layers)
            own = layers[0].times()
            at = f"t = {own[-1] + 1}" if len(layers) == 1 else f"t = {own[-1] + 1} and, read from the end, t = 1"
            return f"from {names}, at {at}"
        case "embedding":
            embedding = call_of(trace, layer).embedding
            symbol = -1 if embedding is None else int(embedding.symbols[t, 0])
            return f"row {symbol + 1} of the table" if symbol >= 0 else "no symbol here: nothing is read of the table"
        case _:
            return ""


def _of_mask(layer: Layer, t: int, unit: int | None) -> str:
    if layer.mask is None:
        return ""
    mask = layer.mask[t, 0]
    if unit is not None and unit < len(mask):
        return "kept, and scaled by " + short(float(mask[unit])) if mask[unit] else "dropped in this training step"
    return f"{int(np.count_nonzero(mask == 0))} of {len(mask)} units dropped in this training step"
