"""Parameter factors: the two arrays over time whose products, summed, are the gradient of a parameter of a layer."""

from typing import Protocol

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.node import Matrix, Node, Value
from rnnviz.core.sweeps.shares import Factors
from rnnviz.core.sweeps.steps.nodes import Slopes


class Differentiated(Protocol):
    """What of a layer tells the gradients of its parameters."""

    @property
    def equations(self) -> Cell: ...
    @property
    def slopes(self) -> Slopes: ...
    def read(self, value: Value) -> Array: ...
    def grad(self, name: str) -> Array: ...
    def passed_on(self, name: str) -> Array: ...


def all_factors(layer: Differentiated) -> dict[str, Factors]:
    """By parameter."""
    return {parameter.name: _factors(layer, parameter.name) for parameter in layer.equations.parameters}


@np.errstate(all="ignore")
def _factors(layer: Differentiated, parameter: str) -> Factors:
    uses = layer.equations.weight_uses(parameter)
    node, weight = uses[0]
    if isinstance(node.operation, Matrix):
        return Factors(layer.passed_on(node.name), layer.read(node.operation.value))
    if weight.block:
        return Factors(_stacked(layer, parameter), None)
    parts = [_added(layer, node, place) for node, place in layer.equations.weight_places(parameter)]
    return Factors(sum(parts[1:], parts[0]), None)


def _added(layer: Differentiated, node: Node, place: int) -> Array:
    """(T, N, units) what a node adds to a vector of weights: one number a unit."""
    slope = layer.slopes.by_weight(node, place)
    gradient = layer.passed_on(node.name)
    return gradient if slope is None else np.asarray(gradient.astype(np.float64) * slope)


def _stacked(layer: Differentiated, parameter: str) -> Array:
    """The gradient of a bias whose blocks several nodes add: that of stacked rows the same nodes read, if any."""
    cell = layer.equations
    adding = {(node.name, weight.block) for node, weight in cell.weight_uses(parameter)}
    for node in cell.nodes:
        if node.units == "rows" and {(use.node.name, use.value.block) for use in cell.uses[node.name]} == adding:
            return layer.grad(node.name)
    by_block = {weight.block: layer.passed_on(node.name) for node, weight in cell.weight_uses(parameter)}
    return np.concatenate([by_block[block] for block in cell.blocks], axis=-1)
