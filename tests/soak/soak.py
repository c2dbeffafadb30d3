"""`make soak`: exits and kills at random moments, then a monkey at a window; prints what did not hold, and counts.

MINUTES of monkey, EXITS, KILLS and SEED come from the environment; LOAD busy processes run beside the exits.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import write_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.tasks import Adding
from rnnviz.runs.reading.reader import open_run

HERE = Path(__file__).parent
LONGEST_EXIT = 3.0  # seconds
LONGEST_START = 12.0  # seconds within which an exit is asked for
SMALL = Experiment(
    name="Soak",
    task=Adding(length=12),
    models=(ModelSettings("Vanilla", "vanilla", 6), ModelSettings("LSTM", "lstm", 5)),
    training=TrainingSettings(batch_size=4, training_steps=100_000),
    seed=3,
)
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@contextmanager
def load(busy: int) -> Iterator[None]:
    """So many processes that do nothing but take time."""
    processes = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(busy)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def slow_disk(folder: Path) -> dict[str, str]:
    """The environment of a process whose runs lie on a slow disk; empty where there is no compiler."""
    library = folder / "slow_disk.so"
    command = ["gcc", "-shared", "-fPIC", "-O1", str(HERE / "slow_disk.c"), "-o", str(library), "-ldl"]
    if sys.platform != "linux" or shutil.which("gcc") is None or subprocess.run(command, check=False).returncode:
        return {}
    return {"LD_PRELOAD": str(library), "SLOW_WRITE": "5", "SLOW_SYNC": "2000"}


def processes_with(text: str) -> list[int]:
    """Processes whose command line or environment names `text`: the folder of one try, so ours alone."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            said = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if text.encode() in said and state not in "ZX":
            found.append(int(entry.name))
    return found


def exit_once(folder: Path, moment: float, how: str, disk: dict[str, str]) -> tuple[float, list[str]]:
    """Seconds one exit took, and what did not hold."""
    experiment, runs = folder / "soak.toml", folder / "data" / "runs"
    write_experiment(SMALL, experiment)
    environment = os.environ | disk | {
        "RNNVIZ_DATA_DIR": str(folder / "data"), "RNNVIZ_CONFIG_DIR": str(folder / "config"),
        "QT_QPA_PLATFORM": "offscreen",
    }  # fmt: skip
    command = [sys.executable, str(HERE / "quitting_window.py"), str(experiment), str(moment), how]
    window = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert window.stdout is not None
    assert window.stderr is not None
    window.stdout.readline()  # it is as far as its own code
    if how == "key":
        word = window.stdout.readline().split()
        asked = float(word[1]) if word else time.time()
    else:
        time.sleep(moment)
        asked = time.time()
        window.send_signal(int(how))
    try:
        status = window.wait(20)
    except subprocess.TimeoutExpired:
        window.kill()
        status = window.wait()
    taken, wrong = time.time() - asked, []
    if status != 0:
        wrong.append(f"exit status {status}: {window.stderr.read()[-300:]}")
    if taken > LONGEST_EXIT:
        wrong.append(f"took {taken:.1f} s")
    if left := processes_with(str(folder / "data")):
        wrong.append(f"processes left: {left}")
        for number in left:
            os.kill(number, signal.SIGKILL)
    names = sorted(path.name for path in runs.iterdir()) if runs.exists() else []
    endings = (".rnnviz", *(("-wal", "-shm") if disk else ()))  # a slow disk may leave them, to be merged later
    if other := [name for name in names if not name.endswith(endings)]:
        wrong.append(f"left behind: {other}")
    for name in names:
        wrong += damage(runs / name) if name.endswith(".rnnviz") else []
    return taken, wrong


def damage(path: Path) -> list[str]:
    """What is wrong with a run, in sentences."""
    try:
        with open_run(path) as run:
            steps = run.training_steps
            whole = list(steps) == list(range(1, len(steps) + 1))
            for step in run.captured():
                run.capture(int(step), 1)
            return [] if whole else [f"{path.name}: metrics of {len(steps)} training steps have gaps"]
    except RnnvizError as error:
        return [str(error)]


def exits(folder: Path, tries: int, chance: random.Random, disk: dict[str, str]) -> int:
    """Exits at random moments; how many went wrong."""
    took, bad = [], 0
    for number in range(tries):
        here = folder / f"exit-{number}"
        here.mkdir()
        how = chance.choice(["key", *(str(int(one)) for one in SIGNALS)])
        moment = LONGEST_START * chance.random() ** 2
        taken, wrong = exit_once(here, moment, how, disk)
        took.append(taken)
        bad += bool(wrong)
        if wrong:
            print(f"  exit {number} by {how} after {moment:.1f} s: {'; '.join(wrong)}", flush=True)
        shutil.rmtree(here, ignore_errors=True)
    print(f"exits: {tries - bad} of {tries} right; longest {max(took, default=0):.1f} s", flush=True)
    return bad


def kills(folder: Path, tries: int, chance: random.Random) -> int:
    """Trainings killed at random moments, reopened and compared with the one that was not; how many went wrong."""
    experiment, bad, most = folder / "kill.toml", 0, 0
    training = replace(SMALL.training, training_steps=4000)
    write_experiment(replace(SMALL, training=training), experiment)
    straight = folder / "straight.rnnviz"
    train = [sys.executable, "-m", "rnnviz", "train", str(experiment), "--run"]
    subprocess.run([*train, str(straight)], check=True, stderr=subprocess.DEVNULL)
    with open_run(straight) as run:
        right = {name: run.metrics(name, 1) for name in ("loss", "grad_norm")}
    for number in range(tries):
        path = folder / f"kill-{number}.rnnviz"
        process = subprocess.Popen([*train, str(path)], stderr=subprocess.DEVNULL)
        acknowledged, end = 0, time.monotonic() + chance.choice((0.1, 0.5, 2.0)) * chance.random()
        while process.poll() is None and (not path.exists() or time.monotonic() < end):
            acknowledged = max(acknowledged, seen(path))
            if not path.exists():
                end = time.monotonic() + 2.0 * chance.random()
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wrong = damage(path)
        with open_run(path) as run:
            for name, values in right.items():
                found = run.metrics(name, 1)
                if len(found) < acknowledged or not np.array_equal(found, values[: len(found)]):
                    wrong.append(f"{name}: {len(found)} of {acknowledged} that were there, or other numbers")
            most = max(most, run.last_training_step)
        bad += bool(wrong)
        if wrong:
            print(f"  kill {number}: {'; '.join(wrong)}", flush=True)
    print(f"kills: {tries - bad} of {tries} right; up to training step {most}", flush=True)
    return bad


def seen(path: Path) -> int:
    """Training steps whose metrics another process can read already."""
    try:
        with open_run(path) as run:
            return len(run.metrics("loss", 1))
    except RnnvizError:
        return 0


def main() -> int:
    chance = random.Random(int(os.environ.get("SEED", "7")))
    tries = int(os.environ.get("EXITS", "40"))
    bad = 0
    with tempfile.TemporaryDirectory(prefix="rnnviz-soak-") as name:
        folder = Path(name)
        for words, disk in (("a quick disk", {}), ("a slow disk", slow_disk(folder))):
            place = folder / words.split()[1]
            place.mkdir()
            print(f"{words}:", flush=True)
            with load(int(os.environ.get("LOAD", "6"))):
                bad += exits(place, tries, chance, disk)
        bad += kills(folder, int(os.environ.get("KILLS", "60")), chance)
        minutes = float(os.environ.get("MINUTES", "10"))
        if minutes:
            command = [sys.executable, str(HERE / "monkey.py"), str(minutes), str(chance.randrange(10**6))]
            bad += subprocess.run(command, check=False).returncode != 0
    print("All of it held." if not bad else f"{bad} did not hold.", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
