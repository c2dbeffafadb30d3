"""The slow autograd reference, as a fixture: the only place under tests/core that may import torch."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture(scope="session")
def autograd() -> ModuleType:
    """The module `autograd_reference`: random captures, and what torch says about them."""
    name = "rnnviz_autograd_reference"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, Path(__file__).with_name("autograd_reference.py"))
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]
