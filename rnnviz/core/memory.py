"""Memory of large arrays: kept at hand between two rebuilds."""

from functools import cache

import numpy as np

_LARGEST_BLOCK = 31 << 20  # bytes; glibc learns from blocks below 32 MiB


@cache
def keep_pages_at_hand() -> None:
    """Once a process: lets the C library keep some memory of arrays that are gone, at most 64 MiB.

    By default it gives each large one back to the system, and fresh pages cost a rebuild as much as its arithmetic.
    glibc goes by the largest block that was freed so far; here it sees one that was never touched.
    """
    np.empty(_LARGEST_BLOCK, np.uint8)
