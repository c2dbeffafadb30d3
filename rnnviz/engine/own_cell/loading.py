"""Loading: the module of a person's file, made from the experiment's seed; nothing is run that nobody allowed."""

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

import numpy as np
import torch
from torch import nn

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.code import allowed_code
from rnnviz.core.plain_records import listed
from rnnviz.engine.own_cell.running import Kept, running

NAME = "rnnviz_own_cell"  # of the module that the file becomes
PREFERRED = "Cell"  # the class that is taken where a file has several


def made_cell(file: str, input_size: int, hidden_size: int, seed: int, kept: Kept) -> tuple[nn.Module, str]:
    """The module in `file`, its constructor called once, and the SHA-256 of the file.

    Raises RnnvizError for a file that nobody has allowed, one without a module, and whatever its code raises.
    """
    data, digest = allowed_code(file)
    module = ModuleType(f"{NAME}_{digest[:16]}")
    module.__file__ = file
    sys.modules[module.__name__] = module  # where dataclasses and pickle look for it
    with drawn_from(seed):
        with running(file, "", kept):
            exec(compile(data, file, "exec", dont_inherit=True), vars(module))
        kind = _class_of(module, file)
        with running(file, f"making {kind.__name__}({input_size}, {hidden_size}), ", kept):
            cell = kind(input_size, hidden_size)
    return cell, digest


@contextmanager
def drawn_from(seed: int) -> Iterator[None]:
    """Whatever draws random numbers inside draws them from `seed`, and nobody outside notices; nor of the kind of new
    tensors and of whether gradients are wanted, where a person's code sets these."""
    # numpy's global generator is what a person's code may use
    plain, arrays = random.getstate(), np.random.get_state()  # noqa: NPY002
    dtype = torch.get_default_dtype()
    with torch.random.fork_rng(devices=[]), torch.set_grad_enabled(torch.is_grad_enabled()):
        torch.manual_seed(seed % 2**63)
        random.seed(seed)
        np.random.seed(seed % 2**32)  # noqa: NPY002
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)
            random.setstate(plain)
            np.random.set_state(arrays)  # noqa: NPY002


def _class_of(module: ModuleType, file: str) -> type[nn.Module]:
    found = {
        name: one
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, nn.Module) and one.__module__ == module.__name__
    }
    if not found:
        raise RnnvizError(f"{file} has no class that is an nn.Module; wanted one, whose forward is one time step.")
    if len(found) > 1 and PREFERRED not in found:
        names_there = listed(list(found))
        raise RnnvizError(
            f"{file} has several classes that are an nn.Module ({names_there}); call the one that is the cell "
            f"{PREFERRED}."
        )
    return found[PREFERRED] if len(found) > 1 else next(iter(found.values()))
