"""The commands of debugging: `rnnviz search` and `rnnviz check`."""

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rnnviz.code_option import add_run_code, refuse_code
from rnnviz.core.errors import RnnvizError
from rnnviz.option_numbers import real_number, whole_number

if TYPE_CHECKING:
    from rnnviz.core.stopping.breakpoints import Hit
    from rnnviz.core.stopping.marks import Breakpoint
    from rnnviz.runs.reading.reader import Run

Commands = argparse._SubParsersAction  # argparse gives its type no public name

# their values may begin with a dash
TEXT_OPTIONS = ("--condition", "--crosses", "--number", "--factor", "--every", "--first", "--last", "--most", "--kind")
CHECK_STATUS = """exit status: 0 where every gradient is right, also of a trace that is not your own pass, which is
said; 1 where a gradient is wrong or the trace differs from what was recorded; 2 where nothing could be checked."""
LARGEST_MARKS = 1 << 20  # bytes


def add_search(commands: "Commands[Any]") -> None:
    search = commands.add_parser("search", help="find every hit of a breakpoint in a recorded run")
    search.add_argument("run_path", type=Path, metavar="RUN")
    what = search.add_mutually_exclusive_group()
    what.add_argument("--condition", metavar="EXPRESSION", help='a condition, for example "loss < 0.05"')
    what.add_argument("--number", metavar="EXPRESSION", help="one number, with --crosses or --factor")
    what.add_argument("--marks", metavar="FILE", help="breakpoints from a TOML file; - reads standard input")
    search.add_argument("--crosses", type=real_number, metavar="X", help="--number reaches or falls below this")
    search.add_argument("--direction", choices=("up", "down", "either"), default="either")
    search.add_argument("--factor", type=real_number, metavar="X", help="--number changes by more than this factor")
    search.add_argument("--model", default="", metavar="NAME", help="default: every model")
    search.add_argument("--every", type=whole_number(1), default=1, metavar="N", help="only every N-th hit")
    search.add_argument("--first", type=whole_number(0), default=1, metavar="K", help="from this training step on")
    search.add_argument("--last", type=whole_number(0), metavar="K", help="up to this training step")
    search.add_argument("--backwards", action="store_true", help="the newest hit first")
    search.add_argument("--most", type=whole_number(1), metavar="N", help="stop after N hits")
    search.add_argument("--json-lines", action="store_true", help="for programs: one JSON object per line")
    search.set_defaults(run=run_search)


def add_check(commands: "Commands[Any]") -> None:
    check = commands.add_parser(
        "check",
        help="check every gradient of a trace against autograd and finite differences",
        epilog=CHECK_STATUS,
    )
    check.add_argument("run_path", type=Path, metavar="RUN")
    check.add_argument("--training-step", type=whole_number(0), metavar="K", help="default: the last one captured")
    check.add_argument("--model", metavar="NAME", help="default: every model")
    add_kind(check)
    check.add_argument("--json", action="store_true", help="as JSON, for programs")
    add_run_code(check)
    check.set_defaults(run=run_check)


def add_jacobians(commands: "Commands[Any]") -> None:
    jacobians = commands.add_parser("jacobians", help="the step Jacobians of a user's own cell, by running its file")
    jacobians.add_argument("run_path", type=Path, metavar="RUN")
    jacobians.add_argument("--model", metavar="NAME", required=True)
    jacobians.add_argument("--training-step", type=whole_number(0), metavar="K", required=True)
    jacobians.add_argument("--sequence", type=whole_number(1), metavar="N", default=1, help="default: the first")
    add_kind(jacobians)
    add_run_code(jacobians)
    jacobians.add_argument("--json-lines", action="store_true", help="for programs: how far it is, line by line")
    jacobians.add_argument("-o", dest="out", type=Path, required=True, metavar="F.safetensors")
    jacobians.set_defaults(run=run_jacobians)


def add_kind(parser: argparse.ArgumentParser) -> None:
    """Whose sequences are looked at, where both are recorded."""
    parser.add_argument(
        "--kind",
        choices=("probe", "batch"),
        default="probe",
        help="the probe (default), or the training batch whose gradient made the next update, where it is recorded",
    )


def run_search(options: argparse.Namespace) -> int:
    """Prints each hit as soon as it is found; with --json-lines {"hit": …}, {"progress": [done, total]} and, at the
    end, {"finished": number of hits}. Raises RnnvizError."""
    from rnnviz.debugger.search import search
    from rnnviz.runs.reading.reader import open_run

    left = options.most
    count = 0
    with open_run(options.run_path) as run:
        breakpoints = _breakpoints(options, run)
        looked = search(run, breakpoints, first=options.first, last=options.last, backwards=options.backwards)
        for progress in looked:
            for hit in progress.hits[:left]:
                print(json.dumps({"hit": _plain(hit, breakpoints)}) if options.json_lines else hit.sentence, flush=True)
                count += 1
            left = None if left is None else left - len(progress.hits)
            if options.json_lines:
                print(json.dumps({"progress": [progress.done, progress.total]}), flush=True)
            if left is not None and left <= 0:
                break
    if options.json_lines:
        print(json.dumps({"finished": count}))
    else:
        print(f"{count} hit{'' if count == 1 else 's'}.", file=sys.stderr)
    return 0


def run_jacobians(options: argparse.Namespace) -> int:
    """Writes the step Jacobians of one sequence; with --json-lines {"progress": [done, 1000]} meanwhile. Raises
    RnnvizError."""
    from rnnviz.core.sweeps.scans.asked import Asked
    from rnnviz.engine.own_cell.asking import ask
    from rnnviz.runs.file.asked_payload import write_asked
    from rnnviz.runs.reading.reader import open_run

    with open_run(options.run_path) as run:
        refuse_code(run.experiment, options)
        for found in ask(run, options.training_step, options.model, options.sequence - 1, options.kind):
            if isinstance(found, Asked):
                write_asked(found, options.out)
            elif options.json_lines:
                print(json.dumps({"progress": [round(1000 * found), 1000]}), flush=True)
    return 0


def run_check(options: argparse.Namespace) -> int:
    """Prints the worst relative error of each gradient and a verdict; returns what CHECK_STATUS says.

    Raises RnnvizError.
    """
    from rnnviz.engine.tracing.checking import check_run, report_table
    from rnnviz.runs.reading.reader import open_run

    with open_run(options.run_path) as run:
        if options.run_code:
            refuse_code(run.experiment, options)
        reports = check_run(run, options.training_step, options.model, options.kind)
    if options.json:
        print(json.dumps([report.plain for report in reports]))
    else:
        print("\n\n".join(report_table(report) for report in reports))
    return 0 if all(report.right for report in reports) else 1


def _breakpoints(options: argparse.Namespace, run: "Run") -> "tuple[Breakpoint, ...]":
    from rnnviz.core.stopping.marks import Breakpoint
    from rnnviz.core.stopping.marks_file import check_typed
    from rnnviz.debugger.search import acting, vocabulary_of

    if options.marks is not None:
        return _read(options.marks, run)
    asked: dict[str, Any] = {"model": options.model, "every": options.every}
    if options.condition is not None:
        one = Breakpoint("condition", options.condition, **asked)
    elif options.number is not None:
        one = Breakpoint("data", options.number, options.crosses, options.direction, options.factor, **asked)
    else:
        return acting(run)
    check_typed(one, vocabulary_of(run), f"rnnviz search: --{'number' if one.kind == 'data' else 'condition'}")
    return (one,)


def _read(name: str, run: "Run") -> "tuple[Breakpoint, ...]":
    from rnnviz.core.stopping.marks_file import parse_marks

    try:
        with sys.stdin.buffer if name == "-" else open(name, "rb") as stream:
            text = stream.read(LARGEST_MARKS + 1).decode("utf-8")
    except (OSError, ValueError) as error:
        raise RnnvizError(f"{name} cannot be read: {error}.") from None
    if len(text) > LARGEST_MARKS:
        raise RnnvizError(f"{name} is larger than {LARGEST_MARKS:,} bytes; wanted breakpoints as TOML.")
    return parse_marks(text, name, [model.name for model in run.models]).breakpoints


def _plain(hit: "Hit", breakpoints: "tuple[Breakpoint, ...]") -> dict[str, object]:
    return {
        "breakpoint": breakpoints.index(hit.breakpoint),  # its place among those searched for
        "training_step": hit.training_step,
        "model": hit.model,
        "time_step": hit.time_step,
        "values": [list(pair) for pair in hit.values],
        "sentence": hit.sentence,
    }
