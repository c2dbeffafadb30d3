"""Programs to walk through, made from what a network looks like."""

from typing import Any

from rnnviz.core.network import Network
from rnnviz.core.structure import Structure
from rnnviz.debugger.program import Program
from rnnviz.debugger.rows import rows_of, spoken


def program_of(time_steps: int, structure: Structure | None, *others: Any, **more: Any) -> Program:
    """The program of one recurrent module; None: of one row of time steps."""
    if structure is None:
        return Program(time_steps, (), *others, **more)
    network = Network.one(structure)
    return Program(time_steps, rows_of(network, time_steps), *others, **more, spoken=spoken(network))


def in_two_stages(
    read: int, written: int, structure: Structure, decoder: Structure, *others: Any, **more: Any
) -> Program:
    """The program of an encoder that reads so many time steps and a decoder that writes so many."""
    network = Network.of([("", structure), ("decoder", decoder)])
    rows = rows_of(network, read + written, ((0, read), (read, read + written)))
    return Program(read + written, rows, *others, **more, spoken=spoken(network))
