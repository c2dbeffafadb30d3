"""Mutants of a module: every one-line change that a plausible slip could be, found in its syntax tree.

What only an eye can judge of what is drawn is left alone in `rnnviz/gui`: sizes and margins that stand in constants,
calls that set nothing but spacing, stretch or a font, the insets of `adjusted`, and in a rectangle, a point or a
painter's `draw…` a bare number of pixels, added to a coordinate or alone: the −5 of `QRectF(x - 5, …)`. Where values
lie, `(t + 0.5) * width`, is none.
"""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

Function = ast.FunctionDef | ast.AsyncFunctionDef
_COMPARED = {
    ast.Lt: ("<", "<="), ast.LtE: ("<=", "<"), ast.Gt: (">", ">="), ast.GtE: (">=", ">"), ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="), ast.In: ("in", "not in"), ast.NotIn: ("not in", "in"), ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
}  # fmt: skip
_CALCULATED = {
    ast.Add: ("+", "-"), ast.Sub: ("-", "+"), ast.Mult: ("*", "/"), ast.Div: ("/", "*"), ast.FloorDiv: ("//", "-"),
    ast.Mod: ("%", "//"), ast.Pow: ("**", "*"),
}  # fmt: skip
_LEFT_ALONE = ("kill", "unlink", "rmtree", "remove(", "rename(")  # a slip there could reach beyond the tests
_SPACING = {
    "setSpacing", "setHorizontalSpacing", "setVerticalSpacing", "setContentsMargins", "setStretch", "setStretchFactor",
    "setColumnStretch", "setRowStretch", "addStretch", "addSpacing", "setFont",
}  # fmt: skip
_PLACES = {"QRect", "QRectF", "QPoint", "QPointF", "translated"}
_NAMES = {"min": "max", "max": "min", "any": "all", "all": "any"}


@dataclass(frozen=True)
class Mutant:
    """A module in which one line, named by its text, reads otherwise."""

    module: str  # "rnnviz/core/sweeps/scans/flow.py"
    old: str
    new: str
    remark: str = ""  # why no test can tell, or why it is harmless that none does

    @property
    def name(self) -> str:
        return f"{self.module}: {self.old} → {self.new}"

    def text(self, root: Path) -> str:
        """The module's text with the change; ValueError where the old line is not there once."""
        lines = (root / self.module).read_text(encoding="utf-8").splitlines(keepends=True)
        found = [number for number, line in enumerate(lines) if line.strip() == self.old]
        if len(found) != 1:
            raise ValueError(f"{self.module}: {len(found)} lines are: {self.old}")
        line = lines[found[0]]
        lines[found[0]] = line[: len(line) - len(line.lstrip())] + self.new + "\n"
        return "".join(lines)

    def functions(self, root: Path) -> list[str]:
        """The functions around the line, the innermost first."""
        text = (root / self.module).read_text(encoding="utf-8")
        line = next(number for number, line in enumerate(text.splitlines(), 1) if line.strip() == self.old)
        around = [name for name, one in functions(ast.parse(text)) if one.lineno <= line <= (one.end_lineno or 0)]
        return around[::-1]


def functions(tree: ast.AST, above: str = "") -> Iterator[tuple[str, Function]]:
    """Every function with its qualified name: "Layer.grad", "Layer.sample.cut"."""
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{above}.{child.name}".lstrip(".")
            if isinstance(child, Function):
                yield name, child
            yield from functions(child, name)
        else:
            yield from functions(child, above)


def sampled(root: Path, module: str, seed: str) -> Iterator[Mutant]:
    """A module's mutants in an order that only the seed and their own text give; those in public functions first.

    So an edit elsewhere changes nothing, and a line that is gone makes room for the next.
    """
    text = (root / module).read_text(encoding="utf-8")
    lines = text.splitlines()
    once = {line for line, count in Counter(line.strip() for line in lines).items() if count == 1}
    found = dict[tuple[str, str], bool]()
    for public, number, new in _changes(ast.parse(text), lines, drawn=module.startswith("rnnviz/gui/")):
        old = lines[number - 1].strip()
        if old in once and new != old and not any(words in old for words in _LEFT_ALONE):
            found[old, new] = found.get((old, new), False) or public
    for old, new in sorted(found, key=lambda change: (not found[change], _draw(seed, module, *change))):
        mutant = Mutant(module, old, new)
        if _is_python(mutant.text(root)):
            yield mutant


def _draw(*words: str) -> str:
    return hashlib.sha256("\0".join(words).encode()).hexdigest()


def _is_python(text: str) -> bool:
    try:
        compile(text, "mutant", "exec")
    except SyntaxError:
        return False
    return True


def _changes(tree: ast.AST, lines: list[str], drawn: bool) -> Iterator[tuple[bool, int, str]]:
    """Whether in a public function, the number of the line and its new text."""
    public = [one for name, one in functions(tree) if not any(part.startswith("_") for part in name.split("."))]
    left_alone = {id(inside) for node in ast.walk(tree) for each in _not_run(node) for inside in ast.walk(each)}
    left_alone |= {id(each) for node in ast.walk(tree) for each in _judged_by_eye(node)} if drawn else set()
    for node in ast.walk(tree):
        place = node.test if isinstance(node, ast.If | ast.While) else node
        if id(node) in left_alone or not isinstance(place, ast.expr | ast.stmt) or place.lineno != place.end_lineno:
            continue
        inside = any(one.body[0].lineno <= place.lineno <= (one.end_lineno or 0) for one in public)
        line = lines[place.lineno - 1].encode()  # ast counts bytes
        for start, end, words in _slips(node, line, drawn):
            yield inside, place.lineno, (line[:start] + words.encode() + line[end:]).decode().strip()


def _not_run(node: ast.AST) -> Iterator[ast.AST]:
    """What is for readers and type checkers, and the words of errors."""
    match node:
        case ast.FunctionDef(args=arguments, returns=returns):
            yield from (each.annotation for each in ast.walk(arguments) if isinstance(each, ast.arg) if each.annotation)
            yield from () if returns is None else (returns,)
        case ast.AnnAssign(annotation=annotation):
            yield annotation
        case ast.Raise() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            yield node


def _judged_by_eye(node: ast.AST) -> Iterator[ast.AST]:
    """What sets spacing alone, and the numbers of pixels where something is drawn."""
    match node:
        case ast.Expr(value=ast.Call(func=ast.Attribute(attr=name))) if name in _SPACING:
            yield from ast.walk(node)
        case ast.Call(func=ast.Attribute(attr="adjusted"), args=insets):
            yield from (inside for inset in insets for inside in ast.walk(inset))
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)) if name in _PLACES or _draws(node):
            for coordinate in node.args:
                match coordinate:
                    case ast.BinOp(op=ast.Add() | ast.Sub(), right=ast.Constant() as pixels):
                        yield from (coordinate, pixels)
                    case ast.Constant(value=int() | float()) | ast.UnaryOp(op=ast.USub(), operand=ast.Constant()):
                        yield from ast.walk(coordinate)


def _draws(call: ast.Call) -> bool:
    match call.func:
        case ast.Attribute(value=ast.Name(id="painter"), attr=name):
            return name.startswith("draw")
    return False


Slip = tuple[int, int, str]


def _slips(node: ast.AST, line: bytes, drawn: bool) -> Iterator[Slip]:
    """The first byte, the byte after the last and the new words of every change of this node."""
    start, end = getattr(node, "col_offset", 0), getattr(node, "end_col_offset", 0)
    match node:
        case ast.Compare(left=left, ops=[operator], comparators=[right]):
            yield _between(left, right, line, *_COMPARED[type(operator)])
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _CALCULATED:
            yield _between(left, right, line, *_CALCULATED[type(operator)])
        case ast.BoolOp(op=ast.And(), values=[left, right, *_]):
            yield _between(left, right, line, "and", "or")
        case ast.BoolOp(op=ast.Or(), values=[left, right, *_]):
            yield _between(left, right, line, "or", "and")
        case ast.UnaryOp(op=ast.Not() | ast.USub(), operand=operand):
            yield start, operand.col_offset, ""
        case ast.Constant(value=bool(value)):
            yield start, end, str(not value)
        case ast.Constant(value=int(value)) if not drawn or value < 2:  # sizes and margins are judged by eye
            yield start, end, str(value + 1)
        case ast.Constant(value=float(value)) if not drawn:
            yield start, end, repr(value * 2)
        case ast.If(test=test) | ast.IfExp(test=test) | ast.While(test=test):
            words = line[test.col_offset : test.end_col_offset].decode()
            yield test.col_offset, test.end_col_offset or 0, f"not ({words})"
        case ast.Expr(value=ast.Call()):
            yield start, end, "pass"
        case ast.Call():
            yield from _call_slips(node, start)


def _call_slips(call: ast.Call, start: int) -> Iterator[Slip]:
    match call:
        case ast.Call(func=ast.Name(id=name)) if name in _NAMES:
            yield start, start + len(name), _NAMES[name]
    match call.args:
        case [ast.Name() as first, ast.Name() as second, *_]:
            yield first.col_offset, second.end_col_offset or 0, f"{second.id}, {first.id}"
    if call.args and call.keywords:
        yield call.args[-1].end_col_offset or 0, call.keywords[0].end_col_offset or 0, ""


def _between(left: ast.expr, right: ast.expr, line: bytes, old: str, new: str) -> Slip:
    """An operator, for which the tree has no place: it stands in the gap, perhaps among brackets."""
    start = left.end_col_offset or 0
    at = start + line[start : right.col_offset].index(old.encode())
    return at, at + len(old), new
