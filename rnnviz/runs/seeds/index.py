"""Index of a folder of seeds: which experiments and seeds are trained there, and what counts as solved; a TOML file."""

import contextlib
import os
import re
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tomli_w

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import LARGEST_FILE, parse_experiment
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.files.text_file import read_bytes
from rnnviz.core.files.toml_text import read_toml
from rnnviz.core.files.whole import write_whole
from rnnviz.core.plain_records import plain, read_record, refuse
from rnnviz.core.seeds.criterion import Criterion, read_criterion
from rnnviz.runs.file.process import NOBODY, WriterProcess

NAME = "seeds.toml"
FORMAT = 1  # the key `seeds_format`
MOST_EXPERIMENTS = 16
MOST_SEEDS = 1000
LARGEST_SEED = 2**31 - 1
_LARGEST = (MOST_EXPERIMENTS + 1) * LARGEST_FILE  # bytes
_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,79}")


@dataclass(frozen=True)
class SeedExperiment:
    """One experiment of the folder; the names of its runs begin with `key`."""

    key: str
    solved: str  # a criterion, as it is typed
    text: str  # TOML

    @property
    def criterion(self) -> Criterion:
        return read_criterion(self.solved, NAME)

    def experiment(self) -> Experiment:
        """With the seed it was given with. Raises RnnvizError."""
        return parse_experiment(self.text, f"{NAME}, {self.key}")


@dataclass(frozen=True)
class Refusal:
    """A seed whose engine ended without a run that says so, and how, in a sentence."""

    run: str  # the name of its file
    sentence: str


@dataclass(frozen=True)
class SeedIndex:
    """What a folder of seeds holds or will hold: every experiment with every seed."""

    rnnviz: str  # the version that trains it
    seeds: tuple[int, ...]  # ascending
    experiments: tuple[SeedExperiment, ...]
    refused: tuple[Refusal, ...] = ()
    trainer: WriterProcess = field(default=NOBODY)  # who trains it


def index_path(folder: Path) -> Path:
    return folder / NAME


def is_seed_folder(path: Path) -> bool:
    """Whether `path` is a folder with an index of seeds."""
    with contextlib.suppress(OSError, ValueError):
        return path.is_dir() and index_path(path).is_file()
    return False


def read_index(folder: Path) -> SeedIndex:
    """The index of `folder`, everything checked. Raises RnnvizError."""
    path = index_path(folder)
    if not is_seed_folder(folder):
        raise RnnvizError(f"{folder} holds no {NAME}; wanted a folder that rnnviz sweep has written.")
    try:
        text = read_bytes(path, _LARGEST).decode("utf-8")
    except UnicodeDecodeError as error:
        raise RnnvizError(f"{path} is not UTF-8 text (byte {error.start}); wanted an index of rnnviz sweep.") from None
    table = read_toml(text, str(path))
    version = table.pop("seeds_format", None)
    if type(version) is not int or version < 1:
        raise refuse(str(path), "seeds_format", str(FORMAT), version)
    if version > FORMAT:
        raise RnnvizError(f"{path} was written by a newer rnnviz (seeds_format = {version}); this one reads {FORMAT}.")
    index = read_record(SeedIndex, table, str(path), "")
    _check(index, str(path))
    return index


def write_index(folder: Path, index: SeedIndex) -> None:
    """Whole or not at all. Raises RnnvizError."""
    table: dict[str, Any] = {"seeds_format": FORMAT, **plain(index)}
    write_whole(index_path(folder), tomli_w.dumps(table, multiline_strings=True).encode())


def being_trained(folder: Path, index: SeedIndex) -> bool:
    """Whether somebody trains its seeds right now; whoever does says so by the time of the index."""
    try:
        heartbeat = index_path(folder).stat().st_mtime
    except OSError:
        return False
    return index.trainer.alive(heartbeat)


def say_alive(folder: Path) -> None:
    """A sign of life of whoever trains: the time of the index."""
    with contextlib.suppress(OSError):
        now = time.time()
        os.utime(index_path(folder), (now, now))


def _check(index: SeedIndex, source: str) -> None:
    if not 1 <= len(index.seeds) <= MOST_SEEDS:
        raise refuse(source, "seeds", f"1 to {MOST_SEEDS:,} whole numbers", len(index.seeds))
    for place, seed in enumerate(index.seeds):
        if not 0 <= seed <= LARGEST_SEED or (place and seed <= index.seeds[place - 1]):
            raise refuse(source, f"seeds[{place}]", f"ascending, from 0 to {LARGEST_SEED:,}", seed)
    if not 1 <= len(index.experiments) <= MOST_EXPERIMENTS:
        raise refuse(source, "experiments", f"1 to {MOST_EXPERIMENTS} tables", len(index.experiments))
    for place, one in enumerate(index.experiments):
        key = f"experiments[{place}]"
        if not _KEY.fullmatch(one.key) or any(one.key == other.key for other in index.experiments[:place]):
            raise refuse(source, f"{key}.key", "a name of its own, of letters, digits, - and _", one.key)
        parse_experiment(one.text, f"{source}, {key}.text")
        read_criterion(one.solved, f"{source}, {key}.solved")


def keys_of(names: Iterable[str]) -> tuple[str, ...]:
    """A key for each name, no two the same: "adding", "adding-2"."""
    keys: list[str] = []
    for name in names:
        words = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-") or "experiment"
        key, count = words, 1
        while key in keys:
            count += 1
            key = f"{words}-{count}"
        keys.append(key)
    return tuple(keys)
