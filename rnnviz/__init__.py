"""rnnviz: a debugger for recurrent neural networks, with a window.

It trains or loads a small recurrent network, walks the unrolled time steps forward and the gradients backward, and puts
a vanilla RNN and an LSTM side by side, live.

Three nouns and a cursor
------------------------
Experiment   what to train: a task, one or more models, the training settings. A TOML file.
Run          what happened: metrics of every training step, captures of some, events. One SQLite file, read while it
             is written.
Trace        one forward and backward sweep over a batch of sequences with every intermediate tensor, rebuilt in numpy
             from a capture (weights, inputs, initial state and ∂L/∂output). It checks itself against torch: `fidelity`.
Cursor       where the person is: training step, phase, time step, layer, operation of the cell.

Every view draws a trace at a cursor; every source (built-in training, a loaded checkpoint with an input) writes a run.

Floors: imports point down only
-------------------------------
command_line   the commands; the only place where an error becomes a sentence on standard error
gui            the window, PySide6 and pyqtgraph; never imports torch
debugger       the program a cursor walks, and how it steps; neither Qt nor torch
engine         training and loading, torch; its own process, which the window starts and talks to through the run file
runs           the run file: writer, reader, commands, thinning; sqlite3, numpy and safetensors
core           the words, the records and the mathematics; numpy only

Two clocks, never a bare "step": a training step is one update of the optimiser, a time step one position in the
sequence. Time steps count from 1 on screen.

Public names
------------
trace(module, inputs, state=None, grad_output=None)   the trace of an nn.RNN, nn.LSTM, nn.GRU or one of their cells
open_run(path)                                        a run file, to read metrics, captures and traces
__version__

They are imported when first asked for, so that `import rnnviz` is quick and a reader of runs never loads torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rnnviz.engine.tracing.capture import trace
    from rnnviz.runs.reading.reader import open_run
    from rnnviz.version import __version__

__all__ = ["__version__", "open_run", "trace"]

_HOMES = {
    "trace": "rnnviz.engine.tracing.capture",
    "open_run": "rnnviz.runs.reading.reader",
    "__version__": "rnnviz.version",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module rnnviz has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
