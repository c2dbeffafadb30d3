"""Memory of large arrays: how much a record holds, and what is kept at hand between two rebuilds."""

import ctypes
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from typing import Any

import numpy as np

_LARGEST_BLOCK = 31 << 20  # bytes; glibc learns from blocks below 32 MiB
_RETURNED_BLOCK = 2 << 20  # bytes
_M_MMAP_THRESHOLD = -3  # glibc's malloc.h


def array_bytes(records: Iterable[Any]) -> int:
    """What all arrays in these records take, each once, however many views of it there are.

    Dictionaries, tuples, lists and this program's own records are looked into, with what they have found out since.
    """
    waiting, seen, total = list(records), set[int](), 0
    while waiting:
        one = waiting.pop()
        while isinstance(one, np.ndarray) and isinstance(one.base, np.ndarray):
            one = one.base
        if id(one) in seen:
            continue
        seen.add(id(one))
        if isinstance(one, np.ndarray):
            total += one.nbytes
        elif isinstance(one, dict):
            waiting.extend(one.values())
        elif isinstance(one, tuple | list):
            waiting.extend(one)
        elif type(one).__module__.startswith("rnnviz.") and hasattr(one, "__dict__"):
            waiting.extend(vars(one).values())
    return total


def give_back() -> None:
    """Gives the system what the C library has kept of arrays that are gone, where that library can."""
    if sys.platform == "linux":
        with suppress(AttributeError):  # another one than glibc
            ctypes.CDLL(None).malloc_trim(0)


@cache
def keep_pages_at_hand() -> None:
    """Once a process: lets the C library keep some memory of arrays that are gone, at most 64 MiB.

    By default it gives each large one back to the system, and fresh pages cost a rebuild as much as its arithmetic.
    glibc goes by the largest block that was freed so far; here it sees one that was never touched.
    """
    np.empty(_LARGEST_BLOCK, np.uint8)


@cache
def return_large_blocks() -> None:
    """Once a process, where traces are large: arrays from 2 MiB on go back to the system as soon as they are gone.

    Kept at hand, what several rebuilds leave behind in pieces adds up to more than the traces themselves take.
    """
    keep_pages_at_hand()  # the smaller ones, as before
    if sys.platform == "linux":
        with suppress(AttributeError):  # another one than glibc
            ctypes.CDLL(None).mallopt(_M_MMAP_THRESHOLD, _RETURNED_BLOCK)
