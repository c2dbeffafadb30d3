"""Reached: what every function of an instrumented rnnviz calls first, to say under which test it was called."""

import contextlib
import os

CONTEXT = "RNNVIZ_REACH_CONTEXT"  # the test that runs, or the shared fixture that is made; for child processes too
seen: set[str] = set()  # functions called in this context


def reached(function: str) -> None:
    """A function is called for the first time in this context: written down at once, so that a killed engine counts."""
    seen.add(function)
    with contextlib.suppress(OSError):  # a confined child may write no files
        write(f"reached-{os.getpid()}.txt", f"{os.environ.get(CONTEXT, '')}\t{function}")


def write(name: str, line: str) -> None:
    with open(os.path.join(os.environ["RNNVIZ_REACH"], name), "a", encoding="utf-8") as file:
        file.write(line + "\n")


def enter(context: str) -> None:
    os.environ[CONTEXT] = context
    seen.clear()
