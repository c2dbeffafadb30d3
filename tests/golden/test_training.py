"""Training, bit for bit: losses of every training step and all weights after 15, of every old cell on two tasks.

The bits depend on torch and on the processor. Where both are as when the golden file was written, a SHA-256 of
the weights and the losses must be equal; elsewhere the losses must be near. `kept.py` says how the file is replaced.
"""

import hashlib
import json
import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from kept import FOLDER, REPLACE

import rnnviz
from rnnviz.command_line import main

GOLDEN = FOLDER / "training.json"
NEAR = 1e-5  # relative, of a loss, where the bits may differ
SETTINGS = """
[training]
optimiser = "{optimiser}"
learning_rate = 0.02
clip_norm = 0.7
batch_size = 6
training_steps = 15
"""
TASKS = {
    "temporal order": '[task]\nname = "temporal order"\nlength = [11, 14]\nfirst_mark = [1, 3]\nsecond_mark = [6, 8]\n',
    "next value": '[task]\nname = "next value"\nlength = 12\n',
}
MODELS = {
    "Vanilla tanh": 'cell = "vanilla"\nhidden_size = 5',
    "Vanilla relu": 'cell = "vanilla"\nhidden_size = 4\nactivation = "relu"',
    "Vanilla sigmoid": 'cell = "vanilla"\nhidden_size = 3\nactivation = "sigmoid"',
    "LSTM, forget bias 1.5": 'cell = "lstm"\nhidden_size = 5\nforget_bias = 1.5',
    "GRU": 'cell = "gru"\nhidden_size = 4',
    "LSTM, two layers": 'cell = "lstm"\nhidden_size = 3\nnum_layers = 2',
}
BOTH_WAYS = {  # where the answer comes after the whole sequence
    "GRU, both ways": 'cell = "gru"\nhidden_size = 4\nbidirectional = true',
    "Vanilla, both ways, two layers": 'cell = "vanilla"\nhidden_size = 3\nnum_layers = 2\nbidirectional = true',
}


@pytest.mark.parametrize("optimiser", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("task", TASKS)
def test_training_is_what_it_was(task: str, optimiser: str, tmp_path: Path) -> None:
    got, key = trained(task, optimiser, tmp_path), f"{task}, {optimiser}"
    golden = json.loads(GOLDEN.read_text(encoding="utf-8")) if GOLDEN.exists() else {}
    if os.environ.get(REPLACE) == "1":
        golden = golden if golden.get("made on") == made_on() else {"made on": made_on()}
        GOLDEN.write_text(json.dumps(golden | {key: got}, indent=1) + "\n", encoding="utf-8")
        pytest.skip(f"{GOLDEN.name} is replaced")
    wanted = golden[key]
    assert [*got] == [*wanted]
    for name, each in wanted.items():
        losses, golden_losses = numbers(got[name]["losses"]), numbers(each["losses"])
        assert len(losses) == 15
        np.testing.assert_allclose(losses, golden_losses, rtol=NEAR, atol=0, err_msg=name)
    if golden["made on"] == made_on():
        assert got == wanted


def trained(task: str, optimiser: str, folder: Path) -> dict[str, Any]:
    """Each model's losses as hexadecimal numbers and the SHA-256 of its weights, the head's included."""
    models = MODELS | (BOTH_WAYS if task == "temporal order" else {})
    tables = "".join(f'\n[[models]]\nname = "{name}"\n{settings}\n' for name, settings in models.items())
    text = f'rnnviz = 1\nname = "Golden"\nseed = 3\n{TASKS[task]}{SETTINGS.format(optimiser=optimiser)}{tables}'
    (folder / "golden.toml").write_text(text, encoding="utf-8")
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        assert main(["train", str(folder / "golden.toml"), "--run", str(folder / "golden.rnnviz")]) == 0
    finally:
        torch.set_num_threads(threads)
    with rnnviz.open_run(folder / "golden.rnnviz") as run:
        return {
            model.name: {
                "losses": " ".join(float(value).hex() for value in run.metrics("loss", model.number)),
                "weights": digest(run.capture(15, model.number)),
            }
            for model in run.models
        }


def digest(capture: Any) -> str:
    arrays = {**capture.weights, "head.weight": capture.head.weight, "head.bias": capture.head.bias}
    whole = hashlib.sha256()
    for name in sorted(arrays):
        whole.update(f"{name} {arrays[name].dtype.str} {arrays[name].shape} ".encode() + arrays[name].tobytes())
    return whole.hexdigest()


def numbers(text: str) -> list[float]:
    return [float.fromhex(word) for word in text.split()]


def made_on() -> list[str]:
    """What the bits of a training depend on."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text().splitlines() if info.exists() else []
    vendor = next((line.split(":")[1].strip() for line in lines if line.startswith("vendor_id")), platform.processor())
    return [torch.__version__, torch.backends.cpu.get_cpu_capability(), vendor]
