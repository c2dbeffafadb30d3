"""Records one sweep of a loaded model over an input a person gives: a run with one capture at training step 0."""

import os
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch

from rnnviz.core.arrays import Array, frozen
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.tables import read_table
from rnnviz.core.source import OLD_TASK, Given, GivenInput
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.capture import Capture, OwnPass
from rnnviz.core.tasks.info import TaskInfo
from rnnviz.engine import layered
from rnnviz.engine.checkpoints import RecurrentModule
from rnnviz.engine.checkpoints.names import plain_title
from rnnviz.engine.checkpoints.sandbox import read_confined
from rnnviz.engine.networks import plain_module
from rnnviz.engine.tracing.capture import capture_module
from rnnviz.runs.file.records import EngineStatus, Probe, RunModel
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.writer import RunWriter

MOST_NUMBERS = 50_000_000  # time steps × hidden units × layers × directions of one trace


@dataclass(frozen=True)
class GivenSequence:
    """The one sequence the model reads, and how its columns are read by people."""

    inputs: Array  # (T, 1, I) float32
    info: TaskInfo


def record_given(given: Given, run_path: str | Path) -> Given:
    """Loads the module of `given.checkpoint` and records one sweep over the input.

    L = ‖h_t‖ at `loss_time_step`, where h_t is the output of the top layer (both directions, one after the other);
    a head in the file is left aside. Returns the source as the run keeps it, with what had to be guessed of the module.
    RnnvizError for a checkpoint, input or time step that does not fit.
    """
    checkpoint = read_confined(given.checkpoint, given.activation)
    module = checkpoint.module(given.module)
    sequence = given_sequence(given.input, module.structure, given.drawn_from)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "LSTM with projections is not supported with oneDNN")  # slower, not wrong
        capture, loss = _swept(module, sequence.inputs, given.input.loss_time_step)
    own = OwnPass(doubts=(module.guess,)) if module.guess else None
    capture = replace(capture, notes=capture.notes + module.notes, own=own)
    source = replace(
        given,
        name=given.name or plain_title(Path(given.checkpoint).stem) or "loaded model",
        checkpoint=_storable(given.checkpoint),
        input=replace(given.input, file=_storable(given.input.file)),
        guess=module.guess,
    )
    name = plain_title(module.prefix) or module.structure.cell
    _write(Path(run_path), source, name, sequence, capture, loss, checkpoint.notes + module.read_by + capture.notes)
    return source


def given_sequence(task: GivenInput, structure: Structure, seed: int) -> GivenSequence:
    """The task's input for a module of this structure; RnnvizError naming what must have `input_size` columns."""
    if task.source == "text":
        rows, labels = _typed(task, structure.input_size)
    elif task.source == "csv":
        rows, labels = _columns(task, structure.input_size)
    else:
        rows, labels = _drawn(task, structure.input_size, seed)
    most = MOST_NUMBERS // (structure.hidden_size * len(structure.layer_names))
    if len(rows) > most:
        raise RnnvizError(
            f"The {task.source} input has {len(rows):,} time steps: wanted at most {most:,} for "
            f"{structure.hidden_size} hidden units."
        )
    if not 0 <= task.loss_time_step <= len(rows):
        raise RnnvizError(
            f"loss_time_step: wanted 1 to {len(rows)} (the time steps of the input) or 0 for the last, "
            f"got {task.loss_time_step}."
        )
    info = TaskInfo(
        name=OLD_TASK,
        input_kind="symbols" if task.source == "text" else "values",
        input_labels=labels,
        output_kind="none",
        output_labels=(),
        loss=None,
        metrics=("loss",),
    )
    return GivenSequence(frozen(rows[:, None, :]), info)


def _typed(task: GivenInput, input_size: int) -> tuple[Array, tuple[str, ...]]:
    """One-hot rows (T, I) float32 of the typed text over the alphabet."""
    alphabet = task.alphabet or "".join(sorted(set(task.text)))
    if not task.text:
        raise RnnvizError("text: wanted at least one character, got none.")
    if len(set(alphabet)) != len(alphabet):
        twice = next(letter for letter in alphabet if alphabet.count(letter) > 1)
        raise RnnvizError(f"alphabet: wanted each character once, got {twice!r} more than once.")
    if len(alphabet) != input_size:
        raise RnnvizError(
            f"alphabet: wanted {input_size} characters, one for each input of the module, got {len(alphabet)}."
        )
    for position, letter in enumerate(task.text, 1):
        if letter not in alphabet or "\ud800" <= letter <= "\udfff":
            raise RnnvizError(f"text: wanted characters of the alphabet, got {letter!r} at time step {position}.")
    codes = [alphabet.index(letter) for letter in task.text]
    return np.eye(input_size, dtype=np.float32)[codes], tuple(alphabet)


def _columns(task: GivenInput, input_size: int) -> tuple[Array, tuple[str, ...]]:
    """Rows (T, I) float32 of the chosen columns as they stand in the file."""
    table = read_table(task.file)
    names = task.columns or table.value_columns
    if len(names) != input_size:
        raise RnnvizError(
            f"columns of {task.file}: wanted {input_size}, one for each input of the module, "
            f"got {len(names)} ({', '.join(names[:8])})."
        )
    numbers = table.numbers(names)
    if np.abs(numbers).max(initial=0.0) > np.finfo(np.float32).max:
        raise RnnvizError(f"{task.file} holds numbers that are too large: wanted at most 3.4·10³⁸.")
    return numbers.astype(np.float32), tuple(names)


def _drawn(task: GivenInput, input_size: int, seed: int) -> tuple[Array, tuple[str, ...]]:
    """Rows (T, I) float32 of standard normal numbers."""
    if task.length < 1:
        raise RnnvizError(f"length: wanted at least 1 time step, got {task.length}.")
    if task.length * input_size > MOST_NUMBERS:
        raise RnnvizError(f"length: wanted at most {MOST_NUMBERS // input_size:,} time steps, got {task.length:,}.")
    rows = np.random.default_rng(seed).standard_normal((task.length, input_size), dtype=np.float32)
    return rows, tuple(f"x{column}" for column in range(1, input_size + 1))


def _swept(module: RecurrentModule, inputs: Array, loss_time_step: int) -> tuple[Capture, float]:
    """The capture and L = ‖h_t‖, with ∂L/∂output of the norm: h_t / ‖h_t‖ at that time step, 0 elsewhere."""
    dtype = torch.float64 if next(iter(module.weights.values())).dtype == np.float64 else torch.float32
    network = plain_module(module.structure, dtype)
    network.load_state_dict({name: torch.from_numpy(weight.copy()) for name, weight in module.weights.items()})
    given = torch.from_numpy(inputs.copy()).to(dtype)
    with torch.no_grad():
        begun = layered.Given(layered.zeros(module.structure, given))
        output, _ = layered.run_module(network, module.structure, given, begun)  # (T, 1, D·H)
    position = loss_time_step - 1  # 0, the last time step, becomes −1
    chosen = output[position, 0].double()
    norm = float(chosen.norm())
    grad = torch.zeros_like(output)
    if norm != 0:  # NaN too
        grad[position, 0] = (chosen / norm).to(dtype)
    return capture_module(network, given, None, grad, structure=module.structure), norm


def _storable(path: str) -> str:
    """A file name is any bytes; what of it is no UTF-8 cannot be written into a run."""
    return path.encode("utf-8", "replace").decode("utf-8")


def _write(
    run_path: Path,
    source: Given,
    name: str,
    sequence: GivenSequence,
    capture: Capture,
    loss: float,
    notes: Sequence[str],
) -> None:
    """A finished run; RnnvizError where it cannot be written."""
    count = sum(weight.size for weight in capture.weights.values())
    model = RunModel(0, name, capture.structure, count)
    writer = RunWriter(run_path, source, sequence.info, [model], Probe(sequence.inputs, None, None, None))
    try:
        writer.metrics(0, 0, {"loss": loss})
        writer.capture(0, 0, capture, keep=True)
        for note in notes:
            writer.event(0, "note", note)
        writer.status(EngineStatus("finished", 0, 0.0, os.getpid(), time.time()))
        writer.flush()
        failure = writer.failure
    finally:
        writer.close()
    if failure:
        raise RnnvizError(f"{run_path} could not be written: {failure}")
    with open_run(run_path) as run:
        if not len(run.captured()):
            why = [event.sentence for event in run.events() if event.kind == "dropped"]
            raise RnnvizError(f"{run_path} holds no trace of the model: {' '.join(why) or 'the capture was dropped.'}")
