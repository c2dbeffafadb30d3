"""Archives that torch.save did not write: what each is, in words, with lines that make a state dict of it."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from rnnviz.core.files.formats import CHECKPOINTS, endings
from rnnviz.core.plain_records import listed
from rnnviz.engine.checkpoints.names import shown

_INNER = (*endings(CHECKPOINTS), ".npz")  # of a file inside, for which unpacking is enough


def other_archive(entries: Sequence[str], name: str) -> str:
    """What a zip archive without a data.pkl is, by the names of its entries; `name` is the file's. A phrase."""
    if any(entry.endswith(".npy") for entry in entries):
        return (
            "is a zip archive of NumPy arrays (.npz): make a state dict of it with  torch.save({k: torch.from_numpy(v) "
            f'for k, v in numpy.load({name!r}).items()}}, "weights.pt")'
        )
    if "model.weights.h5" in entries:
        return "is a Keras model, wanted a torch state dict or safetensors"
    if any(
        entry.endswith(("archive_format", "models/model.json", "serialized_exported_program.json")) for entry in entries
    ):
        return (
            "is a program that torch.export saved (.pt2): where you trust it, take its weights with  "
            f'torch.save(dict(torch.export.load({name!r}).state_dict), "weights.pt")'
        )
    inner = [entry for entry in entries if PurePosixPath(entry).suffix.lower() in _INNER]
    if inner:
        named = listed([shown(entry) for entry in inner[:3]])
        return (
            f"is a zip archive that holds {named}{' and more' if inner[3:] else ''}: unpack it with  "
            f"python -m zipfile -e {_quoted(name)} .  and open what comes out"
        )
    return "is a zip archive without a data.pkl, so torch.save did not write it"


def torch_script(name: str) -> str:
    """The phrase for an archive with code in it."""
    return (
        "is a TorchScript archive, wanted its state dict: where you trust it, take its weights with  "
        f'torch.save(dict(torch.jit.load({name!r}).state_dict()), "weights.pt")'
    )


def _quoted(name: str) -> str:
    return name if name.replace(".", "").replace("-", "").replace("_", "").isalnum() else f'"{name}"'
