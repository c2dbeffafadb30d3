"""Which equations belong to the cursor, and with which numbers: words to be set, for the panel of equations."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from rnnviz.core.equations.equation import Equation, Term
from rnnviz.core.equations.operations import Operation, operations_of
from rnnviz.core.formula import Number
from rnnviz.core.numbers import short
from rnnviz.core.optimising.clipping import Clipping
from rnnviz.core.optimising.optimisers import OPTIMISERS, OptimiserName
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor, Phase

Ink = str  # "text", "muted", "gradient", or "gate:" and the family of a gate
_OPERATORS = frozenset("⊙+−·=")


@dataclass(frozen=True)
class Word:
    """A piece of a line that is not broken: markup, its colour, and whether the cursor stands on what it says."""

    markup: str
    ink: Ink = "text"
    active: bool = False
    spaced: bool = False  # a space before it
    breaks: bool = False  # a new line may begin here


@dataclass(frozen=True)
class EquationLine:
    """One line before it is broken; `small` for numbers."""

    words: tuple[Word, ...]
    small: bool = False


def equation_lines(
    trace: Trace, cursor: Cursor, unit: int | None, optimiser: OptimiserName, clipped: Clipping | None = None
) -> list[EquationLine]:
    """The equations at the cursor of a trace with one sequence, each followed by its numbers.

    `unit` is 0-based; None for norms. `clipped`: what clipping made of the update, where that is recorded.
    """
    if cursor.phase is Phase.LOSS:
        return _loss(trace)
    if cursor.phase is Phase.UPDATE:
        return _update(optimiser, clipped)
    layer = next((layer for layer in trace.layers if layer.name == cursor.layer), trace.layers[0])
    t = min(max(cursor.time_step, 1), trace.sequence_length(0)) - 1
    held = trace if cursor.phase is Phase.FORWARD else trace.holding(layer.name, t)
    layer = held.layer(layer.name)
    lines = []
    for equation, active in shown_equations(operations_of(layer), cursor):
        lines.append(EquationLine(tuple(_equation(equation, layer, active))))
        lines += _numbers(equation, layer, t, unit)
    if held is not trace:
        lines.append(EquationLine(tuple(_words(["lost in float32: these are of the float64 rebuild"], "muted")), True))
    return lines


def shown_equations(having: Sequence[Operation], cursor: Cursor) -> list[tuple[Equation, bool]]:
    """The equations of the cursor's operation, or those that sum up a whole time step; True: the cursor is there."""
    if cursor.phase is Phase.ACCUMULATE:
        return [(equation, False) for operation in having for equation in operation.added]
    on = [operation for operation in having if operation.key == cursor.operation]
    shown = on or [operation for operation in having if operation.sums_up]
    if cursor.phase is Phase.FORWARD:
        return [(equation, bool(on)) for operation in shown for equation in operation.forward]
    return [
        (equation, bool(on))
        for operation in reversed(shown)
        for equation in (*operation.backward, *(operation.added if on else ()))
    ]


def _equation(equation: Equation, layer: Layer, active: bool) -> Iterator[Word]:
    yield Word(equation.result.shown_in(layer), _ink(equation.result, layer), active)
    yield from _words([" = ", *((p if isinstance(p, str) else _term(p, layer)) for p in equation.pieces())])


def _term(term: Term, layer: Layer) -> Word:
    return Word(term.shown_in(layer), _ink(term, layer))


def _ink(term: Term, layer: Layer) -> Ink:
    if term.kind == "parameter":
        return "muted"
    if term.kind != "value":
        return "gradient"
    node = layer.equations.by_name.get(term.of)
    return f"gate:{node.family}" if node is not None and node.role == "gate" else "text"


def _numbers(equation: Equation, layer: Layer, t: int, unit: int | None) -> list[EquationLine]:
    """The equation with numbers in it, or the norms of what it is made of where it multiplies by a matrix."""
    blocks = layer.equations.blocks
    stacked = unit is not None and _all_blocks(equation.result, layer) and len(blocks) > 1
    lines = []
    for gate in blocks if stacked else ("",):
        numbers = equation.numbers(layer, t, 0, unit, gate)
        added = equation.result.kind == "added"
        if added or any(each.norm for each in numbers):  # a unit beside the norm of a matrix would say nothing
            said = _norms(equation.numbers(layer, t, 0, None))
        else:
            said = _substituted(equation, layer, numbers)
        lead = [Word(f"{gate}:", "muted")] if gate else []
        lines.append(EquationLine((*lead, *(replace(said[0], spaced=bool(lead)), *said[1:])), small=True))
    if equation.result.kind == "added":
        so_far = layer.weight_grad_so_far[equation.result.of][t]
        lines.append(
            EquationLine(
                (Word(f"added up so far, before clipping: ‖∂L/∂W‖ = {short(float(so_far))}", "muted"),), small=True
            )
        )
    return lines


def _all_blocks(term: Term, layer: Layer) -> bool:
    """Whether a term is the pre-activations of all gates at once."""
    node = layer.equations.by_name.get(term.of)
    return node is not None and node.role == "pre-activation" and node.units == "rows" and not term.block


def _substituted(equation: Equation, layer: Layer, numbers: Sequence[Number]) -> list[Word]:
    result, *rest = numbers
    values = iter(rest)
    pieces: list[str | Word] = [" = "]
    for piece in equation.pieces():
        if isinstance(piece, str):
            pieces.append(piece.replace("⊙", "·"))
        else:
            value = short(next(values).value)
            bare = not value.startswith("−") or str(pieces[-1]).endswith(("(", " = "))
            pieces.append(Word(value if bare else f"({value})", _ink(piece, layer)))
    return [Word(short(result.value), _ink(equation.result, layer)), *_words(pieces, "muted")]


def _norms(numbers: Sequence[Number]) -> list[Word]:
    words: list[Word] = []
    for number in numbers:
        symbol = f"‖{number.symbol}‖" if number.norm else number.symbol
        words.append(Word(f"{symbol} {short(number.value)}", "muted", spaced=bool(words), breaks=bool(words)))
        if number is not numbers[-1]:
            words.append(Word(",", "muted"))
    return words


def _loss(trace: Trace) -> list[EquationLine]:
    if trace.head is None:
        return [EquationLine((Word("The loss of this model was not recorded.", "muted"),))]
    total, divided = short(float(trace.head.losses[:, 0].sum())), trace.head.divided_by()
    lines = [EquationLine(tuple(_text("L = Σ_t L_t"))), EquationLine((Word(f"L = {total}", "muted"),), small=True)]
    if divided:
        said = f"of this sequence, ÷ {divided} of the batch; alone {short(trace.head.own_loss())}"
        lines.append(_said(said))
    return lines


def _update(optimiser: OptimiserName, clipped: Clipping | None) -> list[EquationLine]:
    """How the clipped gradient is made, with the numbers of the training batch, and what the optimiser makes of it."""
    lines = [
        EquationLine(tuple(_text("g̃ = ∂L/∂W · min(1, θ / (‖g‖ + 10⁻⁶))"))),
        EquationLine(tuple(_text(OPTIMISERS[optimiser].formula))),
    ]
    if clipped is None:
        return lines
    said = f"training step {clipped.training_step:,}, its batch: {clipped.words}"
    return [lines[0], _said(said), lines[1]]


def _said(sentence: str) -> EquationLine:
    """A sentence below an equation, which may be broken at each space."""
    words = [Word(word, "muted", spaced=place > 0, breaks=place > 0) for place, word in enumerate(sentence.split(" "))]
    return EquationLine(tuple(words), small=True)


def _text(text: str) -> list[Word]:
    return _words([text])


def _words(pieces: Sequence[str | Word], ink: Ink = "text") -> list[Word]:
    """Texts cut at their spaces, with the places where a line may be broken: before an operator outside brackets."""
    words: list[Word] = []
    depth, spaced = 0, False
    for piece in pieces:
        if isinstance(piece, Word):
            words.append(replace(piece, spaced=spaced))
            spaced = False
            continue
        for space, token in re.findall(r"(\s*)(\S+)", piece):
            spaced = spaced or bool(space)
            words.append(Word(token, ink, False, spaced, spaced and not depth and token in _OPERATORS))
            depth += token.count("(") - token.count(")")
            spaced = False
        spaced = spaced or piece.endswith(" ")
    return words
