"""Batch words: what is said where a training step was not recorded, and what there is to do about it."""

from rnnviz.core.numbers import whole
from rnnviz.core.sweeps.capture import CaptureKind
from rnnviz.gui.state.state import State
from rnnviz.gui.state.window import Message

RECORD = ("record_batches",)  # the command that a message offers where an engine can record them


def not_kept(wanted: int, nearest: int, kind: CaptureKind) -> str:
    """That another training step is shown than was asked for."""
    if kind == "batch":
        return (
            f"The training batch of training step {whole(wanted)} was not recorded: that of {whole(nearest)}, the "
            "nearest that was, is shown."
        )
    return f"Training step {whole(wanted)} was not kept: {whole(nearest)}, the nearest that was, is shown."


def no_batches(state: State) -> Message:
    """That there is no training batch to be looked at, with the remedy where there is one."""
    return Message("info", "No training batch was recorded in this run.", RECORD if state.recorded.engine_lives else ())


def can_show_batch(state: State) -> bool:
    """Whether a training batch is recorded in the run shown, or can be."""
    return bool(len(state.recorded.history.batches)) or (state.run.trainable and state.recorded.engine_lives)
