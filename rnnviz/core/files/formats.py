"""Formats: the files this program opens and writes, by name, words, endings and looks; readers and dialogs use them."""

from collections.abc import Iterable
from dataclasses import dataclass

from rnnviz.core.files.magic import LEGACY, PICKLE, SQLITE, ZIP
from rnnviz.core.files.magic import SAFETENSORS as LOOKS_LIKE_SAFETENSORS


@dataclass(frozen=True)
class FileFormat:
    """One format. Files are known by their first bytes where `looks` has any, else by their ending."""

    name: str  # as `rnnviz inspect` calls its files
    words: str  # in a sentence about what was wanted
    title: str  # in a file dialog
    endings: tuple[str, ...]  # the usual one first
    maybe: tuple[str, ...] = ()  # endings under which such a file is found too
    looks: tuple[str, ...] = ()  # words of `looks_like`
    say_endings: bool = False  # in a sentence, where a person would not guess them


RUN = FileFormat("run", "a run", "Runs", (".rnnviz",), looks=(SQLITE,))
EXPERIMENT = FileFormat("experiment", "an experiment", "Experiments", (".toml",), say_endings=True)
STATE_DICT = FileFormat(
    "state dict",
    "a torch state dict",
    "PyTorch state dict",
    (".pt", ".pth", ".bin"),
    (".ckpt", ".pkl", ".pickle"),
    (ZIP, LEGACY, PICKLE),
    say_endings=True,
)
INDEX_ENDING = ".index.json"  # of the list of the parts in which a large checkpoint was saved, in either format
SAFETENSORS = FileFormat(
    "safetensors",
    "a safetensors file",
    "Safetensors",
    (".safetensors",),
    (INDEX_ENDING,),
    looks=(LOOKS_LIKE_SAFETENSORS,),
)
TABLE = FileFormat("csv", "a CSV table", "Tables", (".csv", ".tsv", ".tab"), (".txt", ".dat", ""))
TEXT = FileFormat("text", "a text", "Texts", (".txt", ".md"))

PYTHON = FileFormat("python", "a Python file", "Python files", (".py",))

CHECKPOINTS = (STATE_DICT, SAFETENSORS)
FORMATS = (RUN, EXPERIMENT, *CHECKPOINTS, TABLE, TEXT)


def checkpoint_format(name: str) -> FileFormat | None:
    """The checkpoint format called `name`; None for any other."""
    return next((one for one in CHECKPOINTS if one.name == name), None)


def endings(formats: Iterable[FileFormat]) -> tuple[str, ...]:
    """All endings under which files of these formats are found."""
    return tuple(dict.fromkeys(ending for one in formats for ending in (*one.endings, *one.maybe)))


def wanted(formats: Iterable[FileFormat]) -> str:
    """Formats for a sentence: "a torch state dict (.pt, .pth, .bin) or a safetensors file"."""
    *first, last = [f"{one.words} ({', '.join(one.endings)})" if one.say_endings else one.words for one in formats]
    return f"{', '.join(first)} or {last}" if first else last
