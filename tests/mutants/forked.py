"""Tests in a process of their own, forked from one that has loaded the large libraries, to save seconds each time."""

import contextlib
import multiprocessing
import os
import resource
import signal
import sys
from pathlib import Path

MOST_BYTES = 12 << 30  # of memory a mutant's tests may map
_LIBRARIES = ["numpy", "torch", "safetensors.numpy", "hypothesis", "pytest", "PySide6.QtWidgets", "forked"]
_processes = multiprocessing.get_context("forkserver")
_processes.set_forkserver_preload(_LIBRARIES)


def failing(tests: list[str], copy: Path, environment: dict[str, str], patience: float) -> tuple[bool, str]:
    """Whether one of the tests fails in this copy of the program, and which one first; a time-out is a failure."""
    said = copy / "said.txt"
    process = _processes.Process(target=_run, args=(tests, str(copy), environment, str(said)))
    process.start()
    process.join(patience)
    late = process.is_alive()
    assert process.pid is not None  # it was started
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)  # and with it what its tests have left behind
    process.join()
    if late:
        return True, f"no end after {patience:.0f} s"
    if process.exitcode == 0:
        return False, f"{len(tests)} tests pass"
    lines = said.read_text(encoding="utf-8", errors="replace").splitlines()
    failed = [line.split(" - ")[0] for line in lines if line.startswith(("FAILED", "ERROR"))]
    return True, failed[0] if failed else f"exit status {process.exitcode}"


def _run(tests: list[str], copy: str, environment: dict[str, str], said: str) -> None:
    os.setpgid(0, 0)
    resource.setrlimit(resource.RLIMIT_AS, (MOST_BYTES, MOST_BYTES))  # the limits themselves are mutated too
    os.environ.update(environment)
    os.chdir(copy)
    sys.path.insert(0, copy)
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    import pytest
    from hypothesis import HealthCheck, Phase, settings

    settings.register_profile(
        "mutants", deadline=None, suppress_health_check=list(HealthCheck), max_examples=25, database=None,
        phases=[Phase.explicit, Phase.generate],  # a failing example need not be made smaller
    )  # fmt: skip
    told = ["-x", "-q", "--tb=no", "-rfE", "-p", "no:cacheprovider"]
    sys.exit(int(pytest.main([*told, "--hypothesis-profile=mutants", "--hypothesis-seed=0", *tests])))
