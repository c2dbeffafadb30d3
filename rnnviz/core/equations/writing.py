"""Writes the equations of a cell from its nodes: what each computes, and by the chain rule its gradient.

A node without a symbol is written out where it is used, and so is its gradient. What comes from the next time step is
written with its factor first: f_{t+1} ⊙ ∂L/∂c_{t+1}.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

import numpy as np

from rnnviz.core.arrays import Array
from rnnviz.core.cells import Cell
from rnnviz.core.cells.cell import Use
from rnnviz.core.cells.node import (
    ArrayNumbers,
    Complement,
    Diagonal,
    Difference,
    Exp,
    FromWeights,
    ImaginaryPart,
    Matrix,
    Mix,
    Node,
    Product,
    RealPart,
    Relu,
    Share,
    Sigmoid,
    Softplus,
    Sum,
    Tanh,
    Value,
    Weight,
)
from rnnviz.core.equations.equation import Equation, Term

_NUMBERS = ArrayNumbers()
_PLACE = re.compile(r"\{(\d)\}")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")


class Binding(IntEnum):
    """How tightly what is written holds together, loosest first."""

    SUM = 0
    PRODUCT = 1  # u ⊙ v
    MATRIX = 2  # W v
    WHOLE = 3  # a symbol, or anything in brackets


@dataclass(frozen=True)
class Piece:
    """A part of a right-hand side: markup with one {} for each term, and what it comes to."""

    template: str
    terms: tuple[Term, ...]
    formula: Callable[..., Array]
    binding: Binding = Binding.WHOLE

    @staticmethod
    def of(term: Term) -> "Piece":
        return Piece("{}", (term,), _itself)


def _itself(value: Array) -> Array:
    return value


def joined(template: str, parts: Sequence[Piece], formula: Callable[..., Array]) -> Piece:
    """Pieces put into {0}, {1}, … of `template`; `formula` takes the value of each part once."""
    order = [int(place) for place in _PLACE.findall(template)]
    text = _PLACE.sub(lambda match: _bracketed(parts[int(match[1])], _needed(match)), template)
    terms = tuple(term for place in order for term in parts[place].terms)

    def computed(*values: Array) -> Array:
        found: dict[int, Array] = {}
        start = 0
        for place in order:
            end = start + len(parts[place].terms)
            if place not in found:
                found[place] = parts[place].formula(*values[start:end])
            start = end
        return np.asarray(formula(*(found[place] for place in range(len(parts)))))

    return Piece(text, terms, computed, _binding(template))


def _bracketed(part: Piece, needed: Binding) -> str:
    return f"({part.template})" if part.binding < needed else part.template


def _needed(match: re.Match[str]) -> Binding:
    """How tightly a part must hold together in its place of a template."""
    left, right = match.string[: match.start()], match.string[match.end() :]
    if right.startswith(("ᵀ", "²")):
        return Binding.WHOLE
    if left.endswith(("} ", "ᵀ ")) or right.startswith(" {"):
        return Binding.MATRIX
    if left.endswith((" ⊙ ", " − ", " / ")) or right.startswith((" ⊙ ", " / ")):
        return Binding.PRODUCT
    return Binding.SUM


def _binding(template: str) -> Binding:
    """How tightly what a template writes holds together: by its loosest sign outside of brackets."""
    outside, inner = template, ""
    while inner != outside:
        inner, outside = outside, _BRACKETS.sub("", outside)
    if " + " in outside or " − " in outside:
        return Binding.SUM
    if " ⊙ " in outside or " / " in outside:
        return Binding.PRODUCT
    return Binding.MATRIX if " " in outside else Binding.WHOLE


def shifted(piece: Piece, by: int) -> Piece:
    """The same one time step later."""
    return replace(piece, terms=tuple(_later(term, by) for term in piece.terms))


def _later(term: Term, by: int) -> Term:
    if term.kind == "parameter":
        return term
    return replace(term, symbol=symbol_at(term.symbol, term.offset + by, term.offset), offset=term.offset + by)


def symbol_at(symbol: str, offset: int, was: int = 0) -> str:
    """f_{t+1} for f_t, a_{i,t−1} for a_{i,t}."""
    times = {-1: "t−1", 0: "t", 1: "t+1"}
    if was:
        return symbol.replace(times[was], times[offset]).replace("_{t}", "_t")
    return (
        re.sub(r"_t(?![\w])", f"_{{{times[offset]}}}", symbol).replace(",t}", f",{times[offset]}}}")
        if offset
        else symbol
    )


class Writing:
    """The equations of one cell."""

    def __init__(self, cell: Cell) -> None:
        self.cell = cell

    # terms

    def value(self, value: Value) -> Piece:
        """What a node reads, as a term or written out."""
        offset = -1 if value.before else 0
        if value.name == "x":
            return Piece.of(Term(self.cell.input_symbol, "x"))
        node = self.cell.node(value.name)
        if not node.symbol:
            return self.forward(node)
        symbol = symbol_at(_block_symbol(node.symbol, value.block), offset)
        return Piece.of(Term(symbol, node.name, offset, block=value.block))

    def weight(self, weight: Weight) -> Piece:
        symbol = self.cell.parameter_named[weight.name].symbol
        if weight.block:
            symbol = f"{symbol[:-2]}{weight.block}}}"  # b_{ir} of b_{ih}
        return Piece.of(Term(symbol, weight.name, kind="parameter", block=weight.block))

    def forward(self, node: Node) -> Piece:
        """What a node computes."""
        operation = node.operation
        parts = [self.weight(p) if isinstance(p, Weight) else self.value(p) for p in operation.parts]
        places = [isinstance(part, Weight) for part in operation.parts]

        def computed(*values: Any) -> Array:
            read = [value for value, weight in zip(values, places, strict=True) if not weight]
            used = [value for value, weight in zip(values, places, strict=True) if weight]
            return np.asarray(operation.compute(_NUMBERS, read, used))

        return joined(operation.template, parts, computed)

    # gradients

    def gradient_symbol(self, node: Node, block: str = "") -> str:
        if node.gradient and not block:
            return node.gradient
        return f"∂L/∂{_block_symbol(node.symbol, block)}"

    def gradient(self, node: Node) -> Piece:
        """The gradient of a node: as a term, that of the sum it goes into whole, or written out."""
        uses = self.cell.uses[node.name]
        alone = len(uses) == 1 and isinstance(uses[0].node.operation, Sum) and uses[0].value == Value(node.name)
        if alone and node.name not in self.cell.states:
            return self.gradient(uses[0].node)
        if node.symbol:
            return Piece.of(Term(self.gradient_symbol(node), node.name, kind="gradient"))
        return self.arriving(node)

    def arriving(self, node: Node, block: str = "") -> Piece:
        """All that comes to a node: from the loss, from this time step and from the next one."""
        parts = []
        if node.name == self.cell.output:
            parts.append(Piece.of(Term(f"∂L_t/∂{node.symbol}", node.name, kind="direct")))
        uses = [use for use in self.cell.uses[node.name] if not block or use.value.block == block]
        parts += [self.sent(use) for use in uses if not use.value.before]
        parts += [self.sent_back(use) for use in uses if use.value.before]
        if len(parts) == 1:
            return parts[0]
        return joined(_plus(len(parts)), parts, _sum)

    def sent(self, use: Use) -> Piece:
        """What a node sends to a value of the same time step: its gradient times its derivative."""
        gradient = self.gradient(use.node)
        if isinstance(use.node.operation, Matrix):
            return joined("{0}ᵀ {1}", [self.weight(use.node.operation.weight), gradient], _transposed)
        slope = self.slope(use)
        return gradient if slope is None else joined("{0} ⊙ {1}", [gradient, slope], np.multiply)

    def sent_back(self, use: Use) -> Piece:
        """What the next time step sends to a state."""
        gradient = shifted(self.gradient(use.node), 1)
        if isinstance(use.node.operation, Matrix):
            weight = self.weight(use.node.operation.weight)
            written = joined("{0}ᵀ {1}", [weight, gradient], _transposed)
            symbol = written.template.format(*(term.symbol for term in written.terms))
            return replace(Piece.of(Term(symbol, use.node.name, 1, "passed")), binding=written.binding)
        slope = self.slope(use)
        return gradient if slope is None else joined("{0} ⊙ {1}", [shifted(slope, 1), gradient], np.multiply)

    def slope(self, use: Use) -> Piece | None:
        """The derivative of a node by a value it reads; None where it is 1."""
        operation = use.node.operation
        read = [self.value(value) for value in operation.values]
        match operation:
            case Sum():
                return None
            case Product():
                return read[1 - use.place]
            case Diagonal():
                return self.weight(operation.weight)
            case Complement():
                return _minus_one()
            case Difference():
                return _minus_one() if use.place else None
            case RealPart():
                partner = read[(1, 0, 3, 2)[use.place]]
                return partner if use.place < 2 else joined("(−{0})", [partner], np.negative)
            case ImaginaryPart():
                return read[(1, 0, 3, 2)[use.place]]
            case Softplus():
                return joined("σ({0})", read, _NUMBERS.sigmoid)
            case Share():
                if use.place:
                    return joined("(−{0}) / ({0} + {1})²", read, lambda u, v: np.asarray(-u / (u + v) / (u + v)))
                return joined("{1} / ({0} + {1})²", read, lambda u, v: np.asarray(v / (u + v) / (u + v)))
            case Mix():
                gate, one, other = read
                if use.place == 0:
                    return joined("({0} − {1})", [other, one], np.subtract)
                return joined("(1 − {0})", [gate], _complement) if use.place == 1 else gate
        if not use.node.symbol:  # written out: from what it squashes
            squash: dict[type[Any], tuple[str, Callable[..., Array]]] = {
                Tanh: ("(1 − tanh²({0}))", _tanh_slope),
                Sigmoid: ("σ′({0})", _sigmoid_slope),
                Exp: ("exp({0})", _NUMBERS.exp),
            }
            template, formula = squash.get(type(operation), ("[{0} > 0]", _positive))
            return joined(template, read, formula)
        result = self.value(Value(use.node.name))
        if isinstance(operation, Sigmoid):
            return joined("{0} ⊙ (1 − {1})", [result, result], lambda s, again: np.asarray(s * (1 - again)))
        if isinstance(operation, Tanh):
            return joined("(1 − {0}²)", [result], lambda s: np.asarray(1 - s * s))
        if isinstance(operation, Exp):
            return result
        assert isinstance(operation, Relu)  # the last of the closed list
        return joined("[{0} > 0]", [result], _positive)

    def _adds(self, node: Node, place: int) -> Piece:
        """What a node adds to the gradient of a vector of weights."""
        operation, gradient = node.operation, self.gradient(node)
        if isinstance(operation, Diagonal):
            slope = self.value(operation.value)
        elif isinstance(operation, FromWeights):
            form = operation.slopes[place]
            used = [self.weight(weight) for weight in operation.weights]
            slope = joined(form.template, used, lambda *weights: np.asarray(form.compute(_NUMBERS, weights)))
        else:
            return gradient
        return joined("{0} ⊙ {1}", [gradient, slope], np.multiply)

    # equations

    def computes(self, node: Node) -> Equation:
        """node = …"""
        return _equation(Term(node.symbol, node.name), self.forward(node))

    def gradients(self, node: Node) -> tuple[Equation, ...]:
        """∂L/∂node = …, one for each block where its blocks go different ways."""
        blocks = [use.value.block for use in self.cell.uses[node.name]]
        found = []
        for block in self.cell.blocks if blocks and all(blocks) else ("",):
            result = Term(self.gradient_symbol(node, block), node.name, kind="gradient", block=block)
            found.append(_equation(result, self.arriving(node, block)))
        return tuple(found)

    def passes(self, node: Node) -> Equation:
        """What a matrix passes on to x or to the state of the time step before."""
        assert isinstance(node.operation, Matrix)  # of x or of a state of the time step before
        value, gradient = node.operation.value, self.gradient(node)
        right = joined("{0}ᵀ {1}", [self.weight(node.operation.weight), gradient], _transposed)
        if value.name == "x":
            return _equation(Term(f"∂L/∂{self.cell.input_symbol}", "x", kind="gradient"), right)
        whole = gradient.terms[0].symbol if gradient.template == "{}" else self.gradient_symbol(node)
        before = symbol_at(self.cell.node(value.name).symbol, -1)
        symbol = f"(∂{whole.removeprefix('∂L/∂')}/∂{before})ᵀ {whole}"
        return _equation(Term(symbol, node.name, kind="passed"), right)

    def added(self, parameter: str) -> Equation:
        """What a parameter's gradient gets at one time step."""
        uses = self.cell.weight_uses(parameter)
        node, weight = uses[0]
        result = Term(f"(∂L/∂{self.cell.parameter_named[parameter].symbol})|_t", parameter, kind="added")
        if isinstance(node.operation, Matrix):
            partner = self.value(node.operation.value)
            return _equation(result, joined("{0} {1}ᵀ", [self.gradient(node), partner], np.outer))
        if not weight.block:
            parts = [self._adds(user, place) for user, place in self.cell.weight_places(parameter)]
            return _equation(result, parts[0] if len(parts) == 1 else joined(_plus(len(parts)), parts, _sum))
        adding = {(user.name, one.block) for user, one in uses}
        for stacked in self.cell.nodes:
            read = {(use.node.name, use.value.block) for use in self.cell.uses[stacked.name]}
            if stacked.units == "rows" and read == adding:
                return _equation(result, self.gradient(stacked))
        by_block = {one.block: self.gradient(user) for user, one in uses}
        parts = [by_block[block] for block in self.cell.blocks if block in by_block]
        template = "(" + "; ".join(f"{{{place}}}" for place in range(len(parts))) + ")"
        return _equation(result, joined(template, parts, lambda *rows: np.concatenate(rows)))


def _equation(result: Term, right: Piece) -> Equation:
    return Equation(result, right.template, right.terms, right.formula)


def _block_symbol(symbol: str, block: str) -> str:
    """a_{i,t} for a_t, a_{xi,t} for a_{x,t}."""
    if not block:
        return symbol
    return symbol.replace(",t}", f"{block},t}}") if ",t}" in symbol else symbol.replace("_t", f"_{{{block},t}}")


def _plus(count: int) -> str:
    return " + ".join(f"{{{place}}}" for place in range(count))


def _minus_one() -> Piece:
    return Piece("(−1)", (), lambda: np.asarray(-1.0))


def _sum(*parts: Array) -> Array:
    return np.asarray(sum(parts[1:], parts[0]))


def _transposed(weight: Array, gradient: Array) -> Array:
    return np.asarray(gradient @ weight)


def _complement(value: Array) -> Array:
    return np.asarray(1 - value)


def _tanh_slope(value: Array) -> Array:
    return np.asarray(1 - np.tanh(value) ** 2)


def _sigmoid_slope(value: Array) -> Array:
    squashed = _NUMBERS.sigmoid(value)
    return np.asarray(squashed * (1 - squashed))


def _positive(value: Array) -> Array:
    return np.asarray(value > 0)
