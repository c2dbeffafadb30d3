"""Calls of the named functions, and comparisons with the names of models and cells."""

import ast
import difflib
from collections.abc import Sequence

from rnnviz.core.expressions.compiler import Compiled, Compiler, Run, applied, located
from rnnviz.core.expressions.functions import FUNCTIONS, MAX_WINDOW, Function
from rnnviz.core.expressions.problems import ExpressionError
from rnnviz.core.expressions.shapes import NUMBER
from rnnviz.core.expressions.values import WEIGHTS
from rnnviz.core.expressions.vocabulary import (
    COMPARED_ONLY,
    NUMBERS,
    cell_names,
    did_you_mean,
    model_word,
)


def compile_call(compiler: Compiler, node: ast.Call) -> Compiled:
    """norm(dh[1]), clip(h, -1, 1), or median(grad_norm, 50) over a metric's last values."""
    if not isinstance(node.func, ast.Name) or node.keywords:
        raise compiler.problem(node, "Only functions are called, norm(h[t]).")
    function = FUNCTIONS.get(node.func.id)
    if function is None:
        raise _no_function(compiler, node.func)
    if function.window and len(node.args) == 2:
        return Compiled(NUMBER, _window(compiler, function, node))
    wanted = len(function.arguments)
    if len(node.args) != wanted:
        noun = "value" if wanted == 1 else "values"
        raise compiler.problem(node, f"{function.call} takes {wanted} {noun}, not {len(node.args)}.")
    values = compiler.compile(node.args[0]) if function.kind == "answers" else compiler.number(node.args[0])
    more = [_single(compiler, argument, function) for argument in node.args[1:]]
    compiler.work += WEIGHTS.get(function.name, 1)
    span = compiler.span(node)
    try:
        form, operation = function.of(values.form)
    except ExpressionError as problem:
        raise problem.at(*span) from None
    return Compiled(form, applied(span, operation, [values.run, *more]))


def _no_function(compiler: Compiler, node: ast.Name) -> ExpressionError:
    name = node.id
    if compiler.vocabulary.split(name):
        return compiler.problem(node, f"{name} is a quantity, not a function: its subscript is {name}[t].")
    if name in compiler.vocabulary.known_metrics or name in NUMBERS:
        return compiler.problem(node, f"{name} is a number, not a function.")
    near = did_you_mean(difflib.get_close_matches(name.lower(), FUNCTIONS, n=3))
    return compiler.problem(node, f"There is no function {name}, but {', '.join(FUNCTIONS)}.{near}")


def _single(compiler: Compiler, node: ast.expr, function: Function) -> Run:
    form, run = compiler.number(node)
    if not form.single:
        raise compiler.problem(node, f"One number is wanted here by {function.call}, not {form.words}.")
    return run


def _window(compiler: Compiler, function: Function, node: ast.Call) -> Run:
    metric, count = node.args
    known = compiler.vocabulary.known_metrics
    if not isinstance(metric, ast.Name) or metric.id not in known:
        if isinstance(metric, ast.Name) and not compiler.vocabulary.split(metric.id) and metric.id not in NUMBERS:
            raise compiler.unknown(metric)
        having = ", ".join(sorted(known))
        raise compiler.problem(metric, f"{function.name}(…, 50) looks back on a metric: {having}.")
    if not isinstance(count, ast.Constant) or type(count.value) is not int or not 1 <= count.value <= MAX_WINDOW:
        raise compiler.problem(count, f"A whole number from 1 to {MAX_WINDOW:,} is wanted here.")
    name, length, reduce = metric.id, count.value, function.window
    assert reduce is not None  # the caller looked
    compiler.metrics[name] = max(length, compiler.metrics.get(name, 1))
    return located(compiler.span(metric), lambda scope: reduce(scope.metric_window(name, length)))


def compares_models(sides: Sequence[ast.expr]) -> bool:
    """Whether a comparison asks for the model or its cell."""
    return any(isinstance(side, ast.Name) and side.id in COMPARED_ONLY for side in sides)


def compile_model_comparison(compiler: Compiler, node: ast.Compare) -> Run:
    """model == lstm, model != 2, cell == gru: names of models and cells are bare words."""
    sides = [node.left, *node.comparators]
    subject, other = sides[:2] if compares_models(sides[:1]) else (sides[-1], sides[0])
    asked = subject.id if isinstance(subject, ast.Name) and subject.id in COMPARED_ONLY else "model"
    if len(sides) != 2 or not isinstance(node.ops[0], ast.Eq | ast.NotEq):
        raise compiler.problem(node, f"{asked} is compared once, with == or !=: {COMPARED_ONLY[asked]}.")
    equal = isinstance(node.ops[0], ast.Eq)
    if isinstance(other, ast.Constant) and asked == "model":
        number = compiler.compile(other).run
        return lambda scope: (scope.model_number == number(scope)) is equal
    if not isinstance(other, ast.Name):
        raise compiler.problem(other, f"A bare word is wanted here: {COMPARED_ONLY[asked]}.")
    word = other.id.casefold()
    known: Sequence[str] = cell_names() if asked == "cell" else list(compiler.vocabulary.model_words)
    if known and word not in known:
        near = did_you_mean(difflib.get_close_matches(word, known, n=3))
        raise compiler.problem(other, f"There is no {asked} {other.id}, but {', '.join(known)}.{near}")
    if asked == "cell":
        return lambda scope: (scope.cell == word) is equal
    return lambda scope: (model_word(scope.model) == word) is equal
