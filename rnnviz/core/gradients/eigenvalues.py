"""Eigenvalues of recurrent weights: of each block through which a state comes back, and of diagonal ones.

They are those of the weights alone, without any sequence: of W_{hh} where |λ| < 1 and the activation's slope is at most
1, what is carried fades (Pascanu, Mikolov & Bengio 2013, section 2.1).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from rnnviz.core.arrays import Array, FrozenArrays, frozen
from rnnviz.core.blas import one_blas_thread
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Diagonal, FromWeights, Matrix, Node, RealPart
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.steps.nodes import NUMBERS


@dataclass(frozen=True, eq=False)
class Eigenvalues(FrozenArrays):
    """Those of one recurrent matrix, block of one, or diagonal."""

    symbol: (
        str  # markup: "W_{hh}", of the forget gate's rows "W_{hf}", with a projection "W_{hr} W_{hf}", of an LRU "Λ"
    )
    words: str  # of the gate it leads to; "" for a matrix as a whole
    values: Array  # (n,) complex128; NaN where the weights are not finite
    diagonal: bool = False  # whether its numbers are its eigenvalues

    @property
    def radius(self) -> float:
        """The largest |λ|."""
        return float(np.abs(self.values).max(initial=0))


@dataclass(frozen=True)
class Recurrence:
    """What of a layer's weights has eigenvalues, and one sentence on what has none; "" where nothing is to be said."""

    found: tuple[Eigenvalues, ...]
    note: str = ""


def recurrent_eigenvalues(structure: Structure, weights: Mapping[str, Array]) -> Recurrence:
    """The eigenvalues of one layer and direction; `weights` by their names in the cell, as `Layer.weights`."""
    *_, (_, found) = eigenvalue_steps(structure, weights)
    return found


def eigenvalue_steps(structure: Structure, weights: Mapping[str, Array]) -> Iterator[tuple[float, Recurrence]]:
    """The same after each matrix, with the share that is done: at the end 1."""
    cell, found = structure.equations, list[Eigenvalues]()
    for one in _each(structure, weights):
        found.append(one)
        yield len(found) / (len(cell.blocks) + len(found) + 1), Recurrence(tuple(found))
    yield 1.0, Recurrence(tuple(found), _note(cell, bool(found)))


def _each(structure: Structure, weights: Mapping[str, Array]) -> Iterator[Eigenvalues]:
    cell = structure.equations
    for node in cell.nodes:
        match node.operation:
            case Matrix(weight=weight, value=value) if weight.name in cell.recurrent_matrices:
                back = _matrix_of(cell, value.name) if value.before else None
                if back is None and any(_matrix_of(cell, state) == weight.name for state in cell.states):
                    continue  # it comes with those that read what it makes
                for symbol, words, matrix in _blocks(cell, weight.name, weights[weight.name], structure.hidden_size):
                    if back is not None:
                        symbol = f"{cell.parameter_named[back].symbol} {symbol}"
                        matrix = weights[back].astype(np.float64) @ matrix
                    yield Eigenvalues(symbol, words, _of_matrix(matrix))
            case Diagonal(weight=weight, value=value) if value.before:
                symbol = cell.parameter_named[weight.name].symbol
                yield Eigenvalues(symbol, "", frozen(weights[weight.name].astype(complex)), diagonal=True)
            case RealPart(values=(real, state, imaginary, _)) if state.before:
                parts = [_from_weights(cell.node(one.name), weights) for one in (real, imaginary)]
                if parts[0] is not None and parts[1] is not None:
                    values = parts[0] + 1j * parts[1]
                    pair = np.concatenate((values, values.conj()))  # of the real map of both parts
                    yield Eigenvalues("Λ", "", frozen(pair), diagonal=True)
            case _:
                pass


def _note(cell: Cell, any_found: bool) -> str:
    if not cell.states:
        return f"The {cell.words} carries no state from one time step to the next: it has no recurrent weights."
    if not any_found:
        return f"The {cell.words} has no recurrent weights: what it keeps of its state follows from its input."
    return ""


def _matrix_of(cell: Cell, state: str) -> str | None:
    """The matrix that makes a state, as a projection or a read-out does: H × P and P × H are square together."""
    operation = cell.node(state).operation
    parts = [
        operation,
        *(cell.node(one.name).operation for one in operation.values if one.name != "x" and not one.before),
    ]
    return next((one.weight.name for one in parts if isinstance(one, Matrix)), None)


def _blocks(cell: Cell, name: str, weight: Array, hidden: int) -> list[tuple[str, str, Array]]:
    """Symbol, words and rows of each gate's part of a stacked matrix; of another the whole."""
    parameter = cell.parameter_named[name]
    if parameter.rows != "rows" or len(cell.blocks) == 1:
        return [(parameter.symbol, "", weight)]
    words = {gate.name: gate.words for gate in cell.gates}
    return [
        (f"{parameter.symbol[:-2]}{block}}}", words.get(block, ""), weight[cell.block_rows(block, hidden)])
        for block in cell.blocks
    ]  # W_{hi} of W_{hh}, as torch writes them


@one_blas_thread
@np.errstate(all="ignore")
def _of_matrix(matrix: Array) -> Array:
    exact = matrix.astype(np.float64)
    if not np.isfinite(exact).all():
        return frozen(np.full(len(exact), np.nan, complex))
    return frozen(np.linalg.eigvals(exact).astype(complex))


@np.errstate(all="ignore")
def _from_weights(node: Node, weights: Mapping[str, Array]) -> Array | None:
    """(H,) what a node makes of weights alone; None where it reads a value."""
    operation = node.operation
    if not isinstance(operation, FromWeights):
        return None
    used = [weights[weight.name].astype(np.float64) for weight in operation.weights]
    return np.asarray(operation.compute(NUMBERS, (), used))
