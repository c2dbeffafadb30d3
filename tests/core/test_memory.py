"""Memory of arrays: what the C library keeps of those that are gone."""

import subprocess
import sys

import pytest

MIB_TWICE = """
import resource
import numpy as np
from rnnviz.core.memory import return_large_blocks

def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    arrays = [np.ones(1 << 20, np.uint8) for _ in range(16)]
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before

return_large_blocks()
print(faults(), faults())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the C library of other systems is left alone")
def test_where_large_arrays_go_back_to_the_system_the_pages_of_smaller_ones_are_kept() -> None:
    done = subprocess.run([sys.executable, "-c", MIB_TWICE], capture_output=True, text=True, check=True)
    fresh, again = map(int, done.stdout.split())
    assert again < fresh / 10
