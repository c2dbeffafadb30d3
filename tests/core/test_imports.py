"""core is numpy only: importing all of it loads neither torch nor Qt."""

import subprocess
import sys

PROGRAM = """
import importlib, pkgutil, sys
import rnnviz.core
names = [module.name for module in pkgutil.walk_packages(rnnviz.core.__path__, "rnnviz.core.")]
for name in names:
    importlib.import_module(name)
print(len(names), *sorted({name.split(".")[0] for name in sys.modules} & {"torch", "PySide6", "pyqtgraph"}))
"""


def test_core_imports_neither_torch_nor_qt():
    found = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    count, *forbidden = found.stdout.split()
    assert int(count) >= 15
    assert forbidden == []
