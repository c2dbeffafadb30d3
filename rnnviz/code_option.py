"""Code option: --run-code of the commands that run the Python file of a user's own cell."""

import argparse
from typing import TYPE_CHECKING

from rnnviz.core.errors import RnnvizError
from rnnviz.core.files.code import OPTION, allow, refusal, to_ask_about

if TYPE_CHECKING:
    from rnnviz.core.experiment.settings import Experiment


def add_run_code(parser: argparse.ArgumentParser) -> None:
    """What lets the Python file of a user's own cell be run."""
    parser.add_argument(
        OPTION,
        dest="run_code",
        action="store_true",
        help="run the Python files of own cells, which can do whatever you can; remembered until they change",
    )


def refuse_code(experiment: "Experiment", options: argparse.Namespace) -> None:
    """RnnvizError with the first Python file that nobody has allowed to run, now or before."""
    from rnnviz.core.experiment.file import cell_files

    asked = to_ask_about(cell_files(experiment))
    if options.run_code:
        allow(asked)
    elif asked:
        raise RnnvizError(refusal(next(iter(asked))))
