"""The debugger: searching a run for all hits of a condition, and recomputing a sequence with a value set by hand."""

import gc
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch
from ratios import Row

from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.source import Trained
from rnnviz.core.stopping.marks import Breakpoint
from rnnviz.core.sweeps.capture import Capture
from rnnviz.core.sweeps.trace import Trace, rebuild
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed
from rnnviz.core.sweeps.what_if.interventions import SetValue
from rnnviz.core.tasks import Adding
from rnnviz.debugger.search import search
from rnnviz.engine.networks import build
from rnnviz.engine.tracing.capture import capture_probe
from rnnviz.runs.file.records import Probe, RunModel
from rnnviz.runs.reading.reader import open_run
from rnnviz.runs.writing.writer import RunWriter

TRAINING_STEPS = 100_000
TRACES, GOAL_TRACES = 200, 2000
METRIC_CONDITIONS = ("loss < 0.05", "k % 100 == 0", "grad_norm > 10 * median(grad_norm, 50)")
TRACE_CONDITION = "norm(dh[1]) / norm(dh[T]) < 1e-6"
ROUNDS = 25


def probe_capture(hidden: int, length: int) -> tuple[Experiment, Probe, Capture]:
    """An untrained LSTM on the probe of the adding task, with its experiment."""
    settings = ModelSettings("LSTM", "lstm", hidden_size=hidden)
    experiment = Experiment("Benchmark", Adding(length=length), (settings,))
    source = experiment.task.open(experiment.seed)
    batch = source.probe()
    model = build(settings, source.input_size, source.output_size, experiment.seed)
    probe = Probe(batch.inputs, batch.lengths, batch.targets, batch.loss_weight)
    return experiment, probe, capture_probe(model, batch, source.info)


def write_run(path: Path, hidden: int, length: int, steps: int, captured: bool) -> None:
    """A run of `steps` training steps whose metrics wander; the same capture at each of them if `captured`."""
    experiment, probe, capture = probe_capture(hidden, length)
    info = experiment.task.open(experiment.seed).info
    model = RunModel(0, "LSTM", capture.structure, 0)
    with RunWriter(path, Trained(experiment), info, (model,), probe, budget_bytes=2**40) as writer:
        for step in range(1, steps + 1):
            writer.metrics(step, 0, metrics(step))
            if captured:
                writer.capture(step, 0, capture, keep=True)
                writer.flush()  # a full queue would drop it


def metrics(step: int) -> Mapping[str, float]:
    """A loss that falls slowly and a norm that jumps now and then."""
    wave = (step * 7919 % 1000) / 1000
    return {"loss": 2000 / (step + 10_000) + 0.01 * wave, "grad_norm": 20 * (1 + wave) if step % 997 == 0 else 1 + wave}


def search_seconds(path: Path, condition: str) -> tuple[float, int]:
    """How long it takes to open the run and find all hits, and how many there are."""
    start = time.perf_counter()
    with open_run(path) as run:
        hits = sum(len(told.hits) for told in search(run, (Breakpoint("condition", condition),)))
    return time.perf_counter() - start, hits


def swept(trace: Trace) -> None:
    """Both sweeps of a trace, as the lanes draw them."""
    for layer in trace.layers:
        assert layer.hidden_grad is not None


def what_if_seconds(capture: Capture) -> tuple[Sequence[float], Sequence[float]]:
    """Times of a recomputed sequence with one cell state set by hand, and of its plain rebuild, in turns."""
    changes = (SetValue("l0", "c", 10, 0.5, 3),)
    changed, plain = [], []
    for _ in range(ROUNDS + 2):
        start = time.perf_counter()
        swept(rebuild_changed(capture, changes))
        middle = time.perf_counter()
        swept(rebuild(capture))
        changed.append(middle - start)
        plain.append(time.perf_counter() - middle)
    return changed[2:], plain[2:]


def rows() -> Iterator[Row]:
    torch.set_num_threads(1)
    gc.freeze()  # torch: the collector would walk through it time and again, which `rnnviz search` has not loaded
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.rnnviz"
        write_run(path, 4, 5, TRAINING_STEPS, captured=False)
        for condition in METRIC_CONDITIONS:
            taken, hits = search_seconds(path, condition)
            assert hits > 0
            yield Row(f"10⁵ training steps, {hits} hits of {condition}", taken, 0.7, "s")
        path = Path(folder) / "traces.rnnviz"
        write_run(path, 64, 100, TRACES, captured=True)
        taken, hits = search_seconds(path, TRACE_CONDITION)
        assert hits == TRACES
        yield Row(
            f"search of {GOAL_TRACES} traces, T=100, H=64, from {TRACES} of them",
            taken * GOAL_TRACES / TRACES,
            60.0,
            "s",
        )
    capture = probe_capture(128, 200)[2]
    alone = one_sequence(capture)
    changed, plain = what_if_seconds(alone)
    yield Row("what-if, N=1, T=200, H=128, LSTM", median(changed) * 1000, 50.0, "ms")
    yield Row("  of a rebuild of the same sequence", median(changed) / median(plain), 2.0)


def one_sequence(capture: Capture) -> Capture:
    """The first sequence of a capture alone, without torch's own numbers."""
    assert capture.head is not None
    head = replace(capture.head, targets=capture.head.targets[:, :1], loss_weight=capture.head.loss_weight[:, :1])
    alone = capture.with_call(
        inputs=capture.inputs[:, :1],
        initial={state: first[:, :1] for state, first in capture.initial.items()},
        grad_output=capture.grad_output[:, :1],
        output=None,
        head=head,
    )
    return replace(alone, grads={})
