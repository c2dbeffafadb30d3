"""The equations of an operation of the loss or of the update at the cursor, with their numbers.

The loss's are of the time step where the cursor stands, those with an entry for each output of one output. The update's
are of one parameter and one of its entries, and of the gradient of the sequence shown.
"""

from functools import partial

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.formula import Equation, Find, Operation, Term
from rnnviz.core.numbers import short
from rnnviz.core.optimising.optimisers import OPTIMISERS
from rnnviz.core.optimising.update import operations as update_operations
from rnnviz.core.setting import settings_of
from rnnviz.core.sweeps.heads.attention_operations import BY_S, OF_ONE_S
from rnnviz.core.sweeps.heads.head import HeadTrace
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Cursor
from rnnviz.debugger.phase_operations import head_column, head_input, headed
from rnnviz.debugger.updating import UpdatedParameter, UpdateShown, parameter_shown
from rnnviz.gui.cursor.equation_words import EquationLine, Ink, Word, norms, said, substituted, written

_OPTIMISERS_OWN = frozenset(name for kind in OPTIMISERS.values() for name in settings_of(kind))
_OF_HEAD = {"outputs", "time_steps"}
_SETTINGS = _OPTIMISERS_OWN | _OF_HEAD | {"learning_rate", "clip_norm", "clip_value", "noise_scale", "training_step"}
_PARAMETERS = _SETTINGS | {"score_weight", "combine_weight", "weight", "bias", "shrunk1", "shrunk2"}
_CLIPPED = frozenset({"gradient", "norm", "norms", "clipped", "value_clipped"})
_ATTENTION_GRADIENTS = {
    "attended_grad", "combined_grad", "combine_added", "context_and_output_grad", "context_grad",
    "attention_weights_grad", "attention_scores_grad", "score_added", "read_by_scores", "read_grad",
}  # fmt: skip
_GRADIENTS = _CLIPPED | _ATTENTION_GRADIENTS
_GRADIENTS |= {"noisy", "decayed", "ahead", "prediction_grad", "weight_added", "bias_added"}
_OF_NO_ENTRY = {"weight_added", "combine_added", "score_added", "context", "context_and_output_grad", "read_grad"}
_GRADIENTS_OF_UNITS = frozenset({"output_grad", "pooled_grad"})
_OF_UNITS = _GRADIENTS_OF_UNITS | {
    "pooled",
    "attended",
    "attended_grad",
    "combined_grad",
}  # the results that have an entry for each unit, not for each output


def loss_lines(trace: Trace, cursor: Cursor, unit: int | None) -> list[EquationLine]:
    """Those of the head's operation at the cursor; [] where it stands on none. `unit` is 0-based, None: none."""
    head = trace.head
    if head is None or not cursor.operation:
        return []
    symbol = head_input(headed(trace))
    having = (*forward_operations(head.kind, symbol), *backward_operations(head.kind, symbol))
    operation = next((one for one in having if one.key == cursor.operation), None)
    if operation is None:
        return []
    t = min(max(cursor.time_step, 1), len(head.losses)) - 1
    output, of_output = head.asked_output(t), False
    lines: list[EquationLine] = []
    for equation in operation.equations:
        size, source = head.outputs, _looked_back_at(head, t, equation)
        entry: tuple[int, ...] | None = (output,)
        column = None if unit is None else head_column(headed(trace), cursor.layer, unit)
        if not head.kind.weighs:  # what is read are the outputs
            column = output
        if equation.result.name in _OF_UNITS:
            entry = None if column is None else (column,)
        elif equation.result.name in BY_S and equation.result.name != "read_grad":
            entry = None if source is None else (source,)
        elif equation.result.name in _OF_NO_ENTRY or (size > 1 and equation.result.name == "loss"):
            entry = None
        else:
            of_output = of_output or size > 1
        one = source if equation.result.name in OF_ONE_S else None
        lines += _lines(equation, partial(_read, head, t, one), () if one is not None else entry)
        if equation.result.name in _SO_FAR:
            gathered, parameter = _SO_FAR[equation.result.name]
            so_far = float(head.weight_grad_so_far[parameter][t])
            lines.append(said(f"added up so far, before clipping: ‖{gathered}‖ = {short(so_far)}"))
    lines += _of_attention(trace, head, t, operation)
    return [*lines, *_reached(head, t, column, operation), *_notes(head, t, output if of_output else None, operation)]


def _read(head: HeadTrace, t: int, source: int | None, name: str) -> Array:
    """What a term stands for; `source`: of that time step alone where it has a row for each that is looked back at."""
    found = head.value(name, t)
    return found if source is None or name not in BY_S else np.asarray(found[source])


def _looked_back_at(head: HeadTrace, t: int, equation: Equation) -> int | None:
    """The time step s (0-based, of the encoder) that equations of attention are told of: the one with the largest
    weight; None where an equation is of none."""
    named = {term.name for term in (equation.result, *equation.terms)}
    return None if head.attention is None or not named & BY_S else int(np.argmax(head.attention.weights[t, 0]))


def _of_attention(trace: Trace, head: HeadTrace, t: int, operation: Operation) -> list[EquationLine]:
    """Which time step s the equations of attention are written for."""
    sources = [_looked_back_at(head, t, one) for one in operation.equations if one.result.name in BY_S]
    if head.attention is None or not sources or sources[0] is None:
        return []
    s = head.attention.start + sources[0] + 1
    share = short(float(head.attention.weights[t, 0, sources[0]]))
    return [said(f"of s = {s}, the time step with the largest attention weight, {share}")]


def update_lines(
    trace: Trace, cursor: Cursor, unit: int | None, shown: UpdateShown | None, parameter: str
) -> list[EquationLine]:
    """Those of the update's operation at the cursor, of one entry of the parameter; [] where it stands on none."""
    if shown is None or not cursor.operation:
        return []
    of = parameter_shown(trace, cursor.layer, parameter)
    having = update_operations(shown.update.rule, of.symbol)
    operation = next((one for one in having if one.key == cursor.operation), None)
    gradient = shown.find(of.name, "gradient")
    if operation is None or gradient is None:
        return []
    entry, why = entry_shown(gradient, of, unit)
    lines: list[EquationLine] = []
    for equation in operation.equations:
        lines += _lines(equation, lambda name: shown.find(of.name, name), entry, len(shown.update.values))
    place = " ".join(f"{name} {number + 1}" for name, number in zip(of.axes, entry, strict=False))
    lines.append(said(f"{of.symbol}, {place}: {why}. With the gradient of the sequence shown, not of the batch"))
    if operation.key == "delta" and shown.rate_words:
        lines.append(said(shown.rate_words))
    if operation.key == "noise":
        lines.append(said("ξ_s: the same numbers that the training adds to the gradient of its batch"))
    made = any(each.result.name not in _CLIPPED for each in operation.equations)
    return [*lines, said(shown.unknown)] if shown.unknown and made else lines


def entry_shown(gradient: Array, of: UpdatedParameter, unit: int | None) -> tuple[tuple[int, ...], str]:
    """The entry of a parameter (0-based) that stands in its equations, and why: its gradient is the largest of all or,
    where a unit is chosen, of that unit's."""
    size, words = np.abs(gradient), "the largest gradient"
    if unit is not None and of.hidden_size:
        mine = np.arange(len(size)) % of.hidden_size == unit
        size = np.where(mine.reshape(-1, *(1,) * (size.ndim - 1)), size, -1)
        words = f"the largest gradient of unit {unit + 1}"
    place = np.unravel_index(int(np.argmax(size)), size.shape)
    return tuple(int(one) for one in place), words


def _lines(equation: Equation, find: Find, entry: tuple[int, ...] | None, parameters: int = 0) -> list[EquationLine]:
    """An equation in symbols, then with its numbers; `parameters`: how many an update has."""
    numbers = equation.numbers(find, entry)
    if any(term.name == "norms" for term in equation.terms):
        words = [*norms(numbers[:1]), Word(f"of all {parameters} parameters", "muted", spaced=True)]
    elif any(number.norm for number in numbers):
        words = norms(numbers)
    else:
        exact = [term for term in equation.terms if term.name in _SETTINGS]
        words = substituted(equation, numbers, _ink, exact)
    return [EquationLine(tuple(written(equation, _word, True))), EquationLine(tuple(words), small=True)]


def _word(term: Term) -> Word:
    return Word(term.symbol, _ink(term))


def _ink(term: Term) -> Ink:
    if term.name in _PARAMETERS:
        return "muted"
    return "gradient" if term.name in _GRADIENTS or term.name in _GRADIENTS_OF_UNITS else "text"


def _reached(head: HeadTrace, t: int, column: int | None, operation: Operation) -> list[EquationLine]:
    """Of a pooling, which time steps a prediction is made of, and which its gradient reaches."""
    if operation.key not in ("pooling", "output_grad") or head.kind.pooling == "last":
        return []
    held = head.pooled_grads.holders
    if held is None:
        return [said(f"of time steps 1 to {t + 1}, all alike")]
    if column is not None:
        return [said(f"of this unit time step {int(held[t, 0, column]) + 1} holds the maximum")]
    here = int((held[t, 0] == t).sum())
    return [
        said(f"each unit by the time step s that holds its maximum: t = {t + 1} that of {here} of {held.shape[-1]}")
    ]


def _notes(head: HeadTrace, t: int, output: int | None, operation: Operation) -> list[EquationLine]:
    """What has to be said of the numbers: which output they are of, what a loss is divided by, that none is asked."""
    notes = []
    if output is not None:
        target = head.classes is not None and output == int(head.classes[t, 0])
        notes.append(f"of output {output + 1} of {head.outputs}, {'the target' if target else 'the largest gradient'}")
    if not head.loss_weight[t, 0]:
        notes.append(f"nothing is asked at t = {t + 1}, so that L_t and its gradients are 0")
    elif operation.key == "loss" and (words := head.reduction_words()):
        notes.append(f"L is the {words} of the batch")
    return [said("; ".join(notes))] if notes else []


_SO_FAR = {"weight_added": ("∂L/∂W_{ho}", "weight"), "bias_added": ("∂L/∂b_o", "bias")}
