"""The Jordan network: the output goes back, and the head has no weights of its own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from rnnviz.core.cells.jordan import JordanSettings
from rnnviz.core.errors import RnnvizError
from rnnviz.core.experiment.file import experiment_toml, parse_experiment
from rnnviz.core.experiment.model_settings import ModelSettings
from rnnviz.core.experiment.settings import Experiment
from rnnviz.core.experiment.sizes import parameter_count
from rnnviz.core.experiment.training_settings import TrainingSettings
from rnnviz.core.sweeps.trace import rebuild
from rnnviz.core.sweeps.what_if.changed_capture import changed_weights
from rnnviz.core.sweeps.what_if.changed_trace import rebuild_changed, recompute
from rnnviz.core.sweeps.what_if.interventions import CutGradient, SetState, SetValue, SetWeight
from rnnviz.core.tasks import NextValue, TemporalOrder
from rnnviz.debugger.provenance import GradientPlace, provenance
from rnnviz.engine.checkpoints.export import export_model
from rnnviz.engine.networks import build
from rnnviz.engine.training.branching import branch_of_run, with_weights
from rnnviz.engine.training.serve import run_training
from rnnviz.runs.reading.reader import open_run

MODEL = ModelSettings("Back", "jordan", 5, own=JordanSettings("sigmoid"))
EXPERIMENT = Experiment(
    "jordan",
    TemporalOrder(length=(8, 10), first_mark=(1, 2), second_mark=(4, 5)),
    (MODEL,),
    TrainingSettings(training_steps=8, batch_size=4, learning_rate=0.02),
    seed=6,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("jordan") / "a.rnnviz"
    assert run_training(EXPERIMENT, path) == 0
    return path


def test_the_module_is_its_equations() -> None:
    model = build(MODEL, 3, 2, seed=4)
    assert isinstance(model.head, nn.Identity)
    w = {name.removesuffix("_l0"): value.detach() for name, value in model.recurrent.named_parameters()}
    assert {name: tuple(value.shape) for name, value in w.items()} == {
        "weight_ih": (5, 3), "weight_hh": (5, 2), "bias_ih": (5,), "bias_hh": (5,), "weight_ho": (2, 5), "bias_ho": (2,)
    }  # fmt: skip
    assert parameter_count(MODEL, 3, 2) == sum(value.numel() for value in w.values())
    x, y = torch.randn(4, 2, 3), torch.zeros(2, 2)
    for t, predicted in enumerate(model(x)):
        h = (x[t] @ w["weight_ih"].T + w["bias_ih"] + y @ w["weight_hh"].T + w["bias_hh"]).sigmoid()
        y = h @ w["weight_ho"].T + w["bias_ho"]
        assert torch.allclose(predicted, y, atol=1e-6)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"num_layers": 2}, r"num_layers must be 1 for the cell jordan, whose output is the prediction, not 2\."),
        ({"bidirectional": True}, r"bidirectional must be false for the cell jordan, whose output is the prediction"),
    ],
)
def test_it_is_of_one_layer_and_one_direction(changes: dict[str, object], sentence: str) -> None:
    text = experiment_toml(replace(EXPERIMENT, models=(replace(MODEL, **changes),)))
    with pytest.raises(RnnvizError, match=sentence):
        parse_experiment(text, "a file")
    deep = ModelSettings("LSTM", "lstm", 4, 3, True).with_cell("jordan")
    assert (deep.num_layers, deep.bidirectional) == (1, False)


def test_the_prediction_is_the_output_of_the_cell(path: Path) -> None:
    with open_run(path) as run:
        trace = run.trace(8)
        assert run.models[0].structure.proj_size == len(run.task.output_labels) == 4
    head, layer = trace.head, trace.layers[0]
    assert head is not None
    assert trace.verdict.right
    np.testing.assert_array_equal(head.prediction, layer.value("y"))
    np.testing.assert_array_equal(layer.direct("y"), layer.direct_grad)
    weight = layer.weights["weight_ho"]
    np.testing.assert_allclose(layer.direct("h"), layer.direct_grad @ weight, atol=1e-7)
    np.testing.assert_allclose(layer.carried("h"), layer.carried("y") @ weight, atol=1e-7)
    np.testing.assert_allclose(layer.hidden_grad, layer.direct("h") + layer.carried("h"), atol=1e-6)
    assert layer.carried("y")[:6].any(axis=-1).all()
    assert not head.weight_grads


@pytest.mark.parametrize("of", ["y", "h", "a"])
def test_what_a_gradient_is_made_of(path: Path, of: str) -> None:
    with open_run(path) as run:
        trace = run.trace(8)
    found = provenance(trace, GradientPlace(of, "l0", 3, 2), 1)
    for parts in (found.losses, found.paths, found.units):
        assert sum(part.value for part in parts) == pytest.approx(found.value, rel=1e-4, abs=1e-9)
    assert any("t = 4" in part.words for part in found.paths)


def test_what_if_goes_on_through_the_output(path: Path) -> None:
    with open_run(path) as run:
        capture = run.capture(8, 0)
    plain = recompute(capture, (), 1)
    changed = rebuild_changed(capture, [SetValue("l0", "y", 3, 1.5, 2)], 1)
    assert changed.layer("l0").value("y")[2, 0, 1] == 1.5
    np.testing.assert_array_equal(changed.layer("l0").h[:3], plain.layer("l0").h[:3])
    assert np.abs(changed.layer("l0").h[3:] - plain.layer("l0").h[3:]).max(axis=-1).all()
    assert changed.head is not None
    np.testing.assert_array_equal(changed.head.prediction, changed.layer("l0").value("y"))
    cut = rebuild_changed(capture, [CutGradient(4)], 1).layer("l0")
    assert not cut.carried("y")[3].any()
    begun = rebuild_changed(capture, [SetState("l0", "y", (0.5,))], 1).layer("l0")
    assert (begun.before["y"][0] == 0.5).all()


def test_it_is_exported_and_branched(path: Path, tmp_path: Path) -> None:
    export_model(path, "Back", 8, tmp_path / "a.pt")
    state = torch.load(tmp_path / "a.pt", weights_only=True)
    assert {name for name in state if not name.startswith("recurrent.")} == set()
    model = build(MODEL, 8, 4, seed=1)
    model.load_state_dict(state)
    with open_run(path) as run:
        capture = run.capture(8, 0)
        experiment, branch = branch_of_run(run, 8)
    output = model(torch.from_numpy(capture.inputs.copy())).detach().numpy()
    assert capture.output is not None
    inside = np.arange(len(output))[:, None] < np.array(capture.sequence_lengths)
    np.testing.assert_allclose(output[inside], capture.output[inside], atol=1e-6)
    weights = changed_weights(capture, [SetWeight("weight_ho_l0", (2.5,), 1, 3)])
    branch = with_weights(branch, experiment, "Back", weights)
    assert float(branch.start.states[0]["recurrent.weight_ho_l0"][0, 2]) == 2.5
    longer = replace(experiment, training=replace(experiment.training, training_steps=10))
    assert run_training(longer, tmp_path / "b.rnnviz", branch=branch) == 0
    with open_run(tmp_path / "b.rnnviz") as run:
        assert run.last_training_step == 10
        assert rebuild(run.capture(10, 0)).verdict.right


def test_it_predicts_values_too(tmp_path: Path) -> None:
    experiment = replace(
        EXPERIMENT, task=NextValue(length=9), training=TrainingSettings(training_steps=4, batch_size=3)
    )
    run_training(experiment, tmp_path / "v.rnnviz")
    with open_run(tmp_path / "v.rnnviz") as run:
        assert run.trace(4).verdict.right
