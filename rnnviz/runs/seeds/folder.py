"""Folder of seeds: begun, gone on with or refused, and the runs that belong into it; nothing foreign is touched."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml
from rnnviz.core.experiment.heads import open_source, recorded_info
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.seeds.criterion import Criterion, check_criterion, read_criterion, usual_criterion
from rnnviz.core.stopping.marks import Marks
from rnnviz.runs.file.process import NOBODY, own_process
from rnnviz.runs.seeds.index import (
    LARGEST_SEED,
    MOST_EXPERIMENTS,
    MOST_SEEDS,
    Refusal,
    SeedExperiment,
    SeedIndex,
    being_trained,
    index_path,
    is_seed_folder,
    keys_of,
    read_index,
    write_index,
)
from rnnviz.version import __version__


@dataclass(frozen=True)
class SeedRun:
    """One seed of one experiment, and where its run lies; `experiment`: its place in the index."""

    experiment: int
    seed: int
    path: Path


@dataclass(frozen=True)
class Setting:
    """One model of one experiment: what is trained with every seed."""

    experiment: int
    model: int
    name: str
    cell: str


def begin(folder: Path, experiments: Sequence[Experiment], seeds: Sequence[int], solved: str = "") -> SeedIndex:
    """Makes `folder` one of these experiments and seeds, or goes on with the one it is; what is there stays.

    `solved`: a criterion; "": as before, at first the usual one of each task. Raises RnnvizError where the folder
    holds anything else: other experiments, seeds of another version, files of somebody else.
    """
    if is_seed_folder(folder):
        before = _to_go_on(folder, solved)
        if [_alike(one.experiment()) for one in before.experiments] != [_alike(one) for one in experiments]:
            raise RnnvizError(
                f"{folder} holds seeds of {_titles(before)} with other settings or models; wanted the same "
                "experiment, or another folder."
            )
        return _with_seeds(folder, before, seeds)
    if not 1 <= len(experiments) <= MOST_EXPERIMENTS:
        raise RnnvizError(f"{folder}: wanted 1 to {MOST_EXPERIMENTS} experiments, not {len(experiments)}.")
    keys = keys_of(experiment.name for experiment in experiments)
    criteria = [_criterion(experiment, solved) for experiment in experiments]
    made = tuple(
        SeedExperiment(key, criterion.text, experiment_toml(experiment))
        for key, criterion, experiment in zip(keys, criteria, experiments, strict=True)
    )
    _check_seeds(folder, seeds)
    _make(folder)
    return _with_seeds(folder, SeedIndex(__version__, (), made), seeds)


def go_on(folder: Path, seeds: Sequence[int] = (), solved: str = "") -> SeedIndex:
    """Goes on with a folder as it is, with further `seeds` where any are given. Raises RnnvizError as `begin` does."""
    return _with_seeds(folder, _to_go_on(folder, solved), seeds)


def claim(folder: Path, index: SeedIndex) -> None:
    """Says in the index that from now on this process trains the folder. Raises RnnvizError."""
    write_index(folder, replace(index, refused=(), trainer=own_process()))


def finish(folder: Path, refused: Sequence[Refusal] = ()) -> None:
    """Says in the index that nobody trains the folder any more, and which seeds have failed. Raises RnnvizError."""
    write_index(folder, replace(read_index(folder), refused=tuple(refused), trainer=NOBODY))


def seed_runs(folder: Path, index: SeedIndex) -> tuple[SeedRun, ...]:
    """Every run that belongs into the folder, in the order in which they are trained: seed by seed."""
    return tuple(
        SeedRun(number, seed, folder / f"{one.key}-seed-{seed}.rnnviz")
        for seed in index.seeds
        for number, one in enumerate(index.experiments)
    )


def experiment_of(index: SeedIndex, run: SeedRun) -> Experiment:
    """What a run of the folder is trained with."""
    return replace(index.experiments[run.experiment].experiment(), seed=run.seed)


def settings_of(index: SeedIndex) -> tuple[Setting, ...]:
    """Every setting of the folder, named apart where there are several experiments."""
    experiments = [one.experiment() for one in index.experiments]
    several = len(experiments) > 1
    names = [experiment.name for experiment in experiments]
    titles = [name if names.count(name) == 1 else index.experiments[number].key for number, name in enumerate(names)]
    return tuple(
        Setting(number, place, f"{titles[number]} · {model.name}" if several else model.name, model.cell)
        for number, experiment in enumerate(experiments)
        for place, model in enumerate(experiment.models)
    )


def same_training(one: Experiment, other: Experiment) -> bool:
    """Whether two experiments train the same with the same seed: marks change nothing of that."""
    return replace(one, marks=Marks()) == replace(other, marks=Marks())


def _alike(experiment: Experiment) -> Experiment:
    return replace(experiment, seed=0, marks=Marks())


def _criterion(experiment: Experiment, solved: str) -> Criterion:
    """What is asked for, or usual for its task. Raises RnnvizError where the task does not measure that."""
    info = recorded_info(experiment, open_source(experiment))
    if not solved:
        return usual_criterion(info)
    criterion = read_criterion(solved)
    check_criterion(criterion, info)
    return criterion


def _titles(index: SeedIndex) -> str:
    return " and ".join(f"“{one.experiment().name}”" for one in index.experiments)


def _to_go_on(folder: Path, solved: str) -> SeedIndex:
    """The index of a folder that this version may train on, with another criterion if one is given."""
    index = read_index(folder)
    if index.rnnviz != __version__:
        raise RnnvizError(
            f"{folder} holds seeds trained by rnnviz {index.rnnviz[:40]}, and this is {__version__}; wanted another "
            "folder, so that no two versions are mixed."
        )
    if being_trained(folder, index):
        raise RnnvizError(f"The seeds in {folder} are being trained already, by process {index.trainer.number}.")
    if not solved:
        return index
    experiments = (replace(one, solved=_criterion(one.experiment(), solved).text) for one in index.experiments)
    return replace(index, experiments=tuple(experiments))


def _with_seeds(folder: Path, index: SeedIndex, seeds: Sequence[int]) -> SeedIndex:
    """Written with further seeds."""
    index = replace(index, seeds=tuple(sorted({*index.seeds, *seeds})))
    _check_seeds(folder, index.seeds)
    write_index(folder, index)
    return index


def _check_seeds(folder: Path, seeds: Sequence[int]) -> None:
    if not 1 <= len(seeds) <= MOST_SEEDS:
        raise RnnvizError(f"{folder}: wanted 1 to {MOST_SEEDS:,} seeds, not {len(seeds):,}.")
    if max(seeds) > LARGEST_SEED:
        raise RnnvizError(f"{folder}: wanted seeds from 0 to {LARGEST_SEED:,}, not {max(seeds):,}.")


def _make(folder: Path) -> None:
    """An empty folder. RnnvizError where something is there already, or where it cannot be made."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        there = next((entry.name for entry in folder.iterdir()), "")
    except OSError as error:
        raise RnnvizError(f"{folder} cannot be made a folder of seeds: {error.strerror}.") from None
    if there:
        raise RnnvizError(
            f"{folder} holds {there[:60]} and no {index_path(folder).name}; wanted a new or empty folder, or one that "
            "rnnviz sweep has written."
        )
