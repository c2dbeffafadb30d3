"""`make mutants`: would a plausible slip be noticed? One-line mutants, each with the tests that must kill it.

A sample by a rule, one of every module above 60 lines, in a public function where it has one, and a list by hand. Each
is put into a copy of the program, and the tests that reach its function run until the first fails; a time-out kills
too. What killed a mutant the last time, kept in `.mutants`, is tried first. `make mutants ONLY="rnnviz/core
rnnviz/debugger"` tries those modules only.
"""

import argparse
import json
import os
import queue
import tempfile
import threading
import time
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from changes import Mutant, sampled
from forked import failing
from reach import ROOT, Reach, copy_tree, environment, up_to_date

SEED = "rnnviz 7"
SMALLEST = 60  # lines of a module that is sampled
MOST_SECONDS = 60.0  # of tests for one mutant, the most telling first
GOAL = 0.95
HERE = Path(__file__).parent
KILLERS = ROOT / ".mutants" / "killers.json"  # by mutant the test that killed it the last time


@dataclass(frozen=True)
class Verdict:
    mutant: Mutant
    killed: bool
    by: str  # the test that failed first
    seconds: float


def read_list(name: str) -> list[Mutant]:
    """Mutants written by hand, or what is known of some: module, old line, new line, remark."""
    entries = tomllib.loads((HERE / name).read_text(encoding="utf-8")).get("mutant", [])
    return [Mutant(**entry) for entry in entries]


def chosen(only: tuple[str, ...]) -> Iterator[Mutant]:
    """The sample and the list by hand without equivalents; what is stale is said, and replaced by one more sampled."""
    equivalent = {(one.module, one.old, one.new) for one in read_list("equivalent.toml")}
    wanted = {str(path.relative_to(ROOT)): 1 for path in sorted(ROOT.glob("rnnviz/**/*.py")) if _long(path)}
    for mutant in read_list("by_hand.toml"):
        try:
            mutant.text(ROOT)
        except ValueError as error:
            print(f"stale: {error}")
            wanted[mutant.module] = wanted.get(mutant.module, 0) + 1
        else:
            if mutant.module.startswith(only):
                yield mutant
    for module, count in wanted.items():
        if module.startswith(only) and (ROOT / module).is_file():
            plausible = (one for one in sampled(ROOT, module, SEED) if (one.module, one.old, one.new) not in equivalent)
            yield from (one for _, one in zip(range(count), plausible, strict=False))


def _long(path: Path) -> bool:
    return len(path.read_text(encoding="utf-8").splitlines()) > SMALLEST


def tried(mutant: Mutant, copy: Path, reach: Reach, killer: str, number: int) -> Verdict:
    """Puts a mutant into a copy, runs its tests, the last killer first, and takes it out again."""
    tests, total = list[str](), 0.0
    for test in sorted(reach.of(mutant.module, mutant.functions(copy)), key=lambda test: test != killer):
        if total + reach.seconds[test] <= MOST_SECONDS:
            tests.append(test)
            total += reach.seconds[test]
    rounds = [tests[:1], tests[1:]] if killer in tests[:1] else [tests]  # alone it is found sooner
    path, began = copy / mutant.module, time.monotonic()
    whole = path.read_bytes()
    path.write_text(mutant.text(copy), encoding="utf-8")
    os.utime(path, (number, number))  # or a compiled file of the same second and size would be taken for it
    killed, by = False, "no test reaches it"
    try:
        for some in filter(None, rounds):
            if not killed:
                killed, by = failing(some, copy, environment(copy), 60 + 5 * total)
    finally:
        path.write_bytes(whole)
    return Verdict(mutant, killed, by, time.monotonic() - began)


def verdicts(
    mutants: Iterable[Mutant], reach: Reach, workers: int, killers: Mapping[str, str] = MappingProxyType({})
) -> Iterator[Verdict]:
    """Of all mutants, as they come; each worker has its own copy of the program."""
    waiting, done = queue.SimpleQueue[tuple[int, Mutant] | None](), queue.SimpleQueue[Verdict | None]()
    for numbered in (*enumerate(mutants, 1), *(None,) * workers):
        waiting.put(numbered)

    def work(folder: Path) -> None:
        copy = copy_tree(folder)
        while (numbered := waiting.get()) is not None:
            number, mutant = numbered
            done.put(tried(mutant, copy, reach, killers.get(mutant.name, ""), number))
        done.put(None)

    with tempfile.TemporaryDirectory(prefix="rnnviz-mutants-") as folder:
        for worker in range(workers):
            own = Path(folder, str(worker))
            own.mkdir()
            threading.Thread(target=work, args=(own,), daemon=True).start()
        while workers:
            if (verdict := done.get()) is None:
                workers -= 1
            else:
                yield verdict


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("only", nargs="*", help="modules that begin so, for example rnnviz/core; all without any")
    parser.add_argument("--workers", type=int, choices=(1, 2), default=2)
    options = parser.parse_args()
    os.environ.update(environment(ROOT))
    with tempfile.TemporaryDirectory(prefix="rnnviz-reach-") as folder:
        reach = up_to_date(Path(folder))
    harmless = {(one.module, one.old, one.new): one.remark for one in read_list("harmless.toml")}
    killers = json.loads(KILLERS.read_text(encoding="utf-8")) if KILLERS.is_file() else {}
    found = list[Verdict]()
    for verdict in verdicts(list(chosen(tuple(options.only) or ("",))), reach, options.workers, killers):
        found.append(verdict)
        if verdict.killed:
            killers[verdict.mutant.name] = verdict.by.removeprefix("FAILED ")
            KILLERS.write_text(json.dumps(killers), encoding="utf-8")
        sign = "killed  " if verdict.killed else "SURVIVED"
        one = verdict.mutant
        print(f"{sign} {verdict.seconds:4.0f} s  {one.module}: {one.old}  →  {one.new}   [{verdict.by}]", flush=True)
    survivors = [verdict.mutant for verdict in found if not verdict.killed]
    for one in sorted(survivors, key=lambda one: one.module):
        print(f"\nsurvivor in {one.module}\n    {one.old}\n    {one.new}")
        print(f"    {one.remark or harmless.get((one.module, one.old, one.new), 'not known to be harmless')}")
    share = 1 - len(survivors) / max(len(found), 1)
    print(f"\n{len(found)} mutants, {len(survivors)} survive: {share:.1%} killed (goal {GOAL:.0%})")
    return share < GOAL


if __name__ == "__main__":
    raise SystemExit(main())
