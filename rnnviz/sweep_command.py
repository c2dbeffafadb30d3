"""`rnnviz sweep`: trains several seeds of experiments into a folder, two at a time, and says what came of them."""

import argparse
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any

from rnnviz.code_option import add_run_code
from rnnviz.core.errors import RnnvizError
from rnnviz.option_numbers import whole_number

if TYPE_CHECKING:
    from rnnviz.core.experiment.settings import Experiment
    from rnnviz.runs.seeds.index import Refusal, SeedIndex
    from rnnviz.runs.seeds.reading import SeedFolder, SeedReader, SettingResult

    Refuse = Callable[[Experiment, Path, argparse.Namespace], None]

Commands = argparse._SubParsersAction  # argparse gives its type no public name

TEXT_OPTIONS = ("--seeds", "--first-seed", "--jobs", "--solved")  # their values may begin with a dash
USUAL_SEEDS = 20
MOST_JOBS = 64
INTERRUPTED = 130  # as a shell says it of Ctrl+C
_SIGN_OF_LIFE = 1.0  # seconds between two
STATUS = """exit status: 0 where every seed is trained; 2 where one has failed or nothing could be trained; 130 where it
was interrupted: what is trained stays, and the same command trains the rest."""


def add_sweep(commands: "Commands[Any]", refuse: "Refuse") -> None:
    """`refuse` raises for an experiment that reads what lies elsewhere, or takes a lot, and was not allowed to."""
    sweep = commands.add_parser(
        "sweep", help="train several seeds of an experiment into a folder; says how many are solved", epilog=STATUS
    )
    add = sweep.add_argument
    add(
        "experiments",
        type=Path,
        nargs="*",
        metavar="EXPERIMENT",
        help="experiments as TOML; without any, those of the folder are trained on",
    )
    add(
        "--seeds",
        type=_seeds,
        metavar="N|A,B,C",
        help=f"how many seeds, or which: 3,5,8 (default: {USUAL_SEEDS}, or those of the folder)",
    )
    add("--first-seed", type=whole_number(0), metavar="S", help="the first of so many (default: 1)")
    add("--jobs", type=whole_number(1), default=2, metavar="J", help="engines at a time (default: 2)")
    add(
        "-o",
        dest="folder",
        type=Path,
        metavar="FOLDER",
        help="new, empty, or of these seeds (default: the experiment's name with -seeds, in the current folder)",
    )
    add(
        "--solved",
        default="",
        metavar="CRITERION",
        help='when a seed counts as solved, such as "accuracy >= 0.99 over 20": as the mean of 20 training steps '
        "(default: that, or half the loss of the best baseline)",
    )
    add("--training-steps", type=whole_number(1), metavar="K", help="instead of the experiments' own number")
    add(
        "--allow-file",
        dest="allowed",
        action="append",
        default=[],
        metavar="FILE",
        help="allow this data file outside the experiment's folder; remembered until the file changes",
    )
    add_run_code(sweep)
    add("--large", action="store_true", help="allow what needs gigabytes of memory or long training steps")
    add("--json", action="store_true", help="print the results as JSON, for programs")
    add("--live", action="store_true", help=argparse.SUPPRESS)  # ends with the window that has started it
    sweep.set_defaults(run=lambda options: run_sweep(options, refuse))


def run_sweep(options: argparse.Namespace, refuse: "Refuse") -> int:
    """Trains what is not trained yet, then prints a table, or with --json one object. Raises RnnvizError, also after
    that where a seed has failed."""
    from rnnviz.runs.seeds.folder import finish
    from rnnviz.runs.seeds.reading import SeedReader

    if options.jobs > MOST_JOBS:
        raise RnnvizError(f"rnnviz sweep: --jobs: wanted 1 to {MOST_JOBS} engines, not {options.jobs}.")
    given: list[Path] = options.experiments
    for place, path in enumerate(given):
        if path in given[:place]:
            raise RnnvizError(f"rnnviz sweep: wanted each experiment once, not {path} twice.")
    folder, index = _begun(options, refuse)
    reader = SeedReader(folder)
    failed: list[Refusal] = []
    with _interruptible(options.live) as interrupted:
        try:
            _train(folder, index, reader, options.jobs, failed)
        except KeyboardInterrupt:
            interrupted.set()
        finally:
            finish(folder, failed)
    seeds = reader.read()
    print(json.dumps(as_json(seeds), ensure_ascii=True) if options.json else table(seeds))
    ended, of = sum(seed.ended for seed in seeds.seeds), len(seeds.seeds)
    if interrupted.is_set():
        print(f"Interrupted: {ended} of {of} runs are trained; to train the rest: {_again(folder)}", file=sys.stderr)
        return INTERRUPTED
    wrong = [seed for seed in seeds.seeds if seed.state != "finished"]
    if wrong:
        raise RnnvizError(f"{len(wrong)} of {of} runs failed; {wrong[0].run.path.name}: {wrong[0].sentence}")
    return 0


def table(seeds: "SeedFolder") -> str:
    """What came of each setting, in columns: the metric of its criterion at the end, and how many seeds are solved."""
    from rnnviz.core.numbers import short
    from rnnviz.runs.seeds.reading import result_of

    rows = [("setting", "seeds", "median", "10–90 %", "solved", "at training step", "failed")]
    said = []
    for setting in seeds.settings:
        result = result_of(seeds, setting)
        final, at, criterion = result.final, result.solved_at, result.criterion
        rows.append(
            (
                setting.name,
                str(len(result.results)),
                "–" if final is None else f"{criterion.metric} {short(final[1])}",
                "–" if final is None or len(result.ended) < 2 else f"{short(final[0])} to {short(final[2])}",
                result.rate or "–",
                "–" if at is None else f"{at[1]:,.0f}",
                str(result.failed or "–"),
            )
        )
        said.append(criterion.words)
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ["  ".join(cell.ljust(wide) for cell, wide in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, *(f"solved: {words}" for words in dict.fromkeys(said)), f"The runs are in {seeds.path}"])


def as_json(seeds: "SeedFolder") -> dict[str, Any]:
    """The same for programs, with every seed."""
    from rnnviz.runs.seeds.reading import result_of

    return {
        "folder": str(seeds.path),
        "seeds": list(seeds.index.seeds),
        "settings": [_setting_json(seeds, result_of(seeds, setting)) for setting in seeds.settings],
    }


def _setting_json(seeds: "SeedFolder", result: "SettingResult") -> dict[str, Any]:
    low, median, high = result.final or (None, None, None)
    return {
        "setting": result.setting.name,
        "experiment": seeds.index.experiments[result.setting.experiment].key,
        "criterion": result.criterion.text,
        "ended": len(result.ended),
        "solved": result.solved,
        "failed": result.failed,
        "final": {"low": low, "median": median, "high": high},
        "solved_at_median": result.solved_at[1] if result.solved_at else None,
        "runs": [
            {
                "seed": one.seed.run.seed,
                "run": one.seed.run.path.name,
                "state": one.seed.state,
                "training_step": one.seed.training_step,
                "final": one.final if one.final is not None and one.final == one.final else None,
                "solved_at": one.solved_at,
                "sentence": one.seed.sentence,
            }
            for one in result.results
        ],
    }


def _begun(options: argparse.Namespace, refuse: "Refuse") -> "tuple[Path, SeedIndex]":
    """The folder and its index, in which everything that is asked for stands. Raises RnnvizError."""
    from rnnviz.core.experiment.check import check_experiment
    from rnnviz.core.experiment.file import read_experiment
    from rnnviz.runs.seeds.folder import begin, go_on
    from rnnviz.runs.seeds.index import index_path, is_seed_folder

    folder: Path | None = options.folder
    if not options.experiments:
        if folder is None:
            raise RnnvizError(
                "rnnviz sweep: wanted an EXPERIMENT, or -o FOLDER of seeds; rnnviz sweep --help says more."
            )
        if options.training_steps is not None:
            raise RnnvizError("rnnviz sweep: --training-steps is for a new folder, with an EXPERIMENT.")
        index = go_on(folder, _wanted(options, ()), options.solved)
        for one in index.experiments:
            refuse(one.experiment(), index_path(folder), options)
        return folder, index
    experiments = []
    for path in options.experiments:
        experiment = read_experiment(path)
        if options.training_steps is not None:
            training = replace(experiment.training, training_steps=options.training_steps)
            experiment = replace(experiment, training=training)
            check_experiment(experiment, "--training-steps")
        refuse(experiment, path, options)
        experiments.append(experiment)
    folder = folder or Path(f"{options.experiments[0].stem}-seeds")
    usual = () if is_seed_folder(folder) else (USUAL_SEEDS,)
    return folder, begin(folder, experiments, _wanted(options, usual), options.solved)


def _wanted(options: argparse.Namespace, usual: tuple[int, ...]) -> tuple[int, ...]:
    """The seeds asked for; () for those of the folder. `usual`: how many, where nobody has said it."""
    asked: tuple[int, ...] | int | None = options.seeds
    count = asked if isinstance(asked, int) else sum(usual)
    if options.first_seed is not None and (isinstance(asked, tuple) or not count):
        raise RnnvizError("rnnviz sweep: --first-seed is for a number of seeds: --seeds N, not a list of them.")
    if isinstance(asked, tuple):
        return asked
    first = 1 if options.first_seed is None else options.first_seed
    return tuple(range(first, first + count))


def _train(folder: Path, index: "SeedIndex", reader: "SeedReader", jobs: int, failed: "list[Refusal]") -> None:
    """Trains every run that is not finished; those that have failed are put into `failed`."""
    from rnnviz.progress_bar import ProgressBar
    from rnnviz.runs.seeds.folder import claim
    from rnnviz.runs.seeds.index import Refusal, say_alive
    from rnnviz.runs.seeds.reading import refuse_foreign
    from rnnviz.runs.seeds.training import Complained, Ended, Moved, train_seeds

    claim(folder, index)
    seeds = reader.read()
    refuse_foreign(seeds)
    wanted = [seed.run for seed in seeds.seeds if seed.state != "finished"]
    planned = {seed.run: seeds.planned[seed.run.experiment] for seed in seeds.seeds}
    steps = {run: 0 if run in wanted else planned[run] for run in planned}
    trained, alive = len(steps) - len(wanted), time.monotonic()
    bar = ProgressBar(folder.absolute().name, sum(planned.values()), sum(steps.values()))
    with closing(bar), closing(train_seeds(wanted, seeds.index, jobs)) as news:
        for new in news:
            match new:
                case Moved(run, step) if run is not None:
                    steps[run] = min(step, planned[run])
                case Ended(run, state, sentence):
                    trained += 1
                    steps[run] = planned[run]
                    if state != "finished":
                        failed.append(Refusal(run.path.name, sentence or "It was stopped from outside."))
                        bar.say(f"{run.path.name}: {failed[-1].sentence}")
                case Complained(run, sentence):
                    bar.say(f"{run.path.name}: {sentence}")
            bar.show(sum(steps.values()), f"{trained} of {len(steps)} runs")
            if time.monotonic() - alive > _SIGN_OF_LIFE:
                alive = time.monotonic()
                say_alive(folder)


@contextmanager
def _interruptible(live: bool) -> Iterator[threading.Event]:
    """Ctrl+C and its like raise KeyboardInterrupt here, once; set from then on. `live`: so does the end of the window
    that has started this process."""
    from rnnviz.engine.training.lifetime import SIGNALS, end_with_parent
    from rnnviz.engine.training.pipe import pipe_of_window

    came = threading.Event()

    def interrupt(number: int, frame: FrameType | None) -> None:
        if not came.is_set():
            came.set()
            raise KeyboardInterrupt

    handlers = {}
    if threading.current_thread() is threading.main_thread():
        wished = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
        handlers = {number: signal.signal(number, interrupt) for number in wished}
    try:
        if live:
            end_with_parent()
            pipe_of_window()  # which sends SIGTERM when it is closed
        yield came
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _again(folder: Path) -> str:
    import shlex

    return f"rnnviz sweep -o {shlex.quote(str(folder))}"


def _seeds(text: str) -> tuple[int, ...] | int:
    """A number of seeds, or a list of seeds with commas, each once."""
    if "," not in text:
        return whole_number(1)(text)
    parts = text.split(",")
    if not parts[-1].strip() and len(parts) == 2:
        del parts[-1]  # "8," is the list of one seed
    seeds = tuple(whole_number(0)(part) for part in parts)
    twice = next((seed for place, seed in enumerate(seeds) if seed in seeds[:place]), None)
    if twice is not None:
        raise argparse.ArgumentTypeError(f"wanted each seed once, not {twice} twice")
    return seeds
