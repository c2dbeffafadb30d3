"""The commands: what a person types, and the one place where an error becomes a sentence on standard error."""

import argparse
import csv
import os
import sys
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from rnnviz import debugging_commands, sweep_command
from rnnviz.code_option import add_run_code, refuse_code
from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.formats import CHECKPOINTS
from rnnviz.debugging_commands import Commands
from rnnviz.gui.figures.formats import FIGURES, FONT_SCALES, SCALES, Measures, figure_format
from rnnviz.gui.network.levels import LEVELS
from rnnviz.gui.state.laboratory import CARDS
from rnnviz.gui.state.views import VIEWS
from rnnviz.option_numbers import real_number, whole_number

if TYPE_CHECKING:
    from rnnviz.core.experiment.settings import Experiment
    from rnnviz.core.source import Given
    from rnnviz.engine.training.pipe import Pipe

# Before numpy is loaded: the products here are small, and OpenBLAS's threads would wait for the engine's busy core.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

WRONG = 2  # exit status of everything a person can put right
LARGEST_RECORD = 1 << 20  # bytes of JSON on standard input
# their values may begin with a dash
TEXT_OPTIONS = (
    *("--alphabet", "--columns", "--input", "--model", "--module", "--training-step", "--training-steps"),
    *("--learning-rate", "--clip-norm", "--length", "--loss-time-step", "--seed", "--time-step", "--scale", "--size"),
    *("--font-scale", *debugging_commands.TEXT_OPTIONS, *sweep_command.TEXT_OPTIONS),
)
COMMANDS = (
    *("train", "sweep", "branch", "inspect", "trace", "search", "check", "jacobians", "export", "render", "window"),
)

EXAMPLES = """examples:
  rnnviz                                        the window, with the first lesson
  rnnviz my.rnnviz                              the window, with a run, an experiment or a checkpoint
  rnnviz train lesson.toml --run my.rnnviz      train without a window
  rnnviz sweep lesson.toml --seeds 10           the same with ten seeds: how many are solved
  rnnviz search my.rnnviz --condition "loss < 0.05"
  rnnviz render my.rnnviz --lanes gradients -o gradients.png
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; 0, or 2 after one sentence on standard error. With --debug an error keeps its traceback.

    Without `arguments`, those of the process, which ends here where torch is loaded: taking that down would keep a busy
    machine busy for seconds.
    """
    status = _run(list(sys.argv[1:] if arguments is None else arguments))
    if arguments is None and "torch" in sys.modules:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)
    return status


def _run(words: list[str]) -> int:
    debug = "--debug" in words
    words = _joined([word for word in words if word != "--debug"])
    try:
        if not any(word in ("-h", "--help", "--version") for word in words) and _first(words) not in COMMANDS:
            words.insert(0, "window")
        options = _parser().parse_args(words)
        run: Callable[[argparse.Namespace], int] = options.run
        with warnings.catch_warnings():
            warnings.showwarning = _show_warning
            return run(options)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("rnnviz"):
            return _say(f"rnnviz failed (its part {error.name} is missing); --debug shows where.", debug)
        package = error.name.partition(".")[0]
        return _say(f"rnnviz needs {package}, which is not installed here: pip install {package}.", debug)
    except ImportError as error:
        from rnnviz.gui.system_libraries import OFFSCREEN, WINDOW, lacking, on_x

        said = lacking({**OFFSCREEN, **(WINDOW if on_x() else {})})
        return _say(said or f"rnnviz failed ({error}); with --debug it says where.", debug)
    except RnnvizError as error:
        return _say(str(error), debug)
    except KeyboardInterrupt:
        return sweep_command.INTERRUPTED
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except Exception as error:  # a fault of ours: still no traceback unless asked for
        return _say(f"rnnviz failed ({type(error).__name__}: {error}); --debug shows where.", debug)


def _show_warning(message: Warning | str, category: type[Warning], *_: object, **__: object) -> None:
    """Ours in plain words, others' as Python has them."""
    from rnnviz.runs.reading.reader import IncompleteRunWarning

    ours = issubclass(category, IncompleteRunWarning)
    print(str(message) if ours else f"{category.__name__}: {message}", file=sys.stderr)


def _say(sentence: str, debug: bool) -> int:
    """Prints one sentence on one line; called while the error is handled, so that --debug can raise it again."""
    if debug:
        raise  # noqa: PLE0704
    print(" ".join(sentence.split()), file=sys.stderr)
    return WRONG


def _first(words: Sequence[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _joined(words: Sequence[str]) -> list[str]:
    """`--alphabet -abc` as `--alphabet=-abc`, since argparse takes every word with a dash for an option."""
    joined: list[str] = []
    for word in words:
        if joined and joined[-1] in TEXT_OPTIONS:
            joined[-1] += f"={word}"
        else:
            joined.append(word)
    return joined


class _Parser(argparse.ArgumentParser):
    """argparse, with its errors as our one sentence."""

    def error(self, message: str) -> NoReturn:
        raise RnnvizError(f"{self.prog}: {message}; {self.prog} --help says more.")


class _Version(argparse.Action):
    """--version, which reads the version only when asked."""

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> NoReturn:
        from rnnviz.version import __version__

        print(f"rnnviz {__version__}")
        parser.exit()


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="rnnviz",
        description="A debugger for recurrent neural networks: step through time and back through the gradients.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        usage="rnnviz [PATH] | rnnviz COMMAND …",
    )
    parser.add_argument("--version", action=_Version, nargs=0, help="print the version")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(metavar="COMMAND", required=True, prog="rnnviz", parser_class=_Parser)
    for add in (
        _add_window,
        _add_train,
        partial(sweep_command.add_sweep, refuse=_refuse_unwanted),
        _add_branch,
        _add_inspect,
        _add_trace,
        debugging_commands.add_search,
        debugging_commands.add_check,
        debugging_commands.add_jacobians,
        _add_export,
        _add_render,
    ):
        add(commands)
    return parser


def _add_window(commands: "Commands[_Parser]") -> None:
    window = commands.add_parser("window", help="open the window; the same as no command")
    window.add_argument("paths", nargs="*", metavar="PATH", help="a run, an experiment, a checkpoint, a CSV or a text")
    window.set_defaults(run=_window)


def _add_train(commands: "Commands[_Parser]") -> None:
    train = commands.add_parser("train", help="train an experiment without a window; writes a run")
    train.add_argument("experiment", type=Path, metavar="EXPERIMENT", help="the experiment as TOML")
    train.add_argument(
        "--run",
        dest="run_path",
        type=Path,
        metavar="FILE",
        help="the run (default: the experiment's name, in the current folder)",
    )
    train.add_argument(
        "--training-steps", type=whole_number(0), metavar="K", help="instead of the experiment's own number"
    )
    train.add_argument(
        "--batches", action="store_true", help="record the training batch with each capture, not only at the end"
    )
    _add_live(train)
    train.set_defaults(run=_train)


def _add_branch(commands: "Commands[_Parser]") -> None:
    branch = commands.add_parser("branch", help="continue training from a training step of a run; writes a new run")
    branch.add_argument("parent", type=Path, metavar="RUN")
    branch.add_argument("--training-step", type=whole_number(0), metavar="K", help="default: the last one captured")
    branch.add_argument("--model", metavar="NAME", help="the model whose weights --weights replaces")
    branch.add_argument("--weights", type=Path, metavar="F.safetensors", help="its new weights, all or some of them")
    branch.add_argument("--learning-rate", type=real_number, metavar="R", help="instead of the run's own")
    branch.add_argument(
        "--clip-norm", type=real_number, metavar="N", help="instead of the run's own; 0 switches clipping off"
    )
    branch.add_argument(
        "--training-steps", type=whole_number(0), metavar="K", help="the training step at which training ends"
    )
    branch.add_argument("--run", dest="run_path", type=Path, required=True, metavar="FILE", help="the new run")
    _add_live(branch)
    branch.set_defaults(run=_branch)


def _add_live(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--allow-file",
        dest="allowed",
        action="append",
        default=[],
        metavar="FILE",
        help="allow this data file outside the experiment's folder; remembered until the file changes",
    )
    parser.add_argument("--replace", action="store_true", help="replace a run that is there already")
    parser.add_argument(
        "--large", action="store_true", help="allow what needs gigabytes of memory or long training steps"
    )
    add_run_code(parser)
    parser.add_argument(
        "--live", action="store_true", help="take commands from the window and stay open when training has ended"
    )
    parser.add_argument("--remove", action="store_true", help=argparse.SUPPRESS)  # what was written for this run alone
    parser.add_argument("--paused", action="store_true", help="with --live: wait for the first command")


def _add_inspect(commands: "Commands[_Parser]") -> None:
    inspect = commands.add_parser("inspect", help="show what a checkpoint, run, experiment, CSV or text holds")
    inspect.add_argument("path", type=Path, metavar="PATH")
    inspect.add_argument("--json", action="store_true", help="as JSON, for programs")
    _add_activation(inspect)
    inspect.set_defaults(run=_inspect)


def _add_trace(commands: "Commands[_Parser]") -> None:
    trace = commands.add_parser("trace", help="record one sweep of a loaded model over an input; writes a run")
    trace.add_argument(
        "checkpoint", type=Path, nargs="?", metavar="CHECKPOINT", help="a state dict or safetensors file"
    )
    trace.add_argument(
        "--given", action="store_true", help="for programs: read all settings as JSON from standard input"
    )
    trace.add_argument("--input", default="random", metavar="text:…|csv:FILE|random", help="default: random")
    trace.add_argument("--alphabet", default="", help="the characters of the input columns, in their order")
    trace.add_argument("--columns", default="", metavar="A,B", help="which columns of the CSV, in this order")
    trace.add_argument(
        "--length", type=whole_number(1), default=50, metavar="T", help="time steps of a random input (default: 50)"
    )
    trace.add_argument("--module", metavar="PREFIX", help="which recurrent module, where there are several")
    trace.add_argument(
        "--loss-time-step",
        type=whole_number(0),
        default=0,
        metavar="t",
        help="time step t of the loss L = ‖h_t‖; 0: the last (default)",
    )
    trace.add_argument("--seed", type=whole_number(0), default=1, help="seed of a random input (default: 1)")
    trace.add_argument("--run", dest="run_path", type=Path, required=True, metavar="FILE", help="the run to write")
    trace.add_argument("--replace", action="store_true", help="replace a run that is there already")
    _add_activation(trace)
    trace.set_defaults(run=_trace)


def _add_export(commands: "Commands[_Parser]") -> None:
    export = commands.add_parser("export", help="export the weights of a recorded model for plain PyTorch")
    export.add_argument("run_path", type=Path, metavar="RUN")
    export.add_argument("--model", required=True, metavar="NAME")
    export.add_argument("--training-step", type=whole_number(0), metavar="K", help="default: the last one captured")
    export.add_argument(
        "-o", dest="out", type=Path, required=True, metavar=_files(one.endings[0] for one in CHECKPOINTS)
    )
    export.set_defaults(run=_export)


def _add_render(commands: "Commands[_Parser]") -> None:
    render = commands.add_parser("render", help="draw a figure of a run, without a window")
    what = render.add_mutually_exclusive_group(required=True)
    what.add_argument("run_path", type=Path, nargs="?", metavar="RUN")
    what.add_argument(
        "--first-lesson",
        action="store_true",
        help="train the first lesson now (under a minute) instead of reading a run",
    )
    render.add_argument("--view", choices=[view.key for view in VIEWS], default=VIEWS[0].key)
    render.add_argument(
        "--lanes",
        choices=("overview", "hidden", "gradients", "loss"),
        default="overview",
        help="of the view lanes: which (default: overview, those of the window with the training curves)",
    )
    render.add_argument(
        "--level", choices=tuple(LEVELS), default="unrolled", help="of the view network: how close (default: unrolled)"
    )
    render.add_argument(
        "--cards",
        type=_keys,
        default=(),
        metavar="KEY,KEY",
        help=f"of the view gradients: which, in their order; of {', '.join(one.key for one in CARDS)}",
    )
    debugging_commands.add_kind(render)
    render.add_argument("--sweep", choices=("forward", "backward"), help="which of the two the cursor stands in")
    render.add_argument("--training-step", type=whole_number(0), metavar="K", help="default: the last one captured")
    render.add_argument(
        "--time-step", type=whole_number(1), metavar="t", help="time step of the cursor; default: the last"
    )
    render.add_argument("--theme", choices=("dark", "light"), default="light")
    render.add_argument(
        "--size",
        type=_size,
        default=(1440, 900),
        metavar="WxH",
        help="exactly this, or refused with a size that fits; default: 1440x900",
    )
    render.add_argument(
        "--scale", type=whole_number(1), choices=SCALES, default=1, help="pixels of the picture for each of --size"
    )
    smallest, largest = FONT_SCALES
    render.add_argument(
        "--font-scale",
        type=real_number,
        default=1.0,
        metavar="X",
        help=f"size of texts and lines, {smallest:g} to {largest:g} (default: 1)",
    )
    render.add_argument("-o", dest="out", type=Path, required=True, metavar=_files(one.ending for one in FIGURES))
    render.set_defaults(run=_render)


def _add_activation(parser: argparse.ArgumentParser) -> None:
    choices = ("tanh", "relu", "sigmoid")
    parser.add_argument(
        "--activation", choices=choices, help="of an nn.RNN, whose weights do not say it; default: tanh, a guess"
    )


def _files(endings: Iterable[str]) -> str:
    """How help shows a file to write: F.pt|F.safetensors."""
    return "|".join(f"F{ending}" for ending in endings)


def _size(text: str) -> tuple[int, int]:
    try:
        width, height = (int(side) for side in text.lower().replace("×", "x").split("x"))
    except ValueError:
        raise argparse.ArgumentTypeError(f"wanted a size like 1440x900, not {text}") from None
    return width, height


def _keys(text: str) -> tuple[str, ...]:
    """Parts between commas, without the blanks around them."""
    return tuple(part.strip() for part in text.split(","))


def _window(options: argparse.Namespace) -> int:
    paths = [Path(path) for path in options.paths]
    if paths and (len(paths) > 1 or not os.path.exists(paths[0])):
        from rnnviz.core.plain_records import closest

        raise RnnvizError(f"{paths[0]} is neither a file nor a command; {closest(str(paths[0]), COMMANDS[:-1])}")
    from rnnviz.engine.training.lifetime import starting

    with starting(at_once=True):
        from rnnviz.gui.shell.app import run_window

        return run_window(paths[0] if paths else None)


def _train(options: argparse.Namespace) -> int:
    from dataclasses import replace

    from rnnviz.core.experiment.check import check_experiment
    from rnnviz.core.experiment.file import read_experiment
    from rnnviz.engine.training.lifetime import starting

    experiment = read_experiment(options.experiment)
    if options.training_steps is not None:
        training = replace(experiment.training, training_steps=options.training_steps)
        experiment = replace(experiment, training=training)
        check_experiment(experiment, "--training-steps")
    _refuse_unwanted(experiment, options.experiment, options)
    with starting(), _claimed(options.run_path, options.replace, Path(options.experiment.stem + ".rnnviz")) as path:
        pipe = _pipe(options, options.experiment)
        if options.live:
            from rnnviz.engine.training.serve import run_training

            return run_training(experiment, path, paused=options.paused, live=True, pipe=pipe, batches=options.batches)
        from rnnviz.headless import train_headless

        return train_headless(experiment, path, options.batches)


def _branch(options: argparse.Namespace) -> int:
    from rnnviz.engine.training.lifetime import starting
    from rnnviz.engine.training.weights_file import read_weights

    if (options.model is None) != (options.weights is None):
        raise RnnvizError("rnnviz branch: --model and --weights must be given together.")
    if options.run_path.exists() and options.parent.exists() and options.run_path.samefile(options.parent):
        raise RnnvizError(f"rnnviz branch: {options.run_path} is the run itself; wanted another file for the new run.")
    changed = None if options.weights is None else (options.model, read_weights(options.weights))
    settings = {name: getattr(options, name) for name in ("learning_rate", "clip_norm", "training_steps")}
    with starting(), _claimed(options.run_path, options.replace) as path:
        pipe = _pipe(options, options.weights)
        from rnnviz.headless import branch_headless

        return branch_headless(
            options.parent,
            options.training_step,
            changed,
            path,
            settings,
            live=options.live,
            paused=options.paused,
            check=lambda experiment: _refuse_unwanted(experiment, options.parent, options),
            pipe=pipe,
        )


def _pipe(options: argparse.Namespace, read: Path | None) -> "Pipe | None":
    """The pipe to the window that has started this engine, if one has; from now on it ends with that window.

    `read`: what was read already, and is removed where the window wrote it for this engine alone.
    """
    from rnnviz.engine.training.lifetime import end_with_parent
    from rnnviz.engine.training.pipe import pipe_of_window

    if not options.live:
        return None
    if options.remove and read is not None:
        read.unlink(missing_ok=True)
    end_with_parent()
    return pipe_of_window()


def _inspect(options: argparse.Namespace) -> int:
    import json

    from rnnviz.engine.inspection import complete, inspect_path, table

    inspected = inspect_path(options.path, options.activation)
    print(json.dumps(complete(inspected), ensure_ascii=True) if options.json else table(inspected))
    return 0


def _trace(options: argparse.Namespace) -> int:
    with _claimed(options.run_path, options.replace) as path:
        from rnnviz.core.cells.vanilla import ACTIVATIONS
        from rnnviz.engine.inspection import ACTIVATION_OPTION
        from rnnviz.engine.tracing.given_input import record_given

        given = _given_from_input() if options.given else _given(options)
        recorded = record_given(given, path)
        if not options.given:
            of_activation = any(recorded.guess.startswith(words) for words in ACTIVATIONS.values())
            option = f" {ACTIVATION_OPTION}" if of_activation and not options.activation else ""
            print(f"Trace {_verdict(path)}.{option}")
    return 0


def _verdict(run_path: Path) -> str:
    """What may be said of the trace that a run holds."""
    from rnnviz.runs.reading.reader import open_run

    with open_run(run_path) as run:
        return run.trace(int(run.captured()[-1])).verdict.words


def _given(options: argparse.Namespace) -> "Given":
    """The record that the options of `rnnviz trace` are. Raises RnnvizError."""
    from rnnviz.core.source import Given, GivenInput

    if options.checkpoint is None:
        raise RnnvizError("rnnviz trace: wanted a CHECKPOINT; rnnviz trace --help says more.")
    kind, _, rest = options.input.partition(":")
    if options.input != "random" and not (kind in ("text", "csv") and rest):
        raise RnnvizError(f"--input must be text:…, csv:FILE or random, not {options.input}.")
    for option, value, of in (("--alphabet", options.alphabet, "text:…"), ("--columns", options.columns, "csv:FILE")):
        if value and kind != of.partition(":")[0]:
            raise RnnvizError(f"rnnviz trace: {option} is for --input {of}, not for {options.input}.")
    asked = GivenInput(
        source=kind,
        text=rest if kind == "text" else "",
        alphabet=options.alphabet,
        file=str(Path(rest).absolute()) if kind == "csv" else "",
        columns=tuple(next(csv.reader([options.columns]), [])),
        length=options.length,
        loss_time_step=options.loss_time_step,
    )
    checkpoint = str(options.checkpoint.absolute())
    return Given(checkpoint, asked, options.module, options.activation, options.seed)


def _given_from_input() -> "Given":
    """The record on standard input, as JSON."""
    import json

    from rnnviz.core.source import read_given

    try:
        value = json.loads(sys.stdin.buffer.read(LARGEST_RECORD))
    except (ValueError, RecursionError):
        raise RnnvizError("rnnviz trace --given: wanted JSON on standard input, got something else.") from None
    return read_given(value, "--given", "given")


def _export(options: argparse.Namespace) -> int:
    from rnnviz.engine.checkpoints.export import export_model

    export_model(options.run_path, options.model, options.training_step, options.out)
    return 0


def _render(options: argparse.Namespace) -> int:
    _measures(options).check()  # before anything is trained
    figure_format(options.out)
    if not options.first_lesson:
        _draw(options, options.run_path)
        return 0
    from tempfile import TemporaryDirectory

    from rnnviz.headless import record_first_lesson

    with TemporaryDirectory() as folder:
        run_path = Path(folder) / "first-lesson.rnnviz"
        record_first_lesson(run_path)
        _draw(options, run_path)
    return 0


def _draw(options: argparse.Namespace, run_path: Path) -> None:
    from rnnviz.gui.figures.run_figures import Wanted, render_view

    wanted = Wanted(options.view, options.lanes, options.level, options.sweep or "", options.cards, options.kind)
    at = (options.training_step, options.time_step)
    render_view(run_path, wanted, *at, _measures(options), options.theme, options.out)


def _measures(options: argparse.Namespace) -> Measures:
    return Measures(options.size, options.scale, options.font_scale)


@contextmanager
def _claimed(path: Path | None, replace: bool, default: Path | None = None) -> Iterator[Path]:
    """The run's name, taken at once; without one `default`, or default-2, default-3, … where that is taken.

    A run somebody recorded is not overwritten by a slip.
    """
    from rnnviz.runs.writing.claim import claimed

    wanted = path or default
    assert wanted is not None  # only training does without a name
    with claimed(wanted, replace=replace, another=path is None) as claim:
        yield claim.path


def _refuse_unwanted(experiment: "Experiment", source: Path, options: argparse.Namespace) -> None:
    """A stranger's experiment or run does not read what lies outside its folder, nor take a lot, unless its person
    allows it."""
    from rnnviz.core.experiment.estimate import refuse_large

    _refuse_files_elsewhere(experiment, source, options.allowed)
    refuse_code(experiment, options)
    if not options.live:  # the window has asked
        refuse_large(experiment, str(source), options.large)


def _refuse_files_elsewhere(experiment: "Experiment", source: Path, allowed: Sequence[str]) -> None:
    """RnnvizError with the first file elsewhere that nobody allowed."""
    import shlex

    from rnnviz.core.experiment.file import data_files
    from rnnviz.core.files.allowed import remember, to_ask_about

    if allowed:
        remember(allowed)
    there = {os.path.realpath(file) for file in allowed}
    for file in to_ask_about(data_files(experiment.task), source.absolute().parent):
        if os.path.realpath(file) not in there:
            raise RnnvizError(
                f"{source} reads {file}, which lies outside its folder and would be copied into the run; "
                f"--allow-file {shlex.quote(file)} allows it."
            )
