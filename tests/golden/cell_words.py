"""Words and numbers of each cell as plain values: the one module of the golden tests that knows where they are said.

Whatever is renamed or moved is renamed here; the values stay as they are in `tests/data/golden`.
"""

from collections.abc import Iterator
from typing import Any

import every_cell
import numpy as np
from flat_state import flat_state

from rnnviz.core.arrays import Array
from rnnviz.core.equations.equation import Equation
from rnnviz.core.equations.operations import Operation, operations_of
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.expressions import NoValueError, Vocabulary
from rnnviz.core.expressions.completion import complete
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.expressions.vocabulary import COMPARED_ONLY, NUMBERS, named_quantities
from rnnviz.core.network import Network
from rnnviz.core.quantity import value_of
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, Head
from rnnviz.core.sweeps.layer import Layer
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.debugger.cursor import Cursor, Phase
from rnnviz.debugger.program import Program
from rnnviz.debugger.provenance import GradientPlace, Part, provenance
from rnnviz.debugger.rows import rows_of
from rnnviz.gui.canvas.lanes.selection import choices, lane_slots
from rnnviz.gui.canvas.lanes.shown import resolve
from rnnviz.gui.cursor.equation_lines import equation_lines
from rnnviz.gui.cursor.equation_words import EquationLine
from rnnviz.gui.cursor.variables import Variable, facts, layer_variables
from rnnviz.gui.state.state import State
from rnnviz.runs.file.records import RunModel

T, INPUTS, HIDDEN, CLASSES = 5, 2, 3, 4
MIDDLE, UNIT = 2, 1  # the time step and unit looked at, 0-based
TIME_STEPS = {"first": 0, "middle": MIDDLE, "last": T - 1}
CELLS = every_cell.CHOICES
OFTEN, ONCE = (0.0, 0.25, 0.25, 0.0, 0.5), (0.0, 0.0, 0.0, 0.0, 1.0)  # the weight of each time step's loss
Plain = dict[str, Any]


def structure_of(cell: str, bias: bool, layers: int = 1) -> Structure:
    return Structure(
        input_size=INPUTS, hidden_size=HIDDEN, num_layers=layers, bidirectional=True, bias=bias, **CELLS[cell]
    )


def trace_of(structure: Structure, loss: str = "cross entropy", asked: tuple[float, ...] = OFTEN) -> Trace:
    """One sequence in float64: weights, input, initial state and head drawn; ∂L/∂output is that of the head."""
    random = np.random.default_rng(7)

    def numbers(*shape: int) -> Array:
        return random.uniform(-1, 1, shape)

    weights = {name: numbers(*shape) for name, shape in structure.parameter_shapes().items()}
    rows, width = len(structure.layer_names), structure.output_size * structure.directions
    inputs, h0, c0 = numbers(T, 1, INPUTS), numbers(rows, 1, structure.output_size), numbers(rows, 1, HIDDEN)
    initial = {state: h0 if state == structure.equations.output else c0 for state in structure.equations.states}
    weight, bias = numbers(CLASSES, width), numbers(CLASSES)
    targets = random.integers(0, CLASSES, (T, 1)) if loss == "cross entropy" else numbers(T, 1, CLASSES)
    head = Head(weight, bias, loss, targets, np.array(asked)[:, None])  # type: ignore[arg-type]
    capture = Capture.of_one(
        weights,
        structure=structure,
        inputs=inputs,
        initial=initial,
        grad_output=np.zeros((T, 1, width)),
        head=head,
    )
    read = rebuild(capture).head
    assert read is not None
    return rebuild(capture.with_call(grad_output=read.prediction_grad @ weight))


def cell_words(cell: str, bias: bool) -> Plain:
    """All words of the operations of both directions, with nothing computed."""
    trace = trace_of(structure_of(cell, bias))
    return {
        layer.name: [_operation_words(one, layer.reverse) for one in operations_of(layer)] for layer in trace.layers
    }


def _operation_words(operation: Operation, reverse: bool) -> Plain:
    return {
        "key": operation.key,
        "symbol": operation.symbol,
        "words": operation.words,
        "backward symbol": operation.backward_symbol,
        "parameters": list(operation.parameters),
        "forward": [_equation_words(one, reverse) for one in operation.forward],
        "backward": [_equation_words(one, reverse) for one in operation.backward],
        "added": [_equation_words(one, reverse) for one in operation.added],
    }


def _equation_words(equation: Equation, reverse: bool) -> str:
    """The markup, then what its terms are made of: a piece that is a term stands in ⟨ ⟩."""
    pieces = "".join(p if isinstance(p, str) else f"⟨{p.shown(reverse)}⟩" for p in equation.pieces())
    text = equation.text(reverse)
    assert text.endswith(pieces.replace("⟨", "").replace("⟩", ""))
    return f"{equation.result.shown(reverse)} = {pieces}"


def cell_numbers(cell: str, bias: bool) -> Plain:
    """Values of every operation and of every equation's terms, at the first, a middle and the last time step.

    Without biases at the middle one alone.
    """
    trace = trace_of(structure_of(cell, bias))
    return {
        f"{layer.name} {name}": {one.key: _operation_numbers(one, layer, t) for one in operations_of(layer)}
        for layer in trace.layers
        for name, t in TIME_STEPS.items()
        if bias or t == MIDDLE
    }


def _operation_numbers(operation: Operation, layer: Layer, t: int) -> Plain:
    equations = (*operation.forward, *operation.backward, *operation.added)
    gates = layer.equations.blocks if operation.key == "bias" and len(operation.forward) == 1 else ("",)
    found: Plain = {
        "forward": operation.forward_value(layer, t).tolist(),
        "backward": operation.backward_value(layer, t).tolist(),
        "norms": [[one.value for one in equation.numbers(layer, t)] for equation in equations],
    }
    for gate in gates:
        numbers = [equation.numbers(layer, t, 0, UNIT, gate) for equation in equations]
        found[f"unit {gate}".strip()] = [[one.value for one in each] for each in numbers]
        found[f"is a norm {gate}".strip()] = ["".join("n" if one.norm else "u" for one in each) for each in numbers]
    return found


def cell_lines(cell: str, bias: bool) -> Plain:
    """What the panel of equations shows at every operation of a middle time step, with a unit and without."""
    trace = trace_of(structure_of(cell, bias))
    found: Plain = {}
    for layer in trace.layers:
        for phase in (Phase.FORWARD, Phase.BACKWARD):
            for key in ("", *(one.key for one in operations_of(layer))):
                cursor = Cursor(3, phase, MIDDLE + 1, layer.name, key)
                for unit in (None, UNIT):
                    place = f"{layer.name} {phase.name.lower()} {key or 'whole'}, {'norms' if unit is None else 'unit'}"
                    found[place] = _lines(equation_lines(trace, cursor, unit, None))
        added = Cursor(3, Phase.ACCUMULATE, 1, layer.name)
        found[f"{layer.name} accumulate"] = _lines(equation_lines(trace, added, None, None))
    found["loss"] = _lines(equation_lines(trace, Cursor(3, Phase.LOSS, 1), None, None))
    for optimiser in ("adam", "sgd", "rmsprop"):
        rule = TrainingSettings(optimiser).rule  # type: ignore[arg-type]
        found[f"update {optimiser}"] = _lines(equation_lines(trace, Cursor(3, Phase.UPDATE, 1), None, rule))
    return found


def _lines(lines: list[EquationLine]) -> list[str]:
    """Each line as text: ↵ where it may be broken, the ink of a word behind it, ! where the cursor stands on it."""
    found = []
    for line in lines:
        text = ""
        for word in line.words:
            space = ("↵" if word.breaks else " ") if word.spaced else ""
            ink = "" if word.ink == "text" else f"‹{word.ink}›"
            text += f"{space}{word.markup}{ink}{'!' if word.active else ''}"
        found.append(f"{'small: ' if line.small else ''}{text}")
    return found


def cell_variables(cell: str, bias: bool) -> Plain:
    """The tree of variables of both directions, with what is said of the numbers at the middle time step."""
    trace = trace_of(structure_of(cell, bias))
    return {layer.name: [_variable(one, layer) for one in layer_variables(layer)] for layer in trace.layers}


def _variable(variable: Variable, layer: Layer) -> Plain:
    values = variable.read(layer, MIDDLE)
    gate = variable.gate.name if variable.gate else ""
    found: Plain = {
        "key": variable.key,
        "symbol": variable.symbol,
        "words": variable.words,
        "place": [gate, variable.operation, variable.phase.name.lower(), variable.lane],
        "facts": None if values is None else facts(values, variable.gate).text,
    }
    return found | ({"parts": [_variable(part, layer) for part in variable.parts]} if variable.parts else {})


def cell_vocabulary(cell: str) -> Plain:
    """The names an expression may use of this cell, with words and shapes, and what is offered while typing."""
    structure = structure_of(cell, True, layers=2)
    vocabulary = Vocabulary((Network.one(structure),), ("Some model", "Two"), ("loss", "accuracy", "grad_norm"))
    having = [named for named in named_quantities().values() if not vocabulary.missing(named, "")]
    return {
        "quantities": {
            named.name: [named.symbol, named.words, vocabulary.form(named, "").words, named.layered] for named in having
        },
        "in the second layer": {
            named.name: vocabulary.form(named, "l1").words for named in having if not vocabulary.missing(named, "l1")
        },
        "numbers": NUMBERS | COMPARED_ONLY,
        "models": vocabulary.model_words,
        "completion": {
            text: [[one.insert, one.kind, one.words, one.shape] for one in complete(text, len(text), vocabulary)]
            for text in ("", "d", "h_l1", "norm(s", "model == ")
        },
    }


def cell_quantities(cell: str) -> Plain:
    """The numbers behind every name of the language, of both layers and directions."""
    structure = structure_of(cell, True, layers=2)
    trace = trace_of(structure)
    scope = TraceScope(trace)
    found: Plain = {}
    for layer in structure.layer_names:
        for name, named in named_quantities().items():
            if named.layered or layer == "l0":
                try:
                    found[f"{name} of {layer}" if named.layered else name] = scope.quantity(name, layer).tolist()
                except NoValueError:
                    continue
    return found


def cell_what_if(cell: str) -> Plain:
    """What can be set by hand, by its name: its words and the colours it has."""
    equations = structure_of(cell, True).equations
    found = [value_of(equations, node) for node in equations.settable]
    return {one.name: [one.symbol, one.words, one.family, one.limits and list(one.limits)] for one in found}


def cell_provenance(cell: str) -> Plain:
    """What every gradient of one place is made of, in the lower layer and, of its state, in the others."""
    trace = trace_of(structure_of(cell, True, layers=2))
    found: Plain = {}
    for layer in trace.layers:
        whole = (*layer.equations.states, *layer.equations.pre_activations)
        for of in whole if layer.name in ("l0", "l1_reverse") else ("h",):
            place = GradientPlace(of, layer.name, MIDDLE + 1, UNIT + 1)
            made = provenance(trace, place)
            lists = {"losses": made.losses, "paths": made.paths, "units": made.units}
            found[place.words] = {"value": made.value} | {
                name: [_part(part) for part in sorted(parts, key=lambda part: part.words)]
                for name, parts in lists.items()
            }
    return found


def _part(part: Part) -> list[Any]:
    leads_to = "" if part.leads_to is None else part.leads_to.words
    return [part.words, part.time_step, leads_to, part.value, part.share]


def cell_program(cell: str) -> list[str]:
    """The keys of the operations a cursor goes through inside a time step, as the debugger has them."""
    return list(Program(T, rows_of(Network.one(structure_of(cell, True)), T)).operations)


TASKS = {
    "one answer": TaskInfo(
        "temporal order", "symbols", ("a", "X"), "classes", ("p", "q", "r", "s"), "cross entropy", ()
    ),
    "many answers": TaskInfo(
        "next character", "symbols", ("a", "X"), "classes", ("p", "q", "r", "s"), "cross entropy", ()
    ),
    "values": TaskInfo("next value", "values", ("u", "v"), "values", ("u", "v", "w", "x"), "mean squared error", ()),
    "nothing": TaskInfo("given input", "values", ("u", "v"), "none", (), None, ()),
}


def lanes(cells: tuple[str, ...], task: str) -> Plain:
    """The lanes offered for these models beside each other, the usual ones, and those drawn, in their order."""
    info = TASKS[task]
    structures = [structure_of(cell, True) for cell in cells]
    traces = tuple(
        trace_of(structure, info.loss or "cross entropy", ONCE if task == "one answer" else OFTEN)
        for structure in structures
    )
    models = tuple(
        RunModel(number, cell, one, 9) for number, (cell, one) in enumerate(zip(cells, structures, strict=True))
    )
    state = flat_state(task=info, models=models, traces=traces, cursor=Cursor(0, Phase.FORWARD, 1))
    shown = resolve(state)
    return {
        "offered": [[one.key, one.words, one.default, one.on, one.room] for one in choices(shown)],
        "drawn": list(_places(state)),
        "all": list(_places(flat_state(state, hidden_lanes=frozenset(f"+{one.key}" for one in choices(shown))))),
    }


def _places(state: State) -> Iterator[list[Any]]:
    for place in lane_slots(resolve(state)):
        yield [place.key, place.model, place.column]
