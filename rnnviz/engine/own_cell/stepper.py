"""Stepper: a person's forward called for one time step, and what it gives checked."""

from typing import Any

from torch import Tensor, nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.plain_records import listed
from rnnviz.engine.own_cell.running import Kept, running

States = tuple[Tensor, ...]  # (N, ·) each


class Stepper:
    """`alone`: whether the state is one tensor for the person's code, not a tuple of them. Whatever that code raises
    becomes an RnnvizError with file and line."""

    def __init__(self, cell: nn.Module, file: str, kept: Kept) -> None:
        self.cell, self.file, self.kept = cell, file, kept
        self.alone = True

    @property
    def note(self) -> str:
        """What is said of a file that prints; "" of one that does not."""
        if not self.kept.line:
            return ""
        where = f", line {self.kept.line}" if self.kept.line > 0 else ""
        return f"{self.file}{where} prints; what it prints is not shown here."

    def step(self, x: Tensor, states: States) -> States:
        """One time step: (N, I) and the states (N, ·) of the one before → the states after it."""
        with running(self.file, "", self.kept):
            found = self.cell(x, states[0] if self.alone else states)
        return self._checked(found, states)

    def _checked(self, found: Any, states: States) -> States:
        given = (found,) if isinstance(found, Tensor) else tuple(found) if isinstance(found, tuple | list) else None
        if given is None or not all(isinstance(one, Tensor) for one in given):
            came = type(found).__name__ if given is None else f"a {type(found).__name__} of {_types(given)}"
            raise RnnvizError(
                f"{self.file}: forward must give the new state alone, a tensor or a tuple of them, the first of which "
                f"is the output, not {came}."
            )
        if isinstance(found, Tensor) != self.alone or len(given) != len(states):
            wanted = "one tensor" if self.alone else f"a tuple of {len(states)}"
            came = "one tensor" if isinstance(found, Tensor) else f"a tuple of {len(given)}"
            raise RnnvizError(
                f"{self.file}: forward got the state as {wanted} and must give it so (its first "
                f"tensor is the output), not {came}."
            )
        for place, (one, before) in enumerate(zip(given, states, strict=True)):
            if one.shape != before.shape or one.dtype != before.dtype:
                which = "the state" if self.alone else f"tensor {place + 1} of the state"
                raise RnnvizError(f"{self.file}: {which} must stay {_kind(before)}, but forward gave {_kind(one)}.")
        return given


def _types(given: tuple[Any, ...]) -> str:
    """ "Tensor and tuple"."""
    return listed([type(one).__name__ for one in given[:4]])


def _kind(tensor: Tensor) -> str:
    """ "float32 (5, 16)"."""
    return f"{str(tensor.dtype).removeprefix('torch.')} {tuple(tensor.shape)}"
