"""Engine of several trainings: trains what the pipe asks for, one run after another, each to its planned end."""

import os
import sys
import time
from pathlib import Path

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import parse_experiment
from rnnviz.engine.training.lifetime import starting, stay_behind
from rnnviz.engine.training.pipe import Pipe, pipe_of_window
from rnnviz.runs.file.engine_commands import Restart
from rnnviz.runs.writing.claim import claimed

_POLL = 0.05  # seconds between two looks at the pipe


def main() -> int:
    """Ends when the pipe is closed, or by a signal; the run that is being written is left whole."""
    with starting():
        pipe = pipe_of_window()
        if pipe is None:
            print("This engine takes its orders from a pipe: rnnviz sweep starts it.", file=sys.stderr)
            return 2
        stay_behind()
        try:
            import torch  # noqa: F401  now, while a signal ends this process at once
        except ModuleNotFoundError as error:
            print(f"rnnviz needs {error.name}, which is not installed here: pip install {error.name}.", file=sys.stderr)
            return 2

        while not pipe.closed:
            for taken in pipe.take():
                if isinstance(taken.command, Restart):
                    pipe.done(taken.number, _train(taken.command, pipe))
            time.sleep(_POLL)
    return 0


def _train(wanted: Restart, pipe: Pipe) -> str:
    """Trains into a new run, or in place of the one that is there; why that did not work out, in a sentence."""
    from rnnviz.engine.training.serve import run_training

    try:
        with claimed(Path(wanted.path), replace=True) as claim:
            run_training(parse_experiment(wanted.experiment, "experiment"), claim.path, pipe=pipe)
    except RnnvizError as error:
        return str(error)
    return ""


if __name__ == "__main__":
    status = main()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)  # taking torch down would keep a busy machine busy
