"""Trace file: one trace as a run of its own, which the window and `open_run` open like any other."""

import os
import sqlite3
import time
from contextlib import closing
from dataclasses import dataclass, fields, replace
from pathlib import Path

import numpy as np

from rnnviz.core.cells import cell_kind
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.whole import new_file, put_in_place
from rnnviz.core.source import Recorded
from rnnviz.core.sweeps.capture import Capture, OwnPass
from rnnviz.core.sweeps.trace import Trace
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.runs.file.capture_payload import to_payload
from rnnviz.runs.file.header import Header, read_header, write_header
from rnnviz.runs.file.opening import SIDE_FILES, open_to_read, open_to_write
from rnnviz.runs.file.process import NOBODY
from rnnviz.runs.file.reasons import reason
from rnnviz.runs.file.records import EngineStatus, Event, Module, Probe, RunModel
from rnnviz.runs.writing.pending import PendingCapture, Values
from rnnviz.runs.writing.tables import RunTables, Transaction

SCRIPT = "rnnviz.trace"  # what such a run says it was recorded by


@dataclass(frozen=True, eq=False)
class SavableTrace(Trace):
    """Trace that can be saved as a run file."""

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes a run with this trace alone at training step 0, which opens in the window.

        A trace saved there before is replaced, whole or not at all. RnnvizError for a file that is anything else, or
        where the folder or the disk does not take it.
        """
        path = Path(path).absolute()
        try:
            _check_replaceable(path)
            with new_file(path, SIDE_FILES, private=True) as new:  # what was traced is in it
                _write(new, self, path.stem.encode("utf-8", "replace").decode())
                put_in_place(new, path)
        except (sqlite3.Error, OSError) as error:
            raise RnnvizError(f"{path} cannot be written: {reason(error)}.") from None


def savable(trace: Trace) -> SavableTrace:
    """The same trace as one that can be saved."""
    return SavableTrace(**{field.name: getattr(trace, field.name) for field in fields(trace)})


def _check_replaceable(path: Path) -> None:
    """RnnvizError where `path` is no place for a file, or something that must not be lost: a training, or no run."""
    if "\0" in str(path):
        raise RnnvizError(f"{str(path)!r} cannot be written: no file name holds a zero character.")
    if not path.parent.is_dir():
        raise RnnvizError(f"{path} cannot be written: the folder {path.parent} does not exist.")
    if not path.exists() or (path.is_file() and not path.stat().st_size):
        return
    try:
        with closing(open_to_read(path)) as connection:
            source = read_header(connection, str(path)).source
    except (RnnvizError, sqlite3.Error):
        source = None
    if not isinstance(source, Recorded) or source.script != SCRIPT:
        raise RnnvizError(f"{path} exists already and is not a trace saved before; wanted another file.")


def _write(new: Path, trace: Trace, name: str) -> None:
    capture = _own_capture(trace)
    probe, model = _probe(capture), _model(capture)
    with closing(open_to_write(new)) as connection, Transaction(connection):
        write_header(connection, Header(Recorded(SCRIPT, name), _task(capture), (model,), {}), probe, NOBODY)
    payload = to_payload(capture, probe, 0, model.number)
    tables = RunTables(new, len(payload))
    try:
        tables.write_captures((PendingCapture(0, model.number, capture.kind, payload, True),))
        events = tuple(Event(0, 0, "note", note) for note in trace.notes)
        status = EngineStatus("finished", 0, 0.0, os.getpid(), time.time())
        tables.write_values(Values(_loss(trace), events, status))
        tables.finish()
    finally:
        tables.close()


def _own_capture(trace: Trace) -> Capture:
    """What the trace is rebuilt from; of one that was cut out of another, its own sequence without torch's sums."""
    whole, calls = trace.check.capture, tuple(one.call for one in trace.calls)
    same = all(one is other for one, other in zip(calls, whole.calls, strict=True))
    own = whole.own if same or whole.own is None else _cut(whole.own, trace)
    return replace(
        whole, calls=calls, grads=whole.grads if same else {}, notes=trace.notes, kind="probe", own=own, batch_size=0
    )


def _cut(own: OwnPass, trace: Trace) -> OwnPass:
    """What is known of the person's own pass, of the one sequence of a trace; its gradients are those of all."""
    output, n = own.output, trace.number
    if output is None or n is None:
        return replace(own, output=None, grads={})
    return replace(own, output=output[: trace.time_steps, n : n + 1], grads={})


def _probe(capture: Capture) -> Probe:
    head = capture.head
    if head is None:
        return Probe(capture.inputs, capture.lengths)
    return Probe(capture.inputs, capture.lengths, head.targets, head.loss_weight)


def _model(capture: Capture) -> RunModel:
    structures = {call.module: call.structure for call in capture.calls}
    further = tuple(Module(name, structure) for name, structure in structures.items() if name)
    parameters = [*capture.weights.values()]
    if capture.head is not None:
        parameters += [*capture.head.parameters.values()]
    count = sum(parameter.size for parameter in parameters)
    return RunModel(0, cell_kind(capture.structure.cell).words, capture.structure, count, further)


def _task(capture: Capture) -> TaskInfo:
    """Columns of numbers: a trace does not know what they mean."""
    head = capture.head
    inputs = tuple(f"x{column}" for column in range(1, capture.structure.input_size + 1))
    if head is None:
        return TaskInfo("recorded", "values", inputs, "none", (), None, ("loss",))
    outputs = tuple(str(place) for place in range(_answers(capture)))
    one_of_them = head.loss == "cross entropy"
    return TaskInfo("recorded", "values", inputs, "classes" if one_of_them else "values", outputs, head.loss, ("loss",))


def _answers(capture: Capture) -> int:
    """V."""
    assert capture.head is not None  # the caller looked
    bias = capture.head.bias
    return int(capture.grad_output.shape[-1]) if bias is None else len(bias)


def _loss(trace: Trace) -> tuple[tuple[int, int, str, float], ...]:
    losses = [call.head.losses for call in trace.calls if call.head is not None]
    return ((0, 0, "loss", float(sum(np.sum(each) for each in losses))),) if losses else ()
