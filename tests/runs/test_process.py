"""Whether a writer lives: by its process, its start time and its heartbeat."""

import os
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from rnnviz.runs.file.process import WriterProcess, own_process, process_exists, process_start


def test_this_process_lives_even_with_an_old_heartbeat() -> None:
    assert own_process().alive(time.time() - 3600)


def test_a_number_given_to_another_process_since_is_not_the_writer() -> None:
    own = own_process()
    if not own.started:
        pytest.skip("this system does not tell when a process started")
    assert not replace(own, started=own.started - 1).alive(time.time())


def test_nobody_is_not_alive() -> None:
    assert not WriterProcess(0, 0, own_process().host).alive(time.time())


def test_the_first_process_of_a_machine_may_be_the_writer() -> None:
    """As in a container."""
    first = WriterProcess(1, process_start(1), own_process().host)
    if not first.started:
        pytest.skip("this system does not tell when a process started")
    assert first.alive(time.time() - 3600)


def test_on_another_machine_only_the_heartbeat_counts() -> None:
    elsewhere = WriterProcess(1, 1, "elsewhere.example")
    assert elsewhere.alive(time.time() - 2)
    assert not elsewhere.alive(time.time() - 60)


def test_a_dead_process_that_nobody_has_waited_for_is_dead() -> None:
    child = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    start = process_start(child.pid)
    writer = replace(own_process(), number=child.pid, started=start)
    assert writer.alive(time.time())
    child.kill()
    until = time.monotonic() + 60
    while process_start(child.pid) and time.monotonic() < until:
        time.sleep(0.01)
    assert process_exists(child.pid)  # a zombie still has its number
    assert not writer.alive(time.time())
    child.communicate()
    assert not process_exists(child.pid)
    assert process_exists(os.getpid())
