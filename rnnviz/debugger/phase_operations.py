"""The operations of each phase of a training step: what a cursor can stand on inside a time step, the loss, the update.

The sweeps have those of the cell, the loss those of the head, forward and then backward, the update those from the
gradient to the new weights. A model without a head has none in its loss, a run that is not trained none in its update.
"""

from functools import lru_cache

from rnnviz.core import formula
from rnnviz.core.equations import operations as cells
from rnnviz.core.equations.around import NOTHING, Around, AroundOperation
from rnnviz.core.optimising.update import UpdateRule
from rnnviz.core.optimising.update import operations as update_operations
from rnnviz.core.structure import LayerId, Structure
from rnnviz.core.sweeps.capture import HeadKind
from rnnviz.core.sweeps.heads.head_operations import backward_operations, forward_operations
from rnnviz.core.sweeps.trace import Trace
from rnnviz.debugger.cursor import Phase

AnyOperation = cells.Operation | formula.Operation | AroundOperation  # both have a key, a symbol and words


@lru_cache(maxsize=256)
def phase_operations(
    structure: Structure,
    head: HeadKind | None,
    rule: UpdateRule | None,
    phase: Phase,
    parameter: str = "W",
    beside: Around = NOTHING,
) -> tuple[AnyOperation, ...]:
    """The operations of a model's phase in the order it goes through them; `parameter` is the symbol of the one that an
    update is written for. `head` None: there is none; `rule` None: not trained; `beside`: what stands around the cell
    of the layer that is swept."""
    match phase:
        case Phase.FORWARD:
            return (*beside.opening, *beside.before, *cells.operations(structure), *beside.after)
        case Phase.BACKWARD:
            return phase_operations(structure, head, rule, Phase.FORWARD, parameter, beside)[::-1]
        case Phase.LOSS if head is not None:
            output = head_input(structure)
            return (*forward_operations(head, output), *backward_operations(head, output))
        case Phase.UPDATE if rule is not None:
            return update_operations(rule, parameter)
        case _:
            return ()


@lru_cache(maxsize=256)
def phase_keys(structure: Structure, head: HeadKind | None, rule: UpdateRule | None, phase: Phase) -> tuple[str, ...]:
    """The keys of `phase_operations`, which name them in a cursor."""
    return tuple(one.key for one in phase_operations(structure, head, rule, phase))


def short_words(operation: AnyOperation) -> str:
    """What an operation is called, without what explains it."""
    return operation.words.partition(":")[0]


def head_input(structure: Structure) -> str:
    """The symbol of what a head reads or pools: the state of the top layer, or both directions' states together."""
    cell = structure.equations
    return "output_t" if structure.bidirectional else cell.node(cell.output).symbol


def headed(trace: Trace) -> Structure:
    """The structure whose outputs the head reads, of an encoder–decoder the decoder's."""
    calls = [one.call.structure for one in trace.calls if one.head is not None]
    return calls[-1] if calls else trace.structure


def head_column(structure: Structure, layer: str, unit: int) -> int:
    """The place (0-based) of a unit of a layer in what the head reads: the units of the reverse direction come last."""
    return unit + (structure.output_size if LayerId.read(layer).reverse and structure.bidirectional else 0)
