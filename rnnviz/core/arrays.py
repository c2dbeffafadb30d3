"""The array type of every floor, and how an array is made read-only before it crosses one."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def frozen(array: Array) -> Array:
    """A read-only view of `array`, any shape; the caller's own array stays as it was."""
    view = array.view()
    view.flags.writeable = False
    return view


def frozen_mapping(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    """A read-only mapping of read-only views."""
    return MappingProxyType({name: frozen(np.asarray(array)) for name, array in arrays.items()})
