"""Runs of format 1, kept from version 0.1.0: they open, untouched, and everything in them is as it was then.

`tests/data/format1/README.md` says how the files were made. They and what is expected of them are never made anew.
"""

import hashlib
import json
import math
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import rnnviz
from rnnviz.command_line import main
from rnnviz.core.arrays import Array
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.source import Given
from rnnviz.core.stopping.marks import Bookmark, Marks

KEPT = Path(__file__).parents[1] / "data" / "format1"
NAMES = ("bidirectional", "branch", "packed", "projected", "relu", "trained", "waiting")
FALSE_ALARMS = {"bidirectional": {"18/1"}}  # of 0.1.0, where gradients of sequences cancel and rounding is all there is
BOUNDS = {"float32": 2e-6, "float64": 1e-12}  # of what is rebuilt, relative to the largest of each array


@pytest.mark.parametrize("name", NAMES)
def test_everything_in_a_run_of_format_1_is_read_as_before(tmp_path: Path, name: str) -> None:
    with rnnviz.open_run(read_only_copy(name, tmp_path)) as run:
        words, read, rebuilt = run_words(run), digests(read_arrays(run)), rebuilt_arrays(run)
        faithful = {key: trace.faithful for key, trace in traces(run)}
    wanted = json.loads((KEPT / f"{name}.json").read_text(encoding="utf-8"))
    assert_says(json.loads(json.dumps(words)), wanted["words"])
    assert faithful == wanted["faithful"] | dict.fromkeys(FALSE_ALARMS.get(name, ()), True)
    assert read == wanted["arrays"]
    with np.load(KEPT / f"{name}.npz", allow_pickle=False) as expected:
        assert set(rebuilt) == set(expected.files)
        for key, array in rebuilt.items():
            assert_near(array, expected, key, read[f"capture/{'/'.join(key.split('/')[1:3])}/inputs"][0])


def assert_says(said: Any, wanted: Any, where: str = "words") -> None:
    """All that was said before, word for word; what is new may stand beside it."""
    if isinstance(wanted, dict):
        assert wanted.keys() <= said.keys(), where
        for key, value in wanted.items():
            assert_says(said[key], value, f"{where}.{key}")
    elif isinstance(wanted, list):
        assert len(said) == len(wanted), where
        for place, value in enumerate(wanted):
            assert_says(said[place], value, f"{where}[{place}]")
    else:
        assert said == wanted, where


@pytest.mark.parametrize("name", NAMES)
def test_opening_a_run_of_format_1_writes_nothing(tmp_path: Path, name: str) -> None:
    path = read_only_copy(name, tmp_path)
    before = path.read_bytes()
    with rnnviz.open_run(path) as run:
        run_words(run)
        for model in range(len(run.models)):
            run.trace(int(run.captured()[-1]), model)
    assert path.read_bytes() == before
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def read_only_copy(name: str, folder: Path) -> Path:
    path = folder / f"{name}.rnnviz"
    path.write_bytes((KEPT / path.name).read_bytes())
    path.chmod(0o444)
    return path


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_format_1_is_saved_in_format_2_with_its_payloads_to_the_last_byte(tmp_path: Path, name: str) -> None:
    path, saved = read_only_copy(name, tmp_path), tmp_path / "saved.rnnviz"
    with rnnviz.open_run(path) as run:
        run.save_copy(saved)
        before, arrays = run_words(run), read_arrays(run)
    with rnnviz.open_run(saved) as run:
        assert run.version == 2
        assert run_words(run) == before
        for key, array in read_arrays(run).items():
            assert (array.dtype, array.tobytes()) == (arrays[key].dtype, arrays[key].tobytes()), key
    assert payloads(saved) == payloads(path)
    with sqlite3.connect(saved) as connection:
        assert connection.execute("SELECT count(*) FROM commands").fetchone() == (0,)
    connection.close()


def test_marks_of_a_run_of_format_1_are_saved_beside_it(tmp_path: Path) -> None:
    marks = Marks(bookmarks=(Bookmark(3, note="here"),))
    with rnnviz.open_run(read_only_copy("trained", tmp_path)) as run:
        run.save_copy(tmp_path / "saved.rnnviz", marks)
    with rnnviz.open_run(tmp_path / "saved.rnnviz") as run:
        assert run.marks() == marks


def payloads(path: Path) -> list[Any]:
    connection = sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)
    found = connection.execute("SELECT payload, place, crc32, bytes FROM chunks ORDER BY payload, place").fetchall()
    connection.close()
    assert found
    return found


def run_words(run: Any) -> dict[str, Any]:
    """All that is read of a run and is no array, as plain values; numbers of metrics as hexadecimal text."""
    status, origin = run.status, run.origin
    return {
        "experiment": _experiment(run),
        "task": asdict(run.task),
        "models": [
            {
                "number": model.number,
                "name": model.name,
                "parameters": model.parameter_count,
                "layers": list(model.structure.layer_names),
                **asdict(model.structure),
            }
            for model in run.models
        ],
        "environment": dict(run.environment),
        "created": run.created,
        "origin": None if origin is None else {**asdict(origin), "words": origin.words},
        "status": {name: getattr(status, name) for name in ("state", "training_step", "sentence")},
        "alive": run.engine_alive,
        "last training step": run.last_training_step,
        "training steps": run.training_steps.tolist(),
        "captured": run.captured().tolist(),
        "metrics": {
            f"{model.name}: {name}": [
                [step, value.hex()]
                for step, value in zip(*(each.tolist() for each in run.curve(name, model.number)), strict=True)
            ]
            for model in run.models
            for name in run.metric_names()
        },
        "events": [[e.number, e.training_step, e.kind, e.sentence, dict(e.details)] for e in run.events()],
        "marks": asdict(run.marks()),
        "notes": {key: list(trace.notes) for key, trace in traces(run)},
    }


def _experiment(run: Any) -> dict[str, Any]:
    """What was trained, and the marks it began with; a given input as it was written while it was a task."""
    if isinstance(run.source, Given):
        return _given(run.source, run.models)
    experiment = run.source.experiment
    return {
        "name": experiment.name,
        "seed": experiment.seed,
        "task": asdict(experiment.task),
        "models": [_model(model) for model in experiment.models],
        "training": asdict(experiment.training),
        "marks": asdict(experiment.marks),
    }


def _given(given: Given, models: Any) -> dict[str, Any]:
    task = {"name": "given input", "checkpoint": given.checkpoint, **asdict(given.input)}
    structures = [(model.name, model.structure) for model in models]
    kept = ("cell", "hidden_size", "num_layers", "bidirectional", "activation")
    settings = [{"name": name, **{key: getattr(one, key) for key in kept}} for name, one in structures]
    assert given.activation == (settings[0]["activation"] if settings[0]["cell"] == "vanilla" else None)
    return {
        "name": given.title,
        "seed": given.seed,
        "task": task,
        "models": [each | {"forget_bias": 0.0} for each in settings],
        "training": asdict(TrainingSettings()),
        "marks": asdict(given.marks),
    }


def _model(model: Any) -> dict[str, Any]:
    """With the settings of all cells beside each other, as they once stood."""
    common = asdict(model)
    own = common.pop("own")
    return common | {"activation": "tanh", "forget_bias": 0.0} | own


def looked_at(run: Any) -> list[int]:
    """Two captures of a run, the first and the last, or the only one."""
    captured = run.captured().tolist()
    return [captured[0], captured[-1]] if len(captured) > 1 else captured


def traces(run: Any) -> Iterator[tuple[str, Any]]:
    for step in looked_at(run):
        for model in run.models:
            yield f"{step}/{model.number}", run.trace(step, model.number)


def read_arrays(run: Any) -> dict[str, Array]:
    """The probe, and what each capture holds, as the file has them."""
    probe = run.probe
    found = {"probe/inputs": probe.inputs, "probe/lengths": probe.lengths, "probe/targets": probe.targets}
    found["probe/loss_weight"] = probe.loss_weight
    for step in looked_at(run):
        for model in run.models:
            capture, key = run.capture(step, model.number), f"capture/{step}/{model.number}"
            found |= {f"{key}/weights/{name}": array for name, array in capture.weights.items()}
            found |= {f"{key}/grads/{name}": array for name, array in capture.grads.items()}
            for name in ("inputs", "lengths", "grad_output", "output"):
                found[f"{key}/{name}"] = getattr(capture, name)
            for state in ("h", "c"):
                found[f"{key}/{state}0"] = capture.initial.get(state)
            if capture.head is not None:
                for name in ("weight", "bias", "targets", "loss_weight"):
                    found[f"{key}/head/{name}"] = getattr(capture.head, name)
    return {key: array for key, array in found.items() if array is not None}


def digests(arrays: Mapping[str, Array]) -> dict[str, list[Any]]:
    """Type, shape and the beginning of the SHA-256 of each array."""
    return {
        key: [array.dtype.name, list(array.shape), hashlib.sha256(np.ascontiguousarray(array)).hexdigest()[:32]]
        for key, array in arrays.items()
    }


def rebuilt_arrays(run: Any) -> dict[str, Array]:
    """Every state, gate, gradient and share of the two captures of each model."""
    found: dict[str, Array] = {}
    for key, trace in traces(run):
        for layer in trace.layers:
            place = f"trace/{key}/{layer.name}"
            for name in ("h", "c", "hidden_grad", "cell_grad", "direct_grad", "carried_grad", "input_grad"):
                array = getattr(layer, name)
                if array is not None:
                    found[f"{place}/{name}"] = array
            many: dict[str, Mapping[str, Array]] = {
                "gates": layer.gates,
                "weight_grads": layer.weight_grads,
                "shares": layer.weight_grad_shares,
                "so_far": layer.weight_grad_so_far,
            }
            for kind, arrays in many.items():
                found |= {f"{place}/{kind}/{name}": array for name, array in arrays.items()}
        if trace.head is not None:
            found[f"trace/{key}/losses"] = trace.head.losses
            found[f"trace/{key}/prediction"] = trace.head.prediction
    return found


def assert_near(array: Array, expected: Mapping[str, Array], key: str, precision: str) -> None:
    """Equal within the rounding of what was captured; of a sum over time, within that of its summands."""
    wanted = expected[key]
    assert array.shape == wanted.shape, key
    assert array.dtype == wanted.dtype, key
    largest = float(np.abs(wanted).max(initial=0.0))
    if "/weight_grads/" in key or "/so_far/" in key:
        largest = max(largest, float(expected[key.replace("weight_grads", "shares").replace("so_far", "shares")].sum()))
    assert math.isfinite(largest)
    assert float(np.abs(array - wanted).max(initial=0.0)) <= BOUNDS[precision] * largest, key


WRONG = {
    "a text as a value": ("UPDATE metrics SET value = 'x' WHERE training_step = 2", "a value of its metrics is x"),
    "a negative training step": (
        "UPDATE metrics SET training_step = -2 WHERE training_step = 2",
        "a training step of its metrics is -2",
    ),
    "a text as a training step": (
        "UPDATE metrics SET training_step = 'two' WHERE training_step = 2",
        "a training step of its metrics is two",
    ),
    "an event of a negative training step": (
        "UPDATE events SET training_step = -3 WHERE number = 1",
        "a training step of its events is -3",
    ),
    "a capture of no training step": (
        "UPDATE captures SET training_step = 'x' WHERE training_step = (SELECT max(training_step) FROM captures)",
        "a training step of its captures is x",
    ),
    "a long event": ("UPDATE events SET sentence = hex(zeroblob(1900000)) WHERE number = 1", "event 1 has 3,800,0"),
    "too many metrics": (
        "WITH RECURSIVE n(x) AS (SELECT 100 UNION ALL SELECT x + 1 FROM n WHERE x < 1200) "
        "INSERT INTO metric_names SELECT x, 'metric ' || x FROM n",
        "metrics; wanted at most 1,000",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_training_step_and_no_number_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "a.rnnviz"
    path.write_bytes((KEPT / "trained.rnnviz").read_bytes())
    statement, words = WRONG[name]
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute(statement)
    assert connection.total_changes
    connection.close()
    with pytest.raises(RnnvizError, match=words):
        read_all(path)


def read_all(path: Path) -> None:
    with rnnviz.open_run(path) as run:
        for model in range(len(run.models)):
            run.curve("loss", model)
        run.captured()
        run.events()


def test_that_its_metrics_are_unchecked_is_said_where_a_run_is_inspected(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["inspect", str(KEPT / "trained.rnnviz")]) == 0
    assert ", metrics and log without checksums" in capsys.readouterr().out
    with rnnviz.open_run(KEPT / "trained.rnnviz") as run:
        run.save_copy(tmp_path / "a.rnnviz")
    assert main(["inspect", str(tmp_path / "a.rnnviz")]) == 0
    assert "checksums" not in capsys.readouterr().out
