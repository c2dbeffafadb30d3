"""The array type of every floor, and how an array is made read-only before it crosses one."""

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from dataclasses import fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def frozen(array: Array) -> Array:
    """A read-only view of `array`, any shape; the caller's own array stays as it was."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view


class FrozenMapping(Mapping[str, Array]):
    """A read-only mapping of read-only arrays, which can be pickled and is read-only again on the other side."""

    def __init__(self, arrays: Mapping[str, Array]) -> None:
        self._arrays = {name: frozen(np.asarray(array)) for name, array in arrays.items()}

    @classmethod
    def holding(cls, arrays: dict[str, Array]) -> "FrozenMapping":
        """Of arrays that are read-only already, in a dict that nobody else keeps."""
        made = cls.__new__(cls)
        made._arrays = arrays
        return made

    def __getitem__(self, name: str) -> Array:
        return self._arrays[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return len(self._arrays)

    # Said again by the dict itself, which is ten times as fast as what Mapping makes of the three above.

    def __contains__(self, name: object) -> bool:
        return name in self._arrays

    def keys(self) -> KeysView[str]:
        return self._arrays.keys()

    def values(self) -> ValuesView[Array]:
        return self._arrays.values()

    def items(self) -> ItemsView[str, Array]:
        return self._arrays.items()

    def __repr__(self) -> str:
        return f"FrozenMapping({self._arrays!r})"

    def __reduce__(self) -> tuple[type["FrozenMapping"], tuple[dict[str, Array]]]:
        return FrozenMapping, (self._arrays,)


def _frozen_again(value: Any) -> Any:
    if type(value) is tuple:
        return tuple(map(_frozen_again, value))
    return frozen(value) if isinstance(value, np.ndarray) else value


class FrozenArrays:
    """Record with arrays: the base of a frozen dataclass that is pickled and copied field by field, without what it
    keeps for later, and whose arrays are read-only again on the other side."""

    def __getstate__(self) -> dict[str, Any]:
        record: Any = self
        return {field.name: getattr(self, field.name) for field in fields(record)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        for name, value in state.items():
            object.__setattr__(self, name, _frozen_again(value))


def frozen_mapping(arrays: Mapping[str, Array]) -> Mapping[str, Array]:
    """A read-only mapping of read-only views."""
    return arrays if isinstance(arrays, FrozenMapping) else FrozenMapping(arrays)
