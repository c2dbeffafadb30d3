"""Estimate of what an experiment takes, memory and time, before anything is built; and what is too much."""

import hashlib
import json
from dataclasses import dataclass

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.sizes import parameter_count
from rnnviz.core.files.allowed import keep, recall
from rnnviz.core.plain_records import plain

ASKED_BYTES, MOST_BYTES = 1e9, 8e9  # above the first a person is asked, above the second none is trained
ASKED_SECONDS, MOST_SECONDS = 10.0, 600.0  # of one training step

_REMEMBERED = "large experiment"  # among what was allowed
_FLOAT = 4  # bytes of a float32
_COPIES = 7  # of every weight: itself, its gradient, what the optimiser gathers, its step, and captures on their way
_SPEED = 5e9  # multiply-adds a second of one thread, both sweeps, as measured for 64 to 1024 units


@dataclass(frozen=True)
class Estimate:
    """What training takes at least, within about a factor of two."""

    bytes: float
    seconds: float  # of one training step

    @property
    def words(self) -> str:
        """ "about 3.1 GB of memory and 12 s for each training step"."""
        return f"about {_amount(self.bytes)} of memory and {_time(self.seconds)} for each training step"

    @property
    def asked(self) -> bool:
        """Whether a person is asked first."""
        return self.bytes > ASKED_BYTES or self.seconds > ASKED_SECONDS


def estimate(experiment: Experiment, inputs: int = 1, outputs: int = 1) -> Estimate:
    """What all models of `experiment` take together, of `inputs` columns in and `outputs` out (at least one each)."""
    task, training = experiment.task, experiment.training
    sequences, written = training.batch_size, task.written  # N, and U where there is a decoder
    read = training.reach if training.truncation == "windows" else task.longest  # S
    decodes = written > 0
    places = (read + written) * sequences  # T · N
    total = places * (inputs + outputs) * 2.0
    multiply_adds = 0.0
    for model in experiment.models:
        structure = model.structure(inputs, outputs)
        weights = parameter_count(model, inputs, outputs, decodes)
        units = structure.num_layers * structure.hidden_size
        # Both sweeps keep the states and about four numbers for each block of the cell, such as a gate.
        kept = units * 4.0 * (1 + len(structure.equations.blocks)) * sequences
        total += _COPIES * weights + kept * (read * structure.directions + written)
        if model.attention and decodes:
            total += 4.0 * written * read * sequences
            multiply_adds += 6.0 * written * read * sequences * structure.directions * structure.output_size
        multiply_adds += 3.0 * places * weights
    return Estimate(_FLOAT * total, multiply_adds / _SPEED)


def check_estimate(experiment: Experiment, source: str, inputs: int = 1, outputs: int = 1) -> None:
    """RnnvizError for an experiment that takes more than any is given; `source` names the file in its sentence."""
    took = estimate(experiment, inputs, outputs)
    if took.bytes > MOST_BYTES or took.seconds > MOST_SECONDS:
        raise RnnvizError(
            f"{source}: the models together would take {took.words}; wanted at most {_amount(MOST_BYTES)} and "
            f"{_time(MOST_SECONDS)}: use fewer or smaller models, shorter sequences or smaller batches."
        )


def refuse_large(experiment: Experiment, source: str, allowed: bool) -> None:
    """RnnvizError for one that takes a lot, where nobody can be asked and nobody has `allowed` it now or before."""
    took = estimate(experiment)
    if not took.asked:
        return
    if allowed:
        allow(experiment)
    elif not is_allowed(experiment):
        raise RnnvizError(f"{source} takes {took.words}; --large trains it anyway.")


def is_allowed(experiment: Experiment) -> bool:
    """Whether a person has said that one of this task, these models and this batch may take what it takes."""
    return recall(_REMEMBERED) == _digest(experiment)


def allow(experiment: Experiment) -> None:
    """Remembers that it may; the newest one is."""
    keep(_REMEMBERED, _digest(experiment))


def _digest(experiment: Experiment) -> str:
    about = plain((experiment.task, experiment.models, experiment.training.batch_size))
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()


def _amount(size: float) -> str:
    if size < 1e8:
        return f"{size / 1e6:.1f} MB"
    return f"{size / 1e9:.1f} GB" if size < 1e10 else f"{size / 1e9:,.0f} GB"


def _time(seconds: float) -> str:
    if seconds < 1:
        return "under 1 s"
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:,.0f} min"
