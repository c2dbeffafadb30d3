"""Export of a recorded model: its recurrent weights and head as a state dict or safetensors that plain torch loads."""

import io
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save as safetensors_bytes

from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS, SAFETENSORS
from rnnviz.core.files.whole import write_whole
from rnnviz.core.structure import Structure
from rnnviz.core.sweeps.borders.learnt import learnt
from rnnviz.core.sweeps.capture import Capture
from rnnviz.engine.checkpoints.own_exports import RECURRENT, said_in_texts, said_in_values
from rnnviz.runs.reading.reader import Run, open_run

ENDINGS = {ending: one for one in CHECKPOINTS for ending in one.endings}


def export_model(run_path: str | Path, model: str | int, training_step: int | None, out: str | Path) -> Path:
    """Writes the weights of `model` at `training_step` (None: the last captured) to `out` and returns its path.

    Names are "recurrent.weight_ih_l0", …, "head.weight", "head.bias", for a module with `.recurrent` (torch's own
    class; for a cell that torch lacks the names of our `CellModule`) and `.head` (nn.Linear; missing where the run has
    no head, or one without weights); of an encoder–decoder also "decoder.weight_ih_l0", …, "bridge.weight_h",
    "attention.score", and before either "front.weight" and "decoder_front.weight". The ending of `out` decides the
    format; either says the structure, with which `read_checkpoint` opens it again. The file is there whole or not at
    all. RnnvizError for an unknown model, training step or ending, and for a folder that is not writable.
    """
    out = Path(out)
    ending = out.suffix.lower()
    if ending not in ENDINGS:
        raise RnnvizError(f"{out} ends in {ending or 'nothing'!r}: wanted one of {', '.join(ENDINGS)}.")
    with open_run(run_path) as run:
        taken = _last_captured(run) if training_step is None else training_step
        capture = run.capture(taken, model)
        about = _about(run, model, taken, capture)
    tensors = exported_tensors(capture)
    content = safetensors_bytes(tensors, about) if ENDINGS[ending] is SAFETENSORS else _torch_bytes(tensors, capture)
    write_whole(out, content)
    return out


def exported_tensors(capture: Capture) -> dict[str, Array]:
    """The weights under the names of rnnviz's own models, contiguous."""
    return {name: np.asarray(array, order="C") for name, array in learnt(capture).items()}


def _last_captured(run: Run) -> int:
    captured = run.captured()
    if len(captured) == 0:
        raise RnnvizError(f"{run.path} holds no capture yet, so there are no weights to export.")
    return int(captured[-1])


def _about(run: Run, model: str | int, training_step: int, capture: Capture) -> dict[str, str]:
    """The metadata of a safetensors file, which are strings."""
    name = run.models[model].name if isinstance(model, int) else model
    return said_in_texts(_structures(capture)) | {
        "format": "pt",
        "experiment": run.source.title,
        "model": name,
        "training_step": str(training_step),
    }


def _structures(capture: Capture) -> dict[str, Structure]:
    """Of each recurrent module, by what stands before its parameters."""
    return {f"{call.module}." if call.module else RECURRENT: call.structure for call in capture.calls}


def _torch_bytes(tensors: Mapping[str, Array], capture: Capture) -> bytes:
    """A state dict like `module.state_dict()`; the structure is in its metadata, which torch passes over."""
    state: OrderedDict[str, torch.Tensor] = OrderedDict(
        (name, torch.from_numpy(array.copy())) for name, array in tensors.items()
    )
    metadata: OrderedDict[str, dict[str, object]] = OrderedDict({"": {"version": 1}})
    for prefix, structure in _structures(capture).items():
        metadata[prefix.removesuffix(".")] = {"version": 1} | said_in_values(structure)
    state._metadata = metadata  # type: ignore[attr-defined]
    stream = io.BytesIO()
    torch.save(state, stream)
    return stream.getvalue()
