"""Reading a folder of seeds: how far each run is, its curves, what came of each setting; also while it is trained."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from rnnviz.core.errors import RnnvizError
from rnnviz.core.seeds.criterion import Criterion
from rnnviz.core.seeds.curves import NOTHING, Curve, quantiles, running_mean
from rnnviz.runs.library.summary import Stamp
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.seeds.folder import SeedRun, Setting, experiment_of, same_training, seed_runs, settings_of
from rnnviz.runs.seeds.index import SeedIndex, being_trained, read_index

State = Literal["waiting", "training", "interrupted", "finished", "failed", "foreign"]
ENDED: tuple[State, ...] = ("finished", "failed")


@dataclass(frozen=True)
class Seed:
    """One run of the folder, as it is now. `sentence`: why it failed, or what else lies in its place."""

    run: SeedRun
    state: State = "waiting"
    training_step: int = 0
    sentence: str = ""
    metrics: tuple[str, ...] = ()  # that are recorded
    curves: Mapping[tuple[int, str], Curve] = field(default_factory=dict)  # by model and metric, those asked for

    @property
    def ended(self) -> bool:
        """Whether it counts for the solved-rate: trained to its end, or failed on the way."""
        return self.state in ENDED

    def curve(self, model: int, metric: str) -> Curve:
        return self.curves.get((model, metric), NOTHING)


@dataclass(frozen=True)
class SeedFolder:
    """A folder of seeds as it is now."""

    path: Path
    index: SeedIndex
    settings: tuple[Setting, ...]
    planned: tuple[int, ...]  # training steps of each experiment
    seeds: tuple[Seed, ...]  # in the order in which they are trained
    trained_now: bool

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric that is recorded in it."""
        return tuple(dict.fromkeys(name for seed in self.seeds for name in seed.metrics))

    @property
    def progress(self) -> tuple[int, int]:
        """Training steps that are done, and all there will be; a run that has ended early counts as whole."""
        total = sum(self.planned[seed.run.experiment] for seed in self.seeds)
        done = sum(
            self.planned[seed.run.experiment] if seed.ended else min(seed.training_step, self._planned(seed))
            for seed in self.seeds
        )
        return done, total

    def criterion(self, setting: Setting) -> Criterion:
        return self.index.experiments[setting.experiment].criterion

    def of(self, setting: Setting) -> list[Seed]:
        """The seeds of a setting, ascending."""
        return [seed for seed in self.seeds if seed.run.experiment == setting.experiment]

    def _planned(self, seed: Seed) -> int:
        return self.planned[seed.run.experiment]


@dataclass(frozen=True)
class Result:
    """What came of one seed of a setting. `final`: the mean over the last training steps, as the criterion has it.

    `solved_at`: the training step at which the criterion held; None where it never did, or where the training failed.
    """

    seed: Seed
    final: float | None
    solved_at: int | None


@dataclass(frozen=True)
class SettingResult:
    """What came of a setting, over the seeds that have ended."""

    setting: Setting
    criterion: Criterion
    results: tuple[Result, ...]  # of every seed, ascending

    @property
    def ended(self) -> tuple[Result, ...]:
        return tuple(one for one in self.results if one.seed.ended)

    @property
    def solved(self) -> int:
        """How many of the seeds that have ended."""
        return sum(one.solved_at is not None for one in self.ended)

    @property
    def failed(self) -> int:
        return sum(one.seed.state == "failed" for one in self.results)

    @property
    def rate(self) -> str:
        """ "7 of 10"; while some are not trained yet "3 of 4 so far"; "" before the first has ended."""
        ended = len(self.ended)
        so_far = " so far" if ended < len(self.results) else ""
        return f"{self.solved} of {ended}{so_far}" if ended else ""

    @property
    def final(self) -> tuple[float, float, float] | None:
        """(10 %, median, 90 %) of what the seeds that have ended came to; None without one."""
        return quantiles([one.final for one in self.ended if one.final is not None])

    @property
    def solved_at(self) -> tuple[float, float, float] | None:
        """(10 %, median, 90 %) of the training steps at which those that are solved were; None without one."""
        return quantiles([float(one.solved_at) for one in self.ended if one.solved_at is not None])


def result_of(folder: SeedFolder, setting: Setting) -> SettingResult:
    """What came of a setting; the metric of its criterion was read."""
    criterion = folder.criterion(setting)
    results = []
    for seed in folder.of(setting):
        curve = seed.curve(setting.model, criterion.metric)
        mean = running_mean(curve, criterion.over)
        solved_at = None if seed.state == "failed" else criterion.solved_at(curve)
        results.append(Result(seed, mean.end, solved_at))
    return SettingResult(setting, criterion, tuple(results))


class SeedReader:
    """Reads one folder again and again: only what was written since is read anew. For one thread at a time."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._known: dict[str, tuple[Stamp, frozenset[str], Seed]] = {}

    def read(
        self, metrics: Iterable[str] = (), step: Callable[[int, int], None] = lambda done, all: None
    ) -> SeedFolder:
        """The folder now, with the curves of the criteria's metrics and of `metrics`. Raises RnnvizError for its index.

        `step` is told after each run how many of how many are read.
        """
        index = read_index(self.path)
        experiments = [one.experiment() for one in index.experiments]
        wanted = frozenset({*metrics, *(one.criterion.metric for one in index.experiments)})
        refused = {one.run: one.sentence for one in index.refused}
        trained_now = being_trained(self.path, index)
        runs = seed_runs(self.path, index)
        seeds = []
        for number, run in enumerate(runs, 1):
            seed = self._read(run, index, wanted)
            if seed.state in ("waiting", "interrupted") and run.path.name in refused:
                seed = replace(seed, state="failed", sentence=refused[run.path.name])
            seeds.append(seed)
            step(number, len(runs))
        planned = tuple(max(1, one.training.training_steps) for one in experiments)
        return SeedFolder(self.path, index, settings_of(index), planned, tuple(seeds), trained_now)

    def _read(self, run: SeedRun, index: SeedIndex, wanted: frozenset[str]) -> Seed:
        stamp = Stamp.of(run.path)
        known = self._known.get(str(run.path))
        if known is not None and known[:2] == (stamp, wanted) and known[2].state != "training":
            return known[2]
        seed = read_seed(run, index, wanted) if stamp.exists and stamp.bytes else Seed(run)
        self._known[str(run.path)] = (Stamp.of(run.path), wanted, seed)  # reading may have made one file of two
        return seed


def refuse_foreign(folder: SeedFolder) -> None:
    """RnnvizError where a file that is no run of the folder lies in the place of one: it would be replaced."""
    for seed in folder.seeds:
        if seed.state == "foreign":
            raise RnnvizError(f"{seed.run.path} lies where the run of seed {seed.run.seed} belongs: {seed.sentence}")


def read_seed(run: SeedRun, index: SeedIndex, metrics: Iterable[str] = ()) -> Seed:
    """How far the run is, with the curves of `metrics`; what lies in its place and is no such run is "foreign"."""
    try:
        with Run(run.path) as found:
            if not same_training(found.experiment, experiment_of(index, run)):
                return Seed(run, "foreign", sentence=f"{run.path.name} is a run of something else.")
            status, alive = found.status, found.engine_alive
            recorded = found.metric_names()
            curves = {
                (model.number, name): Curve(*found.curve(name, model.number))
                for name in metrics
                if name in recorded
                for model in found.models
            }
            state: State = "training" if alive else "interrupted"
            if status is not None and status.state in ("finished", "failed"):
                state = "finished" if status.state == "finished" else "failed"
            step = found.last_training_step
            return Seed(run, state, step, status.sentence if status else "", recorded, curves)
    except RnnvizError as error:
        return Seed(run, "foreign", sentence=str(error))
