"""`make bench`: every timed figure as a ratio inside one run, beside the figure it is held against."""

import importlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # as in the program's own processes

PARTS = ("rebuild", "trace", "gradients", "dynamics", "training", "debugger", "window")


@dataclass(frozen=True)
class Row:
    """One measured figure; `limit` is the goal, reached from below unless `at_least`."""

    words: str
    value: float
    limit: float
    unit: str = "×"
    at_least: bool = False

    @property
    def reached(self) -> bool:
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    def __str__(self) -> str:
        sign = "≥" if self.at_least else "≤"
        mark = "" if self.reached else "   not reached"
        return f"{self.words:<72} {self.value:7.2f} {self.unit:<2}  (goal {sign} {self.limit:g} {self.unit}){mark}"


def rows(parts: tuple[str, ...]) -> Iterator[Row]:
    for part in parts:
        print(f"\n{part}")
        yield from importlib.import_module(f"measure_{part}").rows()


def main() -> None:
    chosen = tuple(sys.argv[1:]) or PARTS
    missed = 0
    for row in rows(chosen):
        print(f"  {row}", flush=True)
        missed += not row.reached
    print(f"\n{missed} of the goals not reached in this run" if missed else "\nall goals reached in this run")


if __name__ == "__main__":
    main()
