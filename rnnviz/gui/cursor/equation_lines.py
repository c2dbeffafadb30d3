"""Which equations belong to the cursor, and with which numbers: words to be set, for the panel of equations."""

from collections.abc import Sequence
from dataclasses import replace

from rnnviz.core.cells.own import NOT_KNOWN
from rnnviz.core.equations.around import AROUND_KEYS
from rnnviz.core.equations.equation import Equation, Term, with_hand_over
from rnnviz.core.equations.operations import Operation, operations_of
from rnnviz.core.equations.places import cut_words
from rnnviz.core.numbers import short
from rnnviz.core.optimising.clipping import Clipping
from rnnviz.core.optimising.update import UpdateRule
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.updating import UpdateShown
from rnnviz.gui.cursor.around_lines import around_lines
from rnnviz.gui.cursor.equation_words import EquationLine, Ink, Word, norms, said, substituted, text_line, written
from rnnviz.gui.cursor.named_equations import loss_lines, update_lines

_LOST = "lost in float32: these are of the float64 rebuild"


def equation_lines(
    trace: Trace,
    cursor: Cursor,
    unit: int | None,
    rule: UpdateRule | None,
    clipped: Clipping | None = None,
    update: UpdateShown | None = None,
    parameter: str = "",
) -> list[EquationLine]:
    """The equations at the cursor of a trace with one sequence, each followed by its numbers.

    `unit` is 0-based; None for norms. `clipped`: what clipping made of the update, where that is recorded. `update`:
    the one of this trace's gradient, made by `rule`, None: not trained here; `parameter`: whose.
    """
    if cursor.phase is Phase.LOSS:
        return loss_lines(trace, cursor, unit) or _loss(trace)
    if cursor.phase is Phase.UPDATE:
        recorded = _recorded(clipped)
        operation = update_lines(trace, cursor, unit, update, parameter)
        if not operation:
            return _update(rule, recorded)
        return [*operation, *(recorded if cursor.operation in ("gradient", "clip") else ())]
    layer = trace.find_layer(cursor.layer) or trace.layers[0]
    if layer.equations.recorded:
        return [said(NOT_KNOWN)]
    own = layer.times()
    t = min(max(cursor.time_step - 1, own.start), own.stop - 1)
    held = trace if cursor.phase is Phase.FORWARD else trace.holding(layer.name, t)
    layer = shown = held.layer(layer.name)
    before, after = around_lines(held, layer, cursor, t, unit) if cursor.phase.swept else ([], [])
    lines = before
    if cursor.operation in AROUND_KEYS and (before or after):
        lines = [*before, *after]
        return [*lines, said(_LOST)] if held is not trace else lines
    carried = False
    for written_so, active in shown_equations(operations_of(layer), cursor):
        equation = with_hand_over(written_so, layer, t)
        lines.append(EquationLine(tuple(written(equation, lambda term: _term(term, shown), active))))
        lines += _numbers(equation, layer, t, unit)
        carried = carried or any(term.offset > 0 for term in equation.terms)
    if carried and (words := cut_words(layer, t)):
        lines.append(said(words))
    lines += after
    if held is not trace:
        lines.append(said(_LOST))
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
            words = norms(equation.numbers(layer, t, 0, None))
        else:
            words = substituted(equation, numbers, lambda term: _ink(term, layer))
        lead = [Word(f"{gate}:", "muted")] if gate else []
        lines.append(EquationLine((*lead, *(replace(words[0], spaced=bool(lead)), *words[1:])), small=True))
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


def _loss(trace: Trace) -> list[EquationLine]:
    if trace.head is None:
        return [EquationLine((Word("The loss of this model was not recorded.", "muted"),))]
    total, words = short(float(trace.head.losses[:, 0].sum())), trace.head.reduction_words()
    how = f", {words}" if words else ""
    lines = [text_line(f"L = Σ_t L_t{how}"), EquationLine((Word(f"L = {total}", "muted"),), small=True)]
    if words:
        lines.append(said(f"this sequence's part of it; alone {short(trace.head.own_loss())}"))
    return lines


def _update(rule: UpdateRule | None, recorded: list[EquationLine]) -> list[EquationLine]:
    """How the clipped gradient is made, with the numbers of the training batch, and what the optimiser makes of it."""
    if rule is None:
        return recorded
    lines = [text_line("g̃ = ∂L/∂W · min(1, θ / (‖g‖ + 10⁻⁶))"), *recorded]
    if rule.clip_value:
        lines.append(text_line("g̃ ← max(−θ_v, min(θ_v, g̃))"))
    if rule.noise:
        lines.append(text_line("g̃ ← g̃ + σ_s ξ_s"))
    return [*lines, text_line(rule.optimiser.formula)]


def _recorded(clipped: Clipping | None) -> list[EquationLine]:
    """What the clip norm made of the training's own gradient."""
    return [] if clipped is None else [said(f"training step {clipped.training_step:,}, its batch: {clipped.words}")]
