"""rnnviz: a debugger for recurrent neural networks, with a window.

It trains or loads a small recurrent network, walks the unrolled time steps forward and the gradients backward, and puts
a vanilla RNN and an LSTM side by side, live.

Three nouns and a cursor
------------------------
Experiment   what to train: a task, one or more models, the training settings. A TOML file.
Run          what happened: where it comes from (trained here, a checkpoint and an input, a recording script), metrics
             of every training step, captures of some, events, marks. One SQLite file, read while it is written.
Trace        one forward and backward sweep over a batch of sequences with every intermediate tensor, rebuilt in numpy
             from a capture: a list of calls (one recurrent module's inputs, initial states and ∂L/∂output) on one time
             axis. It checks itself against torch, and says what may be said of it: `verdict`.
Cursor       where the person is: training step, phase, time step, layer, operation.

Every view draws a trace at a cursor; every source writes a run.

Floors: imports point down only, and no two rooms of a floor import each other
------------------------------------------------------------------------------
command_line   the commands; the only place where an error becomes a sentence on standard error
gui            the window, PySide6 and pyqtgraph; never imports torch
debugger       the program a cursor walks, and every change of place as a pure function; neither Qt nor torch
engine         training, tracing and checkpoints, torch; its own process, which the window starts and talks to through
               a pipe; to a training that another program started it speaks through the run file
runs           the run file: file (format 2), writing, reading (format 1 too); sqlite3, numpy and safetensors; seeds:
               folders of several seeds of an experiment, one run each
core           the words, the records and the mathematics; numpy only

The rooms of the window: state and commands below all others, look and widgets; then one room for each thing a person
looks at (canvas with its lanes and items, network, gradients, centre, which shows one of these three, figures, cursor,
stepping, watching, whatif, experiment, training, seeds, lessons, opening), live for the processes, and shell, which
puts them together.

Said once: where a new one goes
-------------------------------
a cell          core/cells/<cell>.py, its nodes and settings, and its place in `CELLS`. Where torch has a fused module
                of it, a line in engine/fused.py; otherwise the engine evaluates the same nodes on tensors
an optimiser    core/optimising/optimisers.py, a record with its settings and equations; a schedule in schedules.py
a task          core/tasks/<task>.py, its settings, words, ranges and sequences, and its place in `TASKS`
a lane          gui/canvas/lanes, a file with what it draws and when it is offered, and its place in `LANES`
a file format   core/files/formats.py, `FORMATS`, and the function that reads it
a view          gui/state/views.py, `VIEWS`, and the widget of it in gui/centre/centre.py
a card          gui/gradients/cards, a file with its numbers and drawing; its name in gui/state/laboratory.py, `CARDS`;
                the mathematics in core/gradients
a picture       gui/figures, `FIGURES`
a setting       one field of a record, with its range and words; form, TOML, checks and "what changed" read them there

A cell is written in nodes (affine, ⊙, +, 1 − x, σ, tanh, …; core/cells/node.py). From them come its parameters, both
sweeps, equations with numbers, the operations to step, what-if, provenance, names of the expression language, lanes and
form. A kernel is only a faster way to the same numbers. Head, loss and update are nodes too.

The window's state is one frozen value in groups (gui/state/state.py). Who changes it says which group; listeners are
told of each change once and in order. `State.place` is changed only by functions of debugger/places.py.

Two clocks, never a bare "step": a training step is one update of the optimiser, a time step one position in the
sequence. Time steps count from 1 on screen.

Public names
------------
trace(module, inputs, …)   the trace of an nn.RNN, nn.LSTM, nn.GRU or one of their cells; .save("one.rnnviz") makes a
                           run of it that opens in the window. Further arguments, each of them optional:
    state=                 the first states: h₀, of an LSTM (h₀, c₀)
    grad_output=           ∂L/∂output; of a stepped cell ∂L_t/∂h_t of L_t alone
    output=                what your own forward pass gave: compared, and the `verdict` says what agrees
    hidden_grad=           of a stepped cell instead of grad_output: the totals, what each h_t.grad holds
    sequences=             which sequences of the batch alone are swept and rebuilt, counted from 0
    random_state=          torch.get_rng_state() of right before your own pass in training: its dropout is replayed
open_run(path)             a run file, to read metrics, captures and traces
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
