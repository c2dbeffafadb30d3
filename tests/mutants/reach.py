"""Reach: which tests call which functions, measured once by running all tests in a copy, and kept in `.mutants`."""

import ast
import json
import math
import os
import shutil
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

from changes import Function, functions

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / ".mutants" / "reach.json"
_COPIED = ("rnnviz", "resources", "tests", "pyproject.toml", "main.py", "constraints.txt", "Makefile", ".ci")
_COPIED_TOO = ("README.md", "CHANGELOG.md", "LICENSE")


def copy_tree(folder: Path) -> Path:
    """The program and its tests, where they may be changed."""
    for name in _COPIED + _COPIED_TOO:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, folder / name)
    return folder


def environment(folder: Path) -> dict[str, str]:
    one_thread = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "QT_QPA_PLATFORM": "offscreen"}
    path = os.pathsep.join(map(str, (folder, folder / "tests" / "mutants")))
    return {**os.environ, **one_thread, "PYTHONPATH": path}


def pytest_command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]


@dataclass
class Reach:
    """Which tests call which functions ("rnnviz/core/magnitude.py:l2"), and the seconds of each test."""

    tests: dict[str, list[str]]  # by function
    seconds: dict[str, float]  # by test; ∞ of one that is skipped, or fails without a mutant
    _shares: dict[str, dict[str, float]] = field(default_factory=dict, repr=False)  # by module and test

    def of(self, module: str, functions: list[str]) -> list[str]:
        """The tests of the innermost of these functions that has any, then the module's others; of none its folder's.

        A function may have come, or its name, since a test was measured: so the module's others are asked, too.
        """
        found = next(filter(None, (self.tests.get(f"{module}:{function}") for function in functions)), [])
        others = self._that_reach(f"{module}:") or self._that_reach(f"{module.rpartition('/')[0]}/")
        return self._in_order(set(found), module) + self._in_order(others - set(found), module)

    def _that_reach(self, beginning: str) -> set[str]:
        return {test for key, tests in self.tests.items() if key.startswith(beginning) for test in tests}

    def _in_order(self, tests: set[str], module: str) -> list[str]:
        """The module's own tests first, then those that do little besides calling it, and do it quickly."""
        own, share = f"/test_{Path(module).stem}.py::", self._share(module)
        return sorted(tests, key=lambda test: (own not in test, (self.seconds[test] + 0.05) / share.get(test, 1e-3)))

    def _share(self, module: str) -> dict[str, float]:
        """Of the functions that each test calls, how many are this module's."""
        if module not in self._shares:
            here, everywhere = defaultdict[str, int](int), defaultdict[str, int](int)
            for key, tests in self.tests.items():
                for test in tests:
                    everywhere[test] += 1
                    here[test] += key.startswith(f"{module}:")
            self._shares[module] = {test: count / everywhere[test] for test, count in here.items() if count}
        return self._shares[module]


def up_to_date(folder: Path) -> Reach:
    """As it was measured the last time, without the tests that are gone since, and with those that have come.

    What a test calls is taken to stay as it was; without the folder `.mutants` all is measured anew.
    """
    there = _collected()
    known = Reach(*json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.is_file() else Reach({}, {})
    new = [test for test in there if test not in known.seconds]
    print(f"{len(new)} tests are run once, to see what they reach." if new else "All tests are known.", flush=True)
    found = _measured(folder, new if known.seconds else []) if new else Reach({}, {})
    seconds = {test: (known.seconds | found.seconds).get(test, math.inf) for test in there}
    tests = {
        function: [test for test in (*known.tests.get(function, ()), *found.tests.get(function, ())) if test in seconds]
        for function in known.tests.keys() | found.tests.keys()
    }
    KEPT.parent.mkdir(exist_ok=True)
    KEPT.write_text(json.dumps([tests, seconds]), encoding="utf-8")
    return Reach(tests, seconds)


def _collected() -> list[str]:
    listed = subprocess.run(
        pytest_command("--collect-only"), cwd=ROOT, env=environment(ROOT), capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if line.startswith("tests/") and "::" in line]


def _measured(folder: Path, tests: list[str]) -> Reach:
    """Runs these tests (all: none are named) in a copy of the program whose functions say that they are called."""
    answers, copy = folder / "answers", folder / "copy"
    answers.mkdir()
    copy.mkdir()
    for path in sorted(copy_tree(copy).glob("rnnviz/**/*.py")):
        module = str(path.relative_to(copy))
        path.write_text(instrumented(path.read_text(encoding="utf-8"), module), encoding="utf-8")
    two_workers = ["-n", "2", "--dist", "worksteal"]
    command = pytest_command("-p", "reach_plugin", "--hypothesis-profile=reach", *two_workers, *tests)
    subprocess.run(command, cwd=copy, env={**environment(copy), "RNNVIZ_REACH": str(answers)}, check=False)
    return _read(answers)


def instrumented(source: str, module: str) -> str:
    """A module's text in which every function says that it is called."""
    tree = ast.parse(source)
    for name, function in functions(tree):
        said = repr(f"{module}:{name}")
        call = ast.parse(f"{said} in _said_.seen or _said_.reached({said})").body
        function.body[_documented(function) : _documented(function)] = call
    tree.body[_documented(tree) : _documented(tree)] = ast.parse("import reached as _said_").body
    return ast.unparse(tree)


def _documented(node: ast.Module | Function) -> int:
    """How many statements a docstring and imports from the future are."""
    documented = ast.get_docstring(node) is not None
    first = node.body[documented] if len(node.body) > documented else None
    return documented + (isinstance(first, ast.ImportFrom) and first.module == "__future__")


def _read(answers: Path) -> Reach:
    called = defaultdict[str, set[str]](set)  # functions by what calls them, a test or a shared fixture
    for path in answers.glob("reached-*.txt"):
        for line in path.read_text(encoding="utf-8").splitlines():
            caller, _, function = line.partition("\t")
            called[json.loads(caller or '""')].add(function)
    tests, seconds = defaultdict[str, list[str]](list), {}
    for path in answers.glob("tests-*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            test, seconds[test], fixtures = json.loads(line)
            for function in set().union(*(called[name] for name in (test, *fixtures))):
                tests[function].append(test)
    return Reach(dict(tests), seconds)
