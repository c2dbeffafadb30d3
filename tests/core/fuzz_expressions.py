"""Throws random and hostile texts at the expression language: `python tests/core/fuzz_expressions.py 2000000 [seed]`.

The test command runs 20,000. Each text is parsed with and without known models, and what is accepted is evaluated
against an LSTM's trace (T = 100, H = 64), a vanilla model's and bare metrics. It fails if anything but an
ExpressionError comes out, anything is executed, opened or imported, a result is not of the form that was announced, an
error underlines columns that are not there, or one text takes longer than 50 ms (the best of three, since the machine
has other things to do).
"""

import contextlib
import json
import random
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from rnnviz.core.expressions import Expression, ExpressionError, Scope, Vocabulary, parse
from rnnviz.core.expressions.completion import complete, signature
from rnnviz.core.expressions.functions import FUNCTIONS
from rnnviz.core.expressions.log_message import parse_message
from rnnviz.core.expressions.scope import FixedMetrics, MetricScope
from rnnviz.core.expressions.tokens import MAX_LENGTH
from rnnviz.core.expressions.trace_scope import TraceScope
from rnnviz.core.expressions.values import MAX_VALUES
from rnnviz.core.expressions.vocabulary import METRICS, NUMBERS, named_quantities
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import Trace, rebuild

LIMIT = 0.05  # seconds
HOSTILE = json.loads((Path(__file__).parent / "expressions" / "hostile_expressions.json").read_text())
NAMES = [*named_quantities(), *METRICS, *NUMBERS, *FUNCTIONS, "model", "cell", "lstm", "h_l0", "f_l1_reverse"]
WORDS = [*NAMES, "and", "or", "not"]
ARITHMETIC, COMPARISON = ["+", "-", "*", "/", "//", "%", "**"], ["<", "<=", "==", "!=", ">=", ">"]
SIGNS = [*ARITHMETIC, *COMPARISON, "(", ")", "[", "]", ",", ":", " "]
STRANGE = ["__import__", "lambda", "if", "else", "for", "in", "is", "None", "True", "eval", "open", "os", "yield"]
PLAIN = ["0", "1", "-1", "2", "50", "0.05", "1e-6", "1e308", "5e-324"]
LITERALS = [*PLAIN, "1e999", "9" * 60, ".5", "0x1f", "1j", "007"]
SUBSCRIPTS = ["t", "t", "T", "1", "-1", "7", "t - 1", ":", "2:5", "t:", "k", "h[1, 1]"]
ODD = "\0\t\n\r\x1b\x7f\u00a0éß²٣ℎ𝐡∂≤−×‖\u200b\u202e\ufeff\ud800😀"
CHARACTERS = [*(chr(code) for code in range(32, 127)), *ODD]


@dataclass
class Report:
    """What happened so far."""

    accepted: int = 0
    refused: int = 0
    slowest: float = 0.0
    slowest_text: str = ""
    problems: list[str] = field(default_factory=list)
    sentences: Counter[str] = field(default_factory=Counter)


class Watch:
    """Records what Python says it does, through its audit hook; parsing text into a tree is the one thing allowed."""

    def __init__(self) -> None:
        self.on = False
        self.seen: list[str] = []
        sys.addaudithook(self._hook)

    def _hook(self, event: str, arguments: tuple[object, ...]) -> None:
        if self.on and not (event == "compile" and arguments[1] == "expression"):
            self.seen.append(f"{event} {arguments!r:.80}")


def small_trace(cell: str, time_steps: int, hidden: int, seed: int) -> Trace:
    """A trace of random weights; its gradients are nonsense but everything is there."""
    draw = np.random.default_rng(seed)
    structure = Structure(cell, 3, hidden)
    shapes = structure.parameter_shapes().items()
    weights = {name: draw.normal(0, 0.3, shape).astype(np.float32) for name, shape in shapes}
    inputs = draw.normal(0, 1, (time_steps, 2, 3)).astype(np.float32)
    state = np.zeros((1, 2, hidden), np.float32)
    grad = draw.normal(0, 1, (time_steps, 2, hidden)).astype(np.float32)
    initial = dict.fromkeys(structure.equations.states, state)
    return rebuild(Capture.of_one(weights, structure=structure, inputs=inputs, initial=initial, grad_output=grad))


def noise(draw: random.Random) -> str:
    """Characters of any kind."""
    length = draw.randrange(700) if draw.random() < 0.01 else draw.randrange(60)
    return "".join(draw.choices(CHARACTERS, k=length))


def soup(draw: random.Random) -> str:
    """Words and signs of the language, and some of Python's, in any order."""
    pool = draw.choice([WORDS, SIGNS, SIGNS, LITERALS, STRANGE])
    pieces = [draw.choice(draw.choice([pool, WORDS, SIGNS, LITERALS])) for _ in range(draw.randrange(1, 30))]
    return draw.choice(["", " "]).join(pieces)


def tree(draw: random.Random, depth: int = 0) -> str:
    """Text of the right grammar, though often with shapes that do not fit: numbers or, more rarely, yes or no."""
    if draw.random() < 0.3:
        return _answer(draw, depth)
    kind = draw.random()
    if depth > 6 or kind < 0.35:
        return _leaf(draw, depth)
    if kind < 0.7:
        return f"{tree(draw, depth + 1)} {draw.choice(ARITHMETIC)} {tree(draw, depth + 1)}"
    if kind < 0.9:
        count = 3 if draw.random() < 0.1 else 1
        return f"{draw.choice(list(FUNCTIONS))}({', '.join(tree(draw, depth + 1) for _ in range(count))})"
    return f"{draw.choice(['-', '+', ''])}({tree(draw, depth + 1)})"


def _answer(draw: random.Random, depth: int) -> str:
    kind = draw.random()
    if depth > 5 or kind < 0.5:
        return f"{_leaf(draw, depth + 1)} {draw.choice(COMPARISON)} {_leaf(draw, depth + 1)}"
    if kind < 0.7:
        return f"{draw.choice(['any', 'all', 'not '])}({_answer(draw, depth + 1)})"
    if kind < 0.8:
        return f"{draw.choice(['isnan', 'isfinite'])}({_leaf(draw, depth + 1)})"
    if kind < 0.85:
        return draw.choice(["model == lstm", "cell != gru", "model == 1", "model != vanilla"])
    return f"{_answer(draw, depth + 1)} {draw.choice(['and', 'or'])} {_answer(draw, depth + 1)}"


def _leaf(draw: random.Random, depth: int) -> str:
    kind = draw.random()
    if kind < 0.25:
        return draw.choice(PLAIN)
    if kind < 0.4:
        return draw.choice([*METRICS, *NUMBERS])
    if kind < 0.45:
        return f"{draw.choice(['median', 'mean', 'min', 'max'])}({draw.choice(METRICS)}, {draw.choice(LITERALS)})"
    name = draw.choice(list(named_quantities()))
    if kind < 0.65:
        return name
    places = [draw.choice(SUBSCRIPTS) for _ in range(draw.randrange(1, 3))]
    if depth < 5 and draw.random() < 0.2:
        places[0] = tree(draw, depth + 2)
    return f"{name}[{', '.join(places)}]"


def mutated(draw: random.Random, text: str) -> str:
    """`text` with a few characters lost, doubled, swapped in or out."""
    for _ in range(draw.randrange(1, 4)):
        place = draw.randrange(len(text) + 1)
        cut = draw.randrange(4)
        piece = draw.choice(["", draw.choice(CHARACTERS), draw.choice(SIGNS), text[:cut]])
        text = text[:place] + piece + text[place + cut :]
    return text


def any_text(draw: random.Random) -> str:
    """One text of any of these kinds."""
    kind = draw.random()
    if kind < 0.12:
        return noise(draw)
    if kind < 0.3:
        return soup(draw)
    if kind < 0.7:
        return tree(draw)
    if kind < 0.85:
        return mutated(draw, tree(draw))
    return mutated(draw, draw.choice(HOSTILE["refused"] + HOSTILE["harmless"]))


def ways_to_ask() -> list[tuple[Vocabulary, list[Scope]]]:
    """Nothing known, two models known, an LSTM alone known; with the scopes that are asked then."""
    traces = {"LSTM": small_trace("lstm", 100, 64, 1), "Vanilla": small_trace("vanilla", 30, 8, 2)}
    metrics = FixedMetrics({"loss": 0.3, "accuracy": 0.5, "grad_norm": float("inf")})
    scopes: list[Scope] = [
        TraceScope(traces["LSTM"], time_step=17, training_step=100, metrics=metrics, model="LSTM", model_number=2),
        TraceScope(traces["Vanilla"], time_step=1, metrics=metrics, model="Vanilla"),
        MetricScope(metrics, 100),
    ]
    known = Vocabulary(tuple(trace.network for trace in traces.values()), tuple(traces))
    only_lstm = Vocabulary((traces["LSTM"].network,), ("LSTM",))
    return [(Vocabulary(), scopes), (known, scopes), (only_lstm, scopes[:1])]


def attempt(text: str, vocabulary: Vocabulary, scopes: list[Scope]) -> tuple[Expression | None, list[object], str]:
    """The expression, its values (or the errors of evaluating it), and the sentence of a refusal."""
    try:
        expression = parse(text, vocabulary)
    except ExpressionError as problem:
        if not (str(problem) and 0 <= problem.start <= problem.end <= len(text)):
            raise AssertionError(f"columns {problem.start} to {problem.end}: {problem}") from problem
        return None, [], str(problem)
    values: list[object] = []
    for scope in scopes:
        try:
            values.append(expression.evaluate(scope))
            expression.explain(scope)
        except ExpressionError as problem:
            values.append(problem)
    return expression, values, ""


def check_value(expression: Expression, value: object) -> None:
    """AssertionError where `value` is not what `form` announced."""
    form = expression.form
    if isinstance(value, ExpressionError):
        assert 0 <= value.start < value.end <= MAX_LENGTH, f"columns {value.start} to {value.end}: {value}"
    elif form.single:
        assert type(value) is (bool if form.yes_no else float), f"{type(value)} for {form.words}"
    else:
        assert isinstance(value, np.ndarray), f"{type(value)} for {form.words}"
        assert not value.flags.writeable
        assert value.size <= MAX_VALUES
        assert value.dtype == (bool if form.yes_no else np.float64), f"{value.dtype} for {form.words}"
        sizes = [axis.size or size for axis, size in zip(form.axes, value.shape, strict=True)]
        assert sizes == list(value.shape), f"{value.shape} for {form.words}"


def fuzz(count: int, seed: int) -> Report:
    """Tries `count` texts."""
    draw, ways, watch, report = random.Random(seed), ways_to_ask(), Watch(), Report()
    for text in [*HOSTILE["refused"], *HOSTILE["harmless"], *named_quantities()]:
        attempt(text, *ways[0])  # what is imported or rebuilt on first use is so now
    for number in range(count):
        text, way = any_text(draw), ways[number % len(ways)]
        watch.on = True
        try:
            _try(report, text, number, *way)
        except Exception as problem:  # any other exception is what is looked for
            report.problems.append(f"{text!r}: {type(problem).__name__}: {problem}")
        watch.on = False
    report.problems += [f"did something: {event}" for event in watch.seen]
    if report.slowest > LIMIT:
        report.problems.append(f"{report.slowest_text!r} took {report.slowest * 1e3:.1f} ms")
    return report


def _try(report: Report, text: str, number: int, vocabulary: Vocabulary, scopes: list[Scope]) -> None:
    """One text through everything that takes text."""
    start = time.process_time()
    expression, values, sentence = attempt(text, vocabulary, scopes)
    seconds = time.process_time() - start
    if expression is None:
        report.refused += 1
        report.sentences[sentence[:24]] += 1
    else:
        report.accepted += 1
        for value in values:
            check_value(expression, value)
    complete(text, number % (len(text) + 1), vocabulary)
    signature(text, number % (len(text) + 1))
    if number % 16 == 0:
        with contextlib.suppress(ExpressionError):
            parse_message(f"at {text} {{{text}}}", vocabulary).fill(scopes[0])
    if seconds > report.slowest:
        seconds = min([seconds, *(_seconds(text, vocabulary, scopes) for _ in range(2))])
        if seconds > report.slowest:
            report.slowest, report.slowest_text = seconds, text


def _seconds(text: str, vocabulary: Vocabulary, scopes: list[Scope]) -> float:
    start = time.process_time()
    attempt(text, vocabulary, scopes)
    return time.process_time() - start


def main() -> int:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 20_000
    warnings.simplefilter("error")
    report = fuzz(count, int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    print(f"{count:,} texts: {report.accepted:,} accepted, {report.refused:,} refused in {len(report.sentences)} ways")
    print(f"slowest {report.slowest * 1e3:.2f} ms: {report.slowest_text!a}")
    print(f"problems: {len(report.problems)}")
    for problem in report.problems[:20]:
        print(f"  {problem!a}")
    return 1 if report.problems else 0


if __name__ == "__main__":
    sys.exit(main())
