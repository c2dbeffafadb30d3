"""What each part of an expression means: one closure for each node, its form known before anything is computed."""

import ast
from operator import methodcaller
from typing import cast

import numpy as np

from rnnviz.core.expressions.calls import compares_models, compile_call, compile_model_comparison
from rnnviz.core.expressions.compiler import Compiled, Compiler, applied, located
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.scope import Scope
from rnnviz.core.expressions.shapes import NUMBER, YES_NO, Form
from rnnviz.core.expressions.subscripts import Read, compile_subscript, read_quantity
from rnnviz.core.expressions.values import (
    ARITHMETIC,
    BOTH,
    COMPARISON,
    EITHER,
    WEIGHT_OF_SMALL_POWER,
    WEIGHTS,
    Operation,
    Value,
    check_work,
)
from rnnviz.core.expressions.vocabulary import COMPARED_ONLY, NUMBERS

_SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Pow: "**",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.GtE: ">=",
    ast.Gt: ">",
}


class ExpressionCompiler(Compiler):
    """One case for each kind of node."""

    def compile(self, node: ast.expr) -> Compiled:
        """ExpressionError for a node that is not on this list, whatever Python would make of it."""
        match node:
            case ast.Constant():
                return self._constant(node)
            case ast.Name():
                return self._name(node)
            case ast.BinOp():
                return self._arithmetic(node)
            case ast.UnaryOp():
                return self._unary(node)
            case ast.Compare():
                return self._comparison(node)
            case ast.BoolOp():
                return self._logic(node)
            case ast.Subscript():
                return self._subscript(node)
            case ast.Call():
                return compile_call(self, node)
            case _:
                return super().compile(node)

    def _constant(self, node: ast.Constant) -> Compiled:
        if type(node.value) not in (int, float):
            raise self.problem(node, "Only numbers can be written out.")
        try:
            value = float(cast(float, node.value))
        except OverflowError:
            value = np.inf
        if value == np.inf:
            raise self.problem(node, "This number is too large for float64.")
        return Compiled(NUMBER, lambda scope: value)

    def _name(self, node: ast.Name) -> Compiled:
        name, span = node.id, self.span(node)
        if name in NUMBERS:
            self.numbers.add(name)
            return Compiled(NUMBER, located(span, lambda scope: scope.number(name)))
        if name in COMPARED_ONLY:
            raise self.problem(node, f"{name} is compared with == or !=: {COMPARED_ONLY[name]}.")
        if self.vocabulary.split(name):
            form, read = self._quantity(node)

            def whole(scope: Scope) -> Value:
                values = read.values(scope)
                check_work(values.size, self.work)
                return np.asarray(values, np.float64)

            return Compiled(form, located(span, whole))
        if name in self.vocabulary.known_metrics:
            self.metrics.setdefault(name, 1)
            return Compiled(NUMBER, located(span, methodcaller("metric", name)))
        raise self.unknown(node)

    def _quantity(self, node: ast.Name) -> tuple[Form, Read]:
        """ExpressionError naming the cell where no model has this quantity."""
        found = self.vocabulary.split(node.id)
        if found is None:
            raise self._no_quantity(node)
        missing = self.vocabulary.missing(*found)
        if missing:
            raise self.problem(node, missing)
        self.quantities.add(found[0].name)
        form = self.vocabulary.form(*found)
        return form, read_quantity(*found, form, self.span(node))

    def _no_quantity(self, node: ast.Name) -> ExpressionError:
        name = node.id
        if name in self.vocabulary.known_metrics:
            return self.problem(node, f"{name} is one number for each training step; median({name}, 50) looks back.")
        if name in NUMBERS or name in COMPARED_ONLY:
            return self.problem(node, f"{name} is one value and has no subscript.")
        return self.unknown(node)

    def _subscript(self, node: ast.Subscript) -> Compiled:
        if not isinstance(node.value, ast.Name):
            raise self.problem(node, "Only a quantity has a subscript, h[t].")
        return compile_subscript(self, node, *self._quantity(node.value))

    def _arithmetic(self, node: ast.BinOp) -> Compiled:
        sign = _SIGNS.get(type(node.op), "")
        if sign not in ARITHMETIC:
            raise self.problem(node, "This operator is not part of the language.")
        left, right = self.number(node.left), self.number(node.right)
        form = self._combined(node, left.form, right.form)
        single, arrays = ARITHMETIC[sign]
        self.work += WEIGHT_OF_SMALL_POWER if sign == "**" and _is_small(node.right) else WEIGHTS.get(sign, 1)
        return Compiled(form, applied(self.span(node), single if form.single else arrays, [left.run, right.run]))

    def _unary(self, node: ast.UnaryOp) -> Compiled:
        self.work += 1
        match node.op:
            case ast.Not():
                form, run = self._answer(node.operand)
                if form.single:
                    return Compiled(form, lambda scope: not run(scope))
                return Compiled(form, lambda scope: np.logical_not(run(scope)))
            case ast.USub():
                form, run = self.number(node.operand)
                return Compiled(form, lambda scope: -run(scope))
            case ast.UAdd():
                return self.number(node.operand)
            case _:
                raise self.problem(node, "This operator is not part of the language.")

    def _comparison(self, node: ast.Compare) -> Compiled:
        sides = [node.left, *node.comparators]
        signs = [_SIGNS.get(type(operation), "") for operation in node.ops]
        if any(sign not in COMPARISON for sign in signs):
            raise self.problem(node, "This comparison is not part of the language.")
        if compares_models(sides):
            return Compiled(YES_NO, compile_model_comparison(self, node))
        values = [self.number(side) for side in sides]
        self.work += len(signs)
        compares: list[Operation] = []
        form = NUMBER
        for sign, left, right in zip(signs, values, values[1:], strict=False):
            pair = self._combined(node, left.form, right.form)
            form = self._combined(node, form, pair)
            compares.append(COMPARISON[sign][0 if pair.single else 1])
        operation = compares[0] if len(compares) == 1 else _chain(compares, form.single)
        return Compiled(Form(form.axes, yes_no=True), applied(self.span(node), operation, [one.run for one in values]))

    def _logic(self, node: ast.BoolOp) -> Compiled:
        sides = [self._answer(value) for value in node.values]
        form = YES_NO
        for side in sides:
            form = self._combined(node, form, side.form)
        runs = [side.run for side in sides]
        self.work += len(sides)
        conjunction = isinstance(node.op, ast.And)
        if form.single and conjunction:
            return Compiled(YES_NO, lambda scope: all(run(scope) for run in runs))
        if form.single:
            return Compiled(YES_NO, lambda scope: any(run(scope) for run in runs))
        joined = BOTH if conjunction else EITHER

        def elementwise(*values: Value) -> Value:
            answer = values[0]
            for value in values[1:]:
                answer = joined(answer, value)
            return answer

        return Compiled(Form(form.axes, yes_no=True), applied(self.span(node), elementwise, runs))

    def _answer(self, node: ast.expr) -> Compiled:
        compiled = self.compile(node)
        if not compiled.form.yes_no:
            raise self.problem(node, f"A comparison is wanted here, loss < 0.05; this is {compiled.form.words}.")
        return compiled

    def _combined(self, node: ast.expr, one: Form, two: Form) -> Form:
        form = one.combined(two)
        if form is None:
            raise self.problem(node, f"{one.words} and {two.words} cannot be combined one by one.")
        return form


def _is_small(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value in (2, 3, 4)


def _chain(compares: list[Operation], single: bool) -> Operation:
    """a < b < c: every neighbouring pair."""

    def chained(*sides: Value) -> Value:
        answer = compares[0](sides[0], sides[1])
        for compare, left, right in zip(compares[1:], sides[1:], sides[2:], strict=False):
            one = compare(left, right)
            answer = (answer and one) if single else BOTH(answer, one)
        return answer

    return chained


def parts(compiler: Compiler, node: ast.expr) -> dict[str, ast.expr]:
    """The pieces whose values explain a yes-or-no, by their text: what is compared or tested, but no plain numbers."""
    inner: list[dict[str, ast.expr]] = []
    match node:
        case ast.BoolOp(values=values):
            inner = [parts(compiler, value) for value in values]
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = [parts(compiler, operand)]
        case ast.Call(func=ast.Name(id="any" | "all"), args=[argument]):
            inner = [parts(compiler, argument)]
        case ast.Call(func=ast.Name(id="isnan" | "isfinite"), args=[argument]):
            inner = [_part(compiler, argument)]
        case ast.Compare(left=left, comparators=comparators) if not compares_models([left, *comparators]):
            inner = [_part(compiler, side) for side in (left, *comparators)]
    return {text: found for pieces in inner for text, found in pieces.items()}


def _part(compiler: Compiler, node: ast.expr) -> dict[str, ast.expr]:
    named = any(isinstance(inner, ast.Name) for inner in ast.walk(node))
    return {compiler.text_of(node): node} if named else {}
