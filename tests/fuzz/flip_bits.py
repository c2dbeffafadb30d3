"""Flips bits of a run, one at a time, and cuts it short: whatever is shown of it then is told as damaged, or unchanged.

python tests/fuzz/flip_bits.py [FLIPS] [SEED]
"""

import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "runs"))
from sample_runs import capture, models, writer  # type: ignore[import-not-found]

from rnnviz.core.errors import RnnvizError
from rnnviz.core.stopping.marks import Bookmark, Breakpoint, Marks, Watch
from rnnviz.runs.file.records import EngineStatus, OptimiserSnapshot
from rnnviz.runs.reading.reader import Run
from rnnviz.runs.writing.commands import save_marks

FLIPS, SEED, CUTS = 300, 7, 60
TRAINING_STEPS = 700  # more than two blocks of each metric


def make_run(path: Path) -> None:
    """A finished run with everything in it."""
    random_numbers = np.random.default_rng(SEED)
    with writer(path) as run:
        for step in range(TRAINING_STEPS):
            for model in models():
                loss, accuracy, norm = random_numbers.random(3).tolist()
                run.metrics(step, model.number, {"loss": loss, "accuracy": accuracy, "grad_norm": norm})
            if step % 35 == 0:
                for model in models():
                    run.capture(step, model.number, capture(model.structure, step + model.number), keep=step % 70 == 0)
                run.event(step, "hit", f"stopped at {step}", {"model": "LSTM", "time_step": 3})
                run.optimiser(step, 1, OptimiserSnapshot("rmsprop", {"lr": 0.3}, {"square_avg.head": np.arange(9.0)}))
            if step % 100 == 0:
                run.flush()
        run.status(EngineStatus("finished", TRAINING_STEPS - 1, 0.0, 1, 2.0))
    marks = Marks((Breakpoint("condition", "loss < 0.3", every=2),), (Watch("grad_norm"),), (Bookmark(35, note="x"),))
    save_marks(path, marks)


def shown(run: Run) -> dict[str, Callable[[], object]]:
    """What the window, the commands and Python show of a run, each question by itself."""
    questions: dict[str, Callable[[], object]] = {
        "header": lambda: (run.source, run.task, run.models, run.environment, run.created),
        "probe": lambda: run.probe,
        "status": lambda: run.status,
        "whether it is written": lambda: run.engine_alive,
        "marks": run.marks,
        "events": run.events,
        "names of the metrics": run.metric_names,
        "last training step": lambda: run.last_training_step,
        "captured training steps": run.captured,
    }
    for number in range(len(run.models)):
        for name in ("loss", "accuracy", "grad_norm"):
            questions[f"{name} of {number}"] = partial(run.curve, name, number)
            questions[f"end of {name} of {number}"] = partial(run.curve, name, number, 650)
        for step in range(0, TRAINING_STEPS, 35):
            questions[f"capture {step} of {number}"] = partial(run.capture, step, number)
            questions[f"optimiser {step} of {number}"] = partial(run.optimiser, step, number)
    return questions


def answers(path: Path) -> dict[str, object]:
    """What is shown of the run, as plain values; RnnvizError where a question is refused, for all of them alike where
    it cannot be opened."""
    try:
        run = Run(path)
    except RnnvizError as error:
        return {"": error}
    said: dict[str, object] = {}
    with run:
        for name, question in shown(run).items():
            try:
                said[name] = plain_value(question())
            except RnnvizError as error:
                said[name] = error
    return said


def plain_value(value: object) -> object:
    """To be compared by ==: arrays by their bits, records by their fields."""
    match value:
        case np.ndarray():
            return value.dtype.str, value.shape, value.tobytes()
        case Mapping():
            return {str(key): plain_value(one) for key, one in value.items()}
        case list() | tuple():
            return [plain_value(one) for one in value]
    if is_dataclass(value):
        return type(value).__name__, [plain_value(getattr(value, one.name)) for one in fields(value)]
    return repr(value)


def differences(right: dict[str, object], came: dict[str, object]) -> list[str]:
    """Which questions are answered otherwise without a word; none where anything is said to be damaged."""
    if any(isinstance(answer, RnnvizError) for answer in came.values()):
        return [name for name in came if name and not isinstance(came[name], RnnvizError) and came[name] != right[name]]
    return [name for name in right if came[name] != right[name]]


def main(flips: int, seed: int) -> int:
    """Prints each silent difference; how many there were."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.rnnviz"
        make_run(path)
        whole, right = path.read_bytes(), answers(path)
        assert not any(isinstance(answer, RnnvizError) for answer in right.values()), right
        randomly = random.Random(seed)
        outcomes: Counter[str] = Counter()
        for _ in range(flips):
            place = randomly.randrange(8 * len(whole))
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << place % 8
            path.write_bytes(damaged)
            outcomes[_outcome(f"bit {place} of {8 * len(whole)}", right, answers(path))] += 1
        for _ in range(CUTS):
            length = randomly.randrange(len(whole))
            path.write_bytes(whole[:length])
            outcomes[_outcome(f"cut after {length} of {len(whole)} bytes", right, answers(path))] += 1
        print(", ".join(f"{count} {name}" for name, count in outcomes.most_common()))
        return outcomes["silently different"]


def _outcome(what: str, right: dict[str, object], came: dict[str, object]) -> str:
    silent = differences(right, came)
    told = [str(answer) for answer in came.values() if isinstance(answer, RnnvizError)]
    if silent:
        print(f"{what}: {', '.join(silent)} silently different; told: {told[:1]}")
        return "silently different"
    return "told" if told else "unchanged"


if __name__ == "__main__":
    words = [int(word) for word in sys.argv[1:]]
    sys.exit(main(*(words + [FLIPS, SEED][len(words) :])) > 0)
