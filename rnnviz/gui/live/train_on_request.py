"""From where a new run trains on: a training step of the run shown, with the weights that are set by hand."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save

from rnnviz.core.experiment.file import data_files
from rnnviz.core.experiment.training_settings import LIVE_SETTINGS
from rnnviz.core.files.whole import write_whole
from rnnviz.gui.state.state import State
from rnnviz.runs.reading.reader import Run


@dataclass(frozen=True)
class TrainOnRequest:
    """Train-on request, as an engine is told; `weights` is a file only it reads, removed once its run is there."""

    parent: Path
    training_step: int
    settings: Mapping[str, Any]  # of the training, by name: those that a person typed and that need no restart
    model: str = ""  # whose weights are changed; "": none
    weights: Path | None = None
    files: tuple[str, ...] = ()  # data files it reads


def can_train_on(state: State) -> bool:
    """Whether there are recorded weights on the screen, of something that can be trained."""
    return state.run.path is not None and bool(state.recorded.traces) and state.run.trainable


def can_go_on(state: State) -> bool:
    """Whether the run shown, which nobody trains any more, can be trained on from where it stands."""
    return state.run.path is not None and bool(len(state.recorded.history.captured)) and state.run.trainable


def typed_settings(state: State) -> Mapping[str, Any]:
    """What a person typed of the settings that need no restart; the others are as they were at that training step."""
    draft, experiment = state.run.draft, state.run.experiment
    if draft is None or experiment is None:
        return {}
    pairs = {name: (getattr(draft.training, name), getattr(experiment.training, name)) for name in LIVE_SETTINGS}
    return {name: new for name, (new, old) in pairs.items() if new != old}


def files_of(state: State) -> tuple[str, ...]:
    """The data files that a training of the run shown reads."""
    return () if state.run.experiment is None else tuple(data_files(state.run.experiment.task))


def request_from(state: State, run: Run, path: Path) -> TrainOnRequest:
    """From the training step shown of `run` to a new run at `path`; what is set of activations trains nothing.

    Writes the changed weights beside `path`. RnnvizError where that, or the capture, fails.
    """
    from rnnviz.core.sweeps.what_if.interventions import SetWeight  # late: nothing is set by hand yet

    step, whatif = state.place.cursor.training_step, state.trial.whatif
    request = TrainOnRequest(run.path, step, typed_settings(state), files=files_of(state))
    if not any(isinstance(one, SetWeight) for one in whatif.interventions):
        return request
    weights = whatif.weights(run.capture(step, whatif.model, state.place.kind))
    file = path.with_suffix(f".{os.getpid()}.safetensors")
    write_whole(file, save({name: np.asarray(weight, order="C") for name, weight in weights.items()}), private=True)
    return replace(request, model=run.models[whatif.model].name, weights=file)
