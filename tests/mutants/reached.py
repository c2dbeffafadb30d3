"""Reach of each test: which functions of rnnviz it calls, as a pytest plugin, and what those functions call for it.

Used while the map is made, in a copy of the program where every function begins with `reached(…)`, in children too.
"""

import ast
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

Function = ast.FunctionDef | ast.AsyncFunctionDef
_CONTEXT = "RNNVIZ_REACH_CONTEXT"
_written: set[tuple[str, str]] = set()
_seconds: dict[str, float] = {}


settings.register_profile("reach", deadline=None, suppress_health_check=list(HealthCheck), max_examples=3)


def reached(function: str) -> None:
    """A function is called: written down once for each test, at once, so that a killed engine counts."""
    context = os.environ.get(_CONTEXT, "")
    if (context, function) not in _written:
        _written.add((context, function))
        _write(f"reached-{os.getpid()}.txt", f"{context}\t{function}")


def instrumented(source: str, module: str) -> str:
    """A module's text in which every function says that it is called."""
    tree = ast.parse(source)
    for name, function in functions(tree):
        call = ast.parse(f"__import__('reached').reached({f'{module}:{name}'!r})").body
        after = 1 if ast.get_docstring(function) is not None and len(function.body) > 1 else 0
        function.body[after:after] = call
    return ast.unparse(tree)


def functions(tree: ast.AST, above: str = "") -> Iterator[tuple[str, Function]]:
    for child in ast.iter_child_nodes(tree):
        if isinstance(child, Function | ast.ClassDef):
            name = f"{above}.{child.name}".lstrip(".")
            if isinstance(child, Function):
                yield name, child
            yield from functions(child, name)
        else:
            yield from functions(child, above)


def _write(name: str, line: str) -> None:
    with Path(os.environ["RNNVIZ_REACH"], name).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _fixture_name(fixture: pytest.FixtureDef[object]) -> str:
    return f"fixture {fixture.argname} of {fixture.baseid}"


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[object]:
    os.environ[_CONTEXT] = json.dumps(item.nodeid)
    result = yield
    os.environ[_CONTEXT] = ""
    return result


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_fixture_setup(fixturedef: pytest.FixtureDef[object]) -> Iterator[object]:
    """What a shared fixture reaches counts for every test that asks for it, not for the first one only."""
    before = os.environ.get(_CONTEXT, "")
    if fixturedef.scope != "function":
        os.environ[_CONTEXT] = json.dumps(_fixture_name(fixturedef))
    result = yield
    os.environ[_CONTEXT] = before
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[pytest.TestReport]:
    report = yield
    _seconds[item.nodeid] = _seconds.get(item.nodeid, 0.0) + call.duration
    if not report.passed:
        _seconds[item.nodeid] = float("inf")  # skipped, or failing without a mutant: it can kill nothing
    if call.when == "teardown" and _seconds[item.nodeid] < float("inf"):
        used = item._fixtureinfo.name2fixturedefs.values()  # type: ignore[attr-defined]
        fixtures = sorted({_fixture_name(each) for several in used for each in several if each.scope != "function"})
        _write(f"tests-{os.getpid()}.jsonl", json.dumps([item.nodeid, _seconds[item.nodeid], fixtures]))
    return report
