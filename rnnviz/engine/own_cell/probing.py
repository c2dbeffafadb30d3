"""Probing: what a person's forward gives for a few random inputs, and whether it can be traced at all."""

import re
import warnings
from collections.abc import Callable, Sequence

import torch

from rnnviz.core.cells.cell import OwnParts
from rnnviz.core.errors import RnnvizError
from rnnviz.core.structure import Structure
from rnnviz.engine.own_cell.running import BACK, running
from rnnviz.engine.own_cell.stepper import States, Stepper


class Probing:
    """Probing: what a person's forward gives for a few random inputs, and whether it can be traced at all."""

    _SEQUENCES = 5

    def __init__(self, stepper: Stepper, structure: Structure) -> None:
        self._stepper, self._structure, self._file = stepper, structure, stepper.file
        self._cell = stepper.cell
        dtype = next(self._cell.parameters()).dtype
        self._x = torch.randn(self._SEQUENCES, structure.input_size, dtype=dtype)

    def parts(self) -> OwnParts:
        """Names and sizes of the states. RnnvizError says what does not fit."""
        named = self._named()
        with torch.enable_grad():
            states = self._arity([units for _, units in named] if named else [])
            found = self._stepper.step(self._x, states)
            self._check(found, states)
        names = [name for name, _ in named] or ["h", *(f"s{place}" for place in range(2, len(states) + 1))]
        return OwnParts(tuple((name, one.shape[-1]) for name, one in zip(names, states, strict=True)))

    def _named(self) -> list[tuple[str, int]]:
        """What the module's attribute `states` says: names, or names with sizes; [] without one."""
        said = getattr(self._cell, "states", None)
        if said is None or callable(said):
            return []
        said = (said,) if isinstance(said, str) else said
        pairs = list(said.items()) if isinstance(said, dict) else [(name, self._structure.hidden_size) for name in said]
        if not pairs or not all(type(name) is str and type(units) is int and units > 0 for name, units in pairs):
            raise RnnvizError(
                f'{self._file}: states must be names, ("h", "m"), or names with sizes, {{"h": 16, "m": 4}}.'
            )
        return pairs

    def _zeros(self, sizes: Sequence[int]) -> States:
        return tuple(self._x.new_zeros(self._SEQUENCES, size) for size in sizes)

    def _arity(self, sizes: list[int]) -> States:
        """First states of zero, as many as forward takes: those that are named, or one, then two, three and four."""
        hidden, errors = self._structure.hidden_size, list[RnnvizError]()
        tries = [sizes] if sizes else [[hidden] * count for count in (1, 2, 3, 4)]
        for one in tries:
            states = self._zeros(one)
            for alone in (True, False) if len(one) == 1 else (False,):
                self._stepper.alone = alone
                try:
                    self._stepper.step(self._x, states)
                except RnnvizError as error:
                    errors.append(error)
                    continue
                return states
        raise next((one for one in errors if "to unpack" not in str(one)), errors[0])

    def _check(self, found: States, states: States) -> None:
        """That a step can be traced: in order, the same again, each sequence alone, and back."""
        if not all(bool(torch.isfinite(one).all()) for one in found):
            raise RnnvizError(f"{self._file}: forward gives NaN or ∞ for random inputs and a state of zeros.")
        before = {name: one.clone() for name, one in self._cell.named_buffers()}
        versions = [one._version for one in (self._x, *states)]
        again = self._stepper.step(self._x, states)
        if [one._version for one in (self._x, *states)] != versions:
            raise RnnvizError(
                f"{self._file}: forward writes into x_t or the state it is given; make new tensors of them."
            )
        if not all(map(torch.equal, found, again)):
            raise RnnvizError(
                f"{self._file}: forward gives other numbers when it is called again with the same input and state; "
                "what is random or kept in the module cannot be traced."
            )
        changed = next((name for name, one in self._cell.named_buffers() if not torch.equal(one, before[name])), "")
        if changed:
            raise RnnvizError(f"{self._file}: forward changes {changed}; only the state may change from step to step.")
        one = self._stepper.step(self._x[:1], tuple(each[:1] for each in states))
        if not all(torch.allclose(a, b[:1], rtol=1e-4, atol=1e-6) for a, b in zip(one, found, strict=True)):
            raise RnnvizError(f"{self._file}: forward mixes the sequences of a batch; each must be read by itself.")
        self._check_back(states)

    def _check_back(self, states: States) -> None:
        """That a gradient goes back through two time steps."""

        def swept() -> None:
            found = self._stepper.step(self._x, self._stepper.step(self._x, states))
            total = sum((each.sum() for each in found), self._x.new_zeros(()))
            if not total.requires_grad:
                raise RnnvizError(f"{self._file}: no gradient goes from the state to a parameter.")
            total.backward()  # type: ignore[no-untyped-call]

        try:
            with running(self._file, BACK, self._stepper.kept):
                swept()
        except RnnvizError as error:
            raise self._placed(swept) or error from None
        finally:
            self._cell.zero_grad(set_to_none=True)

    def _placed(self, swept: Callable[[], None]) -> RnnvizError | None:
        """The error of a backward sweep with the line of the forward one that it comes from, where torch knows it."""
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            try:
                with torch.autograd.detect_anomaly(check_nan=False):
                    swept()
            except RnnvizError as error:
                return error
            except RuntimeError as error:
                words = " ".join(str(error).split(";")[0].split())
                places = [
                    re.findall(rf'File "{re.escape(self._file)}", line (\d+)', str(one.message)) for one in caught
                ]
                lines = [line for found in places for line in found]
                if lines:
                    return RnnvizError(f"{self._file}, line {lines[-1]}: going back, {type(error).__name__}: {words}.")
            except Exception:  # it is told already, without the line
                return None
        return None
